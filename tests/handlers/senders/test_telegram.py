"""Letters out by Telegram, over HTTP to the emulator."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from bot_api import section
from desks import Office

from subjectline.handlers.outbox import Parcel
from subjectline.handlers.senders.bot_line import BotLine
from subjectline.handlers.senders.telegram import LONGEST, Pacer, TelegramSender, in_pieces
from subjectline.intake.sandbox.telegram_emulator import Emulator
from subjectline.models.errors import (
    ChatClosed,
    PermanentSendError,
    SettingsError,
    TemporarySendError,
)
from subjectline.models.incoming import Door
from subjectline.models.settings import TelegramSection
from subjectline.models.tables import Outbox

HANA = 11
Letter = Callable[..., Parcel]


@pytest.fixture
async def sender(api: TelegramSection) -> AsyncIterator[TelegramSender]:
    made = TelegramSender(api)
    yield made
    await made.close()


@pytest.fixture
def letter() -> Letter:
    numbers = iter(range(1000))

    def make(text: str = "안녕하세요.", **more: object) -> Parcel:
        parts = {"recipient": str(HANA), "message_id": f"<{next(numbers)}@desk.test>"} | more
        return Parcel(door=Door.TELEGRAM, subject="", text=text, html="", **parts)  # type: ignore[arg-type]

    return make


async def test_a_letter_stands_in_the_chat_and_cannot_be_passed_on(
    sender: TelegramSender, emulator: Emulator, letter: Letter
) -> None:
    emulator.say(HANA, "/start")
    keyboard = [
        [{"text": "내 정보 열람", "data": "right:access"}],
        [{"text": "보안 페이지", "url": "https://desk.test/m/x"}],
    ]
    await sender.send(letter("<b>안녕</b> & *하세요*", keyboard=keyboard))
    (message,) = emulator.from_bot(HANA)
    assert message.text == "<b>안녕</b> & *하세요*"
    assert message.protected
    assert [[(b.text, b.data, b.url) for b in row] for row in message.buttons] == [
        [("내 정보 열람", "right:access", "")],
        [("보안 페이지", "", "https://desk.test/m/x")],
    ]


async def test_no_preview_opens_a_one_time_link(
    sender: TelegramSender, emulator: Emulator, letter: Letter
) -> None:
    emulator.say(HANA, "/start")
    await sender.send(letter("https://desk.test/m/abc"))
    sent = next(call for call in emulator.calls if call.method == "sendMessage")
    assert "is_disabled" in str(sent.parameters["link_preview_options"])


async def test_what_carried_a_value_is_deleted_afterwards(
    sender: TelegramSender, emulator: Emulator, letter: Letter
) -> None:
    said = emulator.say(HANA, "123456")
    await sender.send(letter("고맙습니다.", forget=said.message_id))
    assert [each.text for each in emulator.messages(HANA)] == ["고맙습니다."]


async def test_an_empty_letter_only_deletes_and_twice_is_no_harm(
    sender: TelegramSender, emulator: Emulator, letter: Letter
) -> None:
    said = emulator.say(HANA, "123456")
    for _ in range(2):
        await sender.send(letter("", forget=said.message_id))
    assert emulator.messages(HANA) == []
    assert [call.method for call in emulator.calls] == ["deleteMessage"] * 2


async def test_a_deletion_that_fails_does_not_double_the_letter(
    sender: TelegramSender, emulator: Emulator, letter: Letter
) -> None:
    said = emulator.say(HANA, "123456")
    emulator.fault("server", "deleteMessage")
    parcel = letter("고맙습니다.", forget=said.message_id)
    with pytest.raises(TemporarySendError, match="deleteMessage"):
        await sender.send(parcel)
    await sender.send(parcel)
    assert [each.text for each in emulator.messages(HANA)] == ["고맙습니다."]


async def test_429_names_the_seconds_and_holds_the_chat_back(
    sender: TelegramSender, emulator: Emulator, letter: Letter
) -> None:
    emulator.say(HANA, "/start")
    emulator.fault("flood", "sendMessage", retry_after=17)
    with pytest.raises(TemporarySendError) as first:
        await sender.send(letter())
    assert first.value.after == 17
    with pytest.raises(TemporarySendError) as second:
        await sender.send(letter())
    assert second.value.after is not None and 15 < second.value.after <= 17
    assert len(emulator.calls) == 1


async def test_429_on_a_deletion_is_obeyed(
    sender: TelegramSender, emulator: Emulator, letter: Letter
) -> None:
    said = emulator.say(HANA, "123456")
    emulator.fault("flood", "deleteMessage", retry_after=3)
    with pytest.raises(TemporarySendError) as wrong:
        await sender.send(letter("", forget=said.message_id))
    assert wrong.value.after == 3


async def test_who_blocked_the_bot_is_not_written_to_again(
    sender: TelegramSender, emulator: Emulator, letter: Letter
) -> None:
    emulator.say(HANA, "/start")
    emulator.block(HANA)
    with pytest.raises(ChatClosed, match="blocked by the user"):
        await sender.send(letter())
    emulator.unblock(HANA)
    await sender.send(letter())
    assert len(emulator.from_bot(HANA)) == 1


async def test_a_deletion_in_a_closed_chat_is_let_be(
    sender: TelegramSender, emulator: Emulator, letter: Letter
) -> None:
    said = emulator.say(HANA, "123456")
    emulator.block(HANA)
    await sender.send(letter("", forget=said.message_id))
    assert [call.method for call in emulator.calls][-1] == "deleteMessage"
    assert emulator.calls[-1].error


@pytest.mark.parametrize("recipient", ["999", "hana@member.test", ""])
async def test_a_chat_that_is_none(sender: TelegramSender, letter: Letter, recipient: str) -> None:
    with pytest.raises(PermanentSendError):
        await sender.send(letter(recipient=recipient))


async def test_a_button_that_telegram_refuses(
    sender: TelegramSender, emulator: Emulator, letter: Letter
) -> None:
    emulator.say(HANA, "/start")
    with pytest.raises(PermanentSendError, match=r"(?i)button_data_invalid"):
        await sender.send(letter(keyboard=[[{"text": "x", "data": "y" * 65}]]))


@pytest.mark.parametrize("status", [500, 502, 403, 400, 404])
async def test_a_page_of_a_proxy_is_no_answer_of_telegrams(
    sender: TelegramSender,
    emulator: Emulator,
    letter: Letter,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    emulator.say(HANA, "/start")
    emulator.fault("server", "sendMessage", status=status)
    with pytest.raises(TemporarySendError) as wrong:
        await sender.send(letter())
    assert "html" not in f"{wrong.value}{caplog.text}" and wrong.value.after is None


async def test_a_wrong_token_is_about_the_desk_not_the_person(
    sender: TelegramSender, emulator: Emulator, letter: Letter
) -> None:
    emulator.say(HANA, "/start")
    emulator.fault("unauthorized", "sendMessage")
    with pytest.raises(TemporarySendError, match=r"telegram\.token"):
        await sender.send(letter())


async def test_nobody_listens(letter: Letter) -> None:
    sender = TelegramSender(section("http://127.0.0.1:9"))
    with pytest.raises(TemporarySendError, match="cannot be reached"):
        await sender.send(letter())
    await sender.close()


async def test_neither_token_nor_letter_is_logged(
    sender: TelegramSender, emulator: Emulator, letter: Letter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    emulator.say(HANA, "/start")
    await sender.send(letter("비밀"))
    assert "test-token" not in caplog.text and "비밀" not in caplog.text


async def test_a_refusal_does_not_quote_our_link(
    emulator: Emulator, api: TelegramSection, monkeypatch: pytest.MonkeyPatch, letter: Letter
) -> None:
    from telegram import Bot
    from telegram.error import BadRequest

    async def refuse(*_: object, **__: object) -> None:
        raise BadRequest("inline keyboard button URL 'http://desk.test/m/SECRET' is invalid")

    monkeypatch.setattr(Bot, "do_api_request", refuse)
    sender = TelegramSender(api)
    with pytest.raises(PermanentSendError) as wrong:
        await sender.send(letter())
    assert "SECRET" not in str(wrong.value) and "URL '…' is invalid" in str(wrong.value)
    await sender.close()


async def test_a_long_letter_goes_in_pieces_with_the_buttons_under_the_last(
    sender: TelegramSender, emulator: Emulator, letter: Letter
) -> None:
    emulator.say(HANA, "/start")
    long = "\n\n".join(["가" * 3000, "나" * 3000])
    await sender.send(letter(long, keyboard=[[{"text": "네", "data": "yes"}]]))
    first, last = emulator.from_bot(HANA)
    assert (first.text, last.text) == ("가" * 3000, "나" * 3000)
    assert not first.buttons and last.buttons


@pytest.mark.parametrize("text", ["a b " * 3000, "🙂" * 5000, "가\n" * 5000, "", "x" * LONGEST])
def test_pieces_fit_and_lose_nothing(text: str) -> None:
    pieces = list(in_pieces(text))
    assert all(len(piece.encode("utf-16-le")) <= 2 * LONGEST for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


class Hours:
    """A monotonic clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_the_pace_is_one_a_second_to_a_chat_and_thirty_in_all() -> None:
    hours = Hours()
    pacer = Pacer(hours, hours.sleep)
    written: list[tuple[int, float]] = []
    for chat in [1, 1, 2, 1, *range(3, 95)]:
        async with pacer.turn(chat):
            hours.now += 0.001
            written.append((chat, hours.now))
    at = [when for _, when in written]
    to_one = [when for chat, when in written if chat == 1]
    assert all(later - earlier > 1 for earlier, later in pairwise(to_one))
    assert all(later - earlier > 1 for earlier, later in zip(at, at[30:], strict=False))
    assert hours.now < 107


