"""Deeds on rows whose owner another database tells, or an address that only home holds."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from subjectline.handlers.registry import Archive, Change, Registry, open_engine, open_engines
from subjectline.handlers.registry.mapcheck import check
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap, load_map
from subjectline.models.errors import RegistryConflict
from subjectline.models.keys import Vault

LEAVING = "membership_withdrawal"
TABLES = {
    "shop": ("person", "parcel", "complaint"),
    "post": ("label", "stamp", "letter"),
}
SHOP = """
CREATE TABLE person (id INTEGER PRIMARY KEY, mail TEXT, name TEXT);
CREATE TABLE parcel (id INTEGER PRIMARY KEY, person_id INTEGER);
CREATE TABLE complaint (id INTEGER PRIMARY KEY, letter_id INTEGER, words TEXT);
INSERT INTO person VALUES (1, 'Ann@across.test', 'Ann'), (2, 'bob@across.test', 'Bob');
INSERT INTO parcel VALUES (10, 1), (11, 1), (20, 2);
INSERT INTO complaint VALUES (1, 100, 'of ann'), (2, 200, 'of bob'), (3, 999, 'orphan')
"""
POST = """
CREATE TABLE label (id INTEGER PRIMARY KEY, parcel_id INTEGER, name TEXT, extra JSON);
CREATE TABLE stamp (id INTEGER PRIMARY KEY, label_id INTEGER);
CREATE TABLE letter (id INTEGER PRIMARY KEY, mail TEXT, name TEXT);
INSERT INTO label VALUES (1, 10, 'Ann', '{"a":   1}'), (2, 11, 'Ann', NULL), (3, 20, 'Bob', '[1]'),
  (4, 99, 'Nobody', NULL);
