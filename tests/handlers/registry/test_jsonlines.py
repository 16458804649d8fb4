"""JSON lines by COPY and row by row are the same bytes, whatever stands in a column."""

import io
import json
import os
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, BinaryIO

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subjectline.handlers.registry import Registry, access, open_engines
from subjectline.handlers.registry.jsonlines import Speller, Weaver
from subjectline.handlers.registry.nested import Pruner
from subjectline.handlers.registry.schema import Schema
from subjectline.handlers.registry.streams import stream_out
from subjectline.models.datamap import DataMap

LABEL = {"ko": "말", "en": "Word"}
KINDS = {
    "id": "integer", "person_id": "integer", "small": "integer", "price": "decimal",
    "share": "decimal", "done": "boolean", "day": "date", "at": "datetime", "local": "datetime",
    "words": "text", "short": "text", "mark": "uuid", "raw": "other", "tags": "other",
    "numbers": "other", "about": "json", "written": "json", "mood": "other", "seen_from": "other",
    "listed": "json", "weird \"name\" x": "text",
}  # fmt: skip
TABLE = """
CREATE TYPE mood AS ENUM ('좋음', 'so "so"');
CREATE TABLE person (id bigint PRIMARY KEY, mail text);
INSERT INTO person VALUES (1, 'one@mail.test'), (2, 'two@mail.test');
CREATE TABLE thing (
  id bigint PRIMARY KEY, person_id bigint, small smallint, price numeric, share double precision,
  done boolean, day date, at timestamptz, local timestamp, words text, short varchar(40), mark uuid,
  raw bytea, tags text[], numbers int[], about jsonb, written json, mood mood, seen_from inet, listed text[],
  "weird ""name"" x" text);
"""
INSERT = f"INSERT INTO thing VALUES ({', '.join(f'${n}' for n in range(1, len(KINDS) + 1))})"
HOSTILE = (
    "plain", "", "null", "NULL", "\\N", '"\\N"', ":\\N,", "\\", "\\\\", '"', '\\"', "한글 이름", "👋🏽",
    "two\nlines", "tab\there", "\r\n", "\b\f\v\x01\x02\x1f\x7f\u0085\u2028", "NaN", ":NaN,",
    "Infinity", "t", "f", '{"id":1}\n{"id":2}', "x\x02\ny\t\\.", "\\.", "\\v", "\\\\v\v", "a\\nb",
    "2026-01-01 00:00:00+00", ' BC\n"',
)  # fmt: skip


def data_map() -> DataMap:
    common = {"connection": "one", "labels": LABEL, "category": "c", "key": ["id"]}
    common |= {"purposes": [], "retention": "r"}

    def columns(kinds: dict[str, str]) -> dict[str, Any]:
        return {name: {"type": kind, "labels": LABEL} for name, kind in kinds.items()}

    contact = {"labels": LABEL, "category": "c", "validator": "email", "contact": "email"}
    company = {"name": LABEL, "officer": LABEL, "phone": "", "email": "", "policy_url": ""}
    person = common | {"columns": columns({"id": "integer", "mail": "text"})}
    return DataMap.model_validate(
        {
            "registry": "test",
            "company": company,
            "connections": {"one": {"labels": LABEL}},
            "home": {"table": "person", "key": "id"},
            "categories": {"c": LABEL},
            "tables": {
                "person": person,
                "thing": common | {"columns": columns(KINDS), "owners": ["person_id"]},
            },
            "fields": {"email": {"table": "person", "column": "mail", **contact}},
            "purposes": {},
            "recipients": {},
            "consents": {},
            "retention": {"r": {"labels": LABEL}},
            "leave": {name: {"action": "ask"} for name in ("person", "thing")},
        }
    )


class Kept(io.BytesIO):
    """A file whose bytes outlive its end."""

    whole = b""

    def close(self) -> None:
        if not self.closed:
            self.whole = self.getvalue()
        super().close()


