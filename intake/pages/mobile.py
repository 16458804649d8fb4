"""Proof by mobile phone on a secure page: out to the provider, and back with its signed result.

The way out is a link and no redirect, for a form of ours may lead to no other site. The way back is a
form that the provider lets the browser send, so no cookie of ours comes along: the browser is sent on
with a token, and its own press of a button, with the cookie, is what counts.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import mobile_identity, page_views
from subjectline.intake.pages import case
from subjectline.intake.pages.case import back, pages_of, place_of
from subjectline.intake.shield import from_here
from subjectline.intake.web import go, secure
from subjectline.models.errors import IdentityError, NotPermitted, TooManyTries

COOKIE = "sl_mobile"
HERE = "/m/mobile"

router = APIRouter(prefix="/m")
Text = Annotated[str, Form()]


@router.get("/{token}/mobile")
async def explain(request: Request) -> Response:
    """What is about to happen, and for which request, before anything does."""
    link = await case.opened(request)
    stage = await page_views.stage(request.app.state.desk, link)
    if not stage.by_mobile:
        return back(request, "")
    return case.render(request, "mobile", link, stage)


@router.post("/{token}/mobile")
async def begin(request: Request) -> Response:
    link, _ = await case.sent(request)
    desk, pages = request.app.state.desk, pages_of(request)
    try:
        begun = await mobile_identity.begin(desk, link.request_id, place_of(request))
    except NotPermitted:
        return back(request, "moved_on")
    except TooManyTries:
        return back(request, "mobile_too_many")
    response = pages.page(request, "mobile_go", address=begun.url, minutes=begun.minutes)
    response.set_cookie(
        COOKIE,
        begun.cookie,
        path=HERE,
        max_age=begun.minutes * 60,
        httponly=True,
        samesite="lax",  # it is wanted on the page after the provider's
        secure=secure(request, desk.manner.public_url),
    )
    return response


@router.post("/mobile/back")
async def result(request: Request, result: Text = "", signature: Text = "") -> Response:
    """What the provider's page posts. It comes from another site: only its signature is believed."""
    desk = request.app.state.desk
    try:
        carried = await mobile_identity.arrive(desk, result, signature, place_of(request))
    except IdentityError:
        return pages_of(request).sorry(request, "mobile", 410)
    return go(f"{HERE}/done/{carried}")


@router.get("/mobile/done/{carried}")
async def done(request: Request, carried: str) -> Response:
    """Spends nothing: the press of the button does."""
    return pages_of(request).page(request, "mobile_back", address=f"{HERE}/done/{carried}")


@router.post("/mobile/done/{carried}")
async def finish(request: Request, carried: str) -> Response:
    pages, desk = pages_of(request), request.app.state.desk
    if not from_here(request):
        return pages.sorry(request, "other", 403)
    cookie = request.cookies.get(COOKIE, "")
    try:
        finished = await mobile_identity.finish(desk, carried, cookie, place_of(request))
    except IdentityError:
        return pages.sorry(request, "mobile", 410)
    response = pages.page(request, "mobile_done", finished=finished)
    response.delete_cookie(COOKIE, path=HERE)
    return response
