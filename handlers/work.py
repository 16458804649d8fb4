"""What every piece of work after a commit needs: its request, and its end."""

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.tables import Task

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

LEASE = timedelta(seconds=60)


def target_of(task: Task) -> tuple[int, int]:
    """The request's id and the version at which the work was asked for."""
    request, _, version = task.target.partition(":")
    return int(request), int(version)


async def finish(
    session: AsyncSession, task: Task, outcome: str = "done", reason: str = ""
) -> None:
    """Marks a task ended, in the same transaction as what it did."""
    row = await session.get_one(Task, task.id)
    row.outcome, row.reason, row.leased_until = outcome, reason, None
    session.add(row)


async def hold_lease(desk: "Desk", task: Task) -> None:
    """A minute more for work that takes long."""
    async with desk.db.write() as session:
        row = await session.get_one(Task, task.id)
        row.leased_until = desk.clock() + LEASE
        session.add(row)
