"""Folders in memory: mails with UIDs and arrival times, and a word to whoever waits for a change."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from subjectline.models.errors import TemporarySendError


@dataclass(slots=True)
class Stored:
    """One mail in a folder. `arrived_at` is aware UTC: IMAP calls it INTERNALDATE."""

    uid: int
    raw: bytes
    arrived_at: datetime
    flags: set[str] = field(default_factory=set)
    envelope_from: str = ""


class Folder:
    """Mails by UID. Bounded: the oldest goes, or, in an inbox, the newest is refused."""

    def __init__(
        self,
        name: str,
        uidvalidity: int,
        *,
        max_mails: int = 2000,
        max_bytes: int = 96 * 1024 * 1024,
        forgets: bool = True,
    ) -> None:
        self.name, self.uidvalidity, self.uidnext = name, uidvalidity, 1
        self.mails: dict[int, Stored] = {}
        self.size = 0
        self._max_mails, self._max_bytes, self._forgets = max_mails, max_bytes, forgets
        self._watchers: set[Callable[[], None]] = set()

    def add(
        self, raw: bytes, at: datetime, *, flags: Iterable[str] = (), envelope_from: str = ""
    ) -> Stored:
        """Put a mail in. Raises TemporarySendError where there is no room and none may go."""
        while self.mails and self._full(len(raw)):
            if not self._forgets:
                raise TemporarySendError("the mailbox is full", remedy="Let the desk empty it.")
            self._drop(min(self.mails))
        mail = Stored(self.uidnext, raw, at, set(flags), envelope_from)
        self.mails[mail.uid] = mail
        self.uidnext += 1
        self.size += len(raw)
        self._tell()
        return mail

    def _full(self, more: int) -> bool:
        return len(self.mails) >= self._max_mails or self.size + more > self._max_bytes

    def remove(self, uids: Iterable[int]) -> None:
        for uid in uids:
            self._drop(uid)
        self._tell()

    def _drop(self, uid: int) -> None:
        self.size -= len(self.mails.pop(uid).raw)

    def touch(self) -> None:
        """Say that flags have changed."""
        self._tell()

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Call `watcher` at every change; returns what ends that."""
        self._watchers.add(watcher)
        return lambda: self._watchers.discard(watcher)

    def _tell(self) -> None:
        for watcher in tuple(self._watchers):
            watcher()


class Account:
    """Who may sign in, and the folders that they see. The inbox never forgets a mail by itself."""

    def __init__(self, user: str, password: str, uidvalidity: int) -> None:
        self.user, self.password = user, password
        self.tokens: set[str] = set()  # access tokens that are good for a sign-in
        self._uidvalidity = uidvalidity
        self.folders = {"INBOX": Folder("INBOX", uidvalidity, forgets=False)}

    @property
    def inbox(self) -> Folder:
        return self.folders["INBOX"]

    def folder(self, name: str) -> Folder | None:
        return self.folders.get("INBOX" if name.upper() == "INBOX" else name)

    def create(self, name: str) -> Folder:
        self._uidvalidity += 1
        self.folders[name] = Folder(name, self._uidvalidity)
        return self.folders[name]


class Changes:
    """A counter that can be waited for: every change of any mailbox counts it up."""

    def __init__(self) -> None:
        self.count = 0
        self._event = asyncio.Event()

    def happened(self) -> None:
        self.count += 1
        self._event.set()
        self._event = asyncio.Event()

    async def after(self, count: int) -> int:
        """Return as soon as the counter is past `count`."""
        while self.count <= count:
            await self._event.wait()
        return self.count
