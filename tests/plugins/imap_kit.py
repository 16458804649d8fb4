"""What the tests of aioimaplib's faults share: a protocol without a line, a server that falls silent."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aioimaplib import aioimaplib as lib


def fails(by: type[BaseException]) -> pytest.MarkDecorator:
    return pytest.mark.xfail(raises=by, strict=True, reason="the stock class has this fault")


def ours_and(ours: type[Any], stock: type[Any], by: type[BaseException]) -> pytest.MarkDecorator:
    """Run a test on our class, and on the stock one, which fails `by` this error."""
    return pytest.mark.parametrize(
        "kind", [pytest.param(ours, id="ours"), pytest.param(stock, id="stock", marks=fails(by))]
    )


class Wire(asyncio.Transport):
    """A transport that goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        pass


def selected(kind: type[Any]) -> Any:
    """A protocol of this kind with a folder open."""
    protocol = kind(asyncio.get_running_loop())
    protocol.connection_made(Wire())
    protocol.state = lib.SELECTED
    protocol.capabilities = {"MOVE", "IDLE"}
    return protocol


async def answered(protocol: Any, command: Awaitable[Any], answer: Callable[[str], bytes]) -> Any:
    """Run a command whose answer comes in one piece."""
    task = asyncio.ensure_future(command)
    await asyncio.sleep(0)
    tag = protocol.transport.sent[-1].split(b" ")[0].decode()
    try:
        protocol.data_received(answer(tag))
        return await asyncio.wait_for(task, 30)
    finally:
        task.cancel()


class Silent:
    """An IMAP server that greets and opens a folder, then answers nothing but `answers`."""

    def __init__(self) -> None:
        self.port = 0
        self.answers = {b"CAPABILITY", b"LOGIN", b"SELECT"}
        self.got = asyncio.Event()
        self.said: list[bytes] = []  # what came in, line by line
        self._lines: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for task, writer in self._lines.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def hang_up(self) -> None:
        for writer in self._lines.values():
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines[task] = writer
        writer.write(b"* OK hello\r\n")
        try:
            while line := await reader.readline():
                self.said.append(line.strip())
                self._answer(line.split(), writer)
        except (asyncio.CancelledError, OSError):
            pass

    def _answer(self, words: list[bytes], writer: asyncio.StreamWriter) -> None:
        if len(words) < 2 or words[1] not in self.answers:
            self.got.set()
            return
        if words[1] == b"CAPABILITY":
            writer.write(b"* CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS\r\n")
        if words[1] == b"SELECT":
            writer.write(b"* OK [UIDVALIDITY 1] hold\r\n")
        writer.write(words[0] + b" OK done\r\n")


async def opened(kind: type[Any], port: int) -> Any:
    client = kind("127.0.0.1", port, timeout=5)
    await client.wait_hello_from_server()
    await client.login("desk", "secret")
    await client.select("INBOX")
    return client
