"""Legal holds: what must not be destroyed until a day, by whose order and why. Officers set them."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import legal_holds, opaque
from subjectline.intake.console import forms
from subjectline.intake.console.forms import NOTHING, Wrong
from subjectline.intake.console.guard import AgentRoute, actor_of, agent_of, desk_of, pages_of
from subjectline.intake.web import go, status_of
from subjectline.models.errors import BadInput, SubjectlineError

router = APIRouter(route_class=AgentRoute, prefix="/legal-holds")

Text = Annotated[str, Form()]
SCOPES = ("member", "request", "everything")
BOXES = ("scope", "member", "reference", "reason", "until")


@router.get("")
async def show(request: Request) -> Response:
    return await _page(request)


@router.post("")
async def place(
    request: Request,
    scope: Text = "",
    member: Text = "",
    reference: Text = "",
    reason: Text = "",
    until: Text = "",
) -> Response:
    try:
        whose, which = _whom(scope, member.strip(), reference.strip().upper())
        await legal_holds.place(
            desk_of(request),
            actor_of(request),
            reason,
            forms.day(until, "until"),
            member=whose,
            reference=which,
        )
    except SubjectlineError as error:
        wrong = forms.refused(request, error, "place", BOXES)
        return await _page(request, wrong, status_of(error))
    return go("/legal-holds", "hold_placed")


@router.post("/{handle}/release")
async def release(request: Request, handle: str) -> Response:
    desk = desk_of(request)
    number = opaque.show(desk.vault, "legal_hold", handle)
    try:
        await legal_holds.release(desk, actor_of(request), number)
    except SubjectlineError as error:
        return await _page(request, forms.refused(request, error, "release", ()), status_of(error))
    return go("/legal-holds", "hold_released")


def _whom(scope: str, member: str, reference: str) -> tuple[str, str]:
    """The member or the request that the form names; an empty box never means everything."""
    if scope not in SCOPES:
        raise BadInput("say what is held", field="scope")
    if scope == "member" and not member:
        raise BadInput("name the member", field="member")
    if scope == "request" and not reference:
        raise BadInput("name the request", field="reference")
    return (member if scope == "member" else "", reference if scope == "request" else "")


async def _page(request: Request, wrong: Wrong = NOTHING, status: int = 200) -> Response:
    desk = desk_of(request)
    rows = await legal_holds.listed(desk, actor_of(request))
    return pages_of(request).page(
        request,
        "legal_holds",
        status,
        standing=[row for row in rows if row.in_force],
        past=[row for row in rows if not row.in_force],
        handles={row.id: opaque.hide(desk.vault, "legal_hold", row.id) for row in rows},
        officer=agent_of(request).role == "officer",
        wrong=wrong,
    )
