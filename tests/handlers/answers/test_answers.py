"""What a member's answer does: values, a yes, a no, and words that an agent must read."""

import pytest
from desks import ACCESS, CORRECT, LEAVE, Office

from subjectline.handlers.wishes import wish_of
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import Proposal, Request

ME = KO_MEMBER.email


async def proven(office: Office, words: str) -> None:
    await office.mail(ME, words)
    await office.mail(ME, "네", answers=office.last(ME))


async def answer(office: Office, words: str) -> None:
    await office.mail(ME, words, answers=office.last(ME))


async def test_a_value_that_was_asked_for(office: Office) -> None:
    await proven(office, "배송지를 바꿔 주세요.")
    assert await office.state() == "waiting"
    assert "어떤 내용으로" in office.last(ME).text
    await answer(office, "부산시 수영구 파도로 12, 3층")
    request = await office.request()
    assert request.state == "proposed"
    assert wish_of(office.desk, request)["new"] == {
        "shipping_address": "부산시 수영구 파도로 12, 3층"
    }


@pytest.mark.parametrize(
    ("words", "bad", "told", "good"),
    [
        ("관심 분야를 바꿔 주세요.", "", "어떤 내용으로", "여행"),
        ("휴대전화번호를 바꿔 주세요.", "010-12a4-5678", "", "010-0000-4321"),
        ("제 생년월일을 고쳐 주세요.", "1990년 2월 31일", "달력에 없는 날짜", "1990년 2월 28일"),
    ],
)
async def test_a_value_that_the_field_cannot_take_is_asked_again(
    office: Office, words: str, bad: str, told: str, good: str
) -> None:
    await proven(office, words)
    if bad:
        await answer(office, bad)
    request = await office.request()
    assert request.state == "waiting" and request.reference in office.last(ME).text
    assert told in office.last(ME).text
    await answer(office, good)
    assert await office.state() in ("proposed", "waiting", "open")
    assert (await office.request()).version > request.version


async def test_leaving_needs_a_yes_of_its_own(office: Office) -> None:
    await proven(office, LEAVE)
    assert await office.state() == "waiting"
    assert "정말 탈퇴하시겠습니까" in office.last(ME).text
    assert [h.kind for h in await office.holds()] == ["firm"]
    await answer(office, "네")
    [proposal] = await office.all(Proposal)
    assert proposal.needs == 2 and await office.state() == "proposed"


async def test_a_no_to_leaving_takes_it_back(office: Office) -> None:
    await proven(office, LEAVE)
    await answer(office, "아니요")
    assert await office.state() == "withdrawn" and await office.holds() == []
    assert await office.sql("SELECT status FROM member WHERE member_id = 1001") == [("active",)]


async def test_neither_yes_nor_no_to_leaving_goes_to_an_agent(office: Office) -> None:
    await proven(office, LEAVE)
    await answer(office, "탈퇴하면 사진은 어떻게 되나요?")
    assert await office.state() == "waiting"
    assert (await office.conversation()).state == "unsorted"


async def test_a_new_message_voids_the_proposal(office: Office) -> None:
    await proven(office, CORRECT)
    [first] = await office.all(Proposal)
    await office.mail(ME, "참고로 다음 주부터 그 집에 삽니다.")
    first, second = await office.all(Proposal)
    assert (first.state, second.state) == ("void", "open")
    messages = [m for m in await office.messages() if m.waits]
    assert len(messages) == 1


async def test_a_new_right_beside_an_open_request_is_a_request(office: Office) -> None:
    await proven(office, CORRECT)
    await office.mail(ME, ACCESS)
    assert [r.kind for r in await office.all(Request)] == ["correction", "access"]
    assert [r.state for r in await office.all(Request)] == ["proposed", "verifying"]


async def test_a_correction_costs_two_mails(office: Office) -> None:
    await proven(office, CORRECT)
    incoming = [m for m in await office.messages() if m.direction == "in"]
    assert len(incoming) == 2 and await office.state() == "proposed"


async def test_a_no_to_a_guess_ends_it_and_the_chat_goes_on(office: Office) -> None:
    """Nothing that is asked for afterwards is swallowed by the question before."""
    await office.chat(7, "탈퇴")
    assert (await office.request()).kind == "unclear"
    await office.chat(7, "아니요")
    assert await office.state() == "withdrawn"
    await office.chat(7, "내 정보 보여줘")
    await office.chat(7, "광고 그만 보내 주세요")
    kinds = {request.kind: request.state for request in await office.all(Request)}
    assert kinds == {
        "unclear": "withdrawn",
        "access": "received",
        "marketing_withdrawal": "received",
    }


async def test_a_right_named_late_does_not_swallow_the_next(office: Office) -> None:
    await office.chat(8, "탈퇴")
    await office.chat(8, "내 정보 보여줘")
    await office.chat(8, "광고 그만 보내 주세요")
    kinds = {request.kind for request in await office.all(Request)}
    assert kinds == {"access", "marketing_withdrawal"}
