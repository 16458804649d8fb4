"""Papers that came in with requests: what they are, where they are kept, and their shredding."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import opaque, papers, queries
from subjectline.intake.console import forms
from subjectline.intake.console.forms import NOTHING, Wrong
from subjectline.intake.console.guard import AgentRoute, actor_of, desk_of, pages_of
from subjectline.intake.web import go, status_of
from subjectline.models.errors import BadInput, SubjectlineError

router = APIRouter(route_class=AgentRoute, prefix="/papers")

Text = Annotated[str, Form()]


@router.get("")
async def show(request: Request) -> Response:
    return await _page(request)


@router.post("")
async def add(
    request: Request, reference: Text = "", what: Text = "", place: Text = ""
) -> Response:
    try:
        if not place.strip():
            raise BadInput("say where the paper is kept", field="place")
        await papers.add(
            desk_of(request), reference.strip().upper(), what, actor_of(request), place
        )
    except SubjectlineError as error:
        wrong = forms.refused(request, error, "add", ("reference", "what", "place"))
        return await _page(request, wrong, status_of(error))
    return go("/papers", "paper_added")


@router.post("/{handle}/move")
async def move(request: Request, handle: str, place: Text = "") -> Response:
    desk = desk_of(request)
    number = opaque.show(desk.vault, "paper", handle)
    try:
        await papers.move(desk, number, place, actor_of(request))
    except SubjectlineError as error:
        wrong = forms.refused(request, error, f"move-{handle}", ("place",))
        return await _page(request, wrong, status_of(error))
    return go("/papers", "paper_moved")


@router.post("/{handle}/shred")
async def shred(request: Request, handle: str, witness: Text = "", on: Text = "") -> Response:
    desk = desk_of(request)
    number = opaque.show(desk.vault, "paper", handle)
    try:
        await papers.shred(desk, number, actor_of(request), witness, forms.day(on, "on"))
    except SubjectlineError as error:
        wrong = forms.refused(request, error, f"shred-{handle}", ("witness", "on"))
        return await _page(request, wrong, status_of(error))
    return go("/papers", "paper_shredded")


async def _page(request: Request, wrong: Wrong = NOTHING, status: int = 200) -> Response:
    desk = desk_of(request)
    rows = await papers.listed(desk, everything=True)
    here = [row for row in rows if row.shredded_on is None]
    return pages_of(request).page(
        request,
        "papers",
        status,
        here=sorted(here, key=lambda row: not row.due),
        gone=[row for row in reversed(rows) if row.shredded_on is not None],
        handles={row.id: opaque.hide(desk.vault, "paper", row.id) for row in rows},
        today=queries.today(desk, desk.manner.regime).isoformat(),
        wrong=wrong,
    )
