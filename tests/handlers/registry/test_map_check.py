"""`map check` and `map draft` against live databases, and the two roles of a connection."""

import re
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from subjectline.handlers.registry import Registry, open_engine, open_engines, open_writers
from subjectline.handlers.registry.engines import guarded
from subjectline.handlers.registry.live import look
from subjectline.handlers.registry.mapcheck import Finding, check
from subjectline.handlers.registry.mapdraft import draft
from subjectline.models.datamap import DataMap, load_map, parse_map
from subjectline.models.errors import DataMapError, RegistryAway, RegistryError, SettingsError

Query = Callable[..., Any]
BAKERY = Path(__file__).parent / "bakery"


@pytest.fixture
def empty_url(databases: Any) -> str:
    return str(databases.make())


async def _check(data_map: DataMap, urls: dict[str, str]) -> list[Finding]:
    engines = open_engines(data_map, urls)

    @asynccontextmanager
    async def reading(name: str) -> Any:
        async with guarded(name, 20), engines[name].connect() as connection:
            yield connection

    try:
        return await check(data_map, reading)
    finally:
        for engine in engines.values():
            await engine.dispose()


def _told(found: list[Finding], level: str = "error") -> dict[str, str]:
    return {f.where: f.told for f in found if f.level == level}


async def test_the_sample_map_fits(sample: DataMap, company_url: str) -> None:
    assert _told(await _check(sample, {"members": company_url})) == {}


async def test_a_changed_schema_is_told_with_file_and_line(
    sample: DataMap, company_url: str, query: Query
) -> None:
    await query(company_url, "ALTER TABLE profile RENAME COLUMN kakao_id TO kakao_ident")
    await query(company_url, "ALTER TABLE device RENAME TO devices")
    await query(company_url, "ALTER TABLE inquiry ADD COLUMN mood TEXT")
    await query(company_url, "CREATE TABLE diary (id INTEGER PRIMARY KEY, words TEXT)")
    found = await _check(sample, {"members": company_url})
    errors, warnings = _told(found), _told(found, "warning")
    assert "it has 'kakao_ident'" in errors["tables.profile.columns.kakao_id"]
    assert "it has 'devices'" in errors["tables.device"]
    assert "'mood' is not in the map" in warnings["tables.inquiry.columns"]
    assert any("'diary' is not in the map" in f.told for f in found)
    place = next(f.place for f in found if f.where == "tables.profile.columns.kakao_id")
    text = (Path(__file__).parents[3] / "intake/sandbox/moment-pick/map.yaml").read_text()
    name, _, line = place.partition(":")
    assert name == "map.yaml" and "kakao_id" in text.splitlines()[int(line) - 1]


WRONG = """
registry: r
company: {name: {ko: 가, en: C}, officer: {ko: 가, en: C}, phone: "1", email: a@b.test, policy_url: ""}
connections: {one: {labels: {ko: 가, en: C}}}
home: {table: person, key: code, form: integer}
categories: {c: {ko: 가, en: C}}
tables:
  person:
    connection: one
    labels: {ko: 가, en: C}
    category: c
    key: [code]
    purposes: []
    retention: r
    columns:
      code: {labels: {ko: 가, en: C}}
      mail: {labels: {ko: 가, en: C}}
      born: {type: integer, labels: {ko: 가, en: C}}
  thing:
    connection: one
    labels: {ko: 가, en: C}
    category: c
    key: [id]
    owners: [whose]
    references: {whose: person.code}
    purposes: []
    retention: r
    columns:
      id: {type: integer, labels: {ko: 가, en: C}}
      whose: {type: integer, labels: {ko: 가, en: C}}
fields:
  email: {table: person, column: mail, labels: {ko: 가, en: C}, category: c, validator: email, contact: email}
purposes: {}
recipients: {}
consents: {}
retention: {r: {labels: {ko: 가, en: C}}}
leave: {person: {action: anonymise, set: {mail: null}}, thing: {action: ask}}
"""


async def test_types_keys_and_lengths_are_compared(
    empty_url: str, backend: str, query: Query
) -> None:
    url = empty_url
    await query(url, "CREATE TABLE person (code VARCHAR(9), mail VARCHAR(20) NOT NULL, born DATE)")
    await query(url, "CREATE TABLE thing (id INTEGER PRIMARY KEY, whose INTEGER)")
    found = await _check(parse_map(WRONG), {"one": url})
    errors, warnings = _told(found), _told(found, "warning")
    assert "not unique" in errors["tables.person.key"]
    assert "not unique" in errors["home.key"]
    assert "the form is integer, the column is text" in errors["home.form"]
    assert "not let it be empty" in errors["leave.person.set.mail"]
    assert "max_length: 20" in warnings["fields.email.validator"]
    assert "no index" in warnings["tables.thing"]
    assert "not unique" in warnings["tables.thing.references.whose"]
    assert "what leaving does with thing" in warnings["leave"]
    if backend == "postgresql":
        assert "the map says integer, the database date" in errors["tables.person.columns.born"]


async def test_a_catalogue_is_not_asked_what_leaving_does_with_it(
    empty_url: str, query: Query
) -> None:
    """Rows of nobody leave with nobody."""
    await query(empty_url, "CREATE TABLE person (code VARCHAR(9), mail VARCHAR(20), born DATE)")
    await query(empty_url, "CREATE TABLE thing (id INTEGER PRIMARY KEY, whose INTEGER)")
    owned = re.search(r"  thing:\n(?:    .*\n)+", WRONG)
    assert owned is not None
    nobody = re.sub(r"    (owners|through|identities):.*\n", "    belongs: nobody\n", owned[0])
    found = await _check(parse_map(WRONG.replace(owned[0], nobody)), {"one": empty_url})
    assert "leave" not in _told(found, "warning")


