"""The chat door: what Telegram has is kept, and only then confirmed."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from bot_api import BOT, section
from desks import Office

from subjectline.handlers import inbox
from subjectline.handlers.desk import Desk
from subjectline.handlers.inbox import Raw
from subjectline.handlers.senders.bot_line import BotLine
from subjectline.intake import telegram
from subjectline.intake.sandbox.telegram_emulator import Emulator, Query
from subjectline.intake.sandbox.telegram_emulator.webhook import Target
from subjectline.intake.telegram import TelegramDoor
from subjectline.models.errors import SettingsError
from subjectline.models.mail_settings import Finding
from subjectline.models.settings import TelegramSection
from subjectline.models.tables import DeadAddress, Message, RawInbox

HANA = 11
Running = Callable[[], AbstractAsyncContextManager[TelegramDoor]]


async def confirmed(emulator: Emulator) -> None:
    await emulator.until(lambda: not emulator.pending())


async def test_what_is_said_is_kept_sealed_and_then_confirmed(
    running: Running, emulator: Emulator, office: Office
) -> None:
    emulator.say(HANA, "전화번호가 바뀌었어요")
    async with running() as door:
        await confirmed(emulator)
    (row,) = await office.all(RawInbox)
    assert row.source_key == f"telegram:{BOT}:700000001"
    assert (row.lane, row.arrived_at, row.state) == (f"telegram:{HANA}", office.clock(), "new")
    assert row.body is not None and "전화번호" not in row.body.data.decode("utf-8", "replace")
    kept = json.loads(office.desk.vault.open(row.body))
    assert kept["message"]["text"] == "전화번호가 바뀌었어요"
    assert (door.status.last_ok, door.status.kept) == (office.clock(), 1)


async def test_nothing_is_confirmed_before_the_commit(
    running: Running, emulator: Emulator, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away three times: the update stays with Telegram, and is kept once."""
    tries: list[int] = []

    async def failing(desk: Desk, raws: Sequence[Raw]) -> None:
        if raws:
            tries.append(len(emulator.pending()))
        if raws and len(tries) <= 3:
            raise OSError("disk full, and somebody's words")
        await inbox.keep(desk, raws)

    monkeypatch.setattr(telegram, "keep", failing)
    emulator.say(HANA, "하나")
    async with running() as door:
        await confirmed(emulator)
    assert tries == [1, 1, 1, 1]
    assert len(await office.all(RawInbox)) == 1
    assert "words" not in door.status.last_error


