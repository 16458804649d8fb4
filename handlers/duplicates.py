"""The same right asked for twice by one person: what is proven takes the place of what came before.

An unproven request displaces nothing: anybody can write one. Nor is a stranger's unproven request ended
by the real one, for that would tell the stranger that there is one.
"""

from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.handlers.requests import Facts, advance
from subjectline.models.tables import Conversation, Request
from subjectline.models.workflow import BEFORE_PROOF, DECISIONS, WORKING

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

APART = frozenset({"objection", "unclear", *DECISIONS})


async def settle(session: AsyncSession, desk: "Desk", proven: Request) -> list[Request]:
    """Call it after a request was proven. Earlier ones of the same person for the same right and fields
    end as `superseded`: their holds go on under this one without a moment between, and so does the
    earliest due date. Returns those that ended."""
    if proven.subject_id is None or proven.kind in APART or proven.state != "open":
        return []
    ended = []
    for other in await _same(session, proven):
        facts = Facts(successor=proven.id, letter={"moved_to": proven.reference})
        _keep_the_earlier_day(proven, other)
        await advance(session, desk, other.id or 0, "supersede", audit.SYSTEM, other.version, facts)
        ended.append(other)
    if ended:
        session.add(proven)
        await session.flush()
    return ended


async def _same(session: AsyncSession, proven: Request) -> list[Request]:
    rows = await session.exec(
        select(Request, Conversation)
        .join(Conversation, col(Conversation.id) == col(Request.conversation_id))
        .where(Request.id != proven.id, Request.kind == proven.kind)
        .where(col(Request.state).in_((*BEFORE_PROOF, *WORKING)))
        .where(Request.group_id != proven.group_id)
        .where(
            (col(Request.subject_id) == proven.subject_id)
            | (col(Conversation.subject_id) == proven.subject_id)
        )
        .order_by(col(Request.id))
    )
    return [row for row, talk in rows if _theirs(row, talk, proven)]


def _theirs(row: Request, talk: Conversation, proven: Request) -> bool:
    """Proven as the same member's; or not proven, in a conversation that is."""
    registry = row.registry_id if row.subject_id else talk.registry_id
    member = row.subject_id or talk.subject_id
    same = (registry, member) == (proven.registry_id, proven.subject_id)
    return same and set(row.fields) == set(proven.fields)


def _keep_the_earlier_day(proven: Request, other: Request) -> None:
    """Asking again must not give the company more time."""
    if other.due_at < proven.due_at:
        proven.due_at, proven.due_on = other.due_at, other.due_on
        proven.derivation = list(other.derivation)
