"""Whatever is held, released, restored, lost, late or said twice: no permit for a held field."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from subjectline_client import wire
from subjectline_client.asking import Asker
from subjectline_client.errors import Unreachable
from subjectline_client.replica import Replica

MadeUp = Any  # of conftest.py
Clock = Any
MEMBER, FIELDS, BOUND = "1", ("email", "phone"), 2.0
SLACK = 0.002  # a permit counts in whole milliseconds

fields = st.sampled_from(FIELDS)
faults = st.sampled_from(["whole", "whole", "lost", "unanswered", "late", "hole"])
hold, wait = (
    st.tuples(st.just("hold"), fields),
    st.tuples(st.just("wait"), st.sampled_from([0.1, 0.9, 1.6, 2.1])),
)
# What happens on the way of each question of a pull, and a hold just after the gate has looked.
pull = st.tuples(st.just("pull"), st.lists(faults, min_size=2, max_size=3), st.none() | fields)
release = st.tuples(st.just("release"), st.integers(0, 9))
restore = st.tuples(st.just("restore"), st.integers(0, 9))
steps = st.lists(st.one_of(pull, pull, pull, hold, hold, wait, release, restore), max_size=20)


class Line:
    """The way to the gate, with what happens on it to one question after the other."""

    def __init__(self, gate: MadeUp, clock: Clock) -> None:
        self.gate, self.clock = gate, clock
        self.faults: list[str] = []
        self.meanwhile: str | None = None

    async def snapshot(self) -> wire.Snapshot:
        found: wire.Snapshot = await self._carry(self.gate.snapshot)
        return found

    async def changes(self, *asked: Any) -> wire.Changes:
        hole = self.faults[:1] == ["hole"]
        found: wire.Changes = await self._carry(lambda: self.gate.changes(*asked))
        return structs.replace(found, changes=found.changes[1:]) if hole else found

    def wakes(self) -> Any:
        raise NotImplementedError

    async def _carry(self, ask: Callable[[], Any]) -> Any:
        fault = self.faults.pop(0) if self.faults else "whole"
        if fault == "lost":
            raise Unreachable("lost")
        try:
            return await ask()
        finally:
            if self.meanwhile:
                self.gate.hold(MEMBER, self.meanwhile)
                self.meanwhile = None
            if fault == "late":
                self.clock.now += 1.5
            if fault == "unanswered":
                raise Unreachable("unanswered")


async def play(gate: MadeUp, clock: Clock, story: list[tuple[Any, ...]]) -> int:
    """Plays a story and compares after each step. Returns how many permits there were."""
    asker, line = Asker("enforce", BOUND), Line(gate, clock)
    replica, permits = Replica(line, asker), 0
    for word, *told in story:
        if word == "hold":
            gate.hold(MEMBER, *told)
        elif word == "release" and gate.held:
            gate.release(sorted(gate.held)[told[0] % len(gate.held)])
        elif word == "restore":
            gate.restore(told[0] % (gate.revision + 1))
        elif word == "wait":
            clock.now += told[0]
        elif word == "pull":
            line.faults, line.meanwhile = list(told[0]), told[1]
            await replica.pull()
        permits += compare(gate, clock, asker)
    return permits


def compare(gate: MadeUp, clock: Clock, asker: Asker) -> int:
    """Asks for each field; whatever is permitted was free within the bound, and stays so as long as
    the permit says."""
    permits = 0
    for field in FIELDS:
        decision = asker.look(MEMBER, (field,), "marketing")
        permits += decision.permit
        if decision.permit:
            end = clock.now + decision.valid_for_ms / 1000
            assert gate.was_free(MEMBER, field, clock.now - BOUND), "older than the bound"
            assert gate.was_free(MEMBER, field, end - BOUND - SLACK), "good for too long"
        newer = max(gate.revision, asker.state.revision) + 1
        behind = asker.look(MEMBER, (field,), "marketing", None, newer)
        assert behind.reasons[0] in ("replica_behind_token", "stale", "never_synced", "gap")
        shown = asker.look(MEMBER, (field,), "marketing", None, gate.revision)
        if shown.permit and not gate.restored:
            assert (MEMBER, field) not in gate.held.values(), "older than the token"
    return permits


@pytest.mark.parametrize("rounds", [500, pytest.param(5000, marks=pytest.mark.long)])
def test_no_permit_for_a_held_field(
    rounds: int, monkeypatch: pytest.MonkeyPatch, clock: Clock, gate: MadeUp
) -> None:
    make, permits = type(gate), [0]

    @settings(
        max_examples=rounds, deadline=None, database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip
    @given(steps)
    def run(story: list[tuple[Any, ...]]) -> None:
        permits[0] += asyncio.run(play(make(clock), clock, story))

    run()
    assert permits[0], "the stories must permit something as well"
