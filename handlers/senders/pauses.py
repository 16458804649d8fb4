"""Who wants to be left alone for a while: a domain that puts letters off, or the mail server itself.

Kept in memory: after a restart each is asked once and says so again.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from subjectline.models.errors import TemporarySendError

SERVER = ""  # the mail server itself; no domain has this name
STEPS = (30.0, 60.0, 120.0, 300.0, 600.0)  # seconds after the first, second … time in a row
LONGEST_HINT = 4 * 3600.0
TAKES_ITS_TIME = "this domain takes its time"
MOST = 10_000  # names remembered

_HINT = re.compile(
    r"\b(?:in|after|for|within|wait)\s{1,3}(?:(?P<clock>\d{1,2}:\d\d(?::\d\d)?)"
    r"|(?P<count>\d{1,5})\s{0,3}(?P<unit>s|m|h)(?:ec|in|our|ecs|ins|onds?|econds?|inutes?|ours?)?\b)",
    re.IGNORECASE,
)
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(slots=True)
class _Pause:
    until: float
    times: int
    why: TemporarySendError


class Pauses:
    """`monotonic` gives seconds; tests move it."""

    def __init__(
        self,
        steps: Sequence[float] = STEPS,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steps, self._monotonic = steps, monotonic
        self._known: dict[str, _Pause] = {}

    def check(self, *names: str) -> None:
        """Raises what was said last, with the seconds left, where one of these is to be left alone."""
        now = self._monotonic()
        for name in names:
            pause = self._known.get(name)
            if pause is not None and now < pause.until:
                why = pause.why
                raise TemporarySendError(
                    why.rule, remedy=why.remedy, after=pause.until - now, tried=False
                )

    def wanted(self, name: str) -> bool:
        """Whether this one is to be left alone now."""
        pause = self._known.get(name)
        return pause is not None and self._monotonic() < pause.until

    def put_off(self, name: str, why: TemporarySendError) -> None:
        """It said "later": it is left alone for as long as it asked, else longer each time."""
        before = self._known.pop(name, None)
        times = before.times + 1 if before else 1
        step = self._steps[min(times, len(self._steps)) - 1]
        self._known[name] = _Pause(self._monotonic() + (why.after or step), times, why)
        if len(self._known) > MOST:
            self._known.pop(next(iter(self._known)))

    def went(self, *names: str) -> None:
        """It took a letter."""
        for name in names:
            self._known.pop(name, None)


@dataclass(slots=True)
class _Lane:
    places: asyncio.Semaphore
    users: int = 0


@dataclass(slots=True)
class Lanes:
    """At most `width` letters at once to one domain, so that one that hangs leaves a line to the rest.

    Who waits longer than `patience` seconds for a place goes back to the outbox.
    """

    width: int
    patience: float
    _of: dict[str, _Lane] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, domain: str) -> AsyncIterator[None]:
        """Waits for a place and holds it. Raises TemporarySendError, not tried."""
        lane = self._of.setdefault(domain, _Lane(asyncio.Semaphore(self.width)))
        lane.users += 1
        try:
            await self._place(lane)
            try:
                yield
            finally:
                lane.places.release()
        finally:
            lane.users -= 1
            if not lane.users:
                self._of.pop(domain, None)

    async def _place(self, lane: _Lane) -> None:
        try:
            async with asyncio.timeout(self.patience):
                await lane.places.acquire()
        except TimeoutError:
            raise TemporarySendError(TAKES_ITS_TIME, after=STEPS[0], tried=False) from None


def hint(words: str) -> float | None:
    """The seconds that a server asks to wait for: `try again in 300 seconds`, `retry in 00:05:00`."""
    found = _HINT.search(words[:500])
    if found is None:
        return None
    if found["clock"]:
        seconds = 0.0
        for part in found["clock"].split(":"):
            seconds = seconds * 60 + int(part)
    else:
        seconds = int(found["count"]) * _UNITS[found["unit"].lower()]
    return min(seconds, LONGEST_HINT) or None
