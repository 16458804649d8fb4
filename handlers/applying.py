"""An approved change set goes into the company's databases: "Two databases, no lie".

1. `approve` has committed `applying`. 2. An attempt is committed before the registry is touched.
3. The registry, one transaction a connection, compare and set, read back. 4. One step of the desk:
proof, `apply`, hold, letter, audit. Killed between 2 and 4, the next one runs 3 again. Where copies
are corrected by hand, 4 ends with the proof, and the last tick runs 3 and 4 again (`copies`).
"""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import (
    audit,
    consequences,
    copies,
    decisions,
    drafting,
    legal_holds,
    post,
)
from subjectline.handlers.export import binding
from subjectline.handlers.registry import Applied, Change, whereabouts
from subjectline.handlers.requests import Facts, advance
from subjectline.handlers.work import finish, hold_lease, target_of
from subjectline.models.errors import ExportLost, RegistryAway, RegistryError
from subjectline.models.tables import Approval, Attempt, Proposal, Request, Task

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

WRITTEN = frozenset({"applied", "already"})  # what a connection has, of one attempt
PATIENCE = 8  # tries against a registry that stays away, then an agent is told


async def apply(desk: "Desk", task: Task) -> None:
    """Applies one approved request. Raises RegistryAway to be tried again."""
    request_id, version = target_of(task)
    found = await _begin(desk, task, request_id, version)
    if found is None:
        return
    request, proposal, attempt, signed_at = found
    said = drafting.open_envelope(desk, proposal)
    changes = [Change.from_json(raw) for raw in said["changes"]]
    try:
        if request.subject_id is not None:
            await drafting.ask_own_gate(desk, request)
            await consequences.before(desk, request)
        done = await desk.registry.apply(changes, signed_at) if changes else Applied(())
        export = await _export(desk, request, task, said)
    except RegistryAway as away:
        await _away(desk, task, request, attempt, away)
        return
    except (RegistryError, ExportLost) as wrong:
        await _failed(desk, task, request, attempt, wrong)
        return
    await _done(desk, task, request, proposal, attempt, done, export)


async def _begin(
    desk: "Desk", task: Task, request_id: int, version: int
) -> tuple[Request, Proposal, Attempt, datetime] | None:
    """Commits the attempt; None where the request was applied already. With it the time that the
    changes write for "now": of the last signature, so that every attempt writes the same."""
    async with desk.db.write() as session:
        # Locked: of this and a `stop` at the same moment one sees the other.
        request = await session.get_one(Request, request_id, with_for_update=True)
        rows = await session.exec(
            select(Proposal)
            .where(Proposal.request_id == request_id, Proposal.state == "approved")
            .order_by(col(Proposal.id).desc())
        )
        proposal = rows.first()
        if request.state != "applying" or request.version != version or proposal is None:
            await finish(session, task, reason="overtaken")
            return None
        signed_at = await _signed_at(session, proposal)
        if await legal_holds.stops(session, desk, request) and not await _written(
            session, request_id, signed_at
        ):  # placed after the approval; what is destroyed in part is finished
            facts = Facts(reason="legal_hold")
            await advance(session, desk, request_id, "fail", audit.SYSTEM, version, facts)
            await finish(session, task, reason="legal_hold")
            return None
        attempt = Attempt(request_id=request_id, apply_id=secrets.token_hex(8), at=desk.clock())
        session.add(attempt)
        await session.flush()
        return request, proposal, attempt, signed_at


async def _written(session: AsyncSession, request_id: int, signed_at: datetime) -> bool:
    """Whether an attempt since the last signature wrote, or may have written before it was killed."""
    rows = await session.exec(
        select(Attempt).where(Attempt.request_id == request_id, col(Attempt.at) >= signed_at)
    )
    return any(
        row.outcome in ("running", "applied") or WRITTEN & set(map(str, row.detail.values()))
        for row in rows
    )


async def _signed_at(session: AsyncSession, proposal: Proposal) -> datetime:
    rows = await session.exec(
        select(Approval.at)
        .where(Approval.proposal_id == proposal.id)
        .order_by(col(Approval.at).desc())
    )
    return rows.first() or proposal.made_at


async def _export(
    desk: "Desk", request: Request, task: Task, said: Mapping[str, Any]
) -> int | None:
    """The export that was approved with the answer to an access; None for other rights."""
    if request.kind not in drafting.LINKED or request.subject_id is None:
        return None
    beat = partial(hold_lease, desk, task)
    return await binding.approved(desk, request.id or 0, said.get("export"), beat)


