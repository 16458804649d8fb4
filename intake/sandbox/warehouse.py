"""Marketing's own database in the sandbox: a PostgreSQL that the gate's views lock.

The company's member database is an SQLite file, where nobody can be kept out of a table. So what
marketing may read is copied into a database of its own, with the views of `subjectline gate sql
--audience marketing --apply`, and the desk's mirror keeps the holds there. Where PostgreSQL is not
installed, or does not start, the page says so; nothing else misses it.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Table, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subjectline.handlers.desk import Desk
from subjectline.handlers.gate_mirror import Mirror
from subjectline.handlers.registry import gate_sql_apply, open_engine
from subjectline.handlers.registry.engines import guarded
from subjectline.handlers.registry.gate_sql import MIRROR
from subjectline.handlers.registry.gate_sql_mirror import HoldTable, Round, State
from subjectline.handlers.registry.gate_sql_plan import Plan, audience_of
from subjectline.handlers.registry.schema import Schema
from subjectline.intake.sandbox.company import HOME
from subjectline.intake.sandbox.postgres import Server, programs
from subjectline.models.errors import RegistryError

AUDIENCE, CONNECTION = "marketing", "members"
SECONDS = 5.0
VIEW = "SELECT * FROM mart.member_marketing WHERE member_id = {member}"
TABLE = "SELECT email FROM member WHERE member_id = {member}"
_STATE = text("SELECT revision, fresh FROM mart.gate_marketing")

Phase = Literal["absent", "starting", "ready", "failed"]
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Seen:
    """What the role `marketing` sees of a member: the statement, its row (None: no such row), and what
    the database answered to the same question about the table below the view."""

    statement: str
    row: Mapping[str, str | None] | None
    fresh: bool
    revision: int
    below: str
    refusal: str


class Copy:
    """The tables that the views need, copied from the company's database whenever that was written."""

    def __init__(self, source: AsyncEngine, target: AsyncEngine, tables: tuple[Table, ...]) -> None:
        self._source, self._target, self._tables = source, target, tables  # parents first
        self._known: dict[str, dict[Key, Key]] = {table.name: {} for table in tables}
        self._reading: AsyncConnection | None = None
        self._version = -1

    async def bring(self) -> bool:
        """Brings the copy to where the company's database stands now; whether anything was written.

        Raises RegistryError.
        """
        async with guarded("the company's database", SECONDS):
            version, rows = await self._read()
        if version == self._version:
            return False
        async with guarded("marketing's database", SECONDS), self._target.begin() as writing:
            for table in self._tables:
                await self._put(writing, table, rows[table.name])
            for table in reversed(self._tables):
                await self._drop(writing, table, rows[table.name])
        self._known, self._version = rows, version
        return True

    async def close(self) -> None:
        if self._reading is not None:
            await self._reading.close()
        await self._source.dispose()

    async def _read(self) -> tuple[int, dict[str, dict[Key, Key]]]:
        """SQLite's number of the file's state, and all rows by their keys (none where it is as it was)."""
        if self._reading is None:
            self._reading = await self._source.connect()
        told = await self._reading.exec_driver_sql("PRAGMA data_version")
        version, rows = int(told.scalar_one()), dict[str, dict[Key, Key]]()
        if version == self._version:
            return version, rows
        for table in self._tables:
            found = (await self._reading.execute(select(table))).all()
            at = [list(table.c).index(column) for column in table.primary_key]
            rows[table.name] = {tuple(row[n] for n in at): tuple(row) for row in found}
        await self._reading.rollback()
        return version, rows

    async def _put(self, writing: AsyncConnection, table: Table, rows: Mapping[Key, Key]) -> None:
        known = self._known[table.name]
        names = [column.name for column in table.c]
        new = [dict(zip(names, r, strict=True)) for key, r in rows.items() if known.get(key) != r]
        if new:
            put = insert(table)
            keys = list(table.primary_key)
            rest = {c.name: put.excluded[c.name] for c in table.c if not c.primary_key}
            await writing.execute(put.on_conflict_do_update(index_elements=keys, set_=rest), new)

    async def _drop(self, writing: AsyncConnection, table: Table, rows: Mapping[Key, Key]) -> None:
        for gone in self._known[table.name].keys() - rows.keys():
            where = [c == v for c, v in zip(table.primary_key, gone, strict=True)]
            await writing.execute(delete(table).where(*where))


