"""A word at half time: whoever asked by chat hears that a request of theirs is still being worked on.

It moves nothing: an agent who has the request open is not disturbed by it.
"""

from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, select

from subjectline.handlers import dialog
from subjectline.models.incoming import CHATS
from subjectline.models.tables import Conversation, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

WORKED_ON = ("open", "proposed", "applying")  # of one that waits for the person a reminder tells


async def tell(desk: "Desk", most: int) -> int:
    """Tells at most so many, each once. Returns how many were told."""
    told = 0
    for request in await _candidates(desk, most):
        if request.arrived_at + (request.due_at - request.arrived_at) / 2 <= desk.clock():
            told += await _one(desk, request)
    return told


async def _candidates(desk: "Desk", most: int) -> list[Request]:
    """Those that nobody told yet, the first due before the others."""
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Request)
            .join(Conversation, col(Conversation.id) == col(Request.conversation_id))
            .where(col(Conversation.door).in_(CHATS), col(Request.state).in_(WORKED_ON))
            .where(col(Request.halfway_at).is_(None), col(Request.due_at) >= desk.clock())
            .order_by(col(Request.due_at))
            .limit(most)
        )
        return list(rows)


async def _one(desk: "Desk", request: Request) -> bool:
    async with desk.write() as session:
        done = await session.exec(
            update(Request)
            .where(col(Request.id) == request.id, col(Request.halfway_at).is_(None))
            .where(col(Request.state).in_(WORKED_ON))
            .values(halfway_at=desk.clock())
        )
        if done.rowcount != 1:
            return False
        conversation = await session.get_one(Conversation, request.conversation_id)
        dialog.say(session, conversation, "dialog_halfway", about=[request])
    return True
