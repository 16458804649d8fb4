"""Correcting by chat: the field, the proof, then the value; each kind of wrong answer on the way."""

from collections.abc import Callable

import pytest
from desks import NEW_ADDRESS, Office, code_in
from plain_chats import PlainChat

from subjectline.handlers import links, page_deeds
from subjectline.handlers.wishes import wish_of
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER, Person
from subjectline.models.tables import Proposal, Request

Begin = Callable[[str], PlainChat]
MEMBERS = pytest.mark.parametrize(
    ("app", "who"), [("ko", KO_MEMBER), ("en", EN_MEMBER)], ids=["ko", "en"]
)
ADDRESS = "field:correction:shipping_address"


async def asked_for_value(chat: PlainChat, who: Person, field: str = ADDRESS) -> str:
    """The chat at the question for the new value; the question."""
    await chat.says("/correct")
    await chat.presses(field)
    return (await chat.proves(who.email))[-1]


@MEMBERS
async def test_what_stands_now_is_shown_after_the_proof_and_covered(
    desk: Office, begin: Begin, app: str, who: Person
) -> None:
    chat = begin(app)
    await chat.says("/correct")
    await chat.presses(ADDRESS)
    before = "\n".join(chat.transcript)
    question = (await chat.proves(who.email))[-1]
    [(now,)] = await desk.sql(
        f"SELECT shipping_address FROM profile WHERE member_id = {who.member}"
    )
    assert "••••" not in before and now[-2:] not in before
    assert f": ••••{now[-2:]}\n" in question and now not in question


@MEMBERS
async def test_a_value_is_checked_at_once_and_read_back_by_its_end(
    desk: Office, begin: Begin, app: str, who: Person
) -> None:
    chat = begin(app)
    await asked_for_value(chat, who, "field:correction:nickname")
    [refused] = await chat.says("a<b")
    label = {"ko": "닉네임", "en": "Nickname"}[app]
    assert refused.startswith(f"{label}: ") and "< > @ /" in refused  # which field, which rule
    assert [data.split(":")[0] for data in chat.data] == ["page", "stop"]  # the ways out
    assert (await desk.request()).state == "waiting"
    [read_back] = await chat.says("나무늘보하늘")
    assert "••••" in read_back and "나무늘보하늘" not in read_back
    await chat.says("1")
    assert (await desk.request()).state == "proposed"


@MEMBERS
async def test_after_the_yes_come_reference_and_due_date(
    desk: Office, begin: Begin, app: str, who: Person
) -> None:
    chat = begin(app)
    await asked_for_value(chat, who)
    await chat.says(NEW_ADDRESS)
    [passed_on] = await chat.says({"ko": "네", "en": "yes"}[app])
    request = await desk.request()
    due = {"ko": "2026년 12월 3일", "en": "3 December 2026"}[app]
    assert request.reference in passed_on and due in passed_on
    assert len(await desk.all(Proposal)) == 1


async def test_the_messages_with_address_code_and_value_leave_the_chat(begin: Begin) -> None:
    chat = begin("ko")
    await asked_for_value(chat, KO_MEMBER)
    await chat.says(NEW_ADDRESS)
    said = [line for line in chat.transcript if line.startswith("> ")]
    gone = [said[number - 1] for number in sorted(chat.sender.forgotten)]
    assert gone[0] == f"> {KO_MEMBER.email}" and gone[-1] == f"> {NEW_ADDRESS}" and len(gone) == 3


async def test_a_value_in_the_first_sentence_leaves_too(begin: Begin) -> None:
    chat = begin("ko")
    await chat.says(f"제 배송지를 {NEW_ADDRESS}으로 바꿔 주세요.")
    assert chat.sender.forgotten == [1]


