"""Change sets for corrections: the field, and every copy of it that the map knows."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from subjectline.handlers.registry.changes import Change
from subjectline.handlers.registry.schema import Schema
from subjectline.models.datamap import DataMap, Field, Value
from subjectline.models.errors import BadValue, RegistryError


def normalised(
    data_map: DataMap, new_values: Mapping[str, str], today: date | None
) -> dict[str, str]:
    """`new_values` in canonical form. Raises BadValue for a field or value that cannot be taken."""
    taken: dict[str, str] = {}
    for name, text in new_values.items():
        if (field := data_map.fields.get(name)) is None:
            raise BadValue(name, "unknown_field", "the data map has no such field")
        if not field.correctable:
            raise BadValue(name, "not_correctable", "this field is not corrected on request")
        taken[name] = field.normalise(text, today)
    return taken


def _alike(field: Field, held: Value, before: str | None) -> bool:
    """Whether a copy holds what the field holds now."""
    return held is not None and before is not None and field.from_column(held) == before


class Drafter:
    """Reads what rows hold now and says what would have to change. Writes nothing."""

    def __init__(self, schema: Schema, connection: AsyncConnection, member: str) -> None:
        self._schema, self._connection, self._member = schema, connection, member

    async def correction(self, field: Field, value: str) -> list[Change]:
        """The changes of the field's own column in this connection. `value` is canonical."""
        owned = self._schema.owned_value(field.table, field.column, self._member)
        rows = await self._rows(field.table, field.column, owned)
        if len(rows) != 1:
            what = "no row" if not rows else "several rows"
            raise RegistryError(
                f"the member has {what} in {field.table!r}",
                field=field.name,
                remedy="Correct it by hand in the company's own system.",
            )
        return self._changes(field, (field.table, field.column), rows, value)

    async def copies(
        self, field: Field, value: str, connection: str, before: str | None = None
    ) -> list[Change]:
        """The changes of the field's copies in the tables of `connection`. `before` is the value that
        the field has now: some copies are only told by it."""
        changes: list[Change] = []
        for copy in field.copies:
            if self._schema.connection(copy.table) == connection:
                owned = self._schema.owned_value(copy.table, copy.column, self._member)
                condition = and_(owned, self.where(copy.table, copy.where))
                rows = await self._rows(copy.table, copy.column, condition)
                if copy.same:
                    rows = [(k, old) for k, old in rows if _alike(field, old, before)]
                changes += self._changes(field, (copy.table, copy.column), rows, value)
        return changes

    async def setting(
        self, table: str, wanted: Mapping[str, Value], where: Mapping[str, Value]
    ) -> list[Change]:
        """The changes that make the member's rows of `table` hold `wanted`."""
        narrowed = self.where(table, where)
        changes: list[Change] = []
        for column, new in wanted.items():
            condition = and_(self._mine(table, column), narrowed)
            for key, old in await self._rows(table, column, condition):
                if old != new:
                    changes.append(self.update(table, key, column, old, new))
        return changes

    def _mine(self, table: str, column: str) -> ColumnElement[bool]:
        """Of a row shared with somebody else only the columns of the member's own are theirs to set."""
        spec = self._schema.map.tables[table]
        if self._schema.owner_of(table, column) in (*spec.owners, *spec.identities):
            return self._schema.owned_value(table, column, self._member)
        return self._schema.owned(table, self._member)

    def where(self, table: str, wanted: Mapping[str, Value]) -> ColumnElement[bool]:
        """The map's own condition on the rows of `table`; true without one."""
        here = self._schema[table]
        return and_(true(), *(here.c[c].is_not_distinct_from(value) for c, value in wanted.items()))

    def update(
        self, table: str, key: Mapping[str, Value], column: str, old: Value, new: Value
    ) -> Change:
        connection = self._schema.connection(table)
        return Change(connection, table, key, column, old, new, member=str(self._member))

    def _changes(
        self,
        field: Field,
        place: tuple[str, str],
        rows: list[tuple[dict[str, Value], Value]],
        value: str,
    ) -> list[Change]:
        table, column = place
        new = field.to_column(value)
        return [
            self.update(table, key, column, old, new)
            for key, old in rows
            if field.from_column(old) != value
        ]

    async def _rows(
        self, table: str, column: str, condition: ColumnElement[bool]
    ) -> list[tuple[dict[str, Value], Value]]:
        """Key and value of `column` of the rows, in the order of the key."""
        here: Any = self._schema[table]
        key = list(self._schema.map.tables[table].key)
        if not key:
            raise RegistryError(
                f"neither the data map nor the database names a key of {table!r}",
                field=table,
                remedy="Correct it by hand in the company's own system.",
            )
        statement = select(*(here.c[k] for k in key), here.c[column].label("held"))
        found = await self._connection.execute(
            statement.where(condition).order_by(*(here.c[k] for k in key))
        )
        return [(dict(zip(key, row[:-1], strict=True)), row[-1]) for row in found]
