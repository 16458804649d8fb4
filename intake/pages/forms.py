"""What a member sends from a secure page: a code, new values, a yes or no, taking the request back."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from subjectline.handlers import page_deeds, page_views
from subjectline.handlers.answers import LONGEST_VALUE
from subjectline.handlers.identity import Verdict
from subjectline.handlers.links import Opened
from subjectline.intake.pages import case
from subjectline.intake.pages.case import back, cookie_of, pages_of, place_of, version_in
from subjectline.intake.web import LANGUAGES
from subjectline.models.errors import BadInput, IllegalMove, StaleMove

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

VALUE = "value."  # a box of the form, by its field: value.phone
FORMS = ("code", "new-code", "values", "answer", "papers")

router = APIRouter(prefix="/m/{token}")


@router.get("/withdraw")
async def sure(request: Request) -> Response:
    """Asks once more before a request is taken back."""
    link = await case.opened(request)
    stage = await page_views.stage(request.app.state.desk, link)
    if not stage.may_withdraw:
        return back(request, "")
    return case.render(request, "withdraw", link, stage)


async def reload(request: Request) -> Response:
    """A form's own address, loaded again: back to the page, in the language that was chosen."""
    language = request.query_params.get("lang", "")
    chosen = f"?lang={language}" if language in LANGUAGES else ""
    response = back(request, "")
    response.headers["location"] += chosen
    return response


@router.post("/code")
async def code(request: Request, token: str) -> Response:
    """The six digits. A wrong code is told with the tries that are left, on this page only."""
    link, form = await case.sent(request)
    desk, text = request.app.state.desk, str(form.get("code", ""))[:40]
    try:
        check = await page_deeds.try_code(desk, token, cookie_of(request), text, place_of(request))
    except BadInput:
        return await case.shown(request, link, 422, wrong="code_form")
    if check.verdict is Verdict.PROVEN:
        return back(request, "code_right")
    if check.verdict is Verdict.WRONG:
        left = check.tries_left
        return await case.shown(request, link, 422, wrong="code_wrong", tries_left=left)
    if check.verdict is Verdict.SPENT:
        return await case.shown(request, link, 422, wrong="code_spent")
    return back(request, "moved_on")


@router.post("/new-code")
async def new_code(request: Request, token: str) -> Response:
    await case.sent(request)
    desk = request.app.state.desk
    told = await page_deeds.new_code(desk, token, cookie_of(request), place_of(request))
    return back(request, f"new_code_{told}")


@router.post("/values")
async def values(request: Request, token: str) -> Response:
    """New values: `check` them, `edit` them once more, or `keep` what was read back."""
    link, form = await case.sent(request)
    do, given, chosen = str(form.get("do", "check")), _given(form), _chosen(form)
    desk, language = request.app.state.desk, pages_of(request).language(request)
    stage = await page_views.stage(desk, link)
    if chosen and not given:
        boxes = await page_views.boxes(desk, link, language, None, chosen, place_of(request))
        return await case.values(request, link, stage, boxes=boxes)
    boxes = await page_views.boxes(desk, link, language, given, chosen, place_of(request))
    if not boxes:
        return await case.shown(request, link, 422, wrong="which_field")
    if do == "edit":
        return await case.values(request, link, stage, boxes=boxes)
    if any(box.wrong for box in boxes):
        return await case.values(request, link, stage, 422, boxes=boxes, wrong="values")
    if do != "keep":
        return case.render(request, "read_back", link, stage, boxes=boxes)
    return await _kept(request, token, boxes, version_in(form))


async def _kept(
    request: Request, token: str, boxes: tuple[page_views.Box, ...], version: int
) -> Response:
    written = {box.name: box.value for box in boxes}
    desk, cookie = request.app.state.desk, cookie_of(request)
    try:
        await page_deeds.give_values(desk, token, cookie, written, version, place_of(request))
    except (StaleMove, IllegalMove):
        return back(request, "moved_on")
    return back(request, "values_kept")


@router.post("/answer")
async def answer(request: Request, token: str) -> Response:
    """Yes or no to what is asked; `edit` opens the boxes instead."""
    link, form = await case.sent(request)
    desk, said = request.app.state.desk, str(form.get("answer", ""))
    if said == "edit":
        return await _edit(request, desk, link)
    if said not in ("yes", "no"):
        return await case.shown(request, link, 422, wrong="answer")
    cookie, place = cookie_of(request), place_of(request)
    try:
        await page_deeds.say(desk, token, cookie, said == "yes", version_in(form), place)
    except (StaleMove, IllegalMove):
        return back(request, "moved_on")
    return back(request, f"said_{said}")


async def _edit(request: Request, desk: "Desk", link: Opened) -> Response:
    language = pages_of(request).language(request)
    stage = await page_views.stage(desk, link)
    boxes = await page_views.boxes(desk, link, language, place=place_of(request))
    return await case.values(request, link, stage, boxes=boxes)


@router.post("/withdraw")
async def withdraw(request: Request, token: str) -> Response:
    _, form = await case.sent(request)
    desk, cookie = request.app.state.desk, cookie_of(request)
    try:
        await page_deeds.withdraw(desk, token, cookie, version_in(form), place_of(request))
    except (StaleMove, IllegalMove):
        return back(request, "moved_on")
    return back(request, "withdrawn")


for _name in FORMS:
    router.add_api_route(f"/{_name}", reload, methods=["GET"])


def _given(form: FormData) -> dict[str, str]:
    """The boxes of the form, spaces tidied as in a mail."""
    return {
        name.removeprefix(VALUE): " ".join(str(text).split())[:LONGEST_VALUE]
        for name, text in form.items()
        if name.startswith(VALUE)
    }


def _chosen(form: FormData) -> list[str]:
    return [str(name) for name in form.getlist("field")][:1]
