"""What a member's secure page shows of a request: its stage, what is asked, boxes for new values.

Nothing of the registry is read before the person is proven, and then only what is to be corrected,
covered (`models.covered`), through the desk's own gate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import (
    audit,
    drafting,
    identity,
    last_question,
    mobile_identity,
    new_contact,
)
from subjectline.handlers import facts as wording
from subjectline.handlers.answers import LONGEST_VALUE, YES_QUESTIONS
from subjectline.handlers.audit import MEMBER, Actor
from subjectline.handlers.done_facts import kept_facts
from subjectline.handlers.links import Opened
from subjectline.handlers.page_deeds import CORRECTING, PAPERS, may_withdraw
from subjectline.handlers.thread import opened
from subjectline.handlers.wishes import wish_of
from subjectline.models.covered import covered
from subjectline.models.datamap import Field
from subjectline.models.errors import BadValue, NotPermitted, RegistryError
from subjectline.models.incoming import Door
from subjectline.models.masking import has_resident_number
from subjectline.models.tables import Conversation, Message, Outbox, Request, RequestMessage
from subjectline.models.workflow import BEFORE_PROOF, FINAL

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

ASKING = frozenset({"which_value", "bad_value", "which_field"})
WRITTEN = frozenset({"text", "name", "nickname", "address", "bank_name"})  # may hold any words
OF_THE_GROUP = ("verify", "ack", "reminder")  # one letter for all rights of a message


@dataclass(frozen=True)
class Told:
    """One letter that left about a request: its name, when, and by which door."""

    letter: str
    at: datetime
    door: str


@dataclass(frozen=True)
class Stage:
    """A request as its person sees it. `wants` is what this page can be used for now: `code`,
    `values`, `answer`, `papers` or nothing; `question` the one that stands open; `papers` what was
    handed in on such a page, by its words. `sent_code`: a code for this request can be typed."""

    version: int
    state: str
    kind: str
    door: str
    fields: tuple[str, ...]
    question: str
    wants: str
    told: tuple[Told, ...]
    papers: tuple[tuple[datetime, str], ...]
    may_withdraw: bool
    sent_code: bool
    by_mobile: bool = False  # a proof by mobile phone is offered

    @property
    def new_contact(self) -> bool:
        """Whether the code went to the contact that is to be registered."""
        return self.question == new_contact.QUESTION

    @property
    def by_chat(self) -> bool:
        """Whether the person and the desk talk by chat."""
        return Door(self.door).is_chat


@dataclass(frozen=True)
class Box:
    """One field of a correction on the page. `now` is covered; `wrong` a key of models.reasons."""

    name: str
    label: str
    kind: str
    options: tuple[tuple[str, str], ...] = ()
    now: str = ""
    value: str = ""
    shown: str = ""  # the value as people read it
    wrong: str = ""


async def stage(desk: "Desk", link: Opened) -> Stage:
    """The request behind an opened page."""
    async with desk.db.read() as session:
        request = await session.get_one(Request, link.request_id)
        talk = await session.get_one(Conversation, request.conversation_id)
        question = ""
        if request.state in ("waiting", *BEFORE_PROOF):
            question, _ = await last_question.asked(session, request)
        challenge = await identity.open_challenge(session, talk)
        new = await new_contact.awaited(session, talk.id or 0)
        told = await _told(session, request)
        papers = await _papers(session, desk, request)
    sent = challenge is not None and challenge.group_id == request.group_id
    if question == new_contact.QUESTION:
        sent = new is not None and new.request_id == request.id and new.state == "open"
    made = Stage(
        version=request.version,
        state=request.state,
        kind=request.kind,
        door=talk.door,
        fields=tuple(request.fields),
        question=question,
        wants="",
        told=told,
        papers=papers,
        may_withdraw=may_withdraw(request.state),
        sent_code=sent,
        by_mobile=mobile_identity.offered(desk, request),
    )
    return replace(made, wants=_wants(desk, request, link.purpose, made))


def _wants(desk: "Desk", request: Request, purpose: str, made: Stage) -> str:
    if request.state in FINAL or request.state == "applying":
        return ""
    if purpose == "upload":
        return "papers"
    if purpose in ("code", "confirm") and _code_awaited(made):
        return "code"
    if purpose != "confirm" or request.subject_id is None:
        return ""
    if made.state == "waiting" and made.question in YES_QUESTIONS:
        return "answer"
    lacking = request.kind == "correction" and request.state in ("open", "waiting")
    return "values" if lacking and _lacking(desk, request) else ""


def _code_awaited(made: Stage) -> bool:
    """Of who asks, or of a new contact."""
    return made.state == "verifying" or (
        made.state == "waiting" and made.question == new_contact.QUESTION
    )


def _lacking(desk: "Desk", request: Request) -> list[str]:
    """The fields that still need a value, or another one."""
    _, missing = drafting.check_values(desk, request, drafting.AgentDraft())
    return [one.field for one in missing if one.what in ASKING]


async def _told(session: AsyncSession, request: Request) -> tuple[Told, ...]:
    """The letters that left, oldest first; the lines of a chat are not counted."""
    group = select(Request.id).where(Request.group_id == request.group_id)
    shared = col(Outbox.request_id).in_(group) & col(Outbox.letter).in_(OF_THE_GROUP)
    rows = await session.exec(
        select(Outbox.letter, Outbox.sent_at, Outbox.door)
        .where(or_(col(Outbox.request_id) == request.id, shared))
        .where(Outbox.outcome == "sent", col(Outbox.letter).not_like("dialog_%"))
        .where(Outbox.letter != "forget")
        .order_by(col(Outbox.id))
    )
    return tuple(Told(letter, at, door) for letter, at, door in rows if at is not None)


async def _papers(
    session: AsyncSession, desk: "Desk", request: Request
) -> tuple[tuple[datetime, str], ...]:
    rows = await session.exec(
        select(Message)
        .join(RequestMessage, col(RequestMessage.message_id) == col(Message.id))
        .where(RequestMessage.request_id == request.id, Message.rule == PAPERS)
        .order_by(col(Message.id))
    )
    return tuple((row.at, opened(desk, row.text)[0]) for row in rows)


async def boxes(
    desk: "Desk",
    link: Opened,
    language: str,
    given: Mapping[str, str] | None = None,
    chosen: Sequence[str] = (),
    place: str = "pages",
) -> tuple[Box, ...]:
    """The fields to be corrected, as boxes; with `given` (field -> text) each is checked at once.

    `chosen` are the fields where the request names none. Empty for a link that is not for this, before
    proof and where nothing is to be corrected. Reading the registered values is recorded; where the
    database is away they are left out.
    """
    async with desk.db.read() as session:
        request = await session.get_one(Request, link.request_id)
        _, fields = await last_question.asked(session, request)
    correcting = request.kind == "correction" and request.state in CORRECTING
    if link.purpose != "confirm" or request.subject_id is None or not correcting:
        return ()
    names = _named(desk, [*request.fields, *fields], [*chosen, *(given or {})])
    now = await _covered(desk, request, names, place)
    kept = wish_of(desk, request).get("new", {})
    return tuple(_box(desk, name, language, now, kept, given) for name in names)


def _named(desk: "Desk", own: Sequence[str], chosen: Sequence[str]) -> list[str]:
    """Which fields: those of the request; where it names none, those that were chosen."""
    known = desk.data_map.fields
    named = dict.fromkeys(own or chosen)
    return [name for name in named if name in known and known[name].correctable]


def choosable(desk: "Desk", language: str) -> tuple[tuple[str, str], ...]:
    """Fields that can be corrected, with their labels: for a request that names none."""
    known = desk.data_map.fields.items()
    return tuple((name, field.labels.text(language)) for name, field in known if field.correctable)


async def _covered(
    desk: "Desk", request: Request, names: Sequence[str], place: str
) -> dict[str, str]:
    try:
        await drafting.ask_own_gate(desk, request)
        held = await desk.registry.read(request.subject_id or "", names)
    except (RegistryError, NotPermitted):
        return {}
    async with desk.write() as session:
        actor = Actor(MEMBER.account, place)
        audit.note(session, desk.clock, actor, "view_covered", request=request, fields=list(names))
    known = desk.data_map.fields
    return {name: covered(known[name].validator, value or "") for name, value in held.items()}


def _box(
    desk: "Desk",
    name: str,
    language: str,
    now: Mapping[str, str],
    kept: Mapping[str, str],
    given: Mapping[str, str] | None,
) -> Box:
    field = desk.data_map.fields[name]
    written = (given if given is not None else kept).get(name, "")[:LONGEST_VALUE]
    box = Box(
        name=name,
        label=field.labels.text(language),
        kind=field.validator.kind,
        options=tuple(
            (value, option.ko if language == "ko" else option.en)
            for value, option in field.validator.options.items()
        ),
        now=now.get(name, ""),
        value=written,
    )
    return _checked(desk, field, box, language) if written or given is not None else box


def _checked(desk: "Desk", field: Field, box: Box, language: str) -> Box:
    if box.kind in WRITTEN and has_resident_number(box.value):
        return replace(box, value="", wrong="resident_number")
    try:
        value = field.normalise(box.value, wording.local_day(desk, desk.clock()))
    except BadValue as wrong:
        return replace(box, wrong=wrong.reason)
    return replace(box, shown=field.display(value, language))


async def leaves_behind(desk: "Desk", link: Opened, language: str) -> list[dict[str, Any]]:
    """What a law keeps of somebody who leaves; asked before they say yes. Empty where it is away."""
    async with desk.db.read() as session:
        request = await session.get_one(Request, link.request_id)
    if request.subject_id is None:
        return []
    try:
        return kept_facts(await desk.registry.kept(request.subject_id), language)
    except RegistryError:
        return []
