"""CPU seconds of a piece of work, for tests of hostile input.

A busy machine makes any one measurement too long, never too short: the least of a few is meant.
"""

from collections.abc import Callable
from math import inf
from time import process_time

TRIES = 4


def spent(work: Callable[[], object], limit: float) -> float:
    """The least CPU seconds that the work takes; it is done again only while that is over `limit`."""
    least = inf
    for _ in range(TRIES):
        began = process_time()
        work()
        least = min(least, process_time() - began)
        if least < limit:
            break
    return least
