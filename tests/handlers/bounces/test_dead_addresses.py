"""An address at which letters fail for good is not mailed again until it is shown to live."""

from datetime import timedelta

import pytest
from bounced import FULL, ME, bounced, dead, handle, outbox_row, result
from desks import CORRECT, MARKETING, THIRD_PARTY, Office, agent
from returned import dsn

from subjectline.handlers import post, returned
from subjectline.models.errors import PermanentSendError, StaleMove
from subjectline.models.tables import (
    Conversation,
    DeadAddress,
    Outbox,
    ReturnedLetter,
)


async def test_a_dead_address_is_not_mailed_again(office: Office) -> None:
    await bounced(office)
    office.tray.parcels.clear()
    await office.chat(77, "/start")  # any work at all
    async with office.desk.write() as session:
        conversation = next(c for c in await office.all(Conversation) if c.door == "mail")
        post.note(
            session, post.Noted("ack", conversation.id or 0, [(await office.request()).id or 0])
        )
    await office.work()
    assert office.tray.to(ME) == []
    row = (await office.all(Outbox))[-1]
    assert (row.outcome, row.returned_cause) == ("unreachable", "known_dead")
    assert [r.kind for r in await office.all(ReturnedLetter)] == ["bounce", "unsent"]


async def test_who_writes_to_us_lives(office: Office) -> None:
    await bounced(office)
    assert await dead(office)
    await office.mail(ME, CORRECT, auth="fail")
    assert await dead(office)  # anybody can write that address
    await office.mail(ME, CORRECT)
    assert not await dead(office) and office.tray.to(ME)
    [row] = await office.all(DeadAddress)
    assert row.cleared_by == "mail"


async def test_an_agent_clears_it(office: Office) -> None:
    await bounced(office)
    await returned.address_lives(office.desk, await handle(office), agent())
    assert not await dead(office)
    with pytest.raises(StaleMove):
        await returned.address_lives(office.desk, await handle(office), agent())
    await returned.send_again(office.desk, await handle(office), "email", agent())
    await office.work()
    assert office.last(ME).subject == office.tray.parcels[-1].subject


async def test_three_within_a_week_count_as_for_good(office: Office) -> None:
    for number, words in enumerate((MARKETING, THIRD_PARTY, CORRECT)):
        await office.mail(ME, words)
        assert not await dead(office)
        await office.arrives(
            dsn(office.last(ME).message_id, ME, status="4.2.2", words=FULL, number=f"r{number}")
        )
    assert await dead(office)


async def test_three_in_three_weeks_do_not(office: Office) -> None:
    for number, words in enumerate((MARKETING, THIRD_PARTY, CORRECT)):
        await office.mail(ME, words)
        await office.arrives(
            dsn(office.last(ME).message_id, ME, status="4.2.2", words=FULL, number=f"r{number}")
        )
        office.clock.advance(timedelta(days=8))
    assert not await dead(office)


@pytest.mark.parametrize(
    ("status", "words"), [("5.7.1", "550 5.7.1 rejected as spam"), ("5.3.4", "552 5.3.4 too large")]
)
async def test_not_welcome_is_not_dead(office: Office, status: str, words: str) -> None:
    message_id = await result(office)
    await office.arrives(dsn(message_id, ME, status=status, words=words))
    [row] = await office.all(ReturnedLetter)
    assert row.state == "waits" and row.permanent and not await dead(office)


async def test_refused_at_the_door_is_the_same_task(office: Office) -> None:
    await office.mail(ME, CORRECT, work=False)
    office.tray.wrong = [PermanentSendError("the mail server answered 550 5.1.1")]
    await office.work()
    [row] = await office.all(ReturnedLetter)
    assert (row.kind, row.cause, row.told_by) == ("unsent", "no_such_address", "desk")
    assert await dead(office)


async def test_a_relay_that_says_nothing_of_the_address(office: Office) -> None:
    await office.mail(ME, CORRECT, work=False)
    office.tray.wrong = [PermanentSendError("the mail server answered 554")]
    await office.work()
    [row] = await office.all(ReturnedLetter)
    assert row.cause == "not_taken" and not await dead(office)


async def test_a_members_own_forwarder_proves_nothing_of_the_address(office: Office) -> None:
    """It names no Original-Recipient; the returned copy is still written to the member."""
    message_id = await result(office)
    report = dsn(message_id, "old@work.test")
    await office.arrives(report.replace(b"To: old@work.test", f"To: {ME}".encode()))
    letter = await outbox_row(office, message_id)
    assert (letter.outcome, letter.returned_cause) == ("bounced", "no_such_address")
    [row] = await office.all(ReturnedLetter)
    assert (row.state, row.strike) == ("waits", False) and not await dead(office)


@pytest.mark.parametrize("original", ["", ME])
async def test_a_forwarder_that_fails_three_times_proves_nothing(
    office: Office, original: str
) -> None:
    for number, words in enumerate((MARKETING, THIRD_PARTY, CORRECT)):
        await office.mail(ME, words)
        message_id, mark = office.last(ME).message_id, f"r{number}"
        await office.arrives(dsn(message_id, "old@work.test", original=original, number=mark))
    rows = await office.all(ReturnedLetter)
    assert [row.strike for row in rows] == [False] * 3 and not await dead(office)


async def test_the_address_itself_in_capitals_is_the_address(office: Office) -> None:
    await office.arrives(dsn(await result(office), ME.upper()))
    assert await dead(office)
