"""The people's side: the Python API, waiting, and the same over HTTP."""

import asyncio
import base64

import httpx
import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import ApplicationBuilder, CommandHandler, ContextTypes

from subjectline.intake.sandbox.telegram_emulator import Bounds, Emulator, create_emulator
from subjectline.models.clock import system_clock
from subjectline.models.errors import BadInput, IllegalMove, NotPermitted, Refused

GROUP = -1_000_000_000_001


async def test_a_whole_application_polls_and_answers(base: str, emulator: Emulator) -> None:
    async def start(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        await update.message.reply_text("반갑습니다.")

    builder = ApplicationBuilder().token(emulator.token)
    app = builder.base_url(f"{base}/bot").base_file_url(f"{base}/file/bot").build()
    app.add_handler(CommandHandler("start", start))
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling(timeout=20)
        said = emulator.say(11, "/start")
        assert (await emulator.wait_for(11, said.message_id)).text == "반갑습니다."
        await emulator.close()
        await app.updater.stop()
        await app.stop()


async def test_waiting_ends_in_time(emulator: Emulator) -> None:
    with pytest.raises(TimeoutError):
        await emulator.wait_for(11, timeout=0.01)
    assert await emulator.changed(emulator.version, 0.01) == emulator.version


async def test_a_change_wakes_everyone(bot: Bot, emulator: Emulator) -> None:
    version = emulator.version
    waits = [asyncio.create_task(emulator.changed(version, 10)) for _ in range(3)]
    emulator.say(11, "hello")
    assert all(seen > version for seen in await asyncio.gather(*waits))


def test_what_people_cannot_do(emulator: Emulator) -> None:
    word = emulator.say(11, "hello")
    with pytest.raises(BadInput, match="some text"):
        emulator.say(11, "  ")
    with pytest.raises(BadInput, match="too long"):
        emulator.say(11, "x" * 4097)
    with pytest.raises(NotPermitted, match="not in that chat"):
        emulator.say(12, "hello", chat=11)
    with pytest.raises(NotPermitted, match="Only its writer"):
        emulator.edit(12, word.message_id, "bye", chat=11)
    with pytest.raises(IllegalMove, match="not there"):
        emulator.click(11, 11, 99, "x")
    with pytest.raises(BadInput, match="below zero"):
        emulator.group(5, "Agents")
    with pytest.raises(BadInput, match="above zero"):
        emulator.user(-5)
    with pytest.raises(BadInput, match="No such chat"):
        emulator.join(GROUP, 11)
    with pytest.raises(BadInput, match="update_id"):
        emulator.push({"message": {}})
    with pytest.raises(BadInput, match="bot token"):
        create_emulator(system_clock, "no-token")


@pytest.mark.parametrize("bounds", [Bounds(people=2, queries=1, calls=2)])
async def test_people_queries_and_calls_are_bounded(bot: Bot, emulator: Emulator) -> None:
    emulator.say(11, "hello")
    emulator.say(12, "hello")
    with pytest.raises(Refused, match="2 people"):
        emulator.say(13, "hello")
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("ok", callback_data="ok")]])
    sent = await bot.send_message(11, "?", reply_markup=keys)
    first, second = (emulator.click(11, 11, sent.message_id, "ok") for _ in range(2))
    world = emulator.state.world
    assert (world.query(first.id), world.query(second.id)) == (None, second)
    await bot.get_me()
    assert [call.method for call in emulator.calls] == ["sendMessage", "getMe"]


async def test_calls_are_kept_without_the_bytes(bot: Bot, emulator: Emulator) -> None:
    emulator.say(11, "hello")
    await bot.send_document(11, b"12345", filename="copy.json")
    call = emulator.calls[-1]
    assert (call.method, call.error) == ("sendDocument", 0)
    assert "<file copy.json, 5 bytes>" in call.parameters.values()


async def test_everything_over_http(http: httpx.AsyncClient, bot: Bot, emulator: Emulator) -> None:
    async def act(action: str, **body: object) -> object:
        answer = await http.post(f"/control/{action}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    await act("user", user=11, first_name="하나", language="ko")
    await act("group", chat=GROUP, title="Agents", members=[21])
    await act("join", chat=GROUP, user=22)
    await act("say", user=11, text="hello")
    await act("share_contact", user=11, phone_number="+821000000011", whose="nobody")
    paper = base64.b64encode(b"paper").decode()
    await act("send_document", user=11, name="a.pdf", data=paper)
    await act("edit", user=11, message_id=1, text="hello again")
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("ok", callback_data="ok")]])
    sent = await bot.send_message(11, "?", reply_markup=keys)
    await act("click", user=11, chat=11, message_id=sent.message_id, label="ok")
    await act("push", update={"update_id": 1})
    await act("block", chat=11)
    await act("unblock", chat=11)
    await act("fault", kind="flood", times=None)
    await act("clear_faults")
    kinds = [next(key for key in (*each, "") if key != "update_id") for each in emulator.pending()]
    assert kinds == [
        "my_chat_member",
        "message",
        "message",
        "message",
        "edited_message",
        "callback_query",
        "",
        "my_chat_member",
        "my_chat_member",
    ]


async def test_messages_and_state_over_http(
    http: httpx.AsyncClient, bot: Bot, emulator: Emulator
) -> None:
    emulator.say(11, "hello")
    wait = asyncio.create_task(http.get("/control/messages?chat=11&after=1&wait=10"))
    await bot.send_message(11, "hello")
    (message,) = (await wait).json()["result"]
    assert message["text"] == "hello"
    assert (await http.get("/control/messages?chat=12")).json() == {"result": []}
    assert (await http.get("/control/messages")).status_code == 422
    state = (await http.get("/control/state")).json()
    assert len(state["pending"]) == 1 and state["calls"][-1]["method"] == "sendMessage"


async def test_the_control_plane_refuses(http: httpx.AsyncClient) -> None:
    assert (await http.post("/control/nothing", json={})).status_code == 404
    assert (await http.post("/control/say", data={"user": "11"})).status_code == 415
    assert (await http.post("/control/say", json={"user": 11})).status_code == 422
    refused = await http.post("/control/say", json={"user": 11, "text": " "})
    assert refused.status_code == 409 and "some text" in refused.json()["error"]
