"""Retention: once a day everything that is due is found and destroyed, and a certificate is written.

The certificate of each kind is written before its first row goes (`planned`), so that a run that was
killed leaves one that says so; what it had not destroyed is found again by the next run. Nothing goes
by itself before somebody looked at a dry run of this schedule (`retention_looks`).
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, select

from subjectline.handlers import audit, legal_holds, retention_due, retention_files, retention_looks
from subjectline.handlers.audit import SYSTEM, Actor
from subjectline.handlers.certificates import digest
from subjectline.handlers.legal_holds import Held
from subjectline.handlers.registry import OpenedRecord
from subjectline.handlers.registry.engines import guarded
from subjectline.handlers.retention_kinds import Due
from subjectline.models.db import truncate_log
from subjectline.models.errors import StaleMove, SubjectlineError
from subjectline.models.tables import Certificate, Request, RetentionRun

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

log = logging.getLogger(__name__)

LOOK_EVERY = 3600.0  # seconds
A_RUN_LASTS = timedelta(hours=1)  # one that is not finished by then was killed
A_MOVE_LASTS = timedelta(days=1)  # a record that is pending since then is settled
_LOOK = "it waits until an agent has looked at the dry run (console, /retention, or the command "
_LOOK += "`subjectline retention run --dry-run`)"
WAITS = {
    "never": f"nothing was destroyed yet under this schedule; {_LOOK}",
    "changed": f"the schedule has changed since the last look; {_LOOK}",
}
Finder = Callable[["Desk", Held], Awaitable[list[Due]]]
FINDERS: tuple[tuple[str, Finder], ...] = (
    ("archive", retention_due.archive),
    ("live", retention_due.live),
    ("cases", retention_due.case_files),
    ("files", retention_files.files),
)


@dataclass(frozen=True)
class Line:
    """One kind of record in a report. `destroyed` is None in a dry run; `told` what went wrong.

    `kept_why` says why those spared stay; `others` counts those that stay for what is no hold and no
    agreement.
    """

    kind: str
    what: str
    rule: str
    law: str
    due: int
    spared: int
    destroyed: int | None = None
    told: str = ""
    kept_why: str = ""
    others: tuple[tuple[str, int], ...] = ()

    @property
    def held(self) -> int:
        """How many stay by a legal hold or an agreement."""
        return self.spared - sum(count for _, count in self.others)


async def loop(desk: "Desk") -> None:
    """Once a day of the regime's zone, until cancelled."""
    while True:
        try:
            await once_a_day(desk)
        except SubjectlineError as wrong:
            log.warning("retention: %s", type(wrong).__name__)
        await desk.db.signals.wait("retention", LOOK_EVERY)


async def once_a_day(desk: "Desk") -> list[Line]:
    """Today's run, unless there was one, or it waits for somebody to look at the dry run."""
    today = desk.registry.places.today().isoformat()
    async with desk.db.read() as session:
        rows = await session.exec(
            select(RetentionRun.id).where(
                RetentionRun.day == today, col(RetentionRun.finished_at).is_not(None)
            )
        )
        if rows.first() is not None:
            return []
    if why := await retention_looks.waiting(desk):
        log.warning("retention: %s", WAITS[why])
        return []
    return await run(desk, SYSTEM)


async def look(desk: "Desk", actor: Actor) -> list[Line]:
    """A dry run for somebody who reads it: from then on the daily run goes by itself, unless a part
    could not be read. Writes only that they looked."""
    lines = await dry_run(desk, actor)
    if not any(line.told for line in lines):
        await retention_looks.note(desk, actor)
    return lines


async def dry_run(desk: "Desk", actor: Actor) -> list[Line]:
    """What a run would destroy now. Writes nothing anywhere: numbers are not somebody's data."""
    lines = []
    async with desk.db.read() as session:
        held = await legal_holds.in_force(session, desk)
    for name, finder in FINDERS:
        dues, told = await _found(desk, held, finder)
        lines += [_line(due) for due in dues]
        lines += [Line(name, name, "", "", 0, 0, told=told)] if told else []
    return lines


async def run(desk: "Desk", actor: Actor) -> list[Line]:
    """Destroys what is due and certifies it. Raises StaleMove while another run is on its way."""
    number = await _begin(desk, actor)
    async with desk.db.read() as session:
        held = await legal_holds.in_force(session, desk)
    lines: list[Line] = []
    for name, finder in FINDERS:
        dues, told = await _found(desk, held, finder)
        lines += [Line(name, name, "", "", 0, 0, 0, told)] if told else []
        for due in dues:
            if due.count or due.spared:
                lines.append(await _destroy(desk, number, actor, due))
    await _settle(desk)
    await _end(desk, number, actor, lines)
    await _scrub(desk)
    return lines


async def certificates(desk: "Desk", limit: int = 200) -> list[Certificate]:
    """The newest certificates first."""
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Certificate).order_by(col(Certificate.id).desc()).limit(limit)
        )
        return list(rows)