async def test_no_more_than_thirty_are_under_way() -> None:
    pacer, begun, free = Pacer(), set[int](), asyncio.Event()

    async def write(chat: int) -> None:
        async with pacer.turn(chat):
            begun.add(chat)
            await free.wait()

    tasks = [asyncio.create_task(write(chat)) for chat in range(31)]
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(begun) == 30
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_a_place_too_far_ahead_is_not_waited_for() -> None:
    hours = Hours()
    pacer = Pacer(hours, hours.sleep)
    pacer.hold(1, 60)
    for _ in range(2):
        with pytest.raises(TemporarySendError) as wrong:
            async with pacer.turn(1):
                pass
        assert wrong.value.after == 60 and not wrong.value.tried  # it costs none of its tries
    hours.now += 60
    async with pacer.turn(1):
        assert hours.now == 160


async def test_a_group_gets_twenty_a_minute() -> None:
    hours, group = Hours(), -100
    pacer = Pacer(hours, hours.sleep)
    written: list[float] = []
    while len(written) < 61:
        try:
            async with pacer.turn(group):
                written.append(hours.now)
        except TemporarySendError as wrong:
            assert wrong.after is not None and not wrong.tried
            hours.now += wrong.after
    assert all(
        later - earlier > 59.99 for earlier, later in zip(written, written[20:], strict=False)
    )
    async with pacer.turn(1):  # nobody else waits for it
        assert hours.now == written[-1]


