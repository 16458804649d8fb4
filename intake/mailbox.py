"""The mail door: reads the folders of one IMAP mailbox and hands raw mails over. It decides nothing.

The main folder is waited on (IDLE, or a look every `poll_seconds`); the others are looked into every
`poll_seconds` over the same connection, as servers limit how many a mailbox may have.

A mail is moved away on the server only after the sink has committed it. What was kept and not yet
moved when the line broke is moved at the next connection, without being fetched again; after a
restart it is fetched again, and the sink knows it by (mailbox, UIDVALIDITY, UID).
"""

import asyncio
import logging
import random
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from subjectline.handlers.senders.tokens import TokenSource
from subjectline.intake.imap.connection import BODIES, RANGE, Connection
from subjectline.intake.imap.wire import Fetched, chunks
from subjectline.models.clock import Clock
from subjectline.models.errors import DoorAway, DoorShut
from subjectline.models.mail_settings import Finding, MailboxSettings, is_spam_folder

BATCH_BYTES = 32 * 1024 * 1024  # of mails held in memory at once; one longer mail goes alone

SHUT_LONGEST = 8  # times retry_max_seconds: the longest wait before a server that lets us not in

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
    spam: bool = False  # it lay in a folder of suspected spam


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


@dataclass(slots=True)
class _Folder:
    """A folder that is read: what was kept of it and is not yet moved, by the UIDs of `uidvalidity`."""

    name: str
    spam: bool
    uidvalidity: int = 0
    unmoved: dict[int, Disposition] = field(default_factory=dict)
    copied: set[int] = field(default_factory=set)  # of these, where the server knows no MOVE
    trouble: str = ""

    def is_now(self, uidvalidity: int) -> None:
        """With another UIDVALIDITY the UIDs that we know name other mails."""
        if uidvalidity != self.uidvalidity:
            self.unmoved.clear()
            self.copied.clear()
        self.uidvalidity = uidvalidity


