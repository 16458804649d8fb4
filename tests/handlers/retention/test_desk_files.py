"""The desk's own tables: each has a rule, the run obeys it, and what a table of many years keeps is told."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

from desks import ACCESS, CORRECT, LEAVE, MARKETING, Office, agent
from signing import proven, request_of, signed
from sqlalchemy import text
from sqlmodel import SQLModel

from subjectline.handlers import consents, legal_holds, notices, papers, restrictions, retention
from subjectline.handlers.audit import SYSTEM, Actor
from subjectline.handlers.destroying import OUTLIVES
from subjectline.handlers.retention_files import SWEPT, over
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER, OTHER_MEMBER
from subjectline.models.desk_files import PARTS, TABLES, Periods
from subjectline.models.tables import (
    Agent,
    AgentSession,
    Certificate,
    ConsentEntry,
    GateUse,
    Hold,
    NoticeRecipient,
    RawInbox,
)

ME, MEMBER = KO_MEMBER.email, str(KO_MEMBER.number)
YEAR = timedelta(days=366)


def test_every_table_has_a_rule_and_a_reason() -> None:
    assert set(TABLES) == set(SQLModel.metadata.tables)
    assert all(rule.why for rule in TABLES.values())
    assert set(PARTS) == set(Periods.model_fields)


def test_the_rules_are_those_that_the_run_obeys() -> None:
    deleted = {name for name, rule in TABLES.items() if rule.way == "deleted"}
    assert deleted | {"hold"} == set(SWEPT)
    assert {TABLES[name].part for name in deleted} <= set(PARTS)
    for name, rule in TABLES.items():
        if rule.way == "with":
            parents = {k.column.table.name for k in SQLModel.metadata.tables[name].foreign_keys}
            assert rule.part in parents, name
        if rule.part == "request":
            assert name not in OUTLIVES


async def years_of_work(office: Office) -> None:
    """Something in as many tables as a desk fills."""
    await proven(office, ME, CORRECT)
    await papers.add(office.desk, (await signed(office)).reference, "위임장", agent(1))
    await papers.shred(office.desk, 1, agent(1), "윤지호")
    await proven(office, OTHER_MEMBER.email, ACCESS)
    await signed(office)
    number = await restrictions.suspect(office.desk, "1002", agent(1), "이름이 다릅니다.")
    await office.work()
    await signed(office, await request_of(office, number))
    number = await restrictions.lift(office.desk, "1002", agent(1), "확인했습니다.")
    await office.work()
    await signed(office, await request_of(office, number))
    await _notice(office)
    async with office.desk.db.write() as session:
        chief = await session.get_one(Agent, 3)
        chief.role = "officer"
        session.add(chief)
        session.add(
            AgentSession(
                token_hash=b"h",
                agent_id=1,
                csrf="c",
                made_at=office.clock(),
                seen_at=office.clock(),
                expires_at=office.clock(),
            )
        )
    ends = office.clock().date() + timedelta(days=5)
    await legal_holds.place(office.desk, agent(3), "소송", ends, member="1004")
    await office.desk.gate.decide("desk", MEMBER, ["email"], "legal-retention")
    await proven(office, ME, LEAVE)
    await signed(office)


async def _notice(office: Office) -> None:
    today, words = office.clock().date(), {"ko": "내용", "en": "words"}
    change = dict.fromkeys(("clause", "before", "after", "reason"), words)
    version = await notices.create_version(
        office.desk, "9", today, today + timedelta(days=10), "방침", "Policy", [change], agent()
    )
    await notices.announce(office.desk, version, agent())
    while await notices.once(office.desk, office.tray):
        pass


async def _counts(office: Office) -> dict[str, int]:
    async with office.desk.db.read() as session:
        connection = await session.connection()
        return {
            name: int(await connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0)
            for name in TABLES
        }


async def test_after_many_years_nothing_of_a_person_is_left(office: Office) -> None:
    await years_of_work(office)
    before = await _counts(office)
    office.clock.advance(7 * YEAR)
    lines = await retention.run(office.desk, SYSTEM)
    assert [line.told for line in lines if line.told] == []
    after = await _counts(office)
    gone = {name for name, rule in TABLES.items() if rule.way in ("deleted", "with")}
    gone -= {"audit", "consent_entry"}  # what the run itself wrote is young; one is a member still
    assert {name: after[name] for name in gone} == dict.fromkeys(gone, 0)
    assert MEMBER not in {line.subject_id for line in await office.all(ConsentEntry)}
    assert sum(1 for name in gone if before[name]) >= 18, before
    for hold in await office.all(Hold):
        assert hold.subject_id == "" or (hold.kind, hold.ended_at) == ("standing", None)
    counted = {c.what: c.destroyed for c in await office.all(Certificate) if c.run_id}
    for name in ("notice_recipient", "restriction", "paper", "legal_hold", "task"):
        assert counted[name] == before[name], name


async def test_codes_and_traces_go_after_three_months(office: Office) -> None:
    await proven(office, ME, CORRECT)
    await signed(office)
    office.clock.advance(timedelta(days=80))
    await retention.run(office.desk, SYSTEM)
    assert await office.all(RawInbox)
    office.clock.advance(timedelta(days=20))
    found = {line.what: line for line in await retention.run(office.desk, SYSTEM)}
    assert found["raw_inbox"].destroyed and found["challenge"].destroyed and found["task"].destroyed
    assert "requests" not in found
    assert await office.all(RawInbox) == []


async def test_a_desk_without_a_rule_in_the_map_has_the_settings(office: Office) -> None:
    bare = office.desk.data_map.model_copy(update={"case_files": None})
    object.__setattr__(office.desk, "data_map", bare)
    assert over(office.desk, "cases").name == "desk.cases"
    assert over(office.desk, "cases").law == "권리 요구의 처리 기록"
    await proven(office, ME, CORRECT)
    await signed(office)
    office.clock.advance(3 * YEAR)
    found = {line.what: line for line in await retention.run(office.desk, SYSTEM)}
    assert found["requests"].destroyed == 1


async def test_uses_of_a_held_field_are_evidence_as_long_as_the_hold_is_on_record(
    office: Office,
) -> None:
    await proven(office, ME, CORRECT)
    gate = office.desk.gate
    for member in (MEMBER, "1002"):
        asked = (member, ["shipping_address"], "delivery", "post_office")
        await gate.decide("nightly-export", *asked)
    await gate.flush()
    await signed(office)
    office.clock.advance(2 * YEAR + timedelta(days=10))
    await retention.run(office.desk, SYSTEM)
    assert await _asked(office) == [MEMBER]
    office.clock.advance(YEAR)
    for _ in range(2):
        await retention.run(office.desk, SYSTEM)
    assert await _asked(office) == []


async def _asked(office: Office) -> list[str]:
    rows = await office.all(GateUse, GateUse.caller == "nightly-export")
    return [row.subject_id for row in rows]


async def test_a_legal_hold_is_the_reason_of_what_stays(office: Office) -> None:
    await years_of_work(office)
    office.clock.advance(7 * YEAR)
    ends = office.clock().date() + timedelta(days=60)
    await legal_holds.place(office.desk, agent(3), "소송", ends)
    before = await _counts(office)
    lines = await retention.run(office.desk, SYSTEM)
    assert sum(line.destroyed or 0 for line in lines) == 0
    spared = [line for line in lines if line.spared]
    assert len(spared) > 10
    assert all(line.kept_why == f"legal hold: {line.spared}" for line in spared)
    told = [c.told for c in await office.all(Certificate) if c.run_id]
    assert sorted(told) == sorted(line.kept_why for line in spared)
    after = await _counts(office)
    grew = {name for name in TABLES if after[name] != before[name]}
    assert grew == {"audit", "certificate", "retention_run"}


async def test_who_came_back_keeps_the_consents_given_since(office: Office) -> None:
    await proven(office, ME, LEAVE)
    await signed(office)
    office.clock.advance(2 * YEAR)
    async with office.desk.db.write() as session:
        for consent, until in (("marketing", None), (consents.LONGER + "disputes", "2099-01-01")):
            session.add(
                ConsentEntry(
                    registry_id=office.desk.data_map.registry,
                    subject_id=MEMBER,
                    door="registry",
                    consent=consent,
                    state="given",
                    until=until,
                    at=office.clock(),
                    noted_at=office.clock(),
                )
            )
    office.clock.advance(4 * YEAR)
    await retention.run(office.desk, SYSTEM)
    left = [(x.consent, x.state) for x in await office.all(ConsentEntry)]
    assert left == [("marketing", "given"), ("retention:disputes", "given")]


async def test_a_dry_run_writes_nothing(office: Office) -> None:
    await years_of_work(office)
    office.clock.advance(7 * YEAR)
    await retention.run(office.desk, Actor("system", "first"))
    office.clock.advance(2 * YEAR)
    before, files = await _counts(office), _digests(office.folder)
    assert any(line.due for line in await retention.dry_run(office.desk, SYSTEM))
    assert await _counts(office) == before and _digests(office.folder) == files


def _digests(folder: Path) -> str:
    """Of every database in the folder, with what stands in its write-ahead log."""
    kept = [file for file in sorted(folder.iterdir()) if not file.name.endswith("-shm")]
    told = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in kept}
    return json.dumps(told)


async def test_what_was_destroyed_stands_in_no_file(office: Office) -> None:
    """SQLite leaves deleted rows in its pages and its log unless it is told not to."""
    if not office.desk.db.embedded:
        return
    marked = "203.0.113.77"
    await office.sql("PRAGMA journal_mode = WAL")
    await office.sql(f"UPDATE access_log SET ip_address = '{marked}' WHERE member_id = 1001")
    await proven(office, EN_MEMBER.email, MARKETING)
    await signed(office)
    reference = (await office.request()).reference
    await papers.add(office.desk, reference, "paper-of-a-witness", agent(1))
    await papers.shred(office.desk, 1, agent(1), "seen-by-somebody")
    seen = _bytes(office.folder)
    assert marked.encode() in seen and b"seen-by-somebody" in seen
    office.clock.advance(4 * YEAR)
    await retention.run(office.desk, SYSTEM)
    left = _bytes(office.folder)
    assert marked.encode() not in left and b"seen-by-somebody" not in left
    assert await office.all(NoticeRecipient) == []


def _bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())
