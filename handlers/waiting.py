"""Why a conversation waits for an agent: what its messages, requests and letters say, by key.

The keys have their words in templates/console/words.yaml (`waits.<key>`). Nothing is kept for them, so
that a reason is gone with what caused it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import contested, identity
from subjectline.handlers.identity_limits import FAILED_OFTEN, TRIES
from subjectline.handlers.recipients import later_than
from subjectline.models.incoming import Contact, Door, Outcome
from subjectline.models.tables import (
    Challenge,
    Conversation,
    History,
    Message,
    Outbox,
    Request,
    ReturnedLetter,
    Telling,
)
from subjectline.models.workflow import FINAL

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

ORDER = (
    "stopped",
    "recipient",
    "identity_failed",
    "too_many_codes",
    "other_proof",
    "flood",
    "answered_enough",
    "oversized",
    "held",
    "beside",
    "contested",
    "not_sent",
    "has_open",
    "codes_spent",
    "not_understood",
)


async def reasons(
    session: AsyncSession, desk: "Desk", conversations: Sequence[Conversation]
) -> dict[int, tuple[str, ...]]:
    """Conversation id -> the keys of ORDER that hold for it, never none."""
    ids = [row.id or 0 for row in conversations]
    found: dict[int, set[str]] = defaultdict(set)
    requests = await _open_requests(session, ids)
    doors = {row.id: row for row in conversations}
    for request in requests:
        talk = doors[request.conversation_id]
        if _never_challenged(desk, talk, request):
            found[request.conversation_id].add("too_many_codes")
    by_key = {
        "other_proof": await _asked_for_papers(session, requests),
        "stopped": await _stopped(session, requests),
        "identity_failed": await _failed_often(session, desk, ids),
        "not_sent": await _not_sent(session, ids),
        "contested": await _contested(session, ids),
        "recipient": await _recipient_silent(session, ids),
    }
    for key, numbers in by_key.items():
        for number in numbers:
            found[number].add(key)
    busy = {request.conversation_id for request in requests}
    for message in await _waiting_messages(session, ids):
        number = message.conversation_id
        found[number].add(_of_message(message, busy=number in busy))
    unproven = {r.conversation_id for r in requests if r.state in ("received", "verifying")}
    for number in unproven - found.keys():
        found[number].add("codes_spent")
    return {n: tuple(k for k in ORDER if k in found[n]) or ("not_understood",) for n in ids}


async def unchallenged(desk: "Desk", limit: int) -> list[Request]:
    """Mail requests that got no code because their asker had had too many, oldest first.

    A chat is not among them: the address that it named is not kept, so the person names it again.
    """
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Request, Conversation)
            .join(Conversation, col(Conversation.id) == col(Request.conversation_id))
            .where(Request.state == "received", Request.kind != "unclear")
            .where(Conversation.door == Door.MAIL, Conversation.state != "closed")
            .where(col(Request.due_at) >= desk.clock())
            .order_by(col(Request.id))
            .limit(limit)
        )
        return [request for request, talk in rows if _never_challenged(desk, talk, request)]


async def challenge_late(desk: "Desk", request: Request) -> bool:
    """Sends the code that a request still has to get, once its asker may have one again.

    All requests of its group go with it. The conversation leaves the agents' list where nothing else
    waits in it. Raises RegistryAway, and StaleMove where somebody was faster.
    """
    if not await _may_have_one(desk, request.conversation_id):
        return False
    known = await identity.known_of(desk, request.conversation_id)
    async with desk.write() as session:
        talk = await session.get_one(Conversation, request.conversation_id)
        group = [
            one
            for one in await identity.group_of(session, request.group_id)
            if _never_challenged(desk, talk, one)
        ]
        if not group or await _too_many(session, desk, talk):
            return False
        contact = Contact(talk.contact_kind, desk.vault.text(talk.contact))
        await identity.challenge(session, desk, talk, group, contact, known)
        await leave_the_list(session, desk, talk)
    return True


async def _too_many(session: AsyncSession, desk: "Desk", talk: Conversation) -> bool:
    """Whoever asked: nobody knows any more how far the mail was believed."""
    return await identity.too_many(session, desk, talk) or await identity.too_many(
        session, desk, talk, "aligned"
    )


async def _may_have_one(desk: "Desk", conversation_id: int) -> bool:
    async with desk.db.read() as session:
        talk = await session.get_one(Conversation, conversation_id)
        return not await _too_many(session, desk, talk)


async def leave_the_list(session: AsyncSession, desk: "Desk", talk: Conversation) -> None:
    """Nothing to sort where what has just come was the only thing that was missing."""
    await session.flush()
    waits = await _waiting_messages(session, [talk.id or 0])
    requests = await _open_requests(session, [talk.id or 0])
    lacking = any(_never_challenged(desk, talk, one) for one in requests)
    ids = [talk.id or 0]
    other = await _asked_for_papers(session, requests) or await _not_sent(session, ids)
    other = other or await _recipient_silent(session, ids) or await _contested(session, ids)
    if talk.state == "unsorted" and not waits and not lacking and not other:
        talk.state = "quiet"
        session.add(talk)


def _never_challenged(desk: "Desk", talk: Conversation, request: Request) -> bool:
    """By mail a known right is challenged as it comes, but where its own contact cannot prove it."""
    if talk.door != Door.MAIL or request.state != "received" or request.kind == "unclear":
        return False
    return not identity.contested(desk, request, Contact(talk.contact_kind, ""))


def _of_message(message: Message, *, busy: bool) -> str:
    if message.rule in ("flood", "answered_enough", "oversized"):
        return message.rule
    if message.beside_id is not None:
        return "beside"
    if message.outcome in (Outcome.HOLD, Outcome.DEAD):
        return "held"
    return "has_open" if busy else "not_understood"


async def _open_requests(session: AsyncSession, ids: Iterable[int]) -> list[Request]:
    rows = await session.exec(
        select(Request)
        .where(col(Request.conversation_id).in_(ids), col(Request.state).not_in(FINAL))
        .order_by(col(Request.id))
    )
    return list(rows)


async def _asked_for_papers(session: AsyncSession, requests: Sequence[Request]) -> set[int]:
    """Conversations of requests that only papers or a call can prove."""
    early = {r.id: r.conversation_id for r in requests if r.state == "received" and r.clarified}
    rows = await session.exec(
        select(History).where(col(History.request_id).in_(early), History.event == "clarify")
    )
    return {early[row.request_id] for row in rows if row.facts.get("question") == "other_proof"}


async def _stopped(session: AsyncSession, requests: Sequence[Request]) -> set[int]:
    """Conversations of requests that a contact of the member has stopped."""
    open_ones = {r.id: r.conversation_id for r in requests if r.kind == "correction"}
    rows = await session.exec(
        select(History.request_id).where(
            col(History.request_id).in_(open_ones), History.event == "stop"
        )
    )
    return {open_ones[number] for number in rows}


async def _failed_often(session: AsyncSession, desk: "Desk", ids: Iterable[int]) -> set[int]:
    """Conversations in which codes were tried until they were spent, three within a day."""
    since = desk.clock() - timedelta(days=1)
    rows = await session.exec(
        select(Challenge.conversation_id)
        .where(col(Challenge.conversation_id).in_(ids), col(Challenge.tries) >= TRIES)
        .where(col(Challenge.made_at) > since)
        .group_by(col(Challenge.conversation_id))
        .having(func.count() >= FAILED_OFTEN)
    )
    return set(rows)


async def _not_sent(session: AsyncSession, ids: Iterable[int]) -> set[int]:
    rows = await session.exec(
        select(Outbox.conversation_id)
        .where(col(Outbox.conversation_id).in_(ids), Outbox.outcome == "failed")
        .distinct()
    )
    return set(rows)


async def _contested(session: AsyncSession, ids: Iterable[int]) -> set[int]:
    """Conversations of which a letter was not sent to a contested contact, and nobody has told the person."""
    rows = await session.exec(
        select(ReturnedLetter.conversation_id)
        .where(col(ReturnedLetter.conversation_id).in_(ids), ReturnedLetter.state == "waits")
        .where(ReturnedLetter.cause == contested.REASON)
    )
    return {number for number in rows if number is not None}


async def _recipient_silent(session: AsyncSession, ids: Iterable[int]) -> set[int]:
    """Conversations of requests about which a recipient of the data could not be told, or is silent."""
    rows = await session.exec(
        select(Request.conversation_id)
        .join(Telling, col(Telling.request_id) == col(Request.id))
        .where(col(Request.conversation_id).in_(ids), col(Telling.task_at).is_not(None))
        .where(~later_than(Telling))
        .distinct()
    )
    return set(rows)


async def _waiting_messages(session: AsyncSession, ids: Iterable[int]) -> list[Message]:
    rows = await session.exec(
        select(Message).where(col(Message.conversation_id).in_(ids), col(Message.waits))
    )
    return list(rows)
