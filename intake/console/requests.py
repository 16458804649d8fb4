"""One request: its page, its letter as it would leave, its papers, the form for another answer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse

from subjectline.handlers import casefile, deadlines, decisions, phone_call, statements, waits
from subjectline.handlers.audit import Actor
from subjectline.handlers.decisions import DraftView
from subjectline.handlers.views import Case
from subjectline.intake.console import exports
from subjectline.intake.console.guard import AgentRoute, actor_of, agent_of, desk_of, pages_of
from subjectline.intake.shield import LETTER_HEADERS
from subjectline.intake.web import straight
from subjectline.models.errors import RegistryError, SubjectlineError
from subjectline.models.workflow import FINAL

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

router = APIRouter(route_class=AgentRoute)

DRAFTED_IN = ("open", "waiting")


@dataclass(frozen=True)
class Draft:
    """What the system would propose, or why it cannot say so now."""

    view: DraftView | None
    trouble: str = ""
    reason: str = ""  # a key of the console's words, where the company's database is the cause
    where: str = ""  # its connection


@router.get("/requests/{reference}")
async def show(request: Request, reference: str) -> Response:
    desk, pages = desk_of(request), pages_of(request)
    case = await casefile.case(desk, reference, actor_of(request), bytes_shown=True)
    draft = await _draft(desk, case, actor_of(request))
    return pages.page(
        request,
        "request",
        case=case,
        draft=draft,
        grounds=grounds(case, pages.language(request)),
        final=case.state in FINAL,
        statements=() if case.shut else await statements.of_request(desk, case.id),
        export=await exports.panel(desk, case, actor_of(request)),
        looks=exports.looks(),
        waits_until=await waits.until(desk, case.id) if case.state == "applying" else None,
        call=await phone_call.waiting(desk, case.id),
        call_ways=phone_call.ways(desk, case.kind, case.fields),
        mine=case.taken_by == agent_of(request).agent_id,
        signed=bool(case.proposal and case.proposal.signed_by(agent_of(request).agent_id)),
    )


@router.get("/requests/{reference}/edit")
async def edit(request: Request, reference: str) -> Response:
    desk, pages = desk_of(request), pages_of(request)
    case = await casefile.case(desk, reference, actor_of(request))
    draft = await _draft(desk, case, actor_of(request))
    return pages.page(
        request,
        "edit",
        case=case,
        draft=draft,
        grounds=grounds(case, pages.language(request)),
        values=_values(desk, case),
        new_contact=_changes_contact(desk, case),
    )


@router.get("/requests/{reference}/draft")
async def draft_letter(request: Request, reference: str) -> Response:
    """The draft's HTML, for the frame on the request's page."""
    desk = desk_of(request)
    number = await casefile.looked_at(desk, reference, actor_of(request), "view_draft")
    view = await decisions.draft_for(desk, number, actor_of(request))
    return HTMLResponse(view.letter.html if view.letter else "", headers=LETTER_HEADERS)


@router.get("/letters/{sha256}")
async def letter(request: Request, sha256: str) -> Response:
    """The HTML of the proposal with this hash, for the frame on the request's page."""
    html = await casefile.letter_html(desk_of(request), sha256, actor_of(request))
    return HTMLResponse(html, headers=LETTER_HEADERS)


async def _draft(desk: "Desk", case: Case, agent: Actor) -> Draft | None:
    """The page is shown although the registry is away: then it says so where the draft would be."""
    if case.state not in DRAFTED_IN or case.kind == "unclear":
        return None
    try:
        return Draft(await decisions.draft_for(desk, case.id, agent))
    except RegistryError as wrong:
        return Draft(None, str(wrong), wrong.reason, wrong.field)
    except SubjectlineError as wrong:
        return Draft(None, str(wrong))


def grounds(case: Case, language: str) -> dict[str, str]:
    """The grounds on which this right may be refused, by key, in words."""
    known = deadlines.refusal_grounds(case.regime, case.kind)
    return {
        key: f"{ground.article.in_(language)}: {ground.text.in_(language)}"
        for key, ground in known.items()
    }


def _values(desk: "Desk", case: Case) -> list[dict[str, Any]]:
    """The fields that a correction can set, with what the person wrote."""
    if case.kind != "correction":
        return []
    fields = desk.data_map.fields
    return [
        {
            "name": name,
            "value": straight(case.wish_new.get(name, "")),
            "old": case.wish_old.get(name, ""),
        }
        for name in dict.fromkeys((*case.fields, *case.wish_new))
        if name in fields and fields[name].correctable
    ]


def _changes_contact(desk: "Desk", case: Case) -> bool:
    fields = desk.data_map.fields
    return any(v["name"] in fields and fields[v["name"]].contact for v in _values(desk, case))
