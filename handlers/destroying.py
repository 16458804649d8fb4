"""The desk's own files, destroyed: keys first, so that no copy opens any more, then the rows.

What is left of a request is its reference, kind, state and days, without a person. Killed between key
and rows, the next run finds it again: a row whose `key_id` is empty was destroyed.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Table, delete, func, select, update
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.errors import SealError, SubjectlineError
from subjectline.models.tables import Conversation, Hold, Request, ReturnedLetter

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

AT_ONCE = 50
# What outlives a request's files, each by a rule of its own or because it is still in force.
OUTLIVES = frozenset(
    {
        "audit",
        "certificate",
        "consent_entry",
        "hold",
        "legal_hold",
        "outbox",
        "paper",
        "request",
        "restriction",
    }
)


async def requests(desk: "Desk", ids: Sequence[int]) -> int:
    """Destroys the files of requests: wishes, proposals, proofs, exports, history. Returns how many."""
    done = 0
    for some in _batches(ids):
        async with desk.db.write() as session:
            which = col(Request.id).in_(some)
            await _destroy_keys(session, desk, select(col(Request.key_id)).where(which))
            await _delete_children(session, "request", which, OUTLIVES)
            await session.exec(
                update(Request)
                .where(which)
                .values(
                    key_id="",
                    wish=None,
                    fields=[],
                    derivation=[],
                    ground="",
                    registry_id=None,
                    subject_id=None,
                )
            )
            done += len(some)
    return done


async def conversations(desk: "Desk", ids: Sequence[int]) -> int:
    """Destroys conversations with every message, letter and file in them. Returns how many."""
    done = 0
    for some in _batches(ids):
        async with desk.db.write() as session:
            which = col(Conversation.id).in_(some)
            await _destroy_keys(session, desk, select(col(Conversation.key_id)).where(which))
            await _delete_children(session, "conversation", which, frozenset({"request"}))
            for number in some:
                await _empty_conversation(session, number)
            done += len(some)
    return done


async def rows(desk: "Desk", table: type[Any], ids: Sequence[int]) -> int:
    """Deletes rows of one table with what hangs on them, and looks that none is left.

    Returns how many. Raises SubjectlineError where some are still there.
    """
    gone = 0
    for some in _batches(ids, 500):
        which = col(table.id).in_(some)
        async with desk.db.write() as session:
            await _delete_children(session, table.__tablename__, which, frozenset())
            gone += (await session.exec(delete(table).where(which))).rowcount
        await _none_left(desk, table, which)
    return gone


async def returned_letters(desk: "Desk", ids: Sequence[int]) -> int:
    """Destroys how people were told whose letters came back: the key of each entry, then the rows."""
    for some in _batches(ids):
        async with desk.db.write() as session:
            wanted = select(col(ReturnedLetter.key_id)).where(col(ReturnedLetter.id).in_(some))
            await _destroy_keys(session, desk, wanted)
    return await rows(desk, ReturnedLetter, ids)


async def holds(desk: "Desk", ids: Sequence[int]) -> int:
    """Takes the person out of ended holds; the rows stay, or the gate's revisions would have gaps."""
    done = 0
    for some in _batches(ids, 500):
        which = col(Hold.id).in_(some)
        async with desk.db.write() as session:
            ended = update(Hold).where(which, col(Hold.ended_revision).is_not(None))
            done += (await session.exec(ended.values(subject_id="", fields=[]))).rowcount
    return done


async def _none_left(desk: "Desk", table: type[Any], which: ColumnElement[bool]) -> None:
    async with desk.db.read() as session:
        left = select(func.count()).select_from(table).where(which)
        if await (await session.connection()).scalar(left):
            raise SubjectlineError("rows were deleted, but are still there", field="database")


async def _empty_conversation(session: AsyncSession, number: int) -> None:
    await session.exec(
        update(Conversation)
        .where(col(Conversation.id) == number)
        .values(
            key_id="",
            contact=None,
            contact_index=os.urandom(32),
            dialog=None,
            registry_id=None,
            subject_id=None,
            state="closed",
        )
    )


async def _destroy_keys(session: AsyncSession, desk: "Desk", wanted: Any) -> None:
    now: datetime = desk.clock()
    for key_id in (await session.exec(wanted)).scalars().all():
        if key_id:
            desk.vault.destroy(key_id, now)
            if not desk.vault.gone(key_id):
                raise SealError("a key was destroyed and is still there", field="keys.store")


async def _delete_children(
    session: AsyncSession, parent: str, which: ColumnElement[bool], spared: frozenset[str]
) -> None:
    """Deletes every row that hangs on the parent's rows, the farthest first, by the foreign keys."""
    table = SQLModel.metadata.tables[parent]
    for child in SQLModel.metadata.sorted_tables[::-1]:
        if child.name in spared or child is table:
            continue
        for column in _columns_to(child, table):
            hangs = column.in_(select(table.c.id).where(which))
            if "id" in child.c:
                await _delete_children(session, child.name, hangs, spared)
            await session.exec(delete(child).where(hangs))


def _columns_to(child: Table, parent: Table) -> list[Any]:
    return [
        key.parent
        for key in child.foreign_keys
        if key.column.table is parent and key.column.key == "id"
    ]


def _batches(ids: Sequence[int], size: int = AT_ONCE) -> list[Sequence[int]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]
