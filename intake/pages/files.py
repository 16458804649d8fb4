"""The files of an export, for the browser that opened its page and for no other.

PDF for people, an encrypted archive of JSON and CSV, and for portability the JSON by itself. Each
leaves a receipt. Nothing is kept by a cache, and no browser opens it as a page of ours.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import IO

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from subjectline.handlers import links
from subjectline.handlers.export import archive, pdf
from subjectline.handlers.export.shelf import Head
from subjectline.handlers.links import Opened
from subjectline.intake.pages.case import COOKIE, pages_of, place_of
from subjectline.intake.shield import from_here
from subjectline.models.errors import BadInput, SpentProof

PIECE = 256 * 1024  # bytes

router = APIRouter(prefix="/m")
_turns = asyncio.Semaphore(2)


@router.post("/{token}/password")
async def password(request: Request, token: str) -> Response:
    """A password for the archive, shown on this page and never again."""
    pages, desk = pages_of(request), request.app.state.desk
    if not from_here(request):
        return pages.sorry(request, "other", 403)
    cookie = request.cookies.get(COOKIE, "")
    opened = await links.new_password(desk, token, cookie, place_of(request))
    if opened.export is None:
        return pages.sorry(request, "SpentProof", 410)
    secret = archive.password(desk.vault, opened.link_id, cookie, opened.passwords)
    return pages.page(request, "password", opened=opened, secret=secret, address=f"/m/{token}")


@router.get("/{token}/archive")
async def archived(request: Request, token: str) -> Response:
    desk = request.app.state.desk
    opened, export = await _taken(request, token, "archive")
    if not opened.passwords:
        raise BadInput(
            "the archive has no password yet", field="password", remedy="Make one on the page."
        )
    cookie = request.cookies.get(COOKIE, "")
    secret = archive.password(desk.vault, opened.link_id, cookie, opened.passwords)
    async with _turns:
        file = await archive.make(desk, export, pages_of(request).language(request), secret)
    size = file.seek(0, 2)
    file.seek(0)
    headers = _headers(opened, "zip") | {"Content-Length": str(size)}
    return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)


@router.get("/{token}/pdf")
async def typeset(request: Request, token: str) -> Response:
    opened, export = await _taken(request, token, "pdf")
    language = pages_of(request).language(request)
    made = await pdf.make(request.app.state.desk, export, language)
    return Response(made, media_type="application/pdf", headers=_headers(opened, "pdf"))


@router.get("/{token}/json")
async def plain(request: Request, token: str) -> Response:
    """The same in a form for machines, where that is what was asked for (PIPA 35-2)."""
    opened, export = await _taken(request, token, "json")
    language = pages_of(request).language(request)
    pieces = archive.json_lines(request.app.state.desk, export, language)
    return StreamingResponse(
        pieces, media_type="application/json", headers=_headers(opened, "json")
    )


async def _taken(request: Request, token: str, form: str) -> tuple[Opened, Head]:
    """The export behind an opened page. Raises SpentProof."""
    desk = request.app.state.desk
    cookie = request.cookies.get(COOKIE, "")
    opened = await links.again(desk, token, cookie, place_of(request), form)
    if opened.export is None:
        raise SpentProof("the export is over", remedy="Answer our mail and ask for a new link.")
    if form == "json" and opened.kind != "portability":
        raise BadInput("there is no such page", field="address")
    return opened, opened.export


def _headers(opened: Opened, ending: str) -> dict[str, str]:
    """The reference names the file: it is no personal data, and plain ASCII."""
    name = f"{opened.reference}.{ending}"
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
