"""Which addresses take no mail any more: told by their blind index, never by the address itself.

One that a server called dead is not mailed again; nor is one at which three letters failed within a
week. It lives again when it writes to us, when an agent says so, or when the member's contact in the
registry becomes another one (that one has an index of its own). A report that was only guessed to be
about a letter counts for nothing here: anybody can write one.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.handlers.audit import SYSTEM, Actor
from subjectline.models.incoming import Contact, Door, Incoming, Tier
from subjectline.models.tables import DeadAddress, ReturnedLetter

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

STRIKES = 3
WITHIN = timedelta(days=7)
EMAIL = "email"
NOT_ITS_OWN = frozenset({"bounce", "complaint", "own_loop", "no_sender", "unparsed"})


async def is_dead(session: AsyncSession, index: bytes | None) -> bool:
    """Whether mail to the address with this index is not sent any more."""
    if index is None:
        return False
    rows = await session.exec(
        select(DeadAddress.id).where(
            DeadAddress.contact_kind == EMAIL,
            DeadAddress.contact_index == index,
            col(DeadAddress.cleared_at).is_(None),
        )
    )
    return rows.first() is not None


async def dead_among(desk: "Desk", indexes: Iterable[bytes | None]) -> set[bytes | None]:
    """Those of these addresses to which no mail is sent any more."""
    wanted = [index for index in indexes if index is not None]
    if not wanted:
        return set()
    async with desk.db.read() as session:
        rows = await session.exec(
            select(DeadAddress.contact_index).where(
                DeadAddress.contact_kind == EMAIL,
                col(DeadAddress.contact_index).in_(wanted),
                col(DeadAddress.cleared_at).is_(None),
            )
        )
        return set(rows)


async def strike(
    session: AsyncSession, desk: "Desk", index: bytes, cause: str, status: str, *, dead: bool
) -> bool:
    """One letter failed there for what counts. Returns whether the address is dead now.

    Call it once the letter's own row is in the session: that one counts too.
    """
    await session.flush()
    known = await _row(session, index)
    if known is not None and known.cleared_at is None:
        return True
    if not dead and await _strikes(session, desk, index, known) < STRIKES:
        return False
    row = known or DeadAddress(contact_index=index, cause=cause, since=desk.clock())
    row.cause, row.status, row.since = cause, status, desk.clock()
    row.cleared_at, row.cleared_by = None, ""
    session.add(row)
    audit.note(session, desk.clock, SYSTEM, "address_dead", thing="dead_address", cause=cause)
    return True


async def _row(session: AsyncSession, index: bytes) -> DeadAddress | None:
    rows = await session.exec(
        select(DeadAddress)
        .where(DeadAddress.contact_kind == EMAIL, DeadAddress.contact_index == index)
        .with_for_update()
    )
    return rows.first()


async def _strikes(
    session: AsyncSession, desk: "Desk", index: bytes, known: DeadAddress | None
) -> int:
    """Letters that failed there within the week, and since it was last found alive."""
    since = desk.clock() - WITHIN
    if known is not None and known.cleared_at is not None:
        since = max(since, known.cleared_at)
    rows = await session.exec(
        select(func.count())
        .select_from(ReturnedLetter)
        .where(
            ReturnedLetter.contact_index == index,
            col(ReturnedLetter.strike),
            col(ReturnedLetter.at) > since,
        )
    )
    return rows.one()


async def heard_from(desk: "Desk", batch: Sequence[Incoming]) -> int:
    """Addresses that wrote to us live: those of a batch that were dead are cleared. Returns how many.

    A sender that failed authentication is not believed; one of whom nothing is known is, for the worst
    that follows is one more letter that bounces.
    """
    indexes = [desk.vault.index(EMAIL, c.value) for c in dict.fromkeys(_senders(batch))]
    if not indexes:
        return 0
    wanted = (
        select(DeadAddress)
        .where(DeadAddress.contact_kind == EMAIL, col(DeadAddress.contact_index).in_(indexes))
        .where(col(DeadAddress.cleared_at).is_(None))
    )
    async with desk.db.read() as session:
        if (await session.exec(wanted.limit(1))).first() is None:
            return 0
    async with desk.db.write() as session:
        found = list(await session.exec(wanted))
        for row in found:
            _clear(session, desk, row, "mail", SYSTEM)
    return len(found)


def _senders(batch: Sequence[Incoming]) -> Iterable[Contact]:
    for one in batch:
        believed = one.tier is not Tier.FAILED and one.rule not in NOT_ITS_OWN
        if one.door is Door.MAIL and one.sender.kind == EMAIL and one.sender.value and believed:
            yield one.sender


async def clear(session: AsyncSession, desk: "Desk", index: bytes, agent: Actor) -> bool:
    """An agent says that the address lives. False where it was not dead."""
    row = await _row(session, index)
    if row is None or row.cleared_at is not None:
        return False
    _clear(session, desk, row, agent.account, agent)
    return True


def _clear(session: AsyncSession, desk: "Desk", row: DeadAddress, by: str, actor: Actor) -> None:
    row.cleared_at, row.cleared_by = desk.clock(), by
    session.add(row)
    audit.note(session, desk.clock, actor, "address_lives", thing=f"dead_address:{row.id}")
