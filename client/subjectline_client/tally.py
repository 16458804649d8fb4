"""What was permitted and denied, counted: for the gate's ledger of uses, and as metrics.

A permit is counted without a lock: `next` of a counter is one step that no thread can cut in two.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from threading import Lock

from subjectline_client.wire import Use

QUARTER = 900  # seconds; days of every zone begin at one
COMBINATIONS = 4096  # of purpose and fields that are counted apart
SUBJECTS = 10_000  # rows that name a member; the rest is counted without
IN_ONE = 2000  # uses in one report

Names = tuple[str, ...]
_Row = tuple[int, str, str, str]  # quarter, purpose, field, subject


class Permits:
    """How often one combination was permitted. Calling it counts one more."""

    __slots__ = ("_looks", "_told", "add")

    def __init__(self) -> None:
        self.add: Callable[[], int] = count().__next__
        self._looks = self._told = 0

    def total(self) -> int:
        """How many. To look is to count as well, so looks are taken off again."""
        seen = self.add() - self._looks
        self._looks += 1
        return seen

    def new(self) -> int:
        """How many since the last time that this was asked."""
        seen = self.total()
        fresh, self._told = seen - self._told, seen
        return fresh


class Tally:
    """The counts of one client."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._lock = clock, Lock()
        self.permits: dict[tuple[str, Names], Permits] = {}
        self.reasons: Counter[str] = Counter()
        self.would_deny: Counter[str] = Counter()
        self._given, self._refused = Counter[_Row](), Counter[_Row]()
        self._many = 0

    def first(self, purpose: str, fields: Names) -> None:
        """A permit for a combination that is new."""
        with self._lock:
            key = (purpose, fields) if len(self.permits) < COMBINATIONS else ("", ("",))
            self.permits.setdefault(key, Permits()).add()

    def denied(self, purpose: str, fields: Iterable[str], subject: str, reasons: Names) -> None:
        with self._lock:
            self.reasons.update(reasons[:1])
            self._add(self._refused, purpose, fields, subject, 1)

    def let_through(self, purpose: str, fields: Iterable[str], subject: str, why: Names) -> None:
        """Given although it would have been denied (`mode="observe"`)."""
        with self._lock:
            self.would_deny.update(why[:1])
            self._add(self._given, purpose, fields, subject, 1)

    def filtered(
        self,
        purpose: str,
        fields: Names,
        allowed: int,
        held: Iterable[str],
        would: Mapping[str, int] | None = None,
    ) -> None:
        """Many at once. `would`: how many would have been denied, by reason, and were let through."""
        with self._lock:
            self._many += allowed
            self._add(self._given, purpose, fields, "", allowed)
            for subject in held:
                where = self._refused if would is None else self._given
                self._add(where, purpose, fields, subject, 1)
                self.reasons["held"] += would is None
                self._many += would is not None
            self.would_deny.update(would or {})

    def total(self) -> int:
        """Permits so far."""
        with self._lock:
            return self._many + sum(each.total() for each in self.permits.values())

    def unreported(self) -> int:
        """Rows that wait to be reported."""
        with self._lock:
            return len({*+self._given, *+self._refused})

    def take(self) -> Iterator[tuple[Use, ...]]:
        """What was counted and not yet reported, in parts. What is not `kept` again is gone."""
        with self._lock:
            for (purpose, fields), permits in self.permits.items():
                self._add(self._given, purpose, fields, "", permits.new())
            given, self._given = self._given, Counter()
            refused, self._refused = self._refused, Counter()
        rows = sorted({*+given, *+refused})
        for start in range(0, len(rows), IN_ONE):
            part = rows[start : start + IN_ONE]
            yield tuple(Use(*row, given[row], refused[row]) for row in part)

    def keep(self, uses: Iterable[Use]) -> None:
        """These could not be reported."""
        with self._lock:
            for use in uses:
                row = (use.at, use.purpose, use.field, use.subject)
                self._given[row] += use.permits
                self._refused[row] += use.denials

    def _add(
        self, where: Counter[_Row], purpose: str, fields: Iterable[str], subject: str, number: int
    ) -> None:
        at = int(self._clock()) // QUARTER * QUARTER
        whose = subject if len(where) < SUBJECTS else ""
        if number:
            for field in fields:
                where[at, purpose, field, whose] += number
