"""Notices to recipients leave from here: at least once, each with the id it was made with.

Killed between the commit and the sending, or between the sending and our own mark, a notice leaves
again after its lease with the same id; the recipient drops what it has seen. Of one recipient and
request the newest notice counts: an older one that never left is overtaken by it.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import exists, text
from sqlalchemy.orm import aliased
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import recipients_chased, recipients_words
from subjectline.handlers.outbox import Sender
from subjectline.handlers.recipients import SIGNAL, beside, later_than
from subjectline.handlers.retries import mine, put_off
from subjectline.models.errors import (
    NotPermitted,
    PermanentSendError,
    RegistryAway,
    TemporarySendError,
)
from subjectline.models.recipient_settings import Reach
from subjectline.models.tables import Telling

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=120)
PATIENCE = 100.0  # seconds for one notice, shorter than its lease
SWEEP = 5.0
AT_ONCE = 10
# On PostgreSQL two desks claim one after the other: the second sees which older notices fly.
_TURN = text("SELECT pg_advisory_xact_lock(hashtext('subjectline_tellings'))")


class Poster(Protocol):
    """The way out by webhook."""

    async def post(self, reach: Reach, notice_id: str, notice: Mapping[str, Any]) -> bool:
        """Whether the answer acknowledges. Raises TemporarySendError or PermanentSendError."""


@dataclass(frozen=True)
class Ways:
    """How notices leave. Without `mail` those by mail wait."""

    webhooks: Poster
    mail: Sender | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return ("webhook", "mail") if self.mail is not None else ("webhook",)


async def run(desk: "Desk", ways: Ways) -> None:
    """Sends what is due and chases what is not acknowledged, until cancelled.

    One that is slow keeps nobody else waiting: while its notices are under way it gets no more of them,
    and the others get theirs.
    """
    awake = desk.db.signals.event(SIGNAL)
    flying: dict[asyncio.Task[None], str] = {}

    def landed(notice: asyncio.Task[None]) -> None:
        if flying.pop(notice) not in flying.values():
            awake.set()

    async with asyncio.TaskGroup() as group:
        while True:
            chased = await recipients_chased.sweep(desk)
            rows = await _claim(desk, ways.names, set(flying.values()))
            for row in rows:
                task = group.create_task(_handle(desk, ways, row))
                flying[task] = row.recipient
                task.add_done_callback(landed)
            if not rows and not chased:
                await desk.db.signals.wait(SIGNAL, SWEEP)


async def once(desk: "Desk", ways: Ways) -> int:
    """One look, until all of it has landed; returns how many notices were tried or chased."""
    chased = await recipients_chased.sweep(desk)
    rows = await _claim(desk, ways.names)
    await asyncio.gather(*(_handle(desk, ways, row) for row in rows))
    return len(rows) + chased


async def _claim(desk: "Desk", names: tuple[str, ...], busy: Collection[str] = ()) -> list[Telling]:
    """The newest notice of each recipient and request that is due, but while an older one flies.

    None of the recipients that are `busy`.
    """
    now, older = desk.clock(), aliased(Telling)
    free = or_(col(Telling.leased_until).is_(None), col(Telling.leased_until) < now)
    flying = exists().where(
        beside(Telling, older), col(older.id) < col(Telling.id), col(older.leased_until) >= now
    )
    async with desk.db.write() as session:
        if not desk.db.embedded:
            await (await session.connection()).execute(_TURN)
        rows = await session.exec(
            select(Telling)
            .where(Telling.outcome == "due", col(Telling.due_at) <= now, free, ~flying)
            .where(col(Telling.way).in_(names), col(Telling.recipient).not_in(busy))
            .order_by(col(Telling.id))
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        due = list(rows)
        old = await _overtaken(session, due)
        for row in due:
            if row.id in old:
                row.outcome = "overtaken"
            else:
                row.leased_until, row.attempts = now + LEASE, row.attempts + 1
            session.add(row)
    return [row for row in due if row.id not in old]


async def _overtaken(session: AsyncSession, due: list[Telling]) -> set[int | None]:
    """Those that never left, and something newer is to be said."""
    if not due:
        return set()
    rows = await session.exec(
        select(Telling.id).where(col(Telling.id).in_([row.id for row in due]), later_than(Telling))
    )
    return set(rows)


async def _handle(desk: "Desk", ways: Ways, row: Telling) -> None:
    """One notice, whatever becomes of it: one that fails keeps none of the others."""
    try:
        await _tried(desk, ways, row)
    except Exception as wrong:  # it was not even written down: its lease brings it back
        log.error("notice %s to a recipient stays leased: %s", row.id, type(wrong).__name__)
        log.debug("because", exc_info=wrong)


async def _tried(desk: "Desk", ways: Ways, row: Telling) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            outcome = await _send(desk, ways, row)
    except PermanentSendError as wrong:
        await _failed(desk, row, wrong.rule)
    except TemporarySendError as wrong:
        await _later(desk, row, wrong)
    except NotPermitted:
        await _failed(desk, row, "its id at the recipient is not known any more")
    except RegistryAway:
        await _later(desk, row, TemporarySendError("the registry is away", tried=False))
    except Exception as wrong:  # a map that has changed since, a line that broke oddly
        log.error("notice %s to a recipient: %s", row.id, type(wrong).__name__)
        log.debug("because", exc_info=wrong)
        await _later(desk, row, TemporarySendError(type(wrong).__name__))
    else:
        await _done(desk, row, outcome)


async def _send(desk: "Desk", ways: Ways, row: Telling) -> str:
    """The outcome: sent, acknowledged, or unknown (the recipient does not know this member)."""
    reach = desk.recipients.reach.get(row.recipient)
    if reach is None or reach.way != row.way:
        raise PermanentSendError("the settings do not say any more how it is reached")
    notice = await recipients_words.gather(desk, row)
    if notice is None:
        return "unknown"
    if row.way == "webhook":
        body = recipients_words.posted(desk, notice)
        taken = await ways.webhooks.post(reach, row.notice_id, body)
        return "acknowledged" if taken else "sent"
    assert ways.mail is not None  # `_claim` takes no other
    await ways.mail.send(recipients_words.parcel(desk, notice, reach))
    return "sent"


async def _done(desk: "Desk", row: Telling, outcome: str) -> None:
    async with desk.db.write() as session:
        if (kept := await mine(session, row)) is None:
            return
        kept.leased_until, kept.reason, kept.outcome = None, "", outcome
        if outcome != "unknown":
            kept.sent_at = kept.sent_at or desk.clock()
            kept.due_at = recipients_chased.next_at(desk, kept)
        session.add(kept)
        if outcome == "acknowledged":
            await recipients_chased.acknowledged(session, desk, kept, "webhook")


async def _later(desk: "Desk", row: Telling, wrong: TemporarySendError) -> None:
    """By the outbox's own table of pauses; what was not tried uses up none of them."""
    if not await put_off(desk, row, wrong):
        await _failed(desk, row, wrong.rule)


async def _failed(desk: "Desk", row: Telling, reason: str) -> None:
    """An agent finds another way."""
    async with desk.db.write() as session:
        if (kept := await mine(session, row)) is None:
            return
        kept.outcome, kept.reason, kept.leased_until = "failed", reason, None
        await recipients_chased.give_to_agent(session, desk, kept)
