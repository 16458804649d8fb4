"""References inside JSON arrays and objects are followed, and of a shared row each gets their own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from subjectline.handlers.registry import Registry, open_engine, open_engines
from subjectline.handlers.registry.mapcheck import check
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap, load_map
from subjectline.models.errors import DataMapError

MAP = Path(__file__).with_name("lists.yaml")
CLUB = """
CREATE TABLE person (id INTEGER PRIMARY KEY, mail TEXT);
CREATE TABLE team (id INTEGER PRIMARY KEY, name TEXT, people JSON);
CREATE TABLE thread (id INTEGER PRIMARY KEY, posts JSON);
CREATE TABLE basket (id INTEGER PRIMARY KEY, person_id INTEGER, gifts JSON, notes JSON, items JSON);
CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE gift (id INTEGER PRIMARY KEY, card TEXT);
INSERT INTO person VALUES (1, 'ann@lists.test'), (5, 'bob@lists.test'), (15, 'cho@lists.test');
INSERT INTO team VALUES (1, 'both', '[1, 5]'), (2, 'bobs', '[5]'), (3, 'one, not in a list', '1'),
  (4, 'as text', '["1", null]'), (5, 'none', '[]'), (6, 'empty', NULL), (7, 'odd', '[{"a" : 1}, [1]]'),
  (8, 'near', '[15, 51]');
INSERT INTO thread VALUES (1, '[{"mail" : "Ann@lists.test", "words" : "of ann"},
  {"mail" : "bob@lists.test", "words" : "of bob"}, "of nobody"]'),
  (2, '[{"mail" : "bob@lists.test", "words" : "of bob"}]'),
  (3, '{"mail" : "ann@lists.test", "words" : "alone"}');
INSERT INTO product VALUES (1, 'tea'), (2, 'rice'), (3, 'salt');
INSERT INTO gift VALUES (1, 'of ann'), (2, 'of both'), (3, 'of bob'), (4, 'of none');
INSERT INTO basket VALUES
  (1, 1, '[1, "2"]', '[1]', '{"lines" : [{"product" : 1, "n" : 2}, {"product" : 3}, 7]}'),
  (2, 5, '[2, 3]', '[1, 2]', '{"lines" : [{"product" : 2}]}'), (3, 5, NULL, '3', '[]')
