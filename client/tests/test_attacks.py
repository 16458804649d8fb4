"""Tries to get a permit that is none: odd tokens, answers that come too late."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from subjectline_client import wire
from subjectline_client.asking import Ask, Asker
from subjectline_client.core import BOUND, Hold, HoldState, steady
from subjectline_client.policy import Policy
from subjectline_client.questions import Answer, Told, settled
from subjectline_client.replica import Replica

MadeUp = Any  # of conftest.py
Clock = Any


@pytest.mark.parametrize("token", [float("nan"), float("inf"), 2, 2.5, 1 << 64, 10**400])
def test_a_token_that_nothing_reaches(make_state: Callable[..., HoldState], token: Any) -> None:
    """Of another desk, of the future, no number at all."""
    state = make_state(revision=1)
    asked = ("all", "8", ("email",), "order", None, token)
    for _ in range(2):  # the first question takes another way
        assert state.decide(*asked, now=100).reasons == ("replica_behind_token",)
    many = state.filter("all", ["8"], ("email",), "order", None, token, now=100)
    assert many.reasons == ("replica_behind_token",) and many.allowed == []


@pytest.mark.parametrize("token", [None, 0, 1, 1.0, True, -1, -(10**400)])
def test_a_token_that_is_reached(make_state: Callable[..., HoldState], token: Any) -> None:
    state = make_state(revision=1)
    assert state.decide("all", "8", ("email",), "order", None, token, now=100)


@pytest.mark.parametrize(("late", "reasons"), [(1.9, ()), (2.0, ("stale",)), (5.9, ("stale",))])
async def test_what_a_law_opens_is_not_older_than_the_bound_when_it_arrives(
    gate: MadeUp, clock: Clock, late: float, reasons: tuple[str, ...]
) -> None:
    """The gate permitted and recorded; the answer lay in a buffer while this process was frozen."""
    gate.hold("7", "name")
    asker = Asker("enforce", BOUND)
    await Replica(gate, asker).pull()
    ask = Ask("7", ("name",), "tax")
    steps = settled(asker, asker.look(*ask_parts(ask)), ask)
    next(steps)
    clock.now += late
    with pytest.raises(StopIteration) as ended:
        steps.send(Answer(True, Told(revision=1, age_ms=0, valid_for_ms=2000, override=True)))
    decision = ended.value.value
    assert decision.reasons == reasons and decision.permit is not bool(reasons)
    assert bool(decision.valid_for_ms) is decision.permit


def ask_parts(ask: Ask) -> tuple[Any, ...]:
    return ask.subject, ask.fields, ask.purpose, ask.recipient, ask.at_least_revision


@pytest.mark.parametrize("left_out", [1, 2, 5])
async def test_a_page_that_is_cut_short_makes_nothing_fresh(
    gate: MadeUp, clock: Clock, left_out: int
) -> None:
    """The gate says that there is more, and then nothing: what came is applied and proves no age."""
    asker = Asker("enforce", BOUND)
    replica = Replica(gate, asker)
    await replica.pull()
    stamp = asker.state.synced_at
    gate.hold("8", "email")
    for _ in range(left_out):
        gate.hold("7", "email")

    async def first_page_only(since: int, *_: Any) -> wire.Changes:
        return wire.Changes(1, gate.revision, gate.marks[1], tuple(gate.log[since:1]))

    gate.changes = first_page_only
    assert not await replica.pull()
    assert (asker.state.revision, asker.state.synced_at) == (1, stamp)
    assert not asker.look("8", ("email",), "marketing")
    clock.now += BOUND
    assert asker.look("7", ("email",), "marketing").reasons == ("stale",)


def test_names_in_other_clothes(make_state: Callable[..., HoldState], policy: Policy) -> None:
    """Another case, another Unicode form, another type: not known, so denied, never free."""
    state = make_state()
    for field in ("Email", "EMAIL", "email ", "\uff45mail", "e\u200bmail", "*", "", 1, None):
        for fields in ((field,), [field], ("email", field)):
            assert not state.decide("all", "8", fields, "order", now=100)  # type: ignore[arg-type]
    for purpose in ("Order", "order ", "*", "", None, 1):
        assert not state.decide("all", "8", ("email",), purpose, now=100)  # type: ignore[arg-type]
    for who in ("", "*", "Buyer", "SELF", 0, False, ("buyer",)):
        assert not state.decide("all", "8", ("email",), "order", who, now=100)  # type: ignore[arg-type]
    for caller in ("All", "*", "", None):
        assert not state.decide(caller, "8", ("email",), "order", now=100)  # type: ignore[arg-type]
    ids = (
        "\uff18",
        "8\u200b",
        "\ud800",
        "8\n",
        "8\x00",
        "+8",
        "8.0",
        "0x8",
        "1_0",
        "\u0668",
        8,
        b"8",
        True,
    )
    for member in ids:
        assert not state.decide("all", member, ("email",), "order", now=100)  # type: ignore[arg-type]
        many = state.filter("all", [member], ("email",), "order", now=100)  # type: ignore[list-item]
        assert (many.allowed, len(many.unknown)) == ([], 1)


def test_a_field_given_twice_is_held_once_and_denied(make_state: Callable[..., HoldState]) -> None:
    state = make_state(Hold(1, "7", ("email",)))
    decision = state.decide("all", "7", ("name", "email", "email", "name"), "order", now=100)
    assert not decision and set(decision.held_fields) == {"email"}
    assert set(decision.allowed_fields) == {"name"}


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="Linux has it")
def test_the_clock_counts_while_the_machine_sleeps(
    make_state: Callable[..., HoldState], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all clocks only this one goes on in suspend and is not set by anybody."""
    state, slept = make_state(), 0.0
    real = time.clock_gettime(time.CLOCK_BOOTTIME)
    clock: Any = steady
    assert clock.func is time.clock_gettime and clock.args == (time.CLOCK_BOOTTIME,)
    state.synced_at = steady()
    for name in ("time", "monotonic"):
        monkeypatch.setattr(time, name, lambda: slept)
    assert state.decide("all", "8", ("email",), "order")
    state.synced_at = real - BOUND
    assert state.decide("all", "8", ("email",), "order").reasons == ("stale",)
