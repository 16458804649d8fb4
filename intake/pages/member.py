"""`/m/<token>`: what a member asked for, behind a link that one press of a button spends.

Mail scanners and chat previews load every link, so GET changes nothing. The press gives the browser a
cookie for 30 minutes, bound to this very link, so that the page can be loaded again.
"""

from fastapi import APIRouter, Request, Response

from subjectline.handlers import links
from subjectline.handlers.links import OPEN_FOR, Opened
from subjectline.intake.shield import from_here
from subjectline.intake.web import Pages, go, secure
from subjectline.models.errors import SpentProof

COOKIE = "sl_page"

router = APIRouter(prefix="/m")


@router.get("/{token}")
async def look(request: Request, token: str) -> Response:
    pages: Pages = request.app.state.pages
    desk = request.app.state.desk
    cookie = request.cookies.get(COOKIE, "")
    if cookie:
        try:
            opened = await links.again(desk, token, cookie, _place(request))
        except SpentProof:
            return pages.sorry(request, "SpentProof", 410)
        return _shown(request, opened)
    if not await links.ready(desk, token):
        return pages.sorry(request, "SpentProof", 410)
    return pages.page(request, "link")


@router.post("/{token}")
async def spend(request: Request, token: str) -> Response:
    if not from_here(request):
        return _pages(request).sorry(request, "other", 403)
    opened = await links.spend(request.app.state.desk, token, _place(request))
    response = go(request.url.path)
    response.set_cookie(
        COOKIE,
        opened.cookie,
        path=request.url.path,
        max_age=int(OPEN_FOR.total_seconds()),
        httponly=True,
        samesite="lax",  # the link is pressed in a mail: a strict cookie would not come along
        secure=secure(request, request.app.state.desk.manner.public_url),
    )
    return response


def _shown(request: Request, opened: Opened) -> Response:
    pages = _pages(request)
    template = "status" if opened.collected is None else "export"
    return pages.page(request, template, opened=opened)


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def _place(request: Request) -> str:
    return f"pages {request.client.host}" if request.client else "pages"
