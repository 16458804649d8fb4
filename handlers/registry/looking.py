"""What the rows of a change set hold now, compared by the database and told without their values."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from sqlalchemy import ColumnElement, and_, case, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from subjectline.handlers.registry.changes import Change, Found, Place
from subjectline.handlers.registry.schema import Schema
from subjectline.models.errors import RegistryError

Reading = Callable[[str], AbstractAsyncContextManager[AsyncConnection]]


class Looking:
    """Reads for one schema; `reading` opens a connection within its time."""

    def __init__(self, schema: Schema, reading: Reading) -> None:
        self._schema, self._reading = schema, reading

    async def found(self, connection: AsyncConnection, change: Change) -> Found:
        """What the row of an update holds. The database compares, so that no two notions of equality
        meet."""
        column = self._schema[change.table].c[change.column]
        which = case(
            (column.is_not_distinct_from(change.new), "new"),
            (column.is_not_distinct_from(change.old), "old"),
            else_="other",
        )
        found = (await connection.execute(select(which).where(self.row(change)))).scalars().all()
        if len(found) != 1:
            return "missing" if not found else "other"
        return "new" if found[0] == "new" else "old" if found[0] == "old" else "other"

    async def left(self, connection: AsyncConnection, change: Change) -> int:
        """How many of the member's rows are there that a delete or a move means."""
        table = self._schema[change.table]
        count = select(func.count()).select_from(table).where(self.owned(change))
        return int(await connection.scalar(count) or 0)

    async def places(self, name: str, group: Sequence[Change]) -> tuple[Place, ...]:
        """What each table and column of a connection's changes has now: `unknown` where it does not
        answer."""
        seen: Counter[tuple[str, str, str, Found]] = Counter()
        try:
            async with self._reading(name) as connection:
                for change in group:
                    here = (change.table, change.column, change.op)
                    if change.op == "update":
                        seen[(*here, await self.found(connection, change))] += 1
                    elif rows := await self.left(connection, change):
                        seen[(*here, "old")] += rows
                    else:
                        seen[(*here, "missing")] += 1
        except RegistryError:
            return unknown(group)
        return tuple(Place(*where, rows=rows) for where, rows in seen.items())

    def owned(self, change: Change) -> ColumnElement[bool]:
        """The member's rows of the table that a delete or a move means."""
        return and_(self._schema.owned(change.table, change.member), self.row(change))

    def row(self, change: Change) -> ColumnElement[bool]:
        """The row that the change names by its key; without one, every row."""
        table = self._schema[change.table]
        return and_(true(), *(table.c[column] == value for column, value in change.key.items()))


def unknown(group: Sequence[Change]) -> tuple[Place, ...]:
    """The places of a connection that does not answer."""
    seen = Counter((c.table, c.column, c.op) for c in group)
    return tuple(Place(*where, "unknown", rows) for where, rows in seen.items())
