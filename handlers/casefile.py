"""One request, or one conversation, with everything an agent must see to decide.

What is shown here is personal data: our own gate is asked first, and each view writes an audit row
before it is handed out (DESIGN, promise 7). The text is opened outside of the write transaction, so
that nobody waits for it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import agents, audit, case_record, opaque, own_views, queries, waiting
from subjectline.handlers.audit import Actor
from subjectline.handlers.gate_evidence import uses
from subjectline.handlers.gate_policy import purpose_names
from subjectline.handlers.gate_reach import EVERYWHERE
from subjectline.handlers.holds import ALL
from subjectline.handlers.recipients_chased import views as told
from subjectline.handlers.thread import beside, messages, opened
from subjectline.handlers.views import (
    Case,
    HoldView,
    ProposalView,
    Signature,
    Step,
    Talk,
)
from subjectline.models.errors import BadInput, IllegalMove
from subjectline.models.tables import (
    Approval,
    Conversation,
    History,
    Hold,
    Proposal,
    Request,
)
from subjectline.models.workflow import EVENTS, FINAL, legal_move

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

PROPOSAL_LIVES = timedelta(days=3)


async def case(desk: "Desk", reference: str, agent: Actor, *, bytes_shown: bool = False) -> Case:
    """The request with this reference, whole. BadInput where there is none. Writes an audit row.

    `bytes_shown`: the page shows the proposal as it would leave; then its hash stands in the row.
    Where the gate does not open the member's data, `shut` says why and no text or value is in it.
    """
    async with desk.db.read() as session:
        request = await _request(session, reference)
        talk_row = await session.get_one(Conversation, request.conversation_id)
        whose = own_views.whose(request) or await own_views.of_talk(session, talk_row)
    shut = await own_views.shut(desk, whose, agent, request)
    async with desk.db.read() as session:
        view = await _view_of(session, desk, request)
    if shut:
        view = _withheld(view, shut)
    async with desk.write() as session:
        told: dict[str, Any] = (
            {"sha256": view.proposal.sha256} if bytes_shown and view.proposal else {}
        )
        if shut:
            told = {"reason": ", ".join(shut), "outcome": "withheld"}
        audit.note(session, desk.clock, agent, "view", request=request, **told)
    return view


def _withheld(view: Case, shut: tuple[str, ...]) -> Case:
    """The record of a request without what is the member's. Of one that is not decided the message
    that it is about stays: without reading it nobody could handle it."""
    view = replace(view, shut=shut, messages=tuple(m for m in view.messages if m.linked or m.waits))
    if view.state not in FINAL:
        return view
    return replace(
        view, correspondent="", wish_new={}, wish_old={}, messages=(), beside=(), proposal=None
    )


async def talk(desk: "Desk", handle: str, agent: Actor) -> Talk:
    """A conversation by its handle, whole. BadInput where there is none. Writes an audit row.

    Raises HeldData where the gate does not open the member's data; but what waits to be sorted is
    shown, and nothing else.
    """
    number = opaque.show(desk.vault, "conversation", handle)
    async with desk.db.read() as session:
        row = await session.get(Conversation, number)
        if row is None:
            raise _nothing()
        whose, thing = await own_views.of_talk(session, row), f"conversation:{number}"
    shut = await own_views.shut(desk, whose, agent)
    if shut and row.state != "unsorted":
        await own_views.deny(desk, whose, agent, thing, shut)
    async with desk.db.read() as session:
        view = await _view_of_talk(session, desk, row)
    if shut:
        view = replace(view, shut=shut, messages=tuple(m for m in view.messages if m.waits))
    async with desk.write() as session:
        audit.note(session, desk.clock, agent, "view", subject=whose, thing=thing)
    return view


async def letter_html(desk: "Desk", sha256: str, agent: Actor) -> str:
    """The HTML of the proposal with this hash, as it would leave. Writes an audit row.

    Raises BadInput where there is none, HeldData where the gate does not open the member's data.
    """
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Proposal, Request)
            .join(Request, col(Proposal.request_id) == col(Request.id))
            .where(Proposal.sha256 == sha256)
        )
        found = rows.first()
    if found is None or found[0].envelope is None:
        raise _nothing()
    whose = own_views.whose(found[1])
    if shut := await own_views.shut(desk, whose, agent, found[1]):
        await own_views.deny(desk, whose, agent, found[1].reference, shut)
    html = json.loads(desk.vault.open(found[0].envelope)).get("html", "")
    async with desk.write() as session:
        audit.note(session, desk.clock, agent, "view_letter", request=found[1], sha256=sha256)
    return str(html)


async def changed_since(desk: "Desk", reference: str, version: int) -> tuple[Step, ...]:
    """The steps that a request took after the version that somebody saw."""
    async with desk.db.read() as session:
        request = await _request(session, reference)
        steps = await _history(session, request, await agents.names(session))
    return tuple(step for step in steps if step.version > version)


async def identify(desk: "Desk", reference: str) -> int:
    """The id behind a reference, for the deeds that take one. BadInput where there is none."""
    async with desk.db.read() as session:
        return (await _request(session, reference)).id or 0


async def language(desk: "Desk", request_id: int) -> str:
    """The language of a request's letters, ko or en."""
    async with desk.db.read() as session:
        return (await session.get_one(Request, request_id)).language


