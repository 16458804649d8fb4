"""The holds as the gate's core wants them, read from the desk's database: plain columns, no objects.

Only columns that have been there for long are named, so that a gate goes on over a database which a
newer desk is migrating.
"""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from sqlalchemy import or_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.tables import Hold
from subjectline_client import core
from subjectline_client.core import Event, events_of

_READ = select(
    col(Hold.id), col(Hold.registry_id), col(Hold.subject_id), col(Hold.fields),
    col(Hold.purposes), col(Hold.recipients), col(Hold.cause),
    col(Hold.revision), col(Hold.ended_revision), col(Hold.started_at), col(Hold.ended_at),
)  # fmt: skip


def mark(rows: Iterable[Any], revision: int) -> str:
    """Names a revision by when it did what, to the microsecond: a database that was restored gives the
    same number to something else. Empty if nothing is known of it.

    Neither rows' ids nor members go into it: a short text can be found from its hash.
    """
    rows = list(rows)
    did = sorted(
        [f"+{row.started_at.timestamp()}" for row in rows if row.revision == revision]
        + [
            f"-{row.ended_at.timestamp()}"
            for row in rows
            if row.ended_revision == revision and row.ended_at
        ]
    )
    return blake2b("\n".join(did).encode(), digest_size=12).hexdigest() if did else ""


async def mark_of(session: AsyncSession, revision: int) -> str:
    """The mark of a revision as the database has it now."""
    these = or_(col(Hold.revision) == revision, col(Hold.ended_revision) == revision)
    rows = await (await session.connection()).execute(_READ.where(these))
    return mark(rows.all(), revision)


async def same(session: AsyncSession, revision: int, known: str) -> bool:
    """Whether the revision did what it did when its mark was `known`. After a backup was put back, its
    number is given again."""
    return known == await mark_of(session, revision)


async def in_force(session: AsyncSession, registry: str, head: int) -> list[core.Hold]:
    """The holds of a registry that were in force at revision `head`."""
    ended = col(Hold.ended_revision)
    ours = (col(Hold.registry_id) == registry, col(Hold.revision) <= head)
    wanted = _READ.where(*ours, or_(ended.is_(None), ended > head))
    return [_compiled(row) for row in await (await session.connection()).execute(wanted)]


async def happened(session: AsyncSession, registry: str, known: int, head: int) -> list[Event]:
    """What each revision above `known` and up to `head` did, with the holds of one registry only."""
    later = or_(col(Hold.revision) > known, col(Hold.ended_revision) > known)
    rows = (await (await session.connection()).execute(_READ.where(later))).all()
    started = [(row.revision, _compiled(row)) for row in rows]
    ended = [(row.ended_revision or 0, row.id) for row in rows]
    ours = {row.id for row in rows if row.registry_id == registry}
    return [
        replace(event, placed=tuple(hold for hold in event.placed if hold.id in ours))
        for event in events_of(started, ended, known, head)
    ]


def _compiled(row: Any) -> core.Hold:
    lists = (tuple(row.fields), tuple(row.purposes), tuple(row.recipients))
    return core.Hold(row.id, row.subject_id, *lists, row.cause)
