"""What the client raises.

GateError
├── Denied           the gate says no
│   ├── Held         a field is held
│   └── Stale        it cannot be shown that the state is new enough: not the same as held
├── TooOld           what happened since that revision is not known any more
└── Unreachable      the gate did not answer, or not so that it can be read
    └── KeyRefused   the key is not known
"""

from subjectline_client.core import (
    CONSENT_WITHDRAWN,
    GAP,
    HELD,
    NEVER_SYNCED,
    REPLICA_BEHIND_TOKEN,
    STALE,
    Decision,
)

UNPROVEN = frozenset({STALE, NEVER_SYNCED, GAP, REPLICA_BEHIND_TOKEN})


class GateError(Exception):
    """Whatever this library raises."""


class Denied(GateError):
    """The gate says no; `reasons` say why, `decision` is the whole answer where there is one."""

    def __init__(self, reasons: tuple[str, ...], decision: Decision | None = None) -> None:
        self.reasons, self.decision = reasons, decision
        super().__init__(", ".join(reasons))


class Held(Denied):
    """A field is held: it may not be used until it is released."""


class Stale(Denied):
    """No permit, because the state cannot be shown to be new enough; ask again in `retry_after` s."""

    def __init__(
        self, reasons: tuple[str, ...], retry_after: float, decision: Decision | None = None
    ) -> None:
        super().__init__(reasons, decision)
        self.retry_after = retry_after


class TooOld(GateError):
    """What happened since that revision is not known any more: look at everybody anew."""


class Unreachable(GateError):
    """The gate did not answer in time, or not so that it can be read."""


class KeyRefused(Unreachable):
    """The gate does not know the key."""


def denial(
    reasons: tuple[str, ...], retry_after: float, decision: Decision | None = None
) -> Denied:
    """The error that fits a denial."""
    if UNPROVEN.intersection(reasons):
        return Stale(reasons, retry_after, decision)
    if HELD in reasons or CONSENT_WITHDRAWN in reasons:
        return Held(reasons, decision)
    return Denied(reasons, decision)
