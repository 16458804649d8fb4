"""Certificates of destruction as people read them, each with a digest that the audit holds as well.

The digest is the SHA-256 of the certificate's facts as canonical JSON (RFC 8785). It is written into
the audit row of the destruction, so that a certificate that was changed afterwards is seen.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import rfc8785
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import agents, opaque
from subjectline.handlers.audit import Actor
from subjectline.models.errors import BadInput
from subjectline.models.tables import Audit, Certificate, RetentionRun

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

PAGE = 50
SAID = ("kind", "what", "rule", "law", "planned", "destroyed", "spared", "method", "state", "told")


@dataclass(frozen=True)
class CertificateView:
    """One certificate. `recorded`: the audit's digest is the `same`, `other`, or there is `none`."""

    handle: str
    kind: str
    what: str
    rule: str
    law: str
    planned: int
    destroyed: int
    spared: int
    method: str
    state: str
    told: str
    by: str
    at: datetime
    sha256: str
    recorded: str


@dataclass(frozen=True)
class CertificatePage:
    rows: tuple[CertificateView, ...]
    following: str = ""  # the handle behind which the next page begins


@dataclass(frozen=True)
class RunView:
    """One daily run, or one by hand. `failed` counts kinds of records that could not be destroyed."""

    day: str
    by: str
    started_at: datetime
    finished_at: datetime | None
    destroyed: int
    spared: int
    failed: int


def digest(row: Certificate) -> str:
    """The SHA-256 of what a certificate says, as 64 hex digits."""
    said = {name: getattr(row, name) for name in SAID}
    said |= {"by": row.by, "at": row.at.astimezone(UTC).isoformat()}
    return hashlib.sha256(rfc8785.dumps(said)).hexdigest()


async def listed(desk: "Desk", after: str = "") -> CertificatePage:
    """The newest first, 50 at a time; `after` is the handle of the last one seen."""
    wanted = select(Certificate).order_by(col(Certificate.id).desc()).limit(PAGE + 1)
    if after:
        wanted = wanted.where(col(Certificate.id) < opaque.show(desk.vault, "certificate", after))
    async with desk.db.read() as session:
        rows = list(await session.exec(wanted))
        views = await _views(session, desk, rows[:PAGE])
    return CertificatePage(views, views[-1].handle if len(rows) > PAGE else "")


async def one(desk: "Desk", handle: str) -> CertificateView:
    """One by its handle. BadInput where there is none."""
    number = opaque.show(desk.vault, "certificate", handle)
    async with desk.db.read() as session:
        row = await session.get(Certificate, number)
        if row is None:
            raise BadInput("there is no such page", field="address")
        (view,) = await _views(session, desk, [row])
    return view


async def runs(desk: "Desk", limit: int = 10) -> list[RunView]:
    """The newest runs with what they destroyed."""
    failed = func.count().filter(col(Certificate.state).in_(("failed", "interrupted")))
    sums = (
        func.coalesce(func.sum(Certificate.destroyed), 0),
        func.coalesce(func.sum(Certificate.spared), 0),
        failed,
    )
    async with desk.db.read() as session:
        names = await agents.names(session)
        newest = await session.exec(
            select(RetentionRun).order_by(col(RetentionRun.id).desc()).limit(limit)
        )
        found = list(newest)
        counts = await session.exec(
            select(Certificate.run_id, *sums)
            .where(col(Certificate.run_id).in_([run.id for run in found]))
            .group_by(col(Certificate.run_id))
        )
        by_run = {number: (int(gone), int(kept), int(bad)) for number, gone, kept, bad in counts}
    return [
        RunView(
            run.day,
            who(run.by, names),
            run.started_at,
            run.finished_at,
            *by_run.get(run.id, (0, 0, 0)),
        )
        for run in found
    ]


def who(account: str, names: dict[int, str]) -> str:
    """An account as people read it: an agent's name, else the account itself."""
    number = Actor(account).agent_id
    return account if number is None else names.get(number, account)


async def _views(
    session: AsyncSession, desk: "Desk", rows: Sequence[Certificate]
) -> tuple[CertificateView, ...]:
    names = await agents.names(session)
    noted = await _noted(session, rows)
    return tuple(_view(desk, row, names, noted) for row in rows)


async def _noted(session: AsyncSession, rows: Sequence[Certificate]) -> dict[str, str]:
    """The digests that the audit holds, by `certificate:<id>`."""
    wanted = [f"certificate:{row.id}" for row in rows]
    found = await session.exec(
        select(Audit.object, Audit.facts).where(
            col(Audit.action).in_(("destroyed", "paper_shredded")), col(Audit.object).in_(wanted)
        )
    )
    return {thing: str(facts["sha256"]) for thing, facts in found if "sha256" in facts}


def _view(
    desk: "Desk", row: Certificate, names: dict[int, str], noted: dict[str, str]
) -> CertificateView:
    made, kept = digest(row), noted.get(f"certificate:{row.id}")
    return CertificateView(
        handle=opaque.hide(desk.vault, "certificate", row.id or 0),
        **{name: getattr(row, name) for name in SAID},
        by=who(row.by, names),
        at=row.at,
        sha256=made,
        recorded="none" if kept is None else ("same" if kept == made else "other"),
    )
