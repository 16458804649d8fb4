"""What belongs together: the requests of a conversation, and the messages of a request."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.rows import all_made, alone, made_here, settled
from subjectline.models.tables import Conversation, Message, Request, RequestMessage
from subjectline.models.workflow import FINAL


async def link_message(session: AsyncSession, request_id: int, message_id: int) -> None:
    """Says that a message belongs to a request (once)."""
    linked = session.info.setdefault("linked", set())
    if (request_id, message_id) in linked:
        return
    linked.add((request_id, message_id))
    new = made_here(session, Message, message_id) is not None
    if new or await session.get(RequestMessage, (request_id, message_id)) is None:
        session.add(RequestMessage(request_id=request_id, message_id=message_id))


async def open_of(session: AsyncSession, conversation_id: int) -> list[Request]:
    """The requests of a conversation that are not decided yet, oldest first."""
    made = [r for r in all_made(session, Request) if r.conversation_id == conversation_id]
    before: list[Request] = []
    if made_here(session, Conversation, conversation_id) is None:
        before = await _read_before(session, conversation_id)
    found = {request.id or 0: request for request in (*before, *made)}
    return [found[number] for number in sorted(found) if found[number].state not in FINAL]


async def _read_before(session: AsyncSession, conversation_id: int) -> list[Request]:
    """Read once where nobody else can write meanwhile; the rows at hand are then as they are."""
    read: dict[int, list[Request]] = session.info.setdefault("requests_read", {})
    if conversation_id not in read or not alone(session):
        wanted = (
            select(Request)
            .where(Request.conversation_id == conversation_id)
            .where(col(Request.state).not_in(FINAL))
            .order_by(col(Request.id))
        )
        with settled(session, Request, conversation_id):
            read[conversation_id] = list(await session.exec(wanted))
    return read[conversation_id]
