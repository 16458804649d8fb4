"""SQLAlchemy tables written from the data map, and the condition that says whose a row is."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    MetaData,
    Table,
    Text,
    cast,
    exists,
    literal,
    select,
    type_coerce,
)

from subjectline.handlers.registry.lists import values_at
from subjectline.handlers.registry.ownership import Ownership, member_value
from subjectline.handlers.registry.types import TYPES
from subjectline.models.datamap import DataMap
from subjectline.models.datamap.tables import split

__all__ = ["Schema", "member_value"]


class Schema:
    """The map's tables for SQLAlchemy. Identifiers come from the map alone and are quoted."""

    def __init__(self, data_map: DataMap) -> None:
        self.ownership = Ownership(self)
        self.fit(data_map)

    def fit(self, data_map: DataMap) -> None:
        """Takes over a map, also later: when the live database has told what types it has."""
        self.map = data_map
        self.metadata = {name: MetaData() for name in data_map.connections}
        self._tables = {name: self._table(name) for name in data_map.tables}
        self.apart = frozenset(name for name in data_map.tables if self._told_elsewhere(name))

    def _table(self, name: str) -> Table:
        spec = self.map.tables[name]
        columns = (
            Column(column, TYPES[detail.type], primary_key=column in spec.key)
            for column, detail in spec.columns.items()
        )
        metadata = self.metadata[spec.connection]
        schema = spec.schema_name or self.map.connections[spec.connection].schema_name
        return Table(spec.table or name, metadata, *columns, schema=schema)

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]

    def connection(self, table: str) -> str:
        return self.map.tables[table].connection

    @property
    def home(self) -> Table:
        return self._tables[self.map.home.table]

    @property
    def home_key(self) -> Column[Any]:
        return self.home.c[self.map.home.key]

    def at(self, here: FromClause, path: str) -> ColumnElement[Any]:
        """The column at `path`; points lead into a JSON column, whose values are read as text."""
        first, *rest = path.split(".")
        column: ColumnElement[Any] = here.c[first]
        return cast(column[tuple(rest)].as_string(), Text()) if rest else column

    def spread(self, name: str, here: FromClause, path: str) -> tuple[Any, ColumnElement[Any]]:
        """The values at `path` of `name`, for a statement that reads `here`: what it reads from, and
        the column. An array gives one row a value."""
        spec = self.map.tables[name]
        if not spec.many(path):
            return (here,), self.at(here, path)
        listed, value = values_at(here.c[path.split(".")[0]], spec.steps(path))
        return (here, listed), value

    def some(
        self,
        name: str,
        here: FromClause,
        path: str,
        test: Callable[[ColumnElement[Any]], ColumnElement[bool]],
    ) -> ColumnElement[bool]:
        """The value at `path` passes the test; of an array one of them."""
        sources, value = self.spread(name, here, path)
        if len(sources) == 1:
            return test(value)
        one = select(literal(1)).select_from(sources[1]).where(value.is_not(None), test(value))
        return exists(one.correlate(here))

    def listed(self, table: str) -> bool:
        """Whether persons stand in a list of this table's rows."""
        return self.map.tables[table].listed

    def loose(self, table: str) -> tuple[str, ...]:
        """The columns of `table` that a database does not compare with a value of ours."""
        columns = self.map.tables[table].columns
        return tuple(name for name, column in columns.items() if column.type in ("json", "other"))

    def as_text(self, table: str, column: str) -> ColumnElement[Any]:
        """The column just as the database writes it."""
        return cast(type_coerce(self[table].c[column], Text()), Text())

    def identity_column(self, kind: str) -> str | None:
        """The column of home that holds what a person is known by."""
        if kind in self.map.home.identity:
            return self.map.home.identity[kind]
        field = self.map.contact_field(kind)
        return field.column if field and field.table == self.map.home.table else None

    def joined(self, table: str) -> set[str]:
        """The columns of `table` that references lead from or to."""
        from_here = {column for column, _, _ in self.map.tables[table].targets()}
        to_here = {
            key for spec in self.map.tables.values() for _, to, key in spec.targets() if to == table
        }
        return from_here | to_here

    def unique(self, table: str, column: str) -> bool:
        """Whether `column` alone is the key of `table`."""
        if table == self.map.home.table and column == self.map.home.key:
            return True
        return self.map.tables[table].key == (column,)

    def owner_columns(self, table: str) -> tuple[str, ...]:
        """The columns of `table` that hold the member id of whom a row belongs to."""
        if table == self.map.home.table:
            return (self.map.home.key,)
        return self.map.tables[table].owners

    def is_member(self, column: ColumnElement[Any], member: str) -> ColumnElement[bool]:
        return self.ownership.is_member(column, member)

    def owned(self, table: str, member: str) -> ColumnElement[bool]:
        """The condition under which a row of `table` is the member's, in the way that the map says.

        Raises RegistryError where it takes a Person to tell.
        """
        return self.ownership.owned(table, member)

    def owned_value(self, table: str, column: str, member: str) -> ColumnElement[bool]:
        """The condition under which `column` of a row is the member's own data (shared rows)."""
        own = self.ownership.value(table, column, member)
        return self.owned(table, member) if own is None else own

    def owner_of(self, table: str, column: str) -> str | None:
        """The owner column of the only person whose data `column` is; None where it is everybody's
        who owns the row. Ids of other members are theirs, even where the map forgets to say so."""
        spec = self.map.tables[table]
        found = spec.column(column)
        if found is not None and found.of:
            return found.of
        home = (self.map.home.table, self.map.home.key)
        names = any(c == column and (to, key) == home for c, to, key in spec.targets())
        by_name = column in spec.owners or (column in spec.identities and table != home[0])
        return column if names or (by_name and spec.shared) else None

    def told_by_use(self, name: str) -> bool:
        """Whether rows that refer to a row of `name`, or to what it hangs on, tell whose it is."""
        spec = self.map.tables[name]
        if spec.through in spec.references:
            return self.told_by_use(spec.target(spec.through)[0])
        return bool(spec.used_by)

    def children_first(self, names: Iterable[str]) -> list[str]:
        """The tables in an order in which rows can be deleted: whoever refers goes first."""
        names, order = list(names), list[str]()
        while names:
            free = [n for n in names if not any(self._refers(o, n) for o in names if o != n)]
            for name in free or names[:1]:  # a circle is cut anywhere
                names.remove(name)
                order.append(name)
        return order

    def tellers(self, connection: str) -> frozenset[str]:
        """The other connections that say whose rows of `connection` are."""
        found = set[str]()
        for name, spec in self.map.tables.items():
            if spec.connection == connection:
                found |= {self.connection(table) for table in self._deciding(name)}
        return frozenset(found - {connection})

    def told_first(self) -> list[str]:
        """The connections in the order in which they are written: whoever is told by another one
        comes before it, because what tells is destroyed with it. A circle ends with home's."""
        names, order = list(self.map.connections), list[str]()
        last = self.connection(self.map.home.table)
        while names:
            tellers = [self.tellers(name) - {name} for name in names]
            free = [name for name in names if not any(name in listed for listed in tellers)]
            order.append((free or [name for name in names if name != last])[0])
            names.remove(order[-1])
        return order

    def _refers(self, table: str, to: str) -> bool:
        spec = self.map.tables[table]
        if to == self.map.home.table and spec.owners:
            return True
        return any(target == to for _, target, _ in spec.targets())

    def _told_elsewhere(self, name: str) -> bool:
        """Whether another database decides whose a row of `name` is."""
        here = self.map.tables[name].connection
        spec = self.map.tables[name]
        asked = self._deciding(name) if spec.through or spec.used_by else ()
        return any(self.connection(table) != here for table in asked)

    def _deciding(self, name: str) -> list[str]:
        """The tables that say whose a row of `name` is."""
        spec = self.map.tables[name]
        deciding = [split(place)[0] for place in spec.used_by]
        if spec.through in spec.references:
            deciding.append(spec.target(spec.through)[0])
        if spec.identities and name != self.map.home.table:
            deciding.append(self.map.home.table)
        return deciding
