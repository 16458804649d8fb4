"""The archive: what a law still keeps, counted; one member's records only on a listed basis.

The member's number and the basis travel in forms, never in an address, and no page is cached.
"""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import archive_looks
from subjectline.handlers.archive_looks import BASES, LONGEST, OFFICERS, Basis
from subjectline.handlers.registry import OpenedRecord
from subjectline.intake.console import forms
from subjectline.intake.console.forms import NOTHING, Wrong
from subjectline.intake.console.guard import AgentRoute, actor_of, agent_of, desk_of, pages_of
from subjectline.intake.web import status_of
from subjectline.models.errors import BadInput, SubjectlineError

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

router = APIRouter(route_class=AgentRoute, prefix="/archive")

Text = Annotated[str, Form()]
BOXES = ("member", "basis", "paper")


@router.get("")
async def show(request: Request) -> Response:
    return await _page(request)


@router.post("")
async def look(
    request: Request,
    member: Text = "",
    basis: Text = "",
    paper: Text = "",
    table: Text = "",
    first: Annotated[int, Form()] = 0,
) -> Response:
    """What is kept of a member; with a table, its records. Shown at once, so nothing is in a URL."""
    desk, actor = desk_of(request), actor_of(request)
    try:
        if not member.strip():
            raise BadInput("name the member", field="member")
        why = Basis(basis, paper.strip())
        found = await archive_looks.look(desk, member.strip(), why, actor, table, first)
    except SubjectlineError as error:
        wrong = forms.refused(request, error, "open", BOXES)
        return await _page(request, wrong, status_of(error))
    pages = pages_of(request)
    records = [_record(desk, one, pages.language(request)) for one in found.records]
    return pages.page(request, "archive_member", found=found, records=records, bases=BASES)


def _record(
    desk: "Desk", record: OpenedRecord, language: str
) -> tuple[list[tuple[str, Any]], date]:
    """The values of a record by the labels of its columns, and its last day."""
    table = desk.data_map.tables.get(record.about.table)
    columns = table.columns if table else {}
    order = sorted(record.values, key=lambda name: [*columns, name].index(name))
    values = [
        (columns[name].labels.text(language) if name in columns else name, record.values[name])
        for name in order
        if name not in columns or not columns[name].hidden
    ]
    return values, record.about.until


async def _page(request: Request, wrong: Wrong = NOTHING, status: int = 200) -> Response:
    desk = desk_of(request)
    try:
        counts, trouble = await archive_looks.counted(desk), ""
    except SubjectlineError as error:
        counts, trouble = [], str(error)
    officer = agent_of(request).role == "officer"
    return pages_of(request).page(
        request,
        "archive",
        status,
        kept=counts,
        trouble=trouble,
        rules=desk.data_map.retention,
        bases={key: words for key, words in BASES.items() if officer or key not in OFFICERS},
        longest=LONGEST,
        wrong=wrong,
    )
