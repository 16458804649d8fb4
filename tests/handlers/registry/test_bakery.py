"""A schema that we did not design, told by Fides datasets and a second file of four lines."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from sqlalchemy import event

from subjectline.handlers.registry import Collected, Registry, open_engine, open_engines
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap, load_map, parse_map
from subjectline.models.errors import DataMapError, UnknownMember

HERE = Path(__file__).parent / "bakery"
Run = Callable[[str, str], Any]


@pytest.fixture(scope="module")
def bakery_map() -> DataMap:
    return load_map(HERE / "map.yaml")


@pytest.fixture
def bakery_urls(databases: Any) -> dict[str, str]:
    urls = {"bakery": databases.make(), "club": databases.make()}
    asyncio.run(_filled(urls["bakery"], HERE / "schema.sql"))
    asyncio.run(_filled(urls["club"], HERE / "club.sql"))
    return urls


async def _filled(url: str, script: Path) -> None:
    engine = open_engine(url)
    async with engine.begin() as connection:
        for statement in script.read_text().split(";\n"):
            await connection.exec_driver_sql(statement)
    await engine.dispose()


@pytest.fixture
async def bakery(
    bakery_urls: dict[str, str], bakery_map: DataMap, clock: FrozenClock
) -> AsyncIterator[Registry]:
    registry = Registry(bakery_map, open_engines(bakery_map, bakery_urls), clock=clock)
    yield registry
    await registry.close()


def _keys(collected: Collected) -> dict[str, list[Any]]:
    """The first column of every row, by table, tables without rows left out."""
    return {
        table.table: [next(iter(row.values())) for row in table.rows]
        for table in collected.tables
        if table.rows
    }


def _withheld(collected: Collected) -> dict[tuple[str, str], int]:
    return {(w.table, w.reason): w.rows for w in collected.withheld_list()}


def test_the_dataset_says_whose_the_rows_are(bakery_map: DataMap) -> None:
    tables = bakery_map.tables
    assert tables["basket"].owners == ("patron_no",)
    assert tables["note"].through == "basket_no"
    assert tables["stamp"].through == "basket_no"
    assert tables["profile"].owners == ("about.patron",)
    assert tables["hand"].identities == {"mail": "email"}
    assert set(tables["place"].used_by) == {
        "patron.home_address",
        "basket.sent_to",
        "purse.billed_to",
        "hand.lives_at",
    }
    assert tables["purse"].used_by == ("basket.paid_with",)
    assert tables["gift"].belongs == "unknown" and "giver, taker" in tables["gift"].why
    assert tables["secret_recipe"].belongs == "unknown"
    assert bakery_map.home.identity == {"email": "mail"}
    assert bakery_map.tables["patron"].labels.en == "Patron"
    assert bakery_map.categories["user.financial"].ko == "금융 정보"


def test_the_contact_is_corrected_in_its_copies(bakery_map: DataMap) -> None:
    field = bakery_map.contact_field("email")
    assert field is not None
    assert {(c.table, c.column) for c in field.copies} == {
        ("hand", "mail"),
        ("complaint", "mail"),
        ("complaint", "second_mail"),
    }
    assert [task.place for task in field.manual] == ["letter.mail"]  # it is part of a key


async def test_ada_gets_all_that_is_hers(bakery: Registry) -> None:
    found = await bakery.collect("1")
    assert _keys(found) == {
        "patron": [1],
        "place": [1, 5],  # her home, and where only she had something sent
        "purse": ["p-ada"],
        "basket": ["b1", "b2", "b5", "b7"],
        "note": [1, 2],
        "hand": [2],  # she works there under the same address
        "complaint": [1],
        "profile": [1],
        "stamp": [1, 4],
        "letter": ["ada@bakery.test"],
    }


async def test_what_is_withheld_is_listed_with_its_reason(bakery: Registry) -> None:
    assert _withheld(await bakery.collect("1")) == {
        ("patron", "another"): 1,  # she invited ben
        ("place", "shared"): 2,  # ben's home, and the picnic of both
        ("purse", "shared"): 2,  # paid with by ben as well; by a basket of nobody
        ("purse", "another"): 1,  # ben's, billed to her address
        ("note", "another"): 1,  # the orphan that her basket names as its last note
        ("gift", "unknown"): 1,
        ("complaint", "shared"): 1,  # ben's, and she is named in it
        ("complaint", "column"): 1,
        ("profile", "nested"): 1,
    }


async def test_nothing_of_others_is_in_her_export(bakery: Registry) -> None:
    export = json.dumps((await bakery.collect("1")).as_json("en"))
    for word in ("ben@", "of ben", "digits of both", "digits of nobody", "orphan", "nobody"):
        assert word not in export, word
    for word in ("of both", "ada-two", "from ada to ben", "flour", "score", "cyd"):
        assert word not in export, word


async def test_an_address_of_two_patrons_is_nobody_s(bakery: Registry) -> None:
    found = await bakery.collect("3")
    assert "place" not in _keys(found)
    assert _withheld(found)["place", "shared"] == 1


async def test_a_contact_of_two_patrons_finds_nobody_s_rows(bakery: Registry) -> None:
    found = await bakery.collect("5")
    assert _keys(found) == {"patron": [5]}
    assert _withheld(found) == {("complaint", "doubtful"): 1}


async def test_nested_keys_are_cut_to_what_the_map_names(bakery: Registry) -> None:
    tables = {t.table: t for t in (await bakery.collect("1")).tables}
    about: Any = tables["profile"].rows[0]["about"]
    assert about == {
        "patron": 1,
        "likes": ["rye"],
        "friends": [{"mail": "ada@bakery.test", "since": 2019}],
    }


async def test_an_unknown_member_is_told(bakery: Registry) -> None:
    with pytest.raises(UnknownMember):
        await bakery.collect("99")


async def test_the_form_of_the_id_is_the_database_s(bakery: Registry) -> None:
    assert await bakery.find("email", "ADA@bakery.test") == ["1"]
    assert bakery.data_map.home.form == "integer"


async def test_at_most_one_query_a_table_and_hop(
    bakery_map: DataMap, bakery_urls: dict[str, str]
) -> None:
    engines = open_engines(bakery_map, bakery_urls)
    registry, statements = Registry(bakery_map, engines), list[str]()
    await registry.collect("1")  # reads types and keys, once

    for engine in engines.values():

        @event.listens_for(engine.sync_engine, "before_cursor_execute")
        def seen(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            statements.append(statement)

    await registry.collect("1")
    hops = sum(len(list(t.targets())) + len(t.identities) for t in bakery_map.tables.values())
    assert len(statements) <= len(bakery_map.tables) + hops
    await registry.close()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_the_streamed_export_is_the_same(bakery: Registry, form: Any) -> None:
    files: dict[str, bytes] = {}

    class File(io.BytesIO):
        def __init__(self, table: str) -> None:
            super().__init__()
            self.table = table

        def close(self) -> None:
            files[self.table] = self.getvalue()
            super().close()

    def opened(table: str) -> BinaryIO:
        return File(table)

    whole, streamed = await bakery.collect("1"), await bakery.export("1", opened, form)
    assert streamed.counts == whole.counts
    assert _withheld(streamed) == _withheld(whole)
    for table in whole.tables:
        lines = files[table.table].decode().splitlines()
        if form == "csv":
            rows: list[Any] = list(csv.DictReader(lines))
        else:
            rows = [json.loads(line) for line in lines]
        assert len(rows) == len(table.rows)
        named = next(iter(table.columns))
        told = {str(row[named]) for row in rows}
        assert told == {str(row[named]) for row in table.rows}, table.table


async def test_a_correction_reaches_the_copies_with_the_old_value(
    bakery: Registry, bakery_urls: dict[str, str], query: Any
) -> None:
    changes = await bakery.draft_correction("1", {"email": "ada@new.test"})
    assert {(c.table, c.column, c.key.get("complaint_no")) for c in changes} == {
        ("patron", "mail", None),
        ("hand", "mail", None),
        ("complaint", "mail", 1),
        ("complaint", "second_mail", 3),  # the row is shared, but what stands there is hers
    }
    await bakery.apply(changes)
    rows = await query(
        bakery_urls["bakery"], "SELECT mail, second_mail FROM complaint ORDER BY complaint_no"
    )
    assert rows[:3] == [
        ("ada@new.test", "ada-two@bakery.test"),
        ("ben@bakery.test", None),
        ("ben@bakery.test", "ada@new.test"),
    ]


SECOND = """
datasets: [{file: bakery.yml, connection: bakery}, {file: club.yml, connection: club}]
home: {table: patron, identity: {email: mail}}
tables:
  gift:
    labels: {ko: 선물}
    owners: [giver, taker]
    columns:
      card_text: {of: giver}
  place: {shared: each}
  secret_recipe: {belongs: nobody}
  complaint: {identities: {mail: email}}
