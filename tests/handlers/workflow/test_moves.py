"""Every pair of state and event against a real database: the table of moves, and nothing beside it.

`TABLE` is DESIGN.md's table written out once more, so that a slip in the code's own shows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from desks import NOW, Office, agent
from sqlalchemy import update
from sqlmodel import SQLModel, col, select

from subjectline.handlers import lifting
from subjectline.handlers.letters import Letter
from subjectline.handlers.post import Noted
from subjectline.handlers.requests import Facts, advance
from subjectline.models.errors import IllegalMove, NotPermitted, Refused, StaleMove
from subjectline.models.tables import Audit, History, Hold, Outbox, Proposal, Request, Task
from subjectline.models.workflow import EVENTS, FINAL, STATES

REGISTRY, MEMBER = "moment-pick", "1001"
Put = Callable[..., Awaitable[Request]]


class Step(NamedTuple):
    sources: str
    event: str
    target: str  # `same` where it stays
    letter: str = ""
    hold: str = ""  # in force afterwards: provisional, firm, none; empty: as before


TABLE = (
    Step("received", "challenge", "verifying", "verify", "provisional"),
    Step("received verifying", "prove", "open", "ack", "firm"),
    Step("received verifying", "clarify", "same", "question"),
    Step("verifying waiting", "remind", "same", "reminder"),
    Step("verifying", "hold_expires", "same", "", "none"),
    Step("verifying", "reject_identity", "refused", "refused_identity", "none"),
    Step("verifying", "lapse", "lapsed", "lapsed", "none"),
    Step("open", "ask", "waiting", "question"),
    Step("open waiting", "extend", "open", "extended"),
    Step("open waiting", "postpone", "open", "postponed"),
    Step("waiting proposed", "answer", "open"),
    Step("open waiting", "propose", "proposed"),
    Step("proposed", "send_back", "open"),
    Step("proposed", "approve", "applying"),
    Step("proposed", "refuse", "refused", "refused", "none"),
    Step("applying", "apply", "done", "done", "none"),
    Step("applying", "fail", "open"),
    Step("open waiting proposed applying", "stop", "open"),
    Step("received verifying open waiting proposed", "withdraw", "withdrawn", "withdrawn", "none"),
    Step("received verifying open waiting", "supersede", "superseded", "moved", "none"),
)
LEGAL = {(state, step.event): step for step in TABLE for state in step.sources.split()}
ILLEGAL = [(s, e) for s in STATES for e in EVENTS if (s, e) not in LEGAL]
# What ends a firm hold (DESIGN, promise 4), and what hands it over.
ENDS = {("applying", "apply"), ("proposed", "refuse"), ("proposed", "withdraw")}
ENDS |= {(state, "withdraw") for state in ("open", "waiting")}
MOVED = {("open", "supersede"), ("waiting", "supersede")}
FIRM = ("open", "waiting", "proposed", "applying")
TABLES: tuple[type[SQLModel], ...] = (Request, History, Hold, Outbox, Audit, Proposal, Task)


def facts_for(event: str, request: Request, successor: int = 0) -> Facts:
    """What each event brings with it."""
    ready = Noted("any", request.conversation_id, [request.id or 0], ready=Letter("s", "t", "h"))
    proven = Facts(level="contact", registry=REGISTRY, subject=MEMBER)
    later = NOW + timedelta(days=20)
    known: dict[str, Facts] = {
        "challenge": Facts(
            provisional=True,
            registry=REGISTRY,
            subject=MEMBER,
            letter={"code": "123456", "hold_hours": 72},
            reply_token="vtoken",
        ),
        "prove": proven,
        "clarify": Facts(question="which_right"),
        "ask": Facts(question="free", letter={"note": "Which floor?"}),
        "propose": Facts(proposal_id=1),
        "approve": Facts(proposal_id=1),
        "refuse": Facts(proposal_id=1, ready=ready),
        "apply": Facts(proposal_id=1, ready=ready),
        "extend": Facts(due_at=later, due_on="2026-12-13", ready=ready),
        "postpone": Facts(due_at=later, due_on="2026-12-13", ready=ready),
        "supersede": Facts(successor=successor, letter={"moved_to": "SL-00000000"}),
    }
    return known.get(event, Facts())


async def move(
    office: Office, request: Request, event: str, version: int = 3, successor: int = 0
) -> Request:
    """One step, in a transaction of its own, by agent 1."""
    facts = facts_for(event, request, successor)
    own = await office.all(Proposal, Proposal.request_id == request.id)
    if facts.proposal_id and own:  # on a shared desk the first one is another test's
        facts = replace(facts, proposal_id=own[-1].id)
    async with office.desk.write() as session:
        return await advance(session, office.desk, request.id or 0, event, agent(), version, facts)


async def everything(office: Office, request: Request) -> dict[str, list[dict[str, Any]]]:
    """All rows of a request, to be compared."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with office.desk.db.read() as session:
        for table in TABLES:
            whose = getattr(table, "request_id", None)
            which = Request.id == request.id if table is Request else whose == request.id
            if table is Task:
                which = col(Task.target).startswith(f"{request.id}:")
            rows = await session.exec(select(table).where(which))
            found[table.__name__] = [
                {k: str(v) for k, v in row.model_dump().items()} for row in rows
            ]
    return found