INSERT INTO stamp VALUES (1, 1), (2, 2), (3, 3), (4, 4);
INSERT INTO letter VALUES (100, 'ann@across.test', 'Ann'), (200, 'bob@across.test', 'Bob')
"""
GONE = {
    "person": [(1, None, None), (2, "bob@across.test", "Bob")],
    "parcel": [(20, 2)],
    "complaint": [(2, 200, "of bob"), (3, 999, "orphan")],
    "stamp": [(3, 3), (4, 4)],
    "letter": [(200, "bob@across.test", "Bob")],
}


class Killed(BaseException):
    """The process died here."""


class World:
    """Both databases and the archive; a registry as a new process has it."""

    def __init__(self, data_map: DataMap, urls: dict[str, str], archive: str, clock: Any) -> None:
        self.map, self.urls, self._archive, self._clock = data_map, urls, archive, clock
        self._vault = Vault.for_tests()
        self._open: list[Registry] = []

    def registry(self, commits: int = -1) -> Registry:
        """`commits`: killed at that commit, counted over both databases."""
        engines = open_engines(self.map, self.urls)
        left = [commits]

        def burn(*_: object) -> None:
            if left[0] == 0:
                raise Killed
            left[0] -= 1

        for engine in engines.values():
            event.listen(engine.sync_engine, "commit", burn)
        apart = Archive(open_engine(self._archive), self._vault, self._clock, "across")
        made = Registry(self.map, engines, clock=self._clock, archive=apart)
        self._open.append(made)
        return made

    async def sql(self, name: str, script: str) -> None:
        engine = open_engine(self.urls[name])
        async with engine.begin() as connection:
            for statement in script.split(";"):
                await connection.execute(text(statement))
        await engine.dispose()

    async def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        found: dict[str, list[tuple[Any, ...]]] = {}
        for name, tables in TABLES.items():
            engine = open_engine(self.urls[name])
            async with engine.connect() as connection:
                for table in tables:
                    listed = await connection.execute(text(f"SELECT * FROM {table} ORDER BY id"))
                    found[table] = [tuple(row) for row in listed]
            await engine.dispose()
        return found

    async def close(self) -> None:
        for registry in self._open:
            await registry.close()


@pytest.fixture(scope="module")
def across_map() -> DataMap:
    return load_map(Path(__file__).with_name("across.yaml"))


@pytest.fixture
async def make_world(
    databases: Any, across_map: DataMap, clock: FrozenClock
) -> AsyncIterator[Callable[[], Any]]:
    made: list[World] = []

    async def make() -> World:
        urls = {name: await asyncio.to_thread(databases.make) for name in ("shop", "post")}
        world = World(across_map, urls, await asyncio.to_thread(databases.make), clock)
        await world.sql("shop", SHOP)
        await world.sql("post", POST)
        made.append(world)
        return world

    yield make
    for world in made:
        await world.close()


@pytest.fixture
async def world(make_world: Callable[[], Any]) -> World:
    made: World = await make_world()
    return made


def _through_json(changes: list[Change]) -> list[Change]:
    """As they come back from the envelope."""
    return [Change.from_json(raw) for raw in json.loads(json.dumps([c.as_json() for c in changes]))]


async def _is_gone(world: World) -> None:
    rows = await world.rows()
    assert {table: rows[table] for table in GONE} == GONE
    assert [row[0] for row in rows["label"]] == [3, 4]
    archive = world.registry().archive
    assert archive is not None
    kept = await archive.open("1")
    assert sorted(str(one.values["id"]) for one in kept if one.about.table == "label") == ["1", "2"]
    assert {one.about.state for one in kept} == {"kept"}


async def test_leaving_reaches_what_another_database_tells(world: World) -> None:
    registry = world.registry()
    changes = _through_json(await registry.draft_withdrawal("1", LEAVING))
    applied = await registry.apply(changes)
    assert not applied.already
    await _is_gone(world)
    assert (await registry.apply(changes)).already
    assert await registry.draft_withdrawal("1", LEAVING) == []


async def test_killed_at_any_commit_the_same_change_set_finishes(
    make_world: Callable[[], Any],
) -> None:
    for commits in range(2):
        world: World = await make_world()
        changes = _through_json(await world.registry().draft_withdrawal("1", LEAVING))
        with pytest.raises(Killed):
            await world.registry(commits).apply(changes)
        await world.registry().apply(changes)
        await _is_gone(world)


async def test_rows_that_came_after_the_proposal_go_too(world: World) -> None:
    registry = world.registry()
    changes = await registry.draft_withdrawal("1", LEAVING)
    await world.sql("shop", "INSERT INTO parcel VALUES (12, 1)")
    await world.sql("post", "INSERT INTO stamp VALUES (5, 5)")
    await world.sql("post", "INSERT INTO label VALUES (5, 12, 'Ann', NULL)")
    await registry.apply(changes)
    rows = await world.rows()
    assert [row[0] for row in rows["label"]] == [3, 4]
    assert [row[0] for row in rows["stamp"]] == [3, 4]


async def test_map_check_warns_of_databases_that_tell_each_other(world: World) -> None:
    told = [str(found) for found in await check(world.map, world.registry().places.reading)]
    assert len([line for line in told if "post and shop tell each other" in line]) == 1


async def test_what_is_somebody_else_s_by_now_is_not_deleted(world: World) -> None:
    registry = world.registry()
    changes = await registry.draft_withdrawal("1", LEAVING)
    before = await world.rows()
    await world.sql("shop", "UPDATE parcel SET person_id = 2 WHERE id = 11")
    with pytest.raises(RegistryConflict, match="somebody else") as told:
        await registry.apply(changes)
    assert {result["state"] for result in told.value.results} <= {"conflict", "untouched"}
    after = await world.rows()
    assert {t: r for t, r in after.items() if t != "parcel"} == {
        t: r for t, r in before.items() if t != "parcel"
    }


async def test_an_address_that_another_member_took_over_deletes_nothing(world: World) -> None:
    registry = world.registry()
    changes = await registry.draft_withdrawal("1", LEAVING)
    await world.sql("shop", "UPDATE person SET mail = 'new@across.test' WHERE id = 1")
    await world.sql("shop", "UPDATE person SET mail = 'ANN@across.test' WHERE id = 2")
    with pytest.raises(RegistryConflict, match="somebody else"):
        await registry.apply(changes)
    assert len((await world.rows())["letter"]) == 2


async def test_a_correction_is_in_every_copy_of_the_other_database(world: World) -> None:
    registry = world.registry()
    changes = await registry.draft_correction("1", {"name": "Anna", "email": "anna@across.test"})
    assert {(c.table, c.column) for c in changes} == {
        ("person", "name"), ("person", "mail"), ("label", "name"), ("letter", "name"),
        ("letter", "mail"),
    }  # fmt: skip
    await registry.apply(_through_json(changes))
    rows = await world.rows()
    assert rows["person"][0] == (1, "anna@across.test", "Anna")
    assert [row[2] for row in rows["label"]] == ["Anna", "Anna", "Bob", "Nobody"]
    assert rows["letter"][0] == (100, "anna@across.test", "Anna")


async def test_who_is_told_is_written_before_who_tells(world: World) -> None:
    """A correction of the address that fails in between can be drafted anew."""
    registry = world.registry()
    changes = await registry.draft_correction("1", {"email": "anna@across.test"})
    applied = await registry.apply(changes)
    assert [r.connection for r in applied.connections] == ["post", "shop"]


async def test_an_item_is_erased_in_the_other_database(world: World) -> None:
    registry = world.registry()
    plan = await registry.draft_erasure("1", ["name"])
    assert [(one.table, one.rows) for one in plan.kept] == [("label", 2)]
    await registry.apply(_through_json(list(plan.changes)))
    rows = await world.rows()
    assert rows["person"][0] == (1, "Ann@across.test", None)
    assert [row[0] for row in rows["letter"]] == [200]
    assert len(rows["label"]) == 4


async def test_a_failed_attempt_says_which_table_has_which_value(world: World) -> None:
    registry = world.registry()
    changes = await registry.draft_correction("1", {"name": "Anna"})
    await world.sql("post", "UPDATE label SET name = 'Ana' WHERE id = 2")
    await world.sql("post", "DELETE FROM letter WHERE id = 100")
    with pytest.raises(RegistryConflict) as told:
        await registry.apply(changes)
    places = {
        (r["connection"], p["table"], p["column"], p["state"], p["rows"])
        for r in told.value.results
        for p in r["places"]  # type: ignore[attr-defined]
    }
    assert places == {
        ("shop", "person", "name", "old", 1),
        ("post", "label", "name", "old", 1),
        ("post", "label", "name", "other", 1),
        ("post", "letter", "name", "missing", 1),
    }
    assert "Ann" not in json.dumps([r["places"] for r in told.value.results])
