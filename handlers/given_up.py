"""A decision about a restriction that ends without being applied leaves nothing behind that waits for it."""

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.tables import Request, Restriction
from subjectline.models.workflow import DECISIONS, FINAL


async def restriction(session: AsyncSession, request: Request) -> None:
    """Refused, withdrawn or lapsed: a restriction that was proposed is dropped, one that was to be
    lifted stays in force and may be lifted by another decision."""
    if request.kind not in DECISIONS or request.state not in FINAL - {"done"}:
        return
    proposed = Restriction.request_id == request.id
    for row in await session.exec(select(Restriction).where(proposed)):
        row.state = "dropped" if row.state == "proposed" else row.state
        session.add(row)
    for row in await session.exec(select(Restriction).where(Restriction.lifting_id == request.id)):
        row.lifting_id, row.remedy = None, None
        session.add(row)
