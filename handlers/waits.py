"""Data whose change waits after the approval (bank details: 24 hours), so that its owner can stop it.

Approved, every registered contact hears at once, with a link that stops it; the change is written when
the hours that the data map names (`waits_hours`) are over. They count from the warning: what nobody
could be told of is not written.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, drafting, post
from subjectline.handlers import facts as wording
from subjectline.handlers.letters import SECURE_LINK
from subjectline.handlers.work import finish, target_of
from subjectline.models.incoming import Contact
from subjectline.models.tables import Proposal, Request, Task

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

WARNING = "change_waits"


def hours(desk: "Desk", proposal: Proposal) -> int:
    """How long the changes of a proposal wait after the last signature; 0 where they do not."""
    if proposal.outcome == "refuse":
        return 0
    said = drafting.open_envelope(desk, proposal)
    if said["kind"] != "correction":
        return 0
    known = desk.data_map.fields
    names = [str(row.get("field", "")) for row in said["rows"]]
    return max((known[name].waits_hours for name in names if name in known), default=0)


async def warn(desk: "Desk", task: Task) -> None:
    """Tells every registered contact of an approved change, and sets the hour at which it is written.

    Raises RegistryAway to be tried again: the hours begin when the contacts were told.
    """
    request_id, version = target_of(task)
    async with desk.db.read() as session:
        request = await session.get_one(Request, request_id)
        proposal = await _approved(session, request_id)
    contacts = await desk.registry.contacts(request.subject_id or "")
    async with desk.write() as session:
        request = await session.get_one(Request, request_id, with_for_update=True)
        if request.state != "applying" or request.version != version or proposal is None:
            await finish(session, task, reason="overtaken")
            return
        until = desk.clock() + timedelta(hours=hours(desk, proposal))
        told = _tell(session, desk, request, proposal, contacts, until)
        session.add(Task(kind="apply", target=task.target, due_at=until))
        audit.note(session, desk.clock, audit.SYSTEM, "change_waits", request=request, told=told)
        await finish(session, task)


def _tell(
    session: AsyncSession,
    desk: "Desk",
    request: Request,
    proposal: Proposal,
    contacts: dict[str, str],
    until: datetime,
) -> list[str]:
    """A letter with a stop link to each contact that can be reached; returns their kinds."""
    rows = drafting.open_envelope(desk, proposal)["rows"]
    facts = {
        "field_labels": [row["label"] for row in rows],
        "hours": hours(desk, proposal),
        "until": wording.local_day(desk, until),
        "until_time": wording.local_time(desk, until),
        "secure_link": SECURE_LINK,
    }
    slots = {"secure_link": {"request_id": request.id, "purpose": "stop"}}
    told = [kind for kind in contacts if kind != "phone" or desk.manner.sms]
    for kind in told:
        to = Contact(kind, contacts[kind])
        number = request.id or 0
        post.note(
            session,
            post.Noted(WARNING, request.conversation_id, [number], facts, to=to, slots=slots),
        )
    return told


async def until(desk: "Desk", request_id: int) -> datetime | None:
    """When an approved change is written, while its owner can still stop it; None where none waits."""
    waiting = (
        select(Task.due_at)
        .where(Task.kind == "apply", col(Task.target).like(f"{request_id}:%"))
        .where(Task.outcome == "due", col(Task.due_at) > desk.clock(), Task.attempts == 0)
    )
    async with desk.db.read() as session:
        return (await session.exec(waiting)).first()


async def _approved(session: AsyncSession, request_id: int) -> Proposal | None:
    rows = await session.exec(
        select(Proposal)
        .where(Proposal.request_id == request_id, Proposal.state == "approved")
        .order_by(col(Proposal.id).desc())
    )
    return rows.first()
