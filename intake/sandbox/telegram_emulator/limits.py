"""Telegram's limits on sending: 30 a second in all, 1 a second to a chat, 20 a minute to a group.

Source: Bot FAQ, "My bot is hitting limits, how do I avoid this?".
"""

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator

IN_ALL = (30, 1.0)
PRIVATE_CHAT = (1, 1.0)
GROUP = (20, 60.0)
KEPT_CHATS = 10_000


class FloodLimits:
    """Counts what was sent. Runs on a monotonic clock in seconds, since bots obey by really waiting."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._now = monotonic
        self._all: deque[float] = deque()
        self._chats: defaultdict[int, deque[float]] = defaultdict(deque)

    def retry_after(self, chat: int) -> int:
        """Whole seconds until one more message to `chat` is allowed; 0 is now."""
        now = self._now()
        waits = [0.0]
        for times, (most, window) in self._rules(chat):
            while times and times[0] <= now - window:
                times.popleft()
            if len(times) >= most:
                waits.append(times[0] + window - now)
        return math.ceil(max(waits))

    def count(self, chat: int) -> None:
        """One message went to `chat`."""
        for times, _ in self._rules(chat):
            times.append(self._now())
        while len(self._chats) > KEPT_CHATS:
            self._chats.pop(next(iter(self._chats)))

    def _rules(self, chat: int) -> Iterator[tuple[deque[float], tuple[int, float]]]:
        yield self._all, IN_ALL
        yield self._chats[chat], GROUP if chat < 0 else PRIVATE_CHAT
