"""Receipts: when a person first opened what they had asked for, and took each kind of file."""

from typing import TYPE_CHECKING

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.handlers.audit import Actor
from subjectline.handlers.requests import witness
from subjectline.models.tables import Export, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

FORMS = ("page", "pdf", "archive", "json")


async def note(session: AsyncSession, desk: "Desk", export_id: int, form: str, who: Actor) -> None:
    """Writes the audit row of an opening; the first of each form is also a fact of the history."""
    export = await session.get_one(Export, export_id)
    rows = await session.exec(
        select(Request)
        .where(Request.id == export.request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    request = rows.one()
    audit.note(session, desk.clock, who, "export_open", request=request, form=form)
    if form in export.receipts:
        return
    now = desk.clock()
    export.receipts = {**export.receipts, form: now.isoformat()}
    export.opened_at = export.opened_at or now
    session.add(export)
    await witness(session, desk, request, "receipt", who, reason=f"receipt_{form}")
