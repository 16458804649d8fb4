"""Small schemas and rows, drawn: tables in two databases, owned in every way, with references anywhere.

Every value says in itself whose it is, as a second, slow notion of ownership in Python has it.
"""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from subjectline.models.datamap import DataMap
from subjectline.models.datamap.plain import LABEL, plain_map, plain_table

PEOPLE = 3
ROWS = 4
DEEPEST = 3  # tables in a row that tell whose a row is: SQLite's parser goes no deeper
HOME = -1
CONNECTIONS = ("one", "two")
Row = dict[str, Any]


@dataclass
class Drawn:
    """A schema and its rows. `ways` says per table how ownership is told, `there` which tables stand in
    the second database, `lists` which (table, column) hold an array."""

    ways: list[str]
    parents: dict[int, int]  # through: table -> table
    users: dict[int, list[int]]  # used_by: table -> tables
    links: list[tuple[int, int]]  # more references: from table to table
    there: set[int] = field(default_factory=set)
    lists: set[tuple[int, str]] = field(default_factory=set)
    rows: dict[int, list[Row]] = field(default_factory=dict)
    doubles: bool = False  # the last two people have one address
    kept: set[int] = field(default_factory=set)  # tables that a law keeps
    copies: set[int] = field(default_factory=set)  # tables with a copy of the nickname

    def mail(self, person: int) -> str:
        same = self.doubles and person == PEOPLE - 1
        return f"mail-{PEOPLE - 2 if same else person}@people.test"

    def shared(self, table: int) -> bool:
        return table >= 0 and self.ways[table] in ("shared", "mails", "list")

    def connection(self, table: int) -> str:
        return CONNECTIONS[table in self.there]

    def to(self, column: str) -> int:
        """The table that a column of links or uses refers to."""
        return self.links[int(column[1:])][1] if column[0] == "l" else int(column[1:])


@st.composite
def drawn(draw: st.DrawFn, *, apart: bool = False) -> Drawn:
    """A schema; with `apart` in two databases."""
    count = draw(st.integers(2, 5))
    ways: list[str] = []
    parents, users = dict[int, int](), dict[int, list[int]]()
    depth = dict[int, int]()
    for table in range(count):
        earlier = [t for t in range(table) if depth[t] < DEEPEST]
        options = ["owner", "shared", "mail", "mails", "list"]
        way = draw(st.sampled_from([*options, *(["through", "used", "used"] if earlier else [])]))
        if way == "through":
            parents[table] = draw(st.sampled_from(earlier))
        if way == "used":
            picked = st.lists(
                st.sampled_from([HOME, *earlier]), min_size=1, max_size=3, unique=True
            )
            users[table] = draw(picked)
        above = [parents[table]] if way == "through" else users.get(table, [])
        depth[table] = 1 + max((depth.get(t, 0) for t in above), default=-1)
        ways.append(way)
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    made = Drawn(ways, parents, users, draw(st.lists(pairs, max_size=4, unique=True)))
    made.doubles = draw(st.booleans())
    tables = st.sets(st.integers(0, count - 1))
    made.there = draw(tables) if apart else set()
    made.kept, made.copies = draw(tables), draw(tables)
    for table in range(HOME, count):
        _listed(draw, made, table)
        number = range(1, (PEOPLE if table < 0 else ROWS) + 1)
        made.rows[table] = [{"id": i, **_row(draw, made, table)} for i in number]
    return made


def _leading(made: Drawn, table: int) -> list[str]:
    """The columns that refer to rows."""
    leading = [f"u{used}" for used, listed in made.users.items() if table in listed]
    return leading + [f"l{n}" for n, (source, _) in enumerate(made.links) if source == table]


def _listed(draw: st.DrawFn, made: Drawn, table: int) -> None:
    made.lists |= {(table, column) for column in _leading(made, table) if draw(st.booleans())}
    if table >= 0 and made.ways[table] == "list":
        made.lists.add((table, "p"))


def _row(draw: st.DrawFn, made: Drawn, table: int) -> Row:
    number = st.integers(1, ROWS + 1)  # the last one is an orphan's
    person = st.one_of(st.none(), st.integers(0, PEOPLE))
    row: Row = {}
    if table >= 0:
        row |= {column: draw(person) for column in ("a", "b")}
        known = {column: draw(person) for column in ("m", "n")}
        row |= {column: None if who is None else made.mail(who) for column, who in known.items()}
        row["p"] = draw(st.lists(st.integers(0, PEOPLE), max_size=3))
    leading = [*_leading(made, table), *(["up"] if table in made.parents else [])]
    for column in leading:
        many = (table, column) in made.lists
        row[column] = draw(st.one_of(st.none(), st.lists(number, max_size=3) if many else number))
    return row


