"""Each fault as python-telegram-bot meets it."""

import asyncio
from datetime import timedelta

import pytest
from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)

from subjectline.intake.sandbox.telegram_emulator import Emulator
from subjectline.intake.sandbox.telegram_emulator.limits import FloodLimits
from subjectline.models.errors import BadInput

pytestmark = pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")


@pytest.fixture(autouse=True)
def known(emulator: Emulator) -> None:
    emulator.say(11, "/start")
    emulator.say(12, "/start")


def texts(emulator: Emulator, chat: int = 11) -> list[str]:
    return [each.text for each in emulator.from_bot(chat)]


async def test_429_names_the_seconds_and_nothing_is_sent(bot: Bot, emulator: Emulator) -> None:
    emulator.fault("flood", retry_after=7)
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(11, "hello")
    waited = caught.value._retry_after  # the public attribute changes its type with a setting
    assert waited == timedelta(seconds=7)
    assert texts(emulator) == []
    await bot.send_message(11, "hello")
    assert texts(emulator) == ["hello"]


async def test_a_fault_for_one_method_in_one_chat(bot: Bot, emulator: Emulator) -> None:
    emulator.fault("blocked", "sendMessage", chat=12, times=2)
    await bot.send_message(11, "hello")
    await bot.get_me()
    for _ in range(2):
        with pytest.raises(Forbidden):
            await bot.send_message(12, "hello")
    await bot.send_message(12, "hello")
    assert [call.fault for call in emulator.calls if call.method == "sendMessage"] == [
        "",
        "blocked",
        "blocked",
        "",
    ]


async def test_a_fault_lasts_until_taken_back(bot: Bot, emulator: Emulator) -> None:
    emulator.fault("server", "sendmessage", status=500, times=None)
    for _ in range(3):
        with pytest.raises(NetworkError, match="500"):
            await bot.send_message(11, "hello")
    emulator.clear_faults()
    assert await bot.send_message(11, "hello")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_5xx_is_a_page_and_nothing_is_done(bot: Bot, emulator: Emulator, status: int) -> None:
    emulator.fault("server", status=status)
    with pytest.raises(NetworkError) as caught:
        await bot.send_message(11, "hello")
    assert not isinstance(caught.value, BadRequest | TimedOut)
    assert texts(emulator) == []


async def test_a_time_out_does_nothing(bot: Bot, emulator: Emulator) -> None:
    emulator.fault("timeout", seconds=30)
    with pytest.raises(TimedOut):
        await bot.send_message(11, "hello", read_timeout=0.2)
    assert texts(emulator) == []


async def test_a_lost_answer_was_done_all_the_same(bot: Bot, emulator: Emulator) -> None:
    emulator.fault("lost", "sendMessage", seconds=30)
    emulator.fault("lost", "sendMessage")
    with pytest.raises(TimedOut):
        await bot.send_message(11, "first", read_timeout=0.2)
    with pytest.raises(NetworkError, match="504"):
        await bot.send_message(11, "second")
    assert texts(emulator) == ["first", "second"]


async def test_lost_updates_come_again(bot: Bot, emulator: Emulator) -> None:
    emulator.fault("lost", "getUpdates")
    with pytest.raises(NetworkError):
        await bot.get_updates()
    assert len(await bot.get_updates()) == 2


async def test_closing_frees_who_waits(bot: Bot, emulator: Emulator) -> None:
    emulator.fault("timeout", seconds=600)
    version = emulator.version
    call = asyncio.create_task(bot.send_message(11, "hello", read_timeout=60))
    await emulator.changed(version, 10)
    await emulator.close()
    with pytest.raises(NetworkError):
        await call


async def test_unauthorized_and_migrated(bot: Bot, emulator: Emulator) -> None:
    emulator.fault("unauthorized", "getMe")
    with pytest.raises(InvalidToken):
        await bot.get_me()
    emulator.fault("migrated", new_chat=-1_000_000_000_009)
    with pytest.raises(ChatMigrated) as caught:
        await bot.send_message(11, "hello")
    assert caught.value.new_chat_id == -1_000_000_000_009


def test_a_fault_that_is_none(emulator: Emulator) -> None:
    with pytest.raises(BadInput, match="No such fault"):
        emulator.fault("earthquake")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="new id"):
        emulator.fault("migrated")


async def test_flood_limits_when_asked_for(bot: Bot, emulator: Emulator) -> None:
    emulator.state.flood_limits = True
    await bot.send_message(11, "one")
    with pytest.raises(RetryAfter):
        await bot.send_message(11, "two")
    await bot.send_message(12, "another chat")
    assert texts(emulator) == ["one"]


def test_the_limits_are_telegrams() -> None:
    now = [100.0]
    limits = FloodLimits(lambda: now[0])
    for chat in range(1, 31):
        assert limits.retry_after(chat) == 0
        limits.count(chat)
    assert limits.retry_after(99) == 1  # 30 a second in all
    now[0] += 1
    assert limits.retry_after(1) == 0
    for _ in range(20):
        limits.count(-5)
        now[0] += 1.0
    assert limits.retry_after(-5) == 40  # 20 a minute to a group