async def _done(
    desk: "Desk",
    task: Task,
    request: Request,
    proposal: Proposal,
    attempt: Attempt,
    done: Applied,
    export: int | None,
) -> None:
    """Step 4: everything that the outcome means, in one transaction."""
    async with desk.write() as session:
        proof = json.dumps(done.as_json(), ensure_ascii=False, default=str)
        row = await session.get_one(Attempt, attempt.id)
        row.outcome, row.detail = "applied", _states(done)
        row.proof = desk.vault.seal(request.key_id, "attempt.proof", proof)
        session.add(row)
        if export is not None:
            await binding.finished(session, desk, export)
        manual = drafting.open_envelope(desk, proposal).get("manual", ())
        if await copies.note(session, desk, request, proposal, manual):
            await finish(session, task, reason=copies.WAITING)
            return
        await _close(session, desk, task, request, proposal)


async def _close(
    session: AsyncSession, desk: "Desk", task: Task, request: Request, proposal: Proposal
) -> None:
    ready: post.Noted = decisions.letter_of(desk, proposal, request, desk.clock())
    await session.exec(
        update(Proposal).where(col(Proposal.id) == proposal.id).values(state="spent")
    )
    await advance(
        session,
        desk,
        request.id or 0,
        "apply",
        audit.SYSTEM,
        request.version,
        Facts(proposal_id=proposal.id, ready=ready),
    )
    await consequences.of(session, desk, request)
    await finish(session, task)


async def give_up(desk: "Desk", task: Task, told: str) -> None:
    """It failed again and again for no fault of the registry: an agent is told, the hold stays."""
    request_id, version = target_of(task)
    async with desk.write() as session:
        request = await session.get_one(Request, request_id)
        await finish(session, task, "failed", told)
        if request.state != "applying" or request.version != version:
            return
        await session.exec(
            update(Attempt)
            .where(col(Attempt.request_id) == request_id, col(Attempt.outcome) == "running")
            .values(outcome="failed", detail={"told": told})
        )
        facts = Facts(reason="desk_failed")
        await advance(session, desk, request_id, "fail", audit.SYSTEM, version, facts)


def _states(done: Applied) -> dict[str, Any]:
    return {result.connection: result.state for result in done.connections}


async def _away(
    desk: "Desk", task: Task, request: Request, attempt: Attempt, away: RegistryAway
) -> None:
    """Kept for later; after many tries the request goes back to an agent, the hold stays."""
    if task.attempts >= PATIENCE:
        await _failed(desk, task, request, attempt, away)
        return
    async with desk.db.write() as session:
        row = await session.get_one(Attempt, attempt.id)
        row.outcome, row.detail = "away", {"told": away.reason} | _states_of(away)
        session.add(row)
    raise away


async def _failed(
    desk: "Desk", task: Task, request: Request, attempt: Attempt, wrong: RegistryError | ExportLost
) -> None:
    """A conflict, a registry that stays away, an export that is not what was approved: back to an
    agent, and the hold stays."""
    async with desk.write() as session:
        row = await session.get_one(Attempt, attempt.id)
        row.outcome = _ended(wrong)
        told = _reason(wrong)
        row.detail = {"told": told} | _states_of(wrong)
        session.add(row)
        row.detail = row.detail | whereabouts(getattr(wrong, "results", ()))
        facts = Facts(reason=told)
        await advance(session, desk, request.id or 0, "fail", audit.SYSTEM, request.version, facts)
        await finish(session, task, reason=wrong.rule)


def _reason(wrong: RegistryError | ExportLost) -> str:
    """Why, as a key of the console's words."""
    return wrong.reason if isinstance(wrong, RegistryError) else wrong.rule


def _states_of(wrong: RegistryError | ExportLost) -> dict[str, Any]:
    """What each connection has; of one that could not even be read, that it is away."""
    results = wrong.results if isinstance(wrong, RegistryError) else ()
    if not results and isinstance(wrong, RegistryAway) and wrong.field:
        return {wrong.field: "away"}
    return {str(result["connection"]): result["state"] for result in results}


def _ended(wrong: RegistryError | ExportLost) -> str:
    """The attempt's outcome, for which the request's page has words."""
    if isinstance(wrong, ExportLost):
        return "export"
    return "away" if isinstance(wrong, RegistryAway) else "conflict"
