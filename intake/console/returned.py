"""Letters that did not arrive: the list, each with the ways to its person, and how they were told."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import queries, returned
from subjectline.intake.console import forms
from subjectline.intake.console.forms import NOTHING, Wrong
from subjectline.intake.console.guard import AgentRoute, actor_of, desk_of, pages_of
from subjectline.intake.web import go, status_of
from subjectline.models.errors import SubjectlineError

router = APIRouter(route_class=AgentRoute, prefix="/returned")

Text = Annotated[str, Form()]


@router.get("")
async def show(request: Request) -> Response:
    desk = desk_of(request)
    return pages_of(request).page(
        request,
        "returned",
        rows=await returned.listed(desk),
        past=await returned.listed(desk, "closed", 50),
        counts=await queries.counts(desk),
    )


@router.get("/{handle}")
async def one(request: Request, handle: str) -> Response:
    return await _page(request, handle)


@router.post("/{handle}/send")
async def send(request: Request, handle: str, way: Text = "") -> Response:
    try:
        await returned.send_again(desk_of(request), handle, way, actor_of(request))
    except SubjectlineError as error:
        wrong = forms.refused(request, error, "send", ())
        return await _page(request, handle, wrong, status_of(error))
    return go(f"/returned/{handle}", "sent_again")


@router.post("/{handle}/close")
async def close(request: Request, handle: str, how: Text = "", note: Text = "") -> Response:
    try:
        await returned.close(desk_of(request), handle, how, note, actor_of(request))
    except SubjectlineError as error:
        wrong = forms.refused(request, error, "close", ("how", "note"))
        return await _page(request, handle, wrong, status_of(error))
    return go("/returned", "returned_closed")


@router.post("/{handle}/lives")
async def lives(request: Request, handle: str) -> Response:
    try:
        await returned.address_lives(desk_of(request), handle, actor_of(request))
    except SubjectlineError as error:
        wrong = forms.refused(request, error, "lives", ())
        return await _page(request, handle, wrong, status_of(error))
    return go(f"/returned/{handle}", "address_lives")


async def _page(
    request: Request, handle: str, wrong: Wrong = NOTHING, status: int = 200
) -> Response:
    desk = desk_of(request)
    seen = await returned.view(desk, handle, actor_of(request))
    how = [name for name in returned.HOW if name != "not_needed" or not _owed(seen.row)]
    return pages_of(request).page(
        request,
        "returned_one",
        status,
        seen=seen,
        row=seen.row,
        how=how,
        wrong=wrong,
        counts=await queries.counts(desk),
    )


def _owed(row: returned.ReturnedRow) -> bool:
    """Whether the law asks that the person is told of this one."""
    return row.legal and row.kind != "complaint"
