"""Too much from one sender: twenty mails an hour are handled, the rest is kept and an agent looks.

The same for answers: who has had as many letters of procedure as `Manner.answers` says is answered by a
person. Codes have limits of their own; but a robot whose mails bear no mark, have a Message-ID and a
subject of their own each time and ask for something, would else be answered every day for ever.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import challenges, identity
from subjectline.handlers.understanding import read_answer
from subjectline.models.incoming import Door, Incoming, Outcome, Tier
from subjectline.models.rows import settled
from subjectline.models.tables import Conversation, Message

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

HOUR = timedelta(hours=1)
LOOKED_AT = 400  # messages back
# What leaves by itself because a mail came; of the letters of an approval and of the clock none.
ANSWERS = frozenset({"ack", "code", "question", "resident_number", "too_large", "verify"})
ANSWERED = frozenset({"oversized"})  # rules that hold a mail and write to its sender


async def judged(
    session: AsyncSession, desk: "Desk", conversation: Conversation, incoming: Incoming
) -> tuple[str, str] | None:
    """The rule and the reason for which this mail waits for an agent, `flood` or `answered_enough`.

    Counted by how far the sender is believed: forged mails may not use up what is a member's own.
    """
    handled = incoming.outcome is Outcome.HANDLE
    if incoming.door is not Door.MAIL or not (handled or incoming.rule in ANSWERED):
        return None
    if await _reads_us(session, desk, conversation, incoming):
        return None
    mails, letters = await _lately(session, desk, conversation, incoming)
    if handled and mails >= desk.manner.mails_an_hour:
        return "flood", f"more than {desk.manner.mails_an_hour} mails within an hour"
    if await _right_code(session, desk, conversation, incoming.text):
        return None  # who has read our letter is no robot
    now = desk.clock()
    for window, most in desk.manner.answers:
        if sum(at > now - window for at in letters) >= most:
            hours = int(window / HOUR)
            return "answered_enough", f"{most} letters to this sender within {hours} h"
    return None


async def _reads_us(
    session: AsyncSession, desk: "Desk", conversation: Conversation, incoming: Incoming
) -> bool:
    """Whether it says yes, or a code, to a live reply address of ours, which nobody can guess.

    Where no server vouches for a sender's domain, forged mails would else use up the hour in which the
    member answers. A robot that says yes to all ends at the codes of a day.
    """
    if incoming.tier is not Tier.UNKNOWN or not incoming.reply_token.startswith("v"):
        return False
    answer = read_answer(incoming.text)
    if not (answer.yes or answer.code):
        return False
    token = incoming.reply_token
    return await identity.check_token(session, desk, conversation, token) is not None


async def _right_code(
    session: AsyncSession, desk: "Desk", conversation: Conversation, text: str
) -> bool:
    code = read_answer(text).code
    sent = await challenges.newest(session, conversation) if code else None
    return bool(code and sent and sent.state == "open" and challenges.is_code(desk, sent, code))


async def _lately(
    session: AsyncSession, desk: "Desk", conversation: Conversation, incoming: Incoming
) -> tuple[int, list[datetime]]:
    """Mails of this tier handled within an hour, and when letters left: one counts for the tier of the
    mail before it."""
    arrived, came = incoming.arrived_at, incoming.tier
    longest = max((window for window, _ in desk.manner.answers), default=HOUR)
    mails, letters, brought = 0, list[datetime](), ""
    rows = await _rows(session, conversation, min(desk.clock() - longest, arrived - HOUR))
    for direction, at, tier, outcome in rows:
        if direction == "in":
            brought = tier
            mails += tier == came and outcome == Outcome.HANDLE and at > arrived - HOUR
        elif brought in ("", came):
            letters.append(at)
    return mails, letters


async def _rows(
    session: AsyncSession, conversation: Conversation, since: datetime
) -> Iterable[tuple[str, datetime, str, str]]:
    """Mails that may have been answered, and the answers, in their order."""
    mail = and_(
        Message.direction == "in",
        or_(Message.outcome == Outcome.HANDLE, col(Message.rule).in_(ANSWERED)),
    )
    answer = and_(Message.direction == "out", col(Message.letter).in_(ANSWERS))
    wanted = (
        select(Message.direction, Message.at, Message.tier, Message.outcome)
        .where(Message.conversation_id == conversation.id, or_(mail, answer))
        .where(col(Message.at) > since)
        .order_by(col(Message.id).desc())
        .limit(LOOKED_AT)
    )
    with settled(session, Message, conversation.id or 0):
        return reversed((await session.exec(wanted)).all())
