"""Gathers a member's rows out of the registry into sealed parts of some hundred kilobytes.

The parts are committed a few at a time, under an export that is still `gathering` and that nobody sees;
`binding` ties it to a proposal. What a kill left behind goes with the next proposal, or a day later.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import consents, statements
from subjectline.handlers.export import document
from subjectline.handlers.export.spool import Spool
from subjectline.handlers.registry import Collected
from subjectline.models.errors import StaleMove
from subjectline.models.tables import Export, ExportPart, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

PARTS = 16  # committed at once, so that other writers get their turn
LIVES = timedelta(days=7)
UNFINISHED = timedelta(days=1)
BEAT = 20.0  # seconds

Beat = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Gathered:
    """An export that nobody sees yet: its id, its SHA-256 and what an agent may know, by table."""

    export_id: int
    sha256: str
    counts: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """How it stands in the envelope of a proposal."""
        return {"sha256": self.sha256, "tables": self.counts}


async def still() -> None:
    """No lease to keep."""


async def gather(desk: "Desk", request: Request, beat: Beat = still) -> Gathered:
    """Reads everything that is the member's, once, and hashes it on its way.

    `beat` is awaited every 20 seconds, to keep a lease. Raises RegistryError, UnknownMember, and
    StaleMove where somebody else's proposal was faster.
    """
    member = request.subject_id or ""
    spool = Spool(desk.vault, request.key_id)
    try:
        async with beating(beat):
            found = await desk.registry.export(member, spool.open_file, "jsonl")
            export_id = await _begin(desk, request)
            await _keep(desk, export_id, spool, _places(found))
            head = await _head(desk, request, export_id, found)
    finally:
        spool.close()
    rows = [spool.sha256(name) for name in document.full(found)]
    return Gathered(export_id, document.sha256(head, rows), document.counts(found))


@asynccontextmanager
async def beating(beat: Beat) -> AsyncIterator[None]:
    """Awaits `beat` every 20 seconds as long as the work inside takes."""

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
            await _still_there(session, export_id)
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
    """A new export that nobody sees."""
    now = desk.clock()
    async with desk.db.write() as session:
        row = Export(
            request_id=request.id or 0,
            state="gathering",
            made_at=now,
            expires_at=now + UNFINISHED,
        )
        session.add(row)
        await session.flush()
        return row.id or 0


async def _still_there(session: AsyncSession, export_id: int) -> Export:
    """The row, which nobody takes away before the commit."""
    row = await session.get(Export, export_id, with_for_update=True)
    if row is None:
        raise StaleMove(
            "another proposal was faster, and what was gathered for this one is gone",
            field="version",
            remedy="Load it again and look at what changed.",
        )
    return row


async def _head(desk: "Desk", request: Request, export_id: int, found: Collected) -> dict[str, Any]:
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
    statements.put_beside(head, await statements.of_member(desk, member))
    body = json.dumps(head, ensure_ascii=False)
    async with desk.db.write() as session:
        row = await _still_there(session, export_id)
        row.content = desk.vault.seal(request.key_id, "export.content", body)
        row.counts = document.counts(found)
        session.add(row)
    return head
