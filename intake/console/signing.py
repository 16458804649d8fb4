"""Signing in and out."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import agents
from subjectline.intake.console.guard import SESSION_COOKIE, AgentRoute, desk_of, pages_of
from subjectline.intake.shield import from_here, same
from subjectline.intake.web import go, secure
from subjectline.models.errors import NotPermitted

FORM_COOKIE = "sl_form"  # binds the sign-in form to this browser before there is a session

router = APIRouter()
inside = APIRouter(route_class=AgentRoute)


@router.get("/sign-in")
async def form(request: Request, next: str = "/queue") -> Response:
    return _form(request, next, 200)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    login: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/queue",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    if not from_here(request) or not same(csrf, request.cookies.get(FORM_COOKIE, "")):
        return _form(request, next, 403, "form")
    try:
        signed = await agents.sign_in(desk_of(request), login, password, _place(request))
    except NotPermitted:
        return _form(request, next, 401, "wrong", login)
    response = go(_ours(next))
    response.delete_cookie(FORM_COOKIE, path="/sign-in")
    response.set_cookie(
        SESSION_COOKIE,
        signed.token,
        max_age=int(agents.SESSION_LIVES.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=secure(request, desk_of(request).manner.public_url),
    )
    return response


@inside.post("/sign-out")
async def sign_out(request: Request) -> Response:
    await agents.sign_out(desk_of(request), request.cookies.get(SESSION_COOKIE, ""))
    response = go("/sign-in", "signed_out")
    response.delete_cookie(SESSION_COOKIE)
    return response


def _form(request: Request, next: str, status: int, wrong: str = "", login: str = "") -> Response:
    token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(32)
    response = pages_of(request).page(
        request, "sign_in", status, next=_ours(next), form_token=token, wrong=wrong, login=login
    )
    response.set_cookie(
        FORM_COOKIE,
        token,
        path="/sign-in",
        max_age=3600,
        httponly=True,
        samesite="strict",
        secure=secure(request, desk_of(request).manner.public_url),
    )
    return response


def _ours(path: str) -> str:
    """A path of ours, or the queue: `//elsewhere` and a backslash lead off the site."""
    good = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if good and path.isprintable() else "/queue"


def _place(request: Request) -> str:
    return f"console {request.client.host}" if request.client else "console"


router.include_router(inside)
