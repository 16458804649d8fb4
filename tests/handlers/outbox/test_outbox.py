"""Letters leave at least once, under the Message-ID they were queued with, whatever is in the way."""

from datetime import timedelta
from typing import Any

from desks import CORRECT, MARKETING, PARSERS, Office

from subjectline.handlers import inbox, outbox, tasks
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER
from subjectline.models.errors import PermanentSendError, TemporarySendError
from subjectline.models.incoming import Door
from subjectline.models.tables import Outbox, SentMessage

ME = KO_MEMBER.email


async def queued(office: Office, sender: str = ME) -> None:
    """A letter in the outbox, nothing sent."""
    await office.mail(sender, CORRECT, work=False)
    await inbox.once(office.desk, PARSERS)
    await tasks.once(office.desk)


async def row(office: Office) -> Outbox:
    return (await office.all(Outbox))[-1]


async def test_the_message_id_is_fixed_when_it_is_queued(office: Office) -> None:
    await queued(office)
    before = await row(office)
    assert before.rfc_message_id in [s.rfc_message_id for s in await office.all(SentMessage)]
    await office.work()
    assert office.last(ME).message_id == before.rfc_message_id
    after = await row(office)
    assert (after.outcome, after.sent_at) == ("sent", office.clock())
    assert after.content is None  # the code in it is not kept


async def test_a_soft_failure_is_tried_again_later(office: Office) -> None:
    await queued(office)
    office.tray.wrong = [TemporarySendError("greylisted"), TemporarySendError("greylisted")]
    waits = []
    for _ in range(2):
        await outbox.once(office.desk, office.senders)
        waits.append((await row(office)).due_at - office.clock())
        assert await outbox.once(office.desk, office.senders) == 0
        office.clock.at = (await row(office)).due_at
    assert waits == [timedelta(seconds=5), timedelta(seconds=30)]
    first = (await row(office)).rfc_message_id
    await office.work()
    assert [p.message_id for p in office.tray.parcels] == [first]


async def test_never_sooner_than_the_other_side_asks(office: Office) -> None:
    await queued(office)
    office.tray.wrong = [TemporarySendError("slow down", after=900)]
    await outbox.once(office.desk, office.senders)
    assert (await row(office)).due_at == office.clock() + timedelta(seconds=900)


async def test_what_was_not_tried_costs_no_try(office: Office) -> None:
    await queued(office)
    for _ in range(30):
        office.tray.wrong = [TemporarySendError("greylisted", after=60, tried=False)]
        await outbox.once(office.desk, office.senders)
        found = await row(office)
        assert (found.outcome, found.attempts) == ("due", 0)
        assert found.due_at == office.clock() + timedelta(seconds=60)
        office.clock.at = found.due_at
    await office.work()
    assert (await row(office)).outcome == "sent"


async def test_a_hard_failure_goes_to_an_agent(office: Office) -> None:
    await queued(office)
    office.tray.wrong = [PermanentSendError("550 there is no such mailbox")]
    await office.work()
    found = await row(office)
    assert (found.outcome, found.reason) == ("failed", "550 there is no such mailbox")
    assert (await office.conversation()).state == "unsorted"
    assert await office.state() == "verifying"  # the request is still there


async def test_it_is_given_up_after_the_last_try(office: Office) -> None:
    await queued(office)
    office.tray.wrong = [TemporarySendError("away")] * 50
    for _ in range(len(office.desk.manner.retry_seconds) + 1):
        await outbox.once(office.desk, office.senders)
        office.clock.at = max((await row(office)).due_at, office.clock())
    assert (await row(office)).outcome == "failed"


async def test_one_broken_letter_keeps_nobody_elses(office: Office) -> None:
    await queued(office)
    await queued(office, EN_MEMBER.email)
    first, second = await office.all(Outbox)
    office.tray.wrong = [RuntimeError("something new")]
    await office.work()
    assert (await office.all(Outbox))[0].outcome == "due"
    assert [p.message_id for p in office.tray.parcels] == [second.rfc_message_id]
    for _ in range(3):
        office.clock.advance(timedelta(minutes=1))
        await office.work()
    assert {r.outcome for r in await office.all(Outbox)} == {"sent"}
    assert first.rfc_message_id in {p.message_id for p in office.tray.parcels}


async def test_a_door_that_is_not_open_keeps_its_letters(office: Office) -> None:
    await queued(office)
    assert await outbox.once(office.desk, {Door.TELEGRAM: office.tray}) == 0
    assert (await row(office)).outcome == "due"


async def test_deciding_letters_leave_only_approved(office: Office) -> None:
    await office.mail(ME, MARKETING)
    assert await office.state() == "proposed" and await office.letters() == ["ack"]
    office.clock.advance(timedelta(days=2))
    await office.work()
    assert await office.letters() == ["ack"]


async def test_an_answer_goes_to_the_reply_address_of_its_conversation(office: Office) -> None:
    await queued(office)
    await office.work()
    letter: Any = office.last(ME)
    assert letter.reply_to.startswith("privacy+v") and letter.reply_to.endswith("@moment-pick.test")
    assert len(letter.reply_to.partition("@")[0]) <= 64  # RFC 5321, 4.5.3.1.1
