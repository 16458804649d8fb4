"""What the agents' lists show: the queue by due date, unsorted conversations, dead letters, a search.

Nothing in a list is personal data but the member's id, which is a pseudonym; texts are only shown on
the pages of `handlers.casefile`, which write an audit row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, opaque, waiting
from subjectline.handlers.audit import Actor
from subjectline.models.errors import SubjectlineError
from subjectline.models.regimes import regime_named
from subjectline.models.tables import Agent, Conversation, Hold, RawInbox, Request, ReturnedLetter
from subjectline.models.workflow import FINAL

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

PAGE = 50
SOON = 3  # days: what is due by then stands out
SHOWN = {
    "todo": ("open", "proposed", "applying"),
    "waiting": ("received", "verifying", "waiting"),
    "done": tuple(sorted(FINAL)),
}


@dataclass(frozen=True)
class QueueRow:
    """One request in a list. `days_left` counts days of the regime's zone; below 0 it is late."""

    reference: str
    kind: str
    fields: tuple[str, ...]
    state: str
    door: str
    language: str
    member: str | None
    level: str
    due_on: str
    days_left: int
    arrived_at: datetime
    held: bool
    taken_by: str

    @property
    def pressing(self) -> str:
        """`closed`, `late`, `soon` or `calm`."""
        if self.state in FINAL:
            return "closed"
        if self.days_left < 0:
            return "late"
        return "soon" if self.days_left <= SOON else "calm"


@dataclass(frozen=True)
class Counts:
    """How many stand in each list. `late` is part of the first two."""

    todo: int
    waiting: int
    done: int
    late: int
    unsorted: int
    dead: int
    returned: int


@dataclass(frozen=True)
class Queue:
    rows: tuple[QueueRow, ...]
    counts: Counts
    following: str = ""  # the reference after which the next page begins


@dataclass(frozen=True)
class UnsortedRow:
    handle: str
    door: str
    language: str
    last_at: datetime
    member: str | None
    waits: tuple[str, ...] = ()  # why an agent must sort it, keys of `handlers.waiting`


@dataclass(frozen=True)
class DeadRow:
    handle: str
    door: str
    arrived_at: datetime
    size: int
    attempts: int
    reason: str
    oversized: bool


@dataclass(frozen=True)
class Found:
    """What a search gave: requests, and conversations (by handle) that have none."""

    rows: tuple[QueueRow, ...]
    conversations: tuple[UnsortedRow, ...]


async def queue(desk: "Desk", show: str = "todo", after: str = "") -> Queue:
    """One page of a list (`todo`, `waiting` or `done`), the nearest due date first, with counts.

    `after` is a reference: the page begins behind it. What is done stands newest first.
    """
    states = SHOWN.get(show, SHOWN["todo"])
    async with desk.db.read() as session:
        wanted = and_(col(Request.state).in_(states), *await _behind(session, after, show))
        rows = await _rows(session, desk, wanted, show, PAGE + 1)
        shown = rows[:PAGE]
        return Queue(
            rows=shown,
            counts=await _counts(session, desk),
            following=shown[-1].reference if len(rows) > PAGE else "",
        )


async def counts(desk: "Desk") -> Counts:
    """How many stand in each list."""
    async with desk.db.read() as session:
        return await _counts(session, desk)


async def unsorted(desk: "Desk", limit: int = 200) -> tuple[UnsortedRow, ...]:
    """Conversations that an agent must sort, the one that waits longest first."""
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Conversation)
            .where(Conversation.state == "unsorted")
            .order_by(col(Conversation.last_at))
            .limit(limit)
        )
        talks = list(rows)
        why = await waiting.reasons(session, desk, talks)
        return tuple(_unsorted(desk, row, why[row.id or 0]) for row in talks)


async def dead(desk: "Desk", limit: int = 200) -> tuple[DeadRow, ...]:
    """What could not be handled, oldest first. Its text stays sealed."""
    async with desk.db.read() as session:
        rows = await session.exec(
            select(RawInbox).where(RawInbox.state == "dead").order_by(col(RawInbox.id)).limit(limit)
        )
        return tuple(dead_row(desk, row) for row in rows)


async def find(desk: "Desk", text: str, agent: Actor) -> Found:
    """Requests by reference, member id or a correspondent's address; the search is an audit row."""
    text = text.strip()
    async with desk.db.read() as session:
        talks = await _conversations(session, desk, text)
        ids = [talk.id for talk in talks]
        wanted = or_(
            col(Request.reference) == text.upper(),
            col(Request.subject_id) == _member(desk, text),
            col(Request.conversation_id).in_(ids),
        )
        rows = await _rows(session, desk, wanted, "done", PAGE)
    async with desk.write() as session:
        member = _member(desk, text)
        known = any(row.member == member for row in rows)  # else it may be anything somebody typed
        subject = (desk.data_map.registry, member) if known and member else None
        audit.note(
            session, desk.clock, agent, "search", subject=subject, thing="console", found=len(rows)
        )
    return Found(rows, tuple(_unsorted(desk, talk) for talk in talks))


