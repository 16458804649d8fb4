"""Papers from a phone: photos and PDFs, known by their bytes, never written to a disk unsealed.

What is sent is looked through in memory, refused whole with its reason or kept sealed; nothing that a
computer would run is taken. A picture may show a resident number: an agent opens it on their word only.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from subjectline.handlers import page_deeds, page_views
from subjectline.handlers.links import Opened
from subjectline.intake.attachments import look
from subjectline.intake.mailparse.kinds import kind_of
from subjectline.intake.pages import case
from subjectline.intake.pages.case import back, cookie_of, pages_of, place_of
from subjectline.intake.shield import from_here
from subjectline.intake.web import Speech, catalogue, saved_name
from subjectline.models.errors import NotPermitted, StaleMove
from subjectline.models.files import Apart, FileSettings
from subjectline.models.incoming import Attachment
from subjectline.models.masking import mask_resident_numbers

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

PATH = re.compile(r"/m/[^/]+/papers")
KINDS = frozenset({"image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf"})
WHAT = ("id_card", "power_of_attorney", "family", "other")
MOST = 10  # times that papers are taken for one request
ROUND = 64 * 1024  # bytes of a body that are not the files themselves
_HARMLESS = frozenset({Apart.MAY_SHOW, Apart.TURNED_NAME})

router = APIRouter(prefix="/m/{token}/papers")
_turns = asyncio.Semaphore(4)


def largest_body(files: FileSettings) -> int:
    """Bytes of a whole form with papers in it; what is over is refused before it is read."""
    return files.max_all_bytes + ROUND


class _InMemory(MultiPartParser):
    """Starlette's parser writes a file above this size to a temporary one: never, here."""

    spool_max_size = 1 << 40


@router.post("")
async def hand_in(request: Request, token: str) -> Response:
    """Takes several files at once, all or none."""
    if not from_here(request):
        raise NotPermitted("the form came from another site", field="form")
    link = await case.opened(request)  # before a byte of the body is read
    async with _turns:
        return await _taken(request, token, link)


async def _taken(request: Request, token: str, link: Opened) -> Response:
    desk = request.app.state.desk
    try:
        form = await _form(request, desk.files)
    except (MultiPartException, KeyError):
        return await case.shown(request, link, 422, wrong="papers_form")
    try:
        case.check(link, form)
        what, files = str(form.get("what", "")), await _files(form)
    finally:
        await form.close()
    wrong = "papers_what" if what not in WHAT else _refused_all(desk, files)
    if wrong:
        return await case.shown(request, link, 422, wrong=wrong, what=what)
    stage = await page_views.stage(desk, link)
    if len(stage.papers) >= MOST:
        return await case.shown(request, link, 422, wrong="papers_enough", what=what)
    looked = [await asyncio.to_thread(_looked, name, body) for name, body in files]
    refused = next((one for one in looked if one[1]), None)
    if refused:
        name = refused[0].name
        return await case.shown(request, link, 422, wrong=refused[1], what=what, file=name)
    kept = [one for one, _ in looked]
    words = _said(request, link, what, len(kept))
    try:
        await page_deeds.hand_in(desk, token, cookie_of(request), kept, words, place_of(request))
    except StaleMove:
        return back(request, "moved_on")
    return back(request, "papers_in")


async def _form(request: Request, files: FileSettings) -> FormData:
    parser = _InMemory(
        request.headers, request.stream(), max_files=files.max_files + 2, max_fields=8
    )
    return await parser.parse()


async def _files(form: FormData) -> list[tuple[str, bytes]]:
    """What was chosen: an empty box of a browser is a file without a name."""
    found = []
    for _, value in form.multi_items():
        if isinstance(value, UploadFile):
            body = await value.read()
            if body or value.filename:
                found.append((value.filename or "", body))
    return found


def _refused_all(desk: "Desk", files: Sequence[tuple[str, bytes]]) -> str:
    """Why what was sent is not taken as a whole: a key of the page's words."""
    if not files:
        return "papers_none"
    if len(files) > desk.files.max_files:
        return "papers_count"
    if any(len(body) > desk.files.max_file_bytes for _, body in files):
        return "papers_size"
    whole = sum(len(body) for _, body in files)
    return "papers_size" if whole > desk.files.max_all_bytes else ""


def _looked(name: str, body: bytes) -> tuple[Attachment, str]:
    """One file, looked through, and why it is not taken."""
    kind = kind_of(body, "")
    apart = look(name, kind, body)
    shown, _ = mask_resident_numbers(saved_name(name))
    file = Attachment(shown, kind, body, apart=(Apart.MAY_SHOW,))
    if not body:
        return file, "papers_empty"
    if kind not in KINDS:
        return file, "papers_kind"
    if Apart.RESIDENT_NUMBER in apart:
        return file, "papers_number"
    if set(apart) - _HARMLESS:
        return file, "papers_active"
    return file, ""


def _said(request: Request, link: Opened, what: str, count: int) -> str:
    """What agents and the person read of it: which paper, how many files."""
    words = Speech(request.app.state.desk, catalogue(pages_of(request).folder), link.language)
    return words.text("papers.said", what=words.text(f"papers.{what}"), n=count)
