"""What the bot sends, changes and takes away, through python-telegram-bot."""

from datetime import timedelta

import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllPrivateChats,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    LinkPreviewOptions,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
)
from telegram.constants import ChatAction
from telegram.error import BadRequest, Forbidden, NetworkError

from subjectline.intake.sandbox.telegram_emulator import Bounds, Button, Emulator
from subjectline.models.clock import FrozenClock
from subjectline.models.errors import IllegalMove, NotPermitted

GROUP = -1_000_000_000_001
CHOICE = InlineKeyboardMarkup(
    [
        [InlineKeyboardButton("전화번호", callback_data="field:phone")],
        [InlineKeyboardButton("Help", url="http://127.0.0.1/help")],
    ]
)


@pytest.fixture(autouse=True)
def known(emulator: Emulator) -> None:
    emulator.say(11, "/start")


async def test_a_message_is_seen_by_the_person(bot: Bot, emulator: Emulator) -> None:
    sent = await bot.send_message(
        11,
        "  문의하신 내용입니다.  ",
        protect_content=True,
        link_preview_options=LinkPreviewOptions(is_disabled=True),
    )
    seen = await emulator.wait_for(11, 1)
    assert (seen.text, seen.protected) == ("문의하신 내용입니다.", True)
    assert sent.has_protected_content and sent.message_id == seen.message_id == 2


async def test_html_becomes_entities(bot: Bot, emulator: Emulator) -> None:
    sent = await bot.send_message(
        11, '🙂 <b>DL-1</b> &lt;due&gt; <a href="http://127.0.0.1/s">page</a>', parse_mode="HTML"
    )
    assert sent.text == "🙂 DL-1 <due> page"
    assert [sent.parse_entity(each) for each in sent.entities] == ["DL-1", "page"]
    assert sent.entities[1].url == "http://127.0.0.1/s"
    with pytest.raises(BadRequest, match="Can't parse entities"):
        await bot.send_message(11, "<b>open", parse_mode="HTML")
    with pytest.raises(BadRequest, match="Can't parse entities"):
        await bot.send_message(11, "<script>", parse_mode="HTML")
    with pytest.raises(BadRequest, match="Can't parse entities"):
        await bot.send_message(11, "closed</b>", parse_mode="HTML")
    with pytest.raises(BadRequest, match="html only"):
        await bot.send_message(11, "*bold*", parse_mode="MarkdownV2")


@pytest.mark.parametrize(
    ("text", "why"), [(" ", "Message text is empty"), ("🙂" * 2049, "Message is too long")]
)
async def test_a_text_has_1_to_4096_units(bot: Bot, text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        await bot.send_message(11, text)
    assert (await bot.send_message(11, "🙂" * 2048)).text


async def test_a_stranger_cannot_be_written_to(bot: Bot, emulator: Emulator) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(12, "hello")
    emulator.user(12, "Silent")
    with pytest.raises(Forbidden, match="can't initiate conversation"):
        await bot.send_message(12, "hello")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message("@somebody", "hello")


async def test_blocked_means_403_until_unblocked(bot: Bot, emulator: Emulator) -> None:
    emulator.block(11)
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(11, "hello")
    with pytest.raises(NotPermitted):
        emulator.say(11, "hello?")
    emulator.unblock(11)
    assert (await bot.send_message(11, "hello")).text == "hello"


async def test_removed_from_a_group_means_403(bot: Bot, emulator: Emulator) -> None:
    emulator.group(GROUP, "Agents", members=[21])
    await bot.send_message(GROUP, "A proposal waits.")
    emulator.block(GROUP, by=21)
    with pytest.raises(Forbidden, match="kicked from the supergroup"):
        await bot.send_message(GROUP, "Another one.")


async def test_a_reply_names_its_message(bot: Bot) -> None:
    sent = await bot.send_message(11, "yes", reply_parameters=ReplyParameters(1))
    assert sent.reply_to_message is not None and sent.reply_to_message.text == "/start"
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(11, "yes", reply_parameters=ReplyParameters(99))
    lenient = ReplyParameters(99, allow_sending_without_reply=True)
    assert (await bot.send_message(11, "yes", reply_parameters=lenient)).reply_to_message is None


async def test_a_click_and_its_answer(bot: Bot, emulator: Emulator) -> None:
    sent = await bot.send_message(11, "어느 항목입니까?", reply_markup=CHOICE)
    assert sent.reply_markup == CHOICE
    query = emulator.click(11, 11, sent.message_id, label="전화번호")
    update = (await bot.get_updates())[-1]
    assert update.callback_query is not None and update.callback_query.message is not None
    assert (update.callback_query.data, update.callback_query.id) == ("field:phone", query.id)
    assert update.callback_query.chat_instance
    assert update.callback_query.message.message_id == sent.message_id
    await update.callback_query.answer("확인했습니다.", show_alert=True)
    assert (query.answered, query.text, query.alert) == (True, "확인했습니다.", True)
    with pytest.raises(BadRequest, match="Query is too old"):
        await update.callback_query.answer()


async def test_a_click_is_answered_in_time(
    bot: Bot, emulator: Emulator, clock: FrozenClock
) -> None:
    sent = await bot.send_message(11, "?", reply_markup=CHOICE)
    query = emulator.click(11, 11, sent.message_id, "field:phone")
    clock.advance(timedelta(hours=1))
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(query.id)


async def test_only_what_is_there_can_be_clicked(bot: Bot, emulator: Emulator) -> None:
    sent = await bot.send_message(11, "?", reply_markup=CHOICE)
    for data, label in (("field:email", None), (None, "Help"), (None, None)):
        with pytest.raises(IllegalMove, match="no such button"):
            emulator.click(11, 11, sent.message_id, data, label=label)
    emulator.group(GROUP, "Agents", members=[21])
    posted = await bot.send_message(GROUP, "?", reply_markup=CHOICE)
    with pytest.raises(NotPermitted):
        emulator.click(22, GROUP, posted.message_id, "field:phone")
    assert emulator.click(21, GROUP, posted.message_id, "field:phone").user == 21


@pytest.mark.parametrize("data", ["가" * 22, "x" * 65])
async def test_callback_data_has_64_bytes_at_most(bot: Bot, data: str) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("ok", callback_data=data)]])
    with pytest.raises(BadRequest, match="Button_data_invalid"):
        await bot.send_message(11, "?", reply_markup=keyboard)
    full = InlineKeyboardMarkup([[InlineKeyboardButton("ok", callback_data="x" * 64)]])
    assert await bot.send_message(11, "?", reply_markup=full)


