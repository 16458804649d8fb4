"""No export ever holds another owner's row or field, whatever the schema and the rows are.

The schemas are drawn (`plugins/drawn.py`): tables owned by one column, shared by two or by a list, hanging
on another table, used by others, known by an address; references run anywhere, in circles and in arrays
too. In one database an export holds exactly what is the person's; in two it never holds more.
"""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from drawn import PEOPLE, Drawn, Oracle, drawn, fill, map_of, name_of
from hypothesis import HealthCheck, given, settings

from subjectline.handlers.registry import Registry, open_engines

_CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
_FEW = settings(max_examples=20, deadline=None, suppress_health_check=_CHECKS)
_MANY = settings(max_examples=2000, deadline=None, suppress_health_check=_CHECKS)


async def _exports(made: Drawn, folder: Path) -> list[tuple[str, dict[str, list[Any]]]]:
    data_map = map_of(made)
    registry = Registry(data_map, open_engines(data_map, fill(made, folder)), seconds=30)
    try:
        found = []
        for person in range(PEOPLE):
            collected = await registry.collect(str(person + 1))
            text = json.dumps(collected.as_json("en"))
            found.append((text, {t.table: [r["id"] for r in t.rows] for t in collected.tables}))
        return found
    finally:
        await registry.close()


@_FEW
@given(made=drawn())
def test_no_export_holds_what_is_another_s(made: Drawn, tmp_path: Path) -> None:
    _holds(made, tmp_path)


@_FEW
@given(made=drawn(apart=True))
def test_nor_from_two_databases(made: Drawn, tmp_path: Path) -> None:
    _holds(made, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(3600)
@_MANY
@given(made=drawn())
def test_no_export_holds_what_is_another_s_at_length(made: Drawn, tmp_path: Path) -> None:
    _holds(made, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(3600)
@_MANY
@given(made=drawn(apart=True))
def test_nor_from_two_databases_at_length(made: Drawn, tmp_path: Path) -> None:
    _holds(made, tmp_path)


def _holds(made: Drawn, folder: Path) -> None:
    oracle = Oracle(made)
    for person, (text, rows) in enumerate(asyncio.run(_exports(made, folder))):
        for table in made.rows:
            mine, held = oracle.mine(table, person), rows[name_of(table)]
            assert set(held) <= set(mine), (person, name_of(table), made)
            if not made.there:
                assert held == mine, (person, name_of(table), made)
        assert not [
            other for other in range(PEOPLE + 1) if other != person and f"of-{other}." in text
        ]
        words = {f"word-{t}-{i}." for t, ids in rows.items() for i in ids}
        numbered = {w.replace("word-t", "word-").replace("word-home", "word--1") for w in words}
        assert set(re.findall(r"word--?\d-\d\.", text)) == numbered
        for exported in json.loads(text)["tables"]:
            lists = exported["table"] in {
                name_of(t) for t, way in enumerate(made.ways) if way == "list"
            }
            named = {who for row in exported["rows"] if lists for who in row["p"]}
            assert named <= {person + 1}, (person, made)
