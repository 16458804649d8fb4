"""Work that follows a commit: drafts to make, change sets to apply. A task says only "look at this".

A row is leased for a minute; whoever takes over an expired lease does the work again, and everything
here can be done again: the guarded step and the registry's own compare-and-set decide.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, or_, select

from subjectline.handlers import applying, lifting, proposing, waits
from subjectline.handlers.work import LEASE, finish
from subjectline.models.errors import RegistryAway, StaleMove, SubjectlineError
from subjectline.models.tables import Task

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

log = logging.getLogger(__name__)

AT_ONCE = 10
SWEEP = 5.0  # seconds between looks when nothing wakes the loop
RETRY = (1, 5, 15, 60, 300, 900, 3600)  # seconds, the last one again and again

Work = Callable[["Desk", Task], Awaitable[None]]
KINDS: dict[str, Work] = {
    "draft": proposing.draft,
    "apply": applying.apply,
    "warn": waits.warn,
    lifting.KIND: lifting.lift,
}


async def run(desk: "Desk") -> None:
    """Does due tasks until cancelled."""
    while True:
        if not await once(desk):
            await desk.db.signals.wait("task", SWEEP)


async def once(desk: "Desk") -> int:
    """Does the tasks that are due now; returns how many were taken."""
    taken = await claim(desk, tuple(KINDS))
    for task in taken:
        await _do(desk, task)
    return len(taken)


async def claim(desk: "Desk", kinds: Sequence[str]) -> list[Task]:
    """Leases the tasks of these kinds that are due now."""
    now = desk.clock()
    async with desk.db.write() as session:
        rows = await session.exec(
            select(Task)
            .where(Task.outcome == "due", col(Task.due_at) <= now, col(Task.kind).in_(kinds))
            .where(or_(col(Task.leased_until).is_(None), col(Task.leased_until) < now))
            .order_by(col(Task.due_at))
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        taken = list(rows)
        for task in taken:
            task.leased_until, task.attempts = now + LEASE, task.attempts + 1
            session.add(task)
    return taken


async def _do(desk: "Desk", task: Task) -> None:
    try:
        await KINDS[task.kind](desk, task)
    except StaleMove:
        await _end(desk, task, "done", "overtaken")
    except RegistryAway as away:
        await _again(desk, task, away.rule)
    except Exception as wrong:  # one that fails keeps none of the others
        reason = wrong.rule if isinstance(wrong, SubjectlineError) else type(wrong).__name__
        log.error("task %s of kind %s: %s", task.id, task.kind, type(wrong).__name__)
        log.debug("because", exc_info=wrong)
        if task.kind == "apply" and task.attempts >= applying.PATIENCE:
            await applying.give_up(desk, task, reason)
        else:
            await _again(desk, task, reason)


async def _again(desk: "Desk", task: Task, reason: str) -> None:
    wait = RETRY[min(task.attempts, len(RETRY)) - 1]
    async with desk.db.write() as session:
        row = await session.get_one(Task, task.id)
        row.leased_until, row.reason = None, reason
        row.due_at = desk.clock() + timedelta(seconds=wait)
        session.add(row)


async def _end(desk: "Desk", task: Task, outcome: str, reason: str) -> None:
    async with desk.db.write() as session:
        await finish(session, task, outcome, reason)
