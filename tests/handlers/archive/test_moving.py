"""Moving apart: what a law keeps is in the archive, everything else is gone, and a kill tells no lie."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subjectline.handlers.registry import Registry
from subjectline.models.errors import KeyDestroyed, RegistryConflict, RegistryError

MEMBER = "1001"
WITHDRAWAL = "membership_withdrawal"
SELDOM = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


async def _leave(registry: Registry, member: str = MEMBER) -> None:
    await registry.apply(await registry.draft_withdrawal(member, WITHDRAWAL))


async def _kept(registry: Registry, member: str = MEMBER) -> dict[tuple[str, str], dict[str, Any]]:
    """(table, key as JSON) -> values, of all archived records."""
    assert registry.archive is not None
    found = await registry.archive.open(member)
    return {(one.about.table, json.dumps(one.key)): one.values for one in found}


def _rows(exported: Any) -> dict[str, list[Mapping[str, Any]]]:
    return {table.table: list(table.rows) for table in exported.tables}


def _same(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted(json.dumps(dict(row), sort_keys=True, default=str) for row in rows)


async def test_kept_records_move_with_law_and_last_day(company: Any, today: date) -> None:
    registry = company.open()
    before = _rows(await registry.collect(MEMBER))
    await _leave(registry)
    assert registry.archive is not None
    for one in await registry.archive.open(MEMBER):
        rule = registry.data_map.retention[registry.data_map.tables[one.about.table].retention]
        assert one.about.law == rule.law and one.about.until >= today
        assert one.about.state == "kept"
    kept = await _kept(registry)
    for table in ("payment_request", "shipping", "inquiry", "access_log", "member_consent"):
        values = [v for (name, _), v in kept.items() if name == table]
        assert _same(values) == _same(before[table])
        assert await company.rows(table, "member_id = 1001") == []
    await registry.close()


async def test_the_archive_shows_no_content(company: Any) -> None:
    registry = company.open()
    account = (await company.rows("payout_account", "member_id = 1001"))[0][2]
    await _leave(registry)
    await registry.close()
    raw = (company.folder / "archive.db").read_bytes()
    assert account.encode() not in raw and b"haneul" not in raw
    assert all(row[1] == "moment-pick" and row[2] == MEMBER for row in await company.apart())


async def test_a_shared_row_stays_for_the_other_and_loses_what_was_mine(company: Any) -> None:
    registry = company.open()
    mine = await company.rows("content_sale", "seller_id = 1001 AND buyer_id <> 1001")
    assert mine
    await _leave(registry)
    for row in await company.rows("content_sale", "seller_id = 1001 AND buyer_id <> 1001"):
        *_, seller, nickname, handle, buyer, name, email = row
        assert (seller, nickname, handle) == (1001, None, None)
        assert buyer and name and email
    kept = await _kept(registry)
    sales = [values for (table, _), values in kept.items() if table == "content_sale"]
    assert len(sales) >= len(mine)
    assert not any(
        "buyer_email" in v and v["buyer_email"] for v in sales if v.get("seller_id") == 1001
    )
    await registry.close()


async def test_when_both_have_left_the_shared_row_goes(company: Any) -> None:
    registry = company.open()
    pair = (await company.rows("content_sale", "seller_id <> buyer_id"))[0]
    seller, buyer = str(pair[5]), str(pair[8])
    await _leave(registry, seller)
    assert await company.rows("content_sale", f"sale_id = {pair[0]}")
    await _leave(registry, buyer)
    assert await company.rows("content_sale", f"sale_id = {pair[0]}") == []
    for member in (seller, buyer):
        assert ("content_sale", json.dumps({"sale_id": pair[0]})) in await _kept(registry, member)
    await registry.close()


async def test_leaving_twice_is_leaving_once(company: Any) -> None:
    registry = company.open()
    changes = await registry.draft_withdrawal(MEMBER, WITHDRAWAL)
    await registry.apply(changes)
    kept = await _kept(registry)
    assert (await registry.apply(changes)).already
    assert await registry.draft_withdrawal(MEMBER, WITHDRAWAL) == []
    assert await _kept(registry) == kept
    await registry.close()


async def test_rows_that_somebody_else_deleted_are_told(company: Any) -> None:
    registry = company.open()
    changes = await registry.draft_withdrawal(MEMBER, WITHDRAWAL)
    await company.sql("DELETE FROM inquiry WHERE member_id = 1001")
    with pytest.raises(RegistryConflict, match="not in the archive"):
        await registry.apply(changes)
    assert await company.rows("payment_request", "member_id = 1001")
    await registry.close()


async def test_a_record_whose_time_is_over_is_destroyed_not_moved(company: Any) -> None:
    await company.sql(
        "UPDATE access_log SET accessed_at = '2026-01-01T00:00:00+00:00' WHERE member_id = 1001"
    )
    registry = company.open()
    await _leave(registry)
    assert await company.rows("access_log", "member_id = 1001") == []
    assert not [table for table, _ in await _kept(registry) if table == "access_log"]
    await registry.close()


async def test_a_longer_consent_keeps_it(company: Any, today: date) -> None:
    await company.sql(
        "UPDATE access_log SET accessed_at = '2026-01-01T00:00:00+00:00' WHERE member_id = 1001"
    )
    registry = company.open()
    agreed = {"visits": today + timedelta(days=400)}
    await registry.apply(await registry.draft_withdrawal(MEMBER, WITHDRAWAL, agreed))
    assert registry.archive is not None
    found = [o for o in await registry.archive.open(MEMBER) if o.about.table == "access_log"]
    assert found and all(one.about.until == agreed["visits"] for one in found)
    await registry.close()


async def test_a_destroyed_key_leaves_nothing_to_read(company: Any) -> None:
    registry = company.open()
    await _leave(registry)
    assert registry.archive is not None
    assert registry.archive.keys.destroy_all(MEMBER) > 1
    with pytest.raises(KeyDestroyed):
        await registry.archive.open(MEMBER)
    await registry.close()


async def test_records_of_different_last_months_have_different_keys(company: Any) -> None:
    registry = company.open()
    await _leave(registry)
    archive = registry.archive
    assert archive is not None
    months = {month for member, month in await archive.months() if member == MEMBER}
    assert len(archive.keys.of_member(MEMBER)) == len(months) > 2
    assert not any(MEMBER in key for key in archive.keys.of_member(MEMBER))
    soon = min(months)
    assert archive.keys.destroy(MEMBER, soon) == 1
    rows = await company.apart()
    assert any(str(cell).startswith(soon) for row in rows for cell in row)
    with pytest.raises(KeyDestroyed):
        await archive.open(MEMBER)  # what should have gone with the key
    late = [one.id for one in await archive.due(date(2099, 1, 1)) if f"{one.until:%Y-%m}" == soon]
    await archive.destroy(late)
    assert len(await archive.open(MEMBER)) == len(rows) - len(late)
    await registry.close()


async def test_a_number_that_comes_back_and_leaves_again_adds_to_what_is_kept(company: Any) -> None:
    consent = "member_consent"
    [before] = await company.rows(consent, "member_id = 1001")
    registry = company.open()
    await _leave(registry)
    first = await registry.archive.open(MEMBER)
    await company.sql("UPDATE member SET status = 'active', name = '김보기' WHERE member_id = 1001")
    columns = ", ".join("NULL" if v is None else repr(v) for v in before)
    await company.sql(f"INSERT INTO {consent} VALUES ({columns})")
    company.clock.advance(timedelta(days=40))
    await _leave(registry)
    again = await registry.archive.open(MEMBER)
    assert len(again) == len(first) + 1
    twice = [one for one in again if one.about.table == consent]
    assert [one.key for one in twice] == [{"member_id": 1001}] * 2
    assert twice[0].about.until < twice[1].about.until
    assert {one.about.state for one in again} == {"kept"}
    await registry.close()


async def test_a_destroyed_month_is_no_obstacle(company: Any) -> None:
    registry = company.open()
    archive = registry.archive
    assert archive is not None
    until = date(2031, 4, 2)
    first = archive.keys.make(MEMBER, until)
    assert archive.keys.destroy(MEMBER, "2031-04") == 1
    second = archive.keys.make(MEMBER, until)
    assert second != first and archive.keys.make(MEMBER, until) == second
    await registry.close()


@SELDOM
@given(ages=st.lists(st.integers(0, 2600), min_size=18, max_size=18))
async def test_nothing_under_retention_is_destroyed_and_everything_else_is_gone(
    make_company: Any, today: date, ages: list[int]
) -> None:
    company = make_company()
    columns = {
        "payment_request": "requested_at", "shipping": "requested_at", "inquiry": "asked_at",
        "access_log": "accessed_at", "identity_check": "checked_at", "misuse_record": "recorded_at",
    }  # fmt: skip
    age = iter(ages * 5)
    for table, column in columns.items():
        for row in await company.rows(table, "member_id = 1001"):
            day = today - timedelta(days=next(age))
            await company.sql(
                f"UPDATE {table} SET {column} = '{day}T12:00:00+09:00' WHERE"
                f" {_key(company, table)} = {row[0]}"
            )
    registry = company.open()
    before = _rows(await registry.collect(MEMBER))
    await _leave(registry)
    kept = await _kept(registry)
    for table, column in columns.items():
        rule = registry.data_map.retention[registry.data_map.tables[table].retention]
        assert rule.period is not None
        alive = [
            dict(row)
            for row in before[table]
            if rule.period.after(date.fromisoformat(str(row[column])[:10])) >= today
        ]
        held = [values for (name, _), values in kept.items() if name == table]
        assert _same(held) == _same(alive)
        assert await company.rows(table, "member_id = 1001") == []
    for table, leave in registry.data_map.leave.items():
        if leave.action == "delete" and "member_id" in registry.data_map.tables[table].columns:
            assert await company.rows(table, "member_id = 1001") == []
    assert registry.archive is not None
    await registry.close()


def _key(company: Any, table: str) -> str:
    return str(company.data_map.tables[table].key[0])


@SELDOM
@given(share=st.floats(0, 0.999))
async def test_a_kill_anywhere_leaves_every_record_in_one_of_both_and_can_be_done_again(
    make_company: Any, make_fuse: Any, total_steps: int, share: float, killed: type[BaseException]
) -> None:
    company = make_company()
    first = company.open()
    changes = await first.draft_withdrawal(MEMBER, WITHDRAWAL)
    whole = await _everything(first)
    await first.close()
    fuse = make_fuse(int(total_steps * share))
    dying = company.open(fuse)
    try:
        await dying.apply(changes)
    except killed:
        pass
    finally:
        await dying.close()
    second = company.open()
    live_or_kept = await _everything(second)
    assert set(whole) <= set(live_or_kept)  # nothing under retention is lost at any point
    await second.apply(changes)
    done = await _kept(second)
    assert {key: done[key] for key in whole} == whole
    assert (await second.apply(changes)).already
    await second.close()


async def _everything(registry: Registry) -> dict[tuple[str, str], dict[str, Any]]:
    """Every row that a law keeps, live or archived: (table, key) -> own values."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for table, leave in registry.data_map.leave.items():
        if leave.action == "keep":
            for row in await registry._leaving.rows(table, MEMBER):
                if row.until is not None:
                    found[table, json.dumps(row.key)] = row.values
    try:
        kept = await _kept(registry)
    except RegistryError:
        kept = {}
    return found | kept
