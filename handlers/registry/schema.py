"""SQLAlchemy tables written from the data map, and the condition that says whose a row is."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    or_,
    select,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from subjectline.models.datamap import DataMap


class _AsText(TypeDecorator[Any]):
    """A type that is native in PostgreSQL and text in SQLite; in Python always text, so that every
    value of a change set goes into JSON and back unchanged."""

    impl = Text
    cache_ok = True
    native: TypeEngine[Any] = Text()

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else self.native)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "sqlite" else self.parse(str(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return value if value is None else self.write(value)

    def parse(self, text: str) -> Any:
        return text

    def write(self, value: Any) -> str:
        return str(value)


class _IsoDate(_AsText):
    native = Date()
    cache_ok = True

    def parse(self, text: str) -> date:
        return date.fromisoformat(text)


class _IsoDateTime(_AsText):
    native = DateTime(timezone=True)
    cache_ok = True

    def parse(self, text: str) -> datetime:
        return datetime.fromisoformat(text)

    def write(self, value: Any) -> str:
        return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


class _DecimalText(_AsText):
    native = Numeric()
    cache_ok = True

    def parse(self, text: str) -> Decimal:
        return Decimal(text)


class _UuidText(_AsText):
    native = Uuid(as_uuid=False)
    cache_ok = True


TYPES: dict[str, TypeEngine[Any]] = {
    "text": Text(),
    "integer": BigInteger(),
    "decimal": _DecimalText(),
    "boolean": Boolean(),
    "date": _IsoDate(),
    "datetime": _IsoDateTime(),
    "uuid": _UuidText(),
}


class Schema:
    """The map's tables for SQLAlchemy. Identifiers come from the map alone and are quoted."""

    def __init__(self, data_map: DataMap) -> None:
        self.map = data_map
        self.metadata = {name: MetaData() for name in data_map.connections}
        self._tables = {name: self._table(name) for name in data_map.tables}

    def _table(self, name: str) -> Table:
        spec = self.map.tables[name]
        columns = (
            Column(column, TYPES[detail.type], primary_key=column in spec.key)
            for column, detail in spec.columns.items()
        )
        metadata = self.metadata[spec.connection]
        return Table(spec.table or name, metadata, *columns, schema=spec.schema_name)

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

    def owner_columns(self, table: str) -> tuple[str, ...]:
        """The columns of `table` that hold the member id of whom a row belongs to."""
        if table == self.map.home.table:
            return (self.map.home.key,)
        return self.map.tables[table].owners

    def is_member(self, column: ColumnElement[Any], member: str) -> ColumnElement[bool]:
        return column == member_value(column, member)

    def owned(self, table: str, member: str) -> ColumnElement[bool]:
        """The condition under which a row of `table` is the member's: one of its owners, or by
        `through` the owner of the row it hangs on."""
        here, through = self[table], self.map.tables[table].through
        if owners := self.owner_columns(table):
            return or_(*(self.is_member(here.c[owner], member) for owner in owners))
        assert through is not None  # the map's checks: owners or through
        parent, column = self.map.tables[table].target(through)
        ids = select(self[parent].c[column]).where(self.owned(parent, member))
        return here.c[through].in_(ids)

    def owned_value(self, table: str, column: str, member: str) -> ColumnElement[bool]:
        """The condition under which `column` of a row is the member's own data (shared rows)."""
        if (owner := self.owner_of(table, column)) is None:
            return self.owned(table, member)
        return self.is_member(self[table].c[owner], member)

    def owner_of(self, table: str, column: str) -> str | None:
        """The owner column of the only person whose data `column` is; None where it is everybody's
        who owns the row. Ids of other members are theirs, even where the map forgets to say so."""
        spec = self.map.tables[table]
        if spec.columns[column].of:
            return spec.columns[column].of
        names_a_person = column in spec.references and spec.target(column) == (
            self.map.home.table,
            self.map.home.key,
        )
        return column if (column in spec.owners and spec.shared) or names_a_person else None

    def children_first(self, names: Iterable[str]) -> list[str]:
        """The tables in an order in which rows can be deleted: whoever refers goes first."""
        names, order = list(names), list[str]()
        while names:
            free = [n for n in names if not any(self._refers(o, n) for o in names if o != n)]
            for name in free or names[:1]:  # a circle is cut anywhere
                names.remove(name)
                order.append(name)
        return order

    def _refers(self, table: str, to: str) -> bool:
        spec = self.map.tables[table]
        if to == self.map.home.table and spec.owners:
            return True
        return any(spec.target(column)[0] == to for column in spec.references)


def member_value(column: ColumnElement[Any], member: str) -> int | str:
    """The canonical member id as `column` holds it."""
    return int(member) if isinstance(column.type, BigInteger) else member
