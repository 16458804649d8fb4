"""Buttons pressed twice, late, or by nobody we know; what is not text; whatever comes, an answer."""

from collections.abc import Callable

from desks import ACCESS, NEW_ADDRESS, Office
from plain_chats import PlainChat

from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import Link, Request

Begin = Callable[[str], PlainChat]


async def read_back(chat: PlainChat) -> list[str]:
    """The chat at the yes-or-no of a new address; the data of its buttons."""
    await chat.says("/correct")
    await chat.presses("field:correction:shipping_address")
    await chat.proves(KO_MEMBER.email)
    await chat.says(NEW_ADDRESS)
    return chat.data


async def test_a_right_pressed_twice_is_one_request(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    await chat.says("/start")
    await chat.presses("right:access")
    again = await chat.presses("right:access")
    assert "같은 요청을 이미 받아 두었습니다" in again[0]
    assert len(await desk.all(Request)) == 1


async def test_a_sentence_said_twice_is_one_request(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    await chat.says(ACCESS)
    await chat.says(ACCESS)
    assert len(await desk.all(Request)) == 1


async def test_yes_pressed_twice(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    yes, _ = await read_back(chat)
    await chat.presses(yes)
    version = (await desk.request()).version
    [second] = await chat.presses(yes)
    assert "이미 지나간 질문" in second
    assert (await desk.request()).version == version


async def test_an_old_yes_answers_no_newer_question(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    old_yes, old_no = await read_back(chat)
    await chat.presses(old_no)
    await chat.says("서울시 종로구 견본길 5, 901호")
    [told] = await chat.presses(old_yes)
    assert "이미 지나간 질문" in told
    assert (await desk.request()).state == "waiting"


async def test_a_button_of_somebody_elses_request(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    yes, _ = await read_back(chat)
    reference = (await desk.request()).reference
    stranger = PlainChat(desk, "ko", who="9999")
    stranger.sender = chat.sender
    for data in (yes, f"cancel:{reference}", f"page:{reference}:4", "who:papers"):
        told = await stranger.presses(data)
        assert "이미 지나간 질문" in told[-1]
    assert (await desk.request()).state == "waiting" and not await desk.all(Link)


ODD = (
    "", ":", "yes", "yes:", "yes:SL-1:x", "field:correction:name'--", "right:unclear", "field::",
    "do:nothing", "language:xx", "who:", "cancel:", "page:SL-000000000:1", "\u0000",
)  # fmt: skip


async def test_odd_data_harms_nobody(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    await chat.says("/start")
    assert [data for data in ODD if not await chat.presses(data)] == []  # something is said
    assert not await desk.all(Request)


async def test_buttons_fit_into_64_bytes(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    shown = await read_back(chat)
    for _, _, choices in chat.sender.lines:
        shown += [data for _, data in choices]
    assert len(shown) > 20 and max(len(data.encode()) for data in shown) <= 64
