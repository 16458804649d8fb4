"""What an agent does with a request: look at the draft, propose, sign, send back, refuse, ask, vouch.

An approval binds bytes: it names the SHA-256 of the envelope that the agent saw.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import (
    audit,
    drafting,
    duplicates,
    legal_holds,
    letters,
    papers,
    post,
    statements,
    waits,
    whereto,
)
from subjectline.handlers import facts as wording
from subjectline.handlers.audit import Actor
from subjectline.handlers.drafting import AgentDraft, Draft
from subjectline.handlers.export import binding
from subjectline.handlers.export.gather import LIVES
from subjectline.handlers.letters import Letter
from subjectline.handlers.requests import Facts, advance
from subjectline.handlers.wishes import set_wish, wish_of
from subjectline.models.errors import (
    BadInput,
    BadValue,
    NotPermitted,
    StaleMove,
    UnknownMember,
)
from subjectline.models.incoming import Contact, Door
from subjectline.models.reasons import reason_text
from subjectline.models.tables import Approval, Conversation, Proposal, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

__all__ = [
    "AgentDraft",
    "DraftView",
    "Signed",
    "approve",
    "ask",
    "draft_for",
    "propose",
    "reject_identity",
    "send_back",
    "take",
    "vouch",
]

PROPOSAL_DAYS = 3


@dataclass(frozen=True)
class DraftView:
    """What the system would propose now, for an agent to look at. `asks`: by table what an agent can
    choose where the data map does not say what leaving does."""

    outcome: str
    letter: Letter | None
    rows: tuple[dict[str, str], ...]
    missing: tuple[str, ...]
    asks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Signed:
    """How many signatures a proposal has of those it needs."""

    have: int
    need: int

    @property
    def enough(self) -> bool:
        return self.have >= self.need


async def draft_for(desk: "Desk", request_id: int, agent: Actor = audit.SYSTEM) -> DraftView:
    """The system's draft, with what is missing, for an agent's eyes. Raises RegistryError, HeldData."""
    async with desk.db.read() as session:
        request = await session.get_one(Request, request_id)
        conversation = await session.get_one(Conversation, request.conversation_id)
    draft = await drafting.make(desk, request, account=agent.account)
    missing = tuple(str(item) for item in draft.missing)
    letter = None
    if not missing:
        door = whereto.door_of(conversation, whereto.elsewhere(desk, request))
        letter = drafting.render(desk, request, draft, door)
    return DraftView(draft.outcome, letter, draft.rows, missing, draft.asks)


async def take(desk: "Desk", request_id: int, agent: Actor) -> None:
    """Says who looks after a request."""
    async with desk.write() as session:
        request = await session.get_one(Request, request_id)
        request.taken_by = agent.agent_id
        session.add(request)
        audit.note(session, desk.clock, agent, "take", request=request)


async def propose(
    desk: "Desk", request_id: int, version: int, agent: Actor, wish: AgentDraft
) -> str:
    """Proposes an answer; returns the SHA-256 of its envelope.

    Raises BadInput naming what is missing, StaleMove where somebody was faster, RegistryError.
    """
    async with desk.db.read() as session:
        request = await session.get_one(Request, request_id)
    made = await drafting.make(desk, request, wish)
    if made.missing:
        first = made.missing[0]
        if first.what == "bad_value":
            rule = reason_text(first.reason, "en")
            raise BadValue(first.field, first.reason, rule, remedy=_way_out(first.what))
        raise BadInput(
            f"the answer lacks {first}", field=first.field or "answer", remedy=_way_out(first.what)
        )
    plain = await _system_draft(desk, request, wish)
    by_person = drafting.touched(plain, made)
    made = await drafting.with_export(desk, request, made)
    async with desk.write() as session:
        request = await session.get_one(Request, request_id, populate_existing=True)
        _keep_agents_word(session, desk, request, wish)
        if wish.statement:
            await statements.enter(session, desk, request, wish.statement, agent)
        return await _propose(session, desk, request, version, agent, made, touched=by_person)


async def propose_draft(
    session: AsyncSession, desk: "Desk", request: Request, version: int, draft: Draft
) -> str:
    """The system's own draft as a proposal, in a step that is open already."""
    return await _propose(session, desk, request, version, audit.SYSTEM, draft, touched=False)


async def _system_draft(desk: "Desk", request: Request, wish: AgentDraft) -> Draft | None:
    """What the system would have said with the same proof of a new contact, to compare with."""
    kept = AgentDraft(new_contact_proof=wish.new_contact_proof)
    return await drafting.make(desk, request, kept)


