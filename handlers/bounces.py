"""Our letters that come back: matched to the letter, written on its row of proof, given to an agent.

A report is believed when it names a Message-ID of ours: 128 random bits that only the letter's reader
and the servers on its way have seen. One that names another letter changes nothing. One that names
none may be about the only letter that went to its recipient in the week before; then an agent looks,
and nothing is held against the address. Nothing here ever answers a report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import reachable, recipients_chased
from subjectline.models.delivery import CAUSES, Report, Verdict, code_in, judge
from subjectline.models.errors import KeyDestroyed
from subjectline.models.incoming import Door, Incoming
from subjectline.models.tables import (
    Message,
    NoticeRecipient,
    Outbox,
    Request,
    ReturnedLetter,
    SentMessage,
)

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

LOOK_BACK = timedelta(days=7)
AGAIN_AFTER = timedelta(days=1)  # a notice that failed for now
AGAIN = 2  # times
# The law asks that the person heard of these: results, refusals, delays, policy changes.
LEGAL = frozenset(
    "done partial refused refused_identity extended postponed restricted moved notice".split()
)


@dataclass(frozen=True)
class Found:
    """The letter that a report is about, and by what it was told (message_id, recipient)."""

    letter: Outbox | NoticeRecipient
    by: str

    @property
    def index(self) -> bytes | None:
        return self.letter.contact_index


async def take(session: AsyncSession, desk: "Desk", message: Message, incoming: Incoming) -> bool:
    """What a bounce or a complaint says of our letters is written down, in the step that keeps it.

    True where each of its reports is about a letter of ours: then nobody has to sort it.
    """
    done = [await _one(session, desk, message, incoming, one) for one in incoming.reports]
    return bool(done) and all(done)


async def _one(
    session: AsyncSession, desk: "Desk", message: Message, incoming: Incoming, report: Report
) -> bool:
    found = await _find(session, desk, report, incoming.arrived_at)
    if found is None:
        return await recipients_chased.came_back(session, desk, report)
    if report.kind == "delivery" and not report.returned:
        _mark(found.letter, report, desk.clock())
        session.add(found.letter)
        return True
    row = await _row(session, desk, found, report)
    if row is None:
        return True  # told before, and dealt with
    row.report_id = message.id
    _mark(found.letter, report, desk.clock())
    session.add(found.letter)
    session.add(row)
    await _follows(session, desk, found, row, report)
    return True


async def _find(session: AsyncSession, desk: "Desk", report: Report, at: datetime) -> Found | None:
    if report.message_ids:
        return await _by_id(session, report.message_ids)
    return await _by_recipient(session, desk, report.recipient, at) if report.recipient else None


async def _by_id(session: AsyncSession, ids: Sequence[str]) -> Found | None:
    rows = await session.exec(select(SentMessage).where(col(SentMessage.rfc_message_id).in_(ids)))
    sent = {row.rfc_message_id: row for row in rows}
    for one in (sent[name] for name in ids if name in sent):
        if one.notice_recipient_id is not None:
            notice = await session.get(NoticeRecipient, one.notice_recipient_id)
            # A notice that was mailed again since has another id: the old news is no news.
            if notice is not None and notice.rfc_message_id == one.rfc_message_id:
                return Found(notice, "message_id")
            continue
        letter = await session.exec(
            select(Outbox).where(Outbox.rfc_message_id == one.rfc_message_id)
        )
        if (row := letter.first()) is not None:
            return Found(row, "message_id")
    return None


async def _by_recipient(
    session: AsyncSession, desk: "Desk", recipient: str, at: datetime
) -> Found | None:
    """The only letter that went there lately; None where there is none, or more than one."""
    index = desk.vault.index(reachable.EMAIL, recipient)
    found: list[Outbox | NoticeRecipient] = []
    tables: tuple[Any, ...] = (Outbox, NoticeRecipient)
    for table in tables:
        rows = await session.exec(
            select(table)
            .where(table.contact_index == index, table.outcome == "sent")
            .where(table.sent_at > at - LOOK_BACK, table.sent_at <= at)
            .limit(2)
        )
        found += rows
    return Found(found[0], "recipient") if len(found) == 1 else None


def _mark(letter: Outbox | NoticeRecipient, report: Report, now: datetime) -> None:
    """The row of proof says what became of it."""
    letter.returned, letter.returned_at = _came_to(report), now
    letter.returned_code, letter.returned_cause = report.status[:20], report.verdict.cause
    if report.returned:
        letter.outcome = "bounced"


def _came_to(report: Report) -> str:
    if report.kind == "complaint":
        return "complaint"
    if report.returned:
        return "permanent" if report.permanent else "temporary"
    return "late" if report.action == "delayed" else "delivered"


async def _row(
    session: AsyncSession, desk: "Desk", found: Found, report: Report
) -> ReturnedLetter | None:
    """The letter's row, new or as it waits; None where an agent has closed it."""
    kind = "complaint" if report.kind == "complaint" else "bounce"
    rows = await session.exec(
        select(ReturnedLetter)
        .where(ReturnedLetter.rfc_message_id == found.letter.rfc_message_id)
        .where(ReturnedLetter.kind == kind)
        .with_for_update()
    )
    row = rows.first()
    if row is not None and row.state == "closed":
        return None
    row = row or await about(session, desk, found.letter, kind)
    row.told_by, row.action, row.status = found.by, report.action, report.status[:20]
    row.cause, row.permanent = report.verdict.cause, report.permanent
    elsewhere = _elsewhere(desk, row.contact_index, report)
    row.strike = report.verdict.strike and found.by == "message_id" and not elsewhere
    return row