async def test_killed_between_commit_and_confirmation(
    running: Running, emulator: Emulator, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, nothing doubled, wherever the door dies."""
    committed = asyncio.Event()

    async def dying(desk: Desk, raws: Sequence[Raw]) -> None:
        await inbox.keep(desk, raws)
        if raws:
            committed.set()
            await asyncio.Event().wait()

    for number in range(5):
        emulator.say(HANA + number % 2, f"말 {number}")
    with monkeypatch.context() as patched:
        patched.setattr(telegram, "keep", dying)
        async with running():
            await committed.wait()
    assert len(emulator.pending()) == 5 and len(await office.all(RawInbox)) == 5
    emulator.say(HANA, "말 5")
    async with running():
        await confirmed(emulator)
    assert len(await office.all(RawInbox)) == 6
    await office.work()
    texts = [m for m in await office.all(Message) if m.direction == "in"]
    assert [office.desk.vault.text(each.text) for each in texts] == [f"말 {n}" for n in range(6)]


async def test_killed_again_and_again(running: Running, emulator: Emulator, office: Office) -> None:
    for number in range(30):
        emulator.say(HANA, f"말 {number}")
        async with running():
            for _ in range(number):  # a different place each time
                await asyncio.sleep(0)
    async with running():
        await confirmed(emulator)
    assert len(await office.all(RawInbox)) == 30


async def test_an_answer_that_got_lost_brings_the_updates_again(
    running: Running, emulator: Emulator, office: Office
) -> None:
    emulator.say(HANA, "하나")
    emulator.fault("lost", "getUpdates")
    emulator.fault("server", "getUpdates", status=502)
    async with running():
        await confirmed(emulator)
    assert len(await office.all(RawInbox)) == 1


async def test_a_poisoned_update_holds_up_nobody(
    running: Running, emulator: Emulator, office: Office
) -> None:
    emulator.push({"update_id": 5, "message": {"text": {"no": "text"}, "date": "soon"}})
    emulator.push({"update_id": 6, "message": "a word"})
    emulator.push({"update_id": 7})
    emulator.say(HANA, "안녕하세요")
    async with running():
        await confirmed(emulator)
    await office.work()
    rows = {row.source_key: row for row in await office.all(RawInbox)}
    assert [row.state for row in rows.values()] == ["dead", "dead", "dead", "done"]
    dead = rows[f"telegram:{BOT}:5"]
    assert dead.reason == "this update is not as Telegram writes them" and dead.body is not None
    assert emulator.from_bot(HANA) == [] and office.tray.to(str(HANA))


async def test_ids_that_start_anew_after_a_quiet_week(
    running: Running, emulator: Emulator, office: Office
) -> None:
    """A remembered offset would confirm the lower ids unseen."""
    emulator.say(HANA, "먼저")
    async with running():
        await confirmed(emulator)
        emulator.push({"update_id": 17, "message": {"date": 1, "chat": {"id": HANA}}})
        await confirmed(emulator)
    assert {row.source_key for row in await office.all(RawInbox)} == {
        f"telegram:{BOT}:700000001",
        f"telegram:{BOT}:17",
    }


async def test_429_is_obeyed(door: TelegramDoor, emulator: Emulator) -> None:
    emulator.fault("flood", "getUpdates", retry_after=37)
    async with asyncio.TaskGroup() as aside:
        assert await door._until_lost(aside) == 37
    assert "37 s" in door.status.last_error and not door.status.connected


async def test_pauses_double_with_jitter_and_have_an_end(door: TelegramDoor) -> None:
    pauses = [door._pause(losses) for losses in range(1, 40)]
    assert all(0.005 * 2**n <= pause <= 0.01 * 2**n for n, pause in enumerate(pauses[:12]))
    assert max(pauses) <= 60


async def test_status_of_a_line_that_breaks_and_comes_back(
    running: Running, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.fault("server", "getUpdates", status=502, times=None)
    async with running() as door:
        await emulator.until(lambda: "cannot be reached" in door.status.last_error)
        assert not door.status.connected
        emulator.clear_faults()
        emulator.say(HANA, "하나")
        await confirmed(emulator)
        assert door.status.connected and door.status.last_error == ""
    assert "test-token" not in caplog.text and "하나" not in caplog.text


async def test_a_second_reader_is_named(
    running: Running, emulator: Emulator, door: TelegramDoor
) -> None:
    async with running() as first:
        await emulator.until(lambda: first.status.connected)
        async with running():
            await emulator.until(lambda: "another program" in first.status.last_error, 5)


async def test_a_webhook_is_taken_away_and_its_updates_are_fetched(
    running: Running, emulator: Emulator, office: Office, door: TelegramDoor
) -> None:
    await door.take_webhook("http://127.0.0.1:9/nobody")
    emulator.say(HANA, "하나")
    async with running():
        await confirmed(emulator)
    assert len(await office.all(RawInbox)) == 1


async def test_the_bot_introduces_itself_in_both_languages(
    running: Running, emulator: Emulator
) -> None:
    emulator.fault("flood", "setMyCommands", retry_after=0)
    emulator.fault("server", "setMyShortDescription")
    about = emulator.state.profile.short_descriptions
    async with running():
        await emulator.until(lambda: len(about) == 3)
    names = "start privacy access correct withdraw status cancel language help".split()
    for language, label in (("ko", "내 정보 열람"), ("en", "See my data"), ("", "내 정보 열람")):
        menu = emulator.commands(language)
        assert [each["command"] for each in menu] == names
        assert menu[2]["description"] == label
    assert "모먼트픽" in about["ko"] and "Moment Pick" in about["en"] and about[""] == about["ko"]


async def test_a_press_is_answered_after_the_commit(
    running: Running, emulator: Emulator, api: TelegramSection, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = asyncio.Event()

    async def slowly(desk: Desk, raws: Sequence[Raw]) -> None:
        assert not [call for call in emulator.calls if call.method == "answerCallbackQuery"]
        await inbox.keep(desk, raws)
        if raws:
            kept.set()

    monkeypatch.setattr(telegram, "keep", slowly)
    query = await _pressed(emulator, api)
    async with running():
        await emulator.until(lambda: query.answered)
    assert kept.is_set()


async def test_a_press_delivered_again_is_kept_once_and_harms_nothing(
    running: Running, emulator: Emulator, office: Office, api: TelegramSection
) -> None:
    query = await _pressed(emulator, api)
    (update,) = emulator.pending()
    async with running():
        await emulator.until(lambda: query.answered)
        await confirmed(emulator)
        emulator.push(update)
        answers = "answerCallbackQuery"
        await emulator.until(lambda: sum(c.method == answers for c in emulator.calls) == 2)
        await confirmed(emulator)
        assert emulator.calls[-1].error == 400
        emulator.say(HANA, "아직 있나요?")
        await confirmed(emulator)
    assert len(await office.all(RawInbox)) == 2


async def _pressed(emulator: Emulator, api: TelegramSection) -> Query:
    """A person presses a button of the bot's; only that is waiting."""
    emulator.say(HANA, "/start")
    line = BotLine(api)
    await line.write(HANA, "무엇을 도와 드릴까요?", [[{"text": "열람", "data": "right:access"}]])
    await line.close()
    emulator.state.updates.confirm(emulator.state.updates.pending)
    return emulator.click(HANA, HANA, emulator.from_bot(HANA)[0].message_id, "right:access")


async def test_a_block_is_told_and_kept_in_order(
    running: Running, emulator: Emulator, office: Office
) -> None:
    """The bot asks Telegram for these updates by name: without that they do not come."""
    async with running():
        emulator.say(HANA, "/start")
        await confirmed(emulator)
        for _ in range(2):
            emulator.block(HANA)
            emulator.unblock(HANA)
        emulator.block(HANA)
        await confirmed(emulator)
    await office.work()
    (mark,) = await office.all(DeadAddress)
    assert (mark.contact_kind, mark.cleared_at) == ("telegram", None)
    lanes = {row.lane for row in await office.all(RawInbox)}
    assert lanes == {f"telegram:{HANA}"}


async def test_doctor(
    door: TelegramDoor, emulator: Emulator, office: Office, api: TelegramSection
) -> None:
    good = await door.doctor()
    assert good.ok
    assert good.sentence == "telegram: the bot @privacy_desk_bot answers; updates are fetched."
    emulator.fault("unauthorized", "getMe")
    wrong = await door.doctor()
    assert not wrong.ok and "@BotFather" in wrong.sentence and "test-token" not in wrong.sentence
    away = await TelegramDoor(office.desk, section("http://127.0.0.1:9")).doctor()
    assert not away.ok and "cannot be reached" in away.sentence


async def test_a_groups_number_is_told(
    running: Running,
    emulator: Emulator,
    office: Office,
    api: TelegramSection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    emulator.group(-1007, "Agents", [HANA])
    async with running():
        await confirmed(emulator)
    assert "put into the group -1007" in caplog.text
    manner = replace(office.desk.manner, agents_group=-1007)
    desk = replace(office.desk, manner=manner)
    assert "The agents' group is Agents." in (await TelegramDoor(desk, api).doctor()).sentence
    emulator.block(-1007, by=HANA)
    desk = replace(desk, manner=replace(manner, agents_group=-9))
    assert not (await TelegramDoor(desk, api).doctor()).ok


async def test_doctor_looks_at_the_webhook(
    emulator: Emulator, office: Office, api: TelegramSection
) -> None:
    async def found(hook: str) -> Finding:
        return await TelegramDoor(office.desk, api, hook=hook).doctor()

    hook = "https://privacy.test/hooks/telegram"
    assert (await found(hook)).sentence.endswith(f"its webhook will be {hook}.")
    emulator.state.webhook.target = Target(hook, "", 1)  # set without deliveries
    assert await found(hook) == Finding(
        True, "telegram: the bot @privacy_desk_bot answers; its webhook is set."
    )
    assert "will be taken away" in (await found("")).sentence
    emulator.state.webhook.last_error = (int(office.clock().timestamp()), "Wrong response: 502")
    failed = await found(hook)
    assert not failed.ok and failed.sentence.endswith("failed lately: Wrong response: 502.")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://privacy.test/hooks/telegram", "https addresses only"),
        ("https://privacy.test:8080/", "the ports 80, 88, 443, 8443 only"),
        ("https:///hook", "names no host"),
        ("https://privacy.test:port/", "no address"),
    ],
)
async def test_an_address_that_telegram_would_not_call(
    emulator: Emulator, office: Office, api: TelegramSection, url: str, why: str
) -> None:
    found = await TelegramDoor(office.desk, api, hook=url).doctor()
    assert not found.ok and why in found.sentence


async def test_no_token(office: Office) -> None:
    with pytest.raises(SettingsError, match=r"telegram\.token"):
        TelegramDoor(office.desk, TelegramSection())


async def test_an_edited_message_arrives_when_it_was_edited(
    running: Running, emulator: Emulator, office: Office
) -> None:
    said = emulator.say(HANA, "주소")
    office.clock.at = datetime(2026, 11, 30, tzinfo=UTC)
    emulator.edit(HANA, said.message_id, "주소를 바꾸어 주세요")
    async with running():
        await confirmed(emulator)
    assert [row.arrived_at for row in await office.all(RawInbox)][1] == office.clock()