def _keep_agents_word(
    session: AsyncSession, desk: "Desk", request: Request, wish: AgentDraft
) -> None:
    if wish.new_contact_proof or wish.values:
        kept = wish_of(desk, request)
        kept["new_contact_proof"] = wish.new_contact_proof
        given = {name: value for name, value in wish.values.items() if value.strip()}
        kept["new"] = {**kept.get("new", {}), **given}
        set_wish(desk, request, kept)
        session.add(request)


async def _propose(
    session: AsyncSession,
    desk: "Desk",
    request: Request,
    version: int,
    actor: Actor,
    draft: Draft,
    *,
    touched: bool,
) -> str:
    conversation = await session.get_one(Conversation, request.conversation_id)
    raw, digest = drafting.envelope(desk, request, conversation, draft)
    proposal = Proposal(
        request_id=request.id or 0,
        envelope=desk.vault.seal(request.key_id, "proposal.envelope", raw),
        sha256=digest,
        outcome=draft.outcome,
        drafted_by=actor.account,
        touched=touched,
        needs=drafting.needed(request, by_person=touched),
        made_at=desk.clock(),
    )
    session.add(proposal)
    await session.flush()
    if draft.export is not None:
        until = proposal.made_at + timedelta(days=PROPOSAL_DAYS)
        await binding.bind(session, proposal.request_id, draft.export, until)
    facts = Facts(proposal_id=proposal.id)
    await advance(session, desk, request.id or 0, "propose", actor, version, facts)
    return digest


async def approve(desk: "Desk", sha256: str, agent: Actor) -> Signed:
    """Signs the bytes with this SHA-256. The last signature needed sends the answer on its way.

    Raises StaleMove where the proposal is no longer open, NotPermitted for a second signature by the
    same agent.
    """
    async with desk.write() as session:
        proposal = await _open_proposal(session, desk, sha256)
        request = await session.get_one(Request, proposal.request_id)
        if proposal.outcome != "refuse" and request.kind in legal_holds.DESTROYING:
            await legal_holds.forbid(session, desk, request)
        await _sign(session, desk, proposal, request, agent)
        rows = await session.exec(select(Approval).where(Approval.proposal_id == proposal.id))
        signed = Signed(len(list(rows)), proposal.needs)
        if signed.enough:
            await _decide(session, desk, proposal, request, agent)
        return signed


async def _open_proposal(session: AsyncSession, desk: "Desk", sha256: str) -> Proposal:
    rows = await session.exec(
        select(Proposal).where(Proposal.sha256 == sha256).order_by(col(Proposal.id).desc())
    )
    proposal = rows.first()
    if proposal is None or proposal.state != "open":
        raise StaleMove(
            "this proposal is no longer open",
            field="proposal",
            remedy="Load the request again: it was answered, sent back or proposed anew.",
        )
    if (desk.clock() - proposal.made_at).days >= PROPOSAL_DAYS:
        raise StaleMove(
            f"this proposal is older than {PROPOSAL_DAYS} days",
            field="proposal",
            remedy="Send it back and propose it anew.",
        )
    return proposal


async def _sign(
    session: AsyncSession, desk: "Desk", proposal: Proposal, request: Request, agent: Actor
) -> None:
    number = agent.agent_id
    if number is None:
        raise NotPermitted("only an agent can sign", field="agent")
    rows = await session.exec(
        select(Approval.id).where(Approval.proposal_id == proposal.id, Approval.agent_id == number)
    )
    if rows.first() is not None:
        raise NotPermitted(
            "you have signed this already", field="agent", remedy="Another agent must sign."
        )
    if request.kind == "objection" and await _decided(session, request.follows_id, number):
        raise NotPermitted(
            "an objection is decided by somebody who did not refuse",
            field="agent",
            remedy="Another agent must sign.",
        )
    session.add(
        Approval(
            proposal_id=proposal.id or 0, agent_id=number, sha256=proposal.sha256, at=desk.clock()
        )
    )
    await session.flush()
    audit.note(session, desk.clock, agent, "sign", request=request, sha256=proposal.sha256)


async def _decided(session: AsyncSession, request_id: int | None, agent_id: int) -> bool:
    """Whether this agent signed the refusal that is objected to."""
    rows = await session.exec(
        select(Approval.id)
        .join(Proposal, col(Approval.proposal_id) == col(Proposal.id))
        .where(Proposal.request_id == request_id, Approval.agent_id == agent_id)
    )
    return rows.first() is not None


