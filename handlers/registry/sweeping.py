"""Live rows whose time is over: found by age for everybody, deleted, and looked for again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select

from subjectline.handlers.registry.moving import Places, day_of
from subjectline.models.datamap import Value
from subjectline.models.errors import RegistryConflict
from subjectline.models.periods import Period

BATCH = 200


@dataclass(frozen=True, slots=True)
class OldRow:
    """A live row that no law keeps any longer: its key, and since when it was counted."""

    key: dict[str, Value]
    since: Value


@dataclass(frozen=True, slots=True)
class OldRows:
    """What is due in one table. `spared`: rows of members who are exempt; `agreed`: of those who agreed
    to a longer keeping."""

    table: str
    rows: tuple[OldRow, ...]
    spared: int
    agreed: int = 0


class Sweeper:
    """Destroys rows of the tables whose retention rule is swept."""

    def __init__(self, places: Places) -> None:
        self._places, self._schema = places, places.schema

    def tables(self) -> list[str]:
        """The tables whose rule says `sweep`."""
        return [name for name in self._schema.map.tables if self._places.rule(name)[1].sweep]

    async def due(
        self, table: str, exempt: frozenset[str], agreed: frozenset[str] = frozenset()
    ) -> OldRows:
        """Rows of `table` whose last day has passed; those of exempt members, and of members who
        agreed to more, are only counted."""
        rule, spec = self._places.rule(table)[1], self._schema.map.tables[table]
        since = self._schema.map.leave[table].counted_from
        assert rule.period is not None and since is not None  # the map's checks
        last = last_start(rule.period, self._places.today())
        here = self._schema[table]
        columns = [here.c[c] for c in (*spec.key, *spec.owners, since)]
        bound = datetime.combine(last + timedelta(days=2), time(), self._places.zone)
        statement = select(*columns).where(here.c[since] < bound.isoformat())
        found: list[OldRow] = []
        spared = longer = 0
        async with self._places.reading(self._schema.connection(table)) as connection:
            async for row in await connection.stream(statement.order_by(*here.primary_key.columns)):
                day = day_of(row[-1], self._places.zone)
                if day is None or day > last:
                    continue
                owners = row[len(spec.key) : -1]
                if self._owned_by(exempt, owners):
                    spared += 1
                elif self._owned_by(agreed, owners):
                    longer += 1
                else:
                    found.append(OldRow(dict(zip(spec.key, row, strict=False)), row[-1]))
        return OldRows(table, tuple(found), spared, longer)

    async def destroy(self, old: OldRows) -> int:
        """Deletes the rows as they were seen and looks that none is left. Returns how many went."""
        gone, name = 0, self._schema.connection(old.table)
        for start in range(0, len(old.rows), BATCH):
            some = old.rows[start : start + BATCH]
            condition = or_(*(self._same(old.table, row) for row in some))
            async with self._places.writing(name) as connection:
                done = await connection.execute(delete(self._schema[old.table]).where(condition))
                gone += done.rowcount
            async with self._places.reading(name) as connection:
                left = select(func.count()).select_from(self._schema[old.table]).where(condition)
                if await connection.scalar(left):
                    raise RegistryConflict(
                        f"rows of {old.table!r} were deleted, but are still there",
                        field=name,
                        remedy="Another system writes there too.",
                    )
        return gone

    def _owned_by(self, exempt: frozenset[str], owners: Sequence[Any]) -> bool:
        if not exempt:
            return False
        canonical = self._schema.map.canonical
        return any(owner is not None and canonical(owner) in exempt for owner in owners)

    def _same(self, table: str, row: OldRow) -> ColumnElement[bool]:
        here, since = self._schema[table], self._schema.map.leave[table].counted_from
        key = (here.c[column] == value for column, value in row.key.items())
        return and_(*key, here.c[str(since)] == row.since)


def last_start(period: Period, today: date) -> date:
    """The newest day from which the period is over by `today` (its last day lies before it)."""
    low, high = 1, today.toordinal()
    while low < high:
        middle = (low + high + 1) // 2
        if period.after(date.fromordinal(middle)) < today:
            low = middle
        else:
            high = middle - 1
    return date.fromordinal(low)
