"""What hangs on swept rows goes with them or keeps them; a date that nobody can read stops nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from subjectline.handlers.registry import Archive, Registry, open_engine, open_engines
from subjectline.handlers.registry.mapcheck import check
from subjectline.handlers.registry.sweeping import OldRows, Sweeper
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap, load_map, parse_map
from subjectline.models.errors import RegistryAway
from subjectline.models.keys import Vault

MAP = Path(__file__).with_name("hanging.yaml")
Query = Callable[..., Any]
Shop = Callable[..., Any]
TABLES = (
    ("shop", "CREATE TABLE person (id INTEGER PRIMARY KEY, mail TEXT)"),
    ("shop", "CREATE TABLE orders (id INTEGER PRIMARY KEY, person_id INTEGER, ordered_at TEXT)"),
    (
        "crm",
        "CREATE TABLE parcel (id INTEGER PRIMARY KEY, order_id INTEGER, name TEXT, sent_at TEXT)",
    ),
    ("crm", "CREATE TABLE scan (id INTEGER PRIMARY KEY, parcel_id INTEGER)"),
    ("shop", "INSERT INTO person VALUES (1, 'ann@hanging.test'), (2, 'bob@hanging.test')"),
    ("shop", "INSERT INTO orders VALUES (10, 1, '2019-05-19'), (11, 1, '2026-05-19')"),
    ("crm", "INSERT INTO parcel VALUES (100, 10, 'Ann', '2019-05-20'), (110, 11, 'Ann', NULL)"),
    ("crm", "INSERT INTO parcel VALUES (999, 99, 'Orphan', '2019-05-20')"),
    ("crm", "INSERT INTO scan VALUES (1, 100), (2, 110)"),
)


@pytest.fixture
async def urls(databases: Any, query: Query) -> dict[str, str]:
    made = {name: await asyncio.to_thread(databases.make) for name in ("shop", "crm", "archive")}
    for name, statement in TABLES:
        await query(made[name], statement)
    return made


@pytest.fixture
async def opened(urls: dict[str, str], clock: FrozenClock) -> AsyncIterator[Shop]:
    """`opened("from", "to", …)`: a registry on the map with these texts exchanged."""
    made: list[Registry] = []

    def open_one(*exchanged: str) -> Registry:
        data_map = _map(*exchanged)
        engines = open_engines(data_map, {name: urls[name] for name in ("shop", "crm")})
        archive = Archive(open_engine(urls["archive"]), Vault.for_tests(), clock, "hanging")
        made.append(Registry(data_map, engines, clock=clock, archive=archive))
        return made[-1]

    yield open_one
    for one in made:
        await one.close()


def _map(*exchanged: str) -> DataMap:
    if not exchanged:
        return load_map(MAP)
    text = MAP.read_text()
    for old, new in zip(exchanged[::2], exchanged[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    return parse_map(text)


async def _destroy(sweeper: Sweeper, old: OldRows) -> dict[str, int]:
    gone = {table: await sweeper.destroy_hung(table, rows) for table, rows in old.hung.items()}
    return {**gone, old.table: await sweeper.destroy(old)}


async def _ids(query: Query, urls: dict[str, str]) -> dict[str, list[int]]:
    found = {}
    for name, table in (("shop", "orders"), ("crm", "parcel"), ("crm", "scan")):
        rows = await query(urls[name], f"SELECT id FROM {table} ORDER BY id")
        found[table] = [row[0] for row in rows]
    return found


async def test_what_hangs_in_another_database_goes_first(
    opened: Shop, urls: dict[str, str], query: Query
) -> None:
    sweeper = Sweeper(opened().places)
    assert sweeper.tables() == ["orders"]
    old = await sweeper.due("orders", frozenset())
    assert list(old.hung) == ["scan", "parcel"]
    assert await _destroy(sweeper, old) == {"scan": 1, "parcel": 1, "orders": 1}
    assert await _ids(query, urls) == {"orders": [11], "parcel": [110, 999], "scan": [2]}


async def test_killed_in_between_the_next_run_finds_the_rest(
    opened: Shop, urls: dict[str, str], query: Query
) -> None:
    registry = opened()
    first = Sweeper(registry.places)
    old = await first.due("orders", frozenset())
    assert await first.destroy(old) == 0  # nothing goes while something hangs on it
    assert await first.destroy_hung("scan", old.hung["scan"]) == 1
    again = await Sweeper(registry.places).due("orders", frozenset())
    assert list(again.hung) == ["parcel"]
    assert await _destroy(first, again) == {"parcel": 1, "orders": 1}
    assert await _destroy(first, again) == {"parcel": 0, "orders": 0}
    assert await _ids(query, urls) == {"orders": [11], "parcel": [110, 999], "scan": [2]}


async def test_what_came_after_the_look_keeps_the_row(
    opened: Shop, urls: dict[str, str], query: Query
) -> None:
    sweeper = Sweeper(opened().places)
    old = await sweeper.due("orders", frozenset())
    await query(urls["crm"], "INSERT INTO parcel VALUES (101, 10, 'Ann', NULL)")
    assert await _destroy(sweeper, old) == {"scan": 1, "parcel": 1, "orders": 0}
    assert (await _ids(query, urls))["parcel"] == [101, 110, 999]
    assert await _destroy(sweeper, await sweeper.due("orders", frozenset())) == {
        "parcel": 1,
        "orders": 1,
    }


DATED = ("parcel: {action: delete}", "parcel: {action: keep, from: sent_at}")


def _ruled(rule: str) -> tuple[str, str]:
    old = "references: {order_id: orders.id}\n    purposes: []\n    retention: "
    return old + "trade", old + rule


@pytest.mark.parametrize(
    ("exchanged", "sent", "why"),
    [
        ((*_ruled("proof"), *DATED), "2020-01-01", "parcel: kept longer"),
        ((*_ruled("proof"), *DATED), "20.05.2019", "parcel: no readable date"),
        ((*_ruled("proof"), *DATED), "9999-12-31", "parcel: kept longer"),
        (_ruled("stay"), "2019-05-20", "parcel: no rule with a period"),
    ],
)
async def test_what_may_not_go_keeps_the_row_it_hangs_on(
    opened: Shop,
    urls: dict[str, str],
    query: Query,
    exchanged: tuple[str, ...],
    sent: str,
    why: str,
) -> None:
    await query(urls["crm"], "UPDATE parcel SET sent_at = :s WHERE id = 100", s=sent)
    before = await _ids(query, urls)
    sweeper = Sweeper(opened(*exchanged).places)
    old = await sweeper.due("orders", frozenset())
    assert (old.rows, dict(old.hung), dict(old.stays)) == ((), {}, {why: 1})
    assert await sweeper.destroy(old) == 0
    assert await _ids(query, urls) == before


async def test_a_row_under_two_is_nobodys_to_destroy(
    opened: Shop, urls: dict[str, str], query: Query
) -> None:
    """The column referred to is no key: the parcel may be another order's as well."""
    await query(urls["shop"], "INSERT INTO orders VALUES (12, 2, '2019-05-19')")
    await query(urls["crm"], "UPDATE parcel SET order_id = 2 WHERE id = 110")
    await query(urls["shop"], "INSERT INTO orders VALUES (13, 2, '2026-05-19')")
    sweeper = Sweeper(opened("order_id: orders.id", "order_id: orders.person_id").places)
    old = await sweeper.due("orders", frozenset())
    assert {row.key["id"] for row in old.rows} == {10}
    assert dict(old.stays) == {"parcel: hangs on several rows": 1}


