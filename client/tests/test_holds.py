"""Revisions in order, gaps, takeovers, and the state against a naive one."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from subjectline_client.core import Event, Hold, HoldState, events_of

Make = Callable[..., HoldState]


def _held(state: HoldState, subject: str = "7", field: str = "email") -> bool:
    answer = state.decide("all", subject, (field,), "order", now=100)
    assert answer.permit or answer.reasons == ("held",)
    return not answer.permit


def test_hold_and_release(make_state: Make) -> None:
    state = make_state(revision=0)
    assert state.apply([Event(1, (Hold(10, "7", ("email",)),))])
    assert _held(state) and len(state) == 1 and state.has_holds("7")
    assert state.apply([Event(2, released=(10,))])
    assert not _held(state) and len(state) == 0 and not state.has_holds("7")
    assert state.revision == 2


def test_overlapping_holds_end_one_by_one(make_state: Make) -> None:
    state = make_state(revision=0)
    both = [Event(1, (Hold(1, "7", ("email",)),)), Event(2, (Hold(2, "7", ("email",)),))]
    state.apply(both)
    state.apply([Event(3, released=(1,))])
    assert _held(state)
    state.apply([Event(4, released=(2,))])
    assert not _held(state)


def test_what_is_known_is_passed_over(make_state: Make) -> None:
    state = make_state(revision=0)
    first = Event(1, (Hold(1, "7", ("email",)),))
    assert state.apply([first]) and state.apply([first, Event(2, released=(1,))])
    assert state.apply([first])
    assert not _held(state)


def test_a_missing_revision_shuts_the_gate_until_a_snapshot(make_state: Make) -> None:
    state = make_state(revision=0)
    assert not state.apply([Event(2, (Hold(2, "8"),))], 100.0)
    assert state.decide("all", "9", ("name",), "order", now=100).reasons == ("gap",)
    assert not state.touch(0, 100.0)
    assert not state.apply([Event(1)], 100.0)
    state.load([Hold(2, "8")], 2, 100.0)
    assert state.decide("all", "9", ("name",), "order", now=100)


def test_a_source_that_went_back_in_time_is_a_gap(make_state: Make) -> None:
    state = make_state(revision=5)
    assert not state.touch(4, 100.0)
    assert state.decide("all", "9", ("name",), "order", now=100).reasons == ("gap",)


def test_only_the_same_head_makes_a_state_fresh(make_state: Make) -> None:
    state = make_state(revision=5)
    assert not state.touch(6, 101.0)
    assert state.decide("all", "9", ("name",), "order", now=102).reasons == ("stale",)
    assert state.touch(5, 101.0)
    assert state.decide("all", "9", ("name",), "order", now=102).permit
    assert state.touch(5, 100.0)  # an answer that comes late makes nothing older
    assert state.synced_at == 101.0


def test_empty_lists_hold_everything(make_state: Make) -> None:
    assert _held(make_state(Hold(1, "7", (), (), ())))


def test_a_policy_reads_holds_anew(make_state: Make) -> None:
    state = make_state(Hold(1, "7", ("shoe",)), Hold(2, "8"))
    state.set_policy(replace(state.policy, fields=("shoe", "email")))
    assert _held(state, "7", "shoe") and _held(state, "8", "shoe") and not _held(state)


def test_events_are_grouped_by_revision_and_bounded() -> None:
    one, two = Hold(1, "7"), Hold(2, "7")
    events = events_of([(3, two), (2, one), (9, one)], [(3, 1), (9, 2)], 1, 3)
    assert events == [Event(2, (one,)), Event(3, (two,), (1,))]


@pytest.mark.parametrize("seed", range(20))
def test_against_a_naive_model(make_state: Make, seed: int) -> None:
    """After every revision each answer is what a plain list of the holds says."""
    dice = random.Random(seed)
    state, live = make_state(revision=0), dict[int, Hold]()
    for revision in range(1, 120):
        placed: tuple[Hold, ...] = ()
        released: tuple[int, ...] = ()
        if live and dice.random() < 0.45:
            released = (dice.choice(list(live)),)
        if not released or dice.random() < 0.3:  # both: a takeover
            placed = (_random_hold(dice, revision),)
        for hold_id in released:
            del live[hold_id]
        live.update({hold.id: hold for hold in placed})
        assert state.apply([Event(revision, placed, released)], 100.0)
        if dice.random() < 0.05:
            state.set_policy(state.policy)
        _compare(state, live, dice)
    assert len(state) == len(live)


@pytest.mark.parametrize("seed", range(5))
def test_holds_without_ids_end_by_what_they_said(make_state: Make, seed: int) -> None:
    """The same where the source tells no ids; a member may have several holds that say the same."""
    dice = random.Random(seed)
    state, live = make_state(revision=0), dict[int, Hold]()
    for revision in range(1, 120):
        placed: tuple[Hold, ...] = ()
        ended: tuple[Hold, ...] = ()
        if live and dice.random() < 0.45:
            ended = (replace(live.pop(dice.choice(list(live)))),)
        else:
            placed = (replace(_random_hold(dice, revision), id=0),)
            live[revision] = placed[0]
        assert state.apply([Event(revision, placed, ended=ended)], 100.0)
        if dice.random() < 0.05:
            state.load([replace(hold) for hold in live.values()], revision, 100.0)
        _compare(state, live, dice)
    assert len(state) == len(live)


def test_the_end_of_what_was_never_held_ends_nothing(make_state: Make) -> None:
    state = make_state(Hold(0, "7", ("email",)))
    assert state.apply([Event(2, ended=(Hold(0, "7", ("name",)), Hold(0, "8", ("email",))))])
    assert _held(state) and len(state) == 1


def _random_hold(dice: random.Random, hold_id: int) -> Hold:
    return Hold(
        hold_id,
        dice.choice("123"),
        tuple(dice.sample(["name", "email", "phone", "*"], dice.randint(1, 2))),
        (dice.choice(["*", "order", "marketing", "basis:contract", "consent:third_party"]),),
        (dice.choice(["*", "*", "buyer", "self"]),),
        dice.choice(["correction", "marketing_withdrawal"]),
    )


def _compare(state: HoldState, live: dict[int, Hold], dice: random.Random) -> None:
    subject, fields = dice.choice("1234"), tuple(dice.sample(["name", "email", "phone"], 2))
    purpose, recipient = dice.choice(["order", "marketing", "sale"]), dice.choice([None, "buyer"])
    words = {
        "order": {"*", "order", "basis:contract"},
        "marketing": {"*", "marketing"},
        "sale": {"*", "consent:third_party"},
    }[purpose]
    held = {
        field
        for hold in live.values()
        for field in fields
        if hold.subject == subject
        and {"*", field} & set(hold.fields)
        and words & set(hold.purposes)
        and {"*", recipient or "self"} & set(hold.recipients)
    }
    answer = state.decide("all", subject, fields, purpose, recipient, now=100)
    assert set(answer.held_fields) == held
    assert answer.permit is (not held)
    assert state.filter("all", [subject], fields, purpose, recipient, now=100).held == (
        [subject] if held else []
    )