class Oracle:
    """Whose a row is, the slow way: a set of people, PEOPLE being somebody unknown; empty where it is
    nobody's."""

    def __init__(self, made: Drawn) -> None:
        self._made = made

    def people(self, table: int, row: Row) -> set[int]:
        if table < 0:
            return {row["id"] - 1}
        made, way = self._made, self._made.ways[table]
        if way == "list":
            return set(row["p"])
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

    def mine(self, table: int, person: int) -> list[int]:
        """The ids of the person's rows."""
        return [r["id"] for r in self._made.rows[table] if person in self.people(table, r)]

    def _mailed(self, row: Row, columns: tuple[str, ...]) -> set[int]:
        known = {row[c] for c in columns if row[c] is not None}
        named = {p for p in range(PEOPLE) if self._made.mail(p) in known}
        strangers = known - {self._made.mail(p) for p in range(PEOPLE)}
        return named | ({PEOPLE} if strangers else set()) if len(named) == 1 else set()

    def _used(self, table: int, row: Row) -> set[int]:
        for home in (True, False):
            held = [
                self.people(user, other)
                for user in self._made.users[table]
                if (user < 0) is home
                for other in self._made.rows[user]
                if row["id"] in _several(other[f"u{table}"])
            ]
            if held:  # every use must be one and the same person's
                one = set.union(*held)
                return one if len(one) == 1 and all(held) else set()
        return set()


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def name_of(table: int) -> str:
    return "home" if table < 0 else f"t{table}"


def map_of(made: Drawn) -> DataMap:
    """The map of a drawn schema, by hand."""
    tables: dict[str, Any] = {}
    for table, rows in made.rows.items():
        kinds = {"id": "integer", "word": "text", "nick": "text"}
        references: dict[str, str] = {}
        for column in rows[0]:
            many = (table, column) in made.lists or column == "p"
            kinds[column] = "json" if many else "text" if column in ("m", "n") else "integer"
            if column == "up":
                references[column] = f"{name_of(made.parents[table])}.id"
            elif column[0] in "ul":
                references[column] = f"t{made.to(column)}.id"
        kinds |= {"mail": "text"} if table < 0 else {}
        said = {"references": references, "retention": "law" if table in made.kept else "r"}
        spec = plain_table(kinds, made.connection(table), **said)
        for column in kinds:
            spec["columns"][column]["many"] = (table, column) in made.lists
        tables[name_of(table)] = spec | (_way(made, table, spec["columns"]) if table >= 0 else {})
    copies = [{"table": name_of(t), "column": "nick"} for t in sorted(made.copies)]
    nick = {"table": "home", "column": "nick", "validator": "text", "copies": copies}
    leave = {name_of(t): _leave(made, t) for t in made.rows}
    return plain_map(tables, "home", fields={"nick": nick}, leave=leave, connections=CONNECTIONS)


def _leave(made: Drawn, table: int) -> Row:
    if table < 0:
        return {"action": "anonymise", "set": {"mail": None, "nick": None}}
    if made.ways[table] == "list":
        return {"action": "ask"}
    if table in made.kept:
        return {"action": "keep"}
    return {"action": "ask" if made.shared(table) else "delete"}


def _way(made: Drawn, table: int, columns: Row) -> Row:
    way = made.ways[table]
    if way == "shared":
        columns["word_a"] = {"labels": LABEL, "of": "a"}
        columns["word_b"] = {"labels": LABEL, "of": "b"}
        return {"owners": ["a", "b"]}
    if way == "used":
        return {"used_by": [f"{name_of(user)}.u{table}" for user in made.users[table]]}
    if way == "through":
        return {"through": "up"}
    if way in ("owner", "list"):
        return {"owners": ["a" if way == "owner" else "p"]}
    return {"identities": {"m": "email"} if way == "mail" else {"m": "email", "n": "email"}}


def fill(made: Drawn, folder: Path) -> dict[str, str]:
    """Both databases, new, in `folder`; their URLs. People are numbered from 1 there."""
    for name in CONNECTIONS:
        (folder / f"{name}.db").unlink(missing_ok=True)
        (folder / f"{name}.db").touch()
    for table, rows in made.rows.items():
        full = [_full(made, table, row) for row in rows]
        marks = ", ".join("?" for _ in full[0])
        with closing(sqlite3.connect(folder / f"{made.connection(table)}.db")) as database:
            database.execute(f"CREATE TABLE {name_of(table)} ({', '.join(full[0])})")
            written = [tuple(row.values()) for row in full]
            database.executemany(f"INSERT INTO {name_of(table)} VALUES ({marks})", written)
            database.commit()
    return {name: f"sqlite:///{folder / name}.db" for name in CONNECTIONS}


def _full(made: Drawn, table: int, row: Row) -> Row:
    found = {"id": row["id"], "word": f"word-{table}-{row['id']}.", "nick": f"n-{row['id']}"}
    found |= {c: v + 1 if c in ("a", "b") and v is not None else v for c, v in row.items()}
    found |= {"p": [who + 1 for who in row["p"]]} if table >= 0 else {}
    found = {c: json.dumps(v) if isinstance(v, list) else v for c, v in found.items()}
    if table < 0:
        found["mail"] = made.mail(row["id"] - 1)
    if table >= 0 and made.ways[table] == "shared":
        found["word_a"], found["word_b"] = f"of-{row['a']}.", f"of-{row['b']}."
    return found


def rows_of(made: Drawn, folder: Path) -> dict[int, dict[int, Row]]:
    """Everything that stands in the databases: table -> id -> row."""
    found: dict[int, dict[int, Row]] = {}
    for table in made.rows:
        with closing(sqlite3.connect(folder / f"{made.connection(table)}.db")) as database:
            database.row_factory = sqlite3.Row
            listed = database.execute(f"SELECT * FROM {name_of(table)}").fetchall()
            found[table] = {row["id"]: dict(row) for row in listed}
    return found
