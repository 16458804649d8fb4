"""The privacy policy: the version in effect, each version ever announced, and what changed."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from subjectline.handlers import policies
from subjectline.handlers.policies import VersionText
from subjectline.intake import policy_text
from subjectline.intake.web import Pages

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

router = APIRouter(prefix="/policy")


@router.get("")
async def current(request: Request) -> Response:
    pages: Pages = request.app.state.pages
    desk: Desk = request.app.state.desk
    found = await policies.current(desk, pages.language(request))
    if found is None:
        return pages.sorry(request, "no_policy", 404)
    return _page(request, pages, found)


@router.get("/{name}")
async def version(request: Request, name: str) -> Response:
    pages: Pages = request.app.state.pages
    desk: Desk = request.app.state.desk
    return _page(request, pages, await policies.version(desk, name, pages.language(request)))


def _page(request: Request, pages: Pages, found: VersionText) -> Response:
    return pages.page(
        request,
        "policy",
        found=found,
        text=policy_text.html(found.text),
        contents=policy_text.headings(found.text),
    )