async def test_a_contact_keyboard_stands_until_removed(bot: Bot, emulator: Emulator) -> None:
    keys = ReplyKeyboardMarkup([[KeyboardButton("Share my number", request_contact=True), "No"]])
    sent = await bot.send_message(11, "?", reply_markup=keys)
    assert sent.reply_markup is None
    assert emulator.keyboard(11) == ((Button("Share my number", asks_contact=True), Button("No")),)
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("!", 11, sent.message_id)
    await bot.send_message(11, "Thank you.", reply_markup=ReplyKeyboardRemove())
    assert emulator.keyboard(11) == ()


async def test_a_contact_is_asked_for_in_private_only(bot: Bot, emulator: Emulator) -> None:
    emulator.group(GROUP, "Agents", members=[21])
    keys = ReplyKeyboardMarkup([[KeyboardButton("Number", request_contact=True)]])
    with pytest.raises(BadRequest, match="private chats only"):
        await bot.send_message(GROUP, "?", reply_markup=keys)
    assert await bot.send_message(GROUP, "?", reply_markup=ForceReply(selective=True))


async def test_text_and_keyboard_are_edited(
    bot: Bot, emulator: Emulator, clock: FrozenClock
) -> None:
    sent = await bot.send_message(11, "Choose", reply_markup=CHOICE)
    clock.advance(timedelta(minutes=1))
    edited = await bot.edit_message_text("Chosen: phone", 11, sent.message_id)
    assert not isinstance(edited, bool) and edited.edit_date == clock()
    (seen,) = emulator.messages(11, after=1)
    assert (seen.text, seen.buttons) == ("Chosen: phone", ())
    await bot.edit_message_reply_markup(11, sent.message_id, reply_markup=CHOICE)
    assert len(emulator.messages(11)[-1].buttons) == 2
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_reply_markup(11, sent.message_id, reply_markup=CHOICE)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_text("Chosen: phone", 11, sent.message_id, reply_markup=CHOICE)


