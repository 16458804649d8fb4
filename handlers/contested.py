"""No letter leaves for a contact that its own member says is wrong, whichever request it is about.

A request's own letters have their address from its proof (`whereto`). Another request of the same member
may have been proven by the very contact that is under correction now: what was to go there waits for an
agent, who finds another way (`returned`), for the law's clock goes on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import aliased
from sqlmodel import col, select

from subjectline.models.errors import UnknownMember
from subjectline.models.incoming import Door
from subjectline.models.tables import Hold, Outbox, Request
from subjectline.models.workflow import FINAL

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

REASON = "contested"
CAUSES = ("correction", "objection")
# Without a value, with a link that stops a change: whoever holds a contact must be able to do that.
WARNINGS = ("contact_changing", "change_waits")
_KINDS = {Door.MAIL: "email", Door.SMS: "phone"}


@dataclass(frozen=True)
class Contested:
    """Fields of a member's contact that are under correction while a letter is to leave by that kind."""

    member: str
    kind: str
    fields: tuple[str, ...]


async def among(desk: "Desk", rows: Sequence[Outbox]) -> dict[int, Contested]:
    """Of these letters those that may be on their way to a contested contact, by id."""
    looked_at = {
        row.id or 0: row
        for row in rows
        if row.request_id and Door(row.door) in _KINDS and row.letter not in WARNINGS
    }
    if not looked_at:
        return {}
    by_request: dict[int, tuple[str, set[str]]] = {}
    for number, member, fields in await _held(desk, looked_at.values()):
        by_request.setdefault(number, (member, set()))[1].update(fields)
    found = {}
    for letter, row in looked_at.items():
        member, held = by_request.get(row.request_id or 0, ("", set()))
        kind = _KINDS[Door(row.door)]
        if theirs := _of_kind(desk, kind, held):
            found[letter] = Contested(member, kind, theirs)
    return found


async def _held(desk: "Desk", rows: Iterable[Outbox]) -> list[tuple[int, str, Sequence[str]]]:
    """Request, its member, fields that an open correction of that member holds by name."""
    about, by = aliased(Request), aliased(Request)
    wanted = (
        select(about.id, about.subject_id, Hold.fields)
        .join(Hold, col(Hold.subject_id) == col(about.subject_id))
        .join(by, col(by.id) == col(Hold.request_id))
        .where(col(about.id).in_({row.request_id for row in rows}))
        .where(Hold.registry_id == about.registry_id, col(Hold.ended_revision).is_(None))
        .where(col(Hold.cause).in_(CAUSES), col(Hold.kind).in_(("firm", "provisional")))
        .where(col(by.state).not_in(FINAL))
    )
    async with desk.db.read() as session:
        return [
            (number or 0, who or "", names) for number, who, names in await session.exec(wanted)
        ]


def _of_kind(desk: "Desk", kind: str, held: set[str]) -> tuple[str, ...]:
    """One that names no field holds all of them, and says of no contact that it is wrong."""
    known = desk.data_map.fields.items()
    return tuple(name for name, field in known if field.contact == kind and name in held)


async def goes_there(desk: "Desk", row: Outbox, found: Contested) -> bool:
    """Whether the letter's address is the registered one that is contested. Raises RegistryError."""
    try:
        held = await desk.registry.read(found.member, found.fields)
    except UnknownMember:
        return False
    to = desk.vault.index(found.kind, desk.vault.text(row.recipient))
    return any(value and desk.vault.index(found.kind, value) == to for value in held.values())
