"""Who was told, as the member's own letter says it: what truly left by the time the letter leaves."""

from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import facts as wording
from subjectline.handlers.words import day, word
from subjectline.models.tables import Telling

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

PENDING = ("due", "hand", "failed")


async def told(session: AsyncSession, desk: "Desk", request_id: int, language: str) -> str:
    """Recipients, each with the day on which it was last told, or that it is being told; one line."""
    rows = await session.exec(
        select(Telling).where(Telling.request_id == request_id).order_by(col(Telling.id))
    )
    when: dict[str, str] = {}
    for row in rows:
        recipient = desk.data_map.recipients.get(row.recipient)
        if recipient is None:
            continue
        name = recipient.labels.text(language)
        if row.sent_at is not None:
            when[name] = day(wording.local_day(desk, row.sent_at), language)
        elif row.outcome in PENDING:
            when.setdefault(name, word("told", "waits", language))
    line = ", ".join(f"{name} ({at})" for name, at in when.items())
    return line or word("told", "nobody", language)
