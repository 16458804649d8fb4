"""The desk: everything a deed needs, built once by `intake.serve` and handed to each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import post
from subjectline.handlers.gate import Gate
from subjectline.handlers.registry import Registry
from subjectline.handlers.understanding import Vocabulary
from subjectline.models.clock import Clock
from subjectline.models.datamap import DataMap
from subjectline.models.db import Database
from subjectline.models.keys import Vault


@dataclass(frozen=True)
class Manner:
    """How this desk shows itself: its address, its pages, its regime and language of last resort."""

    address: str = "privacy@desk.test"
    public_url: str = "http://127.0.0.1:8080"
    regime: str = "kr-pipa"
    language: str = "ko"
    extra_holidays: tuple[str, ...] = ()


@dataclass(frozen=True)
class Desk:
    """One desk. `write()` is a step: state, history, holds, audit and letters commit together."""

    db: Database
    vault: Vault
    clock: Clock
    data_map: DataMap
    registry: Registry
    gate: Gate
    vocabulary: Vocabulary
    manner: Manner = field(default_factory=Manner)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A transaction that queues the letters its steps called for, then commits."""
        async with self.db.write() as session:
            yield session
            await post.flush(self, session)
        await self.gate.refresh()
