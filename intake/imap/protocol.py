"""aioimaplib 2.0.3 with five faults mended, in subclasses of its own classes.

1. The stock parser recurses once a response line: a thousand lines end in RecursionError inside
   `data_received`, and the command never answers. Here it is a loop.
2. The stock FETCH counts the parentheses of all lines again at each line. Here it is a running sum.
3. The stock protocol formats every chunk for a log that is off, and with the log on writes whole
   mails into it. Here no chunk is formatted or logged.
4. A lost connection leaves stock commands pending for ever. Here they fail, and so does IDLE.
5. A refused XOAUTH2 hangs: the server waits for an empty line. Here it gets one, and answers NO.
"""

import asyncio
import re
import ssl
from collections.abc import Callable

from aioimaplib import aioimaplib as lib

_FETCH_START = re.compile(rb"[0-9]+ FETCH \(")
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
_EXISTS = re.compile(rb"\* ([0-9]+) EXISTS")
_EXPUNGE = re.compile(rb"\* [0-9]+ EXPUNGE")

LineHandler = Callable[[bytes, lib.Command | None], lib.Command | None]


class DeskFetch(lib.FetchCommand):  # type: ignore[misc]  # the library has no types
    """A FETCH that knows in constant time whether the answer to a mail is complete."""

    _open = 0

    def append_to_resp(self, line: bytes | bytearray, result: str = "Pending") -> None:
        if isinstance(line, bytes):
            if _FETCH_START.match(line):
                self._open = 0
            bare = _QUOTED.sub(b"", line) if b'"' in line else line
            self._open += bare.count(b"(") - bare.count(b")")
        super().append_to_resp(line, result)

    def wait_data(self) -> bool:
        return self._open > 0


