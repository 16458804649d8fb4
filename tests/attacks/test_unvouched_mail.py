"""Somebody forges a member's sender where no server vouches for that domain, in a thread they cannot read."""

import pytest
from desks import ACCESS, CORRECT, MakeDesk, Office, code_in

from subjectline.handlers.outbox import Parcel
from subjectline.intake.sandbox.people import KO_MEMBER, OTHER_MEMBER

ME, ATTACKER = KO_MEMBER.email, OTHER_MEMBER.email  # both are members
NEW_PHONE = "+821000007777"


@pytest.fixture
async def desk(make_desk: MakeDesk) -> Office:
    return await make_desk(sms=True)


def made_up(office: Office) -> Parcel:
    """A letter that we never sent: a forged answer has an In-Reply-To and a bare address."""
    letter = Parcel(**{**vars(office.last(ME)), "message_id": "<made@up.test>", "reply_to": ""})
    return letter


async def forged(office: Office, words: str) -> None:
    await office.mail(ME, words, answers=made_up(office), auth="")


async def test_no_code_goes_to_a_contact_that_a_forger_names(desk: Office) -> None:
    """Else the member's request would be opened as the forger's, with the member's new address in it."""
    await desk.mail(ME, CORRECT, auth="")
    first = desk.last(ME)
    await forged(desk, ATTACKER)
    assert desk.tray.to(ATTACKER) == []
    await desk.mail(ME, "네", answers=first, auth="")
    request = await desk.request()
    assert (request.state, request.subject_id) == ("proposed", KO_MEMBER.member)


async def test_who_reads_the_letter_may_name_another_contact(desk: Office) -> None:
    await desk.mail("stranger@elsewhere.test", ACCESS, auth="")
    letter = desk.last("stranger@elsewhere.test")
    await desk.mail("stranger@elsewhere.test", ME, answers=letter, auth="")
    assert code_in(desk.last(ME))


async def test_nothing_that_a_forger_sends_takes_the_answer_from_the_member(desk: Office) -> None:
    """They end one code after the other, and all the mails of an hour; the newest letter still counts."""
    await desk.mail(ME, CORRECT, auth="")
    first = desk.last(ME)
    for _ in range(25):
        await forged(desk, "000000")
    newest = [each for each in desk.tray.to(ME) if "+v" in each.reply_to][-1]
    await desk.mail(ME, "네", answers=first, auth="")
    assert await desk.state() == "verifying"
    await desk.mail(ME, "네", answers=newest, auth="")
    assert await desk.state() == "proposed"


async def test_nor_do_they_end_the_code_of_a_new_contact(desk: Office) -> None:
    await desk.mail(ME, "제 전화번호를 010-0000-7777로 바꿔 주세요.", auth="")
    await desk.mail(ME, "네", answers=desk.last(ME), auth="")
    code = code_in(desk.last(NEW_PHONE))
    asked = desk.last(ME)
    for _ in range(6):
        await forged(desk, "000000")
    assert len(desk.tray.to(NEW_PHONE)) == 1
    await desk.mail(ME, code, answers=asked, auth="")
    assert await desk.state() == "proposed"
