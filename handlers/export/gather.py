"""Gathers a member's rows out of the registry into sealed parts of some hundred kilobytes.

The parts are committed a few at a time, under an export that is still `gathering`; `finished` makes it
ready in the step that closes the request. What a kill left behind is swept by the next try, or by the
timers a day later.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import consents
from subjectline.handlers.export import document
from subjectline.handlers.export.spool import Spool
from subjectline.handlers.registry import Collected
from subjectline.models.tables import Export, ExportPart, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

PARTS = 16  # committed at once, so that other writers get their turn
LIVES = timedelta(days=7)
UNFINISHED = timedelta(days=1)
BEAT = 20.0  # seconds

Beat = Callable[[], Awaitable[None]]


async def still() -> None:
    """No lease to keep."""


async def gather(desk: "Desk", request: Request, beat: Beat = still) -> int:
    """Reads everything that is the member's; returns the id of the export, which is not ready yet.

    `beat` is awaited every 20 seconds, to keep a lease. Raises RegistryError, UnknownMember.
    """
    member = request.subject_id or ""
    spool = Spool(desk.vault, request.key_id)
    try:
        async with _beating(beat):
            found = await desk.registry.export(member, spool.open_file, "jsonl")
            export_id = await _begin(desk, request)
            await _keep(desk, export_id, spool, _places(found))
            await _head(desk, request, export_id, found)
    finally:
        spool.close()
    return export_id


async def finished(session: AsyncSession, desk: "Desk", export_id: int) -> None:
    """The export can be opened from now on, for a week."""
    row = await session.get_one(Export, export_id)
    row.state, row.made_at, row.expires_at = "ready", desk.clock(), desk.clock() + LIVES
    session.add(row)


async def empty(session: AsyncSession, desk: "Desk") -> None:
    """Takes the content out of exports whose time is over, and of those that were never finished."""
    full = col(Export.content).is_not(None) | col(Export.id).in_(select(ExportPart.export_id))
    over = select(Export).where(col(Export.expires_at) < desk.clock(), full)
    for row in (await session.exec(over)).all():
        await session.exec(delete(ExportPart).where(col(ExportPart.export_id) == row.id))
        row.content = None
        session.add(row)


@asynccontextmanager
async def _beating(beat: Beat) -> AsyncIterator[None]:
    async def keep_on() -> None:
        while True:
            await asyncio.sleep(BEAT)
            await beat()

    beating = asyncio.create_task(keep_on())
    try:
        yield
    finally:
        beating.cancel()


def _places(found: Collected) -> dict[str, int]:
    """Tables with rows by their place in the head."""
    return {name: place for place, name in enumerate(document.full(found))}


async def _keep(desk: "Desk", export_id: int, spool: Spool, places: dict[str, int]) -> None:
    sealed = spool.sealed()
    while some := list(islice(sealed, PARTS)):
        async with desk.db.write() as session:
            for part, content in some:
                session.add(
                    ExportPart(
                        export_id=export_id,
                        table=places[part.table],
                        first=part.first,
                        rows=part.rows,
                        content=content,
                    )
                )


async def _begin(desk: "Desk", request: Request) -> int:
    """A new export that is not ready; one that an earlier try left unfinished goes."""
    now = desk.clock()
    async with desk.db.write() as session:
        unfinished = select(Export).where(
            Export.request_id == request.id, Export.state == "gathering"
        )
        for left in (await session.exec(unfinished)).all():
            await session.exec(delete(ExportPart).where(col(ExportPart.export_id) == left.id))
            await session.delete(left)
        row = Export(
            request_id=request.id or 0,
            state="gathering",
            made_at=now,
            expires_at=now + UNFINISHED,
        )
        session.add(row)
        await session.flush()
        return row.id or 0


async def _head(desk: "Desk", request: Request, export_id: int, found: Collected) -> None:
    member = request.subject_id or ""
    await consents.read_in(desk, member)
    head = document.head(
        desk.data_map,
        found,
        await desk.registry.consents(member),
        await consents.ledger(desk, member),
        member=member,
        reference=request.reference,
        kind=request.kind,
        language=request.language,
        gathered_at=desk.clock().isoformat(),
    )
    body = json.dumps(head, ensure_ascii=False)
    async with desk.db.write() as session:
        row = await session.get_one(Export, export_id)
        row.content = desk.vault.seal(request.key_id, "export.content", body)
        row.counts = document.counts(found)
        session.add(row)
