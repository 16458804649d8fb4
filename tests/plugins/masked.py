"""A company's PostgreSQL with masking views, asked as each role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from subjectline.handlers import holds
from subjectline.handlers.registry import gate_sql_apply
from subjectline.handlers.registry.gate_sql_plan import Audience
from subjectline.models.datamap import DataMap
from subjectline.models.db import Database
from subjectline.models.tables import Conversation, Request

CONNECTION = "members"
BOUND_SECONDS = 120  # of the views in tests, where 2 would be too few for a busy machine
THEN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass
class Company:
    """A company's database. `as_role` opens a connection that is this role's and nobody else's."""

    server: str
    name: str
    data_map: DataMap
    engine: AsyncEngine
    audience: Audience
    _sessions: dict[str, asyncpg.Connection] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{self.server}/{self.name}"

    def url_of(self, role: str) -> str:
        return f"postgresql+asyncpg://{role}@{self.url.partition('@')[2]}"

    async def apply(self, audience: Audience | None = None) -> gate_sql_apply.Written:
        seen = await gate_sql_apply.seen(self.data_map, CONNECTION, self.engine)
        what = gate_sql_apply.written(seen, audience or self.audience, CONNECTION)
        await gate_sql_apply.run(what, self.engine)
        return what

    @asynccontextmanager
    async def as_role(self, role: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.url_of(role).replace("+asyncpg", ""))
        try:
            yield connection
        finally:
            await connection.close()

    async def ask(self, words: str, *values: Any, role: str = "marketing") -> list[tuple[Any, ...]]:
        """In the role's own session, in a transaction of its own."""
        session = await self._session(role)
        return [tuple(row) for row in await session.fetch(words, *values)]

    async def refused(self, words: str, role: str = "marketing") -> str:
        """The SQLSTATE with which a role's statement is refused; empty where it is done."""
        try:
            await self.ask(words, role=role)
        except asyncpg.PostgresError as refusal:
            return str(refusal.sqlstate)
        return ""

    async def admin(self, words: str, *values: Any) -> Any:
        session = await self._session("postgres")
        return await (session.fetch(words, *values) if values else session.execute(words))

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        await self.engine.dispose()

    async def _session(self, role: str) -> asyncpg.Connection:
        """One a role: a new one costs more than all that is asked in it."""
        if role not in self._sessions:
            where = self.url_of(role).replace("+asyncpg", "")
            self._sessions[role] = await asyncpg.connect(where)
        return self._sessions[role]

    async def hold(self, member: int, mask: int, audience: str = "marketing") -> None:
        """As a mirror would write it, just now."""
        await self.admin("INSERT INTO gate.active_hold VALUES ($1, $2, $3)", audience, member, mask)

    async def fresh(self, seconds_ago: float = 0.0) -> None:
        """As a mirror would stamp it."""
        await self.admin(
            "UPDATE gate.freshness SET revision = 1,"
            f" fresh_at = clock_timestamp() - interval '{seconds_ago} seconds'"
        )

    def bit(self, name: str) -> int:
        return 1 << list(self.data_map.fields).index(name)


@dataclass
class Holder:
    """A desk that does nothing but hold and release."""

    database: Database
    data_map: DataMap
    talk: int = 0

    _numbers = count(1)

    async def begin(self) -> None:
        async with self.database.write() as session:
            talk = Conversation(
                door="mail",
                contact_kind="email",
                contact_index=b"1",
                key_id="k",
                made_at=THEN,
                last_at=THEN,
            )
            session.add(talk)
            await session.flush()
            self.talk = talk.id or 0

    async def hold(self, member: str, *fields: str, kind: str = "correction") -> int:
        """A request of this kind holds what it holds; the request's number."""
        number = next(self._numbers)
        plan = holds.holds_for(kind, fields, (), self.data_map)
        async with self.database.write() as session:
            request = Request(
                reference=f"SL-{number}",
                group_id="g",
                conversation_id=self.talk,
                kind=kind,
                state="open",
                registry_id=self.data_map.registry,
                subject_id=member,
                key_id="k",
                arrived_at=THEN,
                due_at=THEN,
                due_on="2026-12-03",
            )
            session.add(request)
            await session.flush()
            made = request.id or 0
            await holds.place(session, made, self.data_map.registry, member, plan, "firm", THEN)
        return made

    async def release(self, request: int) -> None:
        async with self.database.write() as session:
            await holds.end(session, request, THEN, "done")