async def test_who_agreed_to_a_longer_keeping_of_what_hangs_keeps_both(opened: Shop) -> None:
    sweeper = Sweeper(opened().places)
    old = await sweeper.due("orders", frozenset(), longer={"trade": frozenset({"1"})})
    assert (old.rows, dict(old.stays)) == ((), {"parcel: agreed to longer": 1})


@pytest.mark.parametrize("held", ["19.05.2001", "soon", "0001-13-99"])
async def test_a_date_that_nobody_can_read_is_counted_and_stops_nothing(
    opened: Shop, urls: dict[str, str], query: Query, held: str
) -> None:
    await query(urls["shop"], "INSERT INTO orders VALUES (14, 2, :held)", held=held)
    sweeper = Sweeper(opened().places)
    old = await sweeper.due("orders", frozenset())
    assert ([row.key["id"] for row in old.rows], old.undated) == ([10], 1)
    assert held not in repr(old)


async def test_who_leaves_with_an_unreadable_date_is_kept_for_the_full_period(
    opened: Shop, urls: dict[str, str], query: Query
) -> None:
    await query(urls["shop"], "INSERT INTO orders VALUES (14, 2, '19.05.2001')")
    registry = opened()
    await registry.apply(await registry.draft_withdrawal("2", "membership_withdrawal"))
    assert registry.archive is not None
    [one] = [o for o in await registry.archive.open("2") if o.about.table == "orders"]
    assert one.about.until.isoformat() == "2031-11-23"
    assert "no readable date" in one.about.law.en and "읽을 수 없어" in one.about.law.ko


GIFT = """  gift:
    connection: crm
    labels: {ko: 선물, en: Gift}
    category: all
    key: [id]
    owners: [giver_id, taker_id]
    purposes: []
    retention: stay
    columns:
      id: {type: integer, labels: {ko: 번호, en: Number}}
      giver_id: {type: integer, labels: {ko: 준 사람, en: Giver}}
      taker_id: {type: integer, labels: {ko: 받는 사람, en: Taker}}
      giver_phone: {of: giver_id, labels: {ko: 전화, en: Phone}}
      note: {of: giver_id, labels: {ko: 말, en: Note}}
fields:
"""


async def _told(data_map: DataMap) -> list[tuple[str, str, str]]:
    @asynccontextmanager
    async def away(name: str) -> AsyncIterator[Any]:
        raise RegistryAway("away", field=name)
        yield

    return [(f.place, f.where, f.told) for f in await check(data_map, away)]


async def test_the_check_names_what_an_anonymised_shared_row_still_holds() -> None:
    leave = "  scan: {action: delete}\n"
    said = f"{leave}  gift: {{action: anonymise, set: {{note: null}}}}\n"
    data_map = _map("fields:\n", GIFT, leave, said)
    found = [(place, told) for place, where, told in await _told(data_map) if "leave.gift" in where]
    assert [told.split("'")[1] for _, told in found] == ["giver_id", "taker_id", "giver_phone"]
    assert all(place.partition(":")[2].isdigit() for place, _ in found)


async def test_the_check_names_what_hangs_on_swept_rows_and_never_goes() -> None:
    assert [told for *_, told in await _told(_map()) if "hang" in told] == []
    [(place, where, told)] = [f for f in await _told(_map(*_ruled("stay"))) if "hang on" in f[2]]
    assert where == "tables.parcel.retention" and "'orders' is swept" in told
    assert place.partition(":")[2].isdigit()
