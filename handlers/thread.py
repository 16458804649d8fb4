"""The messages of a conversation, opened, with what stands around them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement
from sqlalchemy.orm import defer
from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import attachments, opaque
from subjectline.handlers.views import FileView, MessageView
from subjectline.models.errors import SealError
from subjectline.models.tables import Conversation, Message, MessageFile, RequestMessage
from subjectline.models.types import Sealed

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

MOST_MESSAGES = 200


def opened(desk: "Desk", sealed: Sealed | None) -> tuple[str, bool]:
    """Opened text, and whether it is gone because its key was destroyed."""
    try:
        return desk.vault.text(sealed), False
    except SealError:
        return "", True


async def messages(
    session: AsyncSession, desk: "Desk", conversation_id: int, request_id: int | None
) -> tuple[MessageView, ...]:
    """The newest 200 messages of a conversation in their order, marked as this request's or not.

    One that an agent put to the request comes from another conversation, and names its sender.
    """
    links = await session.exec(
        select(RequestMessage).where(RequestMessage.request_id == (request_id or 0))
    )
    linked = {link.message_id: link.source for link in links}
    wanted = or_(Message.conversation_id == conversation_id, col(Message.id).in_(linked))
    return await _views(session, desk, wanted, linked, conversation_id)


async def beside(
    session: AsyncSession, desk: "Desk", conversation_id: int
) -> tuple[MessageView, ...]:
    """What others wrote in answer to letters of this conversation, and nobody has looked at."""
    wanted = and_(col(Message.beside_id) == conversation_id, col(Message.waits))
    return await _views(session, desk, wanted, {}, conversation_id)


async def _views(
    session: AsyncSession,
    desk: "Desk",
    wanted: ColumnElement[bool],
    linked: Mapping[int, bool],
    here: int,
) -> tuple[MessageView, ...]:
    rows = await session.exec(
        select(Message).where(wanted).order_by(col(Message.id).desc()).limit(MOST_MESSAGES)
    )
    kept = rows.all()[::-1]
    files = await _files(session, desk, [row.id or 0 for row in kept])
    others = {row.conversation_id for row in kept} - {here}
    senders = await _senders(session, desk, others)
    return tuple(
        _message(
            desk, row, linked, files.get(row.id or 0, ()), senders.get(row.conversation_id, "")
        )
        for row in kept
    )


async def _senders(session: AsyncSession, desk: "Desk", others: set[int]) -> dict[int, str]:
    if not others:
        return {}
    rows = await session.exec(select(Conversation).where(col(Conversation.id).in_(others)))
    return {row.id or 0: opened(desk, row.contact)[0] for row in rows}


def _message(
    desk: "Desk",
    row: Message,
    linked: Mapping[int, bool],
    files: Sequence[FileView],
    sender: str,
) -> MessageView:
    text, gone = opened(desk, row.text)
    return MessageView(
        direction=row.direction,
        at=row.at,
        door=row.door,
        subject=opened(desk, row.subject)[0],
        text=text,
        rest=opened(desk, row.rest)[0],
        tier=row.tier,
        letter=row.letter,
        language=row.language,
        evidence=row.evidence,
        files=tuple(files),
        source=linked.get(row.id or 0, False),
        linked=row.id in linked,
        waits=row.waits,
        gone=gone,
        handle=opaque.hide(desk.vault, "message", row.id or 0),
        sender=sender,
    )


async def _files(session: AsyncSession, desk: "Desk", ids: list[int]) -> dict[int, list[FileView]]:
    rows = await session.exec(
        select(MessageFile)
        .options(defer(MessageFile.content))  # type: ignore[arg-type]  # papers may be large
        .where(col(MessageFile.message_id).in_(ids))
        .order_by(col(MessageFile.id))
    )
    found: dict[int, list[FileView]] = {}
    for row in rows:
        view = attachments.view(desk, row, opened(desk, row.name)[0])
        found.setdefault(row.message_id, []).append(view)
    return found
