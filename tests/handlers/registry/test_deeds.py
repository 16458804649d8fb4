"""Deeds on drawn schemas in two databases: a correction is everywhere or told, a leaving takes its own.

The schemas are those of `plugins/drawn.py`; the oracle there says whose a row is.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from drawn import PEOPLE, Drawn, Oracle, drawn, fill, map_of, name_of, rows_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from subjectline.handlers.registry import (
    BY_HAND,
    Archive,
    Change,
    Collected,
    Registry,
    open_engine,
    open_engines,
)
from subjectline.models.clock import FrozenClock
from subjectline.models.errors import RegistryError
from subjectline.models.keys import Vault

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LEAVING = "membership_withdrawal"
_CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
_FEW = settings(max_examples=20, deadline=None, suppress_health_check=_CHECKS)
_MANY = settings(max_examples=1000, deadline=None, suppress_health_check=_CHECKS)
Rows = dict[int, dict[int, dict[str, Any]]]
People = st.integers(0, PEOPLE - 1)


class Killed(BaseException):
    """The process died here."""


class Desk:
    """Registries on one drawn world; each as a new process has it."""

    def __init__(self, made: Drawn, folder: Path) -> None:
        self.made, self.folder, self.map = made, folder, map_of(made)
        self._urls, self._vault = fill(made, folder), Vault.for_tests()
        (folder / "archive.db").unlink(missing_ok=True)
        self._open: list[Registry] = []

    def registry(self, commits: int = -1) -> Registry:
        """`commits`: killed at that commit, counted over both databases."""
        engines, left = open_engines(self.map, self._urls, 30), [commits]

        def burn(*_: object) -> None:
            if left[0] == 0:
                raise Killed
            left[0] -= 1

        for engine in engines.values():
            event.listen(engine.sync_engine, "commit", burn)
        clock, apart = FrozenClock(NOW), open_engine(f"sqlite:///{self.folder}/archive.db", 30)
        archive = Archive(apart, self._vault, clock, self.map.registry, 30)
        made = Registry(self.map, engines, clock=clock, archive=archive, seconds=30)
        self._open.append(made)
        return made

    async def close(self) -> None:
        for registry in self._open:
            await registry.close()


def _run(made: Drawn, folder: Path, story: Callable[[Desk], Any]) -> None:
    async def told() -> None:
        desk = Desk(made, folder)
        try:
            await story(desk)
        finally:
            await desk.close()

    asyncio.run(told())


def _bound(changes: list[Change]) -> list[Change]:
    """As they come back from the envelope."""
    return [Change.from_json(raw) for raw in json.loads(json.dumps([c.as_json() for c in changes]))]


def _ids(collected: Collected) -> dict[str, set[int]]:
    return {t.table: {int(str(r["id"])) for r in t.rows} for t in collected.tables}


def _leaves(made: Drawn, person: int, kill: int, folder: Path) -> None:
    async def story(desk: Desk) -> None:
        member, before = str(person + 1), rows_of(made, folder)
        first = desk.registry()
        seen = _ids(await first.collect(member))
        asks = await first.asks(member)
        changes = _bound(
            await first.draft_withdrawal(member, LEAVING, choices=dict.fromkeys(asks, BY_HAND))
        )
        try:
            await desk.registry(kill).apply(changes)
        except Killed:
            _nothing_is_lost(made, before, rows_of(made, folder), await _kept(first, member))
        await desk.registry().apply(changes)
        assert not changes or (await desk.registry().apply(changes)).already
        after, kept = rows_of(made, folder), await _kept(first, member)
        _nothing_is_lost(made, before, after, kept)
        for table in range(len(made.ways)):
            _is_right(made, table, person, seen[name_of(table)], (before, after), kept)
        assert (after[-1][person + 1]["mail"], after[-1][person + 1]["nick"]) == (None, None)

    _run(made, folder, story)


def _nothing_is_lost(made: Drawn, before: Rows, after: Rows, kept: dict[str, set[int]]) -> None:
    """What a law keeps stands in the live table or in the archive."""
    for table in made.kept:
        if made.ways[table] != "list":
            assert set(before[table]) <= set(after[table]) | kept.get(name_of(table), set()), made


def _is_right(
    made: Drawn,
    table: int,
    person: int,
    mine: set[int],
    states: tuple[Rows, Rows],
    kept: dict[str, set[int]],
) -> None:
    before, after = states[0][table], states[1][table]
    asked = made.ways[table] == "list" or (made.shared(table) and table not in made.kept)
    oracle = set(Oracle(made).mine(table, person))
    for number, row in before.items():
        if number not in mine or asked:  # another's, nobody's, or seen to by hand
            assert after.get(number) == row, (name_of(table), number, made)
    assert mine <= oracle
    if asked:
        return
    if table in made.kept:
        assert kept.get(name_of(table), set()) == mine, (name_of(table), made)
    if not made.shared(table):
        assert not mine & set(after), (name_of(table), mine, made)
        return
    for number in mine & set(after):  # somebody else's as well: only what was mine is empty
        old, new = before[number], after[number]
        gone = {column for column in old if old[column] != new[column]}
        assert gone <= {"word_a", "word_b", "m", "n"} and all(new[c] is None for c in gone), made
        assert f"of-{person}." not in json.dumps(new)


async def _kept(registry: Registry, member: str) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    assert registry.archive is not None
    for one in await registry.archive.open(member):
        found.setdefault(one.about.table, set()).add(int(str(one.key["id"])))
    return found


def _corrects(made: Drawn, person: int, spoilt: int, folder: Path) -> None:
    async def story(desk: Desk) -> None:
        member, before = str(person + 1), rows_of(made, folder)
        registry = desk.registry()
        seen = _ids(await registry.collect(member))
        changes = _bound(await registry.draft_correction(member, {"nick": "new"}))
        copies = {-1, *made.copies}
        places = {(name_of(t), n) for t in copies for n in seen[name_of(t)]}
        assert {(c.table, int(str(c.key["id"]))) for c in changes} == places, made
        wrong = changes[spoilt] if 0 <= spoilt < len(changes) else None
        if wrong is None:
            await registry.apply(changes)
        else:
            _spoil(made, folder, wrong)
            with pytest.raises(RegistryError) as told:
                await registry.apply(changes)
            _says_what_is(made, changes, told.value.results, rows_of(made, folder))
            return
        for table, rows in rows_of(made, folder).items():
            for number, row in rows.items():
                new = "new" if (name_of(table), number) in places else before[table][number]["nick"]
                assert row == before[table][number] | {"nick": new}, (name_of(table), made)

    _run(made, folder, story)


def _spoil(made: Drawn, folder: Path, change: Change) -> None:
    """Somebody else writes there, after the proposal."""
    with closing(sqlite3.connect(folder / f"{change.connection}.db")) as database:
        values = ("else", change.key["id"])
        database.execute(f"UPDATE {change.table} SET nick = ? WHERE id = ?", values)
        database.commit()


def _says_what_is(made: Drawn, changes: list[Change], results: Any, after: Rows) -> None:
    """The results name every table with how many of its rows hold which value."""
    wanted: dict[tuple[str, str, str], int] = {}
    for change in changes:
        table = -1 if change.table == "home" else int(change.table[1:])
        held = after[table][int(str(change.key["id"]))]["nick"]
        state = "new" if held == change.new else "old" if held == change.old else "other"
        place = (change.table, change.column, state)
        wanted[place] = wanted.get(place, 0) + 1
    listed = [place for result in results for place in result["places"]]
    told = {(p["table"], p["column"], p["state"]): p["rows"] for p in listed}
    assert told == wanted, made


@_FEW
@given(made=drawn(apart=True), person=People, kill=st.integers(-1, 2))
def test_a_leaving_takes_all_that_is_its_own_and_nothing_else(
    made: Drawn, person: int, kill: int, tmp_path: Path
) -> None:
    _leaves(made, person, kill, tmp_path)


@_FEW
@given(made=drawn(apart=True), person=People, spoilt=st.integers(-6, 6))
def test_a_correction_is_everywhere_or_told_where_it_is_not(
    made: Drawn, person: int, spoilt: int, tmp_path: Path
) -> None:
    _corrects(made, person, spoilt, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(3600)
@_MANY
@given(made=drawn(apart=True), person=People, kill=st.integers(-1, 2))
def test_a_leaving_takes_all_that_is_its_own_at_length(
    made: Drawn, person: int, kill: int, tmp_path: Path
) -> None:
    _leaves(made, person, kill, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(3600)
@_MANY
@given(made=drawn(apart=True), person=People, spoilt=st.integers(-6, 6))
def test_a_correction_is_everywhere_at_length(
    made: Drawn, person: int, spoilt: int, tmp_path: Path
) -> None:
    _corrects(made, person, spoilt, tmp_path)
