"""Which letter a mail answers, and what becomes of one that is not from the thread's person."""

import dataclasses

import pytest
from desks import CORRECT, NEW_ADDRESS, MakeDesk, Office, agent
from hypothesis import given
from hypothesis import strategies as st
from signing import proven

from subjectline.handlers import casefile, sorting
from subjectline.intake.sandbox.people import KO_MEMBER, OTHER_MEMBER
from subjectline.models.errors import BadInput
from subjectline.models.references import CROCKFORD, is_reference, new_reference
from subjectline.models.tables import Message, Request, RequestMessage

ME, OTHER = KO_MEMBER.email, OTHER_MEMBER.email
QUESTION = "그 일은 아내가 대신 묻습니다. 어떻게 되고 있나요?"


async def newest(office: Office) -> Message:
    return [message for message in await office.messages() if message.direction == "in"][-1]


async def test_another_sender_in_the_thread_waits_beside_it(office: Office) -> None:
    request = await proven(office, ME, CORRECT)
    before = len(await office.all(RequestMessage))
    await office.mail(OTHER, QUESTION, answers=office.last(ME))
    message = await newest(office)
    assert (message.beside_id, message.waits) == (request.conversation_id, True)
    assert message.conversation_id != request.conversation_id
    assert len(await office.all(RequestMessage)) == before
    assert await office.state() == "proposed"  # its proposal was not voided


async def test_the_agent_sees_it_at_the_request(office: Office) -> None:
    request = await proven(office, ME, CORRECT)
    await office.mail(OTHER, QUESTION, answers=office.last(ME))
    case = await casefile.case(office.desk, request.reference, agent())
    assert [(m.text, m.sender) for m in case.beside] == [(QUESTION, OTHER)]
    assert QUESTION not in [m.text for m in case.messages]


async def test_it_joins_when_the_agent_says_so(office: Office) -> None:
    request = await proven(office, ME, CORRECT)
    await office.mail(OTHER, QUESTION, answers=office.last(ME))
    message = await newest(office)
    await sorting.put_to(office.desk, request.id or 0, message.id or 0, agent())
    case = await casefile.case(office.desk, request.reference, agent())
    assert case.beside == ()
    assert (QUESTION, OTHER) in [(m.text, m.sender) for m in case.messages]


async def test_or_it_is_left_out(office: Office) -> None:
    request = await proven(office, ME, CORRECT)
    await office.mail(OTHER, QUESTION, answers=office.last(ME))
    message = await newest(office)
    await sorting.leave_out(office.desk, request.id or 0, message.id or 0, agent())
    case = await casefile.case(office.desk, request.reference, agent())
    assert case.beside == () and QUESTION not in [m.text for m in case.messages]


async def test_no_other_message_can_be_put_to_it(office: Office) -> None:
    request = await proven(office, ME, CORRECT)
    await office.mail(OTHER, QUESTION)
    message = await newest(office)
    with pytest.raises(BadInput, match="does not stand beside"):
        await sorting.put_to(office.desk, request.id or 0, message.id or 0, agent())


async def test_a_right_of_their_own_in_it_is_a_request_of_their_own(office: Office) -> None:
    await proven(office, ME, CORRECT)
    await office.mail(OTHER, "제 개인정보 열람을 요청합니다.", answers=office.last(ME))
    mine, theirs = await office.all(Request)
    assert theirs.conversation_id != mine.conversation_id
    assert (theirs.kind, theirs.state) == ("access", "verifying")


async def test_a_yes_from_somebody_else_proves_nothing(office: Office) -> None:
    await office.mail(ME, CORRECT)
    await office.mail(OTHER, "네", answers=office.last(ME))
    assert await office.state() == "verifying"
    assert (await newest(office)).beside_id is not None


async def test_a_message_id_of_ours_names_the_thread(office: Office) -> None:
    request = await proven(office, ME, CORRECT)
    parcel = dataclasses.replace(office.last(ME), reply_to="")
    await office.mail(OTHER, QUESTION, answers=parcel)
    assert (await newest(office)).beside_id == request.conversation_id


async def test_so_does_a_reference_in_the_subject(office: Office) -> None:
    request = await proven(office, ME, CORRECT)
    await office.mail(OTHER, QUESTION, f"RE: 요청 ({request.reference})")
    assert (await newest(office)).beside_id == request.conversation_id


async def test_without_plus_addresses_the_subject_carries_the_reference(
    make_desk: MakeDesk,
) -> None:
    office = await make_desk()
    plain = dataclasses.replace(office.desk.manner, plus_addresses=False)
    office.desk = dataclasses.replace(office.desk, manner=plain)
    await office.mail(ME, CORRECT)
    parcel, request = office.last(ME), await office.request()
    assert parcel.reply_to == office.desk.manner.address
    assert request.reference in parcel.subject
    await office.mail(ME, "네", answers=parcel)  # In-Reply-To is what only its reader knows
    assert await office.state() == "proposed"


async def test_of_two_questions_the_one_that_is_answered_is_meant(office: Office) -> None:
    await office.mail(ME, "제 배송지를 바꿔 주세요.")
    await office.mail(ME, "네", answers=office.last(ME))
    first, asked = await office.request(), office.last(ME)
    await office.mail(ME, "제 별명을 바꿔 주세요.")
    if await office.state() == "verifying":
        await office.mail(ME, "네", answers=office.last(ME))
    assert [r.state for r in await office.all(Request)] == ["waiting", "waiting"]
    await office.mail(ME, NEW_ADDRESS, answers=asked)
    states = {r.id: r.state for r in await office.all(Request)}
    assert states[first.id] == "proposed"
    assert sorted(states.values()) == ["proposed", "waiting"]


def test_references_carry_a_check() -> None:
    assert all(is_reference(new_reference()) for _ in range(200))


@given(
    st.text(alphabet=CROCKFORD, min_size=9, max_size=9),
    st.integers(0, 8),
    st.sampled_from(CROCKFORD),
)
def test_one_wrong_sign_is_no_reference(body: str, at: int, sign: str) -> None:
    text = f"SL-{body}"
    other = f"SL-{body[:at]}{sign}{body[at + 1 :]}"
    assert not (is_reference(text) and is_reference(other)) or text == other
