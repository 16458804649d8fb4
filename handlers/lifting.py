"""The person hears before a hold is lifted, where the law asks for that (GDPR 18(3)).

The step that ends a request leaves its hold in force and a task behind. The hold ends once the letter of
the result has left; while that bounces or waits for an agent, it stays.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, holds
from subjectline.handlers.work import finish, target_of
from subjectline.models.db import wake
from subjectline.models.regimes import regime_named
from subjectline.models.tables import Outbox, Request, Task
from subjectline.models.workflow import FINAL

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

KIND = "lift"
# What tells a person that it is over; `chat_closed` carries the words that a chat did not take.
RESULTS = frozenset({"done", "partial", "refused", "withdrawn", "restricted", "chat_closed"})
LOOK = timedelta(minutes=10)  # a letter that leaves wakes the task sooner


async def waits(session: AsyncSession, request: Request, *, letter: bool) -> bool:
    """Whether a hold that the step would end has to wait for its letter."""
    if not letter or request.subject_id is None:
        return False
    return regime_named(request.regime).told_before_lifting and await holds.holds_firm(
        session, request.id or 0
    )


def later(session: AsyncSession, desk: "Desk", request: Request) -> None:
    """Leaves the task behind that ends the hold."""
    target = f"{request.id}:{request.version}"
    session.add(Task(kind=KIND, target=target, due_at=desk.clock() + LOOK))


async def lift(desk: "Desk", task: Task) -> None:
    """Ends the hold of a request that is over if its person was told, else looks again later."""
    request_id, _ = target_of(task)
    async with desk.write() as session:
        request = await session.get_one(Request, request_id, with_for_update=True)
        if not await _told(session, request):
            row = await session.get_one(Task, task.id)
            row.leased_until, row.due_at = None, desk.clock() + LOOK
            session.add(row)
            return
        await finish(session, task)
        if request.state in FINAL:
            audit.note(session, desk.clock, audit.SYSTEM, "lift", request=request)
            await holds.end(session, request_id, desk.clock(), "told")
            wake(session, "gate", "released")


async def has_left(session: AsyncSession, desk: "Desk", rows: Iterable[Outbox]) -> None:
    """Letters have left: holds that waited for one of them may be lifted now."""
    told = {row.request_id for row in rows if row.request_id and row.letter in RESULTS}
    if not told or not desk.manner.law.told_before_lifting:
        return
    mine = or_(*(col(Task.target).startswith(f"{number}:") for number in told))
    await session.exec(
        update(Task)
        .where(col(Task.kind) == KIND, col(Task.outcome) == "due", mine)
        .values(due_at=desk.clock())
    )
    wake(session, "task")


async def _told(session: AsyncSession, request: Request) -> bool:
    rows = await session.exec(
        select(Outbox.id).where(
            Outbox.request_id == request.id,
            col(Outbox.letter).in_(RESULTS),
            Outbox.outcome == "sent",
            Outbox.made_at >= (request.closed_at or request.arrived_at),
        )
    )
    return rows.first() is not None