async def lines(registry: Registry) -> bytes:
    files: dict[str, Kept] = {}

    def opened(table: str) -> BinaryIO:
        files[table] = Kept()
        return files[table]

    await registry.export("1", opened, "jsonl")
    # COPY has no order of its own.
    return b"".join(sorted(files["thing"].whole.splitlines(keepends=True)))


@pytest.fixture
async def things(postgres: str) -> AsyncIterator[tuple[asyncpg.Connection, Registry]]:
    """A database with an empty table of every type, and a registry on it."""
    server = postgres.replace("+asyncpg", "")
    name = f"lines{os.getpid()}"
    keeper = await asyncpg.connect(f"{server}/postgres")
    await keeper.execute(f"DROP DATABASE IF EXISTS {name}")
    await keeper.execute(f"CREATE DATABASE {name}")
    # The company's own session may stand in any zone; ours does not.
    await keeper.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Seoul'")
    connection = await asyncpg.connect(f"{server}/{name}")
    await connection.execute(TABLE)
    wanted = data_map()
    registry = Registry(wanted, open_engines(wanted, {"one": f"{server}/{name}"}, 60))
    yield connection, registry
    await registry.close()
    await connection.close()
    await keeper.execute(f"DROP DATABASE {name}")
    await keeper.close()


def row(number: int, **values: Any) -> list[Any]:
    return [({"id": number, "person_id": 1} | values).get(name) for name in KINDS]


async def fill(connection: asyncpg.Connection) -> None:
    """Rows with every type's odd values; the odd texts in every column that takes them."""
    await connection.execute(INSERT, *row(1))  # nothing but NULL
    for number, words in enumerate(HOSTILE, 10):
        about = json.dumps({"k" + words: [words, None, True, {"n": 1}]}, ensure_ascii=False)
        more = {
            "words": words,
            "short": words[:40],
            'weird "name" x': words,
            "tags": [words, None],
            "listed": [words, None],
        }
        more |= {"about": about, "written": f'{{"a":\t\n [1.10, 1E+5], "b": {about} }}'}
        await connection.execute(INSERT, *row(number, **more))
    others = await connection.fetchval("SELECT count(*) FROM thing")
    script = """
      INSERT INTO thing (id, person_id, small, price, share, done, day, at, local, mark, raw, numbers,
        mood, seen_from) VALUES
      (100, 1, -7, 12.50, 0.1, true, '2026-02-28', '2026-01-02 03:04:05+09', '2026-01-02 03:04:05',
        '6f1ed002-ab5a-4a3c-8f0f-9d4f3f0a3c11', '\\x00ff0a5c22', '{1,NULL,3}', '좋음', '192.0.2.7'),
      (101, 1, 0, 'NaN', 'NaN', false, '0001-01-01', '2026-01-02 03:04:05.5+00',
        '2026-01-02 03:04:05.123456', NULL, '', '{}', 'so "so"', '2001:db8::/32'),
      (102, 1, 1, 'Infinity', '-Infinity', true, '9999-12-31', '2026-01-02 03:04:05.1234+00',
        '0999-01-02 03:04:00', NULL, '\\x5c4e', NULL, NULL, NULL),
      (103, 1, 2, 0.00000001, 100000, NULL, NULL, '1999-12-31 23:59:59.999999+00', NULL, NULL, NULL,
        NULL, NULL, NULL),
      (104, 1, 3, 12345678901234567890.123456789012345678901234567890, 1e20, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL),
      (105, 1, 4, -1, -2.5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
      (900, 2, 1, 1, 1, true, '2026-01-01', now(), now(), NULL, NULL, NULL, NULL, NULL);
    """
    await connection.execute(script)
    assert others == len(HOSTILE) + 1


