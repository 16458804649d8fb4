"""Which holds are in force, as far as this process knows. Fed by revisions, in order. No I/O.

Times are seconds of one clock (`steady`), never of the wall clock. A state proves its age by
`synced_at`: when the round trip that showed it was *sent*.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from math import inf
from weakref import WeakValueDictionary

from subjectline_client.policy import EVERY, ID_FORMS, QUICK_FORMS, Caller, Policy

BOUND = 2.0  # seconds: no permit from a state older than this

STALE = "stale"
NEVER_SYNCED = "never_synced"
GAP = "gap"

# Counts through suspend and is not moved by the wall clock (Linux); elsewhere the next best.
steady = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    if hasattr(time, "CLOCK_BOOTTIME")
    else time.monotonic
)


@dataclass(slots=True)
class Hold:
    """Fields of one member that may not be used. In each list `*` means all, and so does nothing at
    all: a half-written row must not open anything. `cause` is the kind of right asked for.

    An `id` of 0 is none: the source tells no ids, and says what ended by what it said."""

    id: int
    subject: str
    fields: tuple[str, ...] = (EVERY,)
    purposes: tuple[str, ...] = (EVERY,)
    recipients: tuple[str, ...] = (EVERY,)
    cause: str = "correction"


@dataclass(slots=True)
class Event:
    """All that one revision did."""

    revision: int
    placed: tuple[Hold, ...] = ()
    released: tuple[int, ...] = ()  # ids of holds
    ended: tuple[Hold, ...] = ()  # holds without an id: for each, one that says the same


def events_of(
    started: Iterable[tuple[int, Hold]], ended: Iterable[tuple[int, int]], above: int, head: int
) -> list[Event]:
    """What happened after revision `above` and up to `head`, in order.

    `started` are (revision, hold), `ended` (revision, id of a hold); others are passed over. A
    revision that shows in neither is missing from the answer, which `apply` then calls a gap.
    """
    events: dict[int, Event] = {}
    for revision, hold in started:
        if above < revision <= head:
            event = events.setdefault(revision, Event(revision))
            event.placed += (hold,)
    for revision, hold_id in ended:
        if above < revision <= head:
            event = events.setdefault(revision, Event(revision))
            event.released += (hold_id,)
    return [events[revision] for revision in sorted(events)]


class Rule:
    """What a hold says, without whose it is: shared by all holds that say the same."""

    __slots__ = ("__weakref__", "cause", "fields", "order", "purposes", "recipients")
    _orders = count()

    def __init__(self, hold: Hold) -> None:
        self.fields = hold.fields or (EVERY,)
        self.purposes = hold.purposes or (EVERY,)
        self.recipients = hold.recipients or (EVERY,)
        self.cause, self.order = hold.cause, next(Rule._orders)


class Entry:
    """All that is held of a member, compiled; shared by members of whom the same is held.

    `bits[purpose]` is what is held whoever receives it; `narrow` holds for some recipients only.
    """

    __slots__ = ("__weakref__", "bits", "narrow", "rules")

    def __init__(self, rules: tuple[Rule, ...], known: "Known") -> None:
        self.rules = rules
        self.bits: dict[str, int] = {}
        self.narrow: tuple[tuple[frozenset[str], dict[str, int]], ...] = ()
        for rule in rules:
            self._add(rule, known)

    def _add(self, rule: Rule, known: "Known") -> None:
        mask, bits = known.mask(rule.fields), self.bits
        if EVERY not in rule.recipients:
            bits = {}
            self.narrow = (*self.narrow, (frozenset(rule.recipients), bits))
        for purpose in known.policy.purposes_of(rule.purposes):
            bits[purpose] = bits.get(purpose, 0) | mask

    def held(self, purpose: str, recipient: str) -> int:
        """The bits of the fields held for this purpose and recipient."""
        bits = self.bits.get(purpose, 0)
        for who, more in self.narrow:
            if recipient in who:
                bits |= more.get(purpose, 0)
        return bits


class Known:
    """The policy with a bit for each field."""

    __slots__ = ("bit", "canonical", "every", "policy", "quick")

    def __init__(self, policy: Policy) -> None:
        self.policy, self.canonical = policy, ID_FORMS[policy.ids]
        self.quick = QUICK_FORMS[policy.ids]
        self.bit = {name: 1 << at for at, name in enumerate(dict.fromkeys(policy.fields))}
        self.every = (1 << len(self.bit)) - 1

    def mask(self, fields: Iterable[str]) -> int:
        """The bits of the known among these fields; `*` means all."""
        bits = 0
        for name in fields:
            bits |= self.every if name == EVERY else self.bit.get(name, 0)
        return bits


class Holds:
    """The holds in force. Fed by one writer (`load`, `apply`, `touch`); any thread may ask."""

    def __init__(self, policy: Policy, *, bound: float = BOUND) -> None:
        self.bound = bound
        self.revision = 0
        self.loads = 0  # how often everything was replaced: perhaps by another history
        self.synced_at = -inf
        self._unsynced = NEVER_SYNCED
        self._where: dict[int, tuple[str, Rule]] = {}  # those that have an id
        self._nameless = 0
        self._subjects: dict[str, Entry] = {}
        self._rules: WeakValueDictionary[tuple[object, ...], Rule] = WeakValueDictionary()
        self.set_policy(policy)

    @property
    def policy(self) -> Policy:
        return self._known.policy

    def __len__(self) -> int:
        """How many holds are in force."""
        return len(self._where) + self._nameless

    def has_holds(self, subject: str) -> bool:
        """Whether anything at all of this member is held."""
        return subject in self._subjects

    def free(self, subject: str) -> bool:
        """Whether this is a canonical id of whom nothing at all is held."""
        return subject not in self._subjects and self._known.canonical(subject)

    def held(self, purpose: str, recipient: str) -> dict[str, int]:
        """The bits of the fields held of each member for this purpose and recipient, in the policy's
        order; without the members of whom nothing is. Whether the state is fresh is for others to say."""
        found = ((s, e.held(purpose, recipient)) for s, e in self._subjects.items())
        return {subject: bits for subject, bits in found if bits}

    def set_policy(self, policy: Policy) -> None:
        """Take another policy: every hold is read anew under it."""
        known = Known(policy)
        self._entries: WeakValueDictionary[tuple[int, ...], Entry] = WeakValueDictionary()
        subjects = {s: self._entry(e.rules, known) for s, e in self._subjects.items()}
        self._known, self._subjects = known, subjects

    def set_callers(self, callers: Mapping[str, Caller]) -> None:
        """Take other callers; holds are left as they are."""
        self._known.policy = replace(self._known.policy, callers=callers)

    def load(self, holds: Iterable[Hold], revision: int, synced_at: float) -> None:
        """Replace everything by a snapshot: the holds in force at `revision`, asked at `synced_at`."""
        where: dict[int, tuple[str, Rule]] = {}
        nameless = 0
        rules: dict[str, list[Rule]] = {}
        for hold in holds:
            rule = self._rule(hold)
            if hold.id:
                where[hold.id] = (hold.subject, rule)
            else:
                nameless += 1
            rules.setdefault(hold.subject, []).append(rule)
        known, self.loads = self._known, self.loads + 1
        self.synced_at = -inf  # nobody may pair the old stamp with half a state
        self._subjects = {s: self._entry(tuple(found), known) for s, found in rules.items()}
        self._where, self._nameless, self.revision = where, nameless, revision
        self._unsynced, self.synced_at = STALE, synced_at

    def apply(self, events: Iterable[Event], synced_at: float | None = None) -> bool:
        """Apply revisions in order; those already known are passed over.

        False, and every answer a denial (`gap`) until the next `load`, if one is missing.
        """
        for event in events:
            if event.revision <= self.revision:
                continue
            if event.revision != self.revision + 1:
                return self.broken()
            for hold in event.placed:  # before the releases, so that a takeover leaves no moment
                self._place(hold)
            for hold_id in event.released:
                self._release(*self._where.pop(hold_id, ("", None)))
            for hold in event.ended:
                self._nameless -= self._release(hold.subject, self._rule(hold))
            self.revision = event.revision
        return synced_at is None or self.touch(self.revision, synced_at)

    def touch(self, head: int, synced_at: float) -> bool:
        """The source answered that its head is `head` to a question sent at `synced_at`.

        False if this state is not that one: behind (pull), or ahead of a source that went back in
        time, which is a gap.
        """
        if head < self.revision:
            return self.broken()
        if head > self.revision or self._unsynced != STALE:
            return False
        self.synced_at = max(self.synced_at, synced_at)
        return True

    def broken(self) -> bool:
        """What the source says does not fit: every answer is a denial (`gap`) until the next `load`."""
        self._unsynced, self.synced_at = GAP, -inf
        return False

    def _rule(self, hold: Hold) -> Rule:
        key = (hold.fields, hold.purposes, hold.recipients, hold.cause)
        rule = self._rules.get(key)
        if rule is None:
            rule = self._rules[key] = Rule(hold)
        return rule

    def _entry(self, rules: tuple[Rule, ...], known: Known) -> Entry:
        rules = tuple(sorted(rules, key=lambda rule: rule.order))
        key = tuple(rule.order for rule in rules)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = Entry(rules, known)
        return entry

    def _place(self, hold: Hold) -> None:
        if hold.id in self._where:
            return
        rule = self._rule(hold)
        before = self._subjects.get(hold.subject)
        rules = (*before.rules, rule) if before else (rule,)
        self._subjects[hold.subject] = self._entry(rules, self._known)
        if hold.id:
            self._where[hold.id] = (hold.subject, rule)
        else:
            self._nameless += 1

    def _release(self, subject: str, rule: Rule | None) -> bool:
        """Whether there was such a hold: what is not known ends nothing."""
        before = self._subjects.get(subject)
        if rule is None or before is None or rule not in before.rules:
            return False
        left = Counter(before.rules)
        left[rule] -= 1
        if rules := tuple(left.elements()):
            self._subjects[subject] = self._entry(rules, self._known)
        else:
            del self._subjects[subject]
        return True
