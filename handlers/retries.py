"""When what did not leave is tried again: one table of pauses for every kind of letter."""

from collections.abc import Sequence

from subjectline.models.errors import TemporarySendError

NOT_TRIED = 1.0  # seconds, where nothing was asked of the other side


def pause_after(seconds: Sequence[float], tries: int, wrong: TemporarySendError) -> float | None:
    """Seconds to the next try after `tries` of them (this one too); None after the last.

    `seconds` are the pauses after the first, second … failure (`desk.retry_seconds`). Never sooner than
    the other side asked for; what was not tried uses up nothing.
    """
    if not wrong.tried:
        return max(NOT_TRIED, wrong.after or 0)
    if tries > len(seconds):
        return None
    return max(seconds[tries - 1], wrong.after or 0)
