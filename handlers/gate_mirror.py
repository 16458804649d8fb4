"""Keeps the holds in the companies' own databases current, for their masking views.

A mirror goes round four times within the bound and at once when a hold or a release commits. While it
is away its views show nothing: two seconds after its last stamp each held or free field is NULL.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from subjectline.handlers.gate import Gate
from subjectline.handlers.holds import MOVED
from subjectline.handlers.registry.gate_sql_mirror import HoldTable, Round, State
from subjectline.models.clock import Clock
from subjectline.models.errors import RegistryError
from subjectline_client.core import BOUND, steady
from subjectline_client.policy import OWN_USE

log = logging.getLogger(__name__)

PAUSE = BOUND / 4  # between two rounds
AGAIN = 0.05  # at least, however often it is woken
NEVER = 1 << 62  # a revision that nobody reaches
NOT_YET = "it has not gone round yet"
DESK_AWAY = "the desk's own database does not answer"


@dataclass
class MirrorStatus:
    """How a mirror is, for /healthz and the console."""

    connected: bool = False
    last_error: str = NOT_YET
    last_ok: datetime | None = None


class Mirror:
    """One connection's mirror. `revision` is what every view there shows at least; -1: unknown."""

    def __init__(self, table: HoldTable, gate: Gate, clock: Clock) -> None:
        self._table, self._gate, self._clock = table, gate, clock
        self.name = table.connection
        self.status = MirrorStatus()
        self.revision = -1
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Goes round until cancelled."""
        while True:
            began = steady()
            await self.once()
            left = PAUSE - (steady() - began)
            await self._gate.signals.wait(MOVED, max(left, AGAIN), f"mirror {self.name}")

    async def once(self) -> bool:
        """One round; False where the views have not become newer by it."""
        try:
            done = await self._table.round(self._look)
        except RegistryError as wrong:
            return self._failed(wrong.rule)
        if done is None:
            return self._failed(DESK_AWAY)
        if done.strange:
            return self._failed(
                f"views of another data map: {', '.join(done.strange)}; run gate sql --apply"
            )
        self._reached(done)
        return True

    async def reached(self, revision: int) -> None:
        """Returns once the views are that new."""
        while self.revision < revision:
            await self._moved.wait()

    async def close(self) -> None:
        """Lets go of the database."""
        await self._table.close()

    async def _look(self) -> State | None:
        """The holds as of a look that began after the stamp."""
        if not await self._gate.refresh():
            return None
        state = self._gate.state
        return State(state.revision, lambda use, who: state.held(use, who or OWN_USE), state.loads)

    def _reached(self, done: Round) -> None:
        if not self.status.connected:
            log.info("the mirror of %s goes round", self.name)
        self.status.connected, self.status.last_error = True, ""
        self.status.last_ok = self._clock()
        if done.revision != self.revision:
            self.revision = done.revision
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()

    def _failed(self, why: str) -> bool:
        if self.status.last_error != why:
            log.warning("the mirror of %s: %s", self.name, why)
        self.status.connected, self.status.last_error = False, why
        self.revision = -1
        return False


class Mirrors:
    """All mirrors of this process; there may be none."""

    def __init__(self, mirrors: Sequence[Mirror] = ()) -> None:
        self.all = tuple(mirrors)

    def join(self, mirror: Mirror) -> None:
        """One more, of a database that came up later; whoever calls runs it."""
        self.all = (*self.all, mirror)

    @property
    def away(self) -> tuple[str, ...]:
        """The connections whose views show nothing now, or soon."""
        return tuple(mirror.name for mirror in self.all if not mirror.status.connected)

    async def everywhere(self, revision: int) -> None:
        """Until every mirror shows that revision, or the bound is over: then no view permits from an
        older state. The revision must have been committed before this is called."""
        if not self.all:
            return
        waiting = [asyncio.create_task(mirror.reached(revision)) for mirror in self.all]
        try:
            await asyncio.wait(waiting, timeout=BOUND)
        finally:
            for task in waiting:
                task.cancel()

    async def caught_up(self, gate: Gate) -> None:
        """`everywhere` with whatever is committed by now."""
        if self.all:
            known = await gate.refresh()
            await self.everywhere(gate.state.revision if known else NEVER)

    async def close(self) -> None:
        """Lets go of all databases."""
        for mirror in self.all:
            await mirror.close()
