"""Correction: the field and its copies, and never a lie about what was written."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text

from subjectline.handlers.registry import Change, Registry, open_engine, open_engines
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap
from subjectline.models.errors import BadValue, RegistryAway, RegistryConflict, RegistryError

Query = Callable[..., Any]


async def test_a_field_and_its_copies_are_corrected(
    company: Registry, company_url: str, query: Query
) -> None:
    changes = await company.draft_correction("1001", {"phone": "010 0000 4321"})
    assert {(c.table, c.column) for c in changes} == {
        ("member", "phone"),
        ("mailing_list", "phone"),
        ("shipping", "phone"),
    }
    assert {c.old for c in changes} == {"010-0000-1001"}
    assert {c.new for c in changes} == {"010-0000-4321"}
    assert (await query(company_url, "SELECT phone FROM member WHERE member_id = 1001")) == [
        ("010-0000-1001",)
    ]
    applied = await company.apply(changes)
    assert not applied.already
    assert {r.after for c in applied.connections for r in c.changes} == {"010-0000-4321"}
    assert await company.read("1001", ["phone"]) == {"phone": "+821000004321"}
    shipped = "SELECT status, phone FROM shipping WHERE member_id = 1001 ORDER BY status"
    assert await query(company_url, shipped) == [
        ("delivered", "010-0000-1001"),
        ("preparing", "010-0000-4321"),
    ]
    assert await company.find("phone", "010-0000-1001") == []


async def test_a_copy_that_hangs_on_another_table_is_found(company: Registry) -> None:
    changes = await company.draft_correction("1001", {"nickname": "새 이름"})
    assert {c.table for c in changes} == {"member", "mailing_list", "sale_listing"}


async def test_what_is_right_already_needs_no_change(company: Registry) -> None:
    assert await company.draft_correction("1001", {"phone": "+821000001001"}) == []
    assert (await company.apply([])).connections == ()


async def test_an_empty_column_can_be_filled(
    company: Registry, company_url: str, query: Query
) -> None:
    await query(company_url, "UPDATE profile SET kakao_id = NULL WHERE member_id = 1001")
    changes = await company.draft_correction("1001", {"kakao_id": "haneul99"})
    assert [(c.old, c.new) for c in changes] == [(None, "haneul99")]
    await company.apply(changes)
    assert await company.read("1001", ["kakao_id"]) == {"kakao_id": "haneul99"}


async def test_a_date_is_written_as_a_date(company: Registry) -> None:
    changes = await company.draft_correction("1001", {"birth_date": "1991년 3월 2일"})
    assert changes[0].new == "1991-03-02"
    await company.apply(changes)
    assert await company.read("1001", ["birth_date"]) == {"birth_date": "1991-03-02"}


async def test_a_change_set_goes_through_json(company: Registry, shop: Registry) -> None:
    changes = await company.draft_correction("1001", {"phone": "01000004321", "gender": "남"})
    changes += await company.draft_withdrawal("1001", "membership_withdrawal")
    changes += await shop.draft_withdrawal("ann", "marketing_withdrawal")
    written = json.dumps([change.as_json() for change in changes], ensure_ascii=False)
    assert [Change.from_json(raw) for raw in json.loads(written)] == changes


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"birth_date": "31 February 1991"}, "date_impossible"),
        ({"birth_date": "2026-11-24"}, "date_future"),
        ({"phone": "010-0000-12B4"}, "phone_letters"),
        ({"shoe_size": "42"}, "unknown_field"),
    ],
)
async def test_a_bad_value_is_refused_before_anything_is_read(
    company: Registry, values: dict[str, str], reason: str
) -> None:
    with pytest.raises(BadValue) as told:
        await company.draft_correction("1001", values)
    assert told.value.reason == reason


async def test_what_the_map_does_not_let_correct_is_refused(shop: Registry) -> None:
    with pytest.raises(BadValue) as told:
        await shop.draft_correction("ann", {"born": "1991-03-02"})
    assert told.value.reason == "not_correctable"


async def test_a_missing_row_is_told(company: Registry, company_url: str, query: Query) -> None:
    await query(company_url, "DELETE FROM profile WHERE member_id = 1001")
    with pytest.raises(RegistryError, match="no row"):
        await company.draft_correction("1001", {"kakao_id": "haneul99"})


async def test_twice_is_once(company: Registry) -> None:
    changes = await company.draft_correction("1001", {"email": "new.haneul@mail.test"})
    await company.apply(changes)
    again = await company.apply(changes)
    assert again.already
    assert [result.state for result in again.connections[0].changes] == ["already", "already"]


async def test_at_once_is_once(company: Registry) -> None:
    changes = await company.draft_correction("1001", {"nickname": "한 번만"})
    both = await asyncio.gather(company.apply(changes), company.apply(changes))
    assert sorted(applied.already for applied in both) == [False, True]


async def test_a_row_that_changed_is_a_conflict_and_nothing_is_written(
    company: Registry, company_url: str, query: Query
) -> None:
    changes = await company.draft_correction(
        "1001", {"nickname": "새 이름", "kakao_id": "haneul99"}
    )
    await query(company_url, "UPDATE profile SET kakao_id = 'other1' WHERE member_id = 1001")
    with pytest.raises(RegistryConflict) as told:
        await company.apply(changes)
    assert told.value.results[0]["state"] == "conflict"
    assert "other1" not in str(told.value) and "haneul99" not in str(told.value)
    held = await company.read("1001", ["nickname", "kakao_id"])
    assert held == {"nickname": "하늘필름", "kakao_id": "other1"}


async def test_a_row_that_is_gone_is_a_conflict(
    company: Registry, company_url: str, query: Query
) -> None:
    changes = await company.draft_correction("1001", {"kakao_id": "haneul99"})
    await query(company_url, "DELETE FROM profile WHERE member_id = 1001")
    with pytest.raises(RegistryConflict, match="gone"):
        await company.apply(changes)


async def test_a_constraint_is_a_conflict_that_names_no_value(company: Registry) -> None:
    changes = await company.draft_correction("1001", {"email": "dana.whitfield@mail.test"})
    with pytest.raises(RegistryConflict, match="constraint") as told:
        await company.apply(changes)
    assert "dana" not in repr(told.value)
    assert told.value.__cause__ is None


async def test_what_reads_otherwise_after_the_commit_is_told(
    company: Registry, company_url: str, query: Query, backend: str
) -> None:
    if backend == "postgresql":
        await query(
            company_url,
            "CREATE FUNCTION meddle() RETURNS trigger AS $$ BEGIN NEW.kakao_id := 'meddled';"
            " RETURN NEW; END $$ LANGUAGE plpgsql",
        )
        await query(
            company_url,
            "CREATE TRIGGER t BEFORE UPDATE ON profile FOR EACH ROW EXECUTE FUNCTION meddle()",
        )
    else:
        await query(
            company_url,
            "CREATE TRIGGER t AFTER UPDATE OF kakao_id ON profile WHEN NEW.kakao_id <> 'meddled'"
            " BEGIN UPDATE profile SET kakao_id = 'meddled' WHERE member_id = NEW.member_id; END",
        )
    changes = await company.draft_correction("1001", {"kakao_id": "haneul99"})
    with pytest.raises(RegistryConflict, match="does not read so"):
        await company.apply(changes)


async def test_two_databases_are_both_corrected(
    shop: Registry, shop_urls: dict[str, str], query: Query
) -> None:
    changes = await shop.draft_correction("ann", {"email": "anna@shop.test"})
    assert [(c.connection, c.table, c.old) for c in changes] == [
        ("shop", "customer", "ann@shop.test"),
        ("news", "reader", "ann@shop.test"),
        ("news", "reader", "old-ann@shop.test"),
    ]
    applied = await shop.apply(changes)
    assert [(c.connection, c.state) for c in applied.connections] == [
        ("shop", "applied"),
        ("news", "applied"),
    ]
    rows = await query(shop_urls["news"], "SELECT email FROM reader ORDER BY reader_id")
    assert rows == [("anna@shop.test",), ("anna@shop.test",), ("bob@shop.test",)]


async def test_a_conflict_in_the_second_is_found_before_the_first_is_written(
    shop: Registry, shop_urls: dict[str, str], query: Query
) -> None:
    changes = await shop.draft_correction("ann", {"email": "anna@shop.test"})
    await query(shop_urls["news"], "UPDATE reader SET email = 'x@shop.test' WHERE reader_id = 1")
    with pytest.raises(RegistryConflict) as told:
        await shop.apply(changes)
    assert [(r["connection"], r["state"]) for r in told.value.results] == [
        ("shop", "untouched"),
        ("news", "conflict"),
    ]
    assert (await shop.contacts("ann"))["email"] == "ann@shop.test"


async def test_one_done_and_another_not_is_told_and_can_be_finished(
    shop: Registry, shop_urls: dict[str, str], shop_map: DataMap, clock: FrozenClock, query: Query
) -> None:
    """The second database goes away once the first is written."""
    changes = await shop.draft_correction("ann", {"email": "anna@shop.test"})
    engines = open_engines(shop_map, shop_urls)
    first, second = engines["shop"].sync_engine, engines["news"].sync_engine

    def cut(_: object) -> None:
        raise ConnectionResetError

    event.listen(first, "commit", lambda _: event.listen(second, "begin", cut))
    hurried = Registry(shop_map, engines, clock=clock)
    with pytest.raises(RegistryAway) as told:
        await hurried.apply(changes)
    assert [(r["connection"], r["state"]) for r in told.value.results] == [
        ("shop", "applied"),
        ("news", "away"),
    ]
    assert (await shop.contacts("ann"))["email"] == "anna@shop.test"
    finished = await shop.apply(changes)
    assert [(c.connection, c.state) for c in finished.connections] == [
        ("shop", "already"),
        ("news", "applied"),
    ]
    await hurried.close()


async def test_what_takes_no_writes_is_found_before_the_first_is_written(
    shop: Registry, shop_urls: dict[str, str], shop_map: DataMap, clock: FrozenClock
) -> None:
    """The updates are tried everywhere first, and rolled back."""
    changes = await shop.draft_correction("ann", {"email": "anna@shop.test"})
    closed = {"news": open_engines(shop_map, shop_urls, read_only=["news"])["news"]}
    engines = open_engines(shop_map, shop_urls)
    broken = Registry(shop_map, engines, clock=clock, writers=closed)
    with pytest.raises(RegistryAway) as told:
        await broken.apply(changes)
    assert told.value.reason == "registry_readonly"
    assert [r["state"] for r in told.value.results] == ["untouched", "away"]
    assert (await shop.contacts("ann"))["email"] == "ann@shop.test"
    await broken.close()


async def test_a_database_that_stays_away_leaves_the_rest_untouched(
    shop: Registry, shop_urls: dict[str, str], shop_map: DataMap, backend: str, tmp_path: Any
) -> None:
    changes = await shop.draft_correction("ann", {"email": "anna@shop.test"})
    closed = "postgresql://nobody@127.0.0.1:1/none"
    gone = closed if backend == "postgresql" else f"sqlite:///{tmp_path}/no/such.db"
    broken = Registry(shop_map, open_engines(shop_map, {**shop_urls, "news": gone}))
    with pytest.raises(RegistryAway) as told:
        await broken.apply(changes)
    assert [r["state"] for r in told.value.results] == ["untouched", "away"]
    assert (await shop.contacts("ann"))["email"] == "ann@shop.test"
    await broken.close()


async def test_a_locked_row_is_away_within_its_time(
    company_url: str, sample: DataMap, company: Registry
) -> None:
    changes = await company.draft_correction("1001", {"nickname": "새 이름"})
    engines = open_engines(sample, {"members": company_url}, 0.5)
    hurried = Registry(sample, engines, seconds=0.5)
    blocker = open_engine(company_url)
    async with blocker.begin() as connection:
        await connection.execute(text("UPDATE member SET nickname = nickname"))
        begun = time.monotonic()
        with pytest.raises(RegistryAway):
            await hurried.apply(changes)
        assert time.monotonic() - begun < 30  # without the time-out: never
    await blocker.dispose()
    assert not (await hurried.apply(changes)).already
    await hurried.close()


async def test_identifiers_never_come_from_a_change_set(company: Registry) -> None:
    good = (await company.draft_correction("1001", {"kakao_id": "haneul99"}))[0].as_json()
    wrong: list[dict[str, Any]] = [
        {"table": "sqlite_master"},
        {"column": "kakao_id = 'x' --"},
        {"connection": "other"},
        {"key": {"member_id = 1 OR 1": 1}},
        {"key": {}},
        {"op": "delete", "table": "content_sale", "key": {}},
    ]
    for broken in wrong:
        with pytest.raises(RegistryConflict, match="no such table"):
            await company.apply([Change.from_json({**good, **broken})])
