"""An agent looks at a member's data: asked of our own gate before it is shown, like any other use.

Inside an open request of that member a look is `rights-handling`, recorded for the request and the
agent before it is answered. Outside of one it is `agents-view`, which every hold denies and every
consent that was taken back. What a person has just written and nobody has sorted is no such look:
without reading it no right could be handled.
"""

from typing import TYPE_CHECKING, NoReturn

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.handlers.audit import Actor
from subjectline.handlers.gate import OPEN_STATES
from subjectline.handlers.gate_policy import AGENTS_VIEW, DESK, RIGHTS_HANDLING
from subjectline.models.errors import HeldData
from subjectline.models.tables import Conversation, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

Whose = tuple[str, str]  # registry and member


def whose(row: Request | Conversation | None) -> Whose | None:
    """The member that a request or conversation is proven to be of."""
    if row is None or not row.registry_id or not row.subject_id:
        return None
    return row.registry_id, row.subject_id


async def of_talk(session: AsyncSession, row: Conversation) -> Whose | None:
    """The member whose conversation it is: proven for itself, or by one of its requests."""
    if (found := whose(row)) is not None:
        return found
    rows = await session.exec(
        select(Request)
        .where(Request.conversation_id == row.id, col(Request.subject_id).is_not(None))
        .order_by(col(Request.id).desc())
        .limit(1)
    )
    return whose(rows.first())


async def shut(
    desk: "Desk", member: Whose | None, agent: Actor, request: Request | None = None
) -> tuple[str, ...]:
    """Why the agent may not see the member's data now, as reasons of the gate; empty if they may.

    `request`: where they look; if it is not open, any other open one of the member will do. Whoever
    is not proven to be a member has nothing in the registry that could be seen.
    """
    if member is None:
        return ()
    inside = await _inside(desk, member, request)
    purpose = RIGHTS_HANDLING if inside else AGENTS_VIEW
    fields = list(inside.fields if inside else ()) or list(desk.data_map.fields)
    number = inside.id if inside else None
    answer = await desk.gate.decide(
        DESK, member[1], fields, purpose, request_id=number, account=agent.account
    )
    return answer.reasons if not answer.permit else ()


async def deny(
    desk: "Desk", member: Whose | None, agent: Actor, thing: str, reasons: tuple[str, ...]
) -> NoReturn:
    """Records that a look was denied, and raises HeldData."""
    async with desk.write() as session:
        audit.note(
            session, desk.clock, agent, "view", subject=member, thing=thing,
            reason=", ".join(reasons), outcome="denied",
        )  # fmt: skip
    raise HeldData(reasons)


async def _inside(desk: "Desk", member: Whose, request: Request | None) -> Request | None:
    if request is not None and request.state in OPEN_STATES and whose(request) == member:
        return request
    async with desk.db.read() as session:
        return await _newest_open(session, member)


async def _newest_open(session: AsyncSession, member: Whose) -> Request | None:
    rows = await session.exec(
        select(Request)
        .where(Request.registry_id == member[0], Request.subject_id == member[1])
        .where(col(Request.state).in_(OPEN_STATES))
        .order_by(col(Request.id).desc())
        .limit(1)
    )
    return rows.first()