class DeskProtocol(lib.IMAP4ClientProtocol):  # type: ignore[misc]
    """The protocol of one connection. `lost` is set when it ends, `news` when mail has come."""

    incomplete_line: bytes
    current_command: lib.Command | None
    pending_async_commands: dict[str, lib.Command]
    pending_sync_command: lib.Command | None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.greeted: asyncio.Future[lib.AioImapException | None] = loop.create_future()
        self.lost, self.news = asyncio.Event(), asyncio.Event()
        self._exists = 0
        self._answers: list[bytes] = []  # to what the server asks during AUTHENTICATE
        self.challenge = b""  # what it said last, in base64

    # Fault 3, and errors of the parser end the connection instead of the loop's patience.
    def data_received(self, data: bytes) -> None:
        try:
            self._handle_responses(
                self.incomplete_line + data, self._handle_line, self.current_command
            )
            self.incomplete_line, self.current_command = b"", None
        except lib.IncompleteRead as partly:
            self.current_command, self.incomplete_line = partly.cmd, partly.data
        except (lib.AioImapException, ValueError, LookupError):
            self.drop()
            self._end(lib.Abort("the server's answer makes no sense"))

    # Fault 1.
    def _handle_responses(
        self, data: bytes, line_handler: LineHandler, current_cmd: lib.Command | None = None
    ) -> None:
        at = 0
        while at < len(data):
            if current_cmd is not None and current_cmd.wait_literal_data():
                at = self._literal(data, at, current_cmd)
                continue
            end = data.find(b"\r\n", at)
            if end < 0:
                raise lib.IncompleteRead(current_cmd, data[at:])
            current_cmd = self._line(data[at:end], line_handler, current_cmd)
            at = end + 2
        if self.pending_sync_command is not None:
            self.pending_sync_command.flush()
        if current_cmd is not None:
            raise lib.IncompleteRead(current_cmd)

    @staticmethod
    def _literal(data: bytes, at: int, command: lib.Command) -> int:
        wanted = command._expected_size - len(command._resp_literal_data)
        taken = data[at : at + wanted]
        command.append_literal_data(taken)
        return at + len(taken)

    @staticmethod
    def _line(
        line: bytes, line_handler: LineHandler, current: lib.Command | None
    ) -> lib.Command | None:
        command = line_handler(line, current)
        literal = lib.literal_data_re.match(line)
        if literal:
            if command is None:  # nobody asked for it; its bytes have to be read past all the same
                command = lib.Command("NIL", "unused")
            command.begin_literal_data(int(literal.group("size")))
            return command
        return command if command is not None and command.wait_data() else None

    def _untagged_response(self, line: bytes) -> lib.Command | None:
        if exists := _EXISTS.match(line):
            count = int(exists.group(1))
            if count > self._exists:
                self.news.set()
            self._exists = count
        elif _EXPUNGE.match(line):
            self._exists -= 1
        command: lib.Command | None = super()._untagged_response(line)
        return command

    # Fault 5.
    async def authenticate(self, mechanism: str, first: bytes, refused: bytes) -> lib.Response:
        """AUTHENTICATE; `first` and `refused` (what is said to a refusal) are in base64.

        With SASL-IR (RFC 4959) the first goes along with the command.
        """
        at_once = "SASL-IR" in self.capabilities
        self._answers, self.challenge = [refused] if at_once else [first, refused], b""
        words = (mechanism, first.decode()) if at_once else (mechanism,)
        command = lib.Command("AUTHENTICATE", self.new_tag(), *words, loop=self.loop)
        answer = await self.execute(command, scrub=first.decode())
        if answer.result == "OK":
            self.state = lib.AUTH
        return answer

    def _continuation(self, line: bytes) -> None:
        command = self.pending_sync_command
        if command is None or command.name != "AUTHENTICATE":
            super()._continuation(line)
            return
        self.challenge = line[1:].strip()
        answer = self._answers.pop(0) if self._answers else b"*"  # which ends it (RFC 3501, 6.2.2)
        self.transport.write(answer + b"\r\n")

    def send(self, line: str, scrub: str | None = None) -> None:
        if self.transport.is_closing():
            raise lib.Abort("the connection is closed")
        self.transport.write(f"{line}\r\n".encode())

    async def fetch(
        self,
        message_set: str,
        message_parts: str,
        by_uid: bool = False,
        timeout: float | None = None,
    ) -> lib.Response:
        """FETCH; `timeout` seconds of silence end it, however long the mails take."""
        prefix = "UID" if by_uid else ""
        command = DeskFetch(
            self.new_tag(),
            message_set,
            message_parts,
            prefix=prefix,
            loop=self.loop,
            timeout=timeout,
        )
        return await self.execute(command)

    async def welcome(self, line: bytes) -> None:
        """The server's greeting. A refusal is kept in `greeted`: this runs in a task of its own."""
        outcome: lib.AioImapException | None = None
        try:
            await super().welcome(line)
        except lib.AioImapException as refused:
            outcome = refused
        except (ValueError, LookupError):
            outcome = lib.Error("the server's greeting makes no sense")
        if not self.greeted.done():
            self.greeted.set_result(outcome)

    def drop(self) -> None:
        """Cut the line, unless it is gone already: an ended TLS transport takes no second abort."""
        if not self.lost.is_set():
            self.transport.abort()

    # Fault 4.
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end(lib.Abort("the connection was lost"))

    def _end(self, reason: lib.AioImapException) -> None:
        self.state = lib.LOGOUT
        self.lost.set()
        if not self.greeted.done():
            self.greeted.set_result(reason)
        pending = [*self.pending_async_commands.values(), self.pending_sync_command]
        self.pending_async_commands, self.pending_sync_command = {}, None
        for command in pending:
            if command is not None:
                command._exception = reason
                command._timer.cancel()
                command._event.set()


class DeskClient(lib.IMAP4):  # type: ignore[misc]
    """aioimaplib's client over `DeskProtocol`, with or without TLS."""

    protocol: DeskProtocol

    def create_client(
        self,
        host: str,
        port: int,
        loop: asyncio.AbstractEventLoop | None,
        conn_lost_cb: Callable[[Exception | None], None] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        running = asyncio.get_running_loop()
        self.protocol = DeskProtocol(running)
        self._client_task = running.create_task(
            running.create_connection(lambda: self.protocol, host, port, ssl=ssl_context)
        )

    async def _wait_connection_and_hello(self) -> None:
        await self._client_task
        outcome = await self.protocol.greeted
        if outcome is not None:
            raise outcome

    async def aclose(self) -> None:
        """End the connection at once, and every task with it."""
        tasks = {self._client_task, *self.tasks, *self.protocol.tasks}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.protocol.transport is not None:
            self.protocol.drop()
            await self.protocol.lost.wait()