async def _found(desk: "Desk", held: Held, finder: Finder) -> tuple[list[Due], str]:
    """What a finder gives; a database that is away leaves its part to the next run."""
    try:
        return await finder(desk, held), ""
    except SubjectlineError as wrong:
        return [], wrong.rule


async def _begin(desk: "Desk", actor: Actor) -> int:
    """The run's row; what an earlier one left unfinished is called so."""
    now = desk.clock()
    async with desk.db.write() as session:
        rows = await session.exec(
            select(RetentionRun.id).where(
                col(RetentionRun.finished_at).is_(None),
                col(RetentionRun.started_at) > now - A_RUN_LASTS,
            )
        )
        if rows.first() is not None:
            raise StaleMove("a retention run is on its way", remedy="Try again in an hour.")
        await session.exec(
            update(Certificate)
            .where(col(Certificate.state) == "planned")
            .values(state="interrupted")
        )
        day = desk.registry.places.today().isoformat()
        row = RetentionRun(day=day, by=actor.account, started_at=now)
        session.add(row)
        await session.flush()
        return row.id or 0


async def _destroy(desk: "Desk", number: int, actor: Actor, due: Due) -> Line:
    certificate = await _planned(desk, number, actor, due)
    destroyed, told = 0, ""
    try:
        destroyed = await due.destroy() if due.count else 0
    except SubjectlineError as wrong:
        told = wrong.rule
    async with desk.db.write() as session:
        row = await session.get_one(Certificate, certificate)
        row.destroyed, row.told = destroyed, told or due.kept_why
        row.state = "failed" if told else "done"
        session.add(row)
        audit.note(
            session, desk.clock, actor, "destroyed", thing=f"certificate:{certificate}",
            outcome=row.state, kind=due.kind, count=destroyed, sha256=digest(row),
        )  # fmt: skip
    return _line(due, destroyed, told)


async def _planned(desk: "Desk", number: int, actor: Actor, due: Due) -> int:
    async with desk.db.write() as session:
        row = Certificate(
            run_id=number,
            kind=due.kind,
            what=due.what,
            rule=due.rule,
            law=due.law,
            planned=due.count,
            spared=due.spared,
            method=due.method,
            by=actor.account,
            at=desk.clock(),
        )
        session.add(row)
        await session.flush()
        return row.id or 0


async def _end(desk: "Desk", number: int, actor: Actor, lines: Sequence[Line]) -> None:
    async with desk.db.write() as session:
        row = await session.get_one(RetentionRun, number)
        row.finished_at = desk.clock()
        session.add(row)
        gone = sum(line.destroyed or 0 for line in lines)
        audit.note(
            session, desk.clock, actor, retention_looks.RUN, thing=f"run:{number}", count=gone,
            schedule=retention_looks.schedule(desk),
        )  # fmt: skip


async def _scrub(desk: "Desk") -> None:
    """What was destroyed may not stay in the log of an SQLite database, ours or the company's."""
    await desk.db.scrub()
    places, store = desk.registry.places, desk.registry.archive
    try:
        if store is not None:
            await store.scrub()
        for name, engine in places.writers.items():
            async with guarded(name, places.seconds):
                await truncate_log(engine)
    except SubjectlineError as wrong:
        log.warning("a database's log could not be emptied: %s", type(wrong).__name__)


async def _settle(desk: "Desk") -> None:
    """Moves that were begun and never ended: the live row counts where there is one.

    Then the copy in the archive goes; else the archive has the only record, and keeps it.
    """
    store = desk.registry.archive
    if store is None:
        return
    try:
        for record in await store.pending(desk.clock() - A_MOVE_LASTS):
            if not await _applying(desk, record.about.member):
                await _settle_one(desk, record)
        await _forget_empty_keys(desk)
    except SubjectlineError as wrong:
        log.warning("the archive could not be settled: %s", type(wrong).__name__)


async def _forget_empty_keys(desk: "Desk") -> None:
    """A run was killed between a last record and its key: the key goes now.

    Not while somebody's leaving is being applied: its records may be on their way.
    """
    store = desk.registry.archive
    assert store is not None
    if not await _applying(desk):
        store.keys.destroy_unused(await store.months(), desk.clock() - A_MOVE_LASTS)


async def _applying(desk: "Desk", member: str = "") -> bool:
    """Whether a request, of this member or of any, is still being applied."""
    wanted = select(Request.id).where(Request.state == "applying")
    if member:
        wanted = wanted.where(Request.subject_id == member)
    async with desk.db.read() as session:
        return (await session.exec(wanted.limit(1))).first() is not None


async def _settle_one(desk: "Desk", record: OpenedRecord) -> None:
    store = desk.registry.archive
    assert store is not None
    live = await desk.registry.still_live(record.about.member, record.about.table)
    if record.key in live:
        await store.destroy([record.about.id])
    else:
        await store.settle_ids([record.about.id])


def _line(due: Due, destroyed: int | None = None, told: str = "") -> Line:
    said = (due.kind, due.what, due.rule, due.law, due.count, due.spared)
    others = tuple((why, count) for why, count in due.others if count)
    return Line(*said, destroyed, told, due.kept_why, others)