async def in_force(office: Office, request: Request) -> set[str]:
    live = await office.all(Hold, Hold.request_id == request.id)
    return {hold.kind for hold in live if hold.ended_revision is None}


def test_the_code_has_the_events_and_states_of_the_design() -> None:
    assert {event for _, event in LEGAL} == set(EVENTS)
    assert {state for state, _ in LEGAL} == set(STATES) - FINAL


@pytest.mark.parametrize(("state", "event"), sorted(LEGAL))
async def test_a_legal_event(office: Office, put: Put, state: str, event: str) -> None:
    step, request, other = LEGAL[state, event], await put(state), await put("open")
    before = await in_force(office, request)

    after = await move(office, request, event, successor=other.id or 0)

    target = state if step.target == "same" else step.target
    assert (after.state, after.version) == (target, 4)
    assert (after.closed_at is not None) == (target in FINAL)
    rows = await everything(office, request)
    [history] = rows["History"]
    told = {k: history[k] for k in ("event", "before", "after", "version", "actor")}
    assert told == {
        "event": event,
        "before": state,
        "after": target,
        "version": "4",
        "actor": "agent:1",
    }
    [audit] = rows["Audit"]
    assert (audit["action"], audit["account"]) == (event, "agent:1")
    assert audit["object"] == request.reference
    letters = [row["letter"] for row in rows["Outbox"]]
    ready = facts_for(event, request).ready
    assert letters == (["any"] if ready else [step.letter] if step.letter else [])
    wanted = {"": before, "none": set()}.get(step.hold, {step.hold})
    assert await in_force(office, request) == wanted
    if event == "supersede" and before:
        assert len(await office.all(Hold, Hold.request_id == other.id)) == 2


@pytest.mark.parametrize("state", STATES)
async def test_no_other_event_does_anything(office: Office, put: Put, state: str) -> None:
    request = await put(state)
    before = await everything(office, request)
    for event in [e for s, e in ILLEGAL if s == state]:
        with pytest.raises(IllegalMove) as told:
            await move(office, request, event)
        assert told.value.field == event and told.value.remedy
        assert await everything(office, request) == before, event


@pytest.mark.parametrize(("state", "event"), sorted(LEGAL))
async def test_an_older_version_does_nothing(
    office: Office, put: Put, state: str, event: str
) -> None:
    request = await put(state)
    before = await everything(office, request)
    with pytest.raises(StaleMove) as told:
        await move(office, request, event, version=2)
    assert state in told.value.rule and request.reference in told.value.rule
    assert await everything(office, request) == before


@pytest.mark.parametrize(("state", "event"), sorted(LEGAL))
async def test_of_two_at_once_one_wins(office: Office, put: Put, state: str, event: str) -> None:
    request, other = await put(state), await put("open")
    both = [move(office, request, event, successor=other.id or 0) for _ in range(2)]
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(each) is StaleMove for each in done) == [False, True], done
    rows = await everything(office, request)
    assert len(rows["History"]) == 1 and len(rows["Audit"]) == 1
    assert len(rows["Outbox"]) <= 1 and rows["Request"][0]["version"] == "4"


async def test_of_many_different_events_at_once_one_wins(office: Office, put: Put) -> None:
    request = await put("proposed")
    events = ("approve", "refuse", "send_back", "answer", "withdraw") * 3
    done = await asyncio.gather(
        *(move(office, request, event) for event in events), return_exceptions=True
    )
    won = [each for each in done if isinstance(each, Request)]
    assert len(won) == 1 and all(isinstance(e, Refused) for e in done if e not in won)
    assert len((await everything(office, request))["History"]) == 1


