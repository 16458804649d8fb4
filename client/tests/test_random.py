"""Whatever is held, released, restored, lost, late or said twice: no permit for a held field."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subjectline_client import wire
from subjectline_client.asking import Asker
from subjectline_client.errors import Unreachable
from subjectline_client.replica import Replica

MadeUp = Any  # of conftest.py
Clock = Any
MEMBERS, FIELDS, BOUND = ("1", "2"), ("email", "phone"), 2.0

steps = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), st.sampled_from(MEMBERS), st.sampled_from(FIELDS)),
        st.tuples(st.just("release"), st.integers(0, 9)),
        st.tuples(st.just("restore"), st.integers(0, 9)),
        st.tuples(st.just("wait"), st.sampled_from([0.1, 0.5, 1.0, 1.9, 2.5])),
        st.tuples(st.just("pull"), st.sampled_from(["whole", "lost", "unanswered", "late", "old"])),
        st.tuples(st.just("meanwhile"), st.sampled_from(MEMBERS), st.sampled_from(FIELDS)),
    ),
    max_size=25,
)


class Line:
    """The way to the gate, with what can happen on it."""

    def __init__(self, gate: MadeUp, clock: Clock) -> None:
        self.gate, self.clock, self.fault = gate, clock, "whole"
        self.meanwhile: Callable[[], object] | None = None
        self._old: dict[str, Any] = {}

    async def snapshot(self) -> wire.Snapshot:
        found: wire.Snapshot = await self._carry("snapshot", self.gate.snapshot)
        return found

    async def changes(self, *asked: Any) -> wire.Changes:
        told: wire.Changes = await self._carry(
            f"changes {asked[0]}", lambda: self.gate.changes(*asked)
        )
        return told

    def wakes(self) -> Any:
        raise NotImplementedError

    async def _carry(self, what: str, ask: Callable[[], Any]) -> Any:
        if self.fault == "lost":
            raise Unreachable("lost")
        told = await ask()
        if self.meanwhile:
            self.meanwhile()
            self.meanwhile = None
        if self.fault == "late":
            self.clock.now += 1.5
        if self.fault == "unanswered":
            raise Unreachable("unanswered")
        if self.fault == "old" and what in self._old:
            raise Unreachable("that is the answer to another question")
        self._old[what] = told
        return told


async def play(gate: MadeUp, clock: Clock, story: list[tuple[Any, ...]]) -> int:
    """Plays a story and compares after each step. Returns how many permits there were."""
    asker, line = Asker("enforce", BOUND), Line(gate, clock)
    replica, permits = Replica(line, asker), 0
    for word, *told in story:
        if word == "hold":
            gate.hold(*told)
        elif word == "release" and gate.held:
            gate.release(sorted(gate.held)[told[0] % len(gate.held)])
        elif word == "restore":
            gate.restore(told[0] % (gate.revision + 1))
        elif word == "wait":
            clock.now += told[0]
        elif word == "meanwhile":
            line.meanwhile = lambda who=tuple(told): gate.hold(*who)
        elif word == "pull":
            line.fault = told[0]
            await replica.pull()
        permits += compare(gate, clock, asker)
    return permits


def compare(gate: MadeUp, clock: Clock, asker: Asker) -> int:
    permits = 0
    for member in MEMBERS:
        for field in FIELDS:
            decision = asker.look(member, (field,), "marketing")
            permits += decision.permit
            if decision.permit:
                since = clock.now - BOUND
                assert gate.was_free(member, field, since), "older than the bound"
                assert decision.valid_for_ms <= BOUND * 1000
                assert gate.was_free(
                    member, field, clock.now + decision.valid_for_ms / 1000 - BOUND
                )
            newer = max(gate.revision, asker.state.revision) + 1
            behind = asker.look(member, (field,), "marketing", None, newer)
            assert behind.reasons[0] in ("replica_behind_token", "stale", "never_synced", "gap")
            shown = asker.look(member, (field,), "marketing", None, gate.revision)
            if shown.permit and not gate.restored:
                assert (member, field) not in gate.held.values(), "older than the token"
    return permits


@pytest.mark.parametrize("rounds", [60, pytest.param(5000, marks=pytest.mark.long)])
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