@pytest.mark.server
async def test_both_ways_write_the_same_bytes(
    things: tuple[asyncpg.Connection, Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, registry = things
    await fill(connection)
    fast = await lines(registry)
    spec, idle = data_map().tables["thing"], Pruner(Schema(data_map()), "thing", "1")

    async def row_by_row(connection: Any, statement: Any, file: BinaryIO, form: Any) -> int:
        return await stream_out(connection, statement, file, form, idle, spec)

    monkeypatch.setattr(access, "copy_out", row_by_row)
    plain = await lines(registry)
    assert fast.splitlines() == plain.splitlines()
    assert fast.count(b"\n") == len(HOSTILE) + 7


@pytest.mark.server
async def test_json_that_was_looked_into_says_the_same(
    things: tuple[asyncpg.Connection, Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, registry = things
    await fill(connection)
    fast = await lines(registry)
    monkeypatch.setattr(Pruner, "idle", property(lambda _: False))
    cut = await lines(registry)
    assert [exact(line) for line in fast.splitlines()] == [exact(o) for o in cut.splitlines()]
    assert b"[1.10, 1E+5]" in cut


@pytest.mark.server
async def test_it_says_what_the_database_says(
    things: tuple[asyncpg.Connection, Registry],
) -> None:
    connection, registry = things
    await fill(connection)
    await connection.execute("SET timezone = 'UTC'")
    texts = ", ".join(f'{n}::text AS "{n}"' for n in ("raw", "tags", "numbers", "seen_from"))
    kept = ", ".join(f'"{n.replace(chr(34), chr(34) * 2)}"' for n in KINDS if n not in texts)
    rows = await connection.fetch(
        f"SELECT row_to_json(r)::text FROM (SELECT {kept}, {texts} FROM thing WHERE person_id = 1) r"
    )
    told = {read["id"]: read for read in (exact(line[0]) for line in rows)}
    ours = [exact(line) for line in (await lines(registry)).splitlines()]
    assert {read["id"]: read for read in ours} == told
    by_id = {read["id"]: read for read in ours}
    assert by_id[100]["at"] == "2026-01-01T18:04:05+00:00"
    assert by_id[101]["price"] == "NaN" and by_id[100]["price"] == Decimal("12.50")
    assert [by_id[n]["words"] for n in range(10, 10 + len(HOSTILE))] == list(HOSTILE)


def exact(line: str | bytes) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(line, parse_float=Decimal)
    return read


@pytest.mark.server
async def test_what_only_copy_can_say(things: tuple[asyncpg.Connection, Registry]) -> None:
    """Times that Python has no word for."""
    connection, registry = things
    await connection.execute(
        "INSERT INTO thing (id, person_id, at, local) VALUES"
        " (1, 1, 'infinity', '-infinity'), (2, 1, '0044-03-15 12:00:00+00 BC', NULL)"
    )
    one, two = [exact(line) for line in (await lines(registry)).splitlines()]
    assert (one["at"], one["local"]) == ("infinity", "-infinity")
    assert (two["at"], two["local"]) == ("0044-03-15T12:00:00+00:00 BC", None)


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
CELLS = st.one_of(st.none(), TEXTS, st.sampled_from(HOSTILE))
ESCAPES = {
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def copied(rows: Sequence[tuple[int | None, str | None, str | None]]) -> bytes:
    """As COPY writes them in its text format (PostgreSQL's documentation of COPY, File Formats)."""

    def cell(value: int | str | None) -> str:
        return "\\N" if value is None else "".join(ESCAPES.get(c, c) for c in str(value))

    return "".join("\t".join(map(cell, one)) + "\n" for one in rows).encode()


@given(
    st.lists(st.tuples(st.one_of(st.none(), st.integers()), CELLS, CELLS), max_size=8),
    st.lists(st.integers(0, 400), max_size=4),
)
def test_any_text_in_any_pieces(
    rows: list[tuple[int | None, str | None, str | None]], cuts: list[int]
) -> None:
    weaver, data = Weaver([("n", "int8"), ("a", "text"), ("b", "varchar")]), copied(rows)
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    woven = b"".join(weaver.lines(data[begin:end]) for begin, end in pairwise(places))
    speller = Speller({"n": "integer", "a": "text", "b": "text"}, trimmed=True)
    wanted = [dict(zip("nab", one, strict=True)) for one in rows]
    assert woven.decode() == "".join(speller.line(one) for one in wanted)
    assert [json.loads(line) for line in woven.split(b"\n")[:-1]] == wanted
    assert weaver.rows == len(rows)
