"""The archive as agents look at it: counts of everything, and one member's records on a listed basis.

Data kept by law after its purpose ended is stored apart and used for nothing else (PIPA 21(3)); so a
member's records are opened for a basis of this list only, with the paper that says so, recorded first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subjectline.handlers import audit
from subjectline.handlers.audit import Actor
from subjectline.handlers.registry import Archive, OpenedRecord
from subjectline.handlers.registry.archive_counts import KeptCount, of_member, standing
from subjectline.models.datamap import Bilingual
from subjectline.models.errors import BadInput, NotPermitted, RegistryError
from subjectline.models.tables import Agent

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

ROWS = 25  # of one table at a time
LONGEST = 200  # characters of the paper's name

# On what basis a member's archived records may be opened. Nothing else is one.
BASES: Mapping[str, Bilingual] = {
    "statute": Bilingual(
        ko="법률에 따른 제출·확인 의무(세무조사 등)",
        en="A statute obliges us to show or check them (a tax audit and the like)",
    ),
    "order": Bilingual(
        ko="법원·수사기관의 영장이나 명령",
        en="A warrant or order of a court or an investigating authority",
    ),
    "claim": Bilingual(
        ko="소송·분쟁조정에서의 주장이나 방어",
        en="A claim or a defence in a lawsuit or mediation",
    ),
    "person": Bilingual(
        ko="본인 또는 대리인의 요구",
        en="The person or their proxy asks",
    ),
    "review": Bilingual(ko="개인정보 보호책임자의 점검", en="Review by the privacy officer"),
}
OFFICERS = ("review",)  # bases of officers only


@dataclass(frozen=True)
class Basis:
    """Why the archive is opened: a key of `BASES`, and the document, case or reference that says so."""

    key: str
    paper: str


@dataclass(frozen=True)
class ArchiveLook:
    """One member's archive. `records` are those of one table; without one there are only counts."""

    member: str
    basis: Basis
    counts: tuple[KeptCount, ...]
    table: str = ""
    records: tuple[OpenedRecord, ...] = ()
    total: int = 0
    first: int = 0

    @property
    def following(self) -> int:
        """The first record of the next page, or 0."""
        behind = self.first + len(self.records)
        return behind if self.records and behind < self.total else 0


async def counted(desk: "Desk") -> list[KeptCount]:
    """What stands in the archive, by law. Raises RegistryError (no archive), RegistryAway."""
    return await standing(_archive(desk))


async def look(
    desk: "Desk", member: str, basis: Basis, agent: Actor, table: str = "", first: int = 0
) -> ArchiveLook:
    """What is kept of a member, and the records of `table`. The audit row is committed before.

    Raises BadInput (no such basis, no paper, nothing kept), NotPermitted (an officer's basis),
    NotCanonical, RegistryError, RegistryAway, SealError.
    """
    archive = _archive(desk)
    await check(desk, basis, agent)
    member = desk.registry.canonical(member)
    await _record(desk, member, basis, agent, table, first)
    counts = await of_member(archive, member)
    if not counts:
        raise BadInput("the archive has nothing of this member", field="member")
    found = ArchiveLook(member, basis, tuple(counts))
    return await _with_records(archive, found, table, max(first, 0)) if table else found


async def _with_records(
    archive: Archive, found: ArchiveLook, table: str, first: int
) -> ArchiveLook:
    records = [one for one in await archive.open(found.member) if one.about.table == table]
    return ArchiveLook(
        found.member, found.basis, found.counts, table,
        tuple(records[first : first + ROWS]), len(records), first,
    )  # fmt: skip


async def _record(
    desk: "Desk", member: str, basis: Basis, agent: Actor, table: str, first: int
) -> None:
    facts: dict[str, Any] = {"first": first} if first else {}
    async with desk.write() as session:
        audit.note(
            session, desk.clock, agent, "archive_open" if table else "archive_look",
            subject=(desk.data_map.registry, member), thing=f"archive:{table}".rstrip(":"),
            reason=f"{basis.key}: {basis.paper.strip()}", **facts,
        )  # fmt: skip


async def check(desk: "Desk", basis: Basis, agent: Actor) -> None:
    """Whether this basis may open the archive. Raises BadInput, NotPermitted (an officer's basis)."""
    if basis.key not in BASES:
        raise BadInput("the archive is opened on a listed basis only", field="basis")
    if not basis.paper.strip() or len(basis.paper) > LONGEST:
        raise BadInput("name the document, case or reference", field="paper")
    if basis.key not in OFFICERS:
        return
    async with desk.db.read() as session:
        row = await session.get(Agent, agent.agent_id) if agent.agent_id else None
    if row is None or row.role != "officer":
        raise NotPermitted("this basis is the privacy officer's", field="basis")


def _archive(desk: "Desk") -> Archive:
    if desk.registry.archive is None:
        raise RegistryError("the data map has no archive", field="archive")
    return desk.registry.archive
