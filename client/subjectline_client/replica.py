"""A copy of the holds that concern one caller, kept in step over asyncio."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Protocol

from subjectline_client import wire
from subjectline_client.asking import Asker
from subjectline_client.core import steady
from subjectline_client.errors import TooOld, Unreachable
from subjectline_client.following import Following
from subjectline_client.questions import Question, Since, walk


class Source(Protocol):
    """Where a replica reads from."""

    async def snapshot(self) -> wire.Snapshot: ...

    async def changes(
        self, since: int, mark: str, version: str, seconds: float
    ) -> wire.Changes: ...

    def wakes(self) -> AsyncIterator[int]: ...


class Replica:
    """Follows the gate at `source`: waits, carries and is woken; `following` says for what."""

    def __init__(self, source: Source, asker: Asker) -> None:
        self._source, self._asker = source, asker
        self.following = Following(asker)
        self._begin()

    def _begin(self) -> None:
        self._turn, self._wake = asyncio.Lock(), asyncio.Event()
        self.synced = asyncio.Event()  # the first time that the state is fresh

    async def run(self) -> None:
        """Pulls when it is due, and when woken, until cancelled."""
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
            done = await walk(self.following.pull(), self.put)
        if done:
            self.synced.set()
        return done

    async def pull_within(self, seconds: float) -> None:
        """One pull, given up after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.pull()

    def forget(self) -> None:
        """Knows nothing again, and may be run in another loop."""
        self.following.forget()
        self._begin()

    async def _pulling(self) -> None:
        while True:
            began = steady()
            self._wake.clear()
            await self.pull()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.following.rest(began)):
                    await self._wake.wait()

    async def _listening(self) -> None:
        while True:
            with suppress(TooOld, Unreachable):
                async for revision in self._source.wakes():
                    if self.following.woken(revision):
                        self._wake.set()
            await asyncio.sleep(self.following.lost())

    async def put(self, question: Question) -> object:
        """What the gate tells. Raises TooOld, Unreachable."""
        if isinstance(question, Since):
            return await self._source.changes(
                question.since, question.mark, question.version, question.seconds
            )
        return await self._source.snapshot()
