"""The consent ledger: written in the step of a withdrawal, read in from the company's columns."""

from datetime import date, datetime, timedelta

import pytest
from desks import ACCESS, LEAVE, MARKETING, THIRD_PARTY, Office, agent
from signing import proven, signed

from subjectline.handlers import consents, keeping
from subjectline.handlers.export import fiveitems, shelf
from subjectline.handlers.export.document import _entry as entry
from subjectline.handlers.export.wording import words
from subjectline.handlers.registry import ConsentSeen
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import BadInput, UnknownMember
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


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2025-03-01", "2025-02-28T15:00:00+00:00"),
        ("2025-03-01 09:30:00", "2025-03-01T00:30:00+00:00"),
        ("1735689600", ""),
    ],
)
async def test_a_time_as_the_company_writes_it(office: Office, written: str, at: str) -> None:
    """Without a zone it is the regime's; what is no time does not stop an access."""
    await office.sql(
        f"UPDATE member_consent SET marketing_changed_at = '{written}' WHERE member_id = 1001"
    )
    await proven(office, ME, ACCESS)
    await signed(office)
    lines = await consents.ledger(office.desk, MEMBER)
    given = next(line for line in lines if line.consent == "marketing")
    assert given.at == (datetime.fromisoformat(at) if at else office.clock())
    assert given.at_known is bool(at)


@pytest.mark.parametrize("written", ["NULL", "''", "'1735689600'", "'last spring'"])
async def test_a_time_that_nobody_knows_is_told_as_not_known(office: Office, written: str) -> None:
    await office.sql(
        f"UPDATE member_consent SET marketing_changed_at = {written} WHERE member_id = 1001"
    )
    await proven(office, ME, ACCESS)
    await signed(office)
    opened = await shelf.head(office.desk, (await office.request()).id or 0)
    assert opened is not None
    labels = office.desk.data_map.consents["marketing"].labels
    for language, unknown, read in (
        ("ko", "알 수 없음", "읽은 때"),
        ("en", "not known", "read from"),
    ):
        label = labels.text(language)
        item = fiveitems.in_words(office.desk, opened, language).items[4]
        now, history = (next(r for r in grid.rows if r[0] == label) for grid in item.grids)
        assert now[2] == unknown
        assert history[2].startswith(unknown) and read in history[2]
    line = next(e for e in opened.body["consent_history"] if e["consent"] == "marketing")
    assert line["at"] is None and line["noted_at"]


async def test_a_time_that_the_columns_keep_from_before_is_not_the_new_ones(office: Office) -> None:
    await proven(office, ME, MARKETING)
    await signed(office)
    lines = await consents.ledger(office.desk, MEMBER)
    seen = ConsentSeen("marketing", True, ("marketing_sms",), lines[0].at, "1")
    line = consents._line(office.desk, MEMBER, seen, lines)
    assert line is not None and (line.at, line.at_known) == (office.clock(), False)


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


async def test_a_longer_keeping_stands_in_the_letter_and_the_archive(office: Office) -> None:
    day = date(2036, 3, 5)
    await consents.agree_longer(
        office.desk, MEMBER, "disputes", day, agent(), door="phone", text="2"
    )
    await proven(office, ME, LEAVE)
    await signed(office)
    letter = office.last(ME).text
    assert "이후는 회원의 동의, 2036년 3월 5일까지" in letter
    archive = office.desk.registry.archive
    assert archive is not None
    found = [one.about for one in await archive.open(MEMBER) if one.about.rule == "disputes"]
    assert found and all(one.until == day and "동의" in one.law.ko for one in found)
    others = [one.about for one in await archive.open(MEMBER) if one.about.rule != "disputes"]
    assert not any("동의" in one.law.ko for one in others)


async def test_a_longer_keeping_stands_in_the_export_with_its_door(office: Office) -> None:
    day = date(2036, 3, 5)
    await consents.agree_longer(
        office.desk, MEMBER, "disputes", day, agent(), door="phone", text="2"
    )
    [line] = await consents.ledger(office.desk, MEMBER)
    assert (line.door, line.text_version, line.until) == ("phone", "2", "2036-03-05")
    told = entry(office.desk.data_map, line)
    assert "분쟁처리" in told["label"]["ko"] and "2036-03-05" in told["label"]["en"]
    assert all(f"door.{door}" in words("ko") for door in consents.DOORS)


async def test_a_longer_keeping_can_be_taken_back(office: Office) -> None:
    day = date(2036, 3, 5)
    with pytest.raises(BadInput):
        await consents.end_longer(office.desk, MEMBER, "disputes", agent(), door="mail")
    await consents.agree_longer(
        office.desk, MEMBER, "disputes", day, agent(), door="paper", text="2"
    )
    office.clock.advance(timedelta(days=1))
    await consents.end_longer(office.desk, MEMBER, "disputes", agent(), door="mail")
    assert await consents.longer(office.desk, MEMBER) == {}
    last = (await consents.ledger(office.desk, MEMBER))[-1]
    assert (last.state, last.door, last.text_version) == ("withdrawn", "mail", "2")
    rows = [r.action for r in await office.all(Audit) if r.object == "retention:disputes"]
    assert rows == ["consent_given", "consent_withdrawn"]


@pytest.mark.parametrize(
    ("member", "door", "text"),
    [("999999", "cli", "2"), (MEMBER, "dream", "2"), (MEMBER, "cli", " ")],
)
async def test_a_longer_keeping_says_whose_how_and_to_which_text(
    office: Office, member: str, door: str, text: str
) -> None:
    with pytest.raises(BadInput if member == MEMBER else UnknownMember):
        await consents.agree_longer(
            office.desk, member, "disputes", date(2036, 3, 5), agent(), door=door, text=text
        )


async def test_a_third_party_withdrawal_is_in_the_ledger_and_at_the_gate(office: Office) -> None:
    asked = (MEMBER, ["nickname", "instagram_id"], "third_party", "content_buyer")
    assert (await office.desk.gate.decide("buyer-api", *asked)).permit
    request = await proven(office, ME, THIRD_PARTY)
    request = await signed(office, request)
    last = (await consents.ledger(office.desk, MEMBER))[-1]
    assert (last.consent, last.state, last.request_id) == ("third_party", "withdrawn", request.id)
    [hold] = await office.holds()
    assert (hold.kind, hold.cause) == ("standing", "third_party_withdrawal")
    assert not (await office.desk.gate.decide("buyer-api", *asked)).permit
    service = await office.desk.gate.decide("desk", MEMBER, ["nickname"], "service")
    assert service.permit
    letter = office.last(ME).text
    assert "콘텐츠 구매 회원" in letter and "닉네임" in letter


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
