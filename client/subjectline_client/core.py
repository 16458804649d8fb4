"""The only decision code: may these fields be used, now, for this? No I/O.

Whatever cannot be proven is denied.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from subjectline_client.holds import (
    BOUND,
    GAP,
    NEVER_SYNCED,
    STALE,
    Entry,
    Event,
    Hold,
    Holds,
    events_of,
    steady,
)
from subjectline_client.policy import CONSENT_CAUSES, EVERY, OWN_USE, Caller, Policy

__all__ = [
    "BOUND",
    "GAP",
    "NEVER_SYNCED",
    "STALE",
    "Decision",
    "Event",
    "Filtered",
    "Hold",
    "HoldState",
    "events_of",
    "steady",
]

HELD = "held"
CONSENT_WITHDRAWN = "consent_withdrawn"
UNKNOWN_FIELD = "unknown_field"
UNKNOWN_PURPOSE = "unknown_purpose"
UNKNOWN_RECIPIENT = "unknown_recipient"
UNKNOWN_CALLER = "unknown_caller"
CALLER_NOT_SCOPED = "caller_not_scoped"
MISSING_FIELDS = "missing_fields"
SUBJECT_NOT_CANONICAL = "subject_not_canonical"
REPLICA_BEHIND_TOKEN = "replica_behind_token"


@dataclass(slots=True)
class Decision:
    """The answer. Its truth is `permit`.

    `reasons` is empty on a permit. `allowed_fields` may still be used on a denial; `held_fields` may
    not (on an `override` they are those that a law opened, and the use must be committed before
    anybody is told). `valid_for_ms`: how long the permit may be acted on before asking again.
    """

    permit: bool
    reasons: tuple[str, ...]
    held_fields: tuple[str, ...]
    allowed_fields: tuple[str, ...]
    revision: int
    age_ms: int
    valid_for_ms: int
    override: bool = False
    enforced: ClassVar[bool] = True

    def __bool__(self) -> bool:
        return self.permit


@dataclass(slots=True)
class Filtered:
    """The answer for many: `allowed` may be used, `held` may not, `unknown` are no canonical ids.

    With `reasons` nothing was decided and all three are empty.
    """

    reasons: tuple[str, ...]
    allowed: list[str]
    held: list[str]
    unknown: list[object]
    revision: int
    age_ms: int
    valid_for_ms: int
    enforced: ClassVar[bool] = True

    def __bool__(self) -> bool:
        return not self.reasons


@dataclass(slots=True)
class _Lane:
    """One caller's way to ask: for this purpose, for this recipient. `law` is what a law opens."""

    purpose: str
    recipient: str
    law: int
    partner: bool


_FIELD_SETS = 4096  # remembered at most, so that no caller can fill the memory with combinations


