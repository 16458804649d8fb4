"""The versions of the privacy policy as people and agents read them, and how far their mailing is."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import queries
from subjectline.models.errors import BadInput
from subjectline.models.tables import Notice, NoticeRecipient, PolicyVersion

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

OUTCOMES = ("due", "held", "sent", "failed", "bounced", "unreachable")


@dataclass(frozen=True)
class Version:
    """One version. `stage` is `announced` (not yet in effect), `current` or `past`."""

    id: int
    name: str
    announced_on: str
    effective_on: str
    stage: str


@dataclass(frozen=True)
class VersionText:
    """One version with its text and comparison table in one language, and its neighbours."""

    version: Version
    text: str
    changes: tuple[dict[str, str], ...]
    all: tuple[Version, ...]

    @property
    def previous(self) -> Version | None:
        """The version before this one, for the link that every change owes its readers."""
        older = [v for v in self.all if v.effective_on < self.version.effective_on]
        return older[0] if older else None


@dataclass(frozen=True)
class Mailing:
    """How far the letter to every member is. `state` is `listing`, `sending` or `done`; "" for none."""

    state: str = ""
    due: int = 0
    held: int = 0
    sent: int = 0
    failed: int = 0
    bounced: int = 0
    unreachable: int = 0

    @property
    def total(self) -> int:
        return self.due + self.held + self.sent + self.failed + self.bounced + self.unreachable


async def versions(desk: "Desk") -> tuple[Version, ...]:
    """All versions, the newest first, with their stage today."""
    async with desk.db.read() as session:
        return await _versions(session, desk)


async def current(desk: "Desk", language: str) -> VersionText | None:
    """The version in effect today, else the first one announced; None where there is none."""
    known = await versions(desk)
    chosen = next((v for v in known if v.stage == "current"), known[-1] if known else None)
    return await version(desk, chosen.name, language) if chosen else None


async def version(desk: "Desk", name: str, language: str) -> VersionText:
    """The version of this name. BadInput where there is none."""
    async with desk.db.read() as session:
        rows = await session.exec(select(PolicyVersion).where(PolicyVersion.name == name))
        row = rows.first()
        if row is None:
            raise BadInput("there is no such page", field="address")
        known = await _versions(session, desk)
    return VersionText(
        version=next(v for v in known if v.id == row.id),
        text=row.text_ko if language == "ko" else row.text_en,
        changes=tuple(_in(change, language) for change in row.changes),
        all=known,
    )


async def mailings(desk: "Desk") -> dict[int, Mailing]:
    """How far the mailing of each version is, by the version's id."""
    async with desk.db.read() as session:
        notices = (await session.exec(select(Notice))).all()
        rows = await session.exec(
            select(NoticeRecipient.notice_id, NoticeRecipient.outcome, func.count()).group_by(
                col(NoticeRecipient.notice_id), col(NoticeRecipient.outcome)
            )
        )
        counted: dict[int, dict[str, int]] = {}
        for notice_id, outcome, count in rows:
            if outcome in OUTCOMES:
                counted.setdefault(notice_id, {})[outcome] = count
    return {
        notice.policy_version_id: Mailing(notice.state, **counted.get(notice.id or 0, {}))
        for notice in notices
    }


async def _versions(session: AsyncSession, desk: "Desk") -> tuple[Version, ...]:
    rows = await session.exec(
        select(
            PolicyVersion.id,
            PolicyVersion.name,
            PolicyVersion.announced_on,
            PolicyVersion.effective_on,
        ).order_by(col(PolicyVersion.effective_on).desc(), col(PolicyVersion.id).desc())
    )
    today = queries.today(desk, desk.manner.regime)
    found: list[Version] = []
    seen_current = False
    for number, name, announced, effective in rows:
        stage = _stage(effective, today, seen=seen_current)
        seen_current = seen_current or stage == "current"
        found.append(Version(number or 0, name, announced, effective, stage))
    return tuple(found)


def _stage(effective_on: str, today: date, *, seen: bool) -> str:
    if effective_on > today.isoformat():
        return "announced"
    return "past" if seen else "current"


def _in(change: dict[str, Any], language: str) -> dict[str, str]:
    """One line of the comparison table in one language."""
    return {
        part: str(change.get(part, {}).get(language, ""))
        for part in ("clause", "before", "after", "reason")
    }
