"""Those who act for a member: recorded at a request, their papers reviewed, stopped."""

from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import casefile, opaque, proxies, proxy_scope, proxy_views
from subjectline.handlers.proxies import Claim, Consent, Scope
from subjectline.intake.console import forms
from subjectline.intake.console.forms import NOTHING, Wrong
from subjectline.intake.console.guard import AgentRoute, actor_of, desk_of, pages_of
from subjectline.intake.web import go, status_of
from subjectline.models.errors import SubjectlineError
from subjectline.models.workflow import KINDS

router = APIRouter(route_class=AgentRoute, prefix="/requests/{reference}/proxy")

Text = Annotated[str, Form()]
Texts = Annotated[list[str], Form()]
BOXES = (
    "kind", "proxy", "member", "rights", "fields", "expires_on", "paper", "contact_checked",
    "consent_by", "consent_on", "consent_how",
)  # fmt: skip


@router.get("")
async def show(request: Request, reference: str) -> Response:
    return await _page(request, reference)


@router.post("")
async def record(
    request: Request,
    reference: str,
    kind: Text = "",
    proxy: Text = "",
    member: Text = "",
    rights: Texts = [],  # noqa: B006 - FastAPI makes a new one for each form
    fields: Texts = [],  # noqa: B006
    expires_on: Text = "",
    file: Text = "",
    place: Text = "",
    contact_checked: Text = "",
    consent_by: Text = "",
    consent_on: Text = "",
    consent_how: Text = "",
) -> Response:
    desk = desk_of(request)
    number = await casefile.identify(desk, reference)
    try:
        consent = Consent(consent_by, _day(consent_on, "consent_on"), consent_how)
        scope = Scope(tuple(rights), tuple(fields) or ("*",), _day(expires_on, "expires_on"))
        claim = Claim(kind, proxy, member.strip(), scope, file, place, contact_checked, consent)
        await proxies.record(desk, number, claim, actor_of(request))
    except SubjectlineError as error:
        wrong = forms.refused(request, error, "record", BOXES)
        return await _page(request, reference, wrong, status_of(error))
    return _back(reference, "proxy_recorded")


@router.post("/{handle}/accept")
async def accept(request: Request, reference: str, handle: str) -> Response:
    going = await proxies.accept(desk_of(request), _number(request, handle), actor_of(request))
    return go(f"/requests/{quote(going)}", "proxy_accepted")


@router.post("/{handle}/refuse")
async def refuse(request: Request, reference: str, handle: str, reason: Text = "") -> Response:
    try:
        number = _number(request, handle)
        await proxies.refuse(desk_of(request), number, actor_of(request), reason)
    except SubjectlineError as error:
        wrong = forms.refused(request, error, f"refuse-{handle}", ("reason",))
        return await _page(request, reference, wrong, status_of(error))
    return _back(reference, "proxy_refused")


@router.post("/{handle}/stop")
async def stop(request: Request, reference: str, handle: str) -> Response:
    await proxies.stop(desk_of(request), _number(request, handle), actor_of(request))
    return _back(reference, "proxy_stopped")


@router.post("/{handle}/use")
async def use(request: Request, reference: str, handle: str) -> Response:
    desk = desk_of(request)
    number = await casefile.identify(desk, reference)
    going = await proxies.use(desk, _number(request, handle), number, actor_of(request))
    return go(f"/requests/{quote(going)}", "proxy_used")


async def _page(
    request: Request, reference: str, wrong: Wrong = NOTHING, status: int = 200
) -> Response:
    desk = desk_of(request)
    number = await casefile.looked_at(desk, reference, actor_of(request), "view_proxies")
    shown: dict[str, Any] = {
        "reference": reference,
        "mandates": await proxy_views.of_request(desk, number),
        "files": await proxy_views.papers_of(desk, number),
        "kinds": proxies.KINDS,
        "rights": [kind for kind in KINDS if kind in proxy_scope.RIGHTS],
        "fields": list(desk.data_map.fields),
        "ways": proxies.CONTACT_WAYS,
        "consents": proxies.CONSENT_WAYS,
        "wrong": wrong,
    }
    return pages_of(request).page(request, "proxy", status, **shown)


def _number(request: Request, handle: str) -> int:
    return opaque.show(desk_of(request).vault, "mandate", handle)


def _day(text: str, box: str) -> date | None:
    return forms.day(text, box) if text.strip() else None


def _back(reference: str, note: str) -> Response:
    return go(f"/requests/{quote(reference)}/proxy", note)
