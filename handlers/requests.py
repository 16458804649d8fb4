"""The life of a request: `advance` is the only writer of its state, history and holds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, choices, given_up, holds, lifting, post, recipients, whereto
from subjectline.handlers.audit import Actor
from subjectline.handlers.deadlines import due
from subjectline.handlers.wishes import set_wish
from subjectline.models.db import hold_on, wake
from subjectline.models.errors import IllegalMove, NotPermitted, StaleMove
from subjectline.models.incoming import Contact
from subjectline.models.references import new_reference
from subjectline.models.rows import made_here, make_row
from subjectline.models.tables import (
    Conversation,
    History,
    Proposal,
    Request,
    RequestMessage,
    Task,
)
from subjectline.models.workflow import (
    BEFORE_PROOF,
    FINAL,
    LEVEL_NEEDED,
    MAX_CLARIFY,
    Move,
    legal_move,
    reaches,
)

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

DRAFTED_AFTER = ("prove", "answer")


@dataclass(frozen=True)
class Facts:
    """What an event brings with it. Names and references only ever reach the history, no values."""

    level: str = ""
    registry: str | None = None
    subject: str | None = None
    provisional: bool = False
    proposal_id: int | None = None
    due_at: datetime | None = None
    due_on: str = ""
    question: str = ""
    reason: str = ""
    fields: tuple[str, ...] = ()
    letter: Mapping[str, Any] | None = field(default_factory=dict)  # its facts; None: no letter
    ready: post.Noted | None = None
    to: Contact | None = None
    reply_token: str = ""
    successor: int | None = None
    keyboard: list[list[dict[str, str]]] | None = None
    waits: bool = False  # what was approved is not written at once: its person is warned first

    def told(self) -> dict[str, Any]:
        """What the history keeps of them."""
        kept = {
            "level": self.level,
            "question": self.question,
            "reason": self.reason,
            "fields": list(self.fields),
            "proposal": self.proposal_id,
            "due_on": self.due_on,
            "provisional": self.provisional,
        }
        return {name: value for name, value in kept.items() if value}


NOTHING = Facts()


async def open_request(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    kind: str,
    *,
    arrived_at: datetime,
    group_id: str,
    message_id: int | None = None,
    fields: tuple[str, ...] = (),
    wish: Mapping[str, Any] | None = None,
    follows_id: int | None = None,
) -> Request:
    """A new request in state `received`; its clock runs from the message's arrival (PIPA 35(3))."""
    limit = due(desk.manner.law, kind, arrived_at)
    key_id = desk.vault.fresh_key("request", desk.clock())
    request = Request(
        reference=new_reference(),
        group_id=group_id,
        conversation_id=conversation.id or 0,
        kind=kind,
        regime=desk.manner.regime,
        language=conversation.language,
        fields=list(fields),
        wish=desk.vault.seal(key_id, "request.wish", json.dumps(dict(wish or {}))),
        key_id=key_id,
        arrived_at=arrived_at,
        due_at=limit.at,
        due_on=limit.date.isoformat(),
        derivation=list(limit.derivation),
        follows_id=follows_id,
    )
    await make_row(session, request)
    if message_id is not None:
        session.info.setdefault("linked", set()).add((request.id or 0, message_id))
        session.add(RequestMessage(request_id=request.id or 0, message_id=message_id, source=True))
    first = {"kind": kind, "fields": list(fields)}
    _remember(session, desk, request, "arrive", "", audit.MEMBER, first)
    return request


