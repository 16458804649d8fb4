"""What hangs on rows that are about to go: rows of other tables, of any database, that are told whose
they are `through` them. Once the row is gone nobody finds those again, so they go first or it stays.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select

from subjectline.handlers.registry.moving import Places, day_of
from subjectline.handlers.registry.ownership import among
from subjectline.models.datamap import Value

BATCH = 200
Longer = Mapping[str, frozenset[str]]  # retention rule -> who agreed to a longer keeping
LATER, UNDATED, NO_PERIOD = "kept longer", "no readable date", "no rule with a period"
SEVERAL, NO_KEY, AGREED = "hangs on several rows", "no key", "agreed to longer"


@dataclass(frozen=True, slots=True)
class HungRow:
    """A row and what tells it again. `root` is the place of the swept row that it hangs on; `day` is
    what its time is counted from, `owners` whose it is."""

    root: int
    values: Mapping[str, Value]
    day: date
    owners: frozenset[str]
    via: Value = None


@dataclass
class Hung:
    """What goes with the roots, table by table; which roots stay, and why (no personal data)."""

    going: dict[str, list[HungRow]] = field(default_factory=lambda: defaultdict(list))
    stays: dict[int, str] = field(default_factory=dict)

    def free(self, table: str) -> list[HungRow]:
        """The rows of `table` whose root goes."""
        return [row for row in self.going[table] if row.root not in self.stays]


class Hanging:
    """Finds and destroys rows that are told `through` others."""

    def __init__(self, places: Places) -> None:
        self._places, self._schema = places, places.schema

    def children(self, table: str) -> list[str]:
        """The tables whose rows are told through rows of `table`."""
        return self._schema.map.hanging_on(table)

    def needed(self, table: str) -> tuple[str, ...]:
        """The columns that tell a row of `table` again, date it, and that others refer to."""
        specs = self._schema.map.tables
        since = self._schema.map.leave[table].counted_from
        refers = [specs[c].target(specs[c].through or "")[1] for c in self.children(table)]
        wanted = (*specs[table].key, *([since] if since else []), *refers)
        return tuple(dict.fromkeys(column.partition(".")[0] for column in wanted))

    async def find(self, table: str, rows: Sequence[HungRow], longer: Longer) -> Hung:
        """Everything that hangs on `rows` of `table`, in any depth. Changes nothing."""
        found = Hung()
        await self._below((table,), rows, longer, found)
        return found

    async def any_left(self, table: str, rows: Sequence[HungRow]) -> frozenset[int]:
        """The roots on which something hangs still, or again."""
        found = await self.find(table, rows, {})
        return frozenset({r.root for some in found.going.values() for r in some} | {*found.stays})

    async def destroy(self, table: str, rows: Sequence[HungRow]) -> int:
        """Deletes rows of `table` as they were seen. Returns how many went."""
        gone = 0
        for start in range(0, len(rows), BATCH):
            same = or_(*(self._same(table, row) for row in rows[start : start + BATCH]))
            async with self._places.writing(self._schema.connection(table)) as connection:
                gone += (await connection.execute(delete(self._schema[table]).where(same))).rowcount
        return gone

    def _same(self, table: str, row: HungRow) -> ColumnElement[bool]:
        here, spec = self._schema[table], self._schema.map.tables[table]
        since = self._schema.map.leave[table].counted_from
        columns = (*spec.key, *([since] if since else []))
        seen = [here.c[column].is_not_distinct_from(row.values[column]) for column in columns]
        return and_(*seen, among(self._schema.at(here, spec.through or ""), [row.via]))

    async def _below(
        self, path: tuple[str, ...], rows: Sequence[HungRow], longer: Longer, found: Hung
    ) -> None:
        for child in self.children(path[-1]):
            if child in path:
                continue  # a circle: the same rows again
            for start in range(0, len(rows), BATCH):
                some = rows[start : start + BATCH]
                below = await self._children(path[-1], child, some, longer, found)
                found.going[child] += below
                await self._below((*path, child), below, longer, found)

    async def _children(
        self, table: str, child: str, rows: Sequence[HungRow], longer: Longer, found: Hung
    ) -> list[HungRow]:
        """The rows of `child` under `rows`; what may not go is noted with its root."""
        column = self._schema.map.tables[child].target(
            self._schema.map.tables[child].through or ""
        )[1]
        roots: dict[str, list[HungRow]] = defaultdict(list)
        for row in rows:
            if (value := _inside(row.values, column)) is not None:
                roots[str(value)].append(row)
        several = await self._several(table, column, list(roots))
        below: list[HungRow] = []
        for via, values in await self._read(child, list(roots)):
            for root in roots.get(str(via), ()):
                since = self._since(child, values, root)
                why = self._why(child, since, root, longer)
                why = SEVERAL if str(via) in several else why
                if why:
                    found.stays.setdefault(root.root, f"{child}: {why}")
                else:
                    day = since or root.day
                    below.append(HungRow(root.root, values, day, root.owners, via))
        return below

    async def _read(
        self, child: str, roots: Sequence[Value]
    ) -> list[tuple[Value, dict[str, Value]]]:
        if not roots:
            return []
        here, names = self._schema[child], self.needed(child)
        through = self._schema.map.tables[child].through or ""
        sources, via = self._schema.spread(child, here, through)
        wanted = select(via, *(here.c[name] for name in names)).select_from(*sources)
        async with self._places.reading(self._schema.connection(child)) as connection:
            rows = await connection.execute(wanted.where(among(via, roots)))
            return [(row[0], dict(zip(names, row[1:], strict=True))) for row in rows]

    async def _several(self, table: str, column: str, values: Sequence[str]) -> frozenset[str]:
        """Those of `values` that more than one row of `table` has: one of them may be another's."""
        if self._schema.unique(table, column) or not values:
            return frozenset()
        sources, held = self._schema.spread(table, self._schema[table], column)
        wanted = select(held).select_from(*sources).where(among(held, values))
        wanted = wanted.group_by(held).having(func.count() > 1)
        async with self._places.reading(self._schema.connection(table)) as connection:
            return frozenset(str(value) for value in (await connection.scalars(wanted)).all())

    def _since(self, child: str, values: Mapping[str, Value], root: HungRow) -> date | None:
        """What the row's time is counted from: its own day, or that of the row it hangs on."""
        since = self._schema.map.leave[child].counted_from
        return day_of(values[since], self._places.zone) if since else root.day

    def _why(self, child: str, since: date | None, root: HungRow, longer: Longer) -> str:
        """Why a row of `child` may not go today; empty where its own rule lets it."""
        spec, (name, rule) = self._schema.map.tables[child], self._places.rule(child)
        if not spec.key:
            return NO_KEY
        if spec.many(spec.through or ""):
            return SEVERAL
        if rule.period is None:
            return NO_PERIOD
        if since is None:
            return UNDATED
        if root.owners & longer.get(name, frozenset()):
            return AGREED
        return LATER if rule.period.after(since) >= self._places.today() else ""


def _inside(values: Mapping[str, Any], path: str) -> Any:
    first, *rest = path.split(".")
    found: Any = values.get(first)
    for name in rest:
        found = found.get(name) if isinstance(found, dict) else None
    return found