async def test_only_own_texts_that_are_there_are_edited(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("mine", 11, 1)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("mine", 11, 99)
    paper = await bot.send_document(11, b"x", filename="x.txt")
    with pytest.raises(BadRequest, match="no text in the message"):
        await bot.edit_message_text("mine", 11, paper.message_id)


async def test_what_the_bot_deletes_is_gone(bot: Bot, emulator: Emulator) -> None:
    code = emulator.say(11, "482913")
    assert await bot.delete_message(11, code.message_id)
    assert "482913" not in [each.text for each in emulator.messages(11)]
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(11, code.message_id)
    assert await bot.delete_messages(11, [1, code.message_id])
    assert emulator.messages(11) == []


async def test_after_48_hours_nothing_is_deleted(
    bot: Bot, emulator: Emulator, clock: FrozenClock
) -> None:
    clock.advance(timedelta(hours=49))
    with pytest.raises(BadRequest, match="can't be deleted"):
        await bot.delete_message(11, 1)
    await bot.delete_messages(11, [1])
    assert len(emulator.messages(11)) == 1


async def test_others_messages_in_a_group_need_an_administrator(
    bot: Bot, emulator: Emulator
) -> None:
    emulator.group(GROUP, "Agents", members=[21])
    word = emulator.say(21, "010-0000-0000", chat=GROUP)
    with pytest.raises(BadRequest, match="can't be deleted"):
        await bot.delete_message(GROUP, word.message_id)
    emulator.group(GROUP, "Agents", members=[21], bot="administrator")
    assert await bot.delete_message(GROUP, word.message_id)


async def test_a_document_by_bytes_and_by_id(bot: Bot, emulator: Emulator) -> None:
    sent = await bot.send_document(
        11, b"{}", filename="사본.json", caption="<b>Copy</b>", parse_mode="HTML"
    )
    assert sent.document is not None and sent.caption == "Copy" and sent.caption_entities
    again = await bot.send_document(11, sent.document.file_id, protect_content=True)
    assert again.document is not None
    assert again.document.file_unique_id == sent.document.file_unique_id
    seen = emulator.from_bot(11)[0]
    assert seen.document is not None and seen.document.name == "사본.json"
    with pytest.raises(BadRequest, match="Wrong file identifier"):
        await bot.send_document(11, "http://127.0.0.1/paper.pdf")
    with pytest.raises(BadRequest, match="non-empty"):
        await bot.send_document(11, b"", filename="empty.txt")
    with pytest.raises(BadRequest, match="caption is too long"):
        await bot.send_document(11, b"x", filename="x.txt", caption="x" * 1025)


async def test_too_large_a_document(bot: Bot, emulator: Emulator) -> None:
    with pytest.raises(NetworkError, match="Request Entity Too Large"):
        await bot.send_document(11, bytes(50 * 2**20 + 1), filename="big.bin", write_timeout=60)
    big = emulator.send_document(11, "big.pdf", bytes(20 * 2**20 + 1))
    assert big.document is not None
    with pytest.raises(BadRequest, match="File is too big"):
        await bot.get_file(big.document.file_id)


@pytest.mark.parametrize("bounds", [Bounds(file_bytes=8, messages=3)])
async def test_old_files_and_messages_go(bot: Bot, emulator: Emulator) -> None:
    first = emulator.send_document(11, "a.pdf", b"12345678").document
    second = emulator.send_document(11, "b.pdf", b"12345678").document
    assert first is not None and second is not None
    with pytest.raises(BadRequest, match="Invalid file_id"):
        await bot.get_file(first.file_id)
    assert (await bot.get_file(second.file_id)).file_size == 8
    emulator.say(11, "more")
    assert [each.message_id for each in emulator.messages(11)] == [2, 3, 4]


async def test_chats_and_their_members(bot: Bot, emulator: Emulator) -> None:
    emulator.group(GROUP, "상담원", members=[21], bot="administrator")
    assert (await bot.get_chat(11)).type == "private"
    assert (await bot.get_chat(GROUP)).title == "상담원"
    assert (await bot.get_chat_member(GROUP, 21)).status == "member"
    assert (await bot.get_chat_member(GROUP, bot.id)).status == "administrator"
    assert (await bot.get_chat_member(GROUP, 11)).status == "left"
    emulator.join(GROUP, 21, "left")
    assert (await bot.get_chat_member(GROUP, 21)).status == "left"
    emulator.join(GROUP, 21, "creator")
    assert (await bot.get_chat_member(GROUP, 21)).status == "creator"
    with pytest.raises(BadRequest, match="Member not found"):
        await bot.get_chat_member(GROUP, 99)
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.get_chat(99)


async def test_chat_action(bot: Bot) -> None:
    assert await bot.send_chat_action(11, ChatAction.TYPING)
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_chat_action(12, ChatAction.TYPING)


async def test_commands_by_language(bot: Bot, emulator: Emulator) -> None:
    await bot.set_my_commands([BotCommand("status", "Where my request stands")])
    await bot.set_my_commands([BotCommand("status", "진행 상황")], language_code="ko")
    assert emulator.commands("ko") == [{"command": "status", "description": "진행 상황"}]
    assert emulator.commands("fr")[0]["description"] == "Where my request stands"
    assert (await bot.get_my_commands(language_code="ko"))[0].description == "진행 상황"
    scope = BotCommandScopeAllPrivateChats()
    await bot.set_my_commands([("cancel", "Withdraw")], scope=scope)
    assert emulator.commands("fr")[0]["command"] == "cancel"
    await bot.delete_my_commands(scope=scope)
    assert emulator.commands("fr")[0]["command"] == "status"
    with pytest.raises(BadRequest, match="Bot_command_invalid"):
        await bot.set_my_commands([("Status", "no capitals")])
    with pytest.raises(BadRequest, match="Lang_code_invalid"):
        await bot.set_my_commands([("status", "x")], language_code="korean")


async def test_descriptions_by_language(bot: Bot) -> None:
    await bot.set_my_description("Privacy requests")
    await bot.set_my_description("개인정보 요청", language_code="ko")
    await bot.set_my_short_description("Requests")
    assert (await bot.get_my_description("ko")).description == "개인정보 요청"
    assert (await bot.get_my_description("fr")).description == "Privacy requests"
    assert (await bot.get_my_short_description()).short_description == "Requests"
    with pytest.raises(BadRequest, match="too long"):
        await bot.set_my_description("x" * 513)
