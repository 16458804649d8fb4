"""How notices leave: at least once with one id, in order, never two at a time; who is silent is chased."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from desks import CORRECT, MakeDesk, Office, agent
from returned import dsn
from signing import proven, signed
from told import MAIL, REACH, Telephone, telephone, with_recipient

from subjectline.handlers import (
    casefile,
    destroying,
    recipients_chased,
    recipients_outbox,
    recipients_words,
)
from subjectline.handlers.recipients_outbox import LEASE, Ways
from subjectline.handlers.waiting import reasons
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.datamap import DataMap
from subjectline.models.errors import (
    BadInput,
    KeyDestroyed,
    PermanentSendError,
    StaleMove,
    TemporarySendError,
)
from subjectline.models.recipient_settings import Reach, RecipientSettings
from subjectline.models.tables import Audit, Conversation, Request, Telling

ME = KO_MEMBER.email
POST = "post_office"


async def why(phone: Telephone) -> tuple[str, ...]:
    """Why the conversation waits for an agent; nothing where it does not."""
    talk = await phone.office.conversation()
    if talk.state != "unsorted":
        return ()
    async with phone.office.desk.db.read() as session:
        return (await reasons(session, phone.office.desk, [talk]))[talk.id or 0]


async def test_killed_after_the_sending_it_leaves_again_with_the_same_id(told: Telephone) -> None:
    told.posts.dies = True
    with pytest.raises(asyncio.CancelledError):
        await told.tell()
    assert (await told.row(POST)).outcome == "due"
    told.office.clock.advance(LEASE + timedelta(seconds=1))
    await told.tell()
    first, second = told.posts.got
    assert first == second and (await told.row(POST)).outcome == "sent"


async def test_killed_before_the_sending_it_leaves_later_with_its_own_id(told: Telephone) -> None:
    told.posts.gate = asyncio.Event()
    flying = asyncio.create_task(recipients_outbox.once(told.office.desk, told.ways))
    while (await told.row(POST)).leased_until is None:
        await asyncio.sleep(0)
    flying.cancel()  # as a killed process: nothing is written down
    await asyncio.wait({flying})
    told.posts.gate = None
    await told.tell()
    assert told.posts.got == []  # its lease still runs
    told.office.clock.advance(LEASE + timedelta(seconds=1))
    await told.tell()
    [(name, number, body)] = told.posts.got
    assert (name, number) == (POST, (await told.row(POST)).notice_id)
    assert body["id"] == number


async def test_what_fails_for_now_is_tried_by_the_outboxs_own_table(told: Telephone) -> None:
    told.posts.wrong = [TemporarySendError("away")] * 2
    first, second, *_ = told.office.desk.manner.retry_seconds
    await told.tell()
    row = await told.row(POST)
    assert (row.outcome, row.reason, row.attempts) == ("due", "away", 1)
    assert row.due_at == told.office.clock() + timedelta(seconds=first)
    told.office.clock.advance(timedelta(seconds=first))
    await told.tell()
    assert (await told.row(POST)).due_at == told.office.clock() + timedelta(seconds=second)
    told.office.clock.advance(timedelta(seconds=second))
    await told.tell()
    assert (await told.row(POST)).outcome == "sent"
    assert len({number for _, number, _ in told.posts.got}) == 1


async def test_after_the_last_try_an_agent_hears_of_it(told: Telephone) -> None:
    manner = replace(told.office.desk.manner, retry_seconds=(1.0,))
    told.office.desk = replace(told.office.desk, manner=manner)
    told.posts.wrong = [TemporarySendError("away")] * 2
    await told.tell()
    told.office.clock.advance(timedelta(seconds=1))
    await told.tell()
    assert (await told.row(POST)).outcome == "failed"
    assert await why(told) == ("recipient",)


async def test_a_final_refusal_is_a_task_until_an_agent_has_told_them(told: Telephone) -> None:
    told.posts.wrong = [PermanentSendError("the webhook answered 404")]
    await told.tell()
    row = await told.row(POST)
    assert (row.outcome, row.reason) == ("failed", "the webhook answered 404")
    assert await why(told) == ("recipient",)
    await recipients_chased.confirmed(told.office.desk, row.request_id, row.notice_id, agent(2))
    row = await told.row(POST)
    assert (row.outcome, row.acknowledged_by) == ("acknowledged", "agent:2")
    assert await why(told) == ()
    noted = [one for one in await told.office.all(Audit) if one.action == "recipient_confirmed"]
    assert [(one.account, one.reason) for one in noted] == [("agent:2", POST)]


async def test_an_agent_has_it_sent_once_more(told: Telephone) -> None:
    told.posts.wrong = [PermanentSendError("the webhook answered 404")]
    await told.tell()
    row, desk = await told.row(POST), told.office.desk
    await recipients_chased.tell_again(desk, row.request_id, row.notice_id, agent())
    await told.tell()
    assert (await told.row(POST)).outcome == "sent" and await why(told) == ()
    assert told.posts.number(POST) == row.notice_id
    with pytest.raises(BadInput):
        await recipients_chased.tell_again(desk, row.request_id + 1, row.notice_id, agent())


async def test_whom_an_agent_told_again_has_days_to_answer(told: Telephone) -> None:
    """Not back on the list in the moment in which it leaves, though all its days were over."""
    await told.tell()
    for days in (3, 4, 3.1):
        await told.days(days)
    row, desk = await told.row(POST), told.office.desk
    assert await why(told) == ("recipient",)
    await recipients_chased.tell_again(desk, row.request_id, row.notice_id, agent())
    await told.tell()
    assert await why(told) == () and len(told.posts.got) == 4
    await told.days(3.1)
    assert await why(told) == ("recipient",) and len(told.posts.got) == 4


async def test_reminders_that_are_late_do_not_leave_all_at_once(told: Telephone) -> None:
    """The desk stood still for nine days."""
    await told.tell()
    await told.days(9)
    assert [body["data"]["reminder"] for body in told.posts.to(POST)] == [0, 1]


async def test_what_is_acknowledged_needs_nobody_any_more(told: Telephone) -> None:
    told.posts.says_yes = {POST}
    await told.tell()
    row = await told.row(POST)
    assert (row.outcome, row.acknowledged_by) == ("acknowledged", "webhook")
    with pytest.raises(StaleMove):
        await recipients_chased.confirmed(told.office.desk, row.request_id, row.notice_id, agent())
    await told.days(30)
    assert len(told.posts.got) == 1 and await why(told) == ()


async def test_who_is_silent_is_reminded_then_an_agent_hears_of_it(told: Telephone) -> None:
    await told.tell()
    await told.days(2.9)
    assert len(told.posts.got) == 1
    await told.days(0.2)
    await told.days(4)
    reminders = [body["data"]["reminder"] for body in told.posts.to(POST)]
    assert reminders == [0, 1, 2] and await why(told) == ()
    await told.days(3)
    assert len(told.posts.got) == 3 and await why(told) == ("recipient",)
    assert len({number for _, number, _ in told.posts.got}) == 1
    case = await casefile.case(told.office.desk, (await told.office.request()).reference, agent())
    assert [(one.recipient, one.late, one.open) for one in case.tellings] == [(POST, True, True)]


async def test_nobody_is_reminded_of_a_hold_that_has_ended(told: Telephone) -> None:
    await told.tell()
    await signed(told.office)
    await told.tell()
    await told.days(3)
    assert told.posts.kinds(POST) == ["hold", "corrected", "corrected"]
    hold, end = await told.rows(POST)
    assert [(row.outcome, row.reminded) for row in (hold, end)] == [("sent", 0), ("sent", 1)]
    with pytest.raises(BadInput):
        await recipients_chased.confirmed(
            told.office.desk, hold.request_id, hold.notice_id, agent()
        )


async def test_whose_lease_was_taken_writes_nothing(told: Telephone) -> None:
    """A desk that was stopped for so long that another one has sent the notice meanwhile."""
    told.posts.gate = asyncio.Event()
    late = asyncio.create_task(recipients_outbox.once(told.office.desk, told.ways))
    while (await told.row(POST)).leased_until is None:
        await asyncio.sleep(0)
    told.office.clock.advance(LEASE + timedelta(seconds=1))
    other = replace(told, posts=type(told.posts)(says_yes={POST}))
    await other.tell()
    told.posts.wrong = [PermanentSendError("too late")]
    told.posts.gate.set()
    await late
    assert (await told.row(POST)).outcome == "acknowledged"


async def test_the_id_there_is_read_through_our_own_gate_only(
    make_desk: MakeDesk, sample_map: DataMap
) -> None:
    """Once the request is decided the gate opens no data for it any more."""
    phone = telephone(
        await make_desk(data_map=with_recipient(sample_map, POST, known_by="kakao_id"))
    )
    await proven(phone.office, ME, CORRECT)
    phone.posts.wrong = [TemporarySendError("away")]
    await signed(phone.office)
    await phone.tell()
    row = await phone.row(POST)
    assert (row.kind, row.outcome, phone.posts.got) == ("corrected", "failed", [])
    assert "not known any more" in row.reason


async def test_who_has_no_way_is_told_by_hand_and_is_a_task_in_time(make_desk: MakeDesk) -> None:
    phone = telephone(await make_desk())
    phone.office.desk = replace(phone.office.desk, recipients=RecipientSettings())
    await proven(phone.office, ME, CORRECT)
    await phone.tell()
    assert (await phone.row(POST)).outcome == "hand" and await why(phone) == ()
    await phone.days(3)
    assert phone.posts.got == [] and await why(phone) == ("recipient",)


async def test_neither_release_nor_letter_waits_for_a_recipient(told: Telephone) -> None:
    told.posts.wrong = [TemporarySendError("away")] * 9
    await told.tell()
    request = await signed(told.office)
    assert request.state == "done" and await told.office.holds() == []
    assert (await told.office.letters())[-1] == "done"


async def test_an_older_notice_that_never_left_is_overtaken(told: Telephone) -> None:
    told.posts.wrong = [TemporarySendError("away")]
    await told.tell()
    await signed(told.office)
    told.office.clock.advance(timedelta(hours=1))
    await told.tell()
    assert told.posts.kinds(POST) == ["corrected"]
    assert [row.outcome for row in await told.rows(POST)] == ["overtaken", "sent"]


async def test_while_the_older_one_flies_the_newer_waits(told: Telephone) -> None:
    told.posts.gate = asyncio.Event()
    flying = asyncio.create_task(recipients_outbox.once(told.office.desk, told.ways))
    while (await told.row(POST)).leased_until is None:
        await asyncio.sleep(0)
    await signed(told.office)
    other = replace(told, posts=type(told.posts)())
    await other.tell()
    assert other.posts.got == []
    told.posts.gate.set()
    await flying
    await other.tell()
    assert (told.posts.kinds(POST), other.posts.kinds(POST)) == (["hold"], ["corrected"])


async def test_the_value_is_sealed_and_goes_with_the_acknowledgement(told: Telephone) -> None:
    await told.tell()
    request = await signed(told.office)
    row = await told.row(POST)
    assert row.content is not None and "부산".encode() not in row.content.data
    told.office.desk.vault.destroy(request.key_id, told.office.clock())
    with pytest.raises(KeyDestroyed):
        await recipients_words.gather(told.office.desk, row)


async def test_an_acknowledgement_empties_the_value(told: Telephone) -> None:
    await told.tell()
    await signed(told.office)
    told.posts.says_yes = {POST}
    await told.tell()
    row = await told.row(POST)
    assert (row.outcome, row.content) == ("acknowledged", None)


async def test_by_mail_it_names_the_member_by_id_and_nothing_else(
    make_desk: MakeDesk, sample_map: DataMap
) -> None:
    known = with_recipient(sample_map, POST, known_by="kakao_id")
    phone = telephone(await make_desk(data_map=known))
    reach = RecipientSettings(reach=REACH | {POST: Reach(mail=MAIL, language="en")})
    phone.office.desk = replace(phone.office.desk, recipients=reach)
    await proven(phone.office, ME, CORRECT)
    await phone.tell()
    await signed(phone.office)
    await phone.tell()
    hold, end = phone.letters.to(MAIL)
    [(kakao,)] = await phone.office.sql("SELECT kakao_id FROM profile WHERE member_id = 1001")
    assert kakao in hold.text and kakao in end.text and " 1001" not in hold.text
    told = hold.subject + end.subject + hold.text + end.text + end.html + hold.reply_to
    for private in ("부산", "수영구", KO_MEMBER.name, ME, KO_MEMBER.phone):
        assert private not in told
    assert hold.message_id != end.message_id and not hold.answers
    assert kakao not in hold.subject + end.subject
    links = [word for word in end.text.split() if "/m/told/" in word]
    assert len(links) == 1 and kakao not in links[0]


async def test_who_does_not_know_the_member_is_not_told(
    make_desk: MakeDesk, sample_map: DataMap
) -> None:
    phone = telephone(
        await make_desk(data_map=with_recipient(sample_map, POST, known_by="kakao_id"))
    )
    await phone.office.sql("UPDATE profile SET kakao_id = NULL WHERE member_id = 1001")
    await proven(phone.office, ME, CORRECT)
    await phone.tell()
    assert phone.posts.got == [] and (await phone.row(POST)).outcome == "unknown"


async def test_a_mail_that_comes_back_is_a_task(make_desk: MakeDesk) -> None:
    phone = telephone(await make_desk())
    mail = RecipientSettings(reach={POST: Reach(mail=MAIL)})
    phone.office.desk = replace(phone.office.desk, recipients=mail)
    await proven(phone.office, ME, CORRECT)
    await phone.tell()
    await phone.days(3)
    first, reminder = phone.letters.to(MAIL)
    assert first.message_id != reminder.message_id
    await phone.office.arrives(dsn("<0123.subjectline@moment-pick.test>", MAIL))
    assert (await phone.row(POST)).outcome == "sent"
    await phone.office.arrives(dsn(reminder.message_id, MAIL, status="5.1.1"))
    row = await phone.row(POST)
    assert (row.outcome, row.reason) == ("failed", "the mail came back (5.1.1)")
    assert row.task_at == phone.office.clock()


async def test_two_desks_tell_a_recipient_once(office: Office) -> None:
    """On SQLite they take turns; on PostgreSQL one sees what the other has taken."""
    phone = telephone(office)
    await proven(office, ME, CORRECT)
    await asyncio.gather(*(recipients_outbox.once(office.desk, phone.ways) for _ in range(3)))
    assert len(phone.posts.got) == 1
    await signed(office)
    await phone.tell()
    await phone.days(3)
    assert phone.posts.kinds(POST) == ["hold", "corrected", "corrected"]
    for days in (4, 3.1):
        await phone.days(days)
    assert await why(phone) == ("recipient",)


async def test_without_a_way_for_mail_a_mail_waits(phone: Telephone) -> None:
    mute = RecipientSettings(reach={POST: Reach(mail=MAIL)})
    phone.office.desk = replace(phone.office.desk, recipients=mute)
    await proven(phone.office, ME, CORRECT)
    await recipients_outbox.once(phone.office.desk, Ways(phone.posts))
    assert (await phone.row(POST)).outcome == "due"


async def test_it_goes_with_the_request(told: Telephone) -> None:
    await told.tell()
    request = await told.office.request()
    await destroying.requests(told.office.desk, [request.id or 0])
    assert await told.office.all(Telling) == []
    assert len(await told.office.all(Request)) == 1 and await told.office.all(Conversation)


async def test_silent_recipients_are_counted_without_a_name(told: Telephone) -> None:
    async def counted() -> tuple[int, int]:
        async with told.office.desk.db.read() as session:
            return await recipients_chased.unanswered(session)

    assert await counted() == (0, 0)
    await told.tell()
    assert await counted() == (1, 0)
    for days in (3, 4, 3.1):
        await told.days(days)
    assert await counted() == (1, 1)
    row = await told.row(POST)
    await recipients_chased.confirmed(told.office.desk, row.request_id, row.notice_id, agent())
    assert await counted() == (0, 0)
