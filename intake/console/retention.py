"""Destruction: the schedule, what is due today, the runs, and the certificates of what went.

A run for real is confirmed on what was looked at: its form carries the digest of the list that was
shown, and is refused where the list has become another one.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import astuple
from typing import Annotated

import rfc8785
from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import certificates, legal_holds, retention, retention_looks
from subjectline.handlers.facts import local_day
from subjectline.handlers.retention import Line
from subjectline.intake.console import forms
from subjectline.intake.console.forms import NOTHING, Wrong
from subjectline.intake.console.guard import AgentRoute, actor_of, desk_of, pages_of
from subjectline.intake.web import go, status_of
from subjectline.models.errors import BadInput, StaleMove, SubjectlineError

router = APIRouter(route_class=AgentRoute, prefix="/retention")

Text = Annotated[str, Form()]


@router.get("")
async def show(request: Request, after: str = "") -> Response:
    return await _page(request, after=after)


@router.post("/look")
async def look(request: Request) -> Response:
    """What a run would destroy now. By POST: it reads the company's tables and is recorded."""
    lines = await retention.look(desk_of(request), actor_of(request))
    return await _page(request, lines=lines)


@router.post("/run")
async def run(request: Request, seen: Text = "", sure: Text = "") -> Response:
    """Destroys what was shown, and nothing else."""
    desk, actor = desk_of(request), actor_of(request)
    lines = await retention.dry_run(desk, actor)
    try:
        if not sure:
            raise BadInput("this must be ticked", field="sure")
        if seen != fingerprint(lines):
            raise StaleMove("what is due has changed since it was shown", field="seen")
        done = await retention.run(desk, actor)
    except SubjectlineError as error:
        wrong = forms.refused(request, error, "run", ("sure",))
        return await _page(request, wrong, status_of(error), lines=lines)
    return go("/retention", "run_partly" if any(line.told for line in done) else "run_done")


@router.get("/certificates/{handle}")
async def certificate(request: Request, handle: str) -> Response:
    desk = desk_of(request)
    found = await certificates.one(desk, handle)
    return pages_of(request).page(
        request,
        "certificate",
        one=found,
        on=local_day(desk, found.at).isoformat(),
        rules=desk.data_map.retention,
    )


def fingerprint(lines: Sequence[Line]) -> str:
    """The digest of what is due, by kind, rule and number."""
    due = [[*astuple(line)[:6]] for line in lines if line.due or line.told]
    return hashlib.sha256(rfc8785.dumps(due)).hexdigest()


async def _page(
    request: Request,
    wrong: Wrong = NOTHING,
    status: int = 200,
    *,
    lines: Sequence[Line] | None = None,
    after: str = "",
) -> Response:
    desk = desk_of(request)
    holds = [row for row in await legal_holds.listed(desk, actor_of(request)) if row.in_force]
    return pages_of(request).page(
        request,
        "retention",
        status,
        lines=None if lines is None else [x for x in lines if x.due or x.spared or x.told],
        seen="" if lines is None else fingerprint(lines),
        holds=holds,
        waits=await retention_looks.waiting(desk),
        rules=desk.data_map.retention,
        runs=await certificates.runs(desk),
        certificates=await certificates.listed(desk, after),
        after=after,
        wrong=wrong,
    )
