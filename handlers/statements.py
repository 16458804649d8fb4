"""What a member says against a refused correction, in their own words, kept beside the field.

The person writes it ("then please note that I disagree: …") after the refusal, or an agent enters it
when refusing. It is sealed with the request, goes when the case file goes, and stands in an export of
the member's data beside the fields that stayed as they were.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.handlers.audit import Actor
from subjectline.handlers.belonging import link_message
from subjectline.handlers.post import read_thread_token
from subjectline.models.errors import BadInput
from subjectline.models.incoming import Door, Incoming, Tier
from subjectline.models.tables import Conversation, Message, Proposal, Request, Statement

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

LONGEST = 4000  # characters
PLACE = "statement.text"
_EN = re.compile(
    r"\b(?:note|record|state|add|attach|keep|put)\b[^.!?\n]{0,60}\b(?:i (?:still )?(?:disagree|dispute"
    r"|contest|do(?:n't| not) agree)|my (?:own )?(?:statement|disagreement|side|view))\b",
    re.IGNORECASE,
)
_KO = re.compile(
    r"(?:동의하지\s*않|동의\s*못|인정하지\s*않|이의가\s*있|의견이\s*다르|사실과\s*다르)[^.!?\n]{0,30}"
    r"(?:기록|적어|남겨|표시|첨부|덧붙|함께\s*보관)"
    r"|(?:의견|진술|소명)(?:서|을|를|도)?\s*[^.!?\n]{0,20}(?:기록해|남겨|첨부해|덧붙여|함께\s*보관)"
)


@dataclass(frozen=True)
class StatementView:
    """One statement, opened. `account` entered it: the member, or an agent for them."""

    text: str
    fields: tuple[str, ...]
    at: datetime
    door: str
    account: str


def is_statement(text: str) -> bool:
    """Whether a message asks to have the person's disagreement put on record."""
    return bool(_EN.search(text) or _KO.search(text))


async def take(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    message: Message,
    incoming: Incoming,
) -> bool:
    """Keeps a message as a statement on the conversation's newest refused correction, where it is one
    and its sender is believed. An agent sees it as well."""
    if not is_statement(incoming.text) or not _believed(desk, conversation, incoming):
        return False
    request = await _refused(session, conversation)
    if request is None:
        return False
    await _keep(session, desk, request, incoming.text, incoming.door, audit.MEMBER)
    await link_message(session, request.id or 0, message.id or 0)
    message.waits, conversation.state = True, "unsorted"
    session.add_all((message, conversation))
    return True


def _believed(desk: "Desk", conversation: Conversation, incoming: Incoming) -> bool:
    """A chat; a mail that aligns, or one to the reply address of a letter of this conversation."""
    if incoming.door is not Door.MAIL or incoming.tier is Tier.ALIGNED:
        return True
    if incoming.tier is Tier.FAILED:
        return False
    return read_thread_token(desk, incoming.reply_token) == conversation.id


async def _refused(session: AsyncSession, conversation: Conversation) -> Request | None:
    """The newest correction of the conversation that was refused, in part or as a whole."""
    partial = select(Proposal.request_id).where(
        Proposal.outcome == "partial", Proposal.state == "spent"
    )
    rows = await session.exec(
        select(Request)
        .where(
            Request.conversation_id == conversation.id,
            Request.kind == "correction",
            col(Request.subject_id).is_not(None),
            or_(Request.state == "refused", col(Request.id).in_(partial)),
        )
        .order_by(col(Request.id).desc())
        .limit(1)
    )
    return rows.first()


async def enter(
    session: AsyncSession, desk: "Desk", request: Request, text: str, agent: Actor
) -> None:
    """What an agent enters for the person when refusing; replaces what agents entered before.

    Raises BadInput for a right that is no correction, or too long a text.
    """
    text = text.strip()
    if request.kind != "correction" or len(text) > LONGEST:
        raise BadInput(
            f"a statement belongs to a refused correction and has at most {LONGEST} characters",
            field="statement",
            remedy="Leave it empty, or shorten it in the person's own words.",
        )
    entered = (col(Statement.request_id) == request.id, col(Statement.door) == "console")
    await session.exec(delete(Statement).where(*entered))
    await _keep(session, desk, request, text, "console", agent)


async def _keep(
    session: AsyncSession, desk: "Desk", request: Request, text: str, door: str, actor: Actor
) -> None:
    sealed = desk.vault.seal(request.key_id, PLACE, text[:LONGEST])
    session.add(
        Statement(
            request_id=request.id or 0,
            text=sealed,
            fields=list(request.fields),
            door=door,
            account=actor.account,
            at=desk.clock(),
        )
    )
    audit.note(session, desk.clock, actor, "statement", request=request)


async def of_request(desk: "Desk", request_id: int) -> tuple[StatementView, ...]:
    """The statements of one request, oldest first."""
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Statement).where(Statement.request_id == request_id).order_by(col(Statement.id))
        )
        return tuple(_opened(desk, row) for row in rows)


async def of_member(desk: "Desk", member: str) -> list[StatementView]:
    """Those that stand: on corrections that were refused, in part or as a whole."""
    decided = (Request.subject_id == member, col(Request.state).in_(("refused", "done")))
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Statement)
            .join(Request, col(Statement.request_id) == col(Request.id))
            .where(*decided)
            .order_by(col(Statement.id))
        )
        return [_opened(desk, row) for row in rows]


def _opened(desk: "Desk", row: Statement) -> StatementView:
    text = desk.vault.text(row.text)
    return StatementView(text, tuple(row.fields), row.at, row.door, row.account)


def put_beside(head: dict[str, Any], said: Sequence[StatementView]) -> None:
    """Writes each statement to the columns of its fields, in the head of an export."""
    for table in head["tables"]:
        for column in table["columns"]:
            beside = [
                {"text": one.text, "at": one.at.isoformat()}
                for one in said
                if column["field"] in one.fields
            ]
            if beside:
                column["statements"] = beside
