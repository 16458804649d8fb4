"""Looking at what is kept: archived records on a named basis, the consent ledger. Each look is recorded."""

from typing import TYPE_CHECKING, Any

from subjectline.handlers import audit, consents
from subjectline.handlers.archive_looks import Basis, check
from subjectline.handlers.audit import Actor
from subjectline.handlers.registry import OpenedRecord
from subjectline.models.errors import RegistryError
from subjectline.models.tables import ConsentEntry, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


async def open_archive(desk: "Desk", member: str, basis: Basis, actor: Actor) -> list[OpenedRecord]:
    """The archived records of one member. The audit row is committed before anything is opened.

    Raises BadInput without a listed basis and its paper, NotPermitted for an officer's basis,
    RegistryError where there is no archive, SealError.
    """
    await check(desk, basis, actor)
    if desk.registry.archive is None:
        raise RegistryError("the data map has no archive", field="archive")
    member = desk.registry.canonical(member)
    subject = (desk.data_map.registry, member)
    async with desk.write() as session:
        audit.note(
            session, desk.clock, actor, "archive_open", subject=subject, thing="archive",
            reason=f"{basis.key}: {basis.paper.strip()}",
        )  # fmt: skip
    return await desk.registry.archive.open(member)


async def look_at_ledger(desk: "Desk", member: str, actor: Actor) -> list[ConsentEntry]:
    """The consent ledger of a member, for an agent. Writes an audit row."""
    member = desk.registry.canonical(member)
    async with desk.write() as session:
        subject = (desk.data_map.registry, member)
        audit.note(session, desk.clock, actor, "view", subject=subject, thing="consent_entry")
    return await consents.ledger(desk, member)


def as_json(desk: "Desk", record: OpenedRecord) -> dict[str, Any]:
    """One archived record with the law that keeps it and its last day."""
    about, language = record.about, desk.manner.language
    table = desk.data_map.tables.get(about.table)
    return {
        "table": about.table,
        "label": table.labels.text(language) if table else about.table,
        "law": about.law.text(language),
        "kept_until": about.until.isoformat(),
        "state": about.state,
        "key": record.key,
        "record": record.values,
    }


async def reference_of(desk: "Desk", request_id: int) -> str:
    """The reference that people see."""
    async with desk.db.read() as session:
        return (await session.get_one(Request, request_id)).reference
