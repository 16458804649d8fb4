"""One asker at many addresses, many askers at one member: how much can be guessed, and who is shut out."""

from datetime import timedelta

import pytest
from desks import ACCESS, CORRECT, MakeDesk, Office, code_in

from subjectline.intake.sandbox.company import people
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import Audit, Challenge, Request

ME = KO_MEMBER.email
CHATS = range(31, 43)


@pytest.fixture
async def desk(make_desk: MakeDesk) -> Office:
    return await make_desk(sms=True)


async def test_one_chat_at_many_addresses_has_three_codes_an_hour(desk: Office) -> None:
    await desk.chat(21, ACCESS)
    members = people(30)[5:17]
    for person in members:
        await desk.chat(21, person.email)
    assert [len(desk.tray.to(person.email)) for person in members] == [1] * 3 + [0] * 9


async def test_many_chats_have_the_codes_that_were_sent_to_guess_and_no_more(desk: Office) -> None:
    """What was never sent proves nobody, though its digits were hit; the words are the same."""
    for user in CHATS:
        await desk.chat(user, ACCESS)
        await desk.chat(user, ME)
    sent = len(desk.tray.to(ME))
    made = await desk.all(Challenge)
    assert (sent, len(made)) == (3, len(CHATS))
    assert [row.subject_id for row in made] == [KO_MEMBER.member] * 3 + [None] * 9
    words = {desk.tray.to(str(user))[-1].text for user in CHATS}
    assert len(words) == 1


async def test_their_spent_tries_show_an_agent(desk: Office) -> None:
    for user in CHATS[:8]:
        await desk.chat(user, ACCESS)
        await desk.chat(user, ME)
        for _ in range(5 if user > CHATS[4] else 0):
            await desk.chat(user, "000000")
    assert [row for row in await desk.all(Audit) if row.action == "identity_failed_often"]


async def test_the_member_is_not_shut_out_by_them(desk: Office) -> None:
    """By mail from their own address, by their own number, and an hour later by chat as before."""
    for user in CHATS:
        await desk.chat(user, ACCESS)
        await desk.chat(user, ME)
    await desk.mail(ME, CORRECT)
    await desk.mail(ME, code_in(desk.last(ME)))
    mine = [r for r in await desk.all(Request) if r.subject_id == KO_MEMBER.member]
    assert [(r.kind, r.level) for r in mine] == [("correction", "contact")]
    desk.clock.advance(timedelta(minutes=61))
    await desk.chat(99, ACCESS)
    await desk.chat(99, ME)
    await desk.chat(99, code_in(desk.last(ME)))
    assert (await desk.request()).subject_id == KO_MEMBER.member


async def test_asking_freezes_nothing(desk: Office) -> None:
    for user in CHATS[:4]:
        await desk.chat(user, CORRECT)
        await desk.chat(user, ME)
    for auth in ("fail", ""):
        await desk.mail(ME, CORRECT, auth=auth)
    assert await desk.holds() == []
