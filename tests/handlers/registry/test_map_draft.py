"""`map draft` on schemas as they are found: views, parts, several schemas, catalogues, no keys."""

from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from subjectline.handlers.registry import Registry, open_engine, open_engines
from subjectline.handlers.registry.engines import guarded
from subjectline.handlers.registry.live import look, schemas
from subjectline.handlers.registry.mapcheck import check
from subjectline.handlers.registry.mapdraft import draft
from subjectline.models.datamap import DataMap, parse_map
from subjectline.models.errors import SettingsError

Query = Callable[..., Any]
CLUB = (
    "CREATE TABLE member (member_id INTEGER PRIMARY KEY, email TEXT, seat_id INTEGER)",
    "CREATE TABLE seat (seat_id INTEGER PRIMARY KEY, words TEXT)",
    "CREATE TABLE seat_note (note_id INTEGER PRIMARY KEY, seat_id INTEGER, words TEXT)",
    "CREATE TABLE product (product_id INTEGER PRIMARY KEY, name TEXT, maker TEXT)",
    "CREATE TABLE product_request (id INTEGER PRIMARY KEY, member_id INTEGER, product_id INTEGER)",
    "CREATE TABLE purchase (member_id INTEGER, product_id INTEGER, no INTEGER)",
    "CREATE VIEW roster AS SELECT email FROM member",
    "INSERT INTO member VALUES (1, 'una@club.test', 7), (2, 'vic@club.test', 8)",
    "INSERT INTO seat VALUES (7, 'seat of una'), (8, 'seat of vic')",
    "INSERT INTO seat_note VALUES (1, 7, 'somebody wrote this about a seat')",
    "INSERT INTO product VALUES (1, 'Tea', 'Mill'), (2, 'Cake', 'Oven')",
    "INSERT INTO purchase VALUES (1, 1, 1), (2, 1, 2)",
)


@pytest.fixture
def empty(databases: Any) -> str:
    return str(databases.make())


@pytest.fixture
async def url(empty: str, query: Query) -> str:
    for statement in CLUB:
        await query(empty, statement)
    return empty


async def drafted(url: str, *wanted: str) -> str:
    engine = open_engine(url)
    try:
        async with engine.connect() as connection:
            return draft(await look(connection, wanted or [None]), "club")
    finally:
        await engine.dispose()


async def findings(data_map: DataMap, url: str) -> list[str]:
    engines = open_engines(data_map, {"club": url})

    @asynccontextmanager
    async def reading(name: str) -> Any:
        async with guarded(name, 20), engines[name].connect() as connection:
            yield connection

    try:
        return [str(found) for found in await check(data_map, reading)]
    finally:
        await engines["club"].dispose()


async def rows(data_map: DataMap, url: str, email: str) -> dict[str, Any]:
    registry = Registry(data_map, open_engines(data_map, {"club": url}))
    try:
        (member,) = await registry.find("email", email)
        collected = await registry.collect(member)
    finally:
        await registry.close()
    return {table.table: table.rows for table in collected.tables if table.rows}


async def test_what_stands_elsewhere_is_left_out_and_not_missed(url: str) -> None:
    made = parse_map(await drafted(url))
    assert "roster" not in made.tables
    assert not any("roster" in told for told in await findings(made, url))


async def test_a_table_without_a_key_is_drafted_and_read(url: str) -> None:
    made = parse_map(await drafted(url))
    assert made.tables["purchase"].key == ()
    found = await rows(made, url, "una@club.test")
    assert [row["no"] for row in found["purchase"]] == [1]


async def test_a_catalogue_is_shown_where_the_members_rows_lead_to_it(url: str) -> None:
    made = parse_map(await drafted(url))
    assert made.tables["product"].belongs == "nobody"
    assert made.tables["product_request"].owners == ("member_id",)
    found = await rows(made, url, "vic@club.test")
    assert [row["name"] for row in found["product"]] == ["Tea"]


async def test_what_others_hang_on_a_row_that_one_person_uses_is_not_theirs(url: str) -> None:
    made = parse_map(await drafted(url))
    assert made.tables["seat"].used_by == ("member.seat_id",)
    assert made.tables["seat_note"].belongs == "unknown"
    found = await rows(made, url, "una@club.test")
    assert [row["words"] for row in found["seat"]] == ["seat of una"]
    assert "seat_note" not in found


async def test_contacts_may_stand_in_a_table_of_their_own(empty: str, query: Query) -> None:
    url = empty
    await query(url, "CREATE TABLE person (no INTEGER PRIMARY KEY, born DATE)")
    await query(url, "CREATE TABLE emailaddress (person_no INTEGER, emailaddress VARCHAR(90))")
    await query(url, "INSERT INTO person VALUES (4, NULL), (5, NULL)")
    await query(url, "INSERT INTO emailaddress VALUES (4, 'una@club.test'), (5, 'vic@club.test')")
    made = parse_map(await drafted(url))
    assert made.fields["email"].table == "emailaddress"
    assert (await rows(made, url, "vic@club.test"))["person"] == ({"no": 5, "born": None},)


async def test_a_database_without_tables_is_told(empty: str) -> None:
    with pytest.raises(SettingsError, match="no tables"):
        await drafted(empty)


async def test_several_schemas_and_a_table_in_parts(empty: str, backend: str, query: Query) -> None:
    if backend == "sqlite":
        pytest.skip("SQLite has neither")
    url = empty
    for statement in (
        "CREATE SCHEMA people",
        "CREATE SCHEMA trade",
        "CREATE TABLE people.member (id INTEGER PRIMARY KEY, email TEXT, cv XML)",
        "CREATE TABLE people.note (id INTEGER PRIMARY KEY, member_id INTEGER REFERENCES people.member)",
        "CREATE TABLE trade.note (id INTEGER PRIMARY KEY, member_id INTEGER REFERENCES people.member)",
        "CREATE TABLE trade.pay (id INTEGER, member_id INTEGER REFERENCES people.member, on_day DATE)"
        " PARTITION BY RANGE (on_day)",
        "CREATE TABLE trade.pay_old PARTITION OF trade.pay FOR VALUES FROM (MINVALUE) TO (MAXVALUE)",
        "INSERT INTO people.member VALUES (1, 'una@club.test', NULL), (2, 'vic@club.test', NULL)",
        "INSERT INTO trade.note VALUES (1, 1), (2, 2)",
        "INSERT INTO trade.pay VALUES (1, 1, '2026-01-01'), (2, 2, '2026-01-01')",
    ):
        await query(url, statement)
    engine = open_engine(url)
    async with engine.connect() as connection:
        names = await schemas(connection)
    await engine.dispose()
    assert names == ["people", "trade"]
    made = parse_map(await drafted(url, *names))
    assert sorted(made.tables) == ["member", "pay", "people_note", "trade_note"]
    found = await rows(made, url, "una@club.test")
    assert [row["id"] for row in found["trade_note"]] == [1]
    assert [row["id"] for row in found["pay"]] == [1] and "people_note" not in found
    assert not any("not in the map" in told for told in await findings(made, url))
