"""Proof on the phone: the agent has a code sent, and types what the caller reads out."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import casefile, phone_call
from subjectline.intake.console.guard import AgentRoute, actor_of, desk_of
from subjectline.intake.web import go

router = APIRouter(route_class=AgentRoute, prefix="/requests/{reference}/call")

Text = Annotated[str, Form()]


@router.post("/send")
async def send(request: Request, reference: str, member: Text = "", way: Text = "") -> Response:
    desk = desk_of(request)
    number = await casefile.identify(desk, reference)
    await phone_call.send(desk, number, actor_of(request), member.strip(), way)
    return _back(reference, "call_sent")


@router.post("/check")
async def check(request: Request, reference: str, code: Text = "") -> Response:
    """What was typed is not shown again, right or wrong."""
    desk = desk_of(request)
    number = await casefile.identify(desk, reference)
    result = await phone_call.check(desk, number, actor_of(request), code)
    return _back(reference, f"call_{result.verdict}")


def _back(reference: str, note: str) -> Response:
    return go(f"/requests/{quote(reference)}", note)
