"""Policy versions and the notice of a change to every member, each through the gate, each with proof.

A notice has its own outbox, `notice_recipient`: a row a member says when the letter left, under which
Message-ID and at which revision of the gate, or why it has not. Who is held under email correction
waits and is mailed after the release, at the new address.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, update
from sqlmodel import col, or_, select

from subjectline.handlers import audit, bounces, letters, reachable, words
from subjectline.handlers import facts as wording
from subjectline.handlers.audit import Actor
from subjectline.handlers.outbox import LEASE, Parcel, Sender
from subjectline.handlers.retries import pause_after
from subjectline.models.db import wake
from subjectline.models.errors import (
    BadInput,
    NoticeTooSoon,
    PermanentSendError,
    RegistryAway,
    TemporarySendError,
    UnknownMember,
)
from subjectline.models.incoming import Door
from subjectline.models.tables import Notice, NoticeRecipient, PolicyVersion, SentMessage

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

log = logging.getLogger(__name__)

PAGE = 200
AT_ONCE = 50
SWEEP = 5.0
RELEASE_SWEEP = 60.0
GONE = "no longer a member"
CHANGE_KEYS = ("clause", "before", "after", "reason")


@dataclass(frozen=True)
class Progress:
    """How far a notice is: members by what became of their letter."""

    state: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


async def create_version(
    desk: "Desk",
    name: str,
    announced_on: date,
    effective_on: date,
    text_ko: str,
    text_en: str,
    changes: Sequence[dict[str, Any]],
    agent: Actor,
) -> int:
    """Keeps a policy version. `changes`: clause, before, after, reason, each with ko and en.

    Raises NoticeTooSoon where it takes effect earlier after its announcement than the company's own
    policy promises (`company.notice_days` of the data map), BadInput for an empty or known name.
    """
    days = desk.data_map.company.notice_days
    if effective_on < announced_on + timedelta(days=days):
        raise NoticeTooSoon(
            f"the policy promises {days} days between announcement and effect",
            field="effective_on",
            remedy=f"Choose {announced_on + timedelta(days=days)} or later.",
        )
    _check_version(name, text_ko, text_en, changes)
    async with desk.write() as session:
        known = await session.exec(select(PolicyVersion.id).where(PolicyVersion.name == name))
        if known.first() is not None:
            raise BadInput(
                "there is a version of this name", field="name", remedy="Choose another."
            )
        version = PolicyVersion(
            name=name,
            announced_on=announced_on.isoformat(),
            effective_on=effective_on.isoformat(),
            text_ko=text_ko,
            text_en=text_en,
            changes=list(changes),
            made_at=desk.clock(),
        )
        session.add(version)
        await session.flush()
        audit.note(session, desk.clock, agent, "policy_version", thing=name)
        return version.id or 0


def _check_version(
    name: str, text_ko: str, text_en: str, changes: Sequence[dict[str, Any]]
) -> None:
    for field, value in (("name", name), ("text_ko", text_ko), ("text_en", text_en)):
        if not value.strip():
            raise BadInput("it may not be empty", field=field)
    for change in changes:
        for key in CHANGE_KEYS:
            if not all(change.get(key, {}).get(language) for language in ("ko", "en")):
                raise BadInput("each change says it in ko and en", field=f"changes.{key}")


async def announce(desk: "Desk", version_id: int, agent: Actor) -> int:
    """Starts the notice of a version to every member; a second call returns the same notice."""
    async with desk.write() as session:
        version = await session.get_one(PolicyVersion, version_id)
        rows = await session.exec(select(Notice).where(Notice.policy_version_id == version_id))
        notice = rows.first()
        if notice is None:
            notice = Notice(
                policy_version_id=version_id, made_by=agent.agent_id, made_at=desk.clock()
            )
            session.add(notice)
            await session.flush()
            audit.note(session, desk.clock, agent, "notice", thing=version.name)
        wake(session, "notice")
        return notice.id or 0


async def progress(desk: "Desk", notice_id: int) -> Progress:
    """How many letters of a notice are due, sent, held, failed."""
    async with desk.db.read() as session:
        notice = await session.get_one(Notice, notice_id)
        rows = await session.exec(
            select(NoticeRecipient.outcome, func.count())
            .where(NoticeRecipient.notice_id == notice_id)
            .group_by(NoticeRecipient.outcome)
        )
        return Progress(notice.state, dict(list(rows)))


async def run(desk: "Desk", sender: Sender) -> None:
    """Lists members and mails them until cancelled."""
    while True:
        try:
            worked = await once(desk, sender)
        except RegistryAway:
            log.warning("the registry is away; notices wait")
            worked = 0
        if not worked:
            await desk.db.signals.wait("notice", SWEEP)


async def once(desk: "Desk", sender: Sender) -> int:
    """One page listed or one batch sent; returns how many rows were touched."""
    listed = await _list_some(desk)
    taken = await _claim(desk)
    for row in taken:
        await _mail(desk, sender, row)
    await _close_finished(desk)
    return listed + len(taken)


async def _list_some(desk: "Desk") -> int:
    """The next page of members as rows of proof, in the order of their ids."""
    async with desk.db.read() as session:
        rows = await session.exec(select(Notice).where(Notice.state == "listing").limit(1))
        notice = rows.first()
    if notice is None:
        return 0
    members = await desk.registry.members(notice.listed_after, PAGE)
    now = desk.clock()
    async with desk.db.write() as session:
        row = await session.get_one(Notice, notice.id)
        if row.state != "listing" or row.listed_after != notice.listed_after:
            return 0
        for member in members:
            session.add(
                NoticeRecipient(
                    notice_id=notice.id or 0,
                    registry_id=desk.data_map.registry,
                    subject_id=member,
                    due_at=now,
                    rfc_message_id=desk.manner.new_message_id(),
                )
            )
        row.listed_after = members[-1] if members else row.listed_after
        row.state = "listing" if len(members) == PAGE else "sending"
        session.add(row)
    return len(members) + 1


async def _claim(desk: "Desk") -> list[NoticeRecipient]:
    """Letters that are due; those held wait for their release and are looked at again."""
    now = desk.clock()
    async with desk.db.write() as session:
        rows = await session.exec(
            select(NoticeRecipient)
            .where(col(NoticeRecipient.outcome).in_(("due", "held")))
            .where(col(NoticeRecipient.due_at) <= now)
            .where(
                or_(
                    col(NoticeRecipient.leased_until).is_(None),
                    col(NoticeRecipient.leased_until) < now,
                )
            )
            .order_by(col(NoticeRecipient.id))
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        taken = list(rows)
        for row in taken:
            row.leased_until = now + LEASE
            session.add(row)
    return taken


async def _mail(desk: "Desk", sender: Sender, row: NoticeRecipient) -> None:
    """One member: asks the gate, reads the address, mails, and writes down what became of it."""
    answer = await desk.gate.decide("desk", row.subject_id, ["email"], "notice")
    if not answer.permit:
        await _mark(desk, row, "held", ", ".join(answer.reasons), wait=60, tried=False)
        return
    try:
        contacts = await desk.registry.contacts(row.subject_id)
        language = await desk.registry.language(row.subject_id) or desk.manner.language
    except UnknownMember:
        await _mark(desk, row, "unreachable", GONE)
        return
    if "email" not in contacts:
        await _mark(desk, row, "unreachable", "no_address")
        return
    row.gate_revision = answer.revision
    row.contact_index = desk.vault.index("email", contacts["email"])
    async with desk.db.read() as session:
        dead = await reachable.is_dead(session, row.contact_index)
    if dead:
        await _mark(desk, row, "unreachable", "known_dead")
        return
    try:
        await sender.send(await _parcel(desk, row, contacts["email"], language))
    except PermanentSendError as wrong:
        await _mark(desk, row, "failed", wrong.rule)
    except TemporarySendError as wrong:
        await _again(desk, row, wrong)
    else:
        await _mark(desk, row, "sent", "")


async def _again(desk: "Desk", row: NoticeRecipient, wrong: TemporarySendError) -> None:
    pause = pause_after(desk.manner.retry_seconds, row.attempts + 1, wrong)
    if pause is None:
        await _mark(desk, row, "failed", wrong.rule)
    else:
        await _mark(desk, row, "due", wrong.rule, wait=pause, tried=wrong.tried)


async def _parcel(desk: "Desk", row: NoticeRecipient, email: str, language: str) -> Parcel:
    async with desk.db.read() as session:
        notice = await session.get_one(Notice, row.notice_id)
        version = await session.get_one(PolicyVersion, notice.policy_version_id)
        before = await session.exec(
            select(PolicyVersion.name)
            .where(col(PolicyVersion.effective_on) < version.effective_on)
            .order_by(col(PolicyVersion.effective_on).desc())
        )
        previous = before.first()
    letter = letters.fill(
        letters.render(
            "notice", language, Door.MAIL, notice_facts(desk, version, previous, language)
        ),
        language,
        wording.local_day(desk, desk.clock()),
    )
    return Parcel(
        Door.MAIL,
        email,
        letter.subject,
        letter.text,
        letter.html,
        row.rfc_message_id,
        reply_to=desk.manner.address,
        answers=False,
    )


def notice_facts(
    desk: "Desk", version: PolicyVersion, previous: str | None, language: str
) -> dict[str, Any]:
    """What the notice of a version says, in one language."""
    told = [{key: change[key][language] for key in CHANGE_KEYS} for change in version.changes]
    policy = f"{desk.manner.public_url}/policy"
    return {
        "company": wording.company(desk, language),
        "reference": version.name,
        "version": version.name,
        "announced_on": date.fromisoformat(version.announced_on),
        "effective_on": date.fromisoformat(version.effective_on),
        "changes": told,
        "how_to_refuse": words.word("notice", "how_to_refuse", language),
        "what_follows": words.word("notice", "what_follows", language),
        "previous_url": f"{policy}/{previous}" if previous else policy,
    }


async def _mark(
    desk: "Desk",
    row: NoticeRecipient,
    outcome: str,
    reason: str,
    wait: float = 0,
    *,
    tried: bool = True,
) -> None:
    now = desk.clock()
    async with desk.db.write() as session:
        kept = await session.get_one(NoticeRecipient, row.id)
        kept.outcome, kept.reason, kept.leased_until = outcome, reason, None
        kept.attempts, kept.gate_revision = kept.attempts + tried, row.gate_revision
        kept.due_at, kept.contact_index = now + timedelta(seconds=wait), row.contact_index
        if outcome in ("failed", "unreachable") and reason != GONE:
            await bounces.not_sent(session, desk, kept, reason)
        if outcome == "sent":
            kept.sent_at = now
            kept.returned = kept.returned_code = kept.returned_cause = ""
            session.add(
                SentMessage(rfc_message_id=row.rfc_message_id, notice_recipient_id=row.id, at=now)
            )
        session.add(kept)


async def look_again(desk: "Desk") -> None:
    """A hold ended: those whose notice waited for it are due now."""
    async with desk.db.write() as session:
        await session.exec(
            update(NoticeRecipient)
            .where(col(NoticeRecipient.outcome) == "held")
            .values(due_at=desk.clock())
        )
        wake(session, "notice")


async def watch_releases(desk: "Desk") -> None:
    """Looks again at waiting notices whenever a hold has ended; runs until cancelled."""
    while True:
        await desk.db.signals.wait("released", RELEASE_SWEEP)
        await look_again(desk)


async def _close_finished(desk: "Desk") -> None:
    async with desk.db.write() as session:
        open_rows = select(NoticeRecipient.notice_id).where(
            col(NoticeRecipient.outcome).in_(("due", "held"))
        )
        await session.exec(
            update(Notice)
            .where(col(Notice.state) == "sending", col(Notice.id).not_in(open_rows))
            .values(state="done")
        )
