"""A stage without running loops, and a browser's client that reaches its page in process."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from subjectline.intake.sandbox.page import routes
from subjectline.intake.sandbox.stage import Stage
from subjectline.intake.sandbox.world import PASSWORD, make_world
from subjectline.intake.serve import one_app
from subjectline.intake.setup import close_desk

BASE = "http://127.0.0.1:8080"


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a sandbox that was started once; making them is the slow part."""
    home = tmp_path_factory.mktemp("sandbox")

    async def make() -> None:
        world = await make_world(home, 8080)
        await world.close()
        await close_desk(world.desk)

    asyncio.run(make())
    return home


class Actors:
    """A stage and the client of somebody who looks at it."""

    def __init__(self, stage: Stage, http: httpx.AsyncClient) -> None:
        self.stage, self.http = stage, http


@pytest.fixture
async def actors(furnished: Path, tmp_path: Path) -> AsyncIterator[Actors]:
    home = tmp_path / "home"
    shutil.copytree(furnished, home)
    world = await make_world(home, 8080)
    reach: list[httpx.ASGITransport] = []
    stage = Stage(
        world, PASSWORD, lambda: httpx.AsyncClient(transport=_Later(reach), base_url=BASE)
    )
    reach.append(httpx.ASGITransport(one_app(world.parts, routes(stage))))
    async with httpx.AsyncClient(transport=reach[0], base_url=BASE) as http:
        yield Actors(stage, http)
    await stage.close()
    await close_desk(world.desk)


class _Later(httpx.AsyncBaseTransport):
    """The application is made after the stage that it shows."""

    def __init__(self, reach: list[httpx.ASGITransport]) -> None:
        self._reach = reach

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._reach[0].handle_async_request(request)
