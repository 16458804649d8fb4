"""What the clock does by itself: a reminder after a day, a lapse on the due day, holds of 72 hours."""

from datetime import timedelta

from desks import CORRECT, LEAVE, Office

from subjectline.handlers import timers
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import Challenge, Export, History, RawInbox

ME = KO_MEMBER.email


async def sweep(office: Office) -> int:
    steps = await timers.sweep(office.desk)
    await office.work()
    return steps


async def test_one_reminder_after_a_day(office: Office) -> None:
    await office.mail(ME, CORRECT)
    verify = office.last(ME)
    office.clock.advance(timedelta(hours=23))
    assert await sweep(office) == 0
    office.clock.advance(timedelta(hours=2))
    assert await sweep(office) == 1
    assert await office.letters() == ["verify", "reminder"]
    office.clock.advance(timedelta(days=1))
    assert await sweep(office) == 0
    assert [c.state for c in await office.all(Challenge)] == ["replaced", "open"]
    await office.mail(ME, "네", answers=office.last(ME))
    assert office.last(ME) is not verify and await office.state() == "proposed"


async def test_the_old_letters_answer_works_after_the_reminder(office: Office) -> None:
    """People answer the mail that they find first."""
    await office.mail(ME, CORRECT)
    verify = office.last(ME)
    office.clock.advance(timedelta(hours=25))
    await sweep(office)
    await office.mail(ME, "네", answers=verify)
    assert await office.state() in ("proposed", "verifying")
    if await office.state() == "verifying":
        assert "확인번호" in office.last(ME).text and office.last(ME) is not verify


async def test_who_owes_an_answer_is_reminded_too(office: Office) -> None:
    await office.mail(ME, LEAVE)
    await office.mail(ME, "네", answers=office.last(ME))
    assert await office.state() == "waiting"
    office.clock.advance(timedelta(hours=25))
    assert await sweep(office) == 1
    assert (await office.letters())[-1] == "reminder" and await office.state() == "waiting"


async def test_the_provisional_hold_ends_at_72_hours(office: Office) -> None:
    await office.mail(ME, CORRECT)
    office.clock.advance(timedelta(hours=71))
    await sweep(office)
    assert len(await office.holds()) == 1
    office.clock.advance(timedelta(hours=1, seconds=1))
    await sweep(office)
    assert await office.holds() == [] and await office.state() == "verifying"
    assert "hold_expires" in [row.event for row in await office.all(History)]


async def test_a_firm_hold_never_ends_by_silence(office: Office) -> None:
    await office.mail(ME, LEAVE)
    await office.mail(ME, "네", answers=office.last(ME))
    for _ in range(60):
        office.clock.advance(timedelta(days=1))
        await timers.sweep(office.desk)
    assert [hold.kind for hold in await office.holds()] == ["firm"]
    assert await office.state() == "waiting"


async def test_a_lapse_at_the_end_of_the_due_day_and_not_before(office: Office) -> None:
    await office.mail(ME, CORRECT)
    request = await office.request()
    office.clock.at = request.due_at
    await sweep(office)
    assert await office.state() == "verifying"
    office.clock.advance(timedelta(seconds=1))
    await sweep(office)
    assert await office.state() == "lapsed" and (await office.letters())[-1] == "lapsed"
    assert await office.holds() == []


async def test_an_answer_to_a_lapsed_one_does_not_wake_it(office: Office) -> None:
    await office.mail(ME, CORRECT)
    verify = office.last(ME)
    office.clock.at = (await office.request()).due_at + timedelta(seconds=1)
    await sweep(office)
    await office.mail(ME, "네", answers=verify)
    assert await office.state() == "lapsed"


async def test_a_long_sleep_makes_each_step_once(office: Office) -> None:
    """The machine was off for a month."""
    await office.mail(ME, CORRECT)
    office.clock.advance(timedelta(days=31))
    while await timers.sweep(office.desk):
        pass
    events = [row.event for row in await office.all(History)]
    assert events.count("lapse") == 1 and events.count("remind") <= 1
    assert await office.state() == "lapsed"


async def test_what_is_over_is_tidied_away(office: Office) -> None:
    await office.chat(77, "/help")
    await office.mail(ME, CORRECT)
    async with office.desk.db.write() as session:
        request = await office.request()
        content = office.desk.vault.seal(request.key_id, "export.content", "{}")
        session.add(
            Export(
                request_id=request.id or 0,
                made_at=office.clock(),
                expires_at=office.clock() + timedelta(days=7),
                content=content,
            )
        )
    office.clock.advance(timedelta(days=8))
    await timers.sweep(office.desk)
    [export] = await office.all(Export)
    assert export.content is None
    assert [row.door for row in await office.all(RawInbox)] == ["mail"]
