"""Letters leave from here: at least once, each with the Message-ID it was queued with.

Several are under way at once, of one conversation only one: its letters arrive in their order. A letter
holds a lease while it is under way, renewed for as long as that lasts; where the desk was killed, the
lease runs out and the letter leaves once more, the same Message-ID on it.
"""

import asyncio
import json
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Update, exists, update
from sqlalchemy.orm import aliased
from sqlmodel import col, or_, select

from subjectline.handlers import (
    bounces,
    chat_closed,
    contested,
    letters,
    links,
    reachable,
    recipients_told,
    stopping,
)
from subjectline.handlers import facts as wording
from subjectline.handlers.landing import Landing
from subjectline.handlers.retries import mine, put_off
from subjectline.models.errors import (
    ChatClosed,
    PermanentSendError,
    RegistryAway,
    TemporarySendError,
)
from subjectline.models.incoming import Door
from subjectline.models.tables import Conversation, Outbox

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
RENEW = 20.0  # seconds between the renewals of a lease
GRACE = 1.5  # seconds to land, for a letter under way when the desk stops
IN_TURN = timedelta(seconds=60)  # so long a letter waits for an earlier one that failed for now
AT_ONCE = 20
AWAY = 30.0  # seconds until a letter is looked at again that only the registry can tell about
SWEEP = 5.0


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
    as_queued: bool = False  # no slot of its text was filled
    code: str = ""  # the one-time code in it, for ways out that carry it in a form of its own
    answers: bool = True  # an answer to somebody's message (Auto-Submitted: auto-replied)


@dataclass(frozen=True)
class _Look:
    """What is known of a letter's address before it is tried."""

    alive: bool
    wrong: contested.Contested | None  # perhaps on its way to a contact under correction


class Sender(Protocol):
    """One way out."""

    async def send(self, parcel: Parcel) -> None:
        """Hands over one letter. Raises TemporarySendError or PermanentSendError."""


Senders = Mapping[Door, Sender]


async def run(desk: "Desk", senders: Senders, at_once: int = AT_ONCE) -> None:
    """Sends what is due, `at_once` letters at a time, until cancelled; those under way may land first."""
    who = " ".join(senders)
    awake = desk.db.signals.event("outbox", who)
    flying: set[asyncio.Task[None]] = set()
    landing = Landing(desk)

    def landed(letter: asyncio.Task[None]) -> None:
        flying.discard(letter)
        awake.set()

    async with asyncio.TaskGroup() as group:
        try:
            while True:
                free = at_once - len(flying)
                # A claim is a transaction: not one for each letter that lands.
                letters = await _take(desk, senders, landing, free if 2 * free >= at_once else 0)
                for letter in letters:
                    task = group.create_task(letter)
                    flying.add(task)
                    task.add_done_callback(landed)
                if not letters:
                    await desk.db.signals.wait("outbox", SWEEP, who)
        except asyncio.CancelledError:
            if flying:
                await asyncio.wait(flying, timeout=GRACE)
            raise


async def once(desk: "Desk", senders: Senders) -> int:
    """Sends the letters that are due now, all at once; returns how many were taken."""
    letters = await _take(desk, senders, Landing(desk), AT_ONCE)
    await asyncio.gather(*letters)
    return len(letters)


async def _take(
    desk: "Desk", senders: Senders, landing: Landing, most: int
) -> list[Coroutine[Any, Any, None]]:
    """What is to be done for each of the letters that are due now and nobody else has."""
    if not most:
        return []
    taken = await _claim(desk, list(senders), most)
    dead = await reachable.dead_among(desk, [row.contact_index for row in taken])
    wrong = await contested.among(desk, taken)
    looks = [_Look(row.contact_index not in dead, wrong.get(row.id or 0)) for row in taken]
    return [
        _handle(desk, senders[Door(row.door)], landing, row, look)
        for row, look in zip(taken, looks, strict=True)
    ]


async def _claim(desk: "Desk", doors: list[Door], most: int) -> list[Outbox]:
    """The oldest that are due, of each conversation the first: the next one waits until it is gone."""
    now = desk.clock()
    earlier = aliased(Outbox)
    behind = exists().where(
        col(earlier.conversation_id) == col(Outbox.conversation_id),
        col(earlier.door) == col(Outbox.door),
        col(earlier.id) < col(Outbox.id),
        col(earlier.outcome) == "due",
        col(earlier.due_at) <= now + IN_TURN,
    )
    async with desk.db.write() as session:
        rows = await session.exec(
            select(Outbox)
            .where(Outbox.outcome == "due", col(Outbox.due_at) <= now, ~behind)
            .where(or_(col(Outbox.leased_until).is_(None), col(Outbox.leased_until) < now))
            .where(col(Outbox.door).in_(doors))
            .order_by(col(Outbox.id))
            .limit(most)
            .with_for_update(skip_locked=True, of=Outbox)
        )
        taken = list(rows)
        for row in taken:
            row.leased_until, row.attempts = now + LEASE, row.attempts + 1
            session.add(row)
    return taken


async def _handle(desk: "Desk", sender: Sender, landing: Landing, row: Outbox, look: _Look) -> None:
    """One letter, whatever becomes of it: one that fails keeps none of the others."""
    try:
        await _tried(desk, sender, landing, row, look)
    except Exception as wrong:  # it was not even written down: its lease brings it back
        log.error("letter %s (%s) stays leased: %s", row.id, row.letter, type(wrong).__name__)
        log.debug("because", exc_info=wrong)


