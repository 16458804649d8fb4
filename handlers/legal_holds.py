"""Legal holds: an officer's order that nothing of a member or a request is destroyed until a day."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import agents, audit
from subjectline.handlers import facts as wording
from subjectline.handlers.audit import Actor
from subjectline.models.errors import (
    BadInput,
    NotPermitted,
    RegistryAway,
    StaleMove,
    UnknownMember,
)
from subjectline.models.tables import Agent, LegalHold, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


DESTROYING = frozenset({"membership_withdrawal", "erasure"})


@dataclass(frozen=True)
class Held:
    """What legal holds keep today: everything, these members, these requests."""

    everything: bool
    members: frozenset[str]
    requests: frozenset[int]

    def keeps(self, request: Request) -> bool:
        """Whether a request's files must stay."""
        return self.everything or request.id in self.requests or request.subject_id in self.members

    def keeps_member(self, member: str | None) -> bool:
        return self.everything or member in self.members


@dataclass(frozen=True)
class HoldRow:
    """One legal hold as agents see it. `state`: in_force, over (its day has passed) or lifted."""

    id: int
    member: str
    reference: str
    reason: str
    set_by: str
    set_at: datetime
    ends_on: str
    state: str
    lifted_by: str
    lifted_at: datetime | None

    @property
    def in_force(self) -> bool:
        return self.state == "in_force"


async def place(
    desk: "Desk",
    officer: Actor,
    reason: str,
    ends_on: date,
    *,
    member: str = "",
    reference: str = "",
) -> int:
    """Sets a legal hold on a member, on a request, or, without both, on everything.

    Raises NotPermitted where it is no officer, BadInput without a reason or for a day that is over,
    NotCanonical, and UnknownMember for a number that nobody has: such a hold would keep nothing.
    """
    if not reason.strip():
        raise BadInput("a legal hold says why", field="reason")
    if ends_on <= wording.local_day(desk, desk.clock()):
        raise BadInput("the end must lie ahead", field="until")
    whose = await _whose(desk, member) if member else None
    async with desk.write() as session:
        request = await _request(session, reference) if reference else None
        row = LegalHold(
            registry_id=desk.data_map.registry if whose else None,
            subject_id=whose,
            request_id=request.id if request else None,
            reason=reason.strip(),
            set_by=await _officer(session, officer),
            set_at=desk.clock(),
            ends_on=ends_on.isoformat(),
        )
        session.add(row)
        await session.flush()
        subject = (desk.data_map.registry, whose) if whose else None
        audit.note(
            session, desk.clock, officer, "legal_hold", request=request, subject=subject,
            reason=reason.strip(), until=row.ends_on,
        )  # fmt: skip
        return row.id or 0


async def release(desk: "Desk", officer: Actor, number: int) -> None:
    """Ends a legal hold before its day. Raises NotPermitted, BadInput, StaleMove."""
    async with desk.write() as session:
        row = await session.get(LegalHold, number)
        if row is None:
            raise BadInput("there is no legal hold of this number", field="number")
        if row.lifted_at is not None:
            raise StaleMove("this legal hold has ended already", field="number")
        row.lifted_by, row.lifted_at = await _officer(session, officer), desk.clock()
        session.add(row)
        audit.note(session, desk.clock, officer, "legal_hold_end", thing=f"legal_hold:{number}")


async def listed(desk: "Desk", agent: Actor) -> list[HoldRow]:
    """Every legal hold, the newest first. Writes an audit row."""
    async with desk.db.read() as session:
        names = await agents.names(session)
        rows = await session.exec(
            select(LegalHold, Request.reference)
            .outerjoin(Request, col(LegalHold.request_id) == col(Request.id))
            .order_by(col(LegalHold.id).desc())
        )
        found = [_row(desk, hold, reference, names) for hold, reference in rows]
    async with desk.write() as session:
        audit.note(session, desk.clock, agent, "list", thing="legal_hold", count=len(found))
    return found


async def in_force(session: AsyncSession, desk: "Desk") -> Held:
    """What legal holds keep today; the last day counts."""
    today = wording.local_day(desk, desk.clock()).isoformat()
    rows = await session.exec(
        select(LegalHold).where(col(LegalHold.lifted_at).is_(None), LegalHold.ends_on >= today)
    )
    holds = list(rows)
    return Held(
        everything=any(h.subject_id is None and h.request_id is None for h in holds),
        members=frozenset(h.subject_id for h in holds if h.subject_id),
        requests=frozenset(h.request_id for h in holds if h.request_id),
    )


async def stops(session: AsyncSession, desk: "Desk", request: Request) -> bool:
    """Whether a request would destroy what a legal hold keeps in the company's databases."""
    return request.kind in DESTROYING and (await in_force(session, desk)).keeps(request)


async def forbid(session: AsyncSession, desk: "Desk", request: Request) -> None:
    """Raises NotPermitted where a legal hold keeps what belongs to a request."""
    if (await in_force(session, desk)).keeps(request):
        raise NotPermitted("a legal hold keeps this", field="legal_hold", remedy="Ask the officer.")


def _row(desk: "Desk", hold: LegalHold, reference: str | None, names: dict[int, str]) -> HoldRow:
    over = hold.ends_on < wording.local_day(desk, desk.clock()).isoformat()
    return HoldRow(
        id=hold.id or 0,
        member=hold.subject_id or "",
        reference=reference or "",
        reason=hold.reason,
        set_by=names.get(hold.set_by, ""),
        set_at=hold.set_at,
        ends_on=hold.ends_on,
        state="lifted" if hold.lifted_at else ("over" if over else "in_force"),
        lifted_by=names.get(hold.lifted_by or 0, ""),
        lifted_at=hold.lifted_at,
    )


async def _whose(desk: "Desk", member: str) -> str:
    """The member's id; who has left is still somebody. A database that is away is no reason to wait."""
    whose = desk.registry.canonical(member)
    try:
        await desk.registry.language(whose)
    except RegistryAway:
        return whose
    except UnknownMember:
        if not await _left_something(desk, whose):
            raise
    return whose


async def _left_something(desk: "Desk", member: str) -> bool:
    async with desk.db.read() as session:
        rows = await session.exec(select(Request.id).where(Request.subject_id == member).limit(1))
        if rows.first() is not None:
            return True
    store = desk.registry.archive
    try:
        return store is not None and await store.count(member) > 0
    except RegistryAway:
        return True


async def _officer(session: AsyncSession, actor: Actor) -> int:
    agent = await session.get(Agent, actor.agent_id) if actor.agent_id else None
    if agent is None or agent.role != "officer" or agent.disabled_at is not None:
        raise NotPermitted("only an officer sets or ends a legal hold", field="agent")
    return agent.id or 0


async def _request(session: AsyncSession, reference: str) -> Request:
    found = (await session.exec(select(Request).where(Request.reference == reference))).first()
    if found is None:
        raise BadInput("there is no request with this reference", field="reference")
    return found