async def looked_at(desk: "Desk", reference: str, agent: Actor, action: str) -> int:
    """Writes the audit row of a look at something made on demand; returns the request's id.

    Raises HeldData where the gate does not open the member's data.
    """
    async with desk.db.read() as session:
        request = await _request(session, reference)
    whose = own_views.whose(request)
    if shut := await own_views.shut(desk, whose, agent, request):
        await own_views.deny(desk, whose, agent, reference, shut)
    async with desk.write() as session:
        request = await _request(session, reference)
        audit.note(session, desk.clock, agent, action, request=request)
        return request.id or 0


async def reference_of(desk: "Desk", request_id: int) -> str:
    """The reference that people see for a request's id."""
    async with desk.db.read() as session:
        return (await session.get_one(Request, request_id)).reference


async def is_proposed(desk: "Desk", reference: str) -> bool:
    """Whether a proposal stands and would have to go back before another is made."""
    async with desk.db.read() as session:
        return (await _request(session, reference)).state == "proposed"


async def _request(session: AsyncSession, reference: str) -> Request:
    found = (await session.exec(select(Request).where(Request.reference == reference))).first()
    if found is None:
        raise _nothing()
    return found


def _nothing() -> BadInput:
    return BadInput("there is no such page", field="address", remedy="Look in the queue.")


async def _view_of(session: AsyncSession, desk: "Desk", request: Request) -> Case:
    names = await agents.names(session)
    talk_row = await session.get_one(Conversation, request.conversation_id)
    wish = _wish(desk, request)
    left = date.fromisoformat(request.due_on) - queries.today(desk, request.regime)
    return Case(
        id=request.id or 0,
        reference=request.reference,
        kind=request.kind,
        state=request.state,
        version=request.version,
        language=request.language,
        regime=request.regime,
        door=talk_row.door,
        correspondent=opened(desk, talk_row.contact)[0],
        conversation=opaque.hide(desk.vault, "conversation", talk_row.id or 0),
        registry=request.registry_id,
        member=request.subject_id,
        level=request.level,
        fields=tuple(request.fields),
        wish_new=wish.get("new", {}),
        wish_old=wish.get("old", {}),
        arrived_at=request.arrived_at,
        due_at=request.due_at,
        due_on=request.due_on,
        days_left=left.days,
        derivation=tuple(request.derivation),
        ground=request.ground,
        taken_by=request.taken_by,
        taken_name=names.get(request.taken_by or 0, ""),
        closed_at=request.closed_at,
        follows=await _reference(session, request.follows_id),
        siblings=await _siblings(session, request),
        moves=legal_events(request.state),
        messages=await messages(session, desk, request.conversation_id, request.id),
        holds=await _holds(session, desk, request),
        history=await _history(session, request, names),
        challenges=await case_record.challenges(session, request),
        proposal=await _proposal(session, desk, request, names),
        attempts=await case_record.attempts(session, request),
        letters=await case_record.letters(session, request),
        copies=await case_record.copies_by_hand(session, request, names),
        uses=await uses(session, desk, request),
        tellings=await told(session, desk, request.id or 0, names),
        views_away=desk.mirrors.away,
        beside=await beside(session, desk, request.conversation_id),
    )


def legal_events(state: str) -> frozenset[str]:
    """The events that the table of moves has for a state."""
    return frozenset(event for event in EVENTS if _legal(state, event))


