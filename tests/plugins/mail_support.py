"""For the tests of the mail door: a sink that remembers, one mailbox on two servers, a bad line."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from servers import PASSWORD, Dovecot

from subjectline.intake.mailbox import Disposition, RawMail
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.mail_settings import MailboxSettings

QUICK: dict[str, Any] = {"retry_seconds": 0.01, "retry_max_seconds": 0.05, "command_seconds": 10}


@dataclass
class Memory:
    """A sink with a table: a mail that comes twice is one row, as in the desk's own."""

    rows: dict[tuple[str, int, int], RawMail] = field(default_factory=dict)
    handed_over: list[int] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    fate: Callable[[RawMail], Disposition] = lambda mail: Disposition.PROCESSED
    before: Callable[[Sequence[RawMail]], Awaitable[None]] | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def keep(self, mails: Sequence[RawMail]) -> Sequence[Disposition]:
        if self.before is not None:
            await self.before(mails)
        for mail in mails:
            self.rows.setdefault((mail.mailbox, mail.uidvalidity, mail.uid), mail)
            self.handed_over.append(mail.uid)
        self.batches.append(len(mails))
        async with self._changed:
            self._changed.notify_all()
        return [self.fate(mail) for mail in mails]

    async def holds(self, count: int, seconds: float = 30) -> None:
        """Wait until so many different mails are kept."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: len(self.rows) >= count)

    def bodies(self) -> list[bytes]:
        """The last line of each mail kept, in order of UID."""
        ordered = sorted(self.rows.values(), key=lambda mail: (mail.uidvalidity, mail.uid))
        return last_lines([mail.content for mail in ordered])


class Post(Protocol):
    """A mailbox on some server, seen from behind."""

    async def deliver(self, *mails: bytes) -> None: ...

    async def folder(self, name: str) -> list[bytes]: ...

    def settings(self, **more: Any) -> MailboxSettings: ...


class SandboxPost:
    def __init__(self, world: MailWorld) -> None:
        self.world = world

    async def deliver(self, *mails: bytes) -> None:
        for raw in mails:
            await self.world.deliver(raw, self.world.desk_address, None)

    async def folder(self, name: str) -> list[bytes]:
        return [mail.raw for mail in self.world.desk_folder(name)]

    def settings(self, **more: Any) -> MailboxSettings:
        return self.world.mailbox_settings(**{**QUICK, **more})


class DovecotPost:
    def __init__(self, server: Dovecot) -> None:
        self.server, self.user = server, server.new_user()

    async def deliver(self, *mails: bytes) -> None:
        await asyncio.to_thread(self.server.deliver, self.user, *mails)

    async def folder(self, name: str) -> list[bytes]:
        return await asyncio.to_thread(self.server.mails, self.user, name)

    def settings(self, **more: Any) -> MailboxSettings:
        known = {"host": "127.0.0.1", "port": self.server.imap_port, "tls": "none"}
        known |= {"user": self.user, "password": PASSWORD}
        return MailboxSettings(**{**known, **QUICK, **more})


async def until(question: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Ask a server until it says yes: nothing in this process is told of it."""
    async with asyncio.timeout(seconds):
        while not await question():
            await asyncio.sleep(0.02)


class BadLine:
    """Passes bytes to a server and back until told to fail, once, in the middle of something."""

    def __init__(self, port: int) -> None:
        self.target, self.port = port, 0
        self.cuts = 0
        self._on_command = b""
        self._heard = True
        self._after_bytes = -1
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    def cut_on(self, command: bytes, *, heard: bool) -> None:
        """Cut at the next command with these bytes: once the server obeyed it, or before."""
        self._on_command, self._heard = command, heard

    def cut_after(self, count: int) -> None:
        """Cut once so many more bytes have come from the server."""
        self._after_bytes = count

    def cut_now(self) -> None:
        self.cuts += 1
        for writer in self._writers:
            writer.transport.abort()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers = [writer, far_writer]
        for work in (self._there(reader, far_writer), self._back(far_reader, writer)):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if self._on_command and self._on_command in data:
                    self._on_command = b""
                    if self._heard:
                        self._after_bytes = 1  # the answer, then nothing more
                    else:
                        self.cut_now()
                        return
                writer.write(data)
                await writer.drain()
            writer.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if 0 <= self._after_bytes <= len(data):
                    data, self._after_bytes = data[: self._after_bytes], -1
                    writer.write(data)
                    self.cut_now()
                    return
                if self._after_bytes > 0:
                    self._after_bytes -= len(data)
                writer.write(data)
                await writer.drain()
            writer.close()


def letter(number: int, size: int = 0) -> bytes:
    """An invented mail whose last line is its number."""
    filler = b"x" * 70 + b"\r\n"
    head = f"From: <member{number}@member.test>\r\nSubject: mail {number}\r\n\r\n".encode()
    return head + filler * (size // len(filler)) + f"{number}\r\n".encode()


def letters(count: int, size: int = 0) -> list[bytes]:
    return [letter(number, size) for number in range(count)]


def last_lines(mails: Sequence[bytes]) -> list[bytes]:
    return [raw.rstrip().rsplit(b"\n", 1)[-1] for raw in mails]