"""
STORE = """
CREATE TABLE note (id INTEGER PRIMARY KEY, words TEXT);
INSERT INTO note VALUES (1, 'of both'), (2, 'of bob'), (3, 'of bob'), (4, 'of none')
"""
Query = Callable[..., Any]


async def _run(url: str, script: str) -> None:
    engine = open_engine(url)
    async with engine.begin() as connection:
        for statement in script.split(";"):
            await connection.exec_driver_sql(statement)
    await engine.dispose()


@pytest.fixture
def urls(databases: Any) -> dict[str, str]:
    urls = {"club": databases.make(), "store": databases.make()}
    asyncio.run(_run(urls["club"], CLUB))
    asyncio.run(_run(urls["store"], STORE))
    return urls


@pytest.fixture(scope="module")
def lists_map() -> DataMap:
    return load_map(MAP)


@pytest.fixture
async def lists(
    urls: dict[str, str], lists_map: DataMap, clock: FrozenClock
) -> AsyncIterator[Registry]:
    registry = Registry(lists_map, open_engines(lists_map, urls), clock=clock)
    yield registry
    await registry.close()


async def _ids(registry: Registry, member: str) -> dict[str, list[Any]]:
    found = await registry.collect(member)
    return {table.table: [row["id"] for row in table.rows] for table in found.tables}


async def test_a_list_of_members_makes_a_row_of_each(lists: Registry) -> None:
    assert (await _ids(lists, "1"))["team"] == [1, 3, 4]
    assert (await _ids(lists, "5"))["team"] == [1, 2]
    assert (await _ids(lists, "15"))["team"] == [8]


async def test_of_a_shared_row_each_gets_their_own(lists: Registry) -> None:
    found = {table.table: table for table in (await lists.collect("1")).tables}
    assert [row["people"] for row in found["team"].rows] == [[1], 1, ["1", None]]
    assert [row["posts"] for row in found["thread"].rows] == [
        [{"mail": "Ann@lists.test", "words": "of ann"}],
        {"mail": "ann@lists.test", "words": "alone"},
    ]
    nested = {w.table: w.rows for w in (*found["team"].withheld, *found["thread"].withheld)}
    assert nested == {"team": 1, "thread": 2}


async def test_what_a_list_of_mine_refers_to(lists: Registry) -> None:
    mine, his = await _ids(lists, "1"), await _ids(lists, "5")
    assert (mine["product"], his["product"]) == ([1, 3], [2])
    assert (mine["gift"], his["gift"]) == ([1], [3])
    assert (mine["note"], his["note"]) == ([], [2, 3])
    found = {table.table: table for table in (await lists.collect("1")).tables}
    assert [(w.reason, w.rows) for w in found["gift"].withheld] == [("shared", 1)]
    assert [w.rows for w in found["note"].withheld] == [1]


async def test_one_statement_a_table_and_one_a_hop(
    lists_map: DataMap, urls: dict[str, str], clock: FrozenClock
) -> None:
    engines, seen = open_engines(lists_map, urls), list[str]()
    for engine in engines.values():

        def counted(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(engine.sync_engine, "before_cursor_execute", counted)
    registry = Registry(lists_map, engines, clock=clock)
    await registry.collect("1")
    await registry.close()
    known_first = [s for s in seen if "pg_catalog" in s or "current_schema" in s or "show " in s]
    tables, hops = len(lists_map.tables), 3
    assert len(seen) - len(known_first) <= 2 * tables + hops


async def test_leaving_takes_what_is_mine_alone_and_asks_about_the_rest(
    lists: Registry, urls: dict[str, str], query: Query
) -> None:
    assert await lists.asks("5") == {"team": ("by_hand",), "thread": ("by_hand",)}
    chosen = {"team": "by_hand", "thread": "by_hand"}
    changes = await lists.draft_withdrawal("5", "membership_withdrawal", choices=chosen)
    await lists.apply(changes)
    assert (await lists.apply(changes)).already
    club, store = urls["club"], urls["store"]
    assert await query(club, "SELECT id FROM gift ORDER BY id") == [(1,), (2,), (4,)]
    assert await query(store, "SELECT id FROM note ORDER BY id") == [(1,), (4,)]
    assert await query(club, "SELECT id FROM basket") == [(1,)]


async def test_map_check_tells_what_lists_cost_and_where_none_can_be(
    lists: Registry, urls: dict[str, str], query: Query, backend: str
) -> None:
    told = [str(found) for found in await check(lists.data_map, lists.places.reading)]
    warned = [line for line in told if "a list has no index" in line]
    assert len(warned) == 5 and all(line.startswith("lists.yaml:") for line in warned)
    await query(urls["club"], "ALTER TABLE team ADD COLUMN other TEXT")
    await query(urls["club"], "ALTER TABLE team DROP COLUMN people")
    await query(urls["club"], "ALTER TABLE team RENAME COLUMN other TO people")
    found = await check(lists.data_map, lists.places.reading)
    wrong = [one for one in found if one.level == "error" and "followed in a JSON" in one.told]
    assert len(wrong) == (1 if backend == "postgresql" else 0)


async def test_what_is_no_json_is_nobody_s(
    lists: Registry, urls: dict[str, str], backend: str
) -> None:
    if backend == "sqlite":
        engine = open_engine(urls["club"])
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO team VALUES (9, 'broken', '[1, 5')"))
        await engine.dispose()
    assert (await _ids(lists, "1"))["team"] == [1, 3, 4]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("team: {action: ask}", "team: {action: delete}", "taken out by hand"),
        ("used_by: [basket.gifts]", "used_by: [basket.gifts]\n    through: id", "in one way"),
        ("gifts: gift.id", "gifts: basket.notes", "not into a list"),
        ("people: {type: json,", "people: {type: integer,", "stands in JSON"),
    ],
)
def test_what_cannot_be_followed_safely_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    changed = MAP.read_text().replace(old, new)
    path = tmp_path / "map.yaml"
    path.write_text(changed)
    with pytest.raises(DataMapError, match=told) as wrong:
        load_map(path)
    assert str(path.name) in str(wrong.value.field)


DATASET = """
dataset:
  - fides_key: club
    name: Club
    collections:
      - name: person
        fields:
          - name: id
            fides_meta: {primary_key: true, data_type: integer}
          - name: mail
            data_categories: [user.contact.email]
            fides_meta: {identity: email}
      - name: trip
        fields:
          - name: id
            fides_meta: {primary_key: true, data_type: integer}
          - name: guests
            fides_meta: {data_type: "object[]"}
            fields:
              - name: person_id
                fides_meta:
                  references: [{dataset: club, field: person.id, direction: from}]
              - name: wish
                data_categories: [user.content]
      - name: wagon
        fields:
          - name: id
            fides_meta: {primary_key: true, data_type: integer}
          - name: trip_id
            fides_meta:
              references: [{dataset: club, field: trip.id, direction: from}]
      - name: ticket
        fields:
          - name: id
            fides_meta: {primary_key: true, data_type: integer}
          - name: person_id
            fides_meta:
              references: [{dataset: club, field: person.id, direction: from}]
          - name: seats
            fides_meta:
              data_type: "integer[]"
              references: [{dataset: club, field: seat.id, direction: to}]
      - name: seat
        fields:
          - name: id
            fides_meta: {primary_key: true, data_type: integer}
          - name: words
            data_categories: [user.content]
