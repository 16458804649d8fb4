"""The daily run: what is due goes for good and is certified; a legal hold stops it; a kill is no lie."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from desks import CORRECT, LEAVE, Office, agent
from signing import proven, signed

from subjectline.handlers import consents, legal_holds, papers, retention, retention_looks
from subjectline.handlers.audit import SYSTEM, Actor
from subjectline.handlers.registry import Archive
from subjectline.handlers.retention import Line
from subjectline.handlers.retention_kinds import Due
from subjectline.intake.sandbox.people import KO_MEMBER, OTHER_MEMBER
from subjectline.models.desk_files import Periods
from subjectline.models.errors import BadInput, KeyDestroyed, NotPermitted, RegistryAway, StaleMove
from subjectline.models.tables import (
    Agent,
    Audit,
    Certificate,
    Conversation,
    History,
    Hold,
    Message,
    Outbox,
    Paper,
    Proposal,
    Request,
    RetentionRun,
)

ME, MEMBER = KO_MEMBER.email, str(KO_MEMBER.number)


def of(lines: list[Line], what: str) -> Line:
    return next(line for line in lines if line.what == what)


async def officer(office: Office) -> Actor:
    async with office.desk.db.write() as session:
        row = await session.get_one(Agent, 3)
        row.role = "officer"
        session.add(row)
    return agent(3)


async def left(office: Office) -> Archive:
    await proven(office, ME, LEAVE)
    await signed(office)
    assert office.desk.registry.archive is not None
    return office.desk.registry.archive


async def test_nothing_is_due_on_the_first_day(office: Office) -> None:
    await proven(office, ME, CORRECT)
    assert [line for line in await retention.run(office.desk, SYSTEM) if line.due] == []
    [run] = await office.all(RetentionRun)
    assert run.day == "2026-11-23" and run.finished_at is not None


async def test_archived_records_go_when_their_day_has_passed(office: Office) -> None:
    archive = await left(office)
    alive = len(archive.keys.of_member(MEMBER))
    logs = await archive.count(MEMBER, "access_log")
    office.clock.advance(timedelta(days=100))  # beyond the three months of website visits
    dry = of(await retention.dry_run(office.desk, SYSTEM), "access_log")
    assert (dry.kind, dry.due, dry.destroyed) == ("archive", logs, None)
    assert await archive.count(MEMBER, "access_log") == logs
    assert await office.all(Certificate) == []
    lines = await retention.run(office.desk, SYSTEM)
    assert (of(lines, "access_log").destroyed, of(lines, "access_log").law) == (
        logs,
        "통신비밀보호법",
    )
    assert await archive.count(MEMBER, "access_log") == 0
    assert await archive.count(MEMBER, "payment_request") == 2
    [certificate] = [
        c for c in await office.all(Certificate) if (c.kind, c.what) == ("archive", "access_log")
    ]
    assert (certificate.state, certificate.planned, certificate.destroyed) == ("done", logs, logs)
    assert MEMBER not in certificate.model_dump_json(exclude={"id", "run_id"})
    assert await archive.open(MEMBER)  # the rest can still be read
    assert len(archive.keys.of_member(MEMBER)) < alive  # no old copy opens what went


async def test_with_the_last_record_the_members_key_goes(office: Office) -> None:
    archive = await left(office)
    keys = archive.keys.of_member(MEMBER)
    assert keys
    office.clock.advance(timedelta(days=365 * 6))
    await retention.run(office.desk, SYSTEM)
    assert await archive.count(MEMBER) == 0
    assert all(office.desk.vault.gone(key) for key in keys)


async def test_the_desks_own_case_goes_three_years_after_it_was_closed(office: Office) -> None:
    await proven(office, ME, CORRECT)
    request = await signed(office)
    talk = await office.conversation()
    sealed = [m.text for m in await office.messages() if m.text]
    office.clock.advance(timedelta(days=3 * 365 - 3))
    assert of(await retention.dry_run(office.desk, SYSTEM), "requests").due == 0
    office.clock.advance(timedelta(days=10))
    lines = await retention.run(office.desk, SYSTEM)
    assert (of(lines, "requests").destroyed, of(lines, "conversations").destroyed) == (1, 1)
    for key in (request.key_id, talk.key_id):
        assert office.desk.vault.gone(key)
    with pytest.raises(KeyDestroyed):
        office.desk.vault.text(sealed[0])
    for table in (Message, Outbox, Proposal, History):
        assert await office.all(table) == []
    [stub] = await office.all(Request)
    assert (stub.reference, stub.state) == (request.reference, "done")
    assert (stub.subject_id, stub.wish, stub.fields, stub.key_id) == (None, None, [], "")
    assert (await office.conversation()).contact is None
    assert [
        line for line in await retention.run(office.desk, SYSTEM) if line.what == "requests"
    ] == []


async def test_who_writes_again_after_that_starts_anew(office: Office) -> None:
    await proven(office, ME, CORRECT)
    await signed(office)
    office.clock.advance(timedelta(days=3 * 365 + 10))
    await retention.run(office.desk, SYSTEM)
    await office.mail(ME, CORRECT)
    assert len(await office.all(Conversation)) == 2 and await office.state() == "verifying"


async def test_an_open_case_and_a_standing_hold_stay(office: Office) -> None:
    await left(office)
    await proven(office, OTHER_MEMBER.email, CORRECT)
    office.clock.advance(timedelta(days=4 * 365))
    await retention.run(office.desk, SYSTEM)
    first, second = await office.all(Request)
    assert first.key_id == "" and second.key_id != ""
    standing = [h for h in await office.all(Hold) if h.kind == "standing"]
    assert [(h.subject_id, h.ended_revision) for h in standing] == [(MEMBER, None)]


async def test_access_records_stay_two_years(office: Office) -> None:
    await proven(office, ME, CORRECT)
    early = len(await office.all(Audit))
    office.clock.advance(timedelta(days=2 * 365 + 5))
    assert of(await retention.run(office.desk, SYSTEM), "audit").destroyed == early


async def test_live_rows_go_by_age_but_not_those_agreed_to_stay(office: Office) -> None:
    old = "UPDATE access_log SET accessed_at = '2026-06-01T00:00:00+09:00' WHERE member_id IN (1001, 1002)"
    await office.sql(old)
    count = "SELECT member_id, count(*) FROM access_log WHERE member_id IN (1001, 1002) GROUP BY 1"
    before = dict(map(tuple, await office.sql(count)))
    day = office.clock().date() + timedelta(days=30)
    await consents.agree_longer(office.desk, "1002", "visits", day, agent(), door="cli", text="1")
    line = of(await retention.run(office.desk, SYSTEM), "access_log")
    assert (line.kind, line.destroyed, line.spared) == ("live", before[1001], before[1002])
    assert dict(map(tuple, await office.sql(count))) == {1002: before[1002]}


async def test_a_legal_hold_stops_everything_of_a_member(office: Office) -> None:
    archive = await left(office)
    chief = await officer(office)
    office.clock.advance(timedelta(days=4 * 365))
    ends = office.clock().date() + timedelta(days=60)
    number = await legal_holds.place(office.desk, chief, "소송 2030가합1", ends, member=MEMBER)
    kept = await archive.count(MEMBER)
    lines = await retention.run(office.desk, SYSTEM)
    assert of(lines, "requests").spared == 1 and of(lines, "requests").destroyed == 0
    assert await archive.count(MEMBER) == kept
    await legal_holds.release(office.desk, chief, number)
    office.clock.advance(timedelta(hours=2))
    lines = await retention.run(office.desk, SYSTEM)
    assert of(lines, "requests").destroyed == 1 and await archive.count(MEMBER) < kept


async def test_a_legal_hold_ends_by_itself_and_is_an_officers(office: Office) -> None:
    ends = office.clock().date() + timedelta(days=1)
    with pytest.raises(NotPermitted):
        await legal_holds.place(office.desk, agent(1), "why", ends)
    chief = await officer(office)
    with pytest.raises(BadInput):
        await legal_holds.place(office.desk, chief, "why", date(2020, 1, 1))
    await legal_holds.place(office.desk, chief, "why", ends)
    async with office.desk.db.read() as session:
        assert (await legal_holds.in_force(session, office.desk)).everything
    office.clock.advance(timedelta(days=3))
    async with office.desk.db.read() as session:
        assert not (await legal_holds.in_force(session, office.desk)).everything


async def test_a_killed_run_leaves_a_certificate_that_says_so(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = await left(office)
    office.clock.advance(timedelta(days=365 * 6))

    async def dies(gone: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(archive, "forget_keys", dies)
        with pytest.raises(KeyboardInterrupt):
            await retention.run(office.desk, SYSTEM)
    assert [c for c in await office.all(Certificate) if c.state == "planned"]
    with pytest.raises(StaleMove):
        await retention.run(office.desk, SYSTEM)  # it may still be on its way
    office.clock.advance(timedelta(days=2))
    await retention.run(office.desk, SYSTEM)
    states = {c.state for c in await office.all(Certificate)}
    assert states == {"done", "interrupted"}
    assert await archive.count(MEMBER) == 0
    assert archive.keys.of_member(MEMBER) == []


async def test_a_run_a_day(office: Office) -> None:
    await retention.look(office.desk, agent(1))
    await retention.once_a_day(office.desk)
    await retention.once_a_day(office.desk)
    assert len(await office.all(RetentionRun)) == 1
    office.clock.advance(timedelta(days=1))
    await retention.once_a_day(office.desk)
    assert len(await office.all(RetentionRun)) == 2


OLD_VISITS = (
    "UPDATE access_log SET accessed_at = '2026-06-01T00:00:00+09:00' WHERE member_id = 1001"
)
VISITS = "SELECT count(*) FROM access_log WHERE member_id = 1001"


async def test_nothing_goes_by_itself_before_somebody_looked(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    await office.sql(OLD_VISITS)
    [[before]] = await office.sql(VISITS)
    assert await retention.once_a_day(office.desk) == []
    assert await office.all(RetentionRun) == [] and "--dry-run" in caplog.text
    await retention.dry_run(office.desk, SYSTEM)  # nobody read that one
    assert await retention_looks.waiting(office.desk) == "never"
    await retention.look(office.desk, agent(1))
    [[still]] = await office.sql(VISITS)
    assert still == before
    assert of(await retention.once_a_day(office.desk), "access_log").destroyed == before


async def test_a_changed_schedule_is_looked_at_again(office: Office) -> None:
    await retention.run(office.desk, agent(1))  # by hand: it was looked at
    office.clock.advance(timedelta(days=1))
    desk = replace(office.desk, keeps=Periods.model_validate({"traces": "1 day"}))
    assert await retention.once_a_day(desk) == []
    assert await retention_looks.waiting(desk) == "changed"
    await retention.look(desk, agent(1))
    await retention.once_a_day(desk)
    assert len(await office.all(RetentionRun)) == 2
    assert await retention_looks.waiting(desk) == ""


async def test_a_part_that_could_not_be_read_was_not_looked_at(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(desk: object, held: object) -> list[Due]:
        raise RegistryAway("the company's database is away", field="members")

    monkeypatch.setattr(retention, "FINDERS", (("live", away),))
    await retention.look(office.desk, agent(1))
    assert await retention_looks.waiting(office.desk) == "never"


async def test_a_date_that_cannot_be_read_stops_nothing_and_is_certified(office: Office) -> None:
    await office.sql(OLD_VISITS)
    await office.sql("UPDATE access_log SET accessed_at = '19.05.2001' WHERE member_id = 1002")
    [[strange]] = await office.sql("SELECT count(*) FROM access_log WHERE member_id = 1002")
    line = of(await retention.run(office.desk, SYSTEM), "access_log")
    assert line.destroyed and line.others == (("no readable date", strange),)
    [certificate] = [c for c in await office.all(Certificate) if c.what == "access_log"]
    assert (certificate.spared, certificate.told) == (strange, f"no readable date: {strange}")
    assert "19.05.2001" not in certificate.model_dump_json()


async def test_papers_are_listed_and_shredded_before_a_witness(office: Office) -> None:
    await proven(office, ME, CORRECT)
    request = await office.request()
    await papers.add(office.desk, request.reference, "신분증 사본", agent(1))
    [row] = await papers.listed(office.desk)
    assert (row.what, row.due) == ("신분증 사본", False)
    await signed(office)
    [row] = await papers.listed(office.desk)
    assert row.due
    with pytest.raises(BadInput):
        await papers.shred(office.desk, row.id, agent(1), "서민지")  # the agent herself
    await papers.shred(office.desk, row.id, agent(1), "윤지호")
    with pytest.raises(StaleMove):
        await papers.shred(office.desk, row.id, agent(1), "윤지호")
    [gone] = await papers.listed(office.desk, everything=True)
    assert (gone.witness, gone.shredded_by) == ("윤지호", "서민지") and gone.shredded_on
    [paper] = await office.all(Paper)
    assert paper.shredded_at == office.clock()
    assert [c.kind for c in await office.all(Certificate)] == ["paper"]


async def test_a_database_that_is_away_leaves_its_part_to_the_next_run(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = await left(office)
    office.clock.advance(timedelta(days=365 * 6))

    async def away(today: date) -> None:
        raise RegistryAway("the archive is away", field="archive")

    monkeypatch.setattr(archive, "due", away)
    lines = await retention.run(office.desk, SYSTEM)
    assert of(lines, "archive").told == "the archive is away"
    assert of(lines, "requests").destroyed == 1
