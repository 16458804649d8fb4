"""The mail door: reads one IMAP mailbox and hands raw mails over. It decides nothing.

A mail is moved away on the server only after the sink has committed it. What was kept and not yet
moved when the line broke is moved at the next connection, without being fetched again; after a
restart it is fetched again, and the sink knows it by (mailbox, UIDVALIDITY, UID).
"""

import asyncio
import logging
import random
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from subjectline.intake.imap.connection import BODIES, RANGE, Connection
from subjectline.intake.imap.wire import Fetched, chunks
from subjectline.models.clock import Clock
from subjectline.models.errors import DoorAway
from subjectline.models.mail_settings import Finding, MailboxSettings

BATCH_BYTES = 32 * 1024 * 1024  # of mails held in memory at once; one longer mail goes alone

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RawMail:
    """A mail as the server has it. `mailbox`, `uidvalidity` and `uid` name it for good.

    `content` is the whole mail, or of an `oversized` one the header alone; `size` is the server's
    count of bytes; `internal_date` (aware, UTC) is when the server took it in.
    """

    mailbox: str
    uidvalidity: int
    uid: int
    internal_date: datetime
    size: int
    content: bytes
    oversized: bool = False


class Disposition(StrEnum):
    """What becomes of a kept mail on the server."""

    PROCESSED = "processed"
    QUARANTINE = "quarantine"
    EXPUNGE = "expunge"  # deleted for good: a resident number was in it


class Sink(Protocol):
    """What takes the mails in."""

    async def keep(self, mails: Sequence[RawMail]) -> Sequence[Disposition]:
        """Commit the batch and say, mail by mail, what becomes of each on the server.

        A mail may come twice (same mailbox, UIDVALIDITY and UID). Whatever this raises leaves the
        batch on the server, to be handed over again.
        """
        ...


@dataclass(slots=True)
class MailboxStatus:
    """How the door is: for /healthz. `last_ok` is the last look into the mailbox that succeeded."""

    connected: bool = False
    last_ok: datetime | None = None
    last_error: str = ""
    kept: int = 0  # mails handed over since the start


