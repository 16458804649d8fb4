"""An emulator on a free loopback port, and python-telegram-bot as its judge."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp
from telegram import Bot

from subjectline.intake.sandbox.telegram_emulator import Bounds, Emulator, create_emulator
from subjectline.models.clock import FrozenClock

TOKEN = "7000000002:test-token"
Serve = Callable[[ASGIApp], Awaitable[str]]


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an app in this event loop; gives its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # callers queue up from here on, so nobody has to wait for the start
    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def bounds() -> Bounds:
    return Bounds()


@pytest.fixture
def emulator(clock: FrozenClock, bounds: Bounds) -> Emulator:
    return create_emulator(clock, TOKEN, bounds)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves further apps until the test is over."""
    async with AsyncExitStack() as stack:

        async def start(app: ASGIApp) -> str:
            return await stack.enter_async_context(served(app))

        yield start


@pytest.fixture
async def base(emulator: Emulator) -> AsyncIterator[str]:
    """The emulator's address, mounted below /telegram as in the sandbox."""
    async with served(Starlette(routes=[Mount("/telegram", emulator.app)])) as root:
        yield f"{root}/telegram"
        await emulator.close()


@pytest.fixture
async def bot(base: str) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, base_url=f"{base}/bot", base_file_url=f"{base}/file/bot") as judge:
        yield judge


@pytest.fixture
async def http(base: str) -> AsyncIterator[httpx.AsyncClient]:
    """A plain client with the emulator's address: for what python-telegram-bot would never send."""
    async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
        yield client
