"""The sample company in two databases, members and commerce, with the archive as a third.

Orders, sales and the advertising list stand in the second one, without foreign keys into the first.
Each test may have copies of its own, as SQLite files or as PostgreSQL databases.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from desks import NOW, Office, known_words
from servers import createdb
from sqlalchemy import insert, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from subjectline.handlers.desk import Desk, Manner
from subjectline.handlers.gate import Gate
from subjectline.handlers.registry import Archive, Registry, open_engine, open_engines, open_writers
from subjectline.handlers.registry.schema import Schema
from subjectline.intake.sandbox import company
from subjectline.intake.sandbox.people import OTHER_MEMBER, Person
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap, load_map
from subjectline.models.db import Database
from subjectline.models.keys import KeyRing, KeyStore, Vault
from subjectline.models.regimes import regime_named

COMMERCE = ("mailing_list", "shipping", "payment_request", "content_sale")
NAMES = ("members", "commerce", "archive")
_EACH = 12  # of each language

Cell = tuple[
    str, str, str, Any
]  # connection.table, key, column, new value; "" and None: the row went
Rows = list[tuple[Any, ...]]


def cast() -> dict[str, list[Person]]:
    """Members by language, enough for every test to have one of its own; the first are the known."""
    everybody = company.people(90)
    return {
        tongue: [p for p in everybody if p.language == tongue and p != OTHER_MEMBER][:_EACH]
        for tongue in ("ko", "en")
    }


@cache
def known_map(path: Path) -> DataMap:
    """A map file that no test changes, read once."""
    return load_map(path)


@dataclass(frozen=True)
class Pair:
    """One company in its databases; `urls` by connection, the archive's among them."""

    map: Path
    urls: Mapping[str, str]

    async def sql(self, connection: str, statement: str, **values: Any) -> Rows:
        """Straight into a database, behind the desk's back."""
        async with self._line(connection) as line:
            done = await line.execute(text(statement), values)
            return [tuple(row) for row in done] if done.returns_rows else []

    @asynccontextmanager
    async def _line(self, connection: str) -> AsyncIterator[AsyncConnection]:
        engine = open_engine(self.urls[connection], 30)
        try:
            async with engine.begin() as line:
                yield line
        finally:
            await engine.dispose()

    async def whole(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Every row of both databases, by (connection.table, key)."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        data_map = known_map(self.map)
        for connection in data_map.connections:
            tables = {n: t for n, t in data_map.tables.items() if t.connection == connection}
            async with self._line(connection) as line:
                for name, spec in tables.items():
                    for row in await line.execute(
                        text(f"SELECT {', '.join(spec.columns)} FROM {name}")
                    ):
                        values = dict(zip(spec.columns, row, strict=True))
                        key = "/".join(str(values[column]) for column in spec.key)
                        found[f"{connection}.{name}", key] = values
        return found

    async def archived(self, member: str) -> dict[str, int]:
        """How many records of a member the archive has, by table; all of them settled.

        Its table is made for the first record: a daily run that waits for a look makes none.
        """
        async with self._line("archive") as line:
            made = await line.run_sync(lambda sync: inspect(sync).has_table("subjectline_archive"))
        if not made:
            return {}
        tables = "SELECT count(*) FROM subjectline_archive WHERE state != 'kept'"
        assert await self.sql("archive", tables) == [(0,)]
        kept = (
            "SELECT table_name, count(*) FROM subjectline_archive WHERE subject_id = :m GROUP BY 1"
        )
        return dict(await self.sql("archive", kept, m=member))


def changed(
    before: Mapping[tuple[str, str], Mapping[str, Any]],
    after: Mapping[tuple[str, str], Mapping[str, Any]],
) -> set[Cell]:
    """Every cell that differs, and every row that went."""
    assert not set(after) - set(before), "rows came"
    gone = {(*place, "", None) for place in set(before) - set(after)}
    cells = {
        (*place, column, value)
        for place, row in after.items()
        for column, value in row.items()
        if value != before[place][column]
    }
    return gone | cells


def write_map(path: Path) -> Path:
    """The sample company's map, with the tables of COMMERCE in a connection of that name."""
    raw = yaml.safe_load(company.MAP.read_text(encoding="utf-8"))
    labels = {"ko": "주문·광고 데이터베이스", "en": "Orders and advertising"}
    raw["connections"]["commerce"] = {"labels": labels}
    for name in COMMERCE:
        raw["tables"][name]["connection"] = "commerce"
    path.write_text(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


async def fill_pair(pair: Pair, now: datetime) -> None:
    """Makes tables and rows; everybody of the cast has rows in every table and every consent."""
    members = cast()
    people = [*members["ko"], *members["en"], OTHER_MEMBER]
    schema = Schema(known_map(pair.map))
    with mock.patch.object(company, "KNOWN", people):
        generator = company._Generator(now.replace(microsecond=0), 0)
        generator._people = people
        rows = generator.rows()
    _everybody_sells(rows["content_sale"], people)
    for name in ("members", "commerce"):
        engine = open_engine(pair.urls[name], 30)
        async with engine.begin() as line:
            for statement in _statements(name):
                await line.execute(text(statement))
            for table in reversed(schema.children_first(rows)):
                if rows[table] and schema.connection(table) == name:
                    await line.execute(insert(schema[table]), rows[table])
        await engine.dispose()


def _everybody_sells(sales: list[dict[str, Any]], people: Sequence[Person]) -> None:
    """One more sale of each, to the one who is a bystander everywhere."""
    for person in people[:-1]:
        names = {"seller_nickname": person.nickname, "seller_instagram": person.handle}
        ids = {"sale_id": len(sales) + 1, "seller_id": person.number}
        sales.append({**sales[-1], **ids, **names, **_buyer(OTHER_MEMBER)})


def _buyer(person: Person) -> dict[str, Any]:
    return {
        "buyer_id": person.number,
        "buyer_name": person.name,
        "buyer_email": person.email,
    }


def _statements(connection: str) -> Iterator[str]:
    """Those of the sample's schema that belong to a connection."""
    script = (company.HOME / "schema.sql").read_text(encoding="utf-8")
    for statement in filter(str.strip, script.split(";")):
        named = re.search(r"CREATE (?:TABLE|INDEX \w+ ON) (\w+)", statement)
        assert named is not None
        if (named[1] in COMMERCE) == (connection == "commerce"):
            yield (
                statement.replace(" REFERENCES member", "")
                if connection == "commerce"
                else (statement)
            )


class Pairs:
    """Copies of one filled company, on one kind of database."""

    def __init__(self, template: Pair, server: str) -> None:
        self._template, self._server, self._numbers = template, server, count(1)

    @property
    def backend(self) -> str:
        return "postgresql" if self._server else "sqlite"

    def make(self, folder: Path) -> Pair:
        """A company of the caller's own."""
        number = next(self._numbers)
        urls = {n: self._copy(n, folder, f"pair{number}_{n}") for n in NAMES}
        return Pair(self._template.map, urls)

    def _copy(self, name: str, folder: Path, copy: str) -> str:
        source = self._template.urls[name]
        if self._server:
            created = source.rpartition("/")[2] + copy
            createdb(self._server, created, source.rpartition("/")[2])
            return f"{self._server}/{created}"
        target = folder / f"{name}.db"
        if name != "archive":
            shutil.copy(source.removeprefix("sqlite:///"), target)
        return f"sqlite:///{target}"


BACKENDS = [
    pytest.param("sqlite", marks=pytest.mark.xdist_group("pair-sqlite")),
    pytest.param(
        "postgresql", marks=[pytest.mark.server, pytest.mark.xdist_group("pair-postgresql")]
    ),
]


@pytest.fixture(scope="session", params=BACKENDS)
def pairs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    """Makes companies in two databases, on SQLite and on PostgreSQL."""
    folder = tmp_path_factory.mktemp("pair")
    server = "" if request.param == "sqlite" else str(request.getfixturevalue("postgres"))
    template = Pair(write_map(folder / "map.yaml"), {n: _new(server, folder, n) for n in NAMES})
    asyncio.run(fill_pair(template, NOW))
    return Pairs(template, server)


_templates = count(1)


def _new(server: str, folder: Path, name: str) -> str:
    if not server:
        return f"sqlite:///{folder / name}.db"
    created = f"pair{next(_templates)}_{name}"
    createdb(server, created)
    return f"{server}/{created}"


def pair_office(
    pair: Pair,
    folder: Path,
    desk_url: str,
    seconds: float = 60.0,
    ring: KeyRing | None = None,
    **writers: str,
) -> Office:
    """A desk without loops over such a company; a database has `seconds` for a call."""
    data_map, clock = known_map(pair.map), FrozenClock(NOW)
    vault = Vault(ring or KeyRing.generate(), KeyStore(folder / "keys.db"))
    database = Database(desk_url)
    desk = Desk(
        db=database,
        vault=vault,
        clock=clock,
        data_map=data_map,
        registry=open_pair(pair, data_map, vault, clock, seconds, **writers),
        gate=Gate(database, data_map, clock),
        vocabulary=known_words(data_map),
        manner=Manner(
            address="privacy@moment-pick.test", public_url="https://privacy.moment-pick.example"
        ),
    )
    return Office(desk, clock, folder, pair.urls["members"])


def open_pair(
    pair: Pair, data_map: DataMap, vault: Vault, clock: FrozenClock, seconds: float, **writers: str
) -> Registry:
    """A registry on both databases and the archive."""
    live = {name: pair.urls[name] for name in data_map.connections}
    return Registry(
        data_map,
        open_engines(data_map, live, seconds, read_only=writers),
        clock=clock,
        seconds=seconds,
        zone=regime_named("kr-pipa").tz,
        archive=Archive(
            open_engine(pair.urls["archive"]), vault, clock, data_map.registry, seconds
        ),
        writers=open_writers(data_map, writers, seconds),
    )
