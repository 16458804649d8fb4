"""What people do reaches the bot: getUpdates through python-telegram-bot."""

import asyncio

import pytest
from telegram import Bot, MessageEntity
from telegram.error import Conflict
from telegram.warnings import PTBUserWarning

from subjectline.intake.sandbox.telegram_emulator import Bounds, Emulator
from subjectline.models.clock import FrozenClock
from subjectline.models.errors import Refused

GROUP = -1_000_000_000_001


async def test_the_bot_knows_itself(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.is_bot, me.username) == (7000000002, True, "privacy_desk_bot")


async def test_an_update_stays_until_a_higher_offset_is_asked_for(
    bot: Bot, emulator: Emulator
) -> None:
    emulator.say(11, "first")
    emulator.say(11, "second")
    taken = await bot.get_updates()
    assert taken == await bot.get_updates()
    assert taken == await bot.get_updates(offset=taken[0].update_id)
    (left,) = await bot.get_updates(offset=taken[0].update_id + 1)
    assert left.message is not None and left.message.text == "second"
    assert await bot.get_updates(offset=left.update_id + 1) == ()
    assert emulator.pending() == []


async def test_limit_and_negative_offset(bot: Bot, emulator: Emulator) -> None:
    for word in ("a", "b", "c"):
        emulator.say(11, word)
    assert len(await bot.get_updates(limit=2)) == 2
    (last,) = await bot.get_updates(offset=-1)
    assert last.message is not None and last.message.text == "c"
    assert len(emulator.pending()) == 1


async def test_a_long_poll_ends_with_the_first_word(bot: Bot, emulator: Emulator) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=40))
    await _polling(emulator)
    emulator.say(11, "안녕하세요")
    (update,) = await poll
    assert update.message is not None and update.message.text == "안녕하세요"


async def test_a_long_poll_ends_when_the_emulator_closes(bot: Bot, emulator: Emulator) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=40))
    await _polling(emulator)
    await emulator.close()
    assert await poll == ()


async def test_the_second_poll_ends_the_first(bot: Bot, emulator: Emulator, base: str) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=40))
    await _polling(emulator)
    async with Bot(bot.token, base_url=f"{base}/bot") as other:
        second = asyncio.create_task(other.get_updates(timeout=40))
        with pytest.raises(Conflict, match="terminated by other getUpdates"):
            await first
        emulator.say(11, "hello")
        assert len(await second) == 1


async def test_dates_are_the_clocks(bot: Bot, emulator: Emulator, clock: FrozenClock) -> None:
    emulator.say(11, "hello")
    (update,) = await bot.get_updates()
    assert update.message is not None and update.message.date == clock()


async def test_a_command_is_an_entity_in_utf16_units(bot: Bot, emulator: Emulator) -> None:
    emulator.user(11, "하나", "ko")
    emulator.say(11, "/start proof")
    emulator.say(11, "🙂 /status")
    first, second = [update.message for update in await bot.get_updates()]
    assert first is not None and second is not None
    command = MessageEntity(MessageEntity.BOT_COMMAND, 0, 6)
    assert first.entities == (command,) and first.from_user is not None
    assert (first.from_user.first_name, first.from_user.language_code) == ("하나", "ko")
    assert second.parse_entity(second.entities[0]) == "/status"


async def test_contacts_own_of_nobody_and_of_another(bot: Bot, emulator: Emulator) -> None:
    emulator.share_contact(11, "+821000000011")
    emulator.share_contact(11, "+821000000012", whose="nobody")
    emulator.share_contact(11, "+821000000013", whose=13)
    emulator.share_contact(11, "+821000000011", forwarded_from=13)
    messages = [update.message for update in await bot.get_updates()]
    contacts = [each.contact for each in messages if each is not None]
    assert [each.user_id for each in contacts if each] == [11, None, 13, 11]
    forwarded = messages[3]
    assert forwarded is not None and forwarded.forward_origin is not None
    assert messages[0] is not None and messages[0].forward_origin is None