async def _decide(
    session: AsyncSession, desk: "Desk", proposal: Proposal, request: Request, agent: Actor
) -> None:
    event = "refuse" if proposal.outcome == "refuse" else "approve"
    ready = None
    if event == "refuse":
        ready = letter_of(desk, proposal, request)
    proposal.state = "approved"
    session.add(proposal)
    await session.flush()
    await advance(
        session,
        desk,
        request.id or 0,
        event,
        agent,
        request.version,
        Facts(proposal_id=proposal.id, ready=ready, waits=waits.hours(desk, proposal) > 0),
    )


def letter_of(
    desk: "Desk", proposal: Proposal, request: Request, done_at: datetime | None = None
) -> post.Noted:
    """The approved letter, byte for byte, with the days of the deed (`done_at`; a refusal has none).

    Its other slots are filled when it leaves. An export can be opened for a week from the deed.
    """
    said = drafting.open_envelope(desk, proposal)
    ready = Letter(said["subject"], said["text"], said["html"])
    if done_at is not None:
        days = (wording.local_day(desk, at) for at in (done_at, done_at + LIVES))
        ready = letters.deed(ready, said["language"], *days)
    slots: dict[str, object] = {}
    if drafting.has_link(request, Door(said["door"])) and said["outcome"] != "refuse":
        slots["secure_link"] = {"request_id": request.id}
    return post.Noted(
        said["letter"],
        request.conversation_id,
        [request.id or 0],
        to=Contact(said["elsewhere"], said["recipient"]) if said.get("elsewhere") else None,
        ready=ready,
        slots=slots,
    )


async def send_back(desk: "Desk", request_id: int, version: int, agent: Actor, reason: str) -> None:
    """Returns a proposal to work; says why."""
    async with desk.write() as session:
        facts = Facts(reason=reason)
        await advance(session, desk, request_id, "send_back", agent, version, facts)


async def ask(
    desk: "Desk", request_id: int, version: int, agent: Actor, question: str, note: str = ""
) -> None:
    """Asks the person something; `free` with the agent's own words in `note`."""
    async with desk.write() as session:
        facts = Facts(question=question, letter={"note": note})
        await advance(session, desk, request_id, "ask", agent, version, facts)


async def vouch(
    desk: "Desk", request_id: int, version: int, agent: Actor, member_id: str, how: str
) -> None:
    """An agent checked papers or called: the request is proven at the level `document`.

    Without a member, an erasure by papers: somebody who stands in a member's content.
    Raises NotCanonical, UnknownMember, NotPermitted, RegistryAway.
    """
    member = await _member(desk, member_id)
    async with desk.write() as session:
        row = await session.get_one(Request, request_id)
        if member is None and (row.kind, how) != ("erasure", "papers"):
            raise NotPermitted(
                "only an erasure can be asked for by somebody who is no member",
                field="member",
                remedy="Check their papers, and sort the request as an erasure.",
            )
        registry = desk.data_map.registry if member else None
        facts = Facts(level="document", registry=registry, subject=member, reason=how)
        if how == "papers":
            papers.came_in(session, desk, row, agent, "identity papers")
        request = await advance(session, desk, request_id, "prove", agent, version, facts)
        await duplicates.settle(session, desk, request)
        wish = wish_of(desk, request) | {"new_contact_proof": how}
        set_wish(desk, request, wish)
        session.add(request)


async def _member(desk: "Desk", member_id: str) -> str | None:
    if not member_id:
        return None
    member = desk.registry.canonical(member_id)
    if not await desk.registry.contacts(member):
        raise UnknownMember("there is no such member", field="member")
    return member


async def reject_identity(
    desk: "Desk", request_id: int, version: int, agent: Actor, reason: str
) -> None:
    """The proof did not hold: the request is refused for that."""
    async with desk.write() as session:
        facts = Facts(reason=reason)
        await advance(session, desk, request_id, "reject_identity", agent, version, facts)


def _way_out(what: str) -> str:
    ways = {
        "which_value": "Ask the person for the value, or enter it.",
        "bad_value": "Ask the person again, or enter a value that the field takes.",
        "paper": "Look at the papers, then propose with the proof `papers`.",
        "stopped": "Refuse it, or talk to the person and open a new request.",
        "new_contact": "Call the new number or write to the new address, then say so.",
        "confirm_leaving": "Wait until the person has confirmed the leaving.",
        "legal_hold": "A legal hold keeps this member's data: an officer must end it first.",
        "needed": "This item goes only with the membership: ask whether the person wants to leave.",
        "which_field": "Ask the person which item is meant.",
        "agent_choice": "Choose what happens to these records: delete, keep, anonymise or by hand.",
    }
    return ways.get(what, "Write in your own words what was done.")
