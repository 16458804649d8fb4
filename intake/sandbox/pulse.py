"""One heartbeat for the whole sandbox: it beats when a mail came, the chat changed or the desk committed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import event

from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.intake.sandbox.telegram_emulator import Emulator
from subjectline.intake.sandbox.text_gateway import TextGateway
from subjectline.models.db import Database

Found = TypeVar("Found")


class Pulse:
    """A counter that can be waited for. It belongs to one event loop."""

    def __init__(
        self, mail: MailWorld, telegram: Emulator, texts: TextGateway, database: Database
    ) -> None:
        self._mail, self._telegram, self._texts = mail, telegram, texts
        self._beat = asyncio.Event()
        self.count, self.closed = 0, False
        # A connection comes back to its pool after its commit, so whoever looks then sees it.
        event.listen(database.engine.sync_engine, "checkin", lambda *_: self.beat())

    def beat(self) -> None:
        """Something is different now."""
        self.count += 1
        beat, self._beat = self._beat, asyncio.Event()
        beat.set()

    def close(self) -> None:
        """Whoever waits goes home: pages that listen must end before the web server does."""
        self.closed = True
        self.beat()

    async def run(self) -> None:
        """Passes on what happens in the mail and in the chat, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_mail())
            group.create_task(self._follow_telegram())
            group.create_task(self._follow_texts())

    async def after(self, count: int, timeout: float | None = None) -> int:
        """Waits until it has beaten since `count`, at most `timeout` seconds; returns the count then."""
        try:
            async with asyncio.timeout(timeout):
                while self.count <= count and not self.closed:
                    await self._beat.wait()
        except TimeoutError:
            pass
        return self.count

    async def until(self, look: Callable[[], Awaitable[Found]], timeout: float = 15.0) -> Found:
        """Looks now and after every beat until something is found. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while True:
                count = self.count
                if found := await look():
                    return found
                await self.after(count, 1.0)

    async def _follow_mail(self) -> None:
        count = self._mail.changes.count
        while True:
            count = await self._mail.changes.after(count)
            self.beat()

    async def _follow_texts(self) -> None:
        count = self._texts.changes.count
        while True:
            count = await self._texts.changes.after(count)
            self.beat()

    async def _follow_telegram(self) -> None:
        version = self._telegram.version
        while True:
            version = await self._telegram.changed(version)
            self.beat()
