"""Systems that ask the gate as its documents say: each in a process of its own."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from desks import CORRECT, NOW, Office
from servers import free_port

from subjectline.handlers import holds
from subjectline.handlers.holds import HoldPlan
from subjectline.intake.asgi import App
from subjectline.intake.serve import Parts, Server, internal_app
from subjectline.models.tables import Request

MEMBER = "1001"


@dataclass
class Asker:
    """Runs an example as a reader would: in a process of its own, told where the gate is."""

    url: str
    key: str
    folder: Path | None = None

    async def tried(self, *command: str, **env: str) -> tuple[int, str, str]:
        """The status that it ended with, and what it wrote."""
        told = {**os.environ, "GATE_URL": self.url, "GATE_KEY": self.key, **env}
        process = await asyncio.create_subprocess_exec(
            *command,
            env=told,
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, wrong = await process.communicate()
        return process.returncode or 0, out.decode(), wrong.decode()

    async def run(self, *command: str, **env: str) -> str:
        status, out, wrong = await self.tried(*command, **env)
        assert status == 0, wrong
        return out


@asynccontextmanager
async def listening(office: Office) -> AsyncIterator[str]:
    """The desk's internal port; where it is."""
    async with served(internal_app(Parts(office.desk))) as url:
        yield url


@asynccontextmanager
async def served(app: App) -> AsyncIterator[str]:
    port = free_port()
    server = Server(app, "127.0.0.1", port)
    running = asyncio.create_task(server.serve())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()
        await running


async def contest(office: Office, *fields: str) -> None:
    """A request of the member holds these fields; without any it holds nothing any more."""
    if not await office.all(Request):
        await office.mail("haneul.kim@mail.test", CORRECT)
    request = await office.request()
    async with office.desk.write() as session:
        plan, registry = HoldPlan("correction", fields), office.desk.data_map.registry
        await holds.place(session, request.id or 0, registry, MEMBER, plan, "firm", NOW)
