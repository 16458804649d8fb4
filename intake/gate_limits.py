"""How much one may ask of the gate: each caller, and whoever shows keys that nobody has. In memory."""

from ipaddress import IPv6Address, ip_address
from math import ceil, inf

from subjectline_client.core import steady

MOST = 10_000  # names that are remembered at once


class Buckets:
    """So many a second for each name, and as many at once as `at_once`. A rate of 0 sets no limit."""

    def __init__(self, rate: float, at_once: float) -> None:
        self._rate, self._at_once = rate, at_once
        self._left: dict[str, tuple[float, float]] = {}  # what was left, and when

    def take(self, name: str, number: int = 1) -> float:
        """Takes that many; the seconds to wait where there was nothing left, else 0.

        Who takes more than is left gets it, and then waits the longer.
        """
        if self._rate <= 0:
            return 0.0
        now = steady()
        left, at = self._left.get(name, (self._at_once, now))
        left = min(self._at_once, left + (now - at) * self._rate)
        if left <= 0:
            return max(-left / self._rate, 1 / self._rate)
        if name not in self._left and len(self._left) >= MOST:
            self._make_room(now)
        self._left[name] = (left - number, now)
        return 0.0

    def _make_room(self, now: float) -> None:
        """Forgets those who are back at the full; all of them if that is not enough."""
        full = self._at_once
        self._left = {
            name: (left, at)
            for name, (left, at) in self._left.items()
            if left + (now - at) * self._rate < full
        }
        if len(self._left) >= MOST:
            self._left = {}


class Limits:
    """Of one process. `questions_a_second` for a caller, `wrong_keys_a_minute` for an address."""

    def __init__(self, questions_a_second: float = 0, wrong_keys_a_minute: float = inf) -> None:
        self._callers = Buckets(questions_a_second, questions_a_second)
        wrong = 0 if wrong_keys_a_minute == inf else wrong_keys_a_minute
        self._strangers = Buckets(wrong / 60, wrong)

    def caller(self, name: str, questions: int) -> int:
        """Seconds until this caller may ask again; 0: it may ask these."""
        return ceil(self._callers.take(name, questions))

    def stranger(self, address: str) -> int:
        """Seconds for an address that showed a wrong key; 0: it is told so."""
        return ceil(self._strangers.take(_network(address)))


def _network(address: str) -> str:
    """Of IPv6 the /64, for everybody has as many addresses as they like."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return found.exploded[:19] if isinstance(found, IPv6Address) else address
