"""Live rows whose time is over: found by age for everybody, deleted, and looked for again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, false, func, or_, select

from subjectline.handlers.registry.hanging import Hanging, HungRow, Longer
from subjectline.handlers.registry.moving import Places, day_of
from subjectline.models.datamap import Value
from subjectline.models.errors import RegistryConflict
from subjectline.models.periods import Period

BATCH = 200
DATES = ("date", "datetime")


@dataclass(frozen=True, slots=True)
class OldRow:
    """A live row that no law keeps any longer: its key, since when it was counted, and what tells it
    to those that hang on it."""

    key: dict[str, Value]
    since: Value
    seen: HungRow


@dataclass(frozen=True, slots=True)
class OldRows:
    """What is due in one table. `spared`: rows of members who are exempt; `agreed`: of those who agreed
    to a longer keeping; `undated`: rows whose date cannot be read; `stays`: reason -> rows on which
    something hangs that may not go. `hung`: what goes before `rows`, table by table, children first."""

    table: str
    rows: tuple[OldRow, ...]
    spared: int
    agreed: int = 0
    undated: int = 0
    stays: Mapping[str, int] = field(default_factory=dict)
    hung: Mapping[str, tuple[HungRow, ...]] = field(default_factory=dict)


class Sweeper:
    """Destroys rows of the tables whose retention rule is swept."""

    def __init__(self, places: Places) -> None:
        self._places, self._schema = places, places.schema
        self._hanging = Hanging(places)

    def tables(self) -> list[str]:
        """The tables whose rule says `sweep`. What is told through another row goes with it."""
        specs = self._schema.map.tables
        return [name for name in specs if self._places.rule(name)[1].sweep and specs[name].owners]

    async def due(
        self,
        table: str,
        exempt: frozenset[str],
        agreed: frozenset[str] = frozenset(),
        longer: Longer | None = None,
    ) -> OldRows:
        """Rows of `table` whose last day has passed, and what hangs on them; those of exempt members,
        and of members who agreed to more, are only counted. `longer`: who agreed, by rule."""
        rule = self._places.rule(table)[1]
        assert rule.period is not None  # the map's checks
        last = last_start(rule.period, self._places.today())
        found: list[OldRow] = []
        spared = others = undated = 0
        async with self._places.reading(self._schema.connection(table)) as connection:
            async for row in await connection.stream(self._older(table, last)):
                seen = self._seen(table, len(found), row)
                if seen is None:
                    undated += 1
                elif seen.day > last:
                    continue
                elif seen.owners & exempt:
                    spared += 1
                elif seen.owners & agreed:
                    others += 1
                else:
                    found.append(self._old(table, seen))
        hung = await self._hanging.find(table, [one.seen for one in found], longer or {})
        free = tuple(one for one in found if one.seen.root not in hung.stays)
        below = {name: tuple(hung.free(name)) for name in self._schema.children_first(hung.going)}
        below = {name: rows for name, rows in below.items() if rows}
        return OldRows(table, free, spared, others, undated, Counter(hung.stays.values()), below)

    async def destroy(self, old: OldRows) -> int:
        """Deletes the rows as they were seen and looks that none is left. Returns how many went. A
        row on which something hangs still, or again, is left to the next run."""
        gone, name = 0, self._schema.connection(old.table)
        for start in range(0, len(old.rows), BATCH):
            some = old.rows[start : start + BATCH]
            left = await self._hanging.any_left(old.table, [one.seen for one in some])
            some = tuple(one for one in some if one.seen.root not in left)
            if not some:
                continue
            condition = or_(*(self._same(old.table, row) for row in some))
            async with self._places.writing(name) as connection:
                done = await connection.execute(delete(self._schema[old.table]).where(condition))
                gone += done.rowcount
            await self._look(old.table, condition)
        return gone

    async def destroy_hung(self, table: str, rows: Sequence[HungRow]) -> int:
        """Deletes rows of `table` that hang on rows that go next. Returns how many went."""
        return await self._hanging.destroy(table, rows)

    async def _look(self, table: str, condition: ColumnElement[bool]) -> None:
        name = self._schema.connection(table)
        left = select(func.count()).select_from(self._schema[table]).where(condition)
        async with self._places.reading(name) as connection:
            if await connection.scalar(left):
                raise RegistryConflict(
                    f"rows of {table!r} were deleted, but are still there",
                    field=name,
                    remedy="Another system writes there too.",
                )

    def _columns(self, table: str) -> tuple[str, ...]:
        spec = self._schema.map.tables[table]
        return tuple(dict.fromkeys((*self._hanging.needed(table), *spec.owners)))

    def _older(self, table: str, last: date) -> Select[Any]:
        """Rows that may be older than `last`, and those whose date stands there as other text."""
        here, since = self._schema[table], self._schema.map.leave[table].counted_from or ""
        bound = datetime.combine(last + timedelta(days=2), time(), self._places.zone)
        held = here.c[since]
        strange: ColumnElement[bool] = false()
        if self._as_text(table, since):
            written = self._schema.as_text(table, since)
            strange = and_(held.is_not(None), written.not_like("____-__-__%"))
        columns = (here.c[column] for column in self._columns(table))
        wanted = select(*columns).where(or_(held < bound.isoformat(), strange))
        return wanted.order_by(*here.primary_key.columns)

    def _as_text(self, table: str, column: str) -> bool:
        """Whether the database lets anything stand where a date should."""
        sqlite = self._places.engines[self._schema.connection(table)].dialect.name == "sqlite"
        return sqlite or self._schema.map.tables[table].columns[column].type not in DATES

    def _seen(self, table: str, number: int, row: Sequence[Any]) -> HungRow | None:
        """The row as it was read; None where its date cannot be read."""
        values = dict(zip(self._columns(table), row, strict=True))
        since = self._schema.map.leave[table].counted_from or ""
        day = day_of(values[since], self._places.zone)
        canonical = self._schema.map.canonical
        owners = (values[column] for column in self._schema.map.tables[table].owners)
        known = frozenset(canonical(owner) for owner in owners if owner is not None)
        return None if day is None else HungRow(number, values, day, known)

    def _old(self, table: str, seen: HungRow) -> OldRow:
        since = self._schema.map.leave[table].counted_from or ""
        key = {column: seen.values[column] for column in self._schema.map.tables[table].key}
        return OldRow(key, seen.values[since], seen)

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
