"""A conversation that no rule could sort: an agent reads it, makes a request of it or closes it."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import casefile, opaque, sorting
from subjectline.intake.console.guard import AgentRoute, actor_of, desk_of, pages_of
from subjectline.intake.web import go
from subjectline.models.errors import BadInput
from subjectline.models.workflow import KINDS

router = APIRouter(route_class=AgentRoute, prefix="/conversations/{handle}")

SORTED_INTO = tuple(kind for kind in KINDS if kind != "unclear")


@router.get("")
async def show(request: Request, handle: str) -> Response:
    desk = desk_of(request)
    talk = await casefile.talk(desk, handle, actor_of(request))
    correctable = [name for name, field in desk.data_map.fields.items() if field.correctable]
    return pages_of(request).page(
        request, "conversation", talk=talk, kinds=SORTED_INTO, fields=correctable
    )


@router.post("/open-case")
async def open_case(
    request: Request,
    handle: str,
    kind: Annotated[str, Form()] = "",
    fields: Annotated[list[str] | None, Form()] = None,
) -> Response:
    if kind not in SORTED_INTO:
        raise BadInput("a request is about one right", field="kind", remedy="Choose one.")
    desk = desk_of(request)
    number = opaque.show(desk.vault, "conversation", handle)
    made = await sorting.open_case(desk, number, actor_of(request), kind, fields or [])
    return go(f"/requests/{quote(await casefile.reference_of(desk, made))}", "opened")


@router.post("/close")
async def close(request: Request, handle: str, reason: Annotated[str, Form()] = "") -> Response:
    if not reason.strip():
        raise BadInput("this must be filled in", field="reason")
    desk = desk_of(request)
    number = opaque.show(desk.vault, "conversation", handle)
    await sorting.close_conversation(desk, number, actor_of(request), reason.strip())
    return go("/unsorted", "closed")
