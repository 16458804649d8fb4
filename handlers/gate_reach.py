"""Since when a hold is in force in every form of the gate, written down for the request's page."""

import asyncio
import logging
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers.gate import Gate
from subjectline.handlers.holds import MOVED
from subjectline.models.clock import Clock
from subjectline.models.db import Database
from subjectline.models.tables import GateReach, Hold
from subjectline_client.core import BOUND

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0

# Beside a hold: since when it is in force everywhere.
EVERYWHERE = (
    select(func.min(GateReach.at))
    .where(col(GateReach.revision) >= col(Hold.revision))
    .correlate(Hold)
    .scalar_subquery()
)


class Reach:
    """Writes down since when each revision is in force in every form of the gate: the bound after it
    was first seen committed. Replicas that nobody knows of are past it then, too."""

    def __init__(self, gate: Gate, database: Database, clock: Clock) -> None:
        self._gate, self._database, self._clock = gate, database, clock

    async def run(self) -> None:
        """Until cancelled."""
        noted = 0
        while True:
            if await self._gate.refresh() and (head := self._gate.state.revision) > noted:
                await asyncio.sleep(BOUND)
                await self.note(head)
                noted = head
            await self._database.signals.wait(MOVED, LOOK_SECONDS, "reach")

    async def note(self, revision: int) -> None:
        """That all revisions up to this one are in force everywhere by now."""
        try:
            async with self._database.write() as session:
                if await session.get(GateReach, revision) is None:
                    session.add(GateReach(revision=revision, at=self._clock()))
        except IntegrityError:
            log.debug("another desk has noted revision %s", revision)


async def in_force_since(session: AsyncSession, revision: int) -> datetime | None:
    """Since when a revision is in force everywhere; None while that is not sure yet."""
    found = await session.exec(
        select(func.min(GateReach.at)).where(col(GateReach.revision) >= revision)
    )
    return found.one()
