"""Access: the statements that fetch what is a member's, and count what is not.

One statement a table for the rows, and for a table with references one that counts the rows of others
that hang together with the member's. Of those nothing is fetched but how many there are and why they
stay: the database itself blanks what is not the member's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from subjectline.handlers.registry.collected import Collected, CollectedTable, Withheld
from subjectline.handlers.registry.nested import Pruner
from subjectline.handlers.registry.ownership import MOST_HELD, Condition, among
from subjectline.handlers.registry.persons import Person
from subjectline.handlers.registry.schema import Schema
from subjectline.models.datamap import Value

__all__ = ["Collected", "CollectedTable", "Walk", "Withheld"]

OWN = "subjectline_own"
Far = dict[tuple[str, str], set[Value]]  # (table, column) -> the values in the member's rows


class Walk:
    """One walk through the references for one member. `far` holds what other databases told."""

    def __init__(self, schema: Schema, member: str, far: Far | None = None) -> None:
        self.member = member
        self._schema, self._far = schema, far if far is not None else {}
        self._own = schema.ownership

    def shown(self, name: str) -> list[str]:
        """The columns of table `name` that people may see."""
        return [c for c, spec in self._schema.map.tables[name].columns.items() if not spec.hidden]

    async def table(self, connection: AsyncConnection, name: str) -> CollectedTable:
        """The member's rows of table `name`, and what was blanked in them."""
        shown = self.shown(name)
        rows: list[dict[str, Value]] = []
        blanked: dict[str, int] = {}
        pruner = Pruner(self._schema, name, self.member)
        result = await connection.stream(self.statement(name, shown))
        async for record in result.mappings():
            hidden = [c for c in shown if record.get(f"{OWN}_{c}", True) is False]
            for column in hidden:
                blanked[column] = blanked.get(column, 0) + 1
            rows.append(pruner.row({c: record[c] for c in shown if c not in hidden}))
        self._remember(name, rows)
        withheld = self.blanks(name, blanked, pruner)
        return self.described(name, tuple(rows), withheld, len(rows), tuple(blanked))

    def _remember(self, name: str, rows: Sequence[Mapping[str, Value]]) -> None:
        """The values that references lead from or to, so that counting needs no second walk."""
        if len(rows) > MOST_HELD or self._schema.map.tables[name].belongs == "nobody":
            return
        for column in self._schema.joined(name):
            listed = self._schema.map.tables[name].many(column)
            if "." not in column and not listed and all(column in row for row in rows):
                self._far[name, column] = {row[column] for row in rows} - {None}

    def blanks(
        self, name: str, blanked: Mapping[str, int], pruner: Pruner | None = None
    ) -> list[Withheld]:
        """What was blanked inside rows that were handed out."""
        found = [Withheld(name, "column", rows, (column,)) for column, rows in blanked.items()]
        if pruner is not None:
            found += [Withheld(name, "nested", n, (c,)) for c, n in pruner.dropped.items()]
        return found

    def statement(self, name: str, shown: Sequence[str], *, flags: bool = True) -> Select[Any]:
        """The member's rows. With `flags` a column that may be blanked has another one beside it that
        says whether it was."""
        table = self._schema[name]
        values: list[ColumnElement[Any]] = []
        for column in shown:
            values += self._values(name, column, flags)
        statement = select(*(values or [literal(1)])).select_from(table)
        return statement.where(self._rows(name)).order_by(*table.primary_key.columns)

    def _rows(self, name: str) -> Condition:
        """Which rows of table `name` are handed out: a catalogue's, where the member's lead to them."""
        if self._schema.map.tables[name].belongs != "nobody":
            return self._own.owned(name, self.member)
        return or_(false(), *(self._leads(name, *edge) for edge in self._into(name)))

    def _values(self, name: str, column: str, flags: bool) -> list[ColumnElement[Any]]:
        value = self._schema[name].c[column]
        his = self._own.value(name, column, self.member)
        if his is None:
            return [value]
        shown = case((his, value)).label(column)
        if not flags:
            return [shown]
        # An empty column of another person is no withheld one.
        return [
            shown,
            case((his, true()), (value.is_(None), true()), else_=false()).label(_flag(column)),
        ]

    def blanked(self, name: str, shown: Sequence[str]) -> Select[Any] | None:
        """Counts, of the member's rows, the columns that are blanked; None where none can be."""
        table, counts = self._schema[name], list[ColumnElement[Any]]()
        for column in shown:
            his, value = self._own.value(name, column, self.member), table.c[column]
            if his is not None:
                theirs = case((his, None), (value.is_(None), None), else_=literal(1))
                counts.append(func.count(theirs).label(column))
        if not counts:
            return None
        return select(*counts).select_from(table).where(self._rows(name))

    async def aside(self, connection: AsyncConnection, name: str) -> list[Withheld]:
        """What hangs together with the member's rows but is not theirs, by reason."""
        if (statement := self.counting(name)) is None:
            return []
        return [Withheld(name, row[0], row[1]) for row in await connection.execute(statement)]

    def counting(self, name: str) -> Select[Any] | None:
        """Counts by reason the rows of others that are reached; None where no reference leads there."""
        spec, table = self._schema.map.tables[name], self._schema[name]
        reached = self._reached(name) if spec.belongs != "nobody" else []
        if not reached:
            return None
        strange = self._own.not_owned(name, self.member)
        why = self._reason(name).label("why")
        if spec.key:  # a row that is reached in two ways counts once, each way by its own index
            key = [table.c[k] for k in spec.key]
            parts = [select(*key, why).where(way, strange) for way in reached]
            found: Any = (union(*parts) if len(parts) > 1 else parts[0]).subquery()
        else:
            found = select(why).where(or_(*reached), strange).subquery()
        return select(found.c.why, func.count()).group_by(found.c.why).order_by(found.c.why)

    def _reason(self, name: str) -> ColumnElement[str]:
        spec, here = self._schema.map.tables[name], self._schema[name]
        if spec.belongs == "unknown":
            return literal("unknown")
        if spec.used_by:
            places = [
                (self._schema.at(here, key), user, column)
                for user, column, key in self._own.users(name)
                if self._schema.connection(user) == spec.connection
            ]
            mine = or_(false(), *(self._own.refers(*place, self.member) for place in places))
            return case((mine, "shared"), else_="another")
        naming = [*spec.owners, *spec.identities]
        if not naming:
            return literal("another")
        some = self._schema.some
        empty = and_(*(not_(some(name, here, p, lambda c: c.is_not(None))) for p in naming))
        if spec.undescribed:
            two = self._of_two(name)
            return case(
                (empty, "orphan"), (self._doubt(name), "doubtful"), (two, "shared"), else_="another"
            )
        return case((empty, "orphan"), (self._doubt(name), "doubtful"), else_="another")

    def _doubt(self, name: str) -> Condition:
        """The row names a contact that two members have."""
        spec, here, member = self._schema.map.tables[name], self._schema[name], self.member
        if not isinstance(member, Person) or not member.doubtful:
            return false()
        sure = Person(member, member.known_by)
        paths = [(p, k) for p, k in spec.identities.items() if k in member.doubtful]
        return or_(false(), *(self._own.known_as(spec, p, k, sure, here) for p, k in paths))

    def _of_two(self, name: str) -> Condition:
        """The row names the member, and somebody else as well."""
        spec, here, member = self._schema.map.tables[name], self._schema[name], self.member
        paths = spec.identities.items()
        named = or_(*(self._own.known_as(spec, p, k, member, here) for p, k in paths))
        return and_(func.coalesce(named, false()), self._own.of_two(spec, member, here))

    def _reached(self, name: str) -> list[Condition]:
        """Rows of table `name` that a row of the member refers to, or that refer to one; each way."""
        spec = self._schema.map.tables[name]
        found = [self._leads(name, *edge) for edge in self._into(name)]
        for column, parent, key in spec.targets():
            # An owner column, and one through which the row is owned, lead to the member's own rows.
            if column != spec.through and column not in spec.owners and self._rowed(parent):
                found.append(self._leads(name, parent, key, column))
        if spec.undescribed:
            found.append(self._of_two(name))
        doubt = self._doubt(name)
        return [*found, doubt] if spec.identities and not _never(doubt) else found

    def _into(self, name: str) -> Iterable[tuple[str, str, str]]:
        """The references that lead to `name`: (table, column, column of `name`)."""
        for other, spec in self._schema.map.tables.items():
            for column, to, key in spec.targets():
                if to == name and column != spec.through and self._rowed(other):
                    yield other, column, key

    def _rowed(self, name: str) -> bool:
        return self._schema.map.tables[name].belongs == "person"

    def _leads(self, name: str, other: str, column: str, key: str) -> Condition:
        """`key` of a row of `name` stands in `column` of a row of `other` that is the member's."""

        def test(here: ColumnElement[Any]) -> Condition:
            if (other, column) in self._far:
                return among(here, list(self._far[other, column]))
            return self._own.refers(here, other, column, self.member)

        return self._schema.some(name, self._schema[name], key, test)

    def described(
        self,
        name: str,
        rows: tuple[dict[str, Value], ...],
        withheld: Sequence[Withheld],
        total: int,
        blanked: tuple[str, ...],
    ) -> CollectedTable:
        """A table with its words for people."""
        data_map = self._schema.map
        spec = data_map.tables[name]
        return CollectedTable(
            table=name,
            connection=spec.connection,
            label=spec.labels,
            category=data_map.categories[spec.category],
            purposes=tuple(data_map.purposes[purpose].labels for purpose in spec.purposes),
            recipients=tuple(data_map.recipients[r].labels for r in spec.recipients),
            retention=data_map.retention[spec.retention],
            columns={column: spec.columns[column].labels for column in self.shown(name)},
            rows=rows,
            withheld=tuple(withheld),
            withheld_columns=blanked,
            total=total,
        )


def far_places(schema: Schema) -> list[tuple[str, str]]:
    """The (table, column) whose values another database must know to follow references."""
    found: dict[tuple[str, str], None] = {}
    for name, spec in schema.map.tables.items():
        for column, to, key in spec.targets():
            if schema.connection(to) != spec.connection:
                if schema.map.tables[name].belongs == "person" and column != spec.through:
                    found[name, column] = None
                owned_so = column == spec.through or column in spec.owners
                if schema.map.tables[to].belongs == "person" and not owned_so:
                    found[to, key] = None
    return list(found)


def _flag(column: str) -> str:
    return f"{OWN}_{column}"


def _never(condition: Condition) -> bool:
    return condition is false() or str(condition) == str(false())