def _legal(state: str, event: str) -> bool:
    try:
        legal_move(state, event)
    except IllegalMove:
        return False
    return True


def _wish(desk: "Desk", request: Request) -> dict[str, Any]:
    text, gone = opened(desk, request.wish)
    wish: dict[str, Any] = json.loads(text) if text and not gone else {}
    return wish


async def _reference(session: AsyncSession, number: int | None) -> str:
    row = await session.get(Request, number) if number else None
    return row.reference if row else ""


async def _siblings(session: AsyncSession, request: Request) -> tuple[tuple[str, str, str], ...]:
    rows = await session.exec(
        select(Request.reference, Request.kind, Request.state)
        .where(or_(Request.group_id == request.group_id, Request.follows_id == request.id))
        .where(Request.id != request.id)
        .order_by(col(Request.id))
    )
    return tuple((reference, kind, state) for reference, kind, state in rows)


async def _holds(session: AsyncSession, desk: "Desk", request: Request) -> tuple[HoldView, ...]:
    rows = await session.exec(
        select(Hold, EVERYWHERE).where(Hold.request_id == request.id).order_by(col(Hold.id))
    )
    return tuple(
        HoldView(
            fields=tuple(row.fields),
            purposes=_meant(desk, row.purposes),
            kind=row.kind,
            started_at=row.started_at,
            ended_at=row.ended_at,
            end_cause=row.end_cause,
            everywhere_at=since,
        )
        for row, since in rows
    )


def _meant(desk: "Desk", purposes: Sequence[str]) -> tuple[str, ...]:
    """A hold's purposes by name; `*` stays, for which pages have a word of its own."""
    return ALL if "*" in purposes else purpose_names(purposes, desk.data_map)


async def _history(
    session: AsyncSession, request: Request, names: Mapping[int, str]
) -> tuple[Step, ...]:
    rows = await session.exec(
        select(History).where(History.request_id == request.id).order_by(col(History.version))
    )
    return tuple(
        Step(
            version=row.version,
            at=row.at,
            event=row.event,
            before=row.before,
            after=row.after,
            who=_who(row.actor, names),
            facts=row.facts,
        )
        for row in rows
    )


def _who(account: str, names: Mapping[int, str]) -> str:
    number = Actor(account).agent_id
    return account if number is None else names.get(number, account)


async def _proposal(
    session: AsyncSession, desk: "Desk", request: Request, names: Mapping[int, str]
) -> ProposalView | None:
    """The newest one that is not void."""
    rows = await session.exec(
        select(Proposal)
        .where(Proposal.request_id == request.id, Proposal.state != "void")
        .order_by(col(Proposal.id).desc())
        .limit(1)
    )
    row = rows.first()
    if row is None:
        return None
    text, _ = opened(desk, row.envelope)
    return ProposalView(
        sha256=row.sha256,
        outcome=row.outcome,
        drafted_by=_who(row.drafted_by, names),
        touched=row.touched,
        needs=row.needs,
        made_at=row.made_at,
        state=row.state,
        too_old=desk.clock() - row.made_at > PROPOSAL_LIVES,
        envelope=json.loads(text) if text else {},
        signatures=await _signatures(session, row, names),
    )


async def _signatures(
    session: AsyncSession, proposal: Proposal, names: Mapping[int, str]
) -> tuple[Signature, ...]:
    rows = await session.exec(
        select(Approval).where(Approval.proposal_id == proposal.id).order_by(col(Approval.id))
    )
    return tuple(Signature(r.agent_id, names.get(r.agent_id, ""), r.at) for r in rows)


async def _view_of_talk(session: AsyncSession, desk: "Desk", row: Conversation) -> Talk:
    requests = await session.exec(
        select(Request.reference, Request.kind, Request.state)
        .where(Request.conversation_id == row.id)
        .order_by(col(Request.id).desc())
    )
    unsorted = row.state == "unsorted"
    why = await waiting.reasons(session, desk, [row]) if unsorted else {}
    return Talk(
        id=row.id or 0,
        handle=opaque.hide(desk.vault, "conversation", row.id or 0),
        door=row.door,
        language=row.language,
        state=row.state,
        correspondent=opened(desk, row.contact)[0],
        member=row.subject_id,
        last_at=row.last_at,
        messages=await messages(session, desk, row.id or 0, None),
        requests=tuple((reference, kind, state) for reference, kind, state in requests),
        waits=why.get(row.id or 0, ()),
    )