async def advance(
    session: AsyncSession,
    desk: "Desk",
    request_id: int,
    event: str,
    actor: Actor,
    expected_version: int,
    facts: Facts = NOTHING,
) -> Request:
    """One step of one request, or an error and nothing.

    Raises StaleMove where the request is no longer at `expected_version`, IllegalMove where the table
    does not have it, NotPermitted where its facts are not enough.
    """
    request = made_here(session, Request, request_id)
    if request is None:
        request = await session.get_one(Request, request_id, populate_existing=True)
    hold_on(session, request)
    if request.version != expected_version:
        raise _stale(request, expected_version)
    move = legal_move(request.state, event)
    _allowed(request, move, facts)
    before = request.state
    await _guarded_update(session, request, move, expected_version, facts, desk.clock())
    _remember(session, desk, request, event, before, actor, facts.told())
    await _move_holds(session, desk, request, move, facts)
    await recipients.follow(session, desk, request, move, facts)
    await _void_proposals(session, request, move)
    await given_up.restriction(session, request)
    _queue_work(session, desk, request, move, facts)
    _call_for_letter(session, desk, request, move, facts)
    audit.note(session, desk.clock, actor, event, request=request, reason=facts.reason)
    return request


async def witness(
    session: AsyncSession, desk: "Desk", request: Request, event: str, actor: Actor, *, reason: str
) -> None:
    """A fact for the history that moves nothing: a final request stays final. Raises StaleMove."""
    done = await session.exec(
        update(Request)
        .where(col(Request.id) == request.id, col(Request.version) == request.version)
        .values(version=request.version + 1)
    )
    if done.rowcount != 1:
        raise _stale(request, request.version)
    await session.refresh(request)
    _remember(session, desk, request, event, request.state, actor, {"reason": reason})


def _allowed(request: Request, move: Move, facts: Facts) -> None:
    if move.event == "prove":
        needed = LEVEL_NEEDED.get(request.kind)
        if needed is None or not reaches(facts.level or "claimed", needed):
            raise NotPermitted(
                f"a {request.kind} request needs the level {needed or 'of a known right'}",
                field="level",
                remedy="Ask for a code, or check papers.",
            )
    if move.event == "clarify" and request.clarified >= MAX_CLARIFY:
        raise IllegalMove("a question was asked twice already", remedy="An agent sorts it.")
    if "proposal" in move.needs and facts.proposal_id is None:
        raise NotPermitted(f"to {move.event} needs a proposal", field="proposal")
    if "due" in move.needs and facts.due_at is None:
        raise NotPermitted(f"to {move.event} needs the new due date", field="due")


async def _guarded_update(
    session: AsyncSession,
    request: Request,
    move: Move,
    expected: int,
    facts: Facts,
    now: datetime,
) -> None:
    """The one UPDATE on id, state and version: of two that try, one sees no row.

    A request that this very transaction opened nobody else can see: it is simply changed.
    """
    values = _written(request, move, expected, facts, now)
    if made_here(session, Request, request.id or 0):
        for name, value in values.items():
            setattr(request, name, value)
        return
    done = await session.exec(
        update(Request)
        .where(
            col(Request.id) == request.id,
            col(Request.state) == request.state,
            col(Request.version) == expected,
        )
        .values(**values)
    )
    if done.rowcount != 1:
        raise _stale(request, expected)
    for name, value in values.items():  # just what was written: no need to read it back
        set_committed_value(request, name, value)


def _written(
    request: Request, move: Move, expected: int, facts: Facts, now: datetime
) -> dict[str, Any]:
    """What the step writes into the request's row."""
    values: dict[str, Any] = {
        "version": expected + 1,
        "state": move.target or request.state,
        "clarified": request.clarified + (move.event == "clarify"),
    }
    if facts.level:
        values["level"] = facts.level
    if move.event == "prove":
        values |= {"registry_id": facts.registry, "subject_id": facts.subject}
    if facts.due_at is not None:
        values |= {"due_at": facts.due_at, "due_on": facts.due_on}
    if move.event == "remind":
        values["reminded_at"] = now
    if move.target in FINAL:
        values["closed_at"] = now
    return values


def _stale(request: Request, expected: int) -> StaleMove:
    return StaleMove(
        f"{request.reference} is now {request.state} (step {request.version}, you saw {expected})",
        field="version",
        remedy="Load it again and look at what changed.",
    )


