"""Who has looked at the schedule of destruction: the daily run waits for it.

The audit keeps the digest of the schedule with each look at a dry run and with each run. Where the last
of them saw another schedule, or there was none, nothing is destroyed by itself.
"""

import hashlib
from typing import TYPE_CHECKING, Any, Literal

import rfc8785
from sqlmodel import col, select

from subjectline.handlers import audit
from subjectline.handlers.audit import Actor
from subjectline.models.tables import Audit

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

LOOK, RUN = "retention_look", "retention_run"
Waiting = Literal["", "never", "changed"]


async def note(desk: "Desk", actor: Actor) -> None:
    """An agent has seen what a run would destroy under today's schedule."""
    async with desk.db.write() as session:
        audit.note(session, desk.clock, actor, LOOK, thing="schedule", schedule=schedule(desk))


async def waiting(desk: "Desk") -> Waiting:
    """Why the daily run waits: nobody ever looked, or the schedule changed since; empty: it does not."""
    newest = (
        select(Audit.facts)
        .where(col(Audit.action).in_((LOOK, RUN)))
        .order_by(col(Audit.id).desc())
        .limit(1)
    )
    async with desk.db.read() as session:
        facts = (await session.exec(newest)).first()
    if facts is None or "schedule" not in facts:
        return "never"
    return "" if facts["schedule"] == schedule(desk) else "changed"


def schedule(desk: "Desk") -> str:
    """The digest (SHA-256, RFC 8785) of what decides which rows go when: rules, tables, periods."""
    data_map = desk.data_map
    rules = {
        name: [rule.period.text("en") if rule.period else None, rule.sweep]
        for name, rule in data_map.retention.items()
    }
    tables = {
        name: [spec.retention, data_map.leave[name].counted_from, spec.through, [*spec.owners]]
        for name, spec in data_map.tables.items()
    }
    files = data_map.case_files.model_dump() if data_map.case_files else {}
    keeps = {part: getattr(desk.keeps, part).text("en") for part in type(desk.keeps).model_fields}
    said: list[Any] = [data_map.registry, rules, tables, files, keeps]
    return hashlib.sha256(rfc8785.dumps(said)).hexdigest()
