"""Attackers lose: limits fall on who asks, named phones tell nothing, duplicates displace nothing."""

import re
from datetime import timedelta

from desks import ACCESS, CORRECT, Office, code_in

from subjectline.handlers import timers, waiting
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import Audit, Challenge, Request

ME, PHONE = KO_MEMBER.email, "+821000001001"
STRANGER, OTHER = "stranger@elsewhere.test", "other@elsewhere.test"


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def test_forged_mails_use_up_no_code_of_the_member(texting: Office) -> None:
    for _ in range(5):
        await texting.mail(ME, CORRECT, auth="fail")
    forged = len(texting.tray.to(ME))
    await texting.mail(ME, ACCESS)
    assert len(texting.tray.to(ME)) == forged + 1
    await texting.mail(ME, code_in(texting.last(ME)))
    access = next(r for r in await texting.all(Request) if r.kind == "access")
    assert access.state in ("open", "proposed")


async def test_a_named_phone_proves_by_mail(texting: Office) -> None:
    await texting.mail(STRANGER, ACCESS)
    await texting.mail(STRANGER, KO_MEMBER.phone, answers=texting.last(STRANGER))
    await texting.mail(STRANGER, code_in(texting.last(PHONE)), answers=texting.last(STRANGER))
    request = await texting.request()
    assert (request.level, request.subject_id) == ("contact", KO_MEMBER.member)


async def test_the_words_are_the_same_for_a_phone_that_nobody_has(texting: Office) -> None:
    said = []
    for who, number in ((STRANGER, KO_MEMBER.phone), (OTHER, "010-0000-9876")):
        await texting.mail(who, ACCESS)
        await texting.mail(who, number, answers=texting.last(who))
        said.append(re.sub(r"SL-\w+", "SL", texting.last(who).text))
    assert said[0] == said[1]
    assert texting.tray.to(PHONE) and not texting.tray.to("+821000009876")


async def test_a_yes_is_no_proof_where_the_code_went_elsewhere(texting: Office) -> None:
    await texting.mail(STRANGER, ACCESS)
    await texting.mail(STRANGER, KO_MEMBER.phone, answers=texting.last(STRANGER))
    await texting.mail(STRANGER, "네", answers=texting.last(STRANGER))
    assert (await texting.request()).subject_id is None
    assert await texting.state() == "verifying"


async def test_a_reminder_takes_no_proof_to_another_address(texting: Office) -> None:
    """The last code went to the member's phone: none that proves the member goes to the asker."""
    await texting.mail(STRANGER, ACCESS)
    await texting.mail(STRANGER, KO_MEMBER.phone, answers=texting.last(STRANGER))
    made = len(await texting.all(Challenge))
    texting.clock.advance(timedelta(hours=25))
    await timers.sweep(texting.desk)
    await texting.work()
    assert len(await texting.all(Challenge)) == made


async def test_chats_together_have_one_limit_for_a_member(texting: Office) -> None:
    """By whichever of the member's contacts; the member's own chat and address are not counted."""
    for user in range(21, 27):
        await texting.chat(user, ACCESS)
        await texting.chat(user, ME if user % 2 else KO_MEMBER.phone)
    assert len(texting.tray.to(ME)) + len(texting.tray.to(PHONE)) == 3
    await texting.mail(ME, ACCESS)
    await texting.mail(ME, code_in(texting.last(ME)))
    proven = [r for r in await texting.all(Request) if r.subject_id == KO_MEMBER.member]
    assert len(proven) == 1


async def test_three_spent_codes_show_an_agent(texting: Office) -> None:
    await texting.chat(31, ACCESS)
    for _ in range(3):
        await texting.chat(31, ME)
        code = code_in(texting.last(ME))
        for _ in range(5):
            await texting.chat(31, wrong(code))
    talk = await texting.conversation()
    assert talk.state == "unsorted"
    async with texting.desk.db.read() as session:
        why = await waiting.reasons(session, texting.desk, [talk])
    assert "identity_failed" in why[talk.id or 0]
    assert "identity_failed_often" in {row.action for row in await texting.all(Audit)}


async def test_every_attempt_is_an_audit_row(texting: Office) -> None:
    await texting.mail(ME, ACCESS)
    code = code_in(texting.last(ME))
    await texting.mail(ME, wrong(code))
    texting.clock.advance(timedelta(minutes=11))
    await texting.mail(ME, code)
    seen = [row.action for row in await texting.all(Audit)]
    assert {"code_made", "wrong_code", "late_code"} <= set(seen)
    facts = str([(row.object, row.facts, row.reason) for row in await texting.all(Audit)])
    assert code not in facts and ME not in facts


# Duplicates


async def proven(office: Office, words: str = CORRECT) -> Request:
    await office.mail(ME, words)
    await office.mail(ME, "네", answers=office.last(ME))
    return await office.request()


async def test_an_unverified_duplicate_displaces_nothing(texting: Office) -> None:
    real = await proven(texting)
    await texting.chat(31, CORRECT)
    await texting.chat(31, ME)
    first, second = await texting.all(Request)
    assert (first.state, second.state) == (real.state, "verifying")
    assert [hold.request_id for hold in await texting.holds()] == [real.id]


async def test_a_verified_one_takes_over_holds_and_the_earlier_day(texting: Office) -> None:
    real = await proven(texting, "제 배송지를 바꾸고 싶어요.")
    assert real.state == "waiting"
    texting.clock.advance(timedelta(days=2))
    await texting.chat(31, CORRECT)
    await texting.chat(31, ME)
    await texting.chat(31, code_in(texting.last(ME)))
    first, second = await texting.all(Request)
    assert first.state == "superseded" and second.subject_id == KO_MEMBER.member
    assert second.due_at == real.due_at
    assert {hold.request_id for hold in await texting.holds()} == {second.id}


async def test_a_strangers_unproven_request_hears_nothing_of_the_real_one(
    texting: Office,
) -> None:
    await texting.chat(31, CORRECT)
    await texting.chat(31, ME)
    told = len(texting.tray.to("31"))
    await proven(texting)
    assert (await texting.all(Request))[0].state == "verifying"
    assert len(texting.tray.to("31")) == told


async def test_a_request_of_another_person_in_ones_conversation_stays(texting: Office) -> None:
    """An agent had opened it as somebody else's, by papers."""
    real = await proven(texting, "제 배송지를 바꾸고 싶어요.")
    async with texting.desk.db.write() as session:
        row = await session.get_one(Request, real.id)
        row.subject_id = "1003"
        session.add(row)
    await texting.chat(31, "제 배송지를 바꾸고 싶어요.")
    await texting.chat(31, ME)
    await texting.chat(31, code_in(texting.last(ME)))
    first, second = await texting.all(Request)
    assert (first.state, second.subject_id) == ("waiting", KO_MEMBER.member)
