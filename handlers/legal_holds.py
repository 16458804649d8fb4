"""Legal holds: an officer's order that nothing of a member or a request is destroyed until a day."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.handlers import facts as wording
from subjectline.handlers.audit import Actor
from subjectline.models.errors import BadInput, NotPermitted, StaleMove
from subjectline.models.tables import Agent, LegalHold, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


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

    Raises NotPermitted where it is no officer, BadInput without a reason or for a day that is over.
    """
    if not reason.strip():
        raise BadInput("a legal hold says why", field="reason")
    if ends_on <= wording.local_day(desk, desk.clock()):
        raise BadInput("the end must lie ahead", field="until")
    whose = desk.registry.canonical(member) if member else None
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


async def forbid(session: AsyncSession, desk: "Desk", request: Request) -> None:
    """Raises NotPermitted where a legal hold keeps what belongs to a request."""
    if (await in_force(session, desk)).keeps(request):
        raise NotPermitted("a legal hold keeps this", field="legal_hold", remedy="Ask the officer.")


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
