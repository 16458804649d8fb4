"""What agents see: counts always, values for one of four reasons, inside an open request, recorded."""

import json
from collections.abc import Awaitable, Callable

import pytest
from browsers import KO, actions, asks
from desks import ACCESS, CORRECT, Office, agent
from sqlmodel import col

from subjectline.handlers import decisions, requests
from subjectline.handlers.export import survey
from subjectline.handlers.export.shelf import Head
from subjectline.models.errors import BadInput, NotPermitted
from subjectline.models.tables import Agent, Audit, Conversation, Request

Gathered = Callable[..., Awaitable[Head]]


async def asked(office: Office) -> int:
    await asks(office, KO, ACCESS)
    return (await office.request()).id or 0


async def officer(office: Office) -> None:
    async with office.desk.write() as session:
        row = await session.get_one(Agent, 1)
        row.role = "officer"
        session.add(row)


def test_four_reasons_in_both_languages() -> None:
    assert list(survey.LOOKS) == ["withheld", "complaint", "others", "review"]
    assert all(look.ko and look.en and look.ko != look.en for look in survey.LOOKS.values())


async def test_before_approval_there_are_counts_and_no_values(office: Office) -> None:
    number = await asked(office)
    version = (await office.request()).version
    await decisions.send_back(office.desk, number, version, agent(), "no")
    found = await survey.survey(office.desk, number, agent())
    assert found is not None and found.made_at is None
    counts = {table.table: table.rows for table in found.tables}
    assert counts["member"] == 1 and counts["access_log"] > 1
    assert found.rows == sum(counts.values())
    told = json.dumps([str(table) for table in found.tables], ensure_ascii=False)
    assert "김하늘" not in told and KO not in told
    uses = [row for row in await office.all(Audit) if row.action == "gate_use"]
    assert uses[-1].account == "agent:1"  # the look at the registry went through the gate


async def test_what_is_withheld_is_said_by_table_and_why(office: Office) -> None:
    found = await survey.survey(office.desk, await asked(office), agent())
    assert found is not None
    held = [held for table in found.tables for held in table.withheld]
    assert held, "the sample member has records that others share"
    assert all(one.told.ko and one.told.en and one.rows > 0 for one in held)


async def test_after_approval_the_counts_are_the_exports(
    office: Office, gathered: Gathered
) -> None:
    head = await gathered()
    found = await survey.survey(office.desk, (await office.request()).id or 0, agent())
    assert found is not None and found.made_at is not None and found.opened_at is None
    assert {t.table: t.rows for t in found.tables if t.rows} == {
        t["table"]: t["count"] for t in head.tables
    }


async def test_other_rights_have_none(office: Office) -> None:
    await asks(office, KO, CORRECT)
    assert await survey.survey(office.desk, (await office.request()).id or 0, agent()) is None


@pytest.mark.parametrize("reason", ["withheld", "complaint", "others"])
async def test_values_for_a_reason_are_recorded_first(office: Office, reason: str) -> None:
    number = await asked(office)
    shown = await survey.open_values(office.desk, number, "member", reason, agent())
    assert ("이름", "김하늘") in shown.records[0]
    [row] = await office.all(Audit, col(Audit.action) == "values_open")
    assert (row.account, row.reason, row.object) == ("agent:1", reason, "table:member")
    assert row.subject_id == "1001" and row.request_id == number
    assert "gate_use" in await actions(office)


@pytest.mark.parametrize("reason", ["", "curiosity", "WITHHELD"])
async def test_no_other_reason_opens_them(office: Office, reason: str) -> None:
    number = await asked(office)
    with pytest.raises(BadInput):
        await survey.open_values(office.desk, number, "member", reason, agent())
    assert "values_open" not in await actions(office)


async def test_review_is_the_officers(office: Office) -> None:
    number = await asked(office)
    with pytest.raises(NotPermitted):
        await survey.open_values(office.desk, number, "member", "review", agent())
    await officer(office)
    assert (await survey.open_values(office.desk, number, "member", "review", agent())).records


async def test_no_such_table(office: Office) -> None:
    number = await asked(office)
    for name in ("nothing", "member; DROP TABLE member", ""):
        with pytest.raises(BadInput):
            await survey.open_values(office.desk, number, name, "others", agent())


async def test_a_table_is_opened_some_rows_at_a_time(office: Office) -> None:
    number = await asked(office)
    [[there]] = await office.sql("SELECT count(*) FROM access_log WHERE member_id = 1001")
    seen: list[str] = []
    first = 0
    while True:
        shown = await survey.open_values(
            office.desk, number, "access_log", "others", agent(), first
        )
        seen += [record[0][1] for record in shown.records]
        if not (first := shown.following):
            break
    assert len(set(seen)) == len(seen) == there == shown.total


async def test_a_closed_request_opens_nothing(office: Office, gathered: Gathered) -> None:
    await gathered()
    number = (await office.request()).id or 0
    with pytest.raises(NotPermitted):
        await survey.open_values(office.desk, number, "member", "complaint", agent())
    assert "values_open" not in await actions(office)


async def test_an_objection_opens_what_was_handed_out(office: Office, gathered: Gathered) -> None:
    await gathered()
    asked_first = await office.request()
    async with office.desk.write() as session:
        conversation = await session.get_one(Conversation, asked_first.conversation_id)
        request = await requests.open_request(
            session,
            office.desk,
            conversation,
            "objection",
            arrived_at=office.clock(),
            group_id="objects",
            follows_id=asked_first.id,
        )
        facts = requests.Facts(level="contact", registry="moment-pick", subject="1001")
        await requests.advance(
            session, office.desk, request.id or 0, "prove", agent(), request.version, facts
        )
    await office.sql("UPDATE member SET nickname = '나중에바꿈' WHERE member_id = 1001")
    number = (await office.all(Request))[-1].id or 0
    found = await survey.survey(office.desk, number, agent())
    assert found is not None and found.made_at is not None
    shown = await survey.open_values(office.desk, number, "member", "complaint", agent())
    values = [value for _, value in shown.records[0]]
    assert "나중에바꿈" not in values and "김하늘" in values
