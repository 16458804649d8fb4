"""No export ever holds another owner's row or field, whatever the schema and the rows are.

The schemas are drawn: tables owned by one column, shared by two, hanging on another table, used by
others, or known by an address; references run anywhere, in circles too. Every value says in itself
whose it is, as a second, slow notion of ownership in Python has it; the export may hold nothing else.
"""

import asyncio
import json
import re
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subjectline.handlers.registry import Registry, open_engines
from subjectline.models.datamap import DataMap

PEOPLE = 3
ROWS = 4
LABEL = {"ko": "말", "en": "Word"}
Way = str


@dataclass
class Drawn:
    """A schema and its rows. `ways` says per table how ownership is told."""

    ways: list[Way]
    parents: dict[int, int]  # through: table -> table
    users: dict[int, list[int]]  # used_by: table -> tables
    links: list[tuple[int, int]]  # more references: from table to table
    rows: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    doubles: bool = False  # the last two people have one address

    def mail(self, person: int) -> str:
        same = self.doubles and person == PEOPLE - 1
        return f"mail-{PEOPLE - 2 if same else person}@people.test"


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    count = draw(st.integers(2, 5))
    ways: list[Way] = []
    parents, users = dict[int, int](), dict[int, list[int]]()
    for table in range(count):
        earlier = list(range(table))
        options = ["owner", "shared", "mail", "mails", *(["through", "used"] if earlier else [])]
        way = draw(st.sampled_from(options))
        if way == "through":
            parents[table] = draw(st.sampled_from(earlier))
        if way == "used":
            users[table] = draw(
                st.lists(st.sampled_from([-1, *earlier]), min_size=1, max_size=3, unique=True)
            )
        ways.append(way)
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    links = draw(st.lists(pairs, max_size=4, unique=True))
    made = Drawn(ways, parents, users, links, doubles=draw(st.booleans()))
    number = st.one_of(st.none(), st.integers(1, ROWS + 1))  # the last one is an orphan's
    person = st.one_of(st.none(), st.integers(0, PEOPLE))
    for table in range(-1, count):
        made.rows[table] = [
            {"id": i, **_row(draw, made, table, number, person)}
            for i in range(1, (PEOPLE if table < 0 else ROWS) + 1)
        ]
    return made


def _row(draw: st.DrawFn, made: Drawn, table: int, number: Any, person: Any) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if table >= 0:
        row |= {column: draw(person) for column in ("a", "b")}
        known = {column: draw(person) for column in ("m", "n")}
        row |= {column: None if who is None else made.mail(who) for column, who in known.items()}
    leading = [f"u{used}" for used, listed in made.users.items() if table in listed]
    leading += ["up"] if table in made.parents else []
    leading += [f"l{n}" for n, (source, _) in enumerate(made.links) if source == table]
    return row | {column: draw(number) for column in leading}


class Oracle:
    """Whose a row is, the slow way: a set of people, PEOPLE being somebody unknown; empty where it is
    nobody's."""

    def __init__(self, made: Drawn) -> None:
        self._made = made

    def people(self, table: int, row: dict[str, Any]) -> set[int]:
        if table < 0:
            return {row["id"] - 1}
        made, way = self._made, self._made.ways[table]
        if way in ("owner", "shared"):
            columns = ("a",) if way == "owner" else ("a", "b")
            return {row[c] for c in columns if row[c] is not None}
        if way in ("mail", "mails"):
            return self._mailed(row, ("m",) if way == "mail" else ("m", "n"))
        if way == "through":
            parent = made.parents[table]
            found = [r for r in made.rows[parent] if r["id"] == row["up"]]
            return self.people(parent, found[0]) if found else set()
        return self._used(table, row)

    def _mailed(self, row: dict[str, Any], columns: tuple[str, ...]) -> set[int]:
        known = {row[c] for c in columns if row[c] is not None}
        named = {p for p in range(PEOPLE) if self._made.mail(p) in known}
        strangers = known - {self._made.mail(p) for p in range(PEOPLE)}
        return named | ({PEOPLE} if strangers else set()) if len(named) == 1 else set()

    def _used(self, table: int, row: dict[str, Any]) -> set[int]:
        for home in (True, False):
            users = [u for u in self._made.users[table] if (u < 0) is home]
            held = [
                self.people(user, other)
                for user in users
                for other in self._made.rows[user]
                if other[f"u{table}"] == row["id"]
            ]
            if held:  # every use must be one and the same person's
                one = set.union(*held)
                return one if len(one) == 1 and all(held) else set()
        return set()


