"""The page of one request: its stage, and what this page can be used for now.

Every form of it brings back the token of this browser's page (`Opened.form`) beside the cookie, and
where the browser says where a form came from it is believed: another site's form does nothing.
"""

from typing import Any

from fastapi import Request, Response
from starlette.datastructures import FormData

from subjectline.handlers import links, page_views
from subjectline.handlers.links import Opened
from subjectline.handlers.page_views import Stage
from subjectline.intake.shield import from_here, same
from subjectline.intake.web import Pages, go
from subjectline.models.errors import BadInput, NotPermitted

COOKIE = "sl_page"
# What is asked on the page -> its template; nothing asked: how far the request is.
TEMPLATES = {"code": "code", "values": "values", "answer": "answer", "papers": "papers"}


def pages_of(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def place_of(request: Request) -> str:
    return f"pages {request.client.host}" if request.client else "pages"


def home(request: Request) -> str:
    """The address of the page itself, for its forms and after them."""
    return f"/m/{request.path_params['token']}"


def cookie_of(request: Request) -> str:
    return request.cookies.get(COOKIE, "")


async def opened(request: Request) -> Opened:
    """What this browser has opened. Raises SpentProof."""
    token = request.path_params["token"]
    found, _ = await links.inside(request.app.state.desk, token, cookie_of(request))
    return found


async def sent(request: Request) -> tuple[Opened, FormData]:
    """A form of this very page. Raises SpentProof, NotPermitted where it came from elsewhere."""
    if not from_here(request):
        raise NotPermitted("the form came from another site", field="form")
    link = await opened(request)
    form = await request.form()
    check(link, form)
    return link, form


def check(link: Opened, form: FormData) -> None:
    """Raises NotPermitted where a form does not bring the token of its page."""
    if not same(form.get("form", ""), link.form):
        raise NotPermitted("the form is not of this page", field="form")


def version_in(form: FormData) -> int:
    """The version of the request that the person was looking at."""
    text = str(form.get("version", ""))
    if not text.isdecimal() or len(text) > 9:
        raise BadInput("the form names no version", field="version")
    return int(text)


async def shown(request: Request, link: Opened, status: int = 200, **wrong: Any) -> Response:
    """The page as it stands now. `wrong` is what a refused form said."""
    desk = request.app.state.desk
    stage = await page_views.stage(desk, link)
    if stage.wants == "values":
        return await values(request, link, stage, status, **wrong)
    given: dict[str, Any] = {"limits": desk.files, "what": ""}
    if stage.wants == "answer":
        language = pages_of(request).language(request)
        leaving = stage.question == "confirm_leaving"
        given |= {
            "boxes": () if leaving else await page_views.boxes(desk, link, language),
            "kept": await page_views.leaves_behind(desk, link, language) if leaving else [],
        }
    name = TEMPLATES.get(stage.wants, "status")
    return render(request, name, link, stage, status, **(given | wrong))


async def values(
    request: Request,
    link: Opened,
    stage: Stage,
    status: int = 200,
    boxes: tuple[page_views.Box, ...] | None = None,
    **wrong: Any,
) -> Response:
    """The boxes for new values; where the request names no field, the choice of one."""
    desk, language = request.app.state.desk, pages_of(request).language(request)
    if boxes is None:
        boxes = await page_views.boxes(desk, link, language, place=place_of(request))
    if not boxes:
        choices = page_views.choosable(desk, language)
        return render(request, "fields", link, stage, status, choices=choices, **wrong)
    return render(request, "values", link, stage, status, boxes=boxes, **wrong)


def render(
    request: Request, name: str, link: Opened, stage: Stage, status: int = 200, **context: Any
) -> Response:
    context = {"wrong": "", "here": home(request), **context}
    return pages_of(request).page(request, name, status, opened=link, stage=stage, **context)


def back(request: Request, note: str) -> Response:
    """To the page itself, with a word about what was done."""
    return go(home(request), note)
