"""Rows made in the transaction that is under way: numbered without a flush, at hand without a query.

A batch of messages makes hundreds of rows that refer to one another. SQLite has one writer at a time,
so ids are counted up here and all the rows are inserted together; PostgreSQL numbers each as it comes.
What was made here nobody else can have changed: it need not be read back, nor guarded.
"""

from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, event, func, select
from sqlmodel import Session, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

Row = TypeVar("Row", bound=SQLModel)

MADE, NEXT = "made", "next_ids"


class CountingSession(Session):
    """What stands behind a session of the one writer: it counts ids up by itself."""


async def make_row(session: AsyncSession, row: Row) -> Row:
    """Adds a new row and gives it its id."""
    made: dict[tuple[type[SQLModel], int], SQLModel] = session.info.setdefault(MADE, {})
    if alone(session):
        if type(row) not in session.info.get(NEXT, {}):
            await session.run_sync(_begin_counting, type(row))
        _number(session.info[NEXT], row)
        session.add(row)
    else:
        session.add(row)
        await session.flush()
    made[type(row), row.id] = row  # type: ignore[attr-defined]
    return row


def made_here(session: AsyncSession, kind: type[Row], number: int) -> Row | None:
    """The row of this id, if this transaction made it."""
    found = session.info.get(MADE, {}).get((kind, number))
    return found if isinstance(found, kind) else None


def all_made(session: AsyncSession, kind: type[Row]) -> list[Row]:
    """Every row of a table that this transaction made, oldest first."""
    made = session.info.get(MADE, {}).values()
    return [row for row in made if isinstance(row, kind)]


def alone(session: AsyncSession) -> bool:
    """Whether nobody else can write while this transaction lasts."""
    return isinstance(session.sync_session, CountingSession)


def settled(
    session: AsyncSession, kind: type[SQLModel], conversation_id: int
) -> AbstractContextManager[Any]:
    """Around a query of one conversation's rows of a table: where none of them waits to be written,
    nothing else is written before it is answered."""
    waiting: list[Any] = [row for row in (*session.new, *session.dirty) if type(row) is kind]
    of_it = any(row.conversation_id == conversation_id for row in waiting)
    return nullcontext() if of_it else cast(AbstractContextManager[Any], session.no_autoflush)


async def row_of(session: AsyncSession, kind: type[Row], number: int) -> Row:
    """The row of this id: at hand, or read. Raises NoResultFound."""
    found = made_here(session, kind, number)
    return found if found is not None else await session.get_one(kind, number)


@event.listens_for(CountingSession, "before_flush")
def _number_new(session: Any, *_: Any) -> None:
    """Rows of a table that come in numbers get theirs, for then they are one statement."""
    new = [row for row in session.new if getattr(row, "id", 0) is None]
    for kind, number in Counter(map(type, new)).items():
        if number > 1 and kind not in session.info.get(NEXT, {}):
            _begin_counting(session, kind)
    for row in new:
        if type(row) in session.info.get(NEXT, {}):
            _number(session.info[NEXT], row)


def _begin_counting(session: Any, kind: type[SQLModel]) -> None:
    connection: Connection = session.connection()
    counted = session.info.get(NEXT)
    if counted is None:
        counted = session.info[NEXT] = {}
        # The rows of a flush come in the order of their classes' names: whether all that they refer
        # to is there is looked at when the transaction ends.
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    highest = select(func.max(kind.id))  # type: ignore[attr-defined]
    counted[kind] = connection.execute(highest).scalar_one() or 0


def _number(counted: dict[type[SQLModel], int], row: SQLModel) -> None:
    counted[type(row)] += 1
    row.id = counted[type(row)]
