"""What an agent does to a request. Each form names the version it was looking at."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response

from subjectline.handlers import casefile, copies, decisions, opaque, recipients_chased, sorting
from subjectline.handlers.audit import Actor
from subjectline.handlers.decisions import AgentDraft
from subjectline.intake.console import foreign
from subjectline.intake.console.guard import AgentRoute, actor_of, desk_of
from subjectline.intake.web import go
from subjectline.models.errors import BadInput

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

router = APIRouter(route_class=AgentRoute, prefix="/requests/{reference}")

Text = Annotated[str, Form()]
Version = Annotated[int, Form()]
VALUE = "value."  # a form's field of the data map: value.phone
LEAVE = "leave."  # a form's table of the data map: leave.orders


@router.post("/take")
async def take(request: Request, reference: str) -> Response:
    desk = desk_of(request)
    await decisions.take(desk, await casefile.identify(desk, reference), actor_of(request))
    return _back(reference, "taken")


@router.post("/propose")
async def propose(
    request: Request,
    reference: str,
    version: Version,
    outcome: Text = "fulfil",
    ground: Text = "",
    note: Text = "",
    new_contact_proof: Text = "",
    statement: Text = "",
) -> Response:
    """The system's draft as it stands, or an agent's own answer: what differs is in the form."""
    if outcome == "refuse" and not ground:
        raise BadInput("a refusal names its ground", field="ground", remedy="Choose one.")
    draft = AgentDraft(
        outcome=outcome,
        ground=ground if outcome != "fulfil" else "",
        note=note.strip(),
        values=_named(request, VALUE),
        new_contact_proof=new_contact_proof,
        statement=statement.strip() if outcome != "fulfil" else "",
        leave={table: choice for table, choice in _named(request, LEAVE).items() if choice},
    )
    desk, actor = desk_of(request), actor_of(request)
    number = await casefile.identify(desk, reference)
    if doubt := foreign.doubt(request, "note", await casefile.language(desk, number)):
        return doubt
    version = await _reopen(desk, reference, number, version, actor)
    await decisions.propose(desk, number, version, actor, draft)
    return _back(reference, "proposed")


@router.post("/approve")
async def approve(request: Request, reference: str, sha256: Text) -> Response:
    signed = await decisions.approve(desk_of(request), sha256, actor_of(request))
    return _back(reference, "approved" if signed.have >= signed.need else "signed")


@router.post("/send-back")
async def send_back(
    request: Request, reference: str, version: Version, reason: Text = ""
) -> Response:
    _needed(reason, "reason")
    desk = desk_of(request)
    number = await casefile.identify(desk, reference)
    await decisions.send_back(desk, number, version, actor_of(request), reason.strip())
    return _back(reference, "sent_back")


@router.post("/ask")
async def ask(
    request: Request, reference: str, version: Version, question: Text = "free", note: Text = ""
) -> Response:
    _needed(note if question == "free" else question, "note")
    desk, actor = desk_of(request), actor_of(request)
    number = await casefile.identify(desk, reference)
    if doubt := foreign.doubt(request, "note", await casefile.language(desk, number)):
        return doubt
    version = await _reopen(desk, reference, number, version, actor)
    await decisions.ask(desk, number, version, actor, question, note.strip())
    return _back(reference, "asked")


@router.post("/vouch")
async def vouch(
    request: Request, reference: str, version: Version, member: Text = "", how: Text = "papers"
) -> Response:
    desk = desk_of(request)
    number = await casefile.identify(desk, reference)
    known = desk.data_map.canonical(member) if member.strip() else ""
    await decisions.vouch(desk, number, version, actor_of(request), known, _how(how))
    return _back(reference, "vouched")


@router.post("/reject-identity")
async def reject_identity(
    request: Request, reference: str, version: Version, reason: Text = ""
) -> Response:
    _needed(reason, "reason")
    desk = desk_of(request)
    number = await casefile.identify(desk, reference)
    await decisions.reject_identity(desk, number, version, actor_of(request), reason.strip())
    return _back(reference, "rejected")


@router.post("/copies")
async def tick(request: Request, reference: str, place: Annotated[int, Form()]) -> Response:
    """A copy out of the desk's reach was corrected by hand."""
    desk = desk_of(request)
    number = await casefile.identify(desk, reference)
    await copies.tick(desk, number, place, actor_of(request))
    return _back(reference, "ticked")


@router.post("/copies/stuck")
async def stuck(request: Request, reference: str, version: Version, reason: Text = "") -> Response:
    _needed(reason, "reason")
    desk = desk_of(request)
    number = await casefile.identify(desk, reference)
    await copies.give_up(desk, number, version, actor_of(request), reason.strip())
    return _back(reference, "sent_back")


@router.post("/told/confirmed")
async def told_confirmed(request: Request, reference: str, notice: Text) -> Response:
    """A recipient of the data said to an agent that it is done."""
    desk = desk_of(request)
    number = await casefile.identify(desk, reference)
    await recipients_chased.confirmed(desk, number, notice, actor_of(request))
    return _back(reference, "told_confirmed")


@router.post("/told/again")
async def told_again(request: Request, reference: str, notice: Text) -> Response:
    desk = desk_of(request)
    number = await casefile.identify(desk, reference)
    await recipients_chased.tell_again(desk, number, notice, actor_of(request))
    return _back(reference, "told_again")


@router.post("/beside")
async def beside(request: Request, reference: str, message: Text, belongs: Text) -> Response:
    """A mail from somebody else that answers a letter of this request: it belongs to it, or not."""
    desk = desk_of(request)
    number = await casefile.identify(desk, reference)
    which = opaque.show(desk.vault, "message", message)
    put = sorting.put_to if belongs == "yes" else sorting.leave_out
    await put(desk, number, which, actor_of(request))
    return _back(reference, "put_to" if belongs == "yes" else "left_out")


async def _reopen(desk: "Desk", reference: str, number: int, version: int, actor: Actor) -> int:
    """Another answer than the proposed one: the proposal goes back first. Returns the version then."""
    if not await casefile.is_proposed(desk, reference):
        return version
    await decisions.send_back(desk, number, version, actor, "another answer is written")
    return version + 1


def _named(request: Request, start: str) -> dict[str, str]:
    form = request.state.form
    return {n.removeprefix(start): str(v).strip() for n, v in form.items() if n.startswith(start)}


def _how(how: str) -> str:
    if how not in ("papers", "call"):
        raise BadInput("identity is checked by papers or by a call", field="how")
    return how


def _needed(text: str, field: str) -> None:
    if not text.strip():
        raise BadInput("this must be filled in", field=field)


def _back(reference: str, note: str) -> Response:
    return go(f"/requests/{quote(reference)}", note)
