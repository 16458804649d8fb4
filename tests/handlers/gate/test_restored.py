"""A backup comes back while gates go on: the same revisions, given again to something else."""

import shutil
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlmodel import col

from subjectline.handlers import holds
from subjectline.handlers.gate import Gate
from subjectline.handlers.gate_following import FollowingGate
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap
from subjectline.models.db import Database
from subjectline.models.tables import GateHead, Hold

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
NewRequest = Callable[..., Awaitable[int]]


@pytest.fixture
async def following(database: Database, data_map: DataMap) -> FollowingGate:
    return FollowingGate(database, data_map, FrozenClock(NOW))


@pytest.fixture
def hold(data_map: DataMap, new_request: NewRequest) -> Callable[..., Awaitable[int]]:
    async def place(where: Database, member: str, at: datetime) -> int:
        number = await new_request(member)
        plan = holds.holds_for("correction", ("email",), (), data_map)
        async with where.write() as session:
            return await holds.place(session, number, data_map.registry, member, plan, "firm", at)

    return place


async def back_to(database: Database, revision: int) -> None:
    """What a restore leaves: everything later is gone, and its numbers are free."""
    async with database.write() as session:
        await session.exec(delete(Hold).where(col(Hold.revision) > revision))
        await session.exec(update(GateHead).values(revision=revision))


async def permits(gate: Gate, member: str) -> bool:
    await gate.refresh()
    return gate.state.decide("desk", member, ("email",), "marketing").permit


@pytest.mark.parametrize("more", [0, 1, 2])
async def test_a_history_that_went_on_unseen(
    database: Database,
    gate: Gate,
    following: FollowingGate,
    hold: Callable[..., Awaitable[int]],
    more: int,
) -> None:
    """Between two looks the database went back to revision 1 and then as far as it was, or farther.
    A gate that follows looks at what its revision did; the desk's own, where it is another number or
    the database was away in between, as it is while a backup is put back."""
    for member in ("1", "2"):
        await hold(database, member, NOW)
    for each in (gate, following):
        assert not await permits(each, "2") and await permits(each, "7")
    await back_to(database, 1)
    for member in ("7", "8", "9")[: 1 + more]:
        await hold(database, member, LATER)
    gate._doubt = more == 0
    for each in (gate, following):
        assert not await permits(each, "7"), "held in the history that is"
        assert await permits(each, "2"), "held in the one that is gone"
        assert not await permits(each, "1") and each.state.revision == 2 + more


async def test_a_revision_that_was_destroyed_is_read_anew(
    database: Database, following: FollowingGate, hold: Callable[..., Awaitable[int]]
) -> None:
    """Retention takes ended holds away: nothing is known of the revision, and nothing is denied."""
    for member in ("1", "2"):
        await hold(database, member, NOW)
    assert not await permits(following, "2")
    async with database.write() as session:
        await session.exec(delete(Hold).where(col(Hold.revision) == 2))
    assert await permits(following, "2") and not await permits(following, "1")
    await hold(database, "7", LATER)
    assert not await permits(following, "7")


async def test_a_file_in_the_place_of_another(
    database: Database,
    data_map: DataMap,
    following: FollowingGate,
    hold: Callable[..., Awaitable[int]],
    tmp_path: Path,
) -> None:
    """A connection to the old file would read it for ever. It fails once and looks at the new one; and
    nothing of the new one is touched by letting the old one go."""
    await hold(database, "1", NOW)
    await database.scrub()
    backup = Path(shutil.copy(tmp_path / "desk.db", tmp_path / "backup.db"))
    assert await permits(following, "7") and not await permits(following, "1")
    for name in ("desk.db-wal", "desk.db-shm"):
        (tmp_path / name).unlink()
    backup.replace(tmp_path / "desk.db")
    desk = Database(str(database.url))
    plan = holds.holds_for("correction", ("email",), (), data_map)
    async with desk.write() as session:
        await holds.place(session, 1, data_map.registry, "7", plan, "firm", LATER)
    assert not await following.refresh() and following.age_ms >= 0
    assert not await permits(following, "7")
    await database.dispose()
    assert (tmp_path / "desk.db-wal").exists(), "the desk's log is still its own"
    await desk.dispose()
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            thread.join(5)
            assert not thread.is_alive(), "for which the process would wait at its end"