class Mailbox:
    """One IMAP mailbox. `run()` reads it until cancelled; `clock` gives the status its times."""

    def __init__(self, settings: MailboxSettings, sink: Sink, clock: Clock) -> None:
        self.settings, self.status = settings, MailboxStatus()
        self._sink, self._clock = sink, clock
        self._uidvalidity = 0
        self._unmoved: dict[int, Disposition] = {}
        self._losses = 0

    async def run(self) -> None:
        """Read the mailbox for ever; a lost connection is made anew. Ends by cancellation only."""
        while True:
            try:
                await self._session()
            except DoorAway as exc:
                self._failed(str(exc))
            except Exception as exc:  # the sink's: the mails stay on the server and come again
                self._failed(f"A batch of mails could not be kept: {_where(exc)}.")
            await asyncio.sleep(self._patience())

    async def doctor(self) -> Finding:
        """Try sign-in and folders; makes missing ones. Changes no mail."""
        settings = self.settings
        try:
            connection = await self._open()
            try:
                count = len(await connection.search())
                idle = connection.can("IDLE")
            finally:
                await connection.close(politely=connection.alive)
        except DoorAway as exc:
            return Finding(False, f"mailbox: {exc}")
        way = "at once (IDLE)" if idle else f"within {settings.poll_seconds:g} s (no IDLE)"
        return Finding(
            True,
            f"mailbox: {settings.name} opens; mails waiting: {count}; new ones are seen {way}.",
        )

    def _failed(self, sentence: str) -> None:
        self.status.connected, self.status.last_error = False, sentence
        self._losses += 1
        log.warning("mailbox: %s", sentence)

    def _patience(self) -> float:
        """Seconds until the next try: doubling, with jitter so that doors do not come in step."""
        settings = self.settings
        longest = settings.retry_seconds * 2.0 ** min(self._losses - 1, 16)
        return min(longest, settings.retry_max_seconds) * random.uniform(0.5, 1)

    async def _session(self) -> None:
        connection = await self._open()
        try:
            self.status.connected = True
            while True:
                await self._empty(connection)
                await self._wait(connection)
        finally:
            self.status.connected = False
            await connection.close(politely=connection.alive)

    async def _open(self) -> Connection:
        settings = self.settings
        connection = await Connection.open(settings)
        try:
            for name in (settings.processed, settings.quarantine):
                await connection.ensure_folder(name)
            await connection.select(settings.folder)
        except BaseException:
            await connection.close()
            raise
        if connection.uidvalidity != self._uidvalidity:  # the UIDs we know name other mails now
            self._unmoved.clear()
        self._uidvalidity = connection.uidvalidity
        return connection

    async def _empty(self, connection: Connection) -> None:
        """Take mails until a search finds none that could be taken."""
        while True:
            here = set(await connection.search())
            self._unmoved = {uid: fate for uid, fate in self._unmoved.items() if uid in here}
            taken = await self._take(connection, sorted(here - self._unmoved.keys()))
            refused = await self._clear_away(connection)
            self.status.last_error = refused
            self.status.last_ok, self._losses = self._clock(), 0
            if not taken or refused:
                return

    async def _take(self, connection: Connection, uids: Sequence[int]) -> int:
        """Hand the mails over in batches; the number that was kept."""
        before = self.status.kept
        for some in chunks(uids, RANGE):
            sizes = await connection.sizes(some)
            for batch in batches(sizes, self.settings.max_mail_bytes):
                mails = await self._fetch(connection, batch)
                if mails:
                    await self._keep(mails)
                    await self._clear_away(connection)
        return self.status.kept - before

    async def _fetch(self, connection: Connection, batch: Sequence[Fetched]) -> list[RawMail]:
        limit = self.settings.max_mail_bytes
        whole = await connection.bodies([m.uid for m in batch if (m.size or 0) <= limit])
        mails: list[RawMail] = []
        for mail in batch:
            oversized = (mail.size or 0) > limit
            content = await connection.header(mail.uid) if oversized else whole.get(mail.uid)
            if content is None:
                log.warning("mailbox: the server did not give mail %d", mail.uid)
            else:
                mails.append(self._raw(mail, content, oversized))
        return mails

    def _raw(self, mail: Fetched, content: bytes, oversized: bool) -> RawMail:
        return RawMail(
            mailbox=self.settings.name,
            uidvalidity=self._uidvalidity,
            uid=mail.uid,
            internal_date=mail.internal_date or self._clock(),
            size=mail.size or len(content),
            content=content,
            oversized=oversized,
        )

    async def _keep(self, mails: Sequence[RawMail]) -> None:
        fates = await self._sink.keep(mails)
        self._unmoved |= {mail.uid: fate for mail, fate in zip(mails, fates, strict=True)}
        self.status.kept += len(mails)

    async def _clear_away(self, connection: Connection) -> str:
        """Move what was kept. A refusal (a full folder) must not stop mail from coming in."""
        refused = ""
        for fate in Disposition:
            uids = [uid for uid, its in self._unmoved.items() if its is fate]
            try:
                await self._send_off(connection, uids, fate)
            except DoorAway as exc:
                if not connection.alive:
                    raise
                refused = str(exc)
        return refused

    async def _send_off(self, connection: Connection, uids: list[int], fate: Disposition) -> None:
        if not uids:
            return
        if fate is Disposition.EXPUNGE:
            await connection.expunge(uids)
        else:
            settings = self.settings
            quarantine = fate is Disposition.QUARANTINE
            await connection.move(uids, settings.quarantine if quarantine else settings.processed)
        for uid in uids:
            del self._unmoved[uid]

    async def _wait(self, connection: Connection) -> None:
        if connection.can("IDLE"):
            await connection.idle(self.settings.idle_seconds)
        else:
            await asyncio.sleep(self.settings.poll_seconds)


def batches(mails: Sequence[Fetched], limit: int) -> list[list[Fetched]]:
    """Mails in batches of at most BODIES mails and BATCH_BYTES fetched (sizes over `limit` are not)."""
    found: list[list[Fetched]] = []
    held = 0
    for mail in mails:
        size = mail.size if mail.size is not None and mail.size <= limit else 0
        if not found or len(found[-1]) == BODIES or held + size > BATCH_BYTES:
            found.append([])
            held = 0
        found[-1].append(mail)
        held += size
    return found


def _where(exc: Exception) -> str:
    """Kind and place of an error, without its words: they may quote a mail."""
    frames = traceback.extract_tb(exc.__traceback__)
    return f"{type(exc).__name__} in {frames[-1].name}" if frames else type(exc).__name__
