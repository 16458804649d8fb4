"""What is put to the gate beyond memory, and what the answers mean. No I/O.

A policy is a generator: it yields questions, is sent what the gate told or thrown what came of it
instead (TooOld, Unreachable), and returns its outcome. `walk` carries them to and fro.
"""

from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from subjectline_client import wire
from subjectline_client.asking import Ask, Asker, Released, behind_token, denied
from subjectline_client.core import STALE, Decision, steady
from subjectline_client.errors import GateError, Unreachable

LOOK_SECONDS = 0.25  # a question that was shown a newer revision waits for one pull this long
RECORD_SECONDS = 6.0  # the gate itself gives up recording a use after 5
USE_NOT_RECORDED = "use_not_recorded"


class Snapshot(msgspec.Struct, frozen=True):
    """Everything that concerns the caller. Told as wire.Snapshot."""


class Since(msgspec.Struct, frozen=True):
    """What happened after revision `since`. Told in `seconds` as wire.Changes."""

    since: int
    mark: str
    version: str
    seconds: float


class Evaluate(msgspec.Struct, frozen=True):
    """The gate's own decision, recorded there. Told in `seconds` as Answer."""

    caller: str
    ask: Ask
    seconds: float


class Look(msgspec.Struct, frozen=True):
    """One pull of the replica, given up after `seconds`. Nothing is told; the state shows it."""

    seconds: float


class Told(msgspec.Struct, frozen=True):
    """The context of an AuthZEN answer, as far as it concerns us."""

    revision: int = 0
    age_ms: int = 0
    valid_for_ms: int = 0
    override: bool = False
    reasons: tuple[str, ...] = ()
    held_fields: tuple[str, ...] = ()
    allowed_fields: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    decision: bool
    context: Told = Told()


Question = Snapshot | Since | Evaluate | Look
Outcome = TypeVar("Outcome")
Steps = Generator[Question, Any, Outcome]


async def walk(steps: Steps[Outcome], put: Callable[[Question], Awaitable[object]]) -> Outcome:
    """Puts each question and hands back what came, to the end. Raises what the policy lets pass."""
    try:
        question = next(steps)
        while True:
            try:
                told = await put(question)
            except GateError as error:
                question = steps.throw(error)
            else:
                question = steps.send(told)
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


def caught_up(asker: Asker, at_least_revision: int | None) -> Steps[None]:
    """One look, where a newer revision was shown than is known."""
    if asker.behind(at_least_revision):
        yield Look(LOOK_SECONDS)


def settled(asker: Asker, decision: Decision, ask: Ask) -> Steps[Decision]:
    """What `decide` does where the state alone does not answer: one look for a newer revision, and
    what a law opens is recorded by the gate before it is answered."""
    if behind_token(decision):
        yield from caught_up(asker, ask.at_least_revision)
        decision = asker.look(
            ask.subject, ask.fields, ask.purpose, ask.recipient, ask.at_least_revision
        )
    if not (decision.permit and decision.override):
        return asker.settle(decision, ask)
    sent_at = steady()
    newest = max(decision.revision, ask.at_least_revision or 0)
    caller = asker.seen.caller if asker.seen else ""
    try:
        answer = yield Evaluate(caller, replace(ask, at_least_revision=newest), RECORD_SECONDS)
    except Unreachable:
        return unsettled(asker, decision, ask)
    return asker.shown(_recorded(answer, ask, steady() - sent_at))


def unsettled(asker: Asker, decision: Decision, ask: Ask) -> Decision:
    """The denial where `settled` did not come to an end in time."""
    if decision.permit:
        decision = denied(decision, USE_NOT_RECORDED)
    return asker.settle(decision, ask)


def _recorded(answer: Answer, ask: Ask, took: float) -> Decision:
    """The gate's answer; the time that it was on its way has made it older, perhaps too old."""
    told, late = answer.context, int(took * 1000) + 1
    left = max(0, told.valid_for_ms - late)
    decision = Decision(
        permit=answer.decision,
        reasons=() if answer.decision else told.reasons or ("bad_request",),
        held_fields=told.held_fields,
        allowed_fields=tuple(ask.fields) if answer.decision else told.allowed_fields,
        revision=told.revision,
        age_ms=told.age_ms + late,
        valid_for_ms=left,
        override=told.override,
    )
    return decision if left or not decision.permit else denied(decision, STALE)


def released(
    asker: Asker, revision: int, fields: Sequence[str], purpose: str, recipient: str | None
) -> Steps[Released]:
    """Who was released after `revision` and may be used now. Raises TooOld, Unreachable, Stale."""
    head, names = revision, dict[str, None]()
    while True:
        told: wire.Changes = yield Since(head, "", "", asker.state.bound)
        names.update((each.subject, None) for c in told.changes for each in c.released)
        head = told.revision
        if head >= told.head:
            break
    yield from caught_up(asker, head)
    found = asker.filter(names, fields, purpose, recipient, head)
    return Released(found.allowed, found.held, head, found.valid_for_ms)
