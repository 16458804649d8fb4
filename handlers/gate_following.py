"""A gate that answers from memory and follows the desk's database: what `gate serve` asks.

It looks at the database by itself, four times within the bound and whenever it is woken; each look
is stamped before it begins. Between two looks it answers without asking anybody, and once the last
good look is older than the bound it denies (`stale`). So it outlives the desk.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import gate_callers
from subjectline.handlers.gate import Gate
from subjectline.handlers.gate_callers import Key, digest
from subjectline.handlers.gate_feed import Feed
from subjectline.handlers.gate_policy import callers_of
from subjectline.handlers.gate_wakes import heard
from subjectline.handlers.holds import MOVED
from subjectline.models.clock import Clock
from subjectline.models.datamap import DataMap
from subjectline.models.db import Database
from subjectline.models.errors import SubjectlineError
from subjectline.models.tables import GateCaller
from subjectline_client.core import steady

log = logging.getLogger(__name__)

TOKEN_SECONDS = 0.25  # that a question with a newer token waits for one look
GLANCE_SECONDS = 0.02  # between two glances at SQLite's files, which wake nobody


class FollowingGate(Gate):
    """As `Gate`; answers over HTTP come from memory. `follow` has to run."""

    def __init__(
        self, sessions: Database, data_map: DataMap, clock: Clock, bound: float | None = None
    ) -> None:
        super().__init__(sessions, data_map, clock)
        self.state.bound = bound or self.state.bound
        self._keys: dict[bytes, Key] | None = None
        self._keys_at = 0.0

    async def ready(self, token: int | None = None) -> None:
        """Looks at the source only for a token that is not reached yet, and not for long."""
        if token is not None and token > self.state.revision:
            looking = asyncio.ensure_future(self.refresh())
            await asyncio.wait({looking}, timeout=TOKEN_SECONDS)

    async def authenticate(self, key: str) -> str | None:
        """As `Gate.authenticate`, by the keys of the last look at them (a quarter of the bound)."""
        if self._keys is None:
            raise SubjectlineError("the callers of the gate were not read yet")
        found, now = self._keys.get(digest(key)), self._clock()
        if found is None or not found.good(now):
            return None
        self._shown[found.id] = now
        return found.caller

    async def follow(self) -> None:
        """Looks until cancelled."""
        async with self._wakes():
            while True:
                began = steady()
                await self.refresh()
                left = self._pause - (steady() - began)
                await self._database.signals.wait(MOVED, max(left, 0.001), "following")

    def feed(self) -> Feed:
        """The feed for replicas, over this gate."""
        return Feed(self, self._database, self._registry, self._clock)

    async def close(self) -> None:
        """Lets go of the database."""
        await self._database.dispose()

    @property
    def _pause(self) -> float:
        return self.state.bound / 4

    @asynccontextmanager
    async def _wakes(self) -> AsyncIterator[None]:
        """Commits of other processes set `MOVED`: PostgreSQL says so, SQLite's files are glanced at."""
        if not self._database.embedded:
            async with heard(self._database):
                yield
            return
        glancing = asyncio.create_task(self._glance())
        try:
            yield
        finally:
            glancing.cancel()
            with suppress(asyncio.CancelledError):
                await glancing

    async def _glance(self) -> None:
        seen = None
        while True:
            now = self._looks()
            if now != seen:
                seen = now
                self._database.signals.set(MOVED)
            await asyncio.sleep(GLANCE_SECONDS)

    def _looks(self) -> object:
        """Changes with every commit, as far as the file system tells."""
        with suppress(OSError):
            log_file = os.stat(f"{self._database.url.database}-wal")
            return log_file.st_mtime_ns, log_file.st_size, log_file.st_ino
        return None

    async def _read(self, session: AsyncSession, asked_at: float) -> None:
        self._doubt = True  # a look is rare enough to be thorough
        if not self._database.embedded:
            await _on_primary(session)
        if self._keys is None or asked_at - self._keys_at >= self._pause:
            self._keys = await gate_callers.known_keys(session)
            await self._set_callers(session)
            self._keys_at = asked_at
        await super()._read(session, asked_at)

    async def _set_callers(self, session: AsyncSession) -> None:
        found = callers_of(self._data_map, await session.exec(select(GateCaller)))
        if found != self.state.policy.callers:
            self.state.set_callers(found)

    def _moment(self) -> float:
        return steady()  # a look that failed leaves the state as old as it is


async def _on_primary(session: AsyncSession) -> None:
    """Raises OSError on a standby: how new it is it cannot prove."""
    asked = await (await session.connection()).execute(text("SELECT pg_is_in_recovery()"))
    if asked.scalar_one():
        raise OSError("this PostgreSQL is a standby")
