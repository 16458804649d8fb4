"""The sample company on a real PostgreSQL, with masking views."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from masked import BOUND_SECONDS, CONNECTION, Company, Holder
from servers import command, createdb
from sqlmodel import SQLModel

from subjectline.handlers.gate import Gate
from subjectline.handlers.gate_mirror import Mirror
from subjectline.handlers.registry import gate_sql, open_engine
from subjectline.handlers.registry.gate_sql_mirror import HoldTable
from subjectline.handlers.registry.gate_sql_plan import audience_of
from subjectline.intake.sandbox.company import MAP, fill
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap, load_map
from subjectline.models.db import Database

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_made = count(1)


@pytest.fixture(autouse=True)
def wide_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy for two seconds fails no test; `BOUND_SECONDS` ago is stale."""
    monkeypatch.setattr(gate_sql, "_WITHIN", f"interval '{BOUND_SECONDS} seconds'")


@pytest.fixture(scope="session")
def sample_map() -> DataMap:
    return load_map(MAP)


@pytest.fixture(scope="session")
def masked_template(postgres: str) -> str:
    """The sample company, ten members, and the roles of its systems."""
    createdb(postgres, "gate_company")

    async def filled() -> None:
        engine = open_engine(f"{postgres}/gate_company")
        await fill(engine, NOW, 10)
        await engine.dispose()

    asyncio.run(filled())
    for role in ("marketing", "bystander"):
        command(postgres, f"CREATE ROLE {role} LOGIN")
    return "gate_company"


@pytest.fixture(scope="session")
def applied_template(postgres: str, masked_template: str, sample_map: DataMap) -> str:
    """The same with the views of `marketing`, and nothing held."""
    createdb(postgres, "gate_applied", masked_template)

    async def applied() -> None:
        engine = open_engine(f"{postgres}/gate_applied")
        audience = audience_of(sample_map, "marketing")
        company = Company(postgres, "gate_applied", sample_map, engine, audience)
        await company.apply()
        await company.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate_sql, "_WITHIN", f"interval '{BOUND_SECONDS} seconds'")
        asyncio.run(applied())
    return "gate_applied"


@pytest.fixture
def new_database(postgres: str) -> Iterator[Callable[[str], str]]:
    """Copies a template; the copies go when the test ends."""
    made: list[str] = []

    def make(template: str) -> str:
        made.append(f"gate_{next(_made)}")
        createdb(postgres, made[-1], template)
        return made[-1]

    yield make
    for name in made:
        command(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def company_name(masked_template: str, new_database: Callable[[str], str]) -> str:
    return new_database(masked_template)


@pytest.fixture
async def company(postgres: str, company_name: str, sample_map: DataMap) -> AsyncIterator[Company]:
    """Without the views: `apply` makes them."""
    engine = open_engine(f"{postgres}/{company_name}")
    made = Company(postgres, company_name, sample_map, engine, audience_of(sample_map, "marketing"))
    yield made
    await made.close()


@pytest.fixture
async def masked(
    postgres: str,
    applied_template: str,
    new_database: Callable[[str], str],
    sample_map: DataMap,
) -> AsyncIterator[Company]:
    """With the views of `marketing`, fresh for now, and nothing held."""
    name = new_database(applied_template)
    engine, audience = open_engine(f"{postgres}/{name}"), audience_of(sample_map, "marketing")
    made = Company(postgres, name, sample_map, engine, audience)
    await made.fresh()
    yield made
    await made.close()


@pytest.fixture
async def desk_database(tmp_path: Path) -> AsyncIterator[Database]:
    """A desk's database with its tables and nothing in them."""
    made = Database(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}")
    async with made.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    yield made
    await made.dispose()


@pytest.fixture
async def holder(desk_database: Database, sample_map: DataMap) -> Holder:
    made = Holder(desk_database, sample_map)
    await made.begin()
    return made


@pytest.fixture
def gate(desk_database: Database, sample_map: DataMap) -> Gate:
    return Gate(desk_database, sample_map, FrozenClock(NOW))


MakeMirror = Callable[[], Mirror]


@pytest.fixture
async def make_mirror(masked: Company, gate: Gate) -> AsyncIterator[MakeMirror]:
    """Mirrors of the company's database, each signed in as the role of its own."""
    made: list[Mirror] = []

    def make() -> Mirror:
        engine = open_engine(masked.url_of("gate_mirror"))
        table = HoldTable(masked.data_map, CONNECTION, engine)
        made.append(Mirror(table, gate, FrozenClock(NOW)))
        return made[-1]

    yield make
    for mirror in made:
        await mirror.close()
