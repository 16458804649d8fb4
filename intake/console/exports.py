"""What a request for access would give: tables and counts on its page, values only for a reason."""

from dataclasses import dataclass

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import casefile
from subjectline.handlers.audit import Actor
from subjectline.handlers.desk import Desk
from subjectline.handlers.export import survey
from subjectline.handlers.export.survey import LOOKS, Survey
from subjectline.handlers.views import Case
from subjectline.intake.console.guard import AgentRoute, actor_of, desk_of, pages_of
from subjectline.models.errors import SubjectlineError

router = APIRouter(route_class=AgentRoute)

CLOSED = ("received", "verifying", "lapsed", "withdrawn", "superseded", "refused")


@dataclass(frozen=True)
class Panel:
    """What stands in the panel, or why nothing can be said now. `looks`: values can be opened."""

    survey: Survey | None
    trouble: str = ""
    looks: bool = False


@router.post("/requests/{reference}/values")
async def values(
    request: Request,
    reference: str,
    table: str = Form(),
    reason: str = Form(""),
    first: int = Form(0),
) -> Response:
    """Some rows of one table, opened for one of the listed reasons."""
    desk, pages = desk_of(request), pages_of(request)
    number = await casefile.identify(desk, reference)
    opened = await survey.open_values(desk, number, table, reason, actor_of(request), first)
    return pages.page(
        request, "values", reference=reference, table=table, reason=reason, opened=opened
    )


async def panel(desk: Desk, case: Case, agent: Actor) -> Panel | None:
    """The panel of one request's page; None where the request is not about access."""
    if case.member is None or case.state in CLOSED or case.shut:
        return None
    try:
        found = await survey.survey(desk, case.id, agent)
    except SubjectlineError as wrong:
        return Panel(None, str(wrong))
    return Panel(found, looks=case.state != "done") if found else None


def looks() -> dict[str, object]:
    """The listed reasons, by key."""
    return dict(LOOKS)
