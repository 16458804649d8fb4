"""Mirrors in processes of their own: stopped, gone on, killed. No view shows a held field for longer
than the bound, whatever became of them."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator

import pytest
from masked import CONNECTION, Company, Holder

from subjectline.models.db import Database
from subjectline_client.core import BOUND

pytestmark = [pytest.mark.server, pytest.mark.long]

MIRROR = """
import asyncio, sys
from pathlib import Path
from subjectline.handlers.gate_following import FollowingGate
from subjectline.handlers.gate_mirror import Mirror
from subjectline.handlers.registry import open_engine
from subjectline.handlers.registry.gate_sql_mirror import HoldTable
from subjectline.models.clock import system_clock
from subjectline.models.datamap import load_map
from subjectline.models.db import Database
from subjectline.intake.sandbox.company import MAP

async def main(desk, company, connection):
    sample = load_map(MAP)
    gate = FollowingGate(Database(desk), sample, system_clock)
    mirror = Mirror(HoldTable(sample, connection, open_engine(company)), gate, system_clock)
    await asyncio.gather(gate.follow(), mirror.run())

asyncio.run(main(*sys.argv[1:]))
"""
WORDS = "SELECT email FROM mart.member_marketing WHERE member_id = 1001"
ROUNDS = 4


@pytest.fixture
def wide_bound() -> None:
    """The bound as it is."""


class Mirrored:
    """A mirror's process, and since when the view must show nothing."""

    def __init__(self, company: Company, desk: Database) -> None:
        self._company, self._desk = company, desk
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        where = (str(self._desk.url), self._company.url_of("gate_mirror"), CONNECTION)
        self.process = await asyncio.create_subprocess_exec(sys.executable, "-c", MIRROR, *where)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    async def end(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.signal(signal.SIGKILL)
            await self.process.wait()

    async def shows(self) -> bool:
        return (await self._company.ask(WORDS))[0][0] is not None

    async def until(self, wanted: bool, seconds: float) -> float:
        """How long it takes until the view shows the field, or does not."""
        began = time.monotonic()
        while await self.shows() != wanted:
            assert time.monotonic() - began < seconds, f"still not {wanted}"
            await asyncio.sleep(0.02)
        return time.monotonic() - began


@pytest.fixture
async def mirrored(company: Company, desk_database: Database) -> AsyncIterator[Mirrored]:
    await company.apply()
    made = Mirrored(company, desk_database)
    await made.start()
    await made.until(True, 60)
    yield made
    await made.end()


async def test_one_that_is_stopped_shows_nothing_after_the_bound(
    mirrored: Mirrored, holder: Holder
) -> None:
    for _ in range(ROUNDS):
        mirrored.signal(signal.SIGSTOP)
        held = await holder.hold("1001", "email")
        committed = time.monotonic()
        await mirrored.until(False, BOUND + 1)
        assert time.monotonic() - committed < BOUND + 0.5
        mirrored.signal(signal.SIGCONT)  # with an old look at the desk in hand, perhaps
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            assert not await mirrored.shows()
        await holder.release(held)
        await mirrored.until(True, 10)


async def test_one_that_is_killed_is_followed_by_another(
    mirrored: Mirrored, holder: Holder
) -> None:
    for _ in range(ROUNDS):
        await mirrored.end()
        held = await holder.hold("1001", "email")
        await mirrored.until(False, BOUND + 1)
        await mirrored.start()
        until = time.monotonic() + 4
        while time.monotonic() < until:
            assert not await mirrored.shows()
        await holder.release(held)
        await mirrored.until(True, 20)
