"""Worlds for the journeys: a small company, copied for each.

`make test` goes crosswise: each right in both languages and on both databases, but not all four ways;
what fails in a company's database on PostgreSQL, kills between two databases on SQLite. The others are
for `make long`.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from servers import free_port
from worlds import Journey, running

from subjectline.handlers.registry import open_engine
from subjectline.intake.sandbox.company import fill
from subjectline.intake.sandbox.world import make_world
from subjectline.models.clock import system_clock

PEOPLE = 10
OTHER_WAYS = (
    "test_rights.py::test_a_right[sqlite-*-en]",
    "test_rights.py::test_a_right[postgresql-*-ko]",
    "test_rights.py::test_an_objection_after_a_refusal[sqlite-en]",
    "test_rights.py::test_an_objection_after_a_refusal[postgresql-ko]",
    "test_registry_faults.py::test_what_lasts_goes_back_to_the_agents[sqlite-*]",
    "test_registry_faults.py::test_before_the_draft[sqlite-*]",
    "test_killed_apart.py::test_killed_between_every_two_steps[postgresql]",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        beginning, _, name = item.nodeid.partition("tests/journeys/")
        if not beginning and any(_fits(name, way) for way in OTHER_WAYS):
            item.add_marker(pytest.mark.long)


def _fits(name: str, way: str) -> bool:
    start, _, end = way.partition("*")
    return name.startswith(start) and name.endswith(end)


@pytest.fixture(scope="session")
def small_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample company with ten members, to be copied."""
    path = tmp_path_factory.mktemp("company") / "company.db"

    async def make() -> None:
        engine = open_engine(f"sqlite:///{path}")
        await fill(engine, system_clock(), PEOPLE)
        await engine.dispose()

    asyncio.run(make())
    return path


@pytest.fixture
async def journey(
    tmp_path: Path, small_company: Path, migrated_desk: Path
) -> AsyncIterator[Journey]:
    """A running world of the test's own."""
    port = free_port()
    shutil.copy(small_company, tmp_path / "company.db")
    shutil.copy(migrated_desk, tmp_path / "desk.db")
    world = await make_world(tmp_path, port)
    async with running(world, port) as made:
        yield made