"""


async def test_a_second_file_says_what_the_dataset_cannot(bakery_urls: dict[str, str]) -> None:
    wanted = _parsed(SECOND)
    registry = Registry(wanted, open_engines(wanted, bakery_urls))
    tables = {t.table: t for t in (await registry.collect("2")).tables}
    assert tables["gift"].label.ko == "선물" and tables["gift"].label.en == "Gift"
    assert [row.get("card_text") for row in tables["gift"].rows] == [None, "from ben to cyd"]
    assert tables["gift"].rows[0] == {"gift_no": 1, "taker": 2}
    assert [row["place_no"] for row in tables["place"].rows] == [1, 2, 6]
    assert [row["complaint_no"] for row in tables["complaint"].rows] == [2, 3]
    await registry.close()


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        ("belongs: nobody", "belong: nobody", "map.yaml:10", "no key"),
        ("table: patron", "table: patrons", "map.yaml:2", "home names the table"),
        ("owners: [giver, taker]", "owners: [giver, tker]", "map.yaml:6", "no column 'tker'"),
        ("{mail: email}", "{mail: fax}", "map.yaml:11", "no identity 'fax'"),
        ("of: giver", "of: card_text", "map.yaml:8", "no owner column"),
        ("file: bakery.yml", "file: bekery.yml", "bekery.yml", "cannot be read"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(
    old: str, new: str, place: str, told: str
) -> None:
    assert old in SECOND
    with pytest.raises(DataMapError) as error:
        _parsed(SECOND.replace(old, new))
    assert error.value.field.startswith(place), error.value.field
    assert told in str(error.value)


def _parsed(text: str) -> DataMap:
    def dataset(name: str) -> str:
        try:
            return (HERE / name).read_text()
        except OSError:
            raise DataMapError("the data map cannot be read", field=name) from None

    return parse_map(text.lstrip("\n"), "map.yaml", dataset)