def _remember(
    session: AsyncSession,
    desk: "Desk",
    request: Request,
    event: str,
    before: str,
    actor: Actor,
    told: dict[str, Any],
) -> None:
    session.add(
        History(
            request_id=request.id or 0,
            version=request.version,
            at=desk.clock(),
            event=event,
            before=before,
            after=request.state,
            actor=actor.account,
            facts=told,
        )
    )


async def _move_holds(
    session: AsyncSession, desk: "Desk", request: Request, move: Move, facts: Facts
) -> None:
    """What the step does to holds (DESIGN, notes 1 to 3 of the table of moves)."""
    now, number = desk.clock(), request.id or 0
    if move.hold == "provisional" and facts.provisional and facts.subject:
        await _place(session, desk, request, "provisional", facts.registry or "", facts.subject)
    elif move.hold == "firm" and request.subject_id:
        if request.follows_id is not None and request.kind == "objection":
            await holds.hold_again(session, request.follows_id, number, now)
        else:
            await _place(
                session, desk, request, "firm", request.registry_id or "", request.subject_id
            )
    elif move.hold == "finish" and request.kind in holds.STANDING_KINDS:
        await holds.make_standing(session, number, now)
    elif move.hold in ("end", "end_provisional", "finish"):
        if await lifting.waits(session, request, letter=facts.letter is not None):
            lifting.later(session, desk, request)
            return
        await holds.end(session, number, now)
    elif move.hold == "move" and facts.successor is not None:
        await holds.take_over(session, number, facts.successor, now)
    else:
        return
    wake(session, "gate", "released")


async def _place(
    session: AsyncSession, desk: "Desk", request: Request, kind: str, registry: str, subject: str
) -> None:
    plan = holds.holds_for(request.kind, tuple(request.fields), (), desk.data_map)
    await holds.place(session, request.id or 0, registry, subject, plan, kind, desk.clock())


async def _void_proposals(session: AsyncSession, request: Request, move: Move) -> None:
    """A proposal lives only while its request is proposed or being applied."""
    if set(move.sources) <= set(BEFORE_PROOF):
        return  # there never was one
    if request.state in ("proposed", "applying") or move.event in ("apply", "refuse"):
        return
    state = "spent" if move.event == "fail" else "void"
    await session.exec(
        update(Proposal)
        .where(
            col(Proposal.request_id) == request.id,
            col(Proposal.state).in_(("open", "approved")),
        )
        .values(state=state)
    )


def _queue_work(
    session: AsyncSession, desk: "Desk", request: Request, move: Move, facts: Facts
) -> None:
    if request.state == "open" and move.event in DRAFTED_AFTER:
        kind = "draft"
    elif request.state == "applying":
        kind = "warn" if facts.waits else "apply"
    else:
        return
    target = f"{request.id}:{request.version}"
    session.add(Task(kind=kind, target=target, due_at=desk.clock()))
    wake(session, "task")


def _call_for_letter(
    session: AsyncSession, desk: "Desk", request: Request, move: Move, facts: Facts
) -> None:
    if not move.letter or facts.letter is None:
        return
    if facts.ready is not None:
        post.note(session, facts.ready)
        return
    extra = dict(facts.letter)
    if facts.question:
        extra["question"] = facts.question
    post.note(
        session,
        post.Noted(
            move.letter,
            request.conversation_id,
            [request.id or 0],
            extra,
            to=facts.to or whereto.elsewhere(desk, request),
            reply_token=facts.reply_token,
            keyboard=choices.bound(facts.keyboard, request.reference, request.version),
        ),
    )


async def set_kind(
    session: AsyncSession,
    desk: "Desk",
    request: Request,
    kind: str,
    fields: tuple[str, ...],
    values: Mapping[str, str],
) -> None:
    """Gives an unclear request the right that the person named; its clock goes on from arrival."""
    limit = due(desk.manner.law, kind, request.arrived_at)
    request.kind, request.fields = kind, list(fields)
    request.due_at, request.due_on = limit.at, limit.date.isoformat()
    request.derivation = list(limit.derivation)
    set_wish(desk, request, {"new": dict(values), "old": {}})
    session.add(request)
