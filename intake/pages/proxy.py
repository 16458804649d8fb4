"""The member's page about somebody who acts for them: who, what for, until when, and a button to stop it."""

from fastapi import APIRouter, Request, Response

from subjectline.handlers import proxy_views
from subjectline.intake.pages import case
from subjectline.intake.pages.case import cookie_of, home, pages_of, place_of
from subjectline.intake.web import go

router = APIRouter(prefix="/m/{token}/proxy")


@router.get("")
async def show(request: Request, token: str) -> Response:
    link = await case.opened(request)
    found = await proxy_views.of_link(request.app.state.desk, token, cookie_of(request))
    return pages_of(request).page(
        request, "proxy", opened=link, mandates=found, here=f"{home(request)}/proxy"
    )


@router.post("")
async def stop(request: Request, token: str) -> Response:
    await case.sent(request)
    desk = request.app.state.desk
    await proxy_views.stop_by_link(desk, token, cookie_of(request), place_of(request))
    return go(f"{home(request)}/proxy")
