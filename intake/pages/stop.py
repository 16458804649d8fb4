"""`/m/stop/<token>`: a member stops a change that somebody asked for in their name.

Mail scanners and chat previews load every link, so GET changes nothing; the press stops, and a second
one says what is.
"""

from typing import Any

from fastapi import APIRouter, Request, Response

from subjectline.handlers import stopping
from subjectline.handlers.facts import labels
from subjectline.handlers.stopping import Stop
from subjectline.intake.pages.case import pages_of, place_of
from subjectline.intake.shield import from_here
from subjectline.intake.web import LANGUAGE_COOKIE, LANGUAGES

router = APIRouter(prefix="/m/stop")


@router.get("/{token}")
async def look(request: Request, token: str) -> Response:
    """What would be stopped, and the button."""
    return _shown(request, await stopping.look(request.app.state.desk, token))


@router.post("/{token}")
async def stop(request: Request, token: str) -> Response:
    """Stops it. 403 where the form was sent from another site's page."""
    if not from_here(request):
        return pages_of(request).sorry(request, "other", 403)
    return _shown(request, await stopping.stop(request.app.state.desk, token, place_of(request)))


def _shown(request: Request, seen: Stop) -> Response:
    pages = pages_of(request)
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    if chosen not in LANGUAGES:  # nobody chose another than the member's own
        request.cookies[LANGUAGE_COOKIE] = seen.language
    language = pages.language(request)
    context: dict[str, Any] = {"seen": seen, "fields": labels(pages.desk, seen.fields, language)}
    return pages.page(request, "stop", **context)