def _elsewhere(desk: "Desk", index: bytes | None, report: Report) -> bool:
    """Whether another address refused than the one we wrote to: the member's own forwarder's.

    Few forwarders name the first recipient (RFC 3464, 2.3.1, leaves it out where it is not known), so
    the one that is named is held against the letter's own. It says nothing of the address we know.
    """
    if report.forwarded:
        return True
    return bool(report.recipient) and desk.vault.index(reachable.EMAIL, report.recipient) != index


async def about(
    session: AsyncSession, desk: "Desk", letter: Outbox | NoticeRecipient, kind: str
) -> ReturnedLetter:
    """A new row about one letter."""
    row = ReturnedLetter(
        kind=kind,
        rfc_message_id=letter.rfc_message_id,
        letter="notice",
        contact_index=letter.contact_index,
        at=desk.clock(),
    )
    if isinstance(letter, NoticeRecipient):
        row.notice_recipient_id, row.legal = letter.id, True
        row.registry_id, row.subject_id = letter.registry_id, letter.subject_id
        return row
    row.outbox_id, row.letter, row.legal = letter.id, letter.letter, letter.letter in LEGAL
    row.request_id, row.conversation_id = letter.request_id, letter.conversation_id
    request = await session.get(Request, letter.request_id) if letter.request_id else None
    if request is not None:
        row.registry_id, row.subject_id = request.registry_id, request.subject_id
    row.contact_index = letter.contact_index or _index_of(desk, letter)
    return row


def _index_of(desk: "Desk", letter: Outbox) -> bytes | None:
    """Of a letter that was queued before its index was kept."""
    if letter.recipient is None or letter.door != Door.MAIL:
        return None
    try:
        return desk.vault.index(reachable.EMAIL, desk.vault.text(letter.recipient).lower())
    except KeyDestroyed:
        return None


async def _follows(
    session: AsyncSession, desk: "Desk", found: Found, row: ReturnedLetter, report: Report
) -> None:
    """Against the address where it counts; then again tomorrow, or a task for an agent."""
    if report.kind == "complaint":
        row.state = "waits"
        return
    dead = False
    counts = row.strike or report.verdict.dead
    counts = counts and not _elsewhere(desk, row.contact_index, report)
    if found.by == "message_id" and row.contact_index and counts:
        verdict = report.verdict
        dead = await reachable.strike(
            session, desk, row.contact_index, verdict.cause, row.status, dead=verdict.dead
        )
    if not dead and not report.permanent and await _again(session, desk, found):
        return
    row.state = "waits" if needs_agent(row) else "noted"


def needs_agent(row: ReturnedLetter) -> bool:
    """Whether there is a person to be reached: a legal letter, or a member whose request it is.

    What a stranger's forged address brings back is noted and nobody's work.
    """
    return row.legal or row.subject_id is not None


async def _again(session: AsyncSession, desk: "Desk", found: Found) -> bool:
    """A notice that failed for now leaves again tomorrow, under a new id, twice at the most."""
    letter = found.letter
    if not isinstance(letter, NoticeRecipient):
        return False
    rows = await session.exec(
        select(func.count())
        .select_from(ReturnedLetter)
        .where(ReturnedLetter.notice_recipient_id == letter.id, ReturnedLetter.kind == "bounce")
    )
    if rows.one() > AGAIN:
        return False
    notice_again(desk, letter, AGAIN_AFTER)
    session.add(letter)
    return True


def notice_again(desk: "Desk", letter: NoticeRecipient, wait: timedelta = timedelta()) -> None:
    """Puts a member's notice back in line. What is known of the last try stays on the row."""
    letter.rfc_message_id = desk.manner.new_message_id()
    letter.outcome, letter.attempts, letter.leased_until = "due", 0, None
    letter.due_at = desk.clock() + wait


async def not_sent(
    session: AsyncSession, desk: "Desk", letter: Outbox | NoticeRecipient, reason: str
) -> None:
    """A letter that never left: refused at the door, given up, or not tried for a dead address."""
    verdict, status = _refusal(reason), code_in(reason)
    row = await about(session, desk, letter, "unsent")
    row.told_by, row.action, row.status = "desk", "failed", status
    row.cause, row.permanent = verdict.cause, verdict.permanent
    row.state = "waits" if needs_agent(row) else "noted"
    letter.returned, letter.returned_at = "permanent" if verdict.permanent else "temporary", row.at
    letter.returned_code, letter.returned_cause = status, verdict.cause
    session.add(letter)
    session.add(row)
    if verdict.dead and row.contact_index:
        await reachable.strike(session, desk, row.contact_index, verdict.cause, status, dead=True)


def _refusal(reason: str) -> Verdict:
    """Our own relay's answer, or what the desk knew by itself. Silence says nothing of the address."""
    if reason in CAUSES:
        return Verdict(reason, permanent=CAUSES[reason].permanent, dead=False, strike=False)
    verdict = judge("failed", code_in(reason), reason)
    if verdict.cause == "unknown":
        return Verdict("not_taken", permanent=True, dead=False, strike=False)
    return verdict
