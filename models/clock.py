"""The one clock. Everything that needs the time is handed one, so that tests and the sandbox can move it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


class MovableClock:
    """A clock that runs with the system's and can be set ahead (the sandbox's "Ten days later")."""

    def __init__(self, base: Clock = system_clock) -> None:
        self._base, self.ahead = base, timedelta()

    def __call__(self) -> datetime:
        return self._base() + self.ahead

    def advance(self, by: timedelta) -> None:
        self.ahead += by


class FrozenClock:
    """A clock that stands still until told otherwise (tests)."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by