def today(desk: "Desk", regime: str) -> date:
    """The day it is where the regime holds."""
    return desk.clock().astimezone(regime_named(regime).tz).date()


async def _rows(
    session: AsyncSession, desk: "Desk", wanted: ColumnElement[bool], show: str, limit: int
) -> tuple[QueueRow, ...]:
    held = (
        select(Hold.id)
        .where(col(Hold.request_id) == col(Request.id), col(Hold.ended_at).is_(None))
        .exists()
    )
    found = await session.exec(
        select(Request, col(Conversation.door), col(Agent.name), held)
        .join(Conversation, col(Request.conversation_id) == col(Conversation.id))
        .outerjoin(Agent, col(Request.taken_by) == col(Agent.id))
        .where(wanted)
        .order_by(*_order(show))
        .limit(limit)
    )
    return tuple(_row(desk, *row) for row in found)


def _order(show: str) -> Sequence[Any]:
    if show == "done":
        return col(Request.id).desc(), col(Request.due_at)
    return col(Request.due_at), col(Request.id)


async def _behind(session: AsyncSession, after: str, show: str) -> list[ColumnElement[bool]]:
    """The keyset condition of the next page; none for the first."""
    if not after:
        return []
    row = (await session.exec(select(Request).where(Request.reference == after))).first()
    if row is None:
        return []
    if show == "done":
        return [col(Request.id) < row.id]
    later = col(Request.due_at) > row.due_at
    return [or_(later, and_(col(Request.due_at) == row.due_at, col(Request.id) > row.id))]


def _row(desk: "Desk", request: Request, door: str, taken: str | None, held: bool) -> QueueRow:
    left = date.fromisoformat(request.due_on) - today(desk, request.regime)
    return QueueRow(
        reference=request.reference,
        kind=request.kind,
        fields=tuple(request.fields),
        state=request.state,
        door=door,
        language=request.language,
        member=request.subject_id,
        level=request.level,
        due_on=request.due_on,
        days_left=left.days,
        arrived_at=request.arrived_at,
        held=held,
        taken_by=taken or "",
    )


async def _counts(session: AsyncSession, desk: "Desk") -> Counts:
    states = await session.exec(select(Request.state, func.count()).group_by(Request.state))
    by_state = dict(states.all())
    total = {show: sum(by_state.get(s, 0) for s in names) for show, names in SHOWN.items()}
    late = and_(col(Request.due_at) < desk.clock(), col(Request.state).not_in(FINAL))
    return Counts(
        **total,
        late=await _how_many(session, Request, late),
        unsorted=await _how_many(session, Conversation, col(Conversation.state) == "unsorted"),
        dead=await _how_many(session, RawInbox, col(RawInbox.state) == "dead"),
        returned=await _how_many(session, ReturnedLetter, col(ReturnedLetter.state) == "waits"),
    )


async def _how_many(session: AsyncSession, table: Any, wanted: ColumnElement[bool]) -> int:
    return (await session.exec(select(func.count()).select_from(table).where(wanted))).one()


async def _conversations(session: AsyncSession, desk: "Desk", text: str) -> list[Conversation]:
    indexes = [desk.vault.index(kind, value) for kind, value in _contacts(desk, text)]
    if not indexes:
        return []
    rows = await session.exec(
        select(Conversation).where(col(Conversation.contact_index).in_(indexes))
    )
    return list(rows)


def _contacts(desk: "Desk", text: str) -> list[tuple[str, str]]:
    """Which addresses a searched text may be: a registered kind of contact, or a Telegram id."""
    found = [("telegram", text)] if text.isdecimal() else []
    for kind in ("email", "phone"):
        field = desk.data_map.contact_field(kind)
        try:
            found += [(kind, field.normalise(text))] if field else []
        except SubjectlineError:
            continue
    return found


def _member(desk: "Desk", text: str) -> str | None:
    try:
        return desk.data_map.canonical(text)
    except SubjectlineError:
        return None


def _unsorted(desk: "Desk", row: Conversation, waits: tuple[str, ...] = ()) -> UnsortedRow:
    return UnsortedRow(
        handle=opaque.hide(desk.vault, "conversation", row.id or 0),
        door=row.door,
        language=row.language,
        last_at=row.last_at,
        member=row.subject_id,
        waits=waits,
    )


def dead_row(desk: "Desk", row: RawInbox) -> DeadRow:
    """What the list tells of a dead letter."""
    return DeadRow(
        handle=opaque.hide(desk.vault, "raw_inbox", row.id or 0),
        door=row.door,
        arrived_at=row.arrived_at,
        size=row.size,
        attempts=row.attempts,
        reason=row.reason,
        oversized=row.oversized,
    )