def _map(made: Drawn) -> DataMap:
    """The map of a drawn schema, by hand."""
    tables: dict[str, Any] = {}
    for table, rows in made.rows.items():
        name = "home" if table < 0 else f"t{table}"
        columns = {"id": {"type": "integer", "labels": LABEL}, "word": {"labels": LABEL}}
        references: dict[str, str] = {}
        for column in rows[0]:
            kind = "text" if column in ("m", "n") else "integer"
            columns.setdefault(column, {"type": kind, "labels": LABEL})
            if column == "up":
                references[column] = f"{_name(made.parents[table])}.id"
            elif column[0] == "u":
                references[column] = f"t{column[1:]}.id"
            elif column[0] == "l":
                references[column] = f"t{made.links[int(column[1:])][1]}.id"
        spec: dict[str, Any] = {
            "connection": "one",
            "labels": LABEL,
            "category": "c",
            "key": ["id"],
        }
        spec |= {"columns": columns, "references": references, "purposes": [], "retention": "r"}
        if table < 0:
            columns["mail"] = {"labels": LABEL}
        else:
            spec |= _way(made, table, columns)
        tables[name] = spec
    said = {"labels": LABEL, "category": "c", "validator": "email", "contact": "email"}
    return DataMap.model_validate(
        {
            "registry": "drawn",
            "company": {
                "name": LABEL,
                "officer": LABEL,
                "phone": "",
                "email": "",
                "policy_url": "",
            },
            "connections": {"one": {"labels": LABEL}},
            "home": {"table": "home", "key": "id"},
            "categories": {"c": LABEL},
            "tables": tables,
            "fields": {"email": {"table": "home", "column": "mail", **said}},
            "purposes": {},
            "recipients": {},
            "consents": {},
            "retention": {"r": {"labels": LABEL}},
            "leave": {name: {"action": "ask"} for name in tables},
        }
    )


def _way(made: Drawn, table: int, columns: dict[str, Any]) -> dict[str, Any]:
    way = made.ways[table]
    if way == "shared":
        columns["word_a"], columns["word_b"] = (
            {"labels": LABEL, "of": "a"},
            {"labels": LABEL, "of": "b"},
        )
        return {"owners": ["a", "b"]}
    if way == "used":
        return {"used_by": [f"{_name(user)}.u{table}" for user in made.users[table]]}
    if way == "through":
        return {"through": "up"}
    if way == "owner":
        return {"owners": ["a"]}
    return {"identities": {"m": "email"} if way == "mail" else {"m": "email", "n": "email"}}


def _name(table: int) -> str:
    return "home" if table < 0 else f"t{table}"


def _fill(made: Drawn, path: Path) -> None:
    """People are numbered from 1 in the database, so `a` and `b` are one more there."""
    with sqlite3.connect(path) as database:
        for table, rows in made.rows.items():
            shared = table >= 0 and made.ways[table] == "shared"
            full = [_full(made, table, row, shared) for row in rows]
            listed = ", ".join(full[0])
            database.execute(f"CREATE TABLE {_name(table)} ({listed})")
            marks = ", ".join("?" for _ in full[0])
            database.executemany(
                f"INSERT INTO {_name(table)} VALUES ({marks})", [tuple(r.values()) for r in full]
            )
    database.close()


def _full(made: Drawn, table: int, row: dict[str, Any], shared: bool) -> dict[str, Any]:
    found = {"id": row["id"], "word": f"word-{table}-{row['id']}."}
    found |= {c: v + 1 if c in ("a", "b") and v is not None else v for c, v in row.items()}
    if table < 0:
        found["mail"] = made.mail(row["id"] - 1)
    if shared:
        found["word_a"] = f"of-{row['a']}."
        found["word_b"] = f"of-{row['b']}."
    return found


async def _exports(made: Drawn, path: Path) -> list[tuple[str, dict[str, list[Any]]]]:
    data_map = _map(made)
    registry = Registry(data_map, open_engines(data_map, {"one": f"sqlite:///{path}"}), seconds=30)
    try:
        found = []
        for person in range(PEOPLE):
            collected = await registry.collect(str(person + 1))
            text = json.dumps(collected.as_json("en"))
            found.append((text, {t.table: [r["id"] for r in t.rows] for t in collected.tables}))
        return found
    finally:
        await registry.close()


_CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=40, deadline=None, suppress_health_check=_CHECKS)
@given(made=drawn())
def test_no_export_holds_what_is_another_s(made: Drawn, tmp_path: Path) -> None:
    _holds(made, tmp_path / "drawn.db")


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=3000, deadline=None, suppress_health_check=_CHECKS)
@given(made=drawn())
def test_no_export_holds_what_is_another_s_at_length(made: Drawn, tmp_path: Path) -> None:
    _holds(made, tmp_path / "drawn.db")


def _holds(made: Drawn, path: Path) -> None:
    path.unlink(missing_ok=True)
    _fill(made, path)
    oracle = Oracle(made)
    for person, (text, rows) in enumerate(asyncio.run(_exports(made, path))):
        for table, listed in made.rows.items():
            mine = [row["id"] for row in listed if person in oracle.people(table, row)]
            if table < 0:
                mine = [person + 1]
            assert rows[_name(table)] == mine, (person, _name(table), made)
        for other in range(PEOPLE + 1):
            if other != person:
                assert f"of-{other}." not in text
        words = {f"word-{t}-{i}." for t, ids in rows.items() for i in ids}
        numbered = {w.replace("word-t", "word-").replace("word-home", "word--1") for w in words}
        assert set(re.findall(r"word--?\d-\d\.", text)) == numbered
