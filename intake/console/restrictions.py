"""Members suspected of false information: who is restricted, by which decision, and how it ended."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import casefile, restricted, restrictions
from subjectline.intake.console import foreign, forms
from subjectline.intake.console.forms import NOTHING, Wrong
from subjectline.intake.console.guard import AgentRoute, actor_of, desk_of, pages_of
from subjectline.intake.web import go, status_of
from subjectline.models.errors import BadInput, IllegalMove, SubjectlineError

router = APIRouter(route_class=AgentRoute, prefix="/restrictions")

Text = Annotated[str, Form()]


@router.get("")
async def show(request: Request) -> Response:
    return await _page(request)


@router.post("")
async def suspect(request: Request, member: Text = "", reason: Text = "") -> Response:
    """Opens the decision; it then runs as a request, which two agents sign."""
    desk = desk_of(request)
    try:
        _needed(member, "member")
        if doubt := await _doubt(request, member.strip(), "reason"):
            return doubt
        number = await restrictions.suspect(desk, member.strip(), actor_of(request), reason)
    except SubjectlineError as error:
        wrong = forms.refused(request, error, "suspect", ("member", "reason"))
        return await _page(request, wrong, status_of(error))
    reference = await casefile.reference_of(desk, number)
    return go(f"/requests/{reference}", "restriction_opened")


@router.get("/{handle}")
async def one(request: Request, handle: str) -> Response:
    return await _one(request, handle)


@router.post("/{handle}/lift")
async def lift(request: Request, handle: str, remedy: Text = "") -> Response:
    desk, actor = desk_of(request), actor_of(request)
    found = await restricted.one(desk, handle, actor)
    try:
        if doubt := await _doubt(request, found.row.member, "remedy"):
            return doubt
        number = await restrictions.lift(desk, found.row.member, actor, remedy)
    except SubjectlineError as error:
        wrong = forms.refused(request, error, "lift", ("remedy",))
        return await _one(request, handle, wrong, status_of(error))
    return go(f"/requests/{await casefile.reference_of(desk, number)}", "lifting_opened")


@router.post("/{handle}/drop")
async def drop(request: Request, handle: str, version: Text = "", reason: Text = "") -> Response:
    """Takes back the decision that is not signed yet: to restrict, or to lift."""
    desk, actor = desk_of(request), actor_of(request)
    row = (await restricted.one(desk, handle, actor)).row
    decision = row.lifting if row.stage == "lifting" and row.lifting else row.decision
    try:
        if row.stage not in ("suspected", "lifting"):
            raise IllegalMove("there is no open decision to take back", field="stage")
        seen = int(version) if version.isdecimal() else -1
        await restrictions.drop(desk, decision.id, seen, actor, reason)
    except SubjectlineError as error:
        wrong = forms.refused(request, error, "drop", ("reason",))
        return await _one(request, handle, wrong, status_of(error))
    return go(f"/restrictions/{handle}", "decision_dropped")


async def _doubt(request: Request, member: str, box: str) -> Response | None:
    """Whether the member's letters are in another language than the words in `box`."""
    desk = desk_of(request)
    language = await desk.registry.language(member) if member else None
    return foreign.doubt(request, box, language or desk.manner.language)


async def _page(request: Request, wrong: Wrong = NOTHING, status: int = 200) -> Response:
    rows = await restricted.listed(desk_of(request), actor_of(request))
    return pages_of(request).page(
        request,
        "restrictions",
        status,
        standing=[row for row in rows if row.standing],
        past=[row for row in rows if not row.standing],
        wrong=wrong,
    )


async def _one(
    request: Request, handle: str, wrong: Wrong = NOTHING, status: int = 200
) -> Response:
    found = await restricted.one(desk_of(request), handle, actor_of(request))
    return pages_of(request).page(request, "restriction", status, found=found, wrong=wrong)


def _needed(text: str, field: str) -> None:
    if not text.strip():
        raise BadInput("this must be filled in", field=field)
