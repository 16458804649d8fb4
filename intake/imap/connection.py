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

from subjectline.intake.imap.protocol import DeskClient
from subjectline.intake.imap.wire import Fetched, chunks, folder, quoted, read_fetch, uid_set
from subjectline.models.errors import DoorAway
from subjectline.models.mail_settings import MailboxSettings

RANGE = 200  # mails named in one command
BODIES = 50  # mails fetched by one command: more of them slow the parser down
HEADER_BYTES = 256 * 1024  # as much of an oversized mail's header as is read

_UIDVALIDITY = re.compile(rb"\[UIDVALIDITY ([0-9]+)\]", re.IGNORECASE)
_LOST = (lib.AioImapException, OSError, TimeoutError, ValueError, LookupError)


class Connection:
    """A signed-in connection. Methods raise DoorAway; where the line was lost, `alive` is false."""

    def __init__(self, client: DeskClient, settings: MailboxSettings) -> None:
        self._client, self._settings = client, settings
        self._lock = asyncio.Lock()
        self.uidvalidity = 0

    @classmethod
    async def open(cls, settings: MailboxSettings) -> Self:
        """Connect and sign in. Raises DoorAway with the operator's remedy."""
        async with _said(f"{settings.host} port {settings.port} cannot be reached", settings):
            client = DeskClient(
                settings.host,
                settings.port,
                timeout=settings.command_seconds,
                ssl_context=tls_context(settings),
            )
        connection = cls(client, settings)
        try:
            async with _said(f"{settings.host} port {settings.port} cannot be reached", settings):
                await client.wait_hello_from_server()
            await connection._sign_in()
        except BaseException:
            await client.aclose()
            raise
        return connection

    async def _sign_in(self) -> None:
        protocol, settings = self._client.protocol, self._settings
        if protocol.state == lib.AUTH:  # PREAUTH
            return
        if "LOGINDISABLED" in protocol.capabilities:
            raise DoorAway(
                f"{settings.host} takes no password on this line", remedy='Set tls = "tls".'
            )
        password = settings.password.get_secret_value()
        answer = await self._do(protocol.login(quoted(settings.user), password))
        if answer.result != "OK":
            raise DoorAway(
                f"{settings.host} refused the sign-in of {settings.user}",
                remedy="Check user and password of the mailbox.",
            )
        await self._do(protocol.capability())

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

    async def ensure_folder(self, name: str) -> None:
        """Make the folder where there is none."""
        protocol = self._client.protocol
        answer = await self._do(protocol.simple_command("LIST", '""', folder(name)))
        if answer.result == "OK" and len(answer.lines) > 1:
            return
        answer = await self._do(protocol.simple_command("CREATE", folder(name)))
        if answer.result != "OK" and b"ALREADYEXISTS" not in answer.lines[-1].upper():
            raise DoorAway(
                f'the folder "{name}" is missing and {self._settings.host} lets nobody make it',
                remedy="Make it by hand, or name another in the mailbox's settings.",
            )

    async def select(self, name: str) -> None:
        """Open a folder for writing and read its UIDVALIDITY."""
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
        self.uidvalidity = int(found[0].group(1))

    async def search(self) -> list[int]:
        """All UIDs in the folder, oldest first. Mail announced after this sets `news` again."""
        self._client.protocol.news.clear()
        answer = await self._ok(
            self._client.protocol.search("ALL", charset=None, by_uid=True), "UID SEARCH"
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

    async def move(self, uids: Sequence[int], target: str) -> None:
        """Move mails to another folder (RFC 6851), or copy and expunge where MOVE is unknown."""
        protocol = self._client.protocol
        for some in chunks(uids, RANGE):
            if self.can("MOVE"):
                move = protocol.move(uid_set(some), folder(target), by_uid=True)
                await self._ok(move, f'moving to "{target}"')
            else:
                copy = protocol.copy(uid_set(some), folder(target), by_uid=True)
                await self._ok(copy, f'copying to "{target}"')
                await self.expunge(some)

    async def expunge(self, uids: Sequence[int]) -> None:
        """Delete mails for good."""
        protocol = self._client.protocol
        for some in chunks(uids, RANGE):
            words = (uid_set(some), "+FLAGS.SILENT", r"(\Deleted)")
            await self._ok(protocol.store(*words, by_uid=True), "deleting")
            with_uids = self.can("UIDPLUS")  # without it, all that is marked deleted goes
            expunge = (
                protocol.expunge(uid_set(some), by_uid=True) if with_uids else protocol.expunge()
            )
            await self._ok(expunge, "expunging")

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