async def test_telegrams_own_limits_are_kept(
    emulator: Emulator, sender: TelegramSender, letter: Letter
) -> None:
    emulator.state.flood_limits = True
    people = range(20, 60)
    for person in people:
        emulator.say(person, "/start")
    letters = [letter(recipient=str(person)) for person in [*people, people[0], people[0]]]
    await asyncio.gather(*map(sender.send, letters))
    assert {call.error for call in emulator.calls} == {0}
    assert len(emulator.from_bot(people[0])) == 3


@pytest.mark.parametrize("token", ["", "abc", "abc:def", "123:"])
def test_a_token_that_is_none(token: str) -> None:
    with pytest.raises(SettingsError, match="BotFather") as wrong:
        BotLine(section("http://127.0.0.1:9", token))
    assert "def" not in str(wrong.value)


async def test_the_outbox_waits_as_long_as_it_was_asked_to(office: Office) -> None:
    office.tray.wrong = [TemporarySendError("slower", after=1000)]
    await office.chat(HANA, "/start")
    (row,) = await office.all(Outbox)
    assert (row.due_at - office.clock()).total_seconds() == 1000
    assert (row.outcome, row.attempts, row.leased_until) == ("due", 1, None)
    office.clock.advance(timedelta(seconds=1000))
    await office.work()
    assert [row.outcome for row in await office.all(Outbox)] == ["sent"]
