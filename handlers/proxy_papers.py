"""The uploaded papers of proxies: destroyed some days after the decision, unless a legal hold stops it."""

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, legal_holds
from subjectline.models.files import Apart
from subjectline.models.tables import Mandate, MessageFile, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

DECIDED = ("accepted", "refused", "stopped")


async def destroy_due(desk: "Desk") -> int:
    """Takes away the content of every paper whose mandate was decided `attachments.mandate_days` ago.

    Name and size stay, as with a file that an agent destroys. Returns how many went.
    """
    before = desk.clock() - timedelta(days=desk.files.mandate_days)
    async with desk.write() as session:
        rows = await session.exec(
            select(Mandate)
            .where(col(Mandate.state).in_(DECIDED), col(Mandate.decided_at) <= before)
            .where(col(Mandate.file_id).is_not(None), col(Mandate.paper_gone_at).is_(None))
        )
        held = await legal_holds.in_force(session, desk)
        gone = [await _destroy(session, desk, mandate, held) for mandate in rows]
    if any(gone):
        await desk.db.scrub()
    return sum(gone)


async def _destroy(
    session: AsyncSession, desk: "Desk", mandate: Mandate, held: legal_holds.Held
) -> bool:
    request = await session.get(Request, mandate.request_id)
    if held.keeps_member(mandate.subject_id) or (request is not None and held.keeps(request)):
        return False
    file = await session.get(MessageFile, mandate.file_id)
    if file is not None and file.content is not None:
        file.content = None
        file.apart = [*file.apart, Apart.DESTROYED.value]
        session.add(file)
    mandate.paper_gone_at = desk.clock()
    session.add(mandate)
    subject = (mandate.registry_id, mandate.subject_id)
    thing = f"mandate:{mandate.id}"
    audit.note(
        session, desk.clock, audit.SYSTEM, "proxy_paper_destroyed", subject=subject, thing=thing
    )
    return True
