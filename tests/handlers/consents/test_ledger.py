"""The consent ledger: written in the step of a withdrawal, read in from the company's columns."""

from datetime import date, timedelta

import pytest
from desks import ACCESS, LEAVE, MARKETING, Office, agent
from signing import proven, signed

from subjectline.handlers import consents, keeping
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import BadInput
from subjectline.models.tables import Audit, ConsentEntry

ME, MEMBER = KO_MEMBER.email, str(KO_MEMBER.number)
Told = list[tuple[str, str, str]]


async def told(office: Office) -> Told:
    lines = await consents.ledger(office.desk, MEMBER)
    return [(line.consent, line.state, line.door) for line in lines]


async def test_a_withdrawal_is_in_the_ledger_with_door_text_and_request(office: Office) -> None:
    request = await proven(office, ME, MARKETING)
    assert [line for line in await told(office) if line[1] == "withdrawn"] == []
    request = await signed(office)
    assert ("marketing", "given", "registry") in await told(office)
    last = (await consents.ledger(office.desk, MEMBER))[-1]
    assert (last.consent, last.state, last.door) == ("marketing", "withdrawn", "mail")
    assert (last.request_id, last.at, last.text_version) == (request.id, office.clock(), "1")


async def test_leaving_ends_every_consent_that_was_given(office: Office) -> None:
    await proven(office, ME, LEAVE)
    await signed(office)
    ended = {line[0] for line in await told(office) if line[1] == "withdrawn"}
    assert ended == {"marketing", "third_party", "membership"}


async def test_access_reads_the_companys_columns_once(office: Office) -> None:
    for _ in range(2):
        await proven(office, ME, ACCESS)
        await signed(office)
    given = [line for line in await told(office) if line[1] == "given"]
    assert sorted(given) == [
        ("marketing", "given", "registry"),
        ("third_party", "given", "registry"),
    ]
    marketing = (await office.all(ConsentEntry))[0]
    assert set(marketing.columns) <= {"marketing_email", "marketing_sms"} and marketing.columns


async def test_what_was_given_again_is_a_new_line(office: Office) -> None:
    await proven(office, ME, MARKETING)
    await signed(office)
    office.clock.advance(timedelta(days=2))
    await office.sql("UPDATE member_consent SET marketing_sms = TRUE WHERE member_id = 1001")
    await consents.read_in(office.desk, MEMBER)
    states = [line[1] for line in await told(office) if line[0] == "marketing"]
    assert states == ["given", "withdrawn", "given"]
    assert await consents.read_in(office.desk, MEMBER) == 0


async def test_a_longer_keeping_is_a_line_with_its_day(office: Office) -> None:
    day = office.clock().date() + timedelta(days=3000)
    await consents.agree_longer(office.desk, MEMBER, "disputes", day, agent(), door="cli", text="2")
    assert await consents.longer(office.desk, MEMBER) == {"disputes": day}
    with pytest.raises(BadInput):
        await consents.agree_longer(
            office.desk, MEMBER, "membership", day, agent(), door="cli", text="2"
        )
    with pytest.raises(BadInput):
        yesterday = office.clock().date() - timedelta(days=1)
        await consents.agree_longer(
            office.desk, MEMBER, "disputes", yesterday, agent(), door="cli", text="2"
        )


async def test_a_look_is_recorded(office: Office) -> None:
    await keeping.look_at_ledger(office.desk, MEMBER, agent(2))
    [row] = [row for row in await office.all(Audit) if row.object == "consent_entry"]
    assert (row.account, row.subject_id, row.action) == ("agent:2", MEMBER, "view")


async def test_the_confirmation_says_sender_fact_date_and_result_within_14_days(
    office: Office,
) -> None:
    request = await proven(office, ME, MARKETING)
    assert date.fromisoformat(request.due_on) <= office.clock().date() + timedelta(days=14 + 3)
    assert any("14" in line for line in request.derivation)
    office.clock.advance(timedelta(days=1))
    await signed(office)
    letter = office.last(ME).text
    assert "보내는 곳: 모먼트픽" in letter and "광고성 정보 수신 동의 철회" in letter
    assert "철회하신 날: 2026년 11월 23일" in letter and "처리 완료" in letter
