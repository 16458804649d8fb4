"""Replicas over real sockets: woken, cut off, frozen, killed; the desk stopped behind them."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from gates import NOW, House, housed, sample_policy
from servers import connected, free_port

from subjectline.handlers import gate_wakes
from subjectline.handlers.gate_following import FollowingGate
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap
from subjectline_client import AsyncGate
from subjectline_client.core import steady

LONG = 60.0  # seconds; pulls every quarter of it, so that only a wake-up can have told
SHORT = 0.6

FROZEN = """
import json, sys, time
from subjectline_client import Gate
from subjectline_client.core import steady
gate = Gate(sys.argv[1], sys.argv[2], bound=float(sys.argv[3]))
gate.start()
while True:
    asked = steady()
    decision = gate.decide("7", ("email",), "marketing")
    print(json.dumps([asked, decision.permit, decision.reasons]), flush=True)
    time.sleep(0.001)
"""


@pytest.fixture(scope="session")
def data_map() -> DataMap:
    return sample_policy()


@pytest.fixture
async def house(tmp_path: Path, data_map: DataMap) -> AsyncIterator[House]:
    async with housed(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}", data_map) as made:
        await made.caller("mailer", "marketing")
        await made.start()
        yield made


@asynccontextmanager
async def following(house: House, bound: float, url: str = "") -> AsyncIterator[AsyncGate]:
    asked = AsyncGate(url or house.url, house.keys["mailer"], bound=bound)
    try:
        assert await asked.start(30)
        yield asked
    finally:
        await asked.close()


async def until(asked: AsyncGate, *reasons: str, member: str = "7") -> float:
    """Waits until the answer is a denial for these reasons, or a permit; the moment of asking."""
    async with asyncio.timeout(30):
        while True:
            now = steady()
            decision = await asked.decide(member, ("email",), "marketing")
            if decision.reasons == reasons:
                return now
            await asyncio.sleep(0.002)


async def last_permit(asked: AsyncGate) -> float:
    """The moment of asking for the last permit before the state was stale."""
    last = 0.0
    async with asyncio.timeout(30):
        while True:
            now = steady()
            decision = await asked.decide("7", ("email",), "marketing")
            if decision.reasons == ("stale",):
                return last
            assert decision.permit
            last = now
            await asyncio.sleep(0.002)


async def until_woken(asked: AsyncGate) -> None:
    """Waits until the stream is there: it says the newest revision first."""
    async with asyncio.timeout(30):
        while not asked.metrics()["wakes_total"]:
            await asyncio.sleep(0.002)


class Line:
    """A line to the gate that can be cut without anybody being told: bytes are swallowed."""

    def __init__(self, port: int) -> None:
        self._port, self._ends = port, list[asyncio.StreamWriter]()
        self.cut = False
        self.url = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Line"]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", free_port())
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for end in self._ends:
                end.close()
            await server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends += [writer, forth]
        await asyncio.gather(self._pass(reader, forth), self._pass(back, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                if not self.cut:
                    writer.write(data)
                    await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


async def test_a_commit_denies_over_the_stream_and_a_release_is_never_early(house: House) -> None:
    await house.hold("99", "email")
    async with following(house, LONG) as asked:
        await until_woken(asked)
        assert await asked.decide("7", ("email",), "marketing")
        request = await house.hold("7", "email")
        await until(asked, "held")
        watching = asyncio.create_task(until(asked))
        committing = await house.release(request)
        assert await watching >= committing


async def test_a_line_that_swallows_bytes(house: House) -> None:
    """Nobody hangs up and nothing comes: stale within the bound, and not held."""
    async with Line(house.port).open() as line, following(house, SHORT, line.url) as asked:
        assert await asked.decide("7", ("email",), "marketing")
        line.cut = True
        await house.hold("7", "email")
        committed = steady()
        assert await last_permit(asked) <= committed + SHORT
        assert (await asked.decide("8", ("email",), "marketing")).reasons == ("stale",)
        line.cut = False
        await until(asked, "held")


async def test_a_gate_that_stops_and_starts_again(house: House) -> None:
    async with following(house, SHORT) as asked:
        began = steady()
        await house.stop()
        assert steady() - began < 2, "open streams do not hold the desk up"
        await until(asked, "stale")
        await house.hold("7", "email")
        await house.start()
        await until(asked, "held")
        await until(asked, member="8")


@pytest.mark.parametrize("rounds", [1, pytest.param(40, marks=pytest.mark.long)])
async def test_a_frozen_client_never_permits_from_before(house: House, rounds: int) -> None:
    """Stopped with SIGSTOP while a hold is placed; woken, it reads what was buffered, and no call
    that begins later than the commit and the bound is a permit."""
    words = (FROZEN, house.url, house.keys["mailer"], str(SHORT))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", *words, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    try:
        for _ in range(rounds):
            await _frozen(house, child, child.stdout)
    finally:
        child.kill()
        await child.wait()


async def _frozen(
    house: House, child: asyncio.subprocess.Process, out: asyncio.StreamReader
) -> None:
    await _heard(out, lambda told: told[1])
    os.kill(child.pid, signal.SIGSTOP)
    request = await house.hold("7", "email")
    committed = steady()
    await asyncio.sleep(2 * SHORT)  # the time for which it is frozen is what is tried
    os.kill(child.pid, signal.SIGCONT)
    told = await _heard(out, lambda told: told[2] == ["held"])
    late = [each for each in told if each[0] > committed + SHORT]
    assert not any(each[1] for each in late)
    assert {reason for each in late for reason in each[2]} <= {"stale", "held"}
    await house.release(request)


async def _heard(out: asyncio.StreamReader, wanted: Callable[[list[Any]], bool]) -> list[list[Any]]:
    """What a client said, up to what is waited for."""
    told = list[list[Any]]()
    async with asyncio.timeout(30):
        while not told or not wanted(told[-1]):
            told.append(json.loads(await out.readline()))
    return told


# On PostgreSQL, where desk and gate are two processes' worth of connections


@pytest.fixture
async def pair(postgres_database: str, data_map: DataMap) -> AsyncIterator[tuple[House, House]]:
    """A desk that writes and a gate of its own that answers, over one database."""
    async with (
        housed(postgres_database, data_map) as desk,
        housed(postgres_database, data_map, tables=False) as gate,
    ):
        await desk.caller("mailer", "marketing")
        await desk.hold("99", "email")
        gate.keys = desk.keys
        await gate.start()
        yield desk, gate


@pytest.mark.server
async def test_notify_wakes_a_gate_of_another_process(
    pair: tuple[House, House],
) -> None:
    desk, gate = pair
    async with following(gate, LONG) as asked:
        await until_woken(asked)
        request = await desk.hold("7", "email")
        await until(asked, "held")
        await desk.release(request)
        await until(asked)


@pytest.mark.server
async def test_a_standby_proves_nothing(
    postgres: str, postgres_database: str, data_map: DataMap
) -> None:
    """A database that says it is a standby: the feed answers nobody, and nothing is permitted."""
    name = postgres_database.rpartition("/")[2]
    async with connected(postgres, name) as connection:
        await connection.execute(
            "CREATE SCHEMA said; CREATE FUNCTION said.pg_is_in_recovery() RETURNS boolean"
            f" RETURN true; ALTER DATABASE {name} SET search_path = said, pg_catalog, public"
        )
    async with housed(postgres_database, data_map) as house:
        await house.caller("mailer", "marketing")
        await house.start()
        asked = AsyncGate(house.url, house.keys["mailer"])
        try:
            assert not await asked.start(0.3)
            decision = await asked.decide("7", ("email",), "marketing")
            assert decision.reasons == ("never_synced",)
        finally:
            await asked.close()
        serve = FollowingGate(house.database, data_map, FrozenClock(NOW))
        assert not await serve.refresh() and serve.age_ms == -1


@pytest.mark.server
async def test_a_listener_that_is_lost_comes_back(
    pair: tuple[House, House], postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, gate = pair
    monkeypatch.setattr(gate_wakes, "RETRY_SECONDS", 0.05)
    lost = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"

    async def ended() -> int:
        async with connected(postgres, str(gate.database.url.database)) as connection:
            return len(await connection.fetch(lost + " AND datname = current_database()"))

    await _eventually(ended)
    await _eventually(ended)  # it came back, and is lost again
    async with following(gate, LONG) as asked:
        await until_woken(asked)
        await desk.hold("7", "email")
        await until(asked, "held")


async def _eventually(look: Callable[[], Awaitable[int]]) -> None:
    async with asyncio.timeout(30):
        while not await look():
            await asyncio.sleep(0.02)


@pytest.mark.server
async def test_the_gate_outlives_the_desk(pair: tuple[House, House]) -> None:
    desk, gate = pair
    await desk.hold("7", "email")
    async with following(gate, 2.0) as asked:
        await desk.database.dispose()  # the desk is gone, its database is not
        end = steady() + 2.5
        while steady() < end:
            assert await asked.decide("8", ("email",), "marketing")
            assert (await asked.decide("7", ("email",), "marketing")).reasons == ("held",)
            await asyncio.sleep(0.05)