class Loaded(HoldTable):
    """Holds beside a copy: a round loads the rows after the desk was asked and before it stamps, so what
    a release opens is the corrected row and never the one from before."""

    def __init__(
        self, desk: Desk, engine: AsyncEngine, copy: Copy, moved: Callable[[], None]
    ) -> None:
        super().__init__(desk.data_map, CONNECTION, engine)
        self._copy, self._moved, self._at = copy, moved, -1

    async def round(self, look: Callable[[], Awaitable[State | None]]) -> Round | None:
        wrote = False

        async def loaded() -> State | None:
            nonlocal wrote
            state = await look()
            wrote = await self._copy.bring()
            return state

        done = await super().round(loaded)
        if done is not None and (wrote or done.revision != self._at):
            self._at = done.revision
            self._moved()
        return done


class Warehouse:
    """Marketing's database and how it is: `phase`, with `why` where it failed. `moved` hears of changes."""

    def __init__(self, desk: Desk, company: Path, moved: Callable[[], None]) -> None:
        self._desk, self._company, self._moved = desk, company, moved
        self._reader: AsyncEngine | None = None
        self.phase: Phase = "absent"
        self.why, self.count = "", 0

    async def run(self) -> None:
        """Starts the server, makes the views, goes round until cancelled; takes everything away then."""
        binaries = programs()
        if binaries is None:
            return
        self._become("starting")
        async with AsyncExitStack() as stack:
            try:
                mirror = await self._made(binaries, stack)
            except RegistryError as wrong:
                self._become("failed", wrong.rule)
                return
            self._desk.mirrors.join(mirror)
            await mirror.once()
            self._become("ready")
            await mirror.run()

    async def look(self, member: str) -> Seen | None:
        """What the role sees now; None where there is no database. Raises RegistryError."""
        if self._reader is None or self.phase != "ready":
            return None
        said, below = (words.format(member=int(member)) for words in (VIEW, TABLE))
        async with guarded("marketing's database", SECONDS), self._reader.connect() as asking:
            revision, fresh = (await asking.execute(_STATE)).one()
            found = (await asking.exec_driver_sql(said)).mappings().first()
            await asking.rollback()
            refusal = await _refusal(asking, below)
        row = {name: value and str(value) for name, value in found.items()} if found else None
        return Seen(said, row, fresh, revision, below, refusal)

    async def _made(self, binaries: Path, stack: AsyncExitStack) -> Mirror:
        server = Server()
        stack.push_async_callback(server.stop)
        await server.start(binaries)
        owner = open_engine(server.url("postgres"), SECONDS)
        stack.push_async_callback(owner.dispose)
        plan = await self._furnished(owner)
        copy = Copy(open_engine(f"sqlite:///{self._company}"), owner, self._tables(plan))
        stack.push_async_callback(copy.close)
        mirroring = open_engine(server.url(MIRROR), SECONDS)
        stack.push_async_callback(mirroring.dispose)
        self._reader = open_engine(server.url(AUDIENCE), SECONDS)
        stack.push_async_callback(self._reader.dispose)
        stack.callback(self._become, "absent")
        return Mirror(
            Loaded(self._desk, mirroring, copy, self._told), self._desk.gate, self._desk.clock
        )

    async def _furnished(self, owner: AsyncEngine) -> Plan:
        """The company's tables, empty, and what `subjectline gate sql --apply` makes over them."""
        async with guarded("marketing's database", SECONDS), owner.begin() as making:
            for statement in (HOME / "schema.sql").read_text(encoding="utf-8").split(";"):
                if statement.strip():
                    await making.exec_driver_sql(statement)
            await making.exec_driver_sql(f"CREATE ROLE {AUDIENCE} LOGIN")
        found = await gate_sql_apply.seen(self._desk.data_map, CONNECTION, owner)
        reader = audience_of(self._desk.data_map, AUDIENCE)
        what = gate_sql_apply.written(found, reader, CONNECTION)
        await gate_sql_apply.run(what, owner)
        return what.plan

    def _tables(self, plan: Plan) -> tuple[Table, ...]:
        schema = Schema(self._desk.data_map)
        names = {masked.table for masked in plan.views} | {self._desk.data_map.home.table}
        return tuple(schema[name] for name in reversed(schema.children_first(names)))

    def _become(self, phase: Phase, why: str = "") -> None:
        self.phase, self.why = phase, why
        self._told()

    def _told(self) -> None:
        self.count += 1
        self._moved()


async def _refusal(asking: AsyncConnection, statement: str) -> str:
    """The database's own words about a statement; empty where it was done."""
    try:
        await asking.exec_driver_sql(statement)
    except DBAPIError as refused:
        await asking.rollback()
        return str(refused.orig).rpartition(": ")[2]
    return ""