async def _tried(desk: "Desk", sender: Sender, landing: Landing, row: Outbox, look: _Look) -> None:
    try:
        if not look.alive:
            await _failed(desk, row, "known_dead", "unreachable")
        elif look.wrong and await contested.goes_there(desk, row, look.wrong):
            await _failed(desk, row, contested.REASON, "unreachable")
        else:
            await _send(desk, sender, landing, row)
    except RegistryAway:
        await _later(desk, row, TemporarySendError("the registry is away", after=AWAY, tried=False))
    except Exception as wrong:
        log.error("letter %s (%s): %s", row.id, row.letter, type(wrong).__name__)
        log.debug("because", exc_info=wrong)
        await _later(desk, row, TemporarySendError(type(wrong).__name__))


async def _send(desk: "Desk", sender: Sender, landing: Landing, row: Outbox) -> None:
    if row.letter == "ack":
        await _held_everywhere(desk, row)
    parcel = await _pack(desk, row)
    sending = asyncio.create_task(sender.send(parcel))
    if not await _under_way(desk, row, sending):
        return
    try:
        sending.result()
    except PermanentSendError as wrong:
        await _refused(desk, row, wrong)
    except TemporarySendError as wrong:
        await _later(desk, row, wrong)
    else:
        await landing.sent(row, parcel)


async def _held_everywhere(desk: "Desk", row: Outbox) -> None:
    """The acknowledgement says that the data is held: the companies' masking views show it first."""
    try:
        await desk.mirrors.caught_up(desk.gate)
    except asyncio.CancelledError:
        await _released(desk, row)
        raise


async def _under_way(desk: "Desk", row: Outbox, sending: asyncio.Task[None]) -> bool:
    """Until it has landed, its lease renewed. False where another desk took it: it is given up here."""
    try:
        while not sending.done():
            await asyncio.wait({sending}, timeout=RENEW)
            if not sending.done() and not await _renewed(desk, row):
                return False
        return True
    except asyncio.CancelledError:
        await _given_up(sending)
        await _released(desk, row)
        raise
    finally:
        await _given_up(sending)


async def _given_up(sending: asyncio.Task[None]) -> None:
    if not sending.done():
        sending.cancel()
        await asyncio.wait({sending})


async def _renewed(desk: "Desk", row: Outbox) -> bool:
    """The lease lasts longer from now on. False where it has run out and another desk took the letter."""
    until = desk.clock() + LEASE
    async with desk.db.write() as session:
        done = await session.exec(_of_this_lease(row).values(leased_until=until))
    row.leased_until = until
    return done.rowcount > 0


async def _released(desk: "Desk", row: Outbox) -> None:
    """It may leave at once by whoever comes next, and this was no try of it."""
    async with desk.db.write() as session:
        await session.exec(_of_this_lease(row).values(leased_until=None, attempts=row.attempts - 1))


def _of_this_lease(row: Outbox) -> Update:
    return update(Outbox).where(
        col(Outbox.id) == row.id,
        col(Outbox.outcome) == "due",
        col(Outbox.leased_until) == row.leased_until,
    )


async def _pack(desk: "Desk", row: Outbox) -> Parcel:
    """Opens the letter and fills its slots: the day, and a fresh one-time link."""
    content: dict[str, Any] = json.loads(desk.vault.text(row.content))
    slots = content.get("slots", {})
    letter = letters.Letter(content["subject"], content["text"], content["html"])
    link = await _link(desk, slots)
    today = wording.local_day(desk, desk.clock())
    told = await _told(desk, row, letter, content["language"])
    letter = letters.fill(letter, content["language"], today, link, told)
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
        as_queued=letter.text == content["text"],
    )


async def _told(desk: "Desk", row: Outbox, letter: letters.Letter, language: str) -> str:
    """Which recipients of the data were told by now, where the letter says so."""
    if letters.TOLD not in letter.text + letter.html:
        return ""
    async with desk.db.read() as session:
        return await recipients_told.told(session, desk, row.request_id or 0, language)


async def _link(desk: "Desk", slots: dict[str, Any]) -> str:
    wanted = slots.get("secure_link")
    if not wanted:
        return ""
    async with desk.write() as session:
        purpose = str(wanted.get("purpose", "result"))
        if purpose == stopping.PURPOSE:
            token = await stopping.make(session, desk, int(wanted["request_id"]))
            return stopping.url(desk, token)
        token = await links.make(session, desk, int(wanted["request_id"]), purpose)
    return links.url(desk, token)


async def _later(desk: "Desk", row: Outbox, wrong: TemporarySendError) -> None:
    """The next try: never sooner than the other side asked for. What was not tried does not count."""
    if not await put_off(desk, row, wrong):
        await _failed(desk, row, wrong.rule)


async def _refused(desk: "Desk", row: Outbox, wrong: PermanentSendError) -> None:
    """A chat that was closed to us is no end: its person may be reached by mail."""
    if isinstance(wrong, ChatClosed) and await chat_closed.elsewhere(desk, row):
        return
    await _failed(desk, row, wrong.rule)


async def _failed(desk: "Desk", row: Outbox, reason: str, outcome: str = "failed") -> None:
    """It will not leave: an agent finds another way to reach the person."""
    async with desk.db.write() as session:
        if (kept := await mine(session, row)) is None:
            return
        kept.outcome, kept.reason, kept.leased_until = outcome, reason, None
        await bounces.not_sent(session, desk, kept, reason)
        conversation = await session.get_one(Conversation, row.conversation_id)
        conversation.state = "unsorted"
        session.add(conversation)
    log.warning("letter %s (%s) did not leave", row.id, row.letter)
