"""Withdrawals: consents with their time, and leaving with the list of what a law keeps."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from subjectline.handlers.registry import Registry, open_engines
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap
from subjectline.models.errors import RegistryError, UnknownMember

Query = Callable[..., Any]
MEMBERSHIP = "membership_withdrawal"


async def test_marketing_withdrawn_has_its_time_and_leaves_the_list(
    company: Registry, company_url: str, query: Query, clock: FrozenClock
) -> None:
    changes = await company.draft_withdrawal("1002", "marketing_withdrawal")
    columns = [c.column for c in changes if c.op == "update"]
    assert columns == ["marketing_email", "marketing_sms", "marketing_changed_at"]
    await company.apply(changes)
    row = (await company.collect("1002")).as_json("en")
    consent = next(t for t in row["tables"] if t["table"] == "member_consent")["rows"][0]
    assert consent["marketing_email"] is False and consent["marketing_sms"] is False
    assert datetime.fromisoformat(consent["marketing_changed_at"]) == clock()
    assert consent["third_party"] is True
    assert await query(company_url, "SELECT * FROM mailing_list WHERE member_id = 1002") == []
    assert await company.draft_withdrawal("1002", "marketing_withdrawal") == []
    assert (await company.apply(changes)).already


async def test_third_party_provision_is_withdrawn_alone(company: Registry) -> None:
    changes = await company.draft_withdrawal("1001", "third_party_withdrawal")
    assert [c.column for c in changes] == ["third_party", "third_party_changed_at"]
    assert (changes[0].table, changes[0].new) == ("member_consent", False)
    await company.apply(changes)
    assert await company.draft_withdrawal("1001", "third_party_withdrawal") == []


async def test_who_leaves_is_gone_but_for_what_a_law_keeps(company: Registry) -> None:
    before = await company.collect("1001")
    await company.apply(await company.draft_withdrawal("1001", MEMBERSHIP))
    after = (await company.collect("1001")).counts
    for table, leave in company.data_map.leave.items():
        assert after[table] == (0 if leave.action == "delete" else before.counts[table]), table
    home = next(t for t in (await company.collect("1001")).tables if t.table == "member").rows[0]
    assert home["status"] == "left" and home["left_at"]
    personal = ("name", "birth_date", "gender", "phone", "email", "nickname")
    assert [home[column] for column in personal] == [None] * 6
    assert await company.find("email", "haneul.kim@mail.test") == []
    assert await company.contacts("1001") == {}
    assert "1001" not in await company.members(None, 100)


async def test_nobody_else_loses_a_row(company: Registry) -> None:
    others = [m for m in await company.members(None, 100) if m != "1001"]
    before = {other: (await company.collect(other)).as_json("en") for other in others}
    await company.apply(await company.draft_withdrawal("1001", MEMBERSHIP))
    for other in others:
        assert (await company.collect(other)).as_json("en") == before[other]


async def test_leaving_twice_is_leaving_once(company: Registry) -> None:
    changes = await company.draft_withdrawal("1001", MEMBERSHIP)
    await company.apply(changes)
    assert (await company.apply(changes)).already
    assert await company.draft_withdrawal("1001", MEMBERSHIP) == []


async def test_rows_that_came_after_the_proposal_go_too(
    company: Registry, company_url: str, query: Query
) -> None:
    changes = await company.draft_withdrawal("1001", MEMBERSHIP)
    await query(
        company_url,
        "INSERT INTO device VALUES (99999, 1001, 'late', 'late', 'late', '2026-11-23 00:00:00+00')",
    )
    await company.apply(changes)
    assert (await company.collect("1001")).counts["device"] == 0


async def test_what_is_kept_names_law_and_last_day(company: Registry, company_url: str) -> None:
    kept = {record.table: record for record in await company.kept("1001")}
    keeping = {t for t, leave in company.data_map.leave.items() if leave.action == "keep"}
    assert set(kept) == keeping
    assert kept["member_consent"].until == date(2031, 11, 23)
    korean = kept["payment_request"].as_json("ko")
    assert (korean["law"], korean["period"]) == ("전자금융거래법", "5년")
    assert kept["access_log"].as_json("en")["period"] == "3 months"
    rows = (await company.collect("1001")).counts
    assert all(record.rows == rows[table] for table, record in kept.items())


async def test_days_are_days_of_the_regime(sample: DataMap, company_url: str, query: Query) -> None:
    late = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # the 24th in Seoul
    engines = open_engines(sample, {"members": company_url})
    seoul = Registry(sample, engines, clock=FrozenClock(late), zone=ZoneInfo("Asia/Seoul"))
    kept = {record.table: record.until for record in await seoul.kept("1001")}
    assert kept["member_consent"] == date(2031, 11, 24)
    await seoul.close()


async def test_rows_that_hang_on_kept_rows_go(shop: Registry) -> None:
    await shop.apply(await shop.draft_withdrawal("ann", MEMBERSHIP))
    counts = (await shop.collect("ann")).counts
    assert counts == {"customer": 1, "card": 0, "purchase": 2, "note": 0, "reader": 0}
    assert (await shop.collect("bob")).counts["note"] == 1


async def test_a_consent_the_map_does_not_know_is_told(shop: Registry) -> None:
    with pytest.raises(RegistryError, match="no consent"):
        await shop.draft_withdrawal("ann", "third_party_withdrawal")
    with pytest.raises(UnknownMember):
        await shop.draft_withdrawal("carl", "marketing_withdrawal")
