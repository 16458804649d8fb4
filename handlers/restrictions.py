"""False information (policy Article 3.6): a member is restricted by two agents' decision, and again free.

Each decision is a request that the company opens itself, so that it has a clock, a letter, two
signatures, a change set and a hold like any other. The person may object; the remedy is recorded.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, holds, letters
from subjectline.handlers.audit import Actor
from subjectline.handlers.gate_policy import purpose_names
from subjectline.handlers.registry import Change
from subjectline.handlers.requests import Facts, advance, open_request
from subjectline.handlers.wishes import wish_of
from subjectline.models.db import wake
from subjectline.models.errors import BadInput, IllegalMove
from subjectline.models.incoming import Door
from subjectline.models.rows import make_row
from subjectline.models.tables import Conversation, History, Request, Restriction

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

KIND, END = "false_information", "restriction_end"
LIVE = ("proposed", "in_force")


@dataclass(frozen=True)
class RestrictionView:
    """One restriction as agents see it; its texts opened."""

    id: int
    member: str
    state: str
    reason: str
    remedy: str
    decided_at: datetime
    in_force_at: datetime | None
    lifted_at: datetime | None


async def suspect(desk: "Desk", member: str, agent: Actor, reason: str) -> int:
    """Opens the decision to restrict a member; returns its request's id.

    The data is held at once, the company's row and the letter follow when two agents have signed.
    Raises BadInput, UnknownMember, NotCanonical, RegistryAway, IllegalMove (restricted already).
    """
    reason = _words(reason, "reason")
    member = desk.registry.canonical(member)
    contacts = await desk.registry.contacts(member)
    language = await desk.registry.language(member)
    if "email" not in contacts:
        raise BadInput("the member has no registered email to be told at", field="member")
    async with desk.write() as session:
        if await _live(session, desk, member) is not None:
            raise IllegalMove("the member is restricted already", field="member")
        talk = await _conversation(session, desk, member, contacts["email"], language)
        request = await _open(session, desk, talk, agent, member, KIND, reason, None)
        session.add(
            Restriction(
                registry_id=desk.data_map.registry,
                subject_id=member,
                request_id=request.id or 0,
                reason=desk.vault.seal(request.key_id, "restriction.reason", reason),
                decided_by=agent.agent_id,
                decided_at=desk.clock(),
            )
        )
        return request.id or 0


async def lift(desk: "Desk", member: str, agent: Actor, remedy: str) -> int:
    """Opens the decision that ends a restriction; `remedy` says what was found and done.

    Raises BadInput, IllegalMove where none is in force or it is being lifted already.
    """
    remedy = _words(remedy, "remedy")
    member = desk.registry.canonical(member)
    async with desk.write() as session:
        row = await _live(session, desk, member)
        if row is None or row.state != "in_force" or row.lifting_id is not None:
            raise IllegalMove("the member has no restriction to lift", field="member")
        before = await session.get_one(Request, row.request_id)
        talk = await session.get_one(Conversation, before.conversation_id)
        request = await _open(session, desk, talk, agent, member, END, remedy, before.id)
        row.lifting_id = request.id
        row.remedy = desk.vault.seal(request.key_id, "restriction.remedy", remedy)
        session.add(row)
        return request.id or 0


async def drop(desk: "Desk", request_id: int, version: int, agent: Actor, reason: str) -> None:
    """Takes a decision back before it is signed; the hold ends, nobody is written to."""
    async with desk.write() as session:
        facts = Facts(reason=_words(reason, "reason"), letter=None)
        await advance(session, desk, request_id, "withdraw", agent, version, facts)


async def of_member(desk: "Desk", member: str, agent: Actor) -> list[RestrictionView]:
    """A member's restrictions, the newest first. Writes an audit row."""
    member = desk.registry.canonical(member)
    async with desk.write() as session:
        rows = await session.exec(
            select(Restriction)
            .where(
                Restriction.registry_id == desk.data_map.registry,
                Restriction.subject_id == member,
            )
            .order_by(col(Restriction.id).desc())
        )
        subject = (desk.data_map.registry, member)
        audit.note(session, desk.clock, agent, "view", subject=subject, thing="restriction")
        return [_view(desk, row) for row in rows]