"""
TRAIN = """
CREATE TABLE person (id INTEGER PRIMARY KEY, mail TEXT);
CREATE TABLE trip (id INTEGER PRIMARY KEY, guests JSON);
CREATE TABLE wagon (id INTEGER PRIMARY KEY, trip_id INTEGER);
CREATE TABLE ticket (id INTEGER PRIMARY KEY, person_id INTEGER, seats JSON);
CREATE TABLE seat (id INTEGER PRIMARY KEY, words TEXT);
INSERT INTO person VALUES (1, 'ann@lists.test'), (5, 'bob@lists.test');
INSERT INTO trip VALUES (1, '[{"person_id" : 1, "wish" : "window"}, {"person_id" : 5, "wish" : "aisle"}]');
INSERT INTO wagon VALUES (1, 1);
INSERT INTO ticket VALUES (1, 1, '[1, 2]'), (2, 5, '[2, 3]');
INSERT INTO seat VALUES (1, 'of ann'), (2, 'of both'), (3, 'of bob')
"""


async def test_a_fides_dataset_s_references_in_arrays_are_followed(
    tmp_path: Path, databases: Any, clock: FrozenClock
) -> None:
    (tmp_path / "club.yml").write_text(DATASET)
    (tmp_path / "map.yaml").write_text("datasets: [club.yml]\nhome: {table: person}\n")
    data_map = load_map(tmp_path / "map.yaml")
    assert (
        data_map.tables["trip"].owners == ("guests.person_id",) and data_map.tables["trip"].shared
    )
    assert data_map.tables["seat"].used_by == ("ticket.seats",)
    assert (
        data_map.tables["wagon"].belongs == "unknown"
    )  # of a shared trip: nobody's until described
    url = await asyncio.to_thread(databases.make)
    await _run(url, TRAIN)
    registry = Registry(data_map, open_engines(data_map, {"club": url}), clock=clock)
    found = {table.table: table for table in (await registry.collect("1")).tables}
    await registry.close()
    guests: list[Any] = [row["guests"] for row in found["trip"].rows]
    assert guests == [[{"person_id": 1, "wish": "window"}]]
    assert [row["words"] for row in found["seat"].rows] == ["of ann"]
    assert [(w.reason, w.rows) for w in found["seat"].withheld] == [("shared", 1)]


async def test_map_check_tells_where_sqlite_cannot_read_so_deep(
    lists_map: DataMap, urls: dict[str, str], query: Query, backend: str
) -> None:
    tables = dict(lists_map.tables)
    for number in range(4):
        user = f"deep{number - 1}" if number else "basket"
        used = {"name": f"deep{number}", "used_by": (f"{user}.up",)}
        await query(urls["club"], f"CREATE TABLE deep{number} (id INTEGER PRIMARY KEY, card TEXT)")
        tables[f"deep{number}"] = tables["gift"].model_copy(update=used)
    deep = lists_map.model_copy(update={"tables": tables})
    engines = open_engines(deep, urls)
    registry = Registry(deep, engines)
    found = await check(deep, registry.places.reading)
    await registry.close()
    told = [one.where for one in found if "tables in a row" in one.told]
    assert told == (["tables.deep3"] if backend == "sqlite" else [])
