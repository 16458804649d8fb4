"""When what did not leave is tried again: one table of pauses for every kind of letter."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.errors import TemporarySendError
from subjectline.models.tables import Outbox, Telling

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

Leased = TypeVar("Leased", Outbox, Telling)

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


async def mine(session: AsyncSession, row: Leased) -> Leased | None:
    """The row for a change, as long as the lease under which it was claimed is the last one."""
    kept = await session.get_one(type(row), row.id, with_for_update=True)
    return kept if (kept.outcome, kept.leased_until) == ("due", row.leased_until) else None


async def put_off(desk: "Desk", row: Leased, wrong: TemporarySendError) -> bool:
    """It is tried again later, if nobody else has taken it; what was not tried does not count.

    False after its last try: nothing was changed.
    """
    pause = pause_after(desk.manner.retry_seconds, row.attempts, wrong)
    if pause is None:
        return False
    async with desk.db.write() as session:
        if (kept := await mine(session, row)) is not None:
            kept.leased_until, kept.reason = None, wrong.rule
            kept.attempts -= not wrong.tried
            kept.due_at = desk.clock() + timedelta(seconds=pause)
            session.add(kept)
    return True
