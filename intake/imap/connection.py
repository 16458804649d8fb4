"""One connection to a mailbox: short words for what the door asks, one lock, one life.

After any time-out, cancellation or refusal in mid-command the connection is thrown away: aioimaplib
leaves such a command pending, and the next one would wait for ever.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from aioimaplib import aioimaplib as lib

from subjectline.handlers.senders.tokens import TokenSource
from subjectline.intake.imap.protocol import DeskClient
from subjectline.intake.imap.sign_in import sign_in
from subjectline.intake.imap.wire import (
    Fetched,
    chunks,
    folder,
    listed,
    namespace,
    read_fetch,
    uid_set,
)
from subjectline.models.errors import DoorAway
from subjectline.models.mail_settings import MailboxSettings

RANGE = 200  # mails named in one command
BODIES = 50  # mails fetched by one command: more of them slow the parser down
HEADER_BYTES = 256 * 1024  # as much of an oversized mail's header as is read

_MESSAGES = re.compile(rb"\bMESSAGES ([0-9]+)", re.IGNORECASE)
_UIDVALIDITY = re.compile(rb"\[UIDVALIDITY ([0-9]+)\]", re.IGNORECASE)
_LOST = (lib.AioImapException, OSError, TimeoutError, ValueError, LookupError)


class Connection:
    """A signed-in connection. Methods raise DoorAway; where the line was lost, `alive` is false."""

    def __init__(self, client: DeskClient, settings: MailboxSettings) -> None:
        self._client, self._settings = client, settings
        self._lock = asyncio.Lock()
        self._namespace: tuple[str, str] | None = None
        self.uidvalidity = 0
        self.selected = ""

    @classmethod
    async def open(cls, settings: MailboxSettings, tokens: TokenSource | None = None) -> Self:
        """Connect and sign in. Raises DoorAway with the operator's remedy."""
        away = f"{settings.host} port {settings.port} cannot be reached"
        async with _said(away, settings):
            client = DeskClient(
                settings.host,
                settings.port,
                timeout=settings.command_seconds,
                ssl_context=tls_context(settings),
            )
        connection = cls(client, settings)
        try:
            async with _said(away, settings):
                await client.wait_hello_from_server()
            async with connection._whole(2 * settings.command_seconds):
                await sign_in(client.protocol, settings, tokens)
        except BaseException:
            await client.aclose()
            raise
        return connection

    async def close(self, *, politely: bool = False) -> None:
        """End the connection; `politely` says LOGOUT first."""
        if politely and self.alive:
            try:
                async with asyncio.timeout(2):
                    await self._client.protocol.logout()
            except _LOST:
                pass  # it is over either way
        await self._client.aclose()

    @property
    def alive(self) -> bool:
        return not self._client.protocol.lost.is_set()

    def can(self, capability: str) -> bool:
        return capability in self._client.protocol.capabilities

    async def find(self, name: str) -> str | None:
        """A folder's name on the server: as it is, or below the server's prefix (`INBOX.`, RFC 2342).

        A `/` in `name` stands for the server's own separator. None where there is no such folder.
        """
        for candidate in dict.fromkeys((name, await self._below(name))):
            answer = await self._do(
                self._client.protocol.simple_command("LIST", '""', folder(candidate))
            )
            if answer.result == "OK" and listed(answer.lines):
                return candidate
        return None

    async def ensure_folder(self, name: str) -> str:
        """Make the folder where there is none; its name on the server."""
        found = await self.find(name)
        if found is not None:
            return found
        new = await self._below(name)
        answer = await self._do(self._client.protocol.simple_command("CREATE", folder(new)))
        if answer.result != "OK" and b"ALREADYEXISTS" not in answer.lines[-1].upper():
            raise DoorAway(
                f'the folder "{name}" is missing and {self._settings.host} lets nobody make it',
                remedy="Make it by hand, or name another in the mailbox's settings.",
            )
        return new

    async def _below(self, name: str) -> str:
        if self._namespace is None:
            protocol = self._client.protocol
            told = self.can("NAMESPACE")
            asked = protocol.namespace() if told else protocol.simple_command("LIST", '""', '""')
            self._namespace = namespace((await self._do(asked)).lines)
        prefix, separator = self._namespace
        if name.upper() == "INBOX" or (prefix and name.startswith(prefix)):
            return name
        return prefix + (name.replace("/", separator) if separator else name)

    async def count(self, name: str) -> int:
        """How many mails lie in a folder that is not the selected one."""
        answer = await self._do(
            self._client.protocol.simple_command("STATUS", folder(name), "(MESSAGES)")
        )
        found = _MESSAGES.search(b" ".join(bytes(line) for line in answer.lines[:-1]))
        if answer.result != "OK" or found is None:
            raise DoorAway(f'the folder "{name}" cannot be looked into')
        return int(found[1])

    async def select(self, name: str) -> None:
        """Open a folder for writing and read its UIDVALIDITY."""
        self.selected = ""  # a SELECT that fails leaves none open (RFC 3501, 6.3.1)
        answer = await self._do(self._client.protocol.select(folder(name)))
        if answer.result != "OK":
            raise DoorAway(f'there is no folder "{name}"', remedy="Check folder of the mailbox.")
        if b"[READ-ONLY]" in answer.lines[-1].upper():
            raise DoorAway(
                f'the folder "{name}" may only be read', remedy="Mails have to be moved."
            )
        found = [match for line in answer.lines if (match := _UIDVALIDITY.search(bytes(line)))]
        if not found:
            raise DoorAway(f"{self._settings.host} gives no UIDVALIDITY")
        self.uidvalidity, self.selected = int(found[0].group(1)), name

    async def search(self) -> list[int]:
        """All UIDs in the folder, oldest first. Mail announced after this sets `news` again."""
        self._client.protocol.news.clear()
        return await self._search("ALL")

    async def _search(self, key: str) -> list[int]:
        answer = await self._ok(
            self._client.protocol.search(key, charset=None, by_uid=True), "UID SEARCH"
        )
        words = b" ".join(bytes(line) for line in answer.lines[:-1]).split()
        return sorted({int(word) for word in words if word.isdigit()})

    async def sizes(self, uids: Sequence[int]) -> list[Fetched]:
        """Size and INTERNALDATE of each mail that is still there."""
        found: list[Fetched] = []
        for some in chunks(uids, RANGE):
            answer = await self._fetch(some, "(UID RFC822.SIZE INTERNALDATE)")
            found += read_fetch(answer.lines)
        return [mail for mail in found if mail.size is not None and mail.internal_date is not None]

    async def bodies(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The mails by UID. One that the server cannot give is left out, and no other with it."""
        found: dict[int, bytes] = {}
        for some in chunks(uids, BODIES):
            answer = await self._fetch(some, "(UID BODY.PEEK[])")
            found |= _contents(answer)
            if answer.result != "OK" and len(some) > 1:
                for uid in (uid for uid in some if uid not in found):
                    found |= _contents(await self._fetch([uid], "(UID BODY.PEEK[])"))
        return found

    async def header(self, uid: int) -> bytes | None:
        """The beginning of a mail's header, at most HEADER_BYTES of it."""
        answer = await self._fetch([uid], f"(UID BODY.PEEK[HEADER]<0.{HEADER_BYTES}>)")
        return _contents(answer).get(uid)

    async def _fetch(self, uids: Sequence[int], items: str) -> lib.Response:
        seconds = self._settings.command_seconds  # of silence: a long mail may take longer
        protocol = self._client.protocol
        return await self._do(
            protocol.fetch(uid_set(uids), items, by_uid=True, timeout=seconds), seconds=None
        )

    async def move(self, uids: Sequence[int], target: str, copied: set[int] | None = None) -> None:
        """Move mails to another folder (RFC 6851), or copy and expunge where MOVE is unknown.

        `copied` remembers what was copied and not yet expunged when the line was lost.
        """
        protocol = self._client.protocol
        for some in chunks(uids, RANGE):
            if self.can("MOVE"):
                move = protocol.move(uid_set(some), folder(target), by_uid=True)
                await self._ok(move, f'moving to "{target}"')
            else:
                await self._copy(some, target, copied if copied is not None else set())

    async def _copy(self, uids: Sequence[int], target: str, copied: set[int]) -> None:
        left = [uid for uid in uids if uid not in copied]
        if left:
            copy = self._client.protocol.copy(uid_set(left), folder(target), by_uid=True)
            await self._ok(copy, f'copying to "{target}"')
            copied.update(left)
        await self.expunge(uids)
        copied.difference_update(uids)

    async def expunge(self, uids: Sequence[int]) -> None:
        """Delete these mails for good, and no other.

        Where UIDPLUS (RFC 4315) is unknown, EXPUNGE takes all that is marked: what others have marked
        is unmarked for as long as it lasts. A line cut in between leaves their mails, unmarked.
        """
        protocol = self._client.protocol
        for some in chunks(uids, RANGE):
            await self._mark(some, "+")
            if self.can("UIDPLUS"):
                await self._ok(protocol.expunge(uid_set(some), by_uid=True), "expunging")
                continue
            others = sorted(set(await self._search("DELETED")) - set(some))
            await self._mark(others, "-")
            try:
                await self._ok(protocol.expunge(), "expunging")
            finally:
                if self.alive:
                    await self._mark(others, "+")

    async def _mark(self, uids: Sequence[int], sign: str) -> None:
        for some in chunks(uids, RANGE):
            words = (uid_set(some), f"{sign}FLAGS.SILENT", r"(\Deleted)")
            await self._ok(self._client.protocol.store(*words, by_uid=True), "deleting")

    async def idle(self, seconds: float) -> None:
        """Wait until mail has come, at most `seconds`. Mail announced since the search counts."""
        protocol = self._client.protocol
        if protocol.news.is_set():
            return
        async with self._whole(seconds + self._settings.command_seconds):
            idling = asyncio.create_task(protocol.idle())
            try:
                await _first(idling, protocol._idle_event, self._settings.command_seconds)
                await _first(idling, protocol.news, seconds)
                if not idling.done():
                    protocol.idle_done()
                if (await idling).result != "OK":
                    raise lib.Abort("IDLE was refused")
            finally:
                idling.cancel()
                await asyncio.gather(idling, return_exceptions=True)

    async def noop(self) -> None:
        """Ask whether the line still holds."""
        await self._ok(self._client.protocol.simple_command("NOOP"), "NOOP")

    async def _ok(self, command: Awaitable[Any], what: str) -> lib.Response:
        answer = await self._do(command)
        if answer.result != "OK":
            raise DoorAway(f"{self._settings.host} refused {what}")
        return answer

    async def _do(self, command: Awaitable[Any], seconds: float | None = 0) -> lib.Response:
        limit = self._settings.command_seconds if seconds == 0 else seconds
        async with self._whole(limit):
            return await command

    @asynccontextmanager
    async def _whole(self, seconds: float | None) -> AsyncIterator[None]:
        async with self._lock:
            try:
                async with (
                    _said("the connection was lost", self._settings),
                    asyncio.timeout(seconds),
                ):
                    yield
            except BaseException:
                self._client.protocol.drop()
                raise


def tls_context(settings: MailboxSettings) -> ssl.SSLContext | None:
    """The context that checks the server's certificate and name, or None on loopback."""
    if settings.tls == "none":
        return None
    return ssl.create_default_context(cafile=settings.ca_file)


def _contents(answer: lib.Response) -> dict[int, bytes]:
    return {mail.uid: mail.content for mail in read_fetch(answer.lines) if mail.content is not None}


async def _first(task: asyncio.Task[Any], event: asyncio.Event, seconds: float) -> None:
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({task, waiting}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


@asynccontextmanager
async def _said(rule: str, settings: MailboxSettings) -> AsyncIterator[None]:
    """What goes wrong on the line, in words of ours: the library's may hold the password."""
    try:
        yield
    except ssl.SSLCertVerificationError as exc:
        raise DoorAway(
            f"the certificate of {settings.host} is not trusted: {exc.verify_message}",
            remedy="Set ca_file to its authority's certificate.",
        ) from None
    except TimeoutError:
        raise DoorAway(f"{settings.host} did not answer in time") from None
    except lib.CommandTimeout:
        raise DoorAway(f"{settings.host} fell silent") from None
    except _LOST as exc:
        why = f" ({exc.strerror})" if isinstance(exc, OSError) and exc.strerror else ""
        raise DoorAway(f"{rule}{why}") from None
