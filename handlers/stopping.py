"""A link that stops a change: it goes to contacts of the member whose data would change.

Looking spends nothing, for mail scanners follow links; a press stops. What is stopped goes back to an
agent and is never written: whoever wants it still, asks anew. What was written already, or may have
been, cannot be stopped; the press is recorded all the same and an agent sees it.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, proxies
from subjectline.handlers.requests import Facts, advance
from subjectline.handlers.wishes import set_wish, wish_of
from subjectline.models.errors import SpentProof
from subjectline.models.keys import token_hash
from subjectline.models.tables import Attempt, Challenge, Conversation, Link, Request
from subjectline.models.workflow import FINAL, legal_move

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

PURPOSE = "stop"
REASON = "stopped_by_contact"
PATH = "/m/stop/"
AFTER = timedelta(days=7)
WRITTEN = frozenset({"applied", "already"})  # what a connection has, of one attempt


@dataclass(frozen=True)
class Stop:
    """What a stop page shows. `state`: `ask` (it can be stopped), `stopped`, `late` (it was written), or
    `over` (nothing changes any more). No value and no name of the person."""

    reference: str
    language: str
    fields: tuple[str, ...]
    state: str


async def make(session: AsyncSession, desk: "Desk", request_id: int) -> str:
    """Adds a stop link for a request; returns its token of 256 random bits."""
    token = secrets.token_urlsafe(32)
    request = await session.get_one(Request, request_id)
    now = desk.clock()
    session.add(
        Link(
            token_hash=_hash(token),
            request_id=request_id,
            purpose=PURPOSE,
            made_at=now,
            # As long as the change can still come, and a while to read one's mail.
            expires_at=max(request.due_at, now) + AFTER,
        )
    )
    await session.flush()
    return token


def url(desk: "Desk", token: str) -> str:
    """The page behind a token."""
    return f"{desk.manner.public_url}{PATH}{token}"


def stopped(desk: "Desk", request: Request) -> bool:
    """Whether a contact of the member has stopped this change."""
    return bool(wish_of(desk, request).get("stopped"))


async def look(desk: "Desk", token: str) -> Stop:
    """What the page says before anything is pressed. Raises SpentProof for no link of ours."""
    async with desk.db.read() as session:
        link = await _link(session, desk, token)
        request = await session.get_one(Request, link.request_id)
        return await _seen(session, desk, request)


async def stop(desk: "Desk", token: str, place: str = "pages") -> Stop:
    """Stops the change, once and for all; pressing again says what is. Raises SpentProof."""
    person = audit.Actor(audit.MEMBER.account, place)
    async with desk.write() as session:
        link = await _link(session, desk, token)
        request = await session.get_one(Request, link.request_id, with_for_update=True)
        before = await _seen(session, desk, request)
        link.opened_at = link.opened_at or desk.clock()
        session.add(link)
        if before.state == "ask":
            await _stop(session, desk, request, person)
            await proxies.stopped_with(session, desk, request, person)
            return await _seen(session, desk, request)
        outcome = "ok" if before.state == "stopped" else "refused"
        audit.note(
            session,
            desk.clock,
            person,
            "stop_pressed",
            request=request,
            reason=before.state,
            outcome=outcome,
        )
        if before.state == "late":
            await _show(session, request)
        return before


async def _stop(session: AsyncSession, desk: "Desk", request: Request, person: audit.Actor) -> None:
    set_wish(desk, request, wish_of(desk, request) | {"stopped": True})
    session.add(request)
    await session.flush()
    facts = Facts(reason=REASON)
    await advance(session, desk, request.id or 0, "stop", person, request.version, facts)
    await session.exec(
        update(Challenge)
        .where(col(Challenge.request_id) == request.id, col(Challenge.state) == "open")
        .values(state="replaced")
    )
    await _show(session, request)


async def _show(session: AsyncSession, request: Request) -> None:
    """An agent sees it in the list of what waits."""
    conversation = await session.get_one(Conversation, request.conversation_id)
    conversation.state = "unsorted"
    session.add(conversation)


async def _seen(session: AsyncSession, desk: "Desk", request: Request) -> Stop:
    state = "ask"
    if request.state == "done" or (
        request.state == "applying" and await _begun(session, request.id or 0)
    ):
        state = "late"
    elif stopped(desk, request):
        state = "stopped"
    elif request.state in FINAL:
        state = "over"
    else:
        legal_move(request.state, "stop")
    return Stop(request.reference, request.language, tuple(request.fields), state)


async def _begun(session: AsyncSession, request_id: int) -> bool:
    """Whether the change was written, or may have been. A try that the registry turned down was not."""
    rows = await session.exec(
        select(Attempt)
        .where(Attempt.request_id == request_id)
        .order_by(col(Attempt.id).desc())
        .limit(1)
    )
    last = rows.first()
    return last is not None and (
        last.outcome in ("running", "applied")
        or bool(WRITTEN & set(map(str, last.detail.values())))
    )


async def _link(session: AsyncSession, desk: "Desk", token: str) -> Link:
    rows = await session.exec(
        select(Link).where(Link.token_hash == _hash(token), Link.purpose == PURPOSE)
    )
    link = rows.first()
    if link is None or link.expires_at < desk.clock():
        raise SpentProof("there is no such link, or it is too old", remedy="Call us.")
    return link


def _hash(token: str) -> bytes:
    """Of another form than the other pages' links: none opens the other's page."""
    return token_hash(f"stop:{token}")
