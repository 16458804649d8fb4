"""Which letter of ours a mail answers: our signed reply address, our Message-IDs, our reference.

Being part of a thread proves nothing. A mail from somebody else than the thread's person waits beside
it for an agent; what it asks for in its own right is a request of its own, with proof of its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers.post import read_thread_token
from subjectline.models.incoming import Door, Incoming
from subjectline.models.references import is_reference
from subjectline.models.tables import Challenge, Outbox, Request, SentMessage

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

REFERENCE = re.compile(r"(?<![A-Za-z0-9-])SL-[0-9A-HJKMNP-TV-Z]{9}(?![A-Za-z0-9])", re.IGNORECASE)
MOST = 20  # parents looked up: a thread of years names hundreds


@dataclass(frozen=True)
class Thread:
    """A conversation that a mail answers. `by`: reply_address, message_id or reference."""

    conversation_id: int
    by: str
    request_id: int | None = None


async def find(session: AsyncSession, desk: "Desk", incoming: Incoming) -> Thread | None:
    """The thread that a mail belongs to, the surest sign first; None where it answers nothing.

    A reply address names the conversation alone; the weaker signs may name the request in it.
    """
    if incoming.door is not Door.MAIL:
        return None
    surest = await _by_address(session, desk, incoming.reply_token)
    weaker = await _by_parents(session, incoming) or await _by_reference(session, incoming.subject)
    if surest is None or weaker is None or surest.conversation_id != weaker.conversation_id:
        return surest or weaker
    return replace(surest, request_id=weaker.request_id)


def named(requests: Sequence[Request], thread: Thread | None) -> Request | None:
    """The one of these requests that the thread names."""
    wanted = thread.request_id if thread else None
    return next((request for request in requests if request.id == wanted), None)


async def _by_address(session: AsyncSession, desk: "Desk", token: str) -> Thread | None:
    number = read_thread_token(desk, token)
    if number is not None:
        return Thread(number, "reply_address")
    if not token.startswith("v"):
        return None
    rows = await session.exec(
        select(Challenge.conversation_id).where(
            Challenge.token_hash == desk.vault.keyed_hash("reply", token)
        )
    )
    found = rows.first()
    return None if found is None else Thread(found, "reply_address")


async def _by_parents(session: AsyncSession, incoming: Incoming) -> Thread | None:
    """In-Reply-To first, then References from the newest (RFC 5322, 3.6.4)."""
    parents = [p for p in (incoming.in_reply_to, *reversed(incoming.references)) if p]
    if not parents:
        return None
    wanted = list(dict.fromkeys(parents))[:MOST]
    rows = await session.exec(
        select(SentMessage.rfc_message_id, SentMessage.conversation_id, Outbox.request_id)
        .outerjoin(Outbox, col(Outbox.rfc_message_id) == col(SentMessage.rfc_message_id))
        .where(col(SentMessage.rfc_message_id).in_(wanted))
        .where(col(SentMessage.conversation_id).is_not(None))
    )
    found = {row[0]: row for row in rows}
    for parent in wanted:
        if parent in found:
            _, conversation, request = found[parent]
            return Thread(conversation or 0, "message_id", request)
    return None


async def _by_reference(session: AsyncSession, subject: str) -> Thread | None:
    """`SL-…` in the subject: where the mail server knows no plus addresses, and for new mails."""
    seen = [one.upper() for one in REFERENCE.findall(subject)][:MOST]
    wanted = [reference for reference in seen if is_reference(reference)]
    if not wanted:
        return None
    rows = await session.exec(
        select(Request.id, Request.conversation_id)
        .where(col(Request.reference).in_(wanted))
        .order_by(col(Request.id).desc())
        .limit(1)
    )
    found = rows.first()
    return None if found is None else Thread(found[1], "reference", found[0])
