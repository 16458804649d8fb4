"""Webhooks on a real line: partners that trickle, send others elsewhere, or are not who they say."""

import asyncio
import gzip
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from desks import NOW
from servers import certificate
from told import SECRET

from subjectline.handlers.senders.webhook import Webhooks
from subjectline.intake.serve import cancelled
from subjectline.models.clock import FrozenClock
from subjectline.models.errors import PermanentSendError, TemporarySendError
from subjectline.models.recipient_settings import Reach

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"


class Line:
    """What a partner heard; `post` tells it something."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.port = 0

    async def post(self, seconds: float = 5.0, scheme: str = "http") -> bool:
        webhooks = Webhooks(seconds, FrozenClock(NOW))
        reach = Reach.model_validate(
            {"webhook": f"{scheme}://127.0.0.1:{self.port}/told", "secret": SECRET}
        )
        try:
            return await webhooks.post(reach, "n1", {"id": "n1"})
        finally:
            await webhooks.close()


@asynccontextmanager
async def partner(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Line]:
    """A server that answers each request as told, for as long as the caller listens."""
    line, serving = Line(), set[asyncio.Task[None] | None]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            line.heard.append(await reader.readuntil(b"\r\n\r\n"))
            try:
                await answer(writer)
                writer.close()
            except BaseException:
                writer.transport.abort()
                raise
            finally:
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    line.port = server.sockets[0].getsockname()[1]
    async with server:
        yield line
        await cancelled([task for task in serving if task is not None])


async def drip(writer: asyncio.StreamWriter) -> None:
    """A byte at a time, each soon enough for a clock that starts anew with every one."""
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def slow_body(writer: asyncio.StreamWriter) -> None:
    writer.write(OK)
    await drip(writer)


async def slow_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow:")
    await drip(writer)


@pytest.mark.parametrize("answer", [slow_body, slow_head])
async def test_a_byte_now_and_then_is_no_answer_in_time(answer: Answer) -> None:
    async with asyncio.timeout(3), partner(answer) as line:
        with pytest.raises(TemporarySendError, match="in time"):
            await line.post(seconds=0.3)


async def test_a_packed_answer_is_not_asked_for_nor_unpacked() -> None:
    packed = gzip.compress(b'{"acknowledged": "n1"}' + b" " * 30_000_000)

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(packed) + packed)

    tracemalloc.start()
    async with partner(answer) as line:
        assert await line.post() is False
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert b"accept-encoding: identity\r\n" in line.heard[0].lower() and most < 10_000_000


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with asyncio.timeout(3), partner(answer) as line:
        assert await line.post() is False


async def test_a_redirect_leads_nowhere() -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        where = f"http://127.0.0.1:{line.port}/elsewhere"
        writer.write(
            f"HTTP/1.1 307 Moved\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()
        )

    async with partner(answer) as line:
        with pytest.raises(PermanentSendError, match="307"):
            await line.post()
    assert len(line.heard) == 1


async def test_a_certificate_that_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    async with partner(answer, tls) as line:
        with pytest.raises(TemporarySendError, match="cannot be reached"):
            await line.post(scheme="https")
    assert line.heard == []
