"""Letters leave from here: at least once, each with the Message-ID it was queued with."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import bounces, chat_closed, letters, links, reachable
from subjectline.handlers import facts as wording
from subjectline.models.errors import ChatClosed, PermanentSendError, TemporarySendError
from subjectline.models.incoming import Door
from subjectline.models.mail_settings import RETRY_SECONDS
from subjectline.models.tables import Conversation, Message, Outbox

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
AT_ONCE = 20
SWEEP = 5.0
RETRY = RETRY_SECONDS


@dataclass(frozen=True)
class Parcel:
    """A letter ready to leave. `recipient` is an address of the door it leaves by."""

    door: Door
    recipient: str
    subject: str
    text: str
    html: str
    message_id: str
    reply_to: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    keyboard: list[list[dict[str, str]]] | None = None
    forget: int = 0
    code: str = ""  # the one-time code in it, for ways out that carry it in a form of its own
    answers: bool = True  # an answer to somebody's message (Auto-Submitted: auto-replied)


class Sender(Protocol):
    """One way out."""

    async def send(self, parcel: Parcel) -> None:
        """Hands over one letter. Raises TemporarySendError or PermanentSendError."""


Senders = Mapping[Door, Sender]


async def run(desk: "Desk", senders: Senders) -> None:
    """Sends what is due until cancelled."""
    who = " ".join(senders)
    while True:
        if not await once(desk, senders):
            await desk.db.signals.wait("outbox", SWEEP, who)


async def once(desk: "Desk", senders: Senders) -> int:
    """Sends the letters that are due now; returns how many were taken."""
    taken = await _claim(desk, list(senders))
    dead = await reachable.dead_among(desk, [row.contact_index for row in taken])
    for row in taken:
        try:
            if row.contact_index in dead:
                await _failed(desk, row, "known_dead", "unreachable")
                continue
            await _send(desk, senders[Door(row.door)], row)
        except Exception as wrong:  # one that fails keeps none of the others
            log.error("letter %s (%s): %s", row.id, row.letter, type(wrong).__name__)
            log.debug("because", exc_info=wrong)
            await _later(desk, row, TemporarySendError(type(wrong).__name__))
    return len(taken)


async def _claim(desk: "Desk", doors: list[Door]) -> list[Outbox]:
    now = desk.clock()
    async with desk.db.write() as session:
        rows = await session.exec(
            select(Outbox)
            .where(Outbox.outcome == "due", col(Outbox.due_at) <= now)
            .where(or_(col(Outbox.leased_until).is_(None), col(Outbox.leased_until) < now))
            .where(col(Outbox.door).in_(doors))
            .order_by(col(Outbox.id))
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        taken = list(rows)
        for row in taken:
            row.leased_until, row.attempts = now + LEASE, row.attempts + 1
            session.add(row)
    return taken


async def _send(desk: "Desk", sender: Sender, row: Outbox) -> None:
    parcel = await _pack(desk, row)
    try:
        await sender.send(parcel)
    except PermanentSendError as wrong:
        await _refused(desk, row, wrong)
    except TemporarySendError as wrong:
        await _later(desk, row, wrong)
    else:
        await _sent(desk, row, parcel)


async def _pack(desk: "Desk", row: Outbox) -> Parcel:
    """Opens the letter and fills its slots: the day, and a fresh one-time link."""
    content: dict[str, Any] = json.loads(desk.vault.text(row.content))
    slots = content.get("slots", {})
    letter = letters.Letter(content["subject"], content["text"], content["html"])
    link = await _link(desk, slots)
    today = wording.local_day(desk, desk.clock())
    letter = letters.fill(letter, content["language"], today, link)
    return Parcel(
        door=Door(row.door),
        recipient=desk.vault.text(row.recipient),
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        message_id=row.rfc_message_id,
        reply_to=content.get("reply_to", ""),
        in_reply_to=content.get("in_reply_to", ""),
        references=tuple(content.get("references", ())),
        keyboard=content.get("keyboard"),
        forget=content.get("forget", 0),
        code=content.get("code", ""),
    )


async def _link(desk: "Desk", slots: dict[str, Any]) -> str:
    wanted = slots.get("secure_link")
    if not wanted:
        return ""
    async with desk.write() as session:
        purpose = str(wanted.get("purpose", "result"))
        token = await links.make(session, desk, int(wanted["request_id"]), purpose)
    return links.url(desk, token)


async def _sent(desk: "Desk", row: Outbox, parcel: Parcel) -> None:
    async with desk.db.write() as session:
        kept = await session.get_one(Outbox, row.id)
        kept.outcome, kept.sent_at, kept.leased_until = "sent", desk.clock(), None
        session.add(kept)
        await _what_left(session, desk, kept, parcel)


async def _what_left(session: AsyncSession, desk: "Desk", row: Outbox, parcel: Parcel) -> None:
    """The code and the link of a letter are not kept once it has left; the rest is, as it left."""
    conversation = await session.get_one(Conversation, row.conversation_id)
    if row.message_id is None or row.letter in ("verify", "code", "reminder", "forget"):
        row.content = None
        return
    message = await session.get_one(Message, row.message_id)
    text = parcel.text
    for word in text.split():
        if "/m/" in word:
            text = text.replace(word, "[one-time link]")
    message.text = desk.vault.seal(conversation.key_id, "message.text", text)
    row.content = None
    session.add(message)


async def _later(desk: "Desk", row: Outbox, wrong: TemporarySendError) -> None:
    """The next try: never sooner than the other side asked for. What was not tried does not count."""
    retry = desk.manner.retry_seconds
    if wrong.tried and row.attempts > len(retry):
        await _failed(desk, row, wrong.rule)
        return
    pause = max(retry[row.attempts - 1] if wrong.tried else 1.0, wrong.after or 0)
    async with desk.db.write() as session:
        kept = await session.get_one(Outbox, row.id)
        kept.leased_until, kept.reason = None, wrong.rule
        kept.attempts -= not wrong.tried
        kept.due_at = desk.clock() + timedelta(seconds=pause)
        session.add(kept)


async def _refused(desk: "Desk", row: Outbox, wrong: PermanentSendError) -> None:
    """A chat that was closed to us is no end: its person may be reached by mail."""
    if isinstance(wrong, ChatClosed) and await chat_closed.elsewhere(desk, row):
        return
    await _failed(desk, row, wrong.rule)


async def _failed(desk: "Desk", row: Outbox, reason: str, outcome: str = "failed") -> None:
    """It will not leave: an agent finds another way to reach the person."""
    async with desk.db.write() as session:
        kept = await session.get_one(Outbox, row.id)
        kept.outcome, kept.reason, kept.leased_until = outcome, reason, None
        await bounces.not_sent(session, desk, kept, reason)
        conversation = await session.get_one(Conversation, row.conversation_id)
        conversation.state = "unsorted"
        session.add(conversation)
    log.warning("letter %s (%s) did not leave", row.id, row.letter)
