"""`subjectline gate serve` outlives the desk: frozen, killed, migrated; and not the database, for long."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic import command as alembic
from gates import MAP, House, housed, sample_policy
from servers import command, free_port
from sqlalchemy import Connection
from sqlmodel import select

from subjectline.models.db import Database
from subjectline.models.migrate import config, migrate
from subjectline.models.tables import GateUse

OLDER = "0016"  # the first schema that `gate serve` can read
SETTINGS = """
[desk]
data_dir = "{home}"
[database]
url = "{url}"
[registry]
map = "{map}"
[gate_http]
port = {port}
processes = {processes}
"""
RUN = "import sys; from subjectline.intake.main import main; sys.argv[0] = 'subjectline'; main()"
# A desk in the middle of a step: it has the gate's head and has not committed.
DESK = """
import asyncio, sys
from subjectline.models.db import Database
from sqlalchemy import text
async def main():
    async with Database(sys.argv[1]).write() as session:
        connection = await session.connection()
        await connection.execute(text("UPDATE gate_head SET revision = revision + 1"))
        print("inside", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


@dataclass
class Served:
    """A gate that runs, over the database of a desk that does not."""

    house: House
    http: httpx.AsyncClient
    process: asyncio.subprocess.Process

    async def asks(self, member: str, field: str = "email") -> tuple[bool, str]:
        """The decision and its reason."""
        resource = {"type": "member", "id": member, "properties": {"fields": [field]}}
        asked = {"subject": {"type": "system", "id": "mailer"}, "action": {"name": "marketing"}}
        response = await self.http.post(
            "/access/v1/evaluation", json={**asked, "resource": resource}
        )
        assert response.status_code == 200
        told = response.json()
        return told["decision"], told["context"].get("reason", "")

    async def until(self, member: str, reason: str) -> list[tuple[bool, str]]:
        """Asks until that is the reason; all that was told on the way."""
        told: list[tuple[bool, str]] = []
        async with asyncio.timeout(60):
            while not told or told[-1][1] != reason:
                told.append(await self.asks(member))
        return told


def _older(connection: Connection) -> None:
    made = config()
    made.attributes["connection"] = connection
    alembic.upgrade(made, OLDER)


@asynccontextmanager
async def running(url: str, home: Path, processes: int = 2) -> AsyncIterator[Served]:
    before = Database(url)
    async with before.engine.begin() as connection:
        await connection.run_sync(_older)
    await before.dispose()
    async with housed(url, sample_policy(), tables=False) as house:
        key, port = await house.caller("mailer", "marketing"), free_port()
        await house.hold("7", "email")
        told = home / "subjectline.toml"
        places = {"home": home, "url": url, "map": MAP, "port": port}
        told.write_text(SETTINGS.format(**places, processes=processes))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", RUN, "gate", "serve", "--config", str(told)),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout and b"listens" in await process.stdout.readline()
            headers = {"authorization": f"Bearer {key}"}
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60
            ) as http:
                yield Served(house, http, process)
        finally:
            process.terminate()
            assert await process.wait() in (0, -signal.SIGTERM)  # one process ends by the signal


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
async def served(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Served]:
    url, processes = f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}", 1
    if request.param == "postgresql":
        url, processes = request.getfixturevalue("postgres_database"), 2
    async with running(url, tmp_path, processes) as made:
        yield made


async def test_the_desk_is_frozen_killed_and_migrated(served: Served) -> None:
    assert await served.asks("7") == (False, "held")
    assert await served.asks("8") == (True, "")
    url = served.house.database.url.render_as_string(hide_password=False)
    desk = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DESK, url, stdout=asyncio.subprocess.PIPE
    )
    assert desk.stdout and await desk.stdout.readline() == b"inside\n"
    for stopped in (signal.SIGSTOP, signal.SIGKILL):
        desk.send_signal(stopped)
        if stopped == signal.SIGKILL:
            await desk.wait()
        await _past_the_bound(served)
        assert await served.asks("7") == (False, "held")
        assert await served.asks("8") == (True, "")
    migrating = asyncio.create_task(migrate(served.house.database))
    told: list[tuple[tuple[bool, str], tuple[bool, str]]] = []
    while not migrating.done() or len(told) < 10:
        told.append((await served.asks("7"), await served.asks("8")))
    await migrating
    assert set(told) == {((False, "held"), (True, ""))}
    await served.house.hold("8", "email")
    assert (await served.until("8", "held"))[-1] == (False, "held")
    await _counted(served.house)


async def _past_the_bound(served: Served) -> None:
    """Answers all the while, for longer than a state may be old."""
    clock = asyncio.get_running_loop()
    end = clock.time() + 2.5
    while clock.time() < end:
        assert await served.asks("8") == (True, "")
        await asyncio.sleep(0.2)


async def _counted(house: House) -> None:
    """The ledger is written although the desk is gone."""
    async with asyncio.timeout(30):
        while True:
            async with house.database.read() as session:
                rows = (await session.exec(select(GateUse))).all()
            if any(row.subject_id == "7" and row.denials and not row.permits for row in rows):
                return
            await asyncio.sleep(0.05)


@pytest.mark.long
async def test_one_process_killed_the_others_answer(tmp_path: Path) -> None:
    async with running(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}", tmp_path) as served:
        await _one_killed(served)


async def _one_killed(served: Served) -> None:
    assert await served.asks("8") == (True, "")
    children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text()
    workers = [pid for pid in map(int, children.split()) if b"spawn_main" in _words(pid)]
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    told: list[Any] = []
    for _ in range(20):
        try:
            told.append(await served.asks("7"))
        except httpx.TransportError:  # the connection that had gone to the one that died
            continue
    assert set(told) == {(False, "held")}


def _words(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.long
async def test_the_database_is_gone_and_comes_back(
    postgres: str, postgres_database: str, tmp_path: Path
) -> None:
    name = postgres_database.rpartition("/")[2]
    async with running(postgres_database, tmp_path) as served:
        assert await served.asks("8") == (True, "")
        await served.house.database.dispose()
        command(postgres, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        command(
            postgres,
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        )
        told = await served.until("8", "stale")
        assert set(told) <= {(True, ""), (False, "stale")} and told[-1] == (False, "stale")
        assert await served.asks("7") == (False, "stale")  # never called held
        command(postgres, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert (await served.until("8", ""))[-1] == (True, "")
        assert await served.asks("7") == (False, "held")
