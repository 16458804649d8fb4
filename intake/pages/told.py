"""`/m/told/<token>`: a recipient of the data sees what to do, and says that it is done.

Mail scanners load every link, so GET shows no value and acknowledges nothing. A recipient's own system
may post `done=yes` as well.
"""

from fastapi import APIRouter, Request, Response

from subjectline.handlers import recipients_page
from subjectline.handlers.facts import display, labels
from subjectline.handlers.recipients_page import Told
from subjectline.intake.pages.case import pages_of, place_of
from subjectline.intake.shield import from_here
from subjectline.intake.web import LANGUAGE_COOKIE, LANGUAGES

router = APIRouter(prefix="/m/told")


@router.get("/{token}")
async def look(request: Request, token: str) -> Response:
    """What is to be done, and the buttons."""
    return _shown(request, await recipients_page.look(request.app.state.desk, token))


@router.post("/{token}")
async def press(request: Request, token: str) -> Response:
    """`done=yes` acknowledges, `show=yes` shows what was corrected. 403 from another site's page."""
    if not from_here(request):
        return pages_of(request).sorry(request, "other", 403)
    form, desk = await request.form(), request.app.state.desk
    if form.get("done") == "yes":
        return _shown(request, await recipients_page.acknowledge(desk, token, place_of(request)))
    if form.get("show") == "yes":
        return _shown(request, await recipients_page.show(desk, token, place_of(request)))
    return pages_of(request).sorry(request, "other", 422)


def _shown(request: Request, told: Told) -> Response:
    """In the language in which the recipient is written to, unless another is chosen."""
    pages = pages_of(request)
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    reach = pages.desk.recipients.reach.get(told.recipient)
    if chosen not in LANGUAGES and reach is not None:
        request.cookies[LANGUAGE_COOKIE] = reach.language
    language = pages.language(request)
    known = pages.desk.data_map
    name = known.recipients.get(told.recipient)
    values = [
        (", ".join(labels(pages.desk, [one], language)), display(pages.desk, one, value, language))
        for one, value in told.values.items()
    ]
    return pages.page(
        request,
        "told",
        told=told,
        recipient=name.labels.text(language) if name else told.recipient,
        fields=labels(pages.desk, told.fields, language),
        values=values,
    )
