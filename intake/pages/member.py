"""`/m/<token>`: what a member asked for or is asked for, behind a link that one press of a button spends.

Mail scanners and chat previews load every link, so GET changes nothing. The press gives the browser a
cookie for a while, bound to this very link, so that the page can be loaded again; the same cookie opens
the files beside it (`intake.pages.files`) and lets its forms be sent (`intake.pages.forms`, `papers`).
"""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from subjectline.handlers import links
from subjectline.handlers.export import fiveitems, shelf, showing
from subjectline.handlers.export.fiveitems import FiveItems
from subjectline.handlers.export.shelf import Head
from subjectline.handlers.links import Opened
from subjectline.intake.pages import case
from subjectline.intake.pages.case import COOKIE, pages_of, place_of
from subjectline.intake.shield import from_here
from subjectline.intake.web import LANGUAGE_COOKIE, catalogue, go, secure
from subjectline.models.errors import SpentProof

FIRST_ROWS = 10  # of each table on the first page
ROWS_A_PAGE = 100

router = APIRouter(prefix="/m")


@router.get("/{token}")
async def look(request: Request, token: str) -> Response:
    pages, desk = pages_of(request), request.app.state.desk
    cookie = request.cookies.get(COOKIE, "")
    if cookie:
        try:
            opened = await links.again(desk, token, cookie, place_of(request))
        except SpentProof:
            return pages.sorry(request, "SpentProof", 410)
        return await _shown(request, opened)
    purpose = await links.ready(desk, token)
    if not purpose:
        return pages.sorry(request, "SpentProof", 410)
    if f"link.{purpose}.title" not in catalogue(pages.folder):
        purpose = "status"  # a page of its own stands elsewhere; here it tells how far things are
    return pages.page(request, "link", purpose=purpose)


@router.post("/{token}")
async def spend(request: Request, token: str) -> Response:
    if not from_here(request):
        return pages_of(request).sorry(request, "other", 403)
    desk = request.app.state.desk
    opened = await links.spend(desk, token, place_of(request))
    response = go(request.url.path)
    response.set_cookie(
        COOKIE,
        opened.cookie,
        path=request.url.path,
        max_age=_seconds(opened.until, desk.clock()),
        httponly=True,
        samesite="lax",  # the link is pressed in a mail: a strict cookie would not come along
        secure=secure(request, desk.manner.public_url),
    )
    # The member's own language, until they choose another: what they choose is set for every page.
    response.set_cookie(LANGUAGE_COOKIE, opened.language, path=request.url.path, samesite="lax")
    return response


def _seconds(until: datetime, now: datetime) -> int:
    return int((until - now).total_seconds())


@router.get("/{token}/tables/{place}")
async def table(request: Request, token: str, place: int, page: int = 1) -> Response:
    """All rows of one table, a hundred at a time."""
    pages, desk = pages_of(request), request.app.state.desk
    cookie = request.cookies.get(COOKIE, "")
    opened = await links.again(desk, token, cookie, place_of(request))
    if opened.export is None:
        return pages.sorry(request, "SpentProof", 410)
    told = fiveitems.in_words(desk, opened.export, pages.language(request))
    opened.export.table(place)  # BadInput where there is none
    page = max(1, page)
    first = (page - 1) * ROWS_A_PAGE
    return pages.page(
        request,
        "rows",
        opened=opened,
        told=told,
        table=await _table(request, opened.export, told, place, first, ROWS_A_PAGE),
        address=f"/m/{token}",
        page=page,
        last=max(1, -(-told.tables[place]["count"] // ROWS_A_PAGE)),
    )


async def _shown(request: Request, opened: Opened) -> Response:
    pages = pages_of(request)
    if opened.purpose == "proxy":
        return go(f"{request.url.path}/proxy")
    export = opened.export
    if export is None:
        return await case.shown(request, opened)
    told = fiveitems.in_words(request.app.state.desk, export, pages.language(request))
    tables = [
        await _table(request, export, told, place, 0, FIRST_ROWS)
        for place in range(len(told.tables))
    ]
    return pages.page(
        request, "export", opened=opened, told=told, tables=tables, address=request.url.path
    )


async def _table(
    request: Request, export: Head, told: FiveItems, place: int, first: int, limit: int
) -> dict[str, Any]:
    desk = request.app.state.desk
    rows = await shelf.rows(desk, export, place, first, limit)
    return {
        "place": place,
        "label": told.tables[place]["label"],
        "count": told.tables[place]["count"],
        "told": fiveitems.count(told, place),
        "facts": fiveitems.table_facts(told, place),
        "records": showing.records(desk, export.table(place), rows, told.language),
        "withheld": fiveitems.withheld(told, place),
    }
