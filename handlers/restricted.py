"""Restrictions as agents look at them: the list, and one with its reason, its decisions, its objections.

A list names members by number only; reasons and remedies are opened on the page of one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import agents, audit, opaque
from subjectline.handlers.audit import Actor
from subjectline.handlers.thread import opened
from subjectline.models.errors import BadInput, IllegalMove
from subjectline.models.tables import Request, Restriction
from subjectline.models.workflow import legal_move

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

STANDING = ("suspected", "in_force", "lifting")
MOST = 200


@dataclass(frozen=True)
class Decision:
    """One of the requests that belong to a restriction."""

    id: int
    reference: str
    state: str
    version: int
    arrived_at: datetime

    @property
    def can_be_dropped(self) -> bool:
        try:
            legal_move(self.state, "withdraw")
        except IllegalMove:
            return False
        return True


@dataclass(frozen=True)
class RestrictionRow:
    """One restriction. `stage`: suspected, in_force, lifting, lifted or dropped."""

    handle: str
    member: str
    stage: str
    decided_by: str
    decided_at: datetime
    in_force_at: datetime | None
    lifted_at: datetime | None
    decision: Decision
    lifting: Decision | None
    objections: tuple[Decision, ...]

    @property
    def standing(self) -> bool:
        return self.stage in STANDING


@dataclass(frozen=True)
class RestrictionPage:
    """One restriction whole; `gone` says that the words were destroyed with the case file."""

    row: RestrictionRow
    reason: str
    remedy: str
    lifted_by: str
    gone: bool


async def listed(desk: "Desk", agent: Actor) -> tuple[RestrictionRow, ...]:
    """The newest 200, whatever became of them. Writes an audit row."""
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Restriction)
            .where(Restriction.registry_id == desk.data_map.registry)
            .order_by(col(Restriction.id).desc())
            .limit(MOST)
        )
        found = await _rows(session, desk, list(rows))
    async with desk.write() as session:
        audit.note(session, desk.clock, agent, "list", thing="restriction", count=len(found))
    return found


async def one(desk: "Desk", handle: str, agent: Actor) -> RestrictionPage:
    """One by its handle. BadInput where there is none. Writes an audit row."""
    number = opaque.show(desk.vault, "restriction", handle)
    async with desk.db.read() as session:
        row = await session.get(Restriction, number)
        if row is None:
            raise BadInput("there is no such page", field="address")
        (view,) = await _rows(session, desk, [row])
        names = await agents.names(session)
    async with desk.write() as session:
        subject = (row.registry_id, row.subject_id)
        audit.note(session, desk.clock, agent, "view", subject=subject, thing="restriction")
    reason, gone = opened(desk, row.reason)
    remedy, _ = opened(desk, row.remedy)
    return RestrictionPage(view, reason, remedy, names.get(row.lifted_by or 0, ""), gone)


async def _rows(
    session: AsyncSession, desk: "Desk", rows: list[Restriction]
) -> tuple[RestrictionRow, ...]:
    names = await agents.names(session)
    own = {number for row in rows for number in (row.request_id, row.lifting_id) if number}
    requests = await _requests(session, own)
    return tuple(_row(desk, row, requests, names) for row in rows)


async def _requests(session: AsyncSession, own: Iterable[int]) -> list[Request]:
    """The decisions themselves, and the objections against them."""
    wanted = list(own)
    rows = await session.exec(
        select(Request)
        .where(
            col(Request.id).in_(wanted)
            | ((col(Request.kind) == "objection") & col(Request.follows_id).in_(wanted))
        )
        .order_by(col(Request.id))
    )
    return list(rows)


def _row(
    desk: "Desk", row: Restriction, requests: list[Request], names: Mapping[int, str]
) -> RestrictionRow:
    by_id = {request.id: request for request in requests}
    mine = (row.request_id, row.lifting_id)
    against = [r for r in requests if r.kind == "objection" and r.follows_id in mine]
    lifting = by_id.get(row.lifting_id) if row.lifting_id else None
    return RestrictionRow(
        handle=opaque.hide(desk.vault, "restriction", row.id or 0),
        member=row.subject_id,
        stage=_stage(row),
        decided_by=names.get(row.decided_by or 0, ""),
        decided_at=row.decided_at,
        in_force_at=row.in_force_at,
        lifted_at=row.lifted_at,
        decision=_decision(by_id[row.request_id]),
        lifting=_decision(lifting) if lifting else None,
        objections=tuple(_decision(request) for request in against),
    )


def _stage(row: Restriction) -> str:
    if row.state == "proposed":
        return "suspected"
    return "lifting" if row.state == "in_force" and row.lifting_id else row.state


def _decision(request: Request) -> Decision:
    return Decision(
        request.id or 0, request.reference, request.state, request.version, request.arrived_at
    )