async def draft(desk: "Desk", request: Request) -> tuple[dict[str, Any], list[Change]]:
    """Letter facts and change set of a decision. Raises RegistryError."""
    words = str(wish_of(desk, request).get("reason", ""))
    lifted = request.kind == END
    changes = await desk.registry.draft_status(request.subject_id or "", blocked=not lifted)
    names = purpose_names(holds.BLOCKED, desk.data_map)
    known = desk.data_map.purposes
    told = {
        "done_on": letters.DONE_ON,
        "reason": "" if lifted else words,
        "remedy": words if lifted else "",
        "lifted": lifted,
        "purposes": [known[name].labels.text(request.language) for name in names],
        "bodies": letters.bodies(request.language, request.regime),
    }
    return told, changes


async def settle(session: AsyncSession, desk: "Desk", request: Request) -> None:
    """A decision was applied: in the same step the restriction is in force, or over with its hold."""
    row = await _of_request(session, request)
    if row is None:
        return
    now = desk.clock()
    if request.kind == KIND:
        row.state, row.in_force_at = "in_force", now
    else:
        row.state, row.lifted_at = "lifted", now
        row.lifted_by = Actor(await _opener(session, request)).agent_id
        await holds.end(session, row.request_id, now, "lifted")
        wake(session, "gate", "released")
    session.add(row)


async def _open(
    session: AsyncSession,
    desk: "Desk",
    talk: Conversation,
    agent: Actor,
    member: str,
    kind: str,
    reason: str,
    follows: int | None,
) -> Request:
    """The company's own request, known to be about this member from the start."""
    request = await open_request(
        session,
        desk,
        talk,
        kind,
        arrived_at=desk.clock(),
        group_id=secrets.token_hex(8),
        wish={"new": {}, "old": {}, "reason": reason},
        follows_id=follows,
    )
    facts = Facts(
        level="document", registry=desk.data_map.registry, subject=member, letter=None,
        reason="own decision",
    )  # fmt: skip
    return await advance(session, desk, request.id or 0, "prove", agent, request.version, facts)


async def _conversation(
    session: AsyncSession, desk: "Desk", member: str, email: str, language: str | None
) -> Conversation:
    """The member's own mail conversation, or a new one with the registered address."""
    index = desk.vault.index("email", email)
    rows = await session.exec(
        select(Conversation).where(
            Conversation.door == Door.MAIL, Conversation.contact_index == index
        )
    )
    if (found := rows.first()) is not None:
        return found
    now = desk.clock()
    key_id = desk.vault.fresh_key("conversation", now)
    made = Conversation(
        door=Door.MAIL,
        contact_kind="email",
        contact_index=index,
        contact=desk.vault.seal(key_id, "conversation.contact", email),
        key_id=key_id,
        language=language or desk.manner.language,
        registry_id=desk.data_map.registry,
        subject_id=member,
        made_at=now,
        last_at=now,
    )
    return await make_row(session, made)


async def _live(session: AsyncSession, desk: "Desk", member: str) -> Restriction | None:
    rows = await session.exec(
        select(Restriction).where(
            Restriction.registry_id == desk.data_map.registry,
            Restriction.subject_id == member,
            col(Restriction.state).in_(LIVE),
        )
    )
    return rows.first()


async def _of_request(session: AsyncSession, request: Request) -> Restriction | None:
    which = Restriction.request_id if request.kind == KIND else Restriction.lifting_id
    return (await session.exec(select(Restriction).where(which == request.id))).first()


async def _opener(session: AsyncSession, request: Request) -> str:
    """Who opened the decision: the actor of its `prove`."""
    rows = await session.exec(
        select(History.actor).where(History.request_id == request.id, History.event == "prove")
    )
    return rows.first() or ""


def _view(desk: "Desk", row: Restriction) -> RestrictionView:
    return RestrictionView(
        id=row.id or 0,
        member=row.subject_id,
        state=row.state,
        reason=desk.vault.text(row.reason),
        remedy=desk.vault.text(row.remedy),
        decided_at=row.decided_at,
        in_force_at=row.in_force_at,
        lifted_at=row.lifted_at,
    )


def _words(text: str, field: str) -> str:
    if not text.strip():
        raise BadInput("say it in words: the person reads them", field=field)
    return text.strip()