async def test_a_database_that_is_away_is_one_finding(shop_map: DataMap, tmp_path: Path) -> None:
    urls = {"shop": f"sqlite:///{tmp_path}/none/a.db", "news": f"sqlite:///{tmp_path}/none/b.db"}
    assert set(_told(await _check(shop_map, urls))) == {"connections.shop", "connections.news"}


async def test_a_drafted_map_loads_fits_and_reads(
    empty_url: str, backend: str, query: Query
) -> None:
    url = empty_url
    for statement in (BAKERY / "schema.sql").read_text().split(";\n"):
        await query(url, statement.replace("patron", "customer").replace("mail", "email"))
    engine = open_engine(url)
    async with engine.connect() as connection:
        text = draft(await look(connection), "bakery")
    await engine.dispose()
    assert "bakery.test" not in text and "sqlite" not in text and "postgresql" not in text
    for guessed in ("home:", "owners: [customer_no]", "identities: {email: email}", "validator"):
        assert any(guessed in line for line in text.splitlines())
    assert re.search(r"home: .*# guess", text)
    drafted = parse_map(text)
    assert drafted.home.table == "customer" and drafted.home.form == "integer"
    assert drafted.tables["secret_recipe"].belongs == "unknown"
    assert _told(await _check(drafted, {"bakery": url})) == {}
    registry = Registry(drafted, open_engines(drafted, {"bakery": url}))
    rows = (await registry.collect("1")).counts
    assert rows["customer"] == 1 and rows["basket"] == 4
    await registry.close()


async def test_a_connection_is_read_and_written_by_roles_of_its_own(
    shop_map: DataMap, shop_urls: dict[str, str]
) -> None:
    readers = open_engines(shop_map, shop_urls, read_only=["shop", "news"])
    reading = Registry(shop_map, readers)
    changes = await reading.draft_correction("ann", {"email": "anna@shop.test"})
    with pytest.raises(RegistryAway, match="takes no writes"):
        await reading.apply(changes)
    assert (await reading.contacts("ann"))["email"] == "ann@shop.test"
    both = Registry(shop_map, readers, writers=open_writers(shop_map, shop_urls))
    await both.apply(changes)
    assert (await reading.contacts("ann"))["email"] == "anna@shop.test"
    await both.close()


def test_a_writing_role_of_no_connection_is_refused(shop_map: DataMap) -> None:
    with pytest.raises(SettingsError, match="Known: shop, news"):
        open_writers(shop_map, {"stock": "sqlite://"})


async def test_a_map_may_carry_a_url_for_the_tools(
    empty_url: str, backend: str, query: Query
) -> None:
    url = empty_url
    await query(url, "CREATE TABLE person (code INTEGER PRIMARY KEY, mail TEXT, born DATE)")
    await query(url, "INSERT INTO person VALUES (1, 'a@b.test', NULL)")
    await query(url, "CREATE TABLE thing (id INTEGER PRIMARY KEY, whose INTEGER)")
    text = WRONG.replace("one: {labels", f'one: {{url: "{url}", labels')
    text = text.replace("code: {labels", "code: {type: integer, labels")
    text = text.replace("born: {type: integer", "born: {type: date")
    carried = parse_map(text)
    assert url not in repr(carried)
    registry = Registry(carried, open_engines(carried, {}))
    assert await registry.find("email", "a@b.test") == ["1"]
    await registry.close()


async def test_leaving_is_not_guessed(empty_url: str, backend: str, query: Query) -> None:
    url = empty_url
    await query(url, "CREATE TABLE person (code INTEGER PRIMARY KEY, mail TEXT, born DATE)")
    await query(url, "INSERT INTO person VALUES (1, 'a@b.test', NULL)")
    await query(url, "CREATE TABLE thing (id INTEGER PRIMARY KEY, whose INTEGER)")
    await query(url, "INSERT INTO thing VALUES (1, 1)")
    text = WRONG.replace("code: {labels", "code: {type: integer, labels")
    wanted = parse_map(text)
    registry = Registry(wanted, open_engines(wanted, {"one": url}))
    with pytest.raises(RegistryError, match="does not say what leaving does with 'thing'"):
        await registry.draft_withdrawal("1", "membership_withdrawal")
    await registry.close()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dataset: []", "a list under 'dataset'"),
        ("dataset:\n  - name: x\n", "'fides_key' is missing"),
        ("dataset:\n  - fides_key: x\n    collections: [{fields: []}]\n", "'name' is missing"),
        ("dataset: [\n", "not good YAML"),
        (
            "dataset:\n  - fides_key: x\n    collections:\n      - name: a\n        fields:\n"
            "          - name: b\n            fides_meta: {references: [{dataset: x, field: y}]}\n",
            "a reference has dataset",
        ),
    ],
)
def test_a_broken_dataset_is_told_with_its_file(text: str, told: str) -> None:
    with pytest.raises(DataMapError) as error:
        parse_map("datasets: [d.yml]\nhome: a\n", "map.yaml", lambda _: text)
    assert error.value.field.startswith("d.yml")
    assert told in str(error.value)


def test_what_only_people_can_correct_is_named() -> None:
    wanted = load_map(BAKERY / "map.yaml")
    registry = Registry(wanted, {})
    assert [(field, copy.place) for field, copy in registry.manual(["email"])] == [
        ("email", "letter.mail")
    ]
