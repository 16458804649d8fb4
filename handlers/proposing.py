"""A request was opened or answered: the desk drafts its answer, or asks for what is missing."""

from functools import partial
from typing import TYPE_CHECKING

from subjectline.handlers import audit, choices, decisions, drafting, new_contact
from subjectline.handlers import facts as wording
from subjectline.handlers.done_facts import kept_facts
from subjectline.handlers.drafting import Draft, Missing
from subjectline.handlers.requests import Facts, advance
from subjectline.handlers.wishes import wish_of
from subjectline.handlers.words import MASK, covered, last_four
from subjectline.handlers.work import finish, hold_lease, target_of
from subjectline.models.incoming import Door
from subjectline.models.tables import Conversation, Request, Task

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

ASKED = frozenset({"which_field", "which_value", "bad_value", "paper", "confirm_leaving"})


async def draft(desk: "Desk", task: Task) -> None:
    """Proposes the system's draft for one opened request, or asks its person one question.

    Raises StaleMove where the request has moved on, RegistryAway where the data cannot be read.
    """
    request_id, version = target_of(task)
    async with desk.db.read() as session:
        request = await session.get_one(Request, request_id)
        conversation = await session.get_one(Conversation, request.conversation_id)
    if request.state != "open" or request.version != version:
        async with desk.db.write() as session:
            await finish(session, task, reason="overtaken")
        return
    made = await drafting.make(desk, request)
    question = await _question(desk, request, conversation, made)
    if question is None and not made.missing:
        made = await drafting.with_export(desk, request, made, partial(hold_lease, desk, task))
    change = None if question else await new_contact.wanted(desk, request, made)
    async with desk.write() as session:
        if question is not None:
            await advance(session, desk, request_id, "ask", audit.SYSTEM, version, question)
        elif change is not None:
            row = await session.get_one(Request, request_id)
            await new_contact.begin(session, desk, row, version, change)
        elif not made.missing:
            row = await session.get_one(Request, request_id)
            await decisions.propose_draft(session, desk, row, version, made)
        await finish(session, task)


async def _question(
    desk: "Desk", request: Request, conversation: Conversation, made: Draft
) -> Facts | None:
    """What the person must be asked before an agent can decide; None where nothing."""
    came = wish_of(desk, request).get("papers")  # an agent has them to look at
    asked = [item for item in made.missing if item.what in ASKED]
    missing = next((item for item in asked if not (came and item.what == "paper")), None)
    if missing is not None:
        return await _about(desk, request, conversation, missing)
    return _read_back(desk, request) if _unread(desk, request, conversation) else None


def _unread(desk: "Desk", request: Request, conversation: Conversation) -> bool:
    """By chat a new value is read back once, before a code goes to it or an agent sees it."""
    by_chat = Door(conversation.door).is_chat and request.kind == "correction"
    wish = wish_of(desk, request)
    return by_chat and bool(wish.get("new")) and wish.get("confirmed") != "confirm_value"


def read_back(desk: "Desk", request: Request) -> str:
    """The new values of a correction by their labels, covered but for their ends."""
    known, language = desk.data_map.fields, request.language
    said = []
    for name, text in wish_of(desk, request).get("new", {}).items():
        if name in known:
            value = known[name].display(known[name].validator.lenient(text), language)
            said.append(f"{known[name].labels.text(language)} {last_four(value)}")
    return ", ".join(said)


def _read_back(desk: "Desk", request: Request) -> Facts:
    return Facts(
        question="confirm_value",
        fields=tuple(wish_of(desk, request).get("new", {})),
        letter={"echo": read_back(desk, request)},
        keyboard=choices.keyboard("confirm_value", request.language),
    )


async def _standing(desk: "Desk", request: Request, name: str) -> str:
    """What the registry has now, as a chat may show it; of a choice among a few nothing."""
    value = (await desk.registry.read(request.subject_id or "", [name])).get(name) or ""
    if desk.data_map.fields[name].validator.kind == "enum":
        return MASK if value else ""
    return covered(wording.display(desk, name, value, request.language)) if value else ""


async def _about(
    desk: "Desk", request: Request, conversation: Conversation, missing: Missing
) -> Facts:
    told: dict[str, object] = {}
    if missing.field:
        told["field_label"] = wording.labels(desk, [missing.field], request.language)[0]
    if missing.reason:
        told["reason"] = missing.reason
    if missing.what == "which_value" and Door(conversation.door).is_chat:
        told["masked"] = await _standing(desk, request, missing.field)
    keyboard = choices.keyboard(missing.what, request.language)
    if missing.what == "which_field":
        known = desk.data_map.fields.values()
        told["choices"] = [f.labels.text(request.language) for f in known if f.correctable]
        keyboard = choices.fields(desk.data_map, "correction", request.language)
    if missing.what == "confirm_leaving":
        kept = await desk.registry.kept(request.subject_id or "")
        told["kept"] = kept_facts(kept, request.language)
    return Facts(
        question=missing.what,
        fields=(missing.field,) if missing.field else (),
        letter=told,
        keyboard=keyboard,
    )
