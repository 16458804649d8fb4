"""Copies that the desk cannot reach: a paper archive, a partner's system (`manual:` in the data map).

They are named in the envelope, so that an approval binds them too. Once the registry is written each
becomes a named task, and the request stays `applying` until an agent has seen to every one; the last
tick has the change set looked at once more, and closes the request.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, consents
from subjectline.handlers.audit import Actor
from subjectline.handlers.requests import Facts, advance
from subjectline.models.db import wake
from subjectline.models.errors import BadInput, StaleMove
from subjectline.models.tables import ManualCopy, Proposal, Request, Task

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

WAITING = "copies"  # why an apply task is done while its request is not
GIVEN_UP = "a copy could not be corrected"


def named(
    desk: "Desk", request: Request, outcome: str, rows: Sequence[Mapping[str, str]]
) -> list[dict[str, Any]]:
    """The copies that an answer touches, as they stand in its envelope."""
    if outcome == "refuse" or request.subject_id is None:
        return []
    return [
        {"field": field, "place": copy.place, "labels": copy.labels.model_dump()}
        for field, copy in desk.registry.manual(_touched(desk, request, rows))
    ]


def _touched(desk: "Desk", request: Request, rows: Sequence[Mapping[str, str]]) -> list[str]:
    if consents.ends_membership(request):
        return list(desk.data_map.fields)
    if request.kind not in ("correction", "erasure"):
        return []
    return [row["field"] for row in rows]


async def note(
    session: AsyncSession,
    desk: "Desk",
    request: Request,
    proposal: Proposal,
    places: Sequence[Mapping[str, Any]],
) -> bool:
    """Makes the tasks of an applied proposal, once. Whether one of them still waits for its tick."""
    known = await _of(session, proposal.id or 0)
    if not known:
        known = [_task(desk, request, proposal, n, place) for n, place in enumerate(places)]
        session.add_all(known)
        await session.flush()
    return any(copy.done_at is None for copy in known)


def _task(
    desk: "Desk", request: Request, proposal: Proposal, number: int, place: Mapping[str, Any]
) -> ManualCopy:
    return ManualCopy(
        request_id=request.id or 0,
        proposal_id=proposal.id or 0,
        number=number,
        field=place["field"],
        place=place["place"],
        labels=dict(place["labels"]),
        made_at=desk.clock(),
    )


async def _of(session: AsyncSession, proposal_id: int) -> list[ManualCopy]:
    rows = await session.exec(
        select(ManualCopy)
        .where(ManualCopy.proposal_id == proposal_id)
        .order_by(col(ManualCopy.number))
    )
    return list(rows)


async def newest(session: AsyncSession, request_id: int) -> list[ManualCopy]:
    """The copies of the newest applied proposal of a request, for its page."""
    rows = await session.exec(
        select(ManualCopy.proposal_id)
        .where(ManualCopy.request_id == request_id)
        .order_by(col(ManualCopy.id).desc())
        .limit(1)
    )
    proposal = rows.first()
    return await _of(session, proposal) if proposal else []


async def tick(desk: "Desk", request_id: int, number: int, agent: Actor) -> int:
    """An agent has corrected one copy; returns how many are left. The last one closes the request.

    Raises BadInput where there is no such copy, StaleMove where it was ticked or overtaken.
    """
    async with desk.write() as session:
        request = await session.get_one(Request, request_id)
        copies = await newest(session, request_id)
        copy = next((c for c in copies if c.number == number), None)
        if copy is None:
            raise BadInput("there is no such copy", field="copy", remedy="Load the page again.")
        await _take(session, desk, request, copy, agent)
        left = [c for c in copies if c.done_at is None and c.id != copy.id]
        audit.note(
            session,
            desk.clock,
            agent,
            "copy_corrected",
            request=request,
            thing=f"manual_copy:{copy.id}",
            reason=copy.place or copy.labels["en"],
        )
        if not left:
            await _look_again(session, desk, request)
        return len(left)


async def _take(
    session: AsyncSession, desk: "Desk", request: Request, copy: ManualCopy, agent: Actor
) -> None:
    """The guarded update: of two who tick at once, one sees that it was done."""
    done = await session.exec(
        update(ManualCopy)
        .where(col(ManualCopy.id) == copy.id, col(ManualCopy.done_at).is_(None))
        .values(done_at=desk.clock(), done_by=agent.agent_id)
    )
    if request.state != "applying" or done.rowcount != 1:
        raise StaleMove(
            "this copy was seen to already",
            field="copy",
            remedy="Load the page again and look at what is left.",
        )


async def _look_again(session: AsyncSession, desk: "Desk", request: Request) -> None:
    """The same task once more: the registry may have changed while people worked on paper."""
    await session.exec(
        update(Task)
        .where(col(Task.kind) == "apply", col(Task.target) == f"{request.id}:{request.version}")
        .values(outcome="due", reason="", due_at=desk.clock(), attempts=0, leased_until=None)
    )
    wake(session, "task")


async def give_up(desk: "Desk", request_id: int, version: int, agent: Actor, reason: str) -> None:
    """A copy cannot be corrected: back to work, the hold stays; what is written stays written.

    Raises StaleMove where somebody was faster, BadInput where no copy is waiting.
    """
    async with desk.write() as session:
        copies = await newest(session, request_id)
        if all(copy.done_at for copy in copies):
            raise BadInput("no copy is waiting", field="copy", remedy="Load the page again.")
        facts = Facts(reason=reason or GIVEN_UP)
        await advance(session, desk, request_id, "fail", agent, version, facts)