class HoldState(Holds):
    """The holds in force and the decisions from them."""

    def set_policy(self, policy: Policy) -> None:
        super().set_policy(policy)
        self._forget()

    def set_callers(self, callers: Mapping[str, Caller]) -> None:
        super().set_callers(callers)
        self._forget()

    def _forget(self) -> None:
        self._masks: dict[tuple[str, ...], int] = {}
        self._lanes: dict[tuple[str, str, str | None], _Lane] = {}

    def decide(
        self,
        caller: str,
        subject: str,
        fields: Sequence[str],
        purpose: str,
        recipient: str | None = None,
        at_least_revision: int | None = None,
        now: float | None = None,
    ) -> Decision:
        """Whether `caller` may use these fields of a member for this purpose, now.

        `recipient` is who gets them (None: the company itself). On a permit with
        `override` the use must be committed before the answer is given.
        """
        age = (steady() if now is None else now) - self.synced_at
        revision = self.revision
        if not 0.0 <= age < self.bound or not (at_least_revision or 0) <= revision:
            return self._closed(self._unproven(age, at_least_revision), age)
        try:
            lane = self._lanes[caller, purpose, recipient]
            mask = self._masks[fields]  # type: ignore[index]
            if subject not in self._subjects and self._known.quick(subject):
                left = int((self.bound - age) * 1000)
                return Decision(True, (), (), fields, revision, int(age * 1000), left)  # type: ignore[arg-type]
        except (KeyError, TypeError):  # not asked before, not hashable, or no string
            return self._first(caller, subject, fields, purpose, recipient, age)
        return self._look(subject, tuple(fields), lane, mask, age)

    def filter(
        self,
        caller: str,
        subjects: Iterable[str],
        fields: Sequence[str],
        purpose: str,
        recipient: str | None = None,
        at_least_revision: int | None = None,
        now: float | None = None,
    ) -> Filtered:
        """`decide` for many members at once, all fields or nothing; never by override of a law."""
        age = (steady() if now is None else now) - self.synced_at
        names = _names(fields)
        lane, reasons = self._lane(caller, purpose, recipient)
        if closed := self._unproven(age, at_least_revision):
            reasons = (closed,)
        elif not names:
            reasons += (MISSING_FIELDS,)
        elif not all(name in self._known.bit for name in names):
            reasons += (UNKNOWN_FIELD,)
        left = 0 if reasons else int((self.bound - age) * 1000)
        answer = Filtered(reasons, [], [], [], self.revision, _milliseconds(age), left)
        if lane is not None and not reasons:
            self._sort(answer, subjects, lane, names)
        return answer

    def _unproven(self, age: float, at_least_revision: int | None) -> str:
        """Why this state may not answer at all; "" if it may."""
        if not 0.0 <= age < self.bound:
            return self._unsynced
        reached = (at_least_revision or 0) <= self.revision  # of what is no number, nothing is
        return "" if reached else REPLICA_BEHIND_TOKEN

    def _sort(
        self, answer: Filtered, subjects: Iterable[str], lane: _Lane, fields: tuple[str, ...]
    ) -> None:
        mask, canonical = self._known.mask(fields), self._known.canonical
        known = self._subjects.copy()  # which another thread goes on writing
        held = {s for s, e in known.items() if mask & e.held(lane.purpose, lane.recipient)}
        for subject in subjects:
            if not canonical(subject):
                answer.unknown.append(subject)
            elif subject in held:
                answer.held.append(subject)
            else:
                answer.allowed.append(subject)

    def _closed(self, reason: str, age: float) -> Decision:
        return Decision(False, (reason,), (), (), self.revision, _milliseconds(age), 0)

    def _first(
        self,
        caller: str,
        subject: object,
        fields: object,
        purpose: str,
        recipient: str | None,
        age: float,
    ) -> Decision:
        """A question not asked before: look at every part of it, and remember it if it is sound."""
        names = _names(fields)
        lane, reasons = self._lane(caller, purpose, recipient)
        if lane is None and reasons == (UNKNOWN_CALLER,):
            return self._closed(UNKNOWN_CALLER, age)
        if not names:
            reasons += (MISSING_FIELDS,)
        if not self._known.canonical(subject):
            reasons += (SUBJECT_NOT_CANONICAL,)
        unknown = not all(name in self._known.bit for name in names)
        if lane is None or reasons or not isinstance(subject, str):
            reasons += (UNKNOWN_FIELD,) if unknown else ()
            return Decision(False, reasons, (), (), self.revision, int(age * 1000), 0)
        if unknown:
            return self._partly(subject, names, lane, age)
        self._lanes[caller, purpose, recipient] = lane
        return self._look(subject, names, lane, self._remember(names), age)

    def _look(
        self, subject: str, names: tuple[str, ...], lane: _Lane, mask: int, age: float
    ) -> Decision:
        """The answer to a sound question about whoever may be held."""
        revision = self.revision
        entry = self._subjects.get(subject)
        if entry is None and not self._known.canonical(subject):
            return self._closed(SUBJECT_NOT_CANONICAL, age)
        hit = mask & entry.held(lane.purpose, lane.recipient) if entry else 0
        if entry and hit:
            return self._on_hold(hit, entry, lane, names, age)
        left = int((self.bound - age) * 1000)
        return Decision(True, (), (), names, revision, int(age * 1000), left)

    def _lane(
        self, caller: str, purpose: str, recipient: str | None
    ) -> tuple[_Lane | None, tuple[str, ...]]:
        policy = self._known.policy
        scope = policy.callers.get(caller) if isinstance(caller, str) else None
        if scope is None:
            return None, (UNKNOWN_CALLER,)
        reasons: tuple[str, ...] = ()
        if not isinstance(purpose, str) or purpose not in policy.purposes:
            reasons += (UNKNOWN_PURPOSE,)
        if not self._receives(recipient):
            reasons += (UNKNOWN_RECIPIENT,)
        if not reasons and not scope.may(purpose, recipient):
            reasons += (CALLER_NOT_SCOPED,)
        if reasons:
            return None, reasons
        use = policy.purposes[purpose]
        law = self._known.mask(use.fields or (EVERY,)) if use.basis == "law" else 0
        return _Lane(purpose, recipient or OWN_USE, law, scope.partner), ()

    def _receives(self, recipient: object) -> bool:
        if recipient is None or recipient == OWN_USE:
            return True
        return isinstance(recipient, str) and recipient in self._known.policy.recipients

    def _remember(self, names: tuple[str, ...]) -> int:
        if len(self._masks) >= _FIELD_SETS:
            self._masks = {}
        mask = self._masks[names] = self._known.mask(names)
        return mask

    def _on_hold(
        self, hit: int, entry: Entry, lane: _Lane, fields: tuple[str, ...], age: float
    ) -> Decision:
        """Some of the fields are held: a law opens them all, or the answer is no."""
        shut = hit & ~lane.law
        held, free = self._split(fields, shut or hit)
        left = 0 if shut else int((self.bound - age) * 1000)
        reasons = self._why(shut, entry, lane)
        allowed = free if shut else fields
        shown = int(age * 1000)
        return Decision(not shut, reasons, held, allowed, self.revision, shown, left, not shut)

    def _partly(self, subject: str, names: tuple[str, ...], lane: _Lane, age: float) -> Decision:
        """A field is unknown: no, and what of the known ones is free."""
        entry, bit = self._subjects.get(subject), self._known.bit
        sound = tuple(name for name in names if name in bit)
        hit = entry.held(lane.purpose, lane.recipient) if entry else 0
        shut = hit & self._known.mask(sound) & ~lane.law
        held, free = self._split(sound, shut)
        reasons = (UNKNOWN_FIELD, *(self._why(shut, entry, lane) if entry else ()))
        return Decision(False, reasons, held, free, self.revision, int(age * 1000), 0)

    def _split(self, names: tuple[str, ...], bits: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        bit = self._known.bit
        held = tuple(name for name in names if bit[name] & bits)
        return held, tuple(name for name in names if not bit[name] & bits)

    def _why(self, shut: int, entry: Entry, lane: _Lane) -> tuple[str, ...]:
        """`held`, `consent_withdrawn` or both; a partner is never told of a withdrawal."""
        policy, found = self._known.policy, set()
        consent = policy.purposes[lane.purpose].basis == "consent"
        for rule in entry.rules if shut else ():
            alone = entry if len(entry.rules) == 1 else Entry((rule,), self._known)
            if shut & alone.held(lane.purpose, lane.recipient):
                taken_back = consent and rule.cause in CONSENT_CAUSES and not lane.partner
                found.add(CONSENT_WITHDRAWN if taken_back else HELD)
        return tuple(sorted(found, reverse=True))


def _milliseconds(age: float) -> int:
    return int(age * 1000) if 0 <= age < inf else -1  # -1: nobody knows


def _names(fields: object) -> tuple[str, ...]:
    """The field names asked for; nothing if that is not what was given."""
    if isinstance(fields, str | bytes) or not isinstance(fields, Iterable):
        return ()
    names = tuple(fields)
    return names if all(isinstance(name, str) for name in names) else ()
