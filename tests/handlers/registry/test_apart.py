"""Moving apart, erasing and sweeping on SQLite and on PostgreSQL, the archive in a database of its own."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from subjectline.handlers.registry import Archive, Registry, open_engine, open_engines
from subjectline.handlers.registry.sweeping import Sweeper, last_start
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap
from subjectline.models.keys import Vault
from subjectline.models.periods import Period

MEMBERSHIP = "membership_withdrawal"
Query = Callable[..., Any]


@pytest.fixture
def archive_url(databases: Any) -> str:
    return str(databases.make())


@pytest.fixture
async def apart(
    archive_url: str, company_url: str, sample: DataMap, clock: FrozenClock
) -> AsyncIterator[Registry]:
    archive = Archive(open_engine(archive_url), Vault.for_tests(), clock, sample.registry)
    engines = open_engines(sample, {"members": company_url})
    registry = Registry(sample, engines, clock=clock, archive=archive)
    yield registry
    await registry.close()


async def test_what_is_kept_is_apart_and_the_same(apart: Registry) -> None:
    before = {table.table: table.rows for table in (await apart.collect("1001")).tables}
    changes = await apart.draft_withdrawal("1001", MEMBERSHIP)
    await apart.apply(changes)
    assert apart.archive is not None
    found = await apart.archive.open("1001")
    for table in ("payment_request", "shipping", "access_log", "member_consent"):
        held = [one.values for one in found if one.about.table == table]
        key = apart.data_map.tables[table].key[0]
        assert sorted(held, key=lambda row: str(row[key])) == sorted(
            map(dict, before[table]), key=lambda row: str(row[key])
        )
    counts = (await apart.collect("1001")).counts
    kept = {t for t, n in counts.items() if n}
    assert kept <= {"member", "content_sale"}
    assert (await apart.apply(changes)).already


async def test_others_keep_every_row_and_field(apart: Registry) -> None:
    others = [m for m in await apart.members(None, 100) if m != "1001"]
    before = {other: (await apart.collect(other)).counts for other in others}
    await apart.apply(await apart.draft_withdrawal("1001", MEMBERSHIP))
    for other in others:
        assert (await apart.collect(other)).counts == before[other]


async def test_an_erasure_takes_the_item_and_leaves_the_statutory_record(
    apart: Registry, company_url: str, query: Query
) -> None:
    plan = await apart.draft_erasure("1001", ["account_number", "kakao_id"])
    assert plan.erased == ("account_number", "kakao_id") and plan.needed == ()
    assert [one.table for one in plan.kept] == ["payment_request"]
    await apart.apply(plan.changes)
    assert await query(company_url, "SELECT * FROM payout_account WHERE member_id = 1001") == []
    assert await query(company_url, "SELECT * FROM payment_request WHERE member_id = 1001")
    assert (await apart.draft_erasure("1001", ["email"])).needed == ("email",)


async def test_a_record_past_its_time_is_erased_with_the_item(
    apart: Registry, company_url: str, query: Query
) -> None:
    await query(company_url, "UPDATE shipping SET requested_at = '2019-01-01 00:00:00+00'")
    plan = await apart.draft_erasure("1001", ["shipping_address"])
    assert plan.kept == ()
    await apart.apply(plan.changes)
    assert await query(company_url, "SELECT * FROM shipping WHERE member_id = 1001") == []
    assert await query(company_url, "SELECT * FROM shipping")


async def test_old_rows_are_swept_to_the_day(
    apart: Registry, company_url: str, query: Query, clock: FrozenClock
) -> None:
    last = date(2026, 8, 22)  # three months before the 23rd of November, and a day
    for number, day in ((90001, last), (90002, last + timedelta(days=1))):
        await query(
            company_url,
            "INSERT INTO access_log VALUES (:n, 1001, '192.0.2.1', 'c', '/', :at)",
            n=number,
            at=_at(company_url, day),
        )
    sweeper = Sweeper(apart.places)
    old = await sweeper.due("access_log", frozenset())
    assert {row.key["log_id"] for row in old.rows} == {90001}
    assert (await sweeper.due("access_log", frozenset({"1001"}))).spared == 1
    assert await sweeper.destroy(old) == 1
    assert (await sweeper.due("access_log", frozenset())).rows == ()


def _at(url: str, day: date) -> Any:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return noon.isoformat() if url.startswith("sqlite") else noon


@pytest.mark.parametrize("written", ["3 months", "5 years", "30 days"])
def test_the_newest_start_whose_period_is_over(written: str) -> None:
    period = TypeAdapter(Period).validate_python(written)
    today = date(2026, 11, 23)
    last = last_start(period, today)
    assert period.after(last) < today <= period.after(last + timedelta(days=1))
