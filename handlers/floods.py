"""Too much from one sender: twenty mails an hour are handled, the rest is kept and an agent looks."""

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.incoming import Door, Incoming, Outcome
from subjectline.models.rows import settled
from subjectline.models.tables import Conversation, Message

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

WINDOW = timedelta(hours=1)


async def flooded(
    session: AsyncSession, desk: "Desk", conversation: Conversation, incoming: Incoming
) -> bool:
    """Whether the hour before this mail's arrival brought as many of its sender as are handled.

    Counted by how far the sender is believed: forged mails may not use up what is a member's own.
    """
    if incoming.door is not Door.MAIL:
        return False
    wanted = (
        select(func.count())
        .select_from(Message)
        .where(
            Message.conversation_id == conversation.id,
            Message.direction == "in",
            Message.outcome == Outcome.HANDLE,
            Message.tier == incoming.tier,
            col(Message.at) > incoming.arrived_at - WINDOW,
        )
    )
    with settled(session, Message, conversation.id or 0):
        number = (await session.exec(wanted)).one()
    return number >= desk.manner.mails_an_hour