async def test_a_no_asks_for_the_value_again(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    await asked_for_value(chat, KO_MEMBER)
    await chat.says(NEW_ADDRESS)
    [again] = await chat.says("아니요")
    assert "새 내용을 여기에" in again
    assert wish_of(desk.desk, await desk.request())["new"] == {}


async def test_the_value_once_more_instead_of_yes_or_no(desk: Office, begin: Begin) -> None:
    """By what was named in a sentence; the old one is forgotten, and the new one is read back."""
    chat = begin("ko")
    await asked_for_value(chat, KO_MEMBER)
    await chat.says(NEW_ADDRESS)
    [read_back] = await chat.says("배송지를 서울시 종로구 견본길 5, 901호로 바꿔 주세요")
    assert "901호" in read_back
    assert wish_of(desk.desk, await desk.request())["new"]["shipping_address"].endswith("901호")


async def test_anything_else_repeats_the_question(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    await asked_for_value(chat, KO_MEMBER)
    await chat.says(NEW_ADDRESS)
    [again] = await chat.says("음, 글쎄요")
    assert "3층" in again and [data.split(":")[0] for data in chat.data] == ["yes", "no"]
    await chat.picks("네")
    assert (await desk.request()).state == "proposed"


async def test_4096_characters_are_no_address(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    await asked_for_value(chat, KO_MEMBER)
    [refused] = await chat.says("가" * 4096)
    assert "값이 너무 깁니다" in refused
    assert "shipping_address" not in wish_of(desk.desk, await desk.request()).get("new", {})


async def test_cancelling_at_the_value_is_no_value(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    await asked_for_value(chat, KO_MEMBER, "field:correction:nickname")
    await chat.says("취소할게요")
    assert (await desk.request()).state == "withdrawn"


async def test_another_right_at_the_value_is_another_request(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    await asked_for_value(chat, KO_MEMBER)
    await chat.says("광고 메일 수신 동의를 철회합니다.")
    kinds = [request.kind for request in await desk.all(Request)]
    assert kinds == ["correction", "marketing_withdrawal"]


async def test_the_page_for_the_value_is_a_link_made_when_it_is_wanted(
    desk: Office, begin: Begin
) -> None:
    chat = begin("ko")
    await asked_for_value(chat, KO_MEMBER)
    [page] = await chat.picks("보안 페이지")
    assert "https://privacy.moment-pick.example/m/" in page
    [kept] = [m for m in await desk.messages() if m.letter == "dialog_page"]
    assert "[one-time link]" in desk.desk.vault.text(kept.text)


async def test_a_value_typed_on_the_page_is_heard_of_in_the_chat(
    desk: Office, begin: Begin
) -> None:
    """It was seen there once more, so that the chat asks nothing and says none of it."""
    chat = begin("ko")
    await asked_for_value(chat, KO_MEMBER)
    [page] = await chat.picks("보안 페이지")
    token = page.partition("/m/")[2].split()[0]
    opened = await links.spend(desk.desk, token)
    given = {"shipping_address": NEW_ADDRESS}
    await page_deeds.give_values(desk.desk, token, opened.cookie, given, opened.version, "test")
    [heard] = await chat.hears()
    request = await desk.request()
    assert request.reference in heard and "3층" not in heard
    assert request.state == "proposed"


async def test_a_new_number_that_cannot_be_texted_is_read_back_too(
    desk: Office, begin: Begin
) -> None:
    """Nothing but an agent's call can prove it here; the member is not left without a word."""
    chat = begin("ko")
    await asked_for_value(chat, KO_MEMBER, "field:correction:phone")
    [read_back] = await chat.says("010-0000-7777")
    assert "••••7777" in read_back
    [passed_on] = await chat.says("네")
    request = await desk.request()
    assert request.reference in passed_on and request.state == "open"


async def test_a_new_number_answers_the_code_that_was_sent_to_it(texting: Office) -> None:
    """Read back first, then the code: a slip of the thumb sends nothing to a stranger."""
    chat = PlainChat(texting, "ko")
    await asked_for_value(chat, KO_MEMBER, "field:correction:phone")
    await chat.says("010-0000-7777")
    assert texting.tray.to("+821000007777") == []
    await chat.says("네")
    code = code_in(texting.last("+821000007777"))
    wrong = await chat.says(f"{(int(code) + 1) % 10**6:06d}")
    assert wrong and (await texting.request()).state == "waiting"
    assert await chat.says(code)
    assert (await texting.request()).state == "proposed"


async def test_a_field_can_be_typed(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    await chat.says("정정")
    await chat.says("배송지")
    assert (await desk.request()).fields == ["shipping_address"]


@MEMBERS
async def test_every_field_that_can_be_corrected_has_a_button(
    desk: Office, begin: Begin, app: str, who: Person
) -> None:
    chat = begin(app)
    await chat.says("/correct")
    known = desk.desk.data_map.fields
    assert chat.data == [f"field:correction:{n}" for n, f in known.items() if f.correctable]
    assert who.name not in chat.transcript[-1]


@pytest.mark.parametrize(
    ("app", "said", "read_back"),
    [
        ("ko", "전화번호가 바뀌었어요", "개인정보 정정: 휴대전화번호"),
        ("en", "my phone number changed", "Correction of your data: phone number"),
    ],
)
async def test_a_guess_names_the_field_that_a_yes_would_hold(
    begin: Begin, app: str, said: str, read_back: str
) -> None:
    assert read_back in (await begin(app).says(said))[-1]
