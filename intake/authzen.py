"""What an AuthZEN 1.0 request may look like, and what it means to our gate. Pure.

The subject is the asking system, `action.name` the purpose, the resource a member:
`{"type": "member", "id": "7", "properties": {"fields": ["email"]}}`; the context may carry
`recipient` and `at_least_revision`. Source: OpenID AuthZEN Authorization API 1.0, sections 6 and 7.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from subjectline.handlers.gate import Ask
from subjectline.models.errors import BadInput
from subjectline_client.core import Decision

MEMBER = "member"
UNKNOWN_RESOURCE_TYPE = "unknown_resource_type"
BAD_REQUEST = "bad_request"
MAX_EVALUATIONS = 10_000
MAX_FIELDS = 256  # of one question: a default stands for each of 10,000, in the answers as well

# What an evaluation ends at: nothing, the first denial, the first permit.
STOPS_AT: Mapping[str, bool | None] = {
    "execute_all": None,
    "deny_on_first_deny": False,
    "permit_on_first_permit": True,
}
Semantic = Literal["execute_all", "deny_on_first_deny", "permit_on_first_permit"]
Json = dict[str, Any]
Shape = TypeVar("Shape", bound=Struct)


class _Shape(Struct, gc=False, omit_defaults=True):
    """What these hold makes no circles, and is written as short as it may have come."""


class Subject(_Shape):
    type: str
    id: str
    properties: Json | UnsetType = UNSET


class Action(_Shape):
    name: str
    properties: Json | UnsetType = UNSET


class Wanted(Struct, gc=False, omit_defaults=True, frozen=True):
    """The properties of a member that mean something to us."""

    fields: Annotated[tuple[str, ...], Meta(max_length=MAX_FIELDS)] = ()


class Resource(_Shape):
    type: str
    id: str
    properties: Wanted = Wanted()


class Context(Struct, gc=False, omit_defaults=True, frozen=True):
    recipient: str | None = None
    at_least_revision: Annotated[int, Meta(ge=0)] | None = None


class Question(_Shape):
    subject: Subject
    action: Action
    resource: Resource
    context: Context = Context()

    def ask(self, caller: str) -> Ask:
        return Ask(
            caller,
            self.resource.id,
            self.resource.properties.fields,
            self.action.name,
            self.context.recipient,
            self.context.at_least_revision,
        )


class Item(_Shape):
    """One evaluation of a batch; what it leaves out comes from the defaults."""

    subject: Subject | UnsetType = UNSET
    action: Action | UnsetType = UNSET
    resource: Resource | UnsetType = UNSET
    context: Context | UnsetType = UNSET


class Options(Struct, gc=False, omit_defaults=True, frozen=True):
    evaluations_semantic: Semantic = "execute_all"


class Batch(_Shape):
    """Defaults, each of which an item replaces whole, and the items: read, or what is wrong with them."""

    subject: Subject | UnsetType = UNSET
    action: Action | UnsetType = UNSET
    resource: Resource | UnsetType = UNSET
    context: Context | UnsetType = UNSET
    evaluations: list[Any] = []
    options: Options = Options()


class Sound(Batch):
    """A batch of which every item can be read."""

    evaluations: list[Item] = []


_QUESTION, _SOUND = msgspec.json.Decoder(Question), msgspec.json.Decoder(Sound)


def plain(body: bytes, batch: bool) -> Question | Sound | None:
    """A body that holds what we know and nothing else, read in one go. None: the long way may read it.

    Written anew without what was passed over (a key that we do not know, one that stands twice) it
    has fewer colons. That holds as long as no string is escaped.
    """
    if b"\\" in body:
        return None
    try:
        found: Question | Sound = (_SOUND if batch else _QUESTION).decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    if isinstance(found, Sound) and not 0 < len(found.evaluations) <= MAX_EVALUATIONS:
        return None
    return found if body.count(b":") == msgspec.json.encode(found).count(b":") else None


def read_long(body: bytes, batch: bool) -> Question | Batch:
    """As `plain`, of whatever is JSON. Raises BadInput for what is no question."""
    raw = read(body)
    if batch and (found := batch_of(raw, body)).evaluations:
        return found
    return shaped(raw, Question)


def read(body: bytes) -> Json:
    """The JSON object in a body. Raises BadInput; a key that stands twice is refused as well, because
    two readers would understand two things."""
    if not body.strip():
        raise BadInput("the body is empty", remedy="Send a JSON object.")
    try:
        raw = msgspec.json.decode(body)
        twice = _twice(body, raw)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise BadInput("the body is no JSON", remedy="Send a JSON object in UTF-8.") from None
    if twice:
        raise BadInput("a key stands twice in one object", remedy="Write each key once.")
    if not isinstance(raw, dict):
        raise BadInput("the body is no JSON object")
    return raw


def shaped(raw: Json, shape: type[Shape]) -> Shape:
    """`raw` as one of the shapes above. Raises BadInput, which says where it does not fit."""
    try:
        return msgspec.convert(raw, shape)
    except msgspec.ValidationError as error:
        raise BadInput(str(error)) from None


def batch_of(raw: Json, body: bytes) -> Batch:
    """The batch in a body that `read` has read. Raises BadInput for what is wrong outside of its items."""
    try:
        batch: Batch = _SOUND.decode(body)
    except msgspec.ValidationError:
        batch = shaped(raw, Batch)
        batch.evaluations = [_item(each) for each in batch.evaluations]
    if len(batch.evaluations) > MAX_EVALUATIONS:
        raise BadInput(f"more than {MAX_EVALUATIONS} evaluations", remedy="Send several requests.")
    return batch


def questions(batch: Batch) -> list[Question | BadInput]:
    """Each item with the defaults filled in, or what is wrong with that one."""
    return [
        item if isinstance(item, BadInput) else _filled(item, batch) for item in batch.evaluations
    ]


def asked(question: Question | BadInput, caller: str) -> Ask | None:
    """What it asks of us; None for nothing."""
    if isinstance(question, BadInput) or question.subject.id != caller:
        return None
    return question.ask(caller) if question.resource.type == MEMBER else None


def asks(batch: Batch, caller: str) -> list[Ask | None]:
    """`asked` of each of `questions`."""
    if isinstance(batch, Sound):
        return _asks_of(batch, caller)
    return [asked(question, caller) for question in questions(batch)]


def _asks_of(batch: Sound, caller: str) -> list[Ask | None]:
    """Without a question for those that only name a member, as nearly all do."""
    subject, action, found = batch.subject, batch.action, list[Ask | None]()
    sound = subject is not UNSET and subject.id == caller
    context = Context() if batch.context is UNSET else batch.context
    recipient, token = context.recipient, context.at_least_revision
    for item in batch.evaluations:
        ask, resource = None, batch.resource if item.resource is UNSET else item.resource
        if item.subject is not UNSET or item.action is not UNSET or item.context is not UNSET:
            ask = asked(_filled(item, batch), caller)
        elif sound and action is not UNSET and resource is not UNSET and resource.type == MEMBER:
            fields = resource.properties.fields
            ask = Ask(caller, resource.id, fields, action.name, recipient, token)
        found.append(ask)
    return found


def _item(raw: object) -> Item | BadInput:
    if not isinstance(raw, dict):
        return BadInput("an evaluation is no JSON object")
    try:
        return shaped(raw, Item)
    except BadInput as error:
        return error


def _filled(item: Item, batch: Batch) -> Question | BadInput:
    subject = batch.subject if item.subject is UNSET else item.subject
    action = batch.action if item.action is UNSET else item.action
    resource = batch.resource if item.resource is UNSET else item.resource
    context = batch.context if item.context is UNSET else item.context
    if subject is UNSET or action is UNSET or resource is UNSET:
        return BadInput("an evaluation has no subject, action or resource, and there is no default")
    return Question(subject, action, resource, Context() if context is UNSET else context)


def all_told(decisions: Iterable[Decision | None]) -> list[Json | msgspec.Raw | None]:
    """`told` of each; those who share a decision share its words."""
    found: list[Json | msgspec.Raw | None] = []
    last: Decision | None = None
    said = msgspec.Raw()
    for decision in decisions:
        if decision is not last and decision is not None:
            last, said = decision, msgspec.Raw(msgspec.json.encode(told(decision)))
        found.append(None if decision is None else said)
    return found


def told(decision: Decision) -> Json:
    """A decision as AuthZEN writes it. The core has left out what this caller may not be told."""
    context: Json = {"revision": decision.revision, "age_ms": decision.age_ms}
    if decision.permit:
        context["valid_for_ms"] = decision.valid_for_ms
        if decision.override:
            context["override"] = True
        return {"decision": True, "context": context}
    context["reason"], context["reasons"] = decision.reasons[0], decision.reasons
    context["held_fields"] = decision.held_fields
    context["allowed_fields"] = decision.allowed_fields
    return {"decision": False, "context": context}


def not_understood(error: BadInput) -> Json:
    """A bad item of a good batch."""
    wrong = {"status": 400, "message": str(error)}
    return {"decision": False, "context": {"reason": BAD_REQUEST, "error": wrong}}


def _twice(body: bytes, raw: object) -> bool:
    """Whether a key stands twice in one object.

    Written anew without the lost ones there are fewer colons. That holds as long as no string is
    escaped; otherwise every pair is looked at.
    """
    if b"\\" not in body:
        return body.count(b":") != msgspec.json.encode(raw).count(b":")
    found: list[bool] = []

    def pairs(read: list[tuple[str, Any]]) -> None:
        found.append(len({key for key, _ in read}) != len(read))

    json.loads(body, object_pairs_hook=pairs)
    return any(found)