async def test_a_document_is_downloaded(bot: Bot, emulator: Emulator) -> None:
    emulator.send_document(11, "위임장.pdf", b"%PDF-1.7 paper", caption="power of attorney")
    (update,) = await bot.get_updates()
    assert update.message is not None and update.message.document is not None
    document = update.message.document
    assert (document.file_name, document.mime_type) == ("위임장.pdf", "application/pdf")
    file = await bot.get_file(document.file_id)
    assert bytes(await file.download_as_bytearray()) == b"%PDF-1.7 paper"


async def test_an_edit_and_a_reply(bot: Bot, emulator: Emulator) -> None:
    asked = await _bot_says(bot, emulator, "Which field?")
    answer = emulator.say(11, "fone", reply_to=asked)
    emulator.edit(11, answer.message_id, "phone")
    _, replied, edited = await bot.get_updates()
    assert replied.message is not None and replied.message.reply_to_message is not None
    assert replied.message.reply_to_message.message_id == asked
    assert edited.edited_message is not None and edited.edited_message.text == "phone"


async def test_only_the_kinds_that_the_bot_takes(bot: Bot, emulator: Emulator) -> None:
    await bot.get_updates(allowed_updates=["callback_query"])
    emulator.say(11, "unheard")
    assert await bot.get_updates() == ()
    await bot.get_updates(allowed_updates=[])
    emulator.say(11, "heard")
    assert len(await bot.get_updates()) == 1


async def test_in_a_group_the_bot_hears_what_is_meant_for_it(bot: Bot, emulator: Emulator) -> None:
    emulator.group(GROUP, "Agents", members=[21, 22])
    emulator.say(21, "good morning", chat=GROUP)
    emulator.say(21, "/queue", chat=GROUP)
    emulator.say(22, "@privacy_desk_bot hello", chat=GROUP)
    added, command, mention = await bot.get_updates()
    assert added.my_chat_member is not None
    assert added.my_chat_member.new_chat_member.status == "member"
    assert command.message is not None and command.message.chat.type == "supergroup"
    assert mention.effective_user is not None and mention.effective_user.id == 22


async def test_an_administrator_hears_all(bot: Bot, emulator: Emulator) -> None:
    emulator.group(GROUP, "Agents", members=[21], bot="administrator")
    emulator.say(21, "good morning", chat=GROUP)
    assert len(await bot.get_updates()) == 2


async def test_block_and_unblock_are_told(bot: Bot, emulator: Emulator) -> None:
    emulator.say(11, "hello")
    emulator.block(11)
    emulator.unblock(11)
    _, blocked, back = await bot.get_updates()
    assert blocked.my_chat_member is not None and back.my_chat_member is not None
    assert blocked.my_chat_member.new_chat_member.status == "kicked"
    assert blocked.my_chat_member.from_user.id == 11
    assert back.my_chat_member.new_chat_member.status == "member"


async def test_a_malformed_update_is_handed_out_as_it_is(emulator: Emulator, bot: Bot) -> None:
    emulator.push({"update_id": 5, "message": {"text": 17}})
    with pytest.warns(PTBUserWarning, match="getUpdates"):  # it would rather parse them itself
        raw = await bot.do_api_request("getUpdates")
    assert raw == [{"update_id": 5, "message": {"text": 17}}]


@pytest.mark.parametrize("bounds", [Bounds(pending=2)])
def test_pending_updates_are_bounded_and_never_dropped(emulator: Emulator) -> None:
    emulator.say(11, "one")
    emulator.say(11, "two")
    with pytest.raises(Refused, match="2 updates wait"):
        emulator.say(11, "three")
    assert len(emulator.pending()) == 2


async def _polling(emulator: Emulator) -> None:
    """Until a poll has arrived: it wakes older polls, which is a change."""
    await emulator.changed(emulator.version, 10)


async def _bot_says(bot: Bot, emulator: Emulator, text: str) -> int:
    emulator.say(11, "hello")
    return (await bot.send_message(11, text)).message_id
