"""How long proofs live and how often one may be asked for. Figures of the desk, not of a law."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.models.incoming import Contact
from subjectline.models.rows import all_made, made_here
from subjectline.models.tables import Challenge, Conversation, Hold, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

CODE_LIVES = timedelta(minutes=10)
REPLY_LIVES = timedelta(hours=72)  # 256 random bits need no haste; as long as a provisional hold
TRIES = 5
CODES_AN_HOUR = 3
CODES_A_DAY = 10
CHANNEL_LIVES = timedelta(days=30)
CONTACT_LIVES = timedelta(hours=24)
PROVISIONAL_EVERY = timedelta(days=30)
PROVISIONAL_LIVES = timedelta(hours=72)
REMIND_AFTER = timedelta(days=1)
FAILED_OFTEN = 3
OWN = ("aligned", "linked")  # of Challenge.asked: the person's own address, or own chat


async def may_hold(session: AsyncSession, desk: "Desk", request: Request, member: str) -> bool:
    """A provisional hold comes once in 30 days a member: asking may freeze nobody for long."""
    since: datetime = desk.clock() - PROVISIONAL_EVERY
    rows = await session.exec(
        select(Hold.id)
        .where(Hold.registry_id == desk.data_map.registry, Hold.subject_id == member)
        .where(Hold.kind == "provisional", col(Hold.started_at) > since)
        .where(Hold.request_id != request.id)
        .limit(1)
    )
    return rows.first() is None


async def too_many(
    session: AsyncSession, desk: "Desk", conversation: Conversation, asked: str = "other"
) -> bool:
    """Whether this asker has had the codes of an hour or a day (limits fall on the asker).

    Codes that forged mails caused do not count against authenticated ones of the same address.
    """
    if made_here(session, Conversation, conversation.id or 0):
        made = [one for one in all_made(session, Challenge) if _same(one, conversation, asked)]
        return len(made) >= CODES_AN_HOUR
    mine = col(Challenge.asked).in_(OWN)
    return await _reached(
        session,
        desk,
        [
            Challenge.conversation_id == conversation.id,
            mine if asked in OWN else ~mine,
        ],
        CODES_AN_HOUR,
        CODES_A_DAY,
    )


def _same(one: Challenge, conversation: Conversation, asked: str) -> bool:
    return one.conversation_id == conversation.id and (one.asked in OWN) == (asked in OWN)


async def bombed(
    session: AsyncSession, desk: "Desk", contact: Contact, member: str | None = None
) -> bool:
    """Whether strangers together have had the codes of an hour or a day sent to this contact, or to
    this member by whichever contact.

    Only what was sent counts, and this one. It is told to nobody: the words in the chat stay the same.
    What a person asks for from an address or a chat of their own does not count and is not counted, so
    that nobody can lock them out.
    """
    there: ColumnElement[bool] = col(Challenge.contact_index) == desk.vault.index(
        contact.kind, contact.value
    )
    if member is not None:
        registry = col(Challenge.registry_id) == desk.data_map.registry
        there = or_(there, and_(registry, col(Challenge.subject_id) == member))
    sent = and_(col(Challenge.asked) == "other", col(Challenge.subject_id).is_not(None))
    strange = or_(sent, col(Challenge.purpose) != "identity")
    return await _reached(session, desk, [there, strange], CODES_AN_HOUR + 1, CODES_A_DAY + 1)


async def _reached(
    session: AsyncSession,
    desk: "Desk",
    which: Sequence[ColumnElement[bool] | bool],
    an_hour: int,
    a_day: int,
) -> bool:
    now = desk.clock()
    rows = await session.exec(
        select(Challenge.made_at).where(*which, col(Challenge.made_at) > now - timedelta(days=1))
    )
    times = list(rows)
    lately = sum(1 for at in times if at > now - timedelta(hours=1))
    return lately >= an_hour or len(times) >= a_day


async def failed_often(session: AsyncSession, desk: "Desk", last: Challenge) -> bool:
    """Whether three codes within a day were tried until they were spent: by this asker, or against this
    member by whomever. An agent sees it, and the audit says so."""
    whose: list[ColumnElement[bool]] = [
        col(Challenge.conversation_id) == last.conversation_id,
        col(Challenge.contact_index) == last.contact_index,
    ]
    if last.subject_id is not None:
        same = (
            col(Challenge.registry_id) == last.registry_id,
            col(Challenge.subject_id) == last.subject_id,
        )
        whose.append(and_(*same))
    rows = await session.exec(
        select(Challenge.id)
        .where(or_(*whose), col(Challenge.tries) >= TRIES)
        .where(col(Challenge.made_at) > desk.clock() - timedelta(days=1))
    )
    often = len(list(rows)) >= FAILED_OFTEN
    if often:
        member = (last.registry_id or "", last.subject_id) if last.subject_id else None
        thing = f"conversation:{last.conversation_id}"
        audit.note(
            session, desk.clock, audit.SYSTEM, "identity_failed_often", subject=member, thing=thing
        )
    return often
