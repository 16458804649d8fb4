"""The Bot API emulator over HTTP on a free loopback port, for the chat door and its sender."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp

from subjectline.intake.sandbox.telegram_emulator import Emulator, create_emulator
from subjectline.models.clock import FrozenClock
from subjectline.models.settings import TelegramSection

BOT = 7000000003
TOKEN = f"{BOT}:test-token"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class _Server(uvicorn.Server):
    """Ends when it is told to; uvicorn's own looks ten times a second whether it was."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.told = asyncio.Event()

    async def main_loop(self) -> None:
        await self.told.wait()


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an app in this event loop; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.told.set()
        await task
        listener.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
def emulator(clock: FrozenClock) -> Emulator:
    return create_emulator(clock, TOKEN)


@pytest.fixture
async def api(emulator: Emulator) -> AsyncIterator[TelegramSection]:
    """The settings of a bot that talks to the emulator."""
    async with served(emulator.app) as root:
        yield section(root)
        await emulator.close()


def section(root: str, token: str = TOKEN) -> TelegramSection:
    return TelegramSection(
        token=SecretStr(token), base_url=f"{root}/bot", base_file_url=f"{root}/file/bot"
    )
