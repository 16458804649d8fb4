"""One mailbox on a real Dovecot and in the sandbox, and the door that reads it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import pytest
from imap_kit import Silent
from mail_support import BadLine, DovecotPost, Memory, Post, SandboxPost

from subjectline.intake.mailbox import Mailbox
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.clock import system_clock
from subjectline.models.mail_settings import MailboxSettings


@pytest.fixture
async def world() -> AsyncIterator[MailWorld]:
    here = MailWorld(system_clock)
    await here.start()
    yield here
    await here.stop()


@pytest.fixture(params=["sandbox", pytest.param("dovecot", marks=pytest.mark.server)])
def post(request: pytest.FixtureRequest) -> Post:
    """The desk's mailbox, once in the sandbox and once on a real Dovecot."""
    if request.param == "sandbox":
        return SandboxPost(request.getfixturevalue("world"))
    return DovecotPost(request.getfixturevalue("dovecot"))


@pytest.fixture
def sink() -> Memory:
    return Memory()


Reading = Callable[..., AbstractAsyncContextManager[Mailbox]]


@pytest.fixture
def reading(sink: Memory) -> Reading:
    """`async with reading(settings) as mailbox:` runs the door; cancelled at the end."""

    @asynccontextmanager
    async def run(settings: MailboxSettings, into: Memory | None = None) -> AsyncIterator[Mailbox]:
        mailbox = Mailbox(settings, into or sink, system_clock)
        task = asyncio.create_task(mailbox.run())
        try:
            yield mailbox
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return run


@pytest.fixture
async def bad_line(post: Post) -> AsyncIterator[BadLine]:
    """A line to the server of `post` that can be cut."""
    line = BadLine(post.settings().port)
    await line.start()
    yield line
    await line.stop()


@pytest.fixture
async def silent() -> AsyncIterator[Silent]:
    server = Silent()
    await server.start()
    yield server
    await server.stop()
