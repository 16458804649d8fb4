"""Connections that keep the server waiting, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from subjectline.intake.asgi import Receive, Reply, Scope, Send, answer, body_of, header
from subjectline.intake.listening import bind
from subjectline.intake.prompt import Prompt

HEAD = b"POST / HTTP/1.1\r\nHost: here.test\r\n"
SOON = 10.0  # seconds: far longer than it takes


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await body_of(receive)
    if body is not None:
        key = header(scope, b"authorization").decode()
        await answer(scope, send, Reply(200, [key, body.decode()]))


@asynccontextmanager
async def served(head: float, body: float) -> AsyncIterator[int]:
    class Quick(Prompt):
        head_seconds, body_seconds = head, body

    listening = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(echo, http=Quick, lifespan="off", log_level="error"))
    running = asyncio.create_task(server._serve([listening]))
    yield listening.getsockname()[1]
    server.should_exit = True
    await running


async def said(port: int, *pieces: bytes) -> bytes:
    """All that is answered to these, until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    async with asyncio.timeout(SOON):
        told = await reader.read()
    writer.close()
    await writer.wait_closed()
    return told


@pytest.mark.parametrize("pieces", [(), (HEAD,)])
async def test_who_never_ends_a_head_is_let_go(pieces: tuple[bytes, ...]) -> None:
    async with served(0.05, SOON) as port:
        assert await said(port, *pieces) == b""


async def test_nor_the_next_head_of_a_connection_that_is_kept() -> None:
    async with served(0.05, SOON) as port, asyncio.timeout(SOON):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"Content-Length: 2\r\n\r\nhi")
        await reader.readuntil(b'["","hi"]')
        writer.write(HEAD)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_who_never_sends_the_body_is_let_go() -> None:
    async with served(SOON, 0.05) as port:
        assert await said(port, HEAD + b"Content-Length: 5\r\n\r\nhi") == b""


async def test_a_slow_question_is_answered_all_the_same() -> None:
    pieces = [HEAD[:9], HEAD[9:], b"Content-Length: 2\r\nConnection: close\r\n\r\n", b"h", b"i"]
    async with served(SOON, SOON) as port:
        assert (await said(port, *pieces)).endswith(b'["","hi"]')


async def test_a_trailer_is_no_header() -> None:
    chunked = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhi\r\n0\r\n"
    async with served(SOON, SOON) as port:
        told = await said(port, HEAD + chunked + b"Authorization: Bearer trailing\r\n\r\n")
    assert told.endswith(b'["","hi"]')
