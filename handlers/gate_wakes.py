"""Who waits for a hold or a release hears of the commit: in process, or over PostgreSQL's NOTIFY.

Only a wake-up. It may be lost or come late; nothing is ever taken as fresh because of it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from subjectline.handlers.holds import CHANNEL, MOVED
from subjectline.models.db import Database

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
TRY_SECONDS = 30.0  # between two looks whether the connection still answers
ANSWER_SECONDS = 5.0


@asynccontextmanager
async def heard(database: Database) -> AsyncIterator[None]:
    """Inside of it, `MOVED` of this database's signals is set by commits of other processes too.

    On SQLite there is nobody to tell of those.
    """
    if database.embedded:
        yield
        return
    listening = asyncio.create_task(_listen(database))
    try:
        yield
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


async def _listen(database: Database) -> None:
    """Holds a connection of its own, and another one when that is lost."""
    engine = create_async_engine(database.url, poolclass=NullPool, hide_parameters=True)
    while True:
        try:
            async with engine.connect() as connection:
                await _hear(connection, database)
        except (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.info("the gate's wake-ups are away (%s)", type(error).__name__)
        await asyncio.sleep(RETRY_SECONDS)


async def _hear(connection: AsyncConnection, database: Database) -> None:
    """Until the connection is lost. What came before it was there is looked for at once."""
    raw: Any = (await connection.get_raw_connection()).driver_connection
    lost = asyncio.Event()
    raw.add_termination_listener(lambda _: lost.set())
    await raw.add_listener(CHANNEL, lambda *_: database.signals.set(MOVED))
    database.signals.set(MOVED)
    while not lost.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(TRY_SECONDS):
                await lost.wait()
        if not lost.is_set():
            await raw.execute("SELECT 1", timeout=ANSWER_SECONDS)
