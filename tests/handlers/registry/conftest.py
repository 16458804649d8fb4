"""Company databases for the registry's tests, each test on SQLite and on PostgreSQL.

`databases` makes new ones; `company` is the sample company with 30 members, copied for each test.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from servers import command, createdb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from subjectline.handlers.registry import Registry, open_engine, open_engines
from subjectline.intake.sandbox.company import MAP, fill
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap, load_map

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PEOPLE = 30

SHOP = """
CREATE TABLE customer (id TEXT PRIMARY KEY, email TEXT UNIQUE, phone TEXT, born DATE, friend_id TEXT);
CREATE TABLE card (id INTEGER PRIMARY KEY, customer_id TEXT, digits TEXT);
CREATE TABLE "order" (id INTEGER PRIMARY KEY, customer_id TEXT, card_id INTEGER, total NUMERIC(10,2),
  bought_at TIMESTAMP WITH TIME ZONE);
CREATE TABLE note (order_id INTEGER, line INTEGER, words TEXT, PRIMARY KEY (order_id, line));
INSERT INTO customer VALUES ('ann', 'ann@shop.test', '01000002001', '1980-02-03', 'bob');
INSERT INTO customer VALUES ('bob', 'bob@shop.test', NULL, NULL, NULL);
INSERT INTO card VALUES (1, 'ann', 'card-of-ann'), (2, 'bob', 'card-of-bob'), (3, NULL, 'orphan');
INSERT INTO "order" VALUES (10, 'ann', 2, 12.50, '2026-01-02 03:04:05+00:00');
INSERT INTO "order" VALUES (11, 'bob', 2, 7, '2026-01-02 03:04:05+00:00');
INSERT INTO "order" VALUES (12, 'ann', 3, 1, NULL);
INSERT INTO note VALUES (10, 1, 'note-of-ann'), (11, 1, 'note-of-bob'), (99, 1, 'orphan');
"""
NEWS = """
CREATE TABLE reader (reader_id INTEGER PRIMARY KEY, customer_ref TEXT, email TEXT, wants BOOLEAN,
  changed_at TIMESTAMP WITH TIME ZONE);
INSERT INTO reader VALUES (1, 'ann', 'ann@shop.test', TRUE, NULL);
INSERT INTO reader VALUES (2, 'ann', 'old-ann@shop.test', FALSE, NULL);
INSERT INTO reader VALUES (3, 'bob', 'bob@shop.test', TRUE, NULL);
"""


@dataclass
class Databases:
    """Makes databases of one kind; `backend` is sqlite or postgresql."""

    backend: str
    folder: Path
    server: str = ""
    made: int = 0

    def url(self, name: str) -> str:
        return f"{self.server}/{name}" if self.server else f"sqlite:///{self.folder / name}.db"

    def make(self, template: str = "") -> str:
        """The URL of a new database, empty or a copy of `template`."""
        self.made += 1
        name = self._name(self.made)
        if self.server:
            createdb(self.server, name, template or "template1")
        elif template:
            shutil.copy(self.folder.parent / f"{template}.db", self.folder / f"{name}.db")
        return self.url(name)

    def _name(self, number: int) -> str:
        return f"t{abs(hash(self.folder)):x}_{number}"

    def drop(self) -> None:
        """All that were made; hundreds of them would fill the memory that they stand in."""
        for number in range(1, self.made + 1):
            if self.server:
                command(self.server, f"DROP DATABASE {self._name(number)} WITH (FORCE)")
        shutil.rmtree(self.folder)


async def _script(url: str, script: str) -> None:
    engine = open_engine(url)
    async with engine.begin() as connection:
        for statement in script.split(";"):
            if statement.strip():
                await connection.execute(text(statement))
    await engine.dispose()


async def _filled(url: str) -> None:
    engine = open_engine(url)
    await fill(engine, NOW, PEOPLE)
    await engine.dispose()


@pytest.fixture(
    scope="session",
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)],
)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def template(
    backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, str]]:
    """The folder and server of this kind of database, the filled company in it as `company`."""
    folder = tmp_path_factory.mktemp(backend)
    server = str(request.getfixturevalue("postgres")) if backend == "postgresql" else ""
    places = Databases(backend, folder, server)
    if server:
        createdb(server, "company")
    asyncio.run(_filled(places.url("company")))
    yield folder, server


@pytest.fixture
def databases(backend: str, template: tuple[Path, str], request: Any) -> Iterator[Databases]:
    folder = template[0] / f"{abs(hash(request.node.nodeid)):x}"
    folder.mkdir()
    made = Databases(backend, folder, template[1])
    yield made
    made.drop()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture(scope="session")
def sample() -> DataMap:
    return load_map(MAP)


@pytest.fixture
async def company(company_url: str, sample: DataMap, clock: FrozenClock) -> AsyncIterator[Registry]:
    """The sample company's registry: 30 members, the known ones first."""
    registry = Registry(sample, open_engines(sample, {"members": company_url}), clock=clock)
    yield registry
    await registry.close()


@pytest.fixture
def company_url(databases: Databases) -> str:
    return databases.make("company")


@pytest.fixture
def shop_urls(databases: Databases) -> dict[str, str]:
    """Two databases: the shop and the newsletter."""
    urls = {"shop": databases.make(), "news": databases.make()}
    asyncio.run(_script(urls["shop"], SHOP))
    asyncio.run(_script(urls["news"], NEWS))
    return urls


@pytest.fixture(scope="session")
def shop_map() -> DataMap:
    return load_map(Path(__file__).with_name("shop.yaml"))


@pytest.fixture
async def shop(
    shop_urls: dict[str, str], shop_map: DataMap, clock: FrozenClock
) -> AsyncIterator[Registry]:
    registry = Registry(shop_map, open_engines(shop_map, shop_urls), clock=clock)
    yield registry
    await registry.close()


Query = Callable[..., Any]


@pytest.fixture
async def query() -> AsyncIterator[Query]:
    """`await query(url, sql, name=value)`: runs and commits one statement, returns its rows."""
    engines: dict[str, AsyncEngine] = {}

    async def run(url: str, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        engine = engines.setdefault(url, open_engine(url))
        async with engine.begin() as connection:
            result = await connection.execute(text(sql), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    yield run
    for engine in engines.values():
        await engine.dispose()
