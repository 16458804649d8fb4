"""Two databases, no lie: a change set is in every connection, or it is told where it is not."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal

from sqlalchemy import and_, delete, false, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subjectline.handlers.registry.bound import Binder
from subjectline.handlers.registry.changes import (
    Applied,
    Change,
    ChangeResult,
    ConnectionResult,
    Found,
)
from subjectline.handlers.registry.engines import guarded
from subjectline.handlers.registry.looking import Looking, unknown
from subjectline.handlers.registry.moving import LeavingRow, Mover
from subjectline.handlers.registry.schema import Schema
from subjectline.models.errors import RegistryAway, RegistryConflict, RegistryError

BATCH = 300  # keys in one delete
Keys = list[tuple[Any, ...]]
ROUNDS = 3  # of a move, while rows come or change in between
_State = Literal["applied", "already"]


class Writer:
    """Applies change sets. One transaction a connection; repeating a change set is harmless."""

    def __init__(
        self,
        schema: Schema,
        engines: Mapping[str, AsyncEngine],
        seconds: float,
        binder: Binder,
        mover: Mover | None = None,
    ) -> None:
        self._schema, self._engines, self._seconds = schema, engines, seconds
        self._binder, self._mover = binder, mover
        self._look = Looking(schema, self._reading)

    async def apply(self, changes: Sequence[Change]) -> Applied:
        """Writes `changes`, connection after connection, and reads each back.

        Raises RegistryConflict, RegistryAway or RegistryError if a connection has not everything;
        the error's `results` say what each one has.
        """
        groups, failed = await self._ready(changes)
        results: list[ConnectionResult] = []
        for name, group in groups.items():
            if failed is None:
                result, failed = await self._attempt(name, group)
            elif failed.field == name and not any(r.connection == name for r in results):
                result = _failure(name, failed)
            else:
                result = ConnectionResult(name, "untouched")
            results.append(result)
        if failed is not None:
            results = [
                await self._surveyed(result, groups[result.connection]) for result in results
            ]
            failed.results = tuple(result.as_json() for result in results)
            raise failed
        return Applied(tuple(results))

    async def _ready(
        self, changes: Sequence[Change]
    ) -> tuple[dict[str, list[Change]], RegistryError | None]:
        """The changes by connection, and what stands in their way before the first is written."""
        groups = self._groups(changes)
        try:
            resolved = await self._binder.resolved(changes)
        except RegistryError as error:
            return groups, error
        groups = self._groups(resolved)
        return groups, await self._precheck(groups) if len(groups) > 1 else None

    async def _surveyed(self, result: ConnectionResult, group: list[Change]) -> ConnectionResult:
        """The same with what each table has now, for the agent who has to repair it."""
        away = result.state == "away"
        places = unknown(group) if away else await self._look.places(result.connection, group)
        return replace(result, places=places)

    def _groups(self, changes: Sequence[Change]) -> dict[str, list[Change]]:
        """By connection, those first whose rows another one tells; within one, deletes first and
        children before parents."""
        order = self._schema.children_first(self._schema.map.tables)
        for change in changes:
            self._known(change)
        ranked = sorted(changes, key=lambda c: (c.op == "update", order.index(c.table)))
        names = [name for name in self._schema.told_first() if name in self._engines]
        grouped = {name: [c for c in ranked if c.connection == name] for name in names}
        return {name: group for name, group in grouped.items() if group}

    @asynccontextmanager
    async def _reading(self, name: str) -> AsyncIterator[AsyncConnection]:
        async with guarded(name, self._seconds), self._engines[name].connect() as connection:
            yield connection

    def _known(self, change: Change) -> None:
        spec = self._schema.map.tables.get(change.table)
        columns = [*change.key, *([change.column] if change.op == "update" else [])]
        if (
            spec is None
            or spec.connection != change.connection
            or change.connection not in self._engines
            or not set(columns) <= set(spec.columns)
            or (change.op == "update" and set(change.key) != set(spec.key))
            or (change.op == "delete" and spec.shared and not change.key)
            or (change.op == "move" and self._mover is None)
        ):
            raise RegistryConflict(
                "the data map has no such table, column or key now",
                field=change.connection,
                remedy="The map was changed after the proposal: propose anew.",
            )

    async def _precheck(self, groups: Mapping[str, list[Change]]) -> RegistryError | None:
        """Tries the updates in every connection before the first write, and rolls them back: a conflict
        in the last one, or a database that takes no writes, is found while nothing is written."""
        for name, group in groups.items():
            try:
                async with self._reading(name) as connection:
                    for change in group:
                        if change.op == "update":
                            await self._write(connection, change, {}, None)
            except RegistryError as error:
                return error
        return None

    async def _attempt(
        self, name: str, group: list[Change]
    ) -> tuple[ConnectionResult, RegistryError | None]:
        try:
            for _ in range(ROUNDS):
                states = await self._round(name, group)
                if not await self._left_over(group):
                    break
            async with self._reading(name) as connection:
                pairs = zip(group, states, strict=True)
                read = [await self._read_back(connection, c, state) for c, state in pairs]
            await self._settle(group)
        except RegistryError as error:
            return _failure(name, error), error
        state: _State = "applied" if "applied" in states else "already"
        return ConnectionResult(name, state, tuple(read)), None

    async def _round(self, name: str, group: list[Change]) -> list[_State]:
        """Into the archive first, then one live transaction."""
        moved = {c.table: await self._apart.archive(c) for c in group if c.op == "move"}
        async with guarded(name, self._seconds), self._engines[name].begin() as connection:
            keys = {n: await self._keys(connection, c) for n, c in enumerate(group)}
            return [await self._write(connection, c, moved, keys[n]) for n, c in enumerate(group)]

    async def _left_over(self, group: list[Change]) -> bool:
        """Whether rows that move came or changed while the others went."""
        moves = [change for change in group if change.op == "move"]
        return any([await self._apart.left_over(change) for change in moves])

    async def _settle(self, group: list[Change]) -> None:
        for change in group:
            if change.op == "move":
                await self._apart.settle(change)

    @property
    def _apart(self) -> Mover:
        assert self._mover is not None  # `_known` lets no move pass without it
        return self._mover

    async def _write(
        self,
        connection: AsyncConnection,
        change: Change,
        moved: Mapping[str, Sequence[LeavingRow]],
        keys: Keys | None,
    ) -> _State:
        if change.op == "move":
            return await self._apart.write(connection, change, moved[change.table])
        if change.op == "delete":
            return await self._delete(connection, change, keys)
        table = self._schema[change.table]
        column = table.c[change.column]
        statement = (
            update(table)
            .where(self._look.row(change), column.is_not_distinct_from(change.old))
            .values({column: change.new})
        )
        count = (await connection.execute(statement)).rowcount
        if count == 1:
            return "applied"
        found = "other" if count > 1 else await self._look.found(connection, change)
        self._refuse(change, found)
        return "already"

    async def _keys(self, connection: AsyncConnection, change: Change) -> Keys | None:
        """Of a delete whose rows are told by rows that refer to them, the keys, before any row goes:
        whoever refers is deleted first, and then nothing tells any more."""
        if change.op != "delete" or not self._schema.told_by_use(change.table):
            return None
        table = self._schema[change.table]
        columns = [table.c[name] for name in self._schema.map.tables[change.table].key]
        found = await connection.execute(select(*columns).where(self._look.owned(change)))
        return [tuple(row) for row in found]

    async def _delete(
        self, connection: AsyncConnection, change: Change, keys: Keys | None
    ) -> Literal["applied", "already"]:
        """All rows of the member go, also those that came after the proposal; with a key, one row."""
        table, gone = self._schema[change.table], 0
        if keys is None:
            done = await connection.execute(delete(table).where(self._look.owned(change)))
            return "applied" if done.rowcount else "already"
        columns = [table.c[name] for name in self._schema.map.tables[change.table].key]
        for start in range(0, len(keys), BATCH):
            rows = (
                and_(*(column == value for column, value in zip(columns, key, strict=True)))
                for key in keys[start : start + BATCH]
            )
            gone += (await connection.execute(delete(table).where(or_(false(), *rows)))).rowcount
        return "applied" if gone else "already"

    def _refuse(self, change: Change, found: Found) -> None:
        if found in ("old", "new"):
            return
        what = "is gone" if found == "missing" else "holds another value than was seen"
        raise RegistryConflict(
            f"the row of {change.table!r} {what} in {change.column!r}",
            field=change.connection,
            remedy="Nothing was written there. Look at the row and propose anew.",
        )

    async def _read_back(
        self, connection: AsyncConnection, change: Change, state: Literal["applied", "already"]
    ) -> ChangeResult:
        table = self._schema[change.table]
        if change.op == "move":
            if await self._apart.left_over(change):
                raise _differs(change)
            return ChangeResult(change, state, 0)
        if change.op == "delete":
            if await self._look.left(connection, change):
                raise _differs(change)
            return ChangeResult(change, state, 0)
        if await self._look.found(connection, change) != "new":
            raise _differs(change)
        after = await connection.scalar(
            select(table.c[change.column]).where(self._look.row(change))
        )
        return ChangeResult(change, state, after)


def _differs(change: Change) -> RegistryConflict:
    return RegistryConflict(
        f"{change.table!r} was written, but does not read so afterwards",
        field=change.connection,
        remedy="A trigger or another system writes there too. Look at the row.",
    )


def _failure(name: str, error: RegistryError) -> ConnectionResult:
    if isinstance(error, RegistryConflict):
        return ConnectionResult(name, "conflict", told=str(error))
    state: Any = "away" if isinstance(error, RegistryAway) else "refused"
    return ConnectionResult(name, state, told=str(error))
