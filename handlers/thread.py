"""The messages of a conversation, opened, with what stands around them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import opaque
from subjectline.handlers.views import FileView, MessageView
from subjectline.models.errors import SealError
from subjectline.models.tables import Message, MessageFile, RequestMessage
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
    """The newest 200 messages of a conversation in their order, marked as this request's or not."""
    rows = await session.exec(
        select(Message)
        .where(Message.conversation_id == conversation_id)
        .order_by(col(Message.id).desc())
        .limit(MOST_MESSAGES)
    )
    kept = rows.all()[::-1]
    links = await session.exec(
        select(RequestMessage).where(RequestMessage.request_id == (request_id or 0))
    )
    linked = {link.message_id: link.source for link in links}
    files = await _files(session, desk, [row.id or 0 for row in kept])
    return tuple(_message(desk, row, linked, files.get(row.id or 0, ())) for row in kept)


def _message(
    desk: "Desk", row: Message, linked: Mapping[int, bool], files: Sequence[FileView]
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
        handle = opaque.hide(desk.vault, "message_file", row.id or 0)
        view = FileView(handle, opened(desk, row.name)[0], row.content_type, row.size)
        found.setdefault(row.message_id, []).append(view)
    return found
