"""An approval binds the export: it is gathered for one proposal and leaves as it was seen, or not at all.

`gathering` -> `proposed` with the proposal -> `ready` with the step that closes the request. What lost
its proposal (void, sent back, three days old) is swept; nothing is ever gathered in its place silently.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, delete, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers.export import document, shelf
from subjectline.handlers.export.gather import LIVES, Beat, Gathered, beating, still
from subjectline.handlers.export.shelf import Head
from subjectline.models.errors import ExportLost, SealError, SpentProof
from subjectline.models.tables import Export, ExportPart, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

# In which states of its request an export that is not ready has something to wait for.
AWAITED = {"gathering": ("open", "waiting"), "proposed": ("proposed", "applying")}


async def bind(session: AsyncSession, request_id: int, gathered: Gathered, until: datetime) -> None:
    """Ties an export to the proposal of this step, until it is too old; any earlier one goes."""
    unfinished = select(Export).where(
        Export.request_id == request_id, col(Export.state).in_(AWAITED)
    )
    for row in (await session.exec(unfinished.with_for_update())).all():
        if row.id == gathered.export_id:
            row.state, row.expires_at = "proposed", until
            session.add(row)
        else:
            await _remove(session, row)


async def approved(
    desk: "Desk", request_id: int, said: Mapping[str, Any] | None, beat: Beat = still
) -> int:
    """The id of the export that an envelope names, after a look at every byte that is kept of it.

    Raises ExportLost where it is gone, or is not what was approved.
    """
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Export)
            .where(Export.request_id == request_id, Export.state == "proposed")
            .order_by(col(Export.id).desc())
            .limit(1)
        )
        row = rows.first()
    head = shelf.read_head(desk, row) if row else None
    if said is None or row is None or head is None:
        raise _lost("the export that was approved is gone")
    try:
        async with beating(beat):
            kept = await _sha256(desk, head)
    except (SpentProof, SealError) as gone:
        raise _lost("a part of the export that was approved is gone or was changed") from gone
    if kept != said["sha256"] or row.counts != said["tables"]:
        raise _lost("the export is not the one that was approved")
    return head.export_id


async def _sha256(desk: "Desk", head: Head) -> str:
    """The same as at its gathering, from what is kept, a part at a time."""
    rows = list[str]()
    for place in range(len(head.tables)):
        made = hashlib.sha256()
        async for lines in shelf.parts(desk, head, place):
            made.update(lines)
        rows.append(made.hexdigest())
    return document.sha256(head.body, rows)


def _lost(rule: str) -> ExportLost:
    return ExportLost(rule, field="export", remedy="Propose anew: it is gathered again.")


async def finished(session: AsyncSession, desk: "Desk", export_id: int) -> None:
    """The export can be opened from now on, for a week."""
    row = await session.get_one(Export, export_id)
    row.state, row.expires_at = "ready", desk.clock() + LIVES
    session.add(row)


async def empty(session: AsyncSession, desk: "Desk") -> None:
    """Takes the content out of exports whose time is over, and away what waits for no decision."""
    full = col(Export.content).is_not(None) | col(Export.id).in_(select(ExportPart.export_id))
    ready = select(Export).where(
        Export.state == "ready", col(Export.expires_at) < desk.clock(), full
    )
    for row in (await session.exec(ready)).all():
        await session.exec(delete(ExportPart).where(col(ExportPart.export_id) == row.id))
        row.content = None
        session.add(row)
    waiting = select(Export).join(Request, col(Request.id) == col(Export.request_id))
    waiting = waiting.where(_in_vain(desk.clock())).with_for_update(of=Export)
    for row in (await session.exec(waiting)).all():
        await _remove(session, row)


def _in_vain(now: datetime) -> ColumnElement[bool]:
    """Not ready, and nobody waits for it any more; one that is being applied has no end."""
    over = and_(col(Export.expires_at) < now, col(Request.state) != "applying")
    return or_(
        *(
            and_(col(Export.state) == state, or_(over, col(Request.state).not_in(states)))
            for state, states in AWAITED.items()
        )
    )


async def _remove(session: AsyncSession, row: Export) -> None:
    await session.exec(delete(ExportPart).where(col(ExportPart.export_id) == row.id))
    await session.delete(row)
