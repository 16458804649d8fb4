"""What the clock does by itself: reminders, the end of provisional holds, lapses. Ordinary events."""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, halfway, identity, inbox, proxy_papers, waiting
from subjectline.handlers.dialog import reminding
from subjectline.handlers.export import binding
from subjectline.handlers.identity_limits import PROVISIONAL_LIVES, REMIND_AFTER
from subjectline.handlers.requests import Facts, advance
from subjectline.models.errors import Refused, RegistryAway
from subjectline.models.incoming import Contact, Door
from subjectline.models.tables import Conversation, Hold, RawInbox, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

log = logging.getLogger(__name__)

EVERY = 30.0  # seconds
UPDATES_KEPT = timedelta(days=7)
AT_ONCE = 200
LAST_CALL = timedelta(days=2)  # before the due date
HALF_A_DAY = timedelta(hours=12)  # more than that, so that the last reminder is the last


async def run(desk: "Desk") -> None:
    """Looks at the clock until cancelled; a wake-up named `clock` makes it look at once."""
    while True:
        await sweep(desk)
        await desk.db.signals.wait("clock", EVERY)


async def sweep(desk: "Desk") -> int:
    """Every step that has become due. Returns how many were made."""
    steps = 0
    for find, event in ((_expired_holds, "hold_expires"), (_overdue, "lapse"), (_silent, "remind")):
        for request in await find(desk):
            steps += await _step(desk, request, event)
    for request in await waiting.unchallenged(desk, AT_ONCE):
        steps += await _late_code(desk, request)
    steps += await halfway.tell(desk, AT_ONCE)
    await proxy_papers.destroy_due(desk)
    await _tidy(desk)
    return steps


async def _step(desk: "Desk", request: Request, event: str) -> bool:
    """One request's step in its own transaction; somebody faster is no failure."""
    try:
        async with desk.write() as session:
            facts = Facts()
            if event == "remind":
                facts = await _reminder(session, desk, request)
            await advance(
                session, desk, request.id or 0, event, audit.SYSTEM, request.version, facts
            )
    except Refused as late:
        log.info("timer %s for request %s: %s", event, request.id, type(late).__name__)
        return False
    return True


async def _late_code(desk: "Desk", request: Request) -> bool:
    """The code of a request whose asker had had too many; a company that is away is asked again."""
    try:
        return await waiting.challenge_late(desk, request)
    except (Refused, RegistryAway) as late:
        log.info("code for request %s: %s", request.id, type(late).__name__)
        return False


async def _reminder(session: AsyncSession, desk: "Desk", request: Request) -> Facts:
    """A reminder to prove carries a new code by mail; in a chat it has buttons to go on with."""
    conversation = await session.get_one(Conversation, request.conversation_id)
    if Door(conversation.door).is_chat:
        return Facts(keyboard=await reminding.keys(session, request))
    if request.state != "verifying" or conversation.door != "mail":
        return Facts()
    contact = Contact(conversation.contact_kind, desk.vault.text(conversation.contact))
    made = await identity.renew(session, desk, conversation, request.group_id, contact)
    return Facts(letter={"code": made[0]}, reply_token=made[1]) if made else Facts()


async def _expired_holds(desk: "Desk") -> list[Request]:
    before = desk.clock() - PROVISIONAL_LIVES
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Request)
            .join(Hold, col(Hold.request_id) == col(Request.id))
            .where(Request.state == "verifying", Hold.kind == "provisional")
            .where(col(Hold.ended_revision).is_(None), col(Hold.started_at) < before)
            .limit(AT_ONCE)
        )
        return list(rows)


async def _overdue(desk: "Desk") -> list[Request]:
    """Nobody proved it by the end of the due day."""
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Request)
            .where(Request.state == "verifying", col(Request.due_at) < desk.clock())
            .limit(AT_ONCE)
        )
        return list(rows)


async def _silent(desk: "Desk") -> list[Request]:
    """Those that wait for the person: after a day, and once more before the due date."""
    now = desk.clock()
    late = and_(
        col(Request.due_at) <= now + LAST_CALL,
        col(Request.reminded_at) < now - LAST_CALL - HALF_A_DAY,
    )
    first = and_(col(Request.reminded_at).is_(None), col(Request.arrived_at) < now - REMIND_AFTER)
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Request)
            .where(col(Request.state).in_(("verifying", "waiting")))
            .where(or_(first, late), col(Request.due_at) >= now)
            .limit(AT_ONCE)
        )
        return list(rows)


async def _tidy(desk: "Desk") -> None:
    """Exports and raw ids go when their time is over; so do the intake keys of a month ago."""
    now = desk.clock()
    async with desk.db.write() as session:
        await binding.empty(session, desk)
        await session.exec(
            delete(RawInbox).where(
                col(RawInbox.state) == "done",
                col(RawInbox.door) == "telegram",
                col(RawInbox.kept_at) < now - UPDATES_KEPT,
            )
        )
    inbox.forget_intake_keys(desk)
