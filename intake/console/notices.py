"""Policy versions: write one, with both dates and its comparison table, and mail it to everybody."""

from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import notices, policies
from subjectline.intake import policy_text
from subjectline.intake.console.guard import AgentRoute, actor_of, desk_of, pages_of
from subjectline.intake.web import go
from subjectline.models.errors import BadInput

router = APIRouter(route_class=AgentRoute, prefix="/notices")

PARTS = ("clause", "before", "after", "reason")
MOST_CHANGES = 6
Text = Annotated[str, Form()]


@router.get("")
async def show(request: Request) -> Response:
    desk = desk_of(request)
    return pages_of(request).page(
        request,
        "notices",
        versions=await policies.versions(desk),
        mailings=await policies.mailings(desk),
        parts=PARTS,
        most=MOST_CHANGES,
    )


@router.post("")
async def create(
    request: Request,
    name: Text = "",
    announced_on: Text = "",
    effective_on: Text = "",
    text_ko: Text = "",
    text_en: Text = "",
) -> Response:
    await notices.create_version(
        desk_of(request),
        name.strip(),
        _day(announced_on, "announced_on"),
        _day(effective_on, "effective_on"),
        text_ko,
        text_en,
        changes_in(request.state.form),
        actor_of(request),
    )
    return go(f"/notices/{quote(name.strip(), safe='')}", "version_made")


@router.get("/{name}")
async def one(request: Request, name: str) -> Response:
    desk, pages = desk_of(request), pages_of(request)
    found = await policies.version(desk, name, pages.language(request))
    mailing = (await policies.mailings(desk)).get(found.version.id, policies.Mailing())
    return pages.page(
        request,
        "notice",
        found=found,
        mailing=mailing,
        text=policy_text.html(found.text),
    )


@router.post("/{name}/announce")
async def announce(request: Request, name: str) -> Response:
    desk = desk_of(request)
    found = await policies.version(desk, name, "ko")
    await notices.announce(desk, found.version.id, actor_of(request))
    return go(f"/notices/{quote(name, safe='')}", "announced")


def changes_in(form: Any) -> list[dict[str, dict[str, str]]]:
    """The comparison table of the form: a line is kept where any of its boxes is filled."""
    lines = [_line(form, number) for number in range(MOST_CHANGES)]
    return [line for line in lines if any(text for part in line.values() for text in part.values())]


def _line(form: Any, number: int) -> dict[str, dict[str, str]]:
    return {
        part: {
            language: str(form.get(f"change.{number}.{part}.{language}", "")).strip()
            for language in ("ko", "en")
        }
        for part in PARTS
    }


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput("this is no date", field=field, remedy="Write it like 2027-01-31.") from None
