"""Access: everything that is a member's, table by table, and nothing that is another person's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, false, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from subjectline.handlers.registry.schema import Schema
from subjectline.models.datamap import Bilingual, Retention, Value

_OWN = "subjectline_own"


@dataclass(frozen=True, slots=True)
class CollectedTable:
    """The member's rows of one table.

    `rows` hold values by column name, as the database has them. `withheld_rows` counts rows that
    hang together with the member's but belong to another person; `withheld_columns` are those that
    were blanked in shared rows, as they are another person's.
    """

    table: str
    connection: str
    label: Bilingual
    category: Bilingual
    purposes: tuple[Bilingual, ...]
    recipients: tuple[Bilingual, ...]
    retention: Retention
    columns: dict[str, Bilingual]
    rows: tuple[dict[str, Value], ...]
    withheld_rows: int = 0
    withheld_columns: tuple[str, ...] = ()

    def as_json(self, language: str) -> dict[str, Any]:
        """This table for JSON, its labels in `language`."""
        law = self.retention.law
        return {
            "table": self.table,
            "label": self.label.text(language),
            "category": self.category.text(language),
            "purposes": [purpose.text(language) for purpose in self.purposes],
            "recipients": [recipient.text(language) for recipient in self.recipients],
            "retention": self.retention.labels.text(language),
            "retention_law": law.text(language) if law else None,
            "retention_period": self.retention.period.text(language)
            if self.retention.period
            else None,
            "columns": {name: label.text(language) for name, label in self.columns.items()},
            "rows": [dict(row) for row in self.rows],
            "withheld_rows": self.withheld_rows,
            "withheld_columns": list(self.withheld_columns),
        }


@dataclass(frozen=True, slots=True)
class Collected:
    """What one access request finds. `tables` has every table of the map, also the empty ones."""

    registry: str
    member: str
    tables: tuple[CollectedTable, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Rows by table, for the agent, who sees no values."""
        return {table.table: len(table.rows) for table in self.tables}

    @property
    def withheld(self) -> int:
        """Rows that were found but belong to another person."""
        return sum(table.withheld_rows for table in self.tables)

    def as_json(self, language: str) -> dict[str, Any]:
        """The export for JSON, tables without rows left out."""
        tables = [table.as_json(language) for table in self.tables if table.rows]
        return {"registry": self.registry, "member": self.member, "tables": tables}


class Walk:
    """One walk through the references, one statement a table."""

    def __init__(self, schema: Schema, member: str) -> None:
        self._schema, self._member = schema, member

    async def table(self, connection: AsyncConnection, name: str) -> CollectedTable:
        """The member's rows of table `name`."""
        shown = [c for c, spec in self._schema.map.tables[name].columns.items() if not spec.hidden]
        result = await connection.execute(self.statement(name, shown))
        rows: list[dict[str, Value]] = []
        others, blanked = 0, dict[str, None]()
        for record in result.mappings():
            if not record[_OWN]:
                others += 1
                continue
            hidden = [c for c in shown if record.get(f"{_OWN}_{c}", True) is False]
            blanked.update(dict.fromkeys(hidden))
            rows.append({c: record[c] for c in shown if c not in hidden})
        return self._described(name, shown, rows, others, tuple(blanked))

    def statement(self, name: str, shown: Sequence[str]) -> Select[Any]:
        """The member's rows, and of those rows of others that hang together with them nothing but
        that they exist: the database itself blanks what is not the member's."""
        table, owned = self._schema[name], self._schema.owned(name, self._member)
        reached = self._reached(name)
        mine = true() if reached is None else owned
        values: list[ColumnElement[Any]] = []
        for column in shown:
            values += self._values(name, column, mine)
        own = case((owned, true()), else_=false()).label(_OWN)
        rows = owned if reached is None else or_(owned, reached)
        return select(own, *values).where(rows).order_by(*table.primary_key.columns)

    def _values(
        self, name: str, column: str, mine: ColumnElement[bool]
    ) -> list[ColumnElement[Any]]:
        value = self._schema[name].c[column]
        if (owner := self._schema.owner_of(name, column)) is None:
            return [value if mine is true() else case((mine, value)).label(column)]
        his = self._schema.is_member(self._schema[name].c[owner], self._member)
        theirs = his.is_(None) if column == owner else value.is_(None)
        # An empty column of another person is no withheld one.
        free = case((his, true()), (theirs, true()), else_=false())
        return [case((his, value)).label(column), free.label(f"{_OWN}_{column}")]

    def _reached(self, name: str) -> ColumnElement[bool] | None:
        """Rows of table `name` that a row of the member refers to, or that refer to one."""
        spec, here = self._schema.map.tables[name], self._schema[name]
        found: list[ColumnElement[bool]] = []
        for column in spec.references:
            if column != spec.through:
                parent, to = spec.target(column)
                found.append(here.c[column].in_(self._own(parent, to)))
        for other, other_spec in self._schema.map.tables.items():
            for column in other_spec.references:
                to_table, to = other_spec.target(column)
                if to_table == name and column != other_spec.through:
                    found.append(here.c[to].in_(self._own(other, column)))
        return or_(*found) if found else None

    def _own(self, name: str, column: str) -> Select[Any]:
        owned = self._schema.owned(name, self._member)
        return select(self._schema[name].c[column]).where(owned)

    def _described(
        self,
        name: str,
        shown: Sequence[str],
        rows: list[dict[str, Value]],
        others: int,
        blanked: tuple[str, ...],
    ) -> CollectedTable:
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
            columns={column: spec.columns[column].labels for column in shown},
            rows=tuple(rows),
            withheld_rows=others,
            withheld_columns=blanked,
        )
