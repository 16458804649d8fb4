"""A robot whose mails bear no mark is not answered for ever; what it writes is kept for an agent."""

from dataclasses import replace
from datetime import timedelta

import pytest
from desks import CORRECT, MakeDesk, Office, code_in, letter

from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import Message, Outbox, Request

ROBOT = "helpdesk@machine.test"
ME = KO_MEMBER.email


FEW = ((timedelta(hours=1), 2), (timedelta(days=1), 3), (timedelta(days=7), 4))


async def strict(make_desk: MakeDesk, url: str = "") -> Office:
    """A desk that answers nobody more often than FEW says."""
    office = await make_desk(url=url)
    manner = replace(office.desk.manner, answers=FEW)
    return replace(office, desk=replace(office.desk, manner=manner))


async def writes(office: Office, sender: str, number: int, auth: str = "pass") -> None:
    """A wish of its own under a subject of its own, as a robot that quotes tickets sends it."""
    words = f"제 배송지를 부산시 수영구 파도로 {number + 1}번지로 바꿔 주세요."
    await office.mail(sender, words, f"[접수 #{number}] 답변", auth=auth)


async def test_so_many_an_hour_a_day_and_a_week(make_desk: MakeDesk, desk_url: str) -> None:
    office = await strict(make_desk, desk_url)
    sent = []
    for number in range(8):
        await writes(office, ROBOT, 2 * number)
        await writes(office, ROBOT, 2 * number + 1)
        sent.append(len(office.tray.to(ROBOT)))
        office.clock.advance(timedelta(hours=12 if number else 1, seconds=1))
    assert sent == [2, 3, 3, 4, 4, 4, 4, 4]
    came = await office.all(Message, Message.direction == "in")
    held = [message for message in came if message.rule == "answered_enough"]
    assert len(came) == 16 and len(held) == 12 and all(message.waits for message in held)
    assert office.desk.ruled["answered_enough", "hold"] == 12
    assert (await office.conversation()).state == "unsorted"
    office.clock.advance(timedelta(days=7))
    await writes(office, ROBOT, 99)
    assert len(office.tray.to(ROBOT)) == 5


async def test_the_right_code_is_heard_all_the_same(make_desk: MakeDesk) -> None:
    office = await strict(make_desk)
    await writes(office, ME, 1)
    await writes(office, ME, 2)
    assert len(office.tray.to(ME)) == 2
    code = code_in(office.last(ME))
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    await office.mail(ME, f"인증번호는 {wrong} 입니다.")
    await office.mail(ME, f"인증번호는 {code} 입니다.")
    came = await office.all(Message, Message.direction == "in")
    assert [message.rule == "answered_enough" for message in came] == [False, False, True, False]
    assert any(request.subject_id for request in await office.all(Request))


async def test_a_robot_that_says_yes_to_all_comes_to_an_end(make_desk: MakeDesk) -> None:
    office = await make_desk()
    for day in range(6):
        for number in range(3):
            await writes(office, ROBOT, 3 * day + number)
            letter = office.last(ROBOT)
            await office.mail(ROBOT, f"네\n{letter.text}", f"RE[{number}]", answers=letter)
        office.clock.advance(timedelta(days=1))
    assert len(office.tray.to(ROBOT)) == 30


async def test_forged_mails_do_not_use_up_the_members_answers(make_desk: MakeDesk) -> None:
    office = await strict(make_desk)
    for number in range(3):
        await writes(office, ME, number, auth="fail")
    assert (await office.messages())[-1].rule == "answered_enough"
    await office.mail(ME, CORRECT)
    assert (await office.messages())[-1].letter == "verify"
    assert (await office.all(Request))[-1].state == "verifying"


async def test_what_is_too_large_is_told_no_more_often(make_desk: MakeDesk) -> None:
    office = await strict(make_desk)
    for number in range(4):
        raw = letter(ROBOT, "큰 파일을 보냅니다.", f"파일 {number}", now=office.clock())
        await office.arrives(raw, oversized=True)
    assert await office.letters() == ["too_large"] * 2
    rules = [m.rule for m in await office.messages() if m.direction == "in"]
    assert rules == ["oversized"] * 2 + ["answered_enough"] * 2


@pytest.mark.parametrize(
    ("sender", "rule"),
    [
        ("noreply@shop.test", "unread_address"),
        ("no-reply+form7@shop.test", "unread_address"),
        ("forms.do_not_reply@shop.test", "unread_address"),
        ("MAILER-DAEMON@shop.test", "unread_address"),
        ("bounces-17=a@shop.test", "unread_address"),
        ("postmaster@shop.test", "person"),
        ("replyall@shop.test", "person"),
        ("bouncer@club.test", "person"),
        ("norah.replyson@mail.test", "person"),
    ],
)
async def test_nobody_is_written_to_who_does_not_read(
    make_desk: MakeDesk, sender: str, rule: str
) -> None:
    office = await make_desk()
    await office.mail(sender, CORRECT, "요청")
    came = (await office.messages())[0]
    assert (came.rule, came.waits) == (rule, rule == "unread_address")
    assert len(await office.all(Outbox)) == (rule == "person")
