"""What a recipient has heard about a request: the last notice, and what none has ended since."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers.holds import ALL
from subjectline.models.tables import Telling

LASTING = ("stop", "erase")  # ended by what the person does later, not by the request


@dataclass(frozen=True)
class Scope:
    """What one recipient is told about: fields that it holds, purposes (`*`: all) that are held."""

    fields: tuple[str, ...]
    purposes: tuple[str, ...]


@dataclass(frozen=True)
class Heard:
    """The last notice to a recipient about a request, and the holds that none has ended since.

    `lasting`: those that it heard are to last, and what said so.
    """

    last: Telling
    holds: tuple[Telling, ...] = ()
    lasting: tuple[Telling, ...] = ()

    @property
    def scope(self) -> Scope | None:
        """All that it must not use because of the holds."""
        return told_of(self.holds)

    def then(self, row: Telling) -> "Heard":
        """With one notice more."""
        unheard = row.outcome in ("overtaken", "unknown")
        new = () if unheard else (row,)
        if row.kind == "hold":
            return Heard(row, (*self.holds, *new), self.lasting)
        if row.kind in LASTING:
            return Heard(row, (), (*self.lasting, *self.holds, *new))
        return Heard(row)


async def heard_of(session: AsyncSession, request_id: int) -> dict[str, Heard]:
    """Recipient -> what it was told about a request."""
    rows = await session.exec(
        select(Telling).where(Telling.request_id == request_id).order_by(col(Telling.id))
    )
    found: dict[str, Heard] = {}
    for row in rows:
        found[row.recipient] = found.get(row.recipient, Heard(row)).then(row)
    return found


def told_of(rows: Sequence[Telling]) -> Scope | None:
    told = (Scope(tuple(row.fields), tuple(row.purposes)) for row in rows)
    return reduce(joined, told) if rows else None


def joined(one: Scope, other: Scope) -> Scope:
    purposes = tuple(dict.fromkeys(one.purposes + other.purposes))
    fields = tuple(dict.fromkeys(one.fields + other.fields))
    return Scope(fields, ALL if "*" in purposes else purposes)
