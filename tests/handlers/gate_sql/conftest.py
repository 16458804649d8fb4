"""The sample company on a real PostgreSQL, with masking views."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from masked import Company
from servers import command, createdb

from subjectline.handlers.registry import open_engine
from subjectline.handlers.registry.gate_sql_plan import audience_of
from subjectline.intake.sandbox.company import MAP, fill
from subjectline.models.datamap import DataMap, load_map

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_made = count(1)


@pytest.fixture(scope="session")
def sample_map() -> DataMap:
    return load_map(MAP)


@pytest.fixture(scope="session")
def company_template(postgres: str) -> str:
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


@pytest.fixture
def company_name(postgres: str, company_template: str) -> Iterator[str]:
    name = f"gate_{next(_made)}"
    createdb(postgres, name, company_template)
    yield name
    command(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def company(postgres: str, company_name: str, sample_map: DataMap) -> AsyncIterator[Company]:
    """Without the views: `apply` makes them."""
    engine = open_engine(f"{postgres}/{company_name}")
    yield Company(postgres, company_name, sample_map, engine, audience_of(sample_map, "marketing"))
    await engine.dispose()


@pytest.fixture
async def masked(company: Company) -> Company:
    """With the views of `marketing`, fresh for now, and nothing held."""
    await company.apply()
    await company.fresh()
    return company
