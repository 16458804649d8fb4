"""What a person was last asked about their request."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.tables import History, Request


async def asked(session: AsyncSession, request: Request) -> tuple[str, list[str]]:
    """The newest question put to the person, and the fields it was about."""
    last = await last_asked(session, request)
    if last is None:
        return "", []
    return str(last.facts.get("question", "")), list(last.facts.get("fields", []))


async def last_asked(session: AsyncSession, request: Request) -> History | None:
    """The step at which the person was last asked something."""
    rows = await session.exec(
        select(History)
        .where(History.request_id == request.id, col(History.event).in_(("ask", "clarify")))
        .order_by(col(History.version).desc())
        .limit(1)
    )
    return rows.first()
