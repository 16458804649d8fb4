"""How a replica follows the gate: what to ask, when, and what the answers mean. No I/O.

Only a round trip that this side began proves freshness, stamped before it was sent. The stream says
when to look; nothing is taken from it.
"""

import logging
from collections import Counter

from subjectline_client import wire
from subjectline_client.asking import NOT_ENFORCED, Asker
from subjectline_client.core import HoldState, steady
from subjectline_client.errors import TooOld, Unreachable
from subjectline_client.questions import Since, Snapshot, Steps

log = logging.getLogger("subjectline_client")

PARTS = 100  # of a long way that one pull goes
AGAIN_SECONDS = 1.0  # before a stream that was lost is opened anew


class Following:
    """Keeps an asker's state. A gate that has a shorter bound than the asker is obeyed."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._mark, self._version = "", ""
        self._loaded = False
        self._fresh: bool | None = None  # not tried yet
        self.counts: Counter[str] = Counter()
        self.trouble = ""

    def forget(self) -> None:
        """Knows nothing again: begins with a snapshot, and every answer is a denial until then."""
        self._loaded, self._fresh = False, None
        self._asker.forget()

    def pull(self) -> Steps[bool]:
        """Brings the state to the gate's head, as of now. Returns whether that could be done."""
        try:
            yield from self._catch_up()
        except (TooOld, Unreachable) as error:
            self._told(str(error) or type(error).__name__)
            return False
        self._told("")
        return True

    def rest(self, began: float) -> float:
        """Seconds until the next pull, if the last one began then: four within the bound."""
        return max(0.0, began + self._asker.state.bound / 4 - steady())

    def woken(self, revision: int) -> bool:
        """The stream says that this revision is the newest. Returns whether to look at once."""
        self.counts["wakes"] += 1
        return revision != self._asker.state.revision

    def lost(self) -> float:
        """The stream ended. Returns the seconds after which to open it anew."""
        self.counts["streams_lost"] += 1
        return AGAIN_SECONDS

    def _catch_up(self) -> Steps[None]:
        """Asks until the state is at the head; at most two snapshots, where the feed cannot go on."""
        loads = 0
        for _ in range(PARTS):
            if not self._loaded:
                loads += 1
                if loads > 2:
                    break
                yield from self._load()
            if (yield from self._step()):
                return
        raise Unreachable("the feed does not go on from its own snapshot")

    def _step(self) -> Steps[bool]:
        """One round trip. Returns whether the state is now what the gate's was when it answered."""
        asked_at, state = steady(), self._asker.state
        self.counts["pulls"] += 1
        try:
            told: wire.Changes = yield Since(
                state.revision, self._mark, self._version, state.bound / 2
            )
        except TooOld:
            self._loaded = False
            return False
        applied = state.apply(change.event() for change in told.changes)
        if not applied or state.revision != told.revision:  # something is missing, or too much
            self.counts["gaps"] += 1
            self._loaded = state.broken()
            return False
        self._mark = told.mark
        return state.touch(told.head, asked_at)

    def _load(self) -> Steps[None]:
        """A snapshot, with a state of its own: a question sees the old one or the new one."""
        asked_at = steady()
        self.counts["snapshots"] += 1
        told: wire.Snapshot = yield Snapshot()
        try:
            bound = min(self._asker.bound, told.bound_ms / 1000)
            state = HoldState(told.policy.policy(), bound=bound)
            state.load(told.loaded(), told.revision, asked_at)
        except LookupError:  # a form of member ids that is newer than this library
            raise Unreachable("the gate's snapshot cannot be read") from None
        self._mark, self._version, self._loaded = told.mark, told.policy.version, True
        self._asker.know(state, told.policy)

    def _told(self, trouble: str) -> None:
        """Says once that the gate went away or came back."""
        fresh = not trouble
        self.counts["pull_failures"] += not fresh
        if fresh != self._fresh:
            level = logging.INFO if fresh else logging.WARNING
            mode = "" if self._asker.enforced else f" ({NOT_ENFORCED})"
            log.log(level, "the gate %s%s", trouble or "answers", mode)
        self._fresh, self.trouble = fresh, trouble
