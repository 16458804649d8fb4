"""An answer changes nothing unless it is the person's: forged and unauthenticated mail waits beside."""

import pytest
from desks import LEAVE, Office

from subjectline.handlers.wishes import wish_of
from subjectline.intake.sandbox.people import KO_MEMBER

ME = KO_MEMBER.email


async def asked_to_confirm_leaving(office: Office) -> None:
    await office.mail(ME, LEAVE)
    await office.mail(ME, "네", answers=office.last(ME))
    assert await office.state() == "waiting"


async def waiting_messages(office: Office) -> int:
    return sum(message.waits for message in await office.messages())


@pytest.mark.parametrize("auth", ["fail", ""])
@pytest.mark.parametrize("words", ["네", "아니요"])
async def test_a_forged_answer_neither_confirms_nor_withdraws(
    office: Office, words: str, auth: str
) -> None:
    await asked_to_confirm_leaving(office)
    await office.mail(ME, words, "탈퇴", auth=auth)
    request = await office.request()
    assert request.state == "waiting" and "confirmed" not in wish_of(office.desk, request)
    assert await waiting_messages(office) == 1


async def test_a_forged_value_reaches_no_draft(office: Office) -> None:
    await office.mail(ME, "배송지를 바꿔 주세요.")
    await office.mail(ME, "네", answers=office.last(ME))
    await office.mail(ME, "서울시 어딘가 남의 집 1", "배송지", auth="fail")
    request = await office.request()
    assert request.state == "waiting" and wish_of(office.desk, request)["new"] == {}


async def test_a_forged_no_does_not_withdraw_what_nobody_has_proven(office: Office) -> None:
    await office.mail(ME, LEAVE)
    await office.mail(ME, "아니요", "탈퇴", auth="fail")
    assert await office.state() == "verifying"
    await office.mail(ME, "아니요", "탈퇴", auth="")
    assert await office.state() == "verifying"


async def test_an_answer_to_our_letter_needs_no_authentication(office: Office) -> None:
    """A forwarder breaks DMARC's alignment; the reply address still says who reads our letters."""
    await asked_to_confirm_leaving(office)
    await office.mail(ME, "네", answers=office.last(ME), auth="")
    assert (await office.request()).state == "proposed"