class Mailbox:
    """One IMAP mailbox. `run()` reads it until cancelled; `clock` gives the status its times."""

    def __init__(
        self, settings: MailboxSettings, sink: Sink, clock: Clock, tokens: TokenSource | None = None
    ) -> None:
        self.settings, self.status = settings, MailboxStatus()
        self._sink, self._clock = sink, clock
        self._tokens = tokens or (TokenSource(settings.oauth) if settings.oauth else None)
        self._main, *self._others = (_Folder(n, is_spam_folder(n)) for n in settings.read)
        self._losses = self._shut = 0

    async def run(self) -> None:
        """Read the mailbox for ever; a lost connection is made anew. Ends by cancellation only."""
        while True:
            try:
                await self._session()
            except DoorAway as exc:
                self._failed(str(exc), shut=isinstance(exc, DoorShut))
            except Exception as exc:  # the sink's: the mails stay on the server and come again
                self._failed(f"A batch of mails could not be kept: {_where(exc)}.")
            await asyncio.sleep(self._patience())

    async def doctor(self) -> Finding:
        """Try sign-in and folders; makes missing ones. Changes no mail."""
        settings = self.settings
        try:
            connection, where = await self._open()
            try:
                await connection.select(where[settings.folder])
                count = len(await connection.search())
                idle = connection.can("IDLE")
                missing = [f.name for f in self._others if f.name not in where]
            finally:
                await connection.close(politely=connection.alive)
        except DoorAway as exc:
            return Finding(False, f"mailbox: {exc}")
        if missing:
            return Finding(False, f"mailbox: {_no_folder(missing[0])}")
        way = "at once (IDLE)" if idle else f"within {settings.poll_seconds:g} s (no IDLE)"
        return Finding(
            True,
            f"mailbox: {settings.name} opens; mails waiting: {count}; new ones are seen {way}.",
        )

    def _failed(self, sentence: str, *, shut: bool = False) -> None:
        self.status.connected, self.status.last_error = False, sentence
        self._losses += 1
        self._shut = self._shut + 1 if shut else 0
        log.warning("mailbox: %s", sentence)

    def _patience(self) -> float:
        """Seconds until the next try: doubling, with jitter so that doors do not come in step.

        A server that lets us not in is asked seldom: many tries lock an account, or prolong a limit.
        """
        settings = self.settings
        longest = min(
            settings.retry_seconds * 2.0 ** min(self._losses - 1, 16), settings.retry_max_seconds
        )
        if self._shut:
            longest = settings.retry_max_seconds * min(2.0 ** (self._shut - 1), SHUT_LONGEST)
        return longest * random.uniform(0.5, 1)

    async def _session(self) -> None:
        connection, where = await self._open()
        try:
            self.status.connected = True
            look = 0.0  # when the other folders are due
            now = asyncio.get_running_loop().time
            while True:
                if self._others and now() >= look:
                    await self._look_around(connection, where)
                    look = now() + self.settings.poll_seconds
                await self._enter(connection, self._main, where)
                await self._empty(connection, self._main, where)
                await self._wait(connection, look - now() if self._others else None)
        finally:
            self.status.connected = False
            await connection.close(politely=connection.alive)

    async def _open(self) -> tuple[Connection, dict[str, str]]:
        """A connection, and the names that our folders have on the server."""
        settings = self.settings
        connection = await Connection.open(settings, self._tokens)
        try:
            where = {settings.folder: await connection.find(settings.folder) or settings.folder}
            for name in (settings.processed, settings.quarantine):
                where[name] = await connection.ensure_folder(name)
            for folder in self._others:
                found = await connection.find(folder.name)
                folder.trouble = "" if found else _no_folder(folder.name)
                where |= {folder.name: found} if found else {}
        except BaseException:
            await connection.close()
            raise
        return connection, where

    async def _look_around(self, connection: Connection, where: dict[str, str]) -> None:
        """Empty the other folders. What is wrong with one keeps no mail of the others."""
        await self._enter(connection, self._main, where)  # what people wait for comes first
        await self._empty(connection, self._main, where)
        for folder in (each for each in self._others if each.name in where):
            try:
                if await connection.count(where[folder.name]):
                    await self._enter(connection, folder, where)
                    await self._empty(connection, folder, where)
            except DoorAway as exc:
                if not connection.alive:
                    raise
                folder.trouble = str(exc)

    async def _enter(self, connection: Connection, folder: _Folder, where: dict[str, str]) -> None:
        if connection.selected != where[folder.name]:
            await connection.select(where[folder.name])
        folder.is_now(connection.uidvalidity)

    async def _empty(self, connection: Connection, folder: _Folder, where: dict[str, str]) -> None:
        """Take mails until a search finds none that could be taken."""
        while True:
            here = set(await connection.search())
            folder.unmoved = {uid: fate for uid, fate in folder.unmoved.items() if uid in here}
            taken = await self._take(
                connection, folder, where, sorted(here - folder.unmoved.keys())
            )
            folder.trouble = await self._clear_away(connection, folder, where)
            self.status.last_error = next(
                (each.trouble for each in (self._main, *self._others) if each.trouble), ""
            )
            self.status.last_ok, self._losses, self._shut = self._clock(), 0, 0
            if not taken or folder.trouble:
                return

    async def _take(
        self, connection: Connection, folder: _Folder, where: dict[str, str], uids: Sequence[int]
    ) -> int:
        """Hand the mails over in batches; the number that was kept."""
        before = self.status.kept
        for some in chunks(uids, RANGE):
            sizes = await connection.sizes(some)
            for batch in batches(sizes, self.settings.max_mail_bytes):
                mails = await self._fetch(connection, folder, batch)
                if mails:
                    await self._keep(folder, mails)
                    await self._clear_away(connection, folder, where)
        return self.status.kept - before

    async def _fetch(
        self, connection: Connection, folder: _Folder, batch: Sequence[Fetched]
    ) -> list[RawMail]:
        limit = self.settings.max_mail_bytes
        whole = await connection.bodies([m.uid for m in batch if (m.size or 0) <= limit])
        mails: list[RawMail] = []
        for mail in batch:
            oversized = (mail.size or 0) > limit
            content = await connection.header(mail.uid) if oversized else whole.get(mail.uid)
            if content is None:
                log.warning("mailbox: the server did not give mail %d", mail.uid)
            else:
                mails.append(self._raw(folder, mail, content, oversized))
        return mails

    def _raw(self, folder: _Folder, mail: Fetched, content: bytes, oversized: bool) -> RawMail:
        return RawMail(
            mailbox=self.settings.name_of(folder.name),
            uidvalidity=folder.uidvalidity,
            uid=mail.uid,
            internal_date=mail.internal_date or self._clock(),
            size=mail.size or len(content),
            content=content,
            oversized=oversized,
            spam=folder.spam,
        )

    async def _keep(self, folder: _Folder, mails: Sequence[RawMail]) -> None:
        fates = await self._sink.keep(mails)
        folder.unmoved |= {mail.uid: fate for mail, fate in zip(mails, fates, strict=True)}
        self.status.kept += len(mails)

    async def _clear_away(
        self, connection: Connection, folder: _Folder, where: dict[str, str]
    ) -> str:
        """Move what was kept. A refusal (a full folder) must not stop mail from coming in."""
        refused = ""
        for fate in Disposition:
            uids = [uid for uid, its in folder.unmoved.items() if its is fate]
            try:
                await self._send_off(connection, folder, where, uids, fate)
            except DoorAway as exc:
                if not connection.alive:
                    raise
                refused = str(exc)
        return refused

    async def _send_off(
        self,
        connection: Connection,
        folder: _Folder,
        where: dict[str, str],
        uids: list[int],
        fate: Disposition,
    ) -> None:
        if not uids:
            return
        if fate is Disposition.EXPUNGE:
            await connection.expunge(uids)
        else:
            settings = self.settings
            quarantine = fate is Disposition.QUARANTINE
            target = where[settings.quarantine if quarantine else settings.processed]
            await connection.move(uids, target, folder.copied)
        for uid in uids:
            del folder.unmoved[uid]

    async def _wait(self, connection: Connection, at_most: float | None) -> None:
        settings = self.settings
        longest = settings.idle_seconds if connection.can("IDLE") else settings.poll_seconds
        if at_most is not None:
            longest = max(min(longest, at_most), 0.0)
        if connection.can("IDLE"):
            await connection.idle(longest)
        else:
            await asyncio.sleep(longest)


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


def _no_folder(name: str) -> str:
    return str(DoorAway(f'there is no folder "{name}"', remedy="Check folders of the mailbox."))


def _where(exc: Exception) -> str:
    """Kind and place of an error, without its words: they may quote a mail."""
    frames = traceback.extract_tb(exc.__traceback__)
    return f"{type(exc).__name__} in {frames[-1].name}" if frames else type(exc).__name__
