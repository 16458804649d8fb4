"""Worlds for the journeys: a small company, copied for each."""

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
