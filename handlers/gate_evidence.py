"""What the ledger of uses says of a request: how often its fields were asked for, and given, meanwhile.

Counts and names, never a value. The ledger keeps days; whose use it was it keeps only while something
of that member is held, so what is counted here was asked while the member's hold stood.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers.gate_policy import OUR_OWN
from subjectline.handlers.holds import ALL
from subjectline.models.tables import GateUse, Hold, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


@dataclass(frozen=True, slots=True)
class Asked:
    """How often one caller asked for one field and one purpose, was given it, and by a law;
    `unenforced` of what was given only because that caller observes and does not enforce yet."""

    field: str
    caller: str
    purpose: str
    asked: int
    given: int
    by_law: int
    unenforced: int


@dataclass(frozen=True, slots=True)
class FieldUse:
    """The same of one field, over all who asked."""

    field: str
    asked: int
    given: int
    by_law: int
    unenforced: int
    by: tuple[Asked, ...]


async def uses(session: AsyncSession, desk: "Desk", request: Request) -> tuple[FieldUse, ...]:
    """Of each field that the request holds or held, from its receipt to the end of its last hold.

    A field that nobody asked for stands there with zeros; where all fields are held, those asked for.
    """
    zone = desk.manner.law.tz
    holds = (await session.exec(select(Hold).where(Hold.request_id == request.id))).all()
    if not holds:
        return ()
    until = max(hold.ended_at or desk.clock() for hold in holds)
    wanted = select(GateUse).where(
        GateUse.registry_id == request.registry_id,
        GateUse.subject_id == request.subject_id,
        col(GateUse.purpose).not_in(OUR_OWN),  # the request's handling and looks: in the audit
        col(GateUse.day) >= _day(request.arrived_at, zone),
        col(GateUse.day) <= _day(until, zone),
    )
    named = {name for hold in holds for name in hold.fields}
    found: dict[str, list[GateUse]] = {name: [] for name in sorted(named - set(ALL))}
    for row in await session.exec(wanted):
        if row.field in found or (row.field and named.intersection(ALL)):
            found.setdefault(row.field, []).append(row)
    return tuple(_of(name, rows) for name, rows in found.items())


def _of(field: str, rows: Sequence[GateUse]) -> FieldUse:
    numbers: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in rows:
        mine = numbers[row.caller, row.purpose]
        mine[0] += row.permits + row.denials + row.overrides
        mine[1] += row.permits + row.overrides
        mine[2] += row.overrides
        mine[3] += row.unenforced
    by = tuple(Asked(field, *who, *told) for who, told in sorted(numbers.items()))
    asked, given, by_law, unenforced = [
        sum(each) for each in zip((0, 0, 0, 0), *numbers.values(), strict=True)
    ]
    return FieldUse(field, asked, given, by_law, unenforced, by)


def _day(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).date().isoformat()
