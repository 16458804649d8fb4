"""The replica: freshness that it proves itself, gaps, other histories, lost and late answers."""

import asyncio
from typing import Any

import pytest

from subjectline_client import wire
from subjectline_client.asking import Asker
from subjectline_client.errors import Unreachable
from subjectline_client.replica import Replica

MadeUp = Any  # of conftest.py
Clock = Any


@pytest.fixture
def asker() -> Asker:
    return Asker("enforce", 2.0)


@pytest.fixture
def replica(gate: MadeUp, asker: Asker) -> Replica:
    return Replica(gate, asker)


def reasons(asker: Asker, member: str = "7", token: int | None = None) -> tuple[str, ...]:
    decision = asker.look(member, ("email",), "marketing", None, token)
    assert decision.permit is not bool(decision.reasons)
    return decision.reasons


async def test_in_step(gate: MadeUp, replica: Replica, asker: Asker) -> None:
    assert reasons(asker) == ("never_synced",)
    held = gate.hold("7", "email")
    assert await replica.pull() and reasons(asker) == ("held",)
    gate.release(held)
    assert reasons(asker) == ("held",), "late, never early"
    assert await replica.pull() and reasons(asker) == ()
    assert gate.asked == ["snapshot", "changes", "changes"]


async def test_a_permit_says_how_long_it_is_good(
    gate: MadeUp, replica: Replica, asker: Asker, clock: Clock
) -> None:
    await replica.pull()
    clock.now += 0.5
    decision = asker.look("7", ("email",), "marketing")
    assert (decision.permit, decision.age_ms, decision.valid_for_ms) == (True, 500, 1499)


async def test_the_age_counts_from_before_the_question_left(
    gate: MadeUp, replica: Replica, asker: Asker, clock: Clock
) -> None:
    await replica.pull()
    clock.now += 1

    def slow() -> None:
        clock.now += 1.5

    gate.after = slow  # the gate looked, and the answer was long on the way
    gate.hold("8", "email")
    assert await replica.pull()
    assert asker.look("7", ("email",), "marketing").age_ms == 1500


async def test_stale_after_the_bound_and_never_held(
    gate: MadeUp, replica: Replica, asker: Asker, clock: Clock
) -> None:
    def lost() -> None:
        raise Unreachable("ConnectError")

    gate.hold("7", "email")
    await replica.pull()
    gate.before = lost
    clock.now += 1.99
    assert not await replica.pull() and reasons(asker) == ("held",)
    clock.now += 0.01
    assert reasons(asker) == reasons(asker, "8") == ("stale",)
    assert (
        replica.following.counts["pull_failures"] == 1
        and replica.following.trouble == "ConnectError"
    )
    gate.before = lambda: None
    assert await replica.pull() and reasons(asker, "8") == ()


async def test_a_shorter_bound_of_the_gate_counts(
    gate: MadeUp, replica: Replica, asker: Asker, clock: Clock
) -> None:
    gate.bound_ms = 500
    await replica.pull()
    assert replica.following.rest(clock.now) < 0.125, "and is asked four times within it"
    clock.now += 0.5
    assert reasons(asker) == ("stale",)


async def test_a_missing_revision_is_a_gap_and_a_snapshot_mends_it(
    gate: MadeUp, replica: Replica, asker: Asker
) -> None:
    await replica.pull()
    gate.hold("7", "email")
    hidden, gate.log[0] = gate.log[0], wire.Change(2)
    told: list[tuple[str, ...]] = []
    gate.before = lambda: told.append(reasons(asker))
    assert await replica.pull()
    assert told[:2] == [(), ("gap",)], "nothing is permitted until the snapshot is there"
    assert reasons(asker) == ("held",) and replica.following.counts["gaps"] == 1
    gate.log[0] = hidden


@pytest.mark.parametrize("keep", [0, 1])
async def test_another_history_is_noticed(
    gate: MadeUp, replica: Replica, asker: Asker, keep: int
) -> None:
    for member in "12":
        gate.hold(member, "email")
    await replica.pull()
    gate.restore(keep)
    for member in "78":
        gate.hold(member, "email")
    assert await replica.pull()
    assert reasons(asker) == ("held",) and reasons(asker, "2") == ()
    assert replica.following.counts["snapshots"] == 2


async def test_another_policy_is_read_anew(gate: MadeUp, replica: Replica, asker: Asker) -> None:
    await replica.pull()
    purposes = {"newsletter": wire.SeenPurpose("consent")}
    gate.seen = wire.SeenPolicy("mailer", "integer", ("email",), purposes)
    assert await replica.pull()
    assert reasons(asker) == ("unknown_purpose",)
    assert asker.look("7", ["email"], "newsletter").permit


async def test_a_feed_that_never_fits_is_given_up(
    gate: MadeUp, replica: Replica, asker: Asker
) -> None:
    gate.hold("7", "email")

    async def other(*_: object) -> wire.Changes:
        return wire.Changes(0, 0, "")

    gate.changes = other  # behind its own snapshot
    assert not await replica.pull()
    assert reasons(asker, "8") == ("gap",) and replica.following.counts["snapshots"] == 2


async def test_a_snapshot_that_cannot_be_read_is_no_answer(
    gate: MadeUp, replica: Replica, asker: Asker
) -> None:
    """A form of member ids that this library does not know: whether an id is canonical is unknown."""
    gate.seen = wire.SeenPolicy("mailer", "starsign", ("email",), {})
    assert not await replica.pull() and reasons(asker) == ("never_synced",)
    assert replica.following.trouble == "the gate's snapshot cannot be read"


async def test_a_long_way_is_gone_in_parts(gate: MadeUp, replica: Replica, asker: Asker) -> None:
    await replica.pull()
    for member in range(20, 30):
        gate.hold(str(member), "email")
    assert await replica.pull()
    assert asker.state.revision == 10 and len(asker.state) == 10


async def test_who_waits_for_a_later_pull_needs_none(gate: MadeUp, replica: Replica) -> None:
    await replica.pull()
    gate.asked.clear()
    assert all(await asyncio.gather(*(replica.pull() for _ in range(5))))
    assert gate.asked == ["changes", "changes"], "the first began before the others came"


async def test_a_wake_up_makes_it_look(gate: MadeUp, replica: Replica, asker: Asker) -> None:
    running = asyncio.create_task(replica.run())
    await replica.synced.wait()
    gate.hold("7", "email")
    looked = asyncio.Event()
    gate.after = looked.set
    gate.stream.put_nowait(1)
    await looked.wait()
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    assert reasons(asker) == ("held",) and replica.following.counts["wakes"] == 1


async def test_what_the_stream_says_is_not_taken(
    gate: MadeUp, replica: Replica, asker: Asker, clock: Clock
) -> None:
    """A client that was frozen reads old wake-ups first: they make nothing fresh."""
    running = asyncio.create_task(replica.run())
    await replica.synced.wait()

    def lost() -> None:
        tried.set()
        raise Unreachable("ConnectError")

    tried = asyncio.Event()
    gate.before = lost
    clock.now += 3
    for revision in (5, 6):
        gate.stream.put_nowait(revision)
    await tried.wait()
    assert reasons(asker) == ("stale",) and asker.state.revision == 0
    running.cancel()
    await asyncio.wait([running])
