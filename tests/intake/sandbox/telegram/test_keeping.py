"""The emulator stops and starts again: chats, people and what waits are still there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from bot_api import TOKEN, served
from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden

from subjectline.intake.sandbox.telegram_emulator import Emulator, create_emulator, keeping
from subjectline.models.clock import FrozenClock

HANA, DUL, GROUP = 11, 12, -100
Started = Callable[..., AbstractAsyncContextManager[tuple[Emulator, Bot]]]


@pytest.fixture
def started(clock: FrozenClock, tmp_path: Path) -> Started:
    """An emulator with its file and a bot; at the end closed, or (`killed`) just gone."""

    @asynccontextmanager
    async def start(killed: bool = False) -> AsyncIterator[tuple[Emulator, Bot]]:
        emulator = create_emulator(clock, TOKEN, keep=tmp_path / "telegram.json")
        keeping = asyncio.create_task(emulator.keep())
        async with served(emulator.app) as root:
            async with Bot(TOKEN, base_url=f"{root}/bot", base_file_url=f"{root}/f") as bot:
                yield emulator, bot
            if killed:
                emulator._memory = None
            await emulator.close()
        keeping.cancel()
        await asyncio.wait([keeping])

    return start


async def test_old_chats_can_be_written_to_and_old_buttons_pressed(started: Started) -> None:
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("열람", callback_data="right:access")]])
    async with started() as (emulator, bot):
        emulator.user(HANA, "하나", "ko")
        emulator.say(HANA, "/start")
        emulator.say(DUL, "/start")
        emulator.block(DUL)
        emulator.group(GROUP, "Agents", [HANA])
        emulator.send_document(HANA, "papers.pdf", b"%PDF")
        await bot.set_my_commands([BotCommand("start", "시작")], language_code="ko")
        sent = await bot.send_message(HANA, "무엇을 도와 드릴까요?", reply_markup=keys)
        offset = (await bot.get_updates())[-1].update_id + 1
        await bot.get_updates(offset)
        emulator.say(HANA, "기다리는 말")
    async with started() as (emulator, bot):
        (waiting,) = await bot.get_updates()
        assert waiting.message is not None and waiting.message.text == "기다리는 말"
        assert waiting.message.from_user is not None
        assert waiting.message.from_user.first_name == "하나"
        assert [each.text for each in emulator.messages(HANA)][-1] == "기다리는 말"
        await bot.edit_message_text("바뀐 말", chat_id=HANA, message_id=sent.message_id)
        await bot.edit_message_reply_markup(HANA, sent.message_id, reply_markup=keys)
        query = emulator.click(HANA, HANA, sent.message_id, "right:access")
        assert await bot.answer_callback_query(query.id, "네")
        assert (await bot.send_message(GROUP, "모두에게")).chat.title == "Agents"
        with pytest.raises(Forbidden, match="blocked"):
            await bot.send_message(DUL, "안녕하세요")
        assert emulator.commands("ko")[0]["command"] == "start"


async def test_numbers_go_on(started: Started) -> None:
    """An update with an old number would be taken for one that was handled."""
    async with started() as (emulator, _):
        last = emulator.say(HANA, "/start").message_id
        ids = [each["update_id"] for each in emulator.pending()]
    async with started() as (emulator, _):
        assert emulator.say(HANA, "하나").message_id == last + 1
        assert [each["update_id"] for each in emulator.pending()] == [*ids, ids[-1] + 1]


async def test_after_a_kill_no_number_is_given_twice(
    started: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "PAUSE", 0.0)
    file = tmp_path / "telegram.json"
    async with started(killed=True) as (emulator, bot):
        emulator.say(HANA, "/start")
        while "/start" not in file.read_text():
            await bot.get_me()
        monkeypatch.setattr(keeping.Memory, "save", lambda *_, **__: None)  # the power goes
        emulator.say(HANA, "nobody kept this")
        lost = emulator.pending()[-1]["update_id"]
    monkeypatch.undo()
    async with started() as (emulator, bot):
        assert [each.text for each in emulator.messages(HANA)] == ["/start"]
        emulator.say(HANA, "하나")
        assert lost < emulator.pending()[-1]["update_id"] <= lost + keeping.LEAP
        assert (await bot.send_message(HANA, "네")).message_id > 2


async def test_files_are_not_kept_and_said_to_be_gone(started: Started) -> None:
    async with started() as (emulator, bot):
        said = emulator.send_document(HANA, "papers.pdf", b"%PDF")
        assert said.document is not None
        await bot.get_file(said.document.file_id)
    async with started() as (_, bot):
        with pytest.raises(BadRequest, match="file_id"):
            await bot.get_file(said.document.file_id)
