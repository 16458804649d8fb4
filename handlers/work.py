"""What every piece of work after a commit needs: its request, and its end."""

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.tables import Task


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
