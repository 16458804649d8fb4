"""How long proofs live and how often one may be asked for. Figures of the desk, not of a law."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.incoming import Contact
from subjectline.models.tables import Challenge, Hold, Request

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


async def bombed(session: AsyncSession, desk: "Desk", contact: Contact) -> bool:
    """Whether chats together have had the codes of an hour or a day sent to this address.

    It is told to nobody: the words in the chat stay the same. By mail the person's own address is
    challenged for what it writes itself, so that nobody can lock them out.
    """
    now = desk.clock()
    rows = await session.exec(
        select(Challenge.made_at)
        .where(Challenge.contact_index == desk.vault.index(contact.kind, contact.value))
        .where(col(Challenge.made_at) > now - timedelta(days=1))
    )
    times = list(rows)
    lately = sum(1 for at in times if at > now - timedelta(hours=1))
    return lately > CODES_AN_HOUR or len(times) > CODES_A_DAY
