"""A copy of the holds that concern one caller, kept by snapshot and feed.

Only a round trip that this side began proves freshness, stamped before it was sent. The stream says
when to look; nothing is taken from it.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Protocol

from subjectline_client import wire
from subjectline_client.asking import Asker
from subjectline_client.core import HoldState, steady
from subjectline_client.errors import TooOld, Unreachable

log = logging.getLogger("subjectline_client")

PARTS = 100  # of a long way that one pull goes
AGAIN_SECONDS = 1.0  # before a stream that was lost is opened anew


class Source(Protocol):
    """Where a replica reads from."""

    async def snapshot(self) -> wire.Snapshot: ...

    async def changes(
        self, since: int, mark: str, version: str, seconds: float
    ) -> wire.Changes: ...

    def wakes(self) -> AsyncIterator[int]: ...


class Replica:
    """Keeps an asker's state. `bound` is in seconds; a gate that has a shorter one is obeyed."""

    def __init__(self, source: Source, asker: Asker) -> None:
        self._source, self._asker = source, asker
        self._mark, self._version = "", ""
        self._loaded = False
        self._fresh: bool | None = None  # not tried yet
        self._turn, self._wake = asyncio.Lock(), asyncio.Event()
        self.synced = asyncio.Event()  # once for all: the first time that the state is fresh
        self.counts: Counter[str] = Counter()
        self.trouble = ""

    async def run(self) -> None:
        """Pulls every quarter of the bound, and when woken, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pulling())
            group.create_task(self._listening())

    async def pull(self) -> bool:
        """Brings the state to the gate's head, as of now. Returns whether that could be done.

        Whoever waits for a pull that began after they came needs none of their own.
        """
        came = steady()
        async with self._turn:
            if self._asker.state.synced_at >= came:
                return True
            try:
                await self._catch_up()
            except (TooOld, Unreachable) as error:
                self._told(str(error) or type(error).__name__)
                return False
        self._told("")
        return True

    async def pull_within(self, seconds: float) -> None:
        """One pull, for a question that was shown a newer revision; given up after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.pull()

    async def _pulling(self) -> None:
        while True:
            asked_at = steady()
            self._wake.clear()
            await self.pull()
            left = asked_at + self._asker.bound / 4 - steady()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(left, 0.0)):
                    await self._wake.wait()

    async def _listening(self) -> None:
        while True:
            try:
                async for revision in self._source.wakes():
                    self.counts["wakes"] += 1
                    if revision != self._asker.state.revision:
                        self._wake.set()
            except (TooOld, Unreachable):
                self.counts["streams_lost"] += 1
            await asyncio.sleep(AGAIN_SECONDS)

    async def _catch_up(self) -> None:
        """Pulls until the state is at the head; at most one snapshot, where the feed cannot go on."""
        loads = 0
        for _ in range(PARTS):
            if not self._loaded:
                loads += 1
                if loads > 2:
                    break
                await self._load()
            if await self._pull_once():
                return
        raise Unreachable("the feed does not go on from its own snapshot")

    async def _pull_once(self) -> bool:
        """One round trip. Returns whether the state is now what the gate's was when it answered."""
        asked_at, state = steady(), self._asker.state
        self.counts["pulls"] += 1
        try:
            told = await self._source.changes(
                state.revision, self._mark, self._version, self._asker.bound / 2
            )
        except TooOld:
            self._loaded = False
            return False
        applied = state.apply(change.event() for change in told.changes)
        if not applied or state.revision != told.revision:  # something is missing, or too much
            self.counts["gaps"] += 1
            self._loaded = state.broken()
            return False
        self._mark = told.mark
        return state.touch(told.head, asked_at)

    async def _load(self) -> None:
        """A snapshot, with a state of its own: a question sees the old one or the new one."""
        asked_at = steady()
        self.counts["snapshots"] += 1
        told = await self._source.snapshot()
        bound = min(self._asker.bound, told.bound_ms / 1000)
        state = HoldState(told.policy.policy(), bound=bound)
        state.load(told.loaded(), told.revision, asked_at)
        self._mark, self._version, self._loaded = told.mark, told.policy.version, True
        self._asker.know(state, told.policy)

    def _told(self, trouble: str) -> None:
        """Says once that the gate went away or came back."""
        fresh = not trouble
        self.counts["pull_failures"] += not fresh
        if fresh != self._fresh:
            log.log(logging.INFO if fresh else logging.WARNING, "the gate %s", trouble or "answers")
        self._fresh, self.trouble = fresh, trouble
        if fresh:
            self.synced.set()
