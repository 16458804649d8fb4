"""What an agent does with what no rule could place: open a case from it, close it, retry a dead letter."""

from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, identity, opening
from subjectline.handlers.audit import Actor
from subjectline.handlers.belonging import link_message
from subjectline.handlers.requests import set_kind
from subjectline.models.db import wake
from subjectline.models.errors import BadInput, StaleMove
from subjectline.models.tables import Conversation, Message, RawInbox, Request
from subjectline.models.workflow import KINDS

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


async def open_case(
    desk: "Desk", conversation_id: int, agent: Actor, kind: str, fields: list[str]
) -> int:
    """Sorts an unsorted conversation: its waiting message becomes a request, or names an unclear one."""
    if kind not in KINDS or kind == "unclear":
        raise BadInput("choose one of the rights", field="kind")
    known = await identity.known_of(desk, conversation_id)
    async with desk.write() as session:
        conversation = await session.get_one(Conversation, conversation_id)
        message = await _waiting(session, conversation_id)
        request = await _case(session, desk, conversation, message, kind, tuple(fields))
        message.waits, conversation.state = False, "quiet"
        session.add(message)
        session.add(conversation)
        await link_message(session, request.id or 0, message.id or 0)
        audit.note(session, desk.clock, agent, "open_case", request=request, kind=kind)
        await identity.challenge_sender(session, desk, conversation, [request], known)
        return request.id or 0


async def _waiting(session: AsyncSession, conversation_id: int) -> Message:
    rows = await session.exec(
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.direction == "in")
        .order_by(col(Message.waits).desc(), col(Message.id))
    )
    found = rows.first()
    if found is None:
        raise BadInput("the conversation has no message to start from", field="conversation")
    return found


async def _case(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    message: Message,
    kind: str,
    fields: tuple[str, ...],
) -> Request:
    rows = await session.exec(
        select(Request).where(
            Request.conversation_id == conversation.id,
            Request.kind == "unclear",
            Request.state == "received",
        )
    )
    unclear = rows.first()
    if unclear is None:
        return await opening.open_one(session, desk, conversation, message, kind, fields)
    await set_kind(session, desk, unclear, kind, fields, {})
    return unclear


async def put_to(desk: "Desk", request_id: int, message_id: int, agent: Actor) -> None:
    """A mail that stood beside a thread belongs to this request, an agent says. It proves nothing.

    Raises BadInput where it does not stand beside this request's conversation.
    """
    async with desk.write() as session:
        request = await session.get_one(Request, request_id)
        message = await session.get(Message, message_id)
        if message is None or message.beside_id != request.conversation_id:
            raise BadInput("this message does not stand beside this request", field="message")
        await link_message(session, request_id, message_id)
        await _seen(session, desk, message, agent, "put_to_request", request)


async def leave_out(desk: "Desk", request_id: int, message_id: int, agent: Actor) -> None:
    """A mail beside a thread has nothing to do with it, an agent says. It stays where it is kept."""
    async with desk.write() as session:
        request = await session.get_one(Request, request_id)
        message = await session.get(Message, message_id)
        if message is None or message.beside_id != request.conversation_id:
            raise BadInput("this message does not stand beside this request", field="message")
        await _seen(session, desk, message, agent, "left_out_of_request", request)


async def _seen(
    session: AsyncSession,
    desk: "Desk",
    message: Message,
    agent: Actor,
    action: str,
    request: Request,
) -> None:
    message.waits = False
    session.add(message)
    audit.note(session, desk.clock, agent, action, request=request, thing=f"message:{message.id}")


async def close_conversation(desk: "Desk", conversation_id: int, agent: Actor, reason: str) -> None:
    """There is no right in it: nothing more is to be done."""
    async with desk.write() as session:
        conversation = await session.get_one(Conversation, conversation_id)
        conversation.state = "closed"
        rows = await session.exec(
            select(Message).where(Message.conversation_id == conversation_id, col(Message.waits))
        )
        for message in rows:
            message.waits = False
            session.add(message)
        session.add(conversation)
        audit.note(session, desk.clock, agent, "close_conversation", reason=reason)


async def retry_dead(desk: "Desk", raw_id: int, agent: Actor) -> None:
    """Puts a dead letter back in front of the parser."""
    async with desk.write() as session:
        raw = await session.get_one(RawInbox, raw_id)
        if raw.state != "dead":
            raise StaleMove("this one is not a dead letter any more", field="raw")
        raw.state, raw.attempts, raw.reason = "new", 0, ""
        session.add(raw)
        audit.note(session, desk.clock, agent, "retry_dead", thing=f"raw_inbox:{raw_id}")
        wake(session, "inbox")