@pytest.mark.parametrize("level", ["", "claimed", "channel"])
async def test_nothing_opens_below_its_level(office: Office, put: Put, level: str) -> None:
    request = await put("verifying")
    before = await everything(office, request)
    facts = Facts(level=level, registry=REGISTRY, subject=MEMBER)
    with pytest.raises(NotPermitted):
        async with office.desk.write() as session:
            await advance(session, office.desk, request.id or 0, "prove", agent(), 3, facts)
    assert await everything(office, request) == before


async def test_a_marketing_withdrawal_opens_by_the_channel(office: Office, put: Put) -> None:
    request = await put("received", "marketing_withdrawal")
    facts = Facts(level="channel", registry=REGISTRY, subject=MEMBER)
    async with office.desk.write() as session:
        after = await advance(session, office.desk, request.id or 0, "prove", agent(), 3, facts)
    assert (after.state, after.level, after.subject_id) == ("open", "channel", MEMBER)


@pytest.mark.parametrize("event", ["propose", "approve", "refuse"])
async def test_no_decision_without_its_proposal(office: Office, put: Put, event: str) -> None:
    request = await put("open" if event == "propose" else "proposed")
    with pytest.raises(NotPermitted):
        async with office.desk.write() as session:
            await advance(session, office.desk, request.id or 0, event, agent(), 3)


async def test_a_question_is_asked_twice_and_no_more(office: Office, put: Put) -> None:
    request = await put("received")
    await move(office, request, "clarify", 3)
    await move(office, request, "clarify", 4)
    with pytest.raises(IllegalMove):
        await move(office, request, "clarify", 5)


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("correction", set()),
        ("suspension", {"standing"}),
        ("marketing_withdrawal", {"standing"}),
        ("third_party_withdrawal", {"standing"}),
        ("erasure", {"standing"}),
        ("membership_withdrawal", {"standing"}),
        ("access", set()),
    ],
)
async def test_what_is_held_after_done(office: Office, put: Put, kind: str, left: set[str]) -> None:
    """DESIGN, note 3: a correction's hold ends; the others that hold become standing."""
    request = await put("applying", kind)
    await move(office, request, "apply")
    assert await in_force(office, request) == left


@pytest.mark.parametrize(
    ("state", "event", "after"),
    [
        ("proposed", "send_back", "void"),
        ("proposed", "answer", "void"),
        ("proposed", "withdraw", "void"),
        ("applying", "fail", "spent"),
        ("proposed", "approve", "open"),  # its caller marks it approved in the same step
    ],
)
async def test_what_becomes_of_a_proposal(
    office: Office, put: Put, state: str, event: str, after: str
) -> None:
    request = await put(state)
    await move(office, request, event)
    [proposal] = await office.all(Proposal, Proposal.request_id == request.id)
    assert proposal.state == after


async def under_gdpr(office: Office, request: Request) -> None:
    async with office.desk.write() as session:
        await session.exec(
            update(Request).where(col(Request.id) == request.id).values(regime="eu-gdpr")
        )


@pytest.mark.parametrize("regime", ["kr-pipa", "eu-gdpr"])
@pytest.mark.parametrize("state", FIRM)
async def test_no_other_event_ends_a_firm_hold(
    office: Office, put: Put, state: str, regime: str
) -> None:
    """Every event there is, in every state with a firm hold."""
    for event in sorted({e for s, e in [*LEGAL, *ILLEGAL] if s == state}):
        request, other = await put(state), await put("open")
        if regime == "eu-gdpr":
            await under_gdpr(office, request)
        try:
            await move(office, request, event, successor=other.id or 0)
        except Refused:
            assert (state, event) not in LEGAL
        at_once = (state, event) in ENDS and regime == "kr-pipa"
        moved = (state, event) in MOVED
        assert await in_force(office, request) == (set() if at_once or moved else {"firm"}), event
        held = await office.all(Hold, Hold.request_id == other.id)
        assert len(held) == 1 + moved and all(hold.ended_revision is None for hold in held)
        waiting = await office.all(Task, Task.kind == lifting.KIND)
        assert len([t for t in waiting if t.target.startswith(f"{request.id}:")]) == (
            regime == "eu-gdpr" and (state, event) in ENDS
        ), event


async def test_an_error_after_the_step_takes_all_of_it_back(office: Office, put: Put) -> None:
    """State, history, hold, audit and letter of one step commit in one transaction, or not at all."""
    request = await put("verifying")
    before = await everything(office, request)
    with pytest.raises(RuntimeError):
        async with office.desk.write() as session:
            facts = facts_for("prove", request)
            await advance(session, office.desk, request.id or 0, "prove", agent(), 3, facts)
            raise RuntimeError("the power went")
    assert await everything(office, request) == before
