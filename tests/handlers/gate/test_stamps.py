"""What a look at the database proves, where something commits while it goes on."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import gate as gate_module
from subjectline.handlers import gate_following, gate_reading, holds
from subjectline.handlers.gate import Gate
from subjectline.handlers.gate_feed import Feed
from subjectline.handlers.gate_following import FollowingGate
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap
from subjectline.models.db import Database
from subjectline_client.core import BOUND

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Held = Callable[..., Awaitable[int]]


async def test_a_snapshot_has_what_ended_after_its_head(
    database: Database, gate: Gate, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release commits between the look at the head and the rows (READ COMMITTED). Without the hold
    that it ended, the feed's word of it would end the other one of the same member."""
    first = await held("7")
    await held("7")
    async with database.write() as session:
        await holds.end(session, first, NOW)
    await gate.refresh()
    async with database.read() as session:
        assert len(await gate_reading.in_force(session, "moment-pick", 2)) == 2
        assert len(await gate_reading.in_force(session, "moment-pick", 3)) == 1

    async def before(_: AsyncSession) -> int:
        return 2

    feed = Feed(gate, database, "moment-pick", FrozenClock(NOW))
    monkeypatch.setattr(holds, "head_of_primary", before)
    assert [who for who, *_ in (await feed.snapshot("desk")).holds] == ["7", "7"]


@pytest.mark.parametrize("form", [Gate, FollowingGate])
async def test_the_age_counts_from_before_the_look(
    form: type[Gate], database: Database, data_map: DataMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head was read, and then this process was frozen: what it saw is that old."""
    now, head = [100.0], holds.head

    async def slow(session: AsyncSession) -> int:
        found = await head(session)
        now[0] += BOUND / 2
        return found

    for module in (gate_module, gate_following):
        monkeypatch.setattr(module, "steady", lambda: now[0])
    monkeypatch.setattr(holds, "head", slow)
    made = form(database, data_map, FrozenClock(NOW))
    for _ in range(2):  # the first look reads everything
        assert await made.refresh()
        assert made.age_ms == BOUND * 500
        now[0] += 1.0
