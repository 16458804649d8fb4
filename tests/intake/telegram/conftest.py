"""A chat door over HTTP to the emulator, in front of a whole desk."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from bot_api import TOKEN
from bot_api import api as api
from desks import Office

from subjectline.intake.sandbox.telegram_emulator import Emulator, create_emulator
from subjectline.intake.telegram import TelegramDoor
from subjectline.models.settings import TelegramSection

Running = Callable[[], AbstractAsyncContextManager[TelegramDoor]]


@pytest.fixture
def emulator(office: Office) -> Emulator:
    return create_emulator(office.clock, TOKEN)


@pytest.fixture
async def door(office: Office, api: TelegramSection) -> AsyncIterator[TelegramDoor]:
    made = TelegramDoor(office.desk, api, retry_seconds=0.01)
    yield made
    await made.close()


@pytest.fixture
def running(office: Office, api: TelegramSection) -> Running:
    """Runs a new door, as after a start of the desk; cancelled at the end, with nothing left over."""

    @asynccontextmanager
    async def run() -> AsyncIterator[TelegramDoor]:
        door = TelegramDoor(office.desk, api, retry_seconds=0.01)
        before = asyncio.all_tasks()
        task = asyncio.create_task(door.run())
        try:
            yield door
        finally:
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() and not door.status.connected
            mine = {each for each in asyncio.all_tasks() - before if "TelegramDoor" in repr(each)}
            assert not mine

    return run
