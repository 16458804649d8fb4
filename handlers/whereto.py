"""Where a request's own letters go: to the contact that proved it, never to the contested one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from subjectline.handlers.wishes import set_wish, wish_of
from subjectline.models.incoming import Contact, Door
from subjectline.models.tables import Conversation, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

_DOORS = {"phone": Door.SMS, "email": Door.MAIL}


def contested_kind(desk: "Desk", request: Request, kind: str) -> bool:
    """Whether the request changes the member's contact of this kind."""
    if request.kind != "correction":
        return False
    fields = desk.data_map.fields
    return any(name in fields and fields[name].contact == kind for name in request.fields)


def contested(desk: "Desk", request: Request, conversation: Conversation) -> bool:
    """Whether the request changes the very contact by which its person writes."""
    return contested_kind(desk, request, conversation.contact_kind)


def elsewhere(desk: "Desk", request: Request) -> Contact | None:
    """The contact that its letters go to, where that is not the conversation's own."""
    if request.subject_id is None:
        return None
    said = wish_of(desk, request).get("letters_to")
    return Contact(said["kind"], said["value"]) if said else None


def remember(
    desk: "Desk",
    request: Request,
    conversation: Conversation,
    proved_by: Contact | None,
    beside: Iterable[Request] = (),
) -> None:
    """From the proof on: letters of a correction of the conversation's own contact go to what proved
    it, and so do those of what was proven `beside` it. Call it before the step that proves."""
    if proved_by is None or proved_by.kind == conversation.contact_kind:
        return
    if not any(contested(desk, one, conversation) for one in (request, *beside)):
        return
    to = {"kind": proved_by.kind, "value": proved_by.value}
    set_wish(desk, request, wish_of(desk, request) | {"letters_to": to})


def door_of(conversation: Conversation, to: Contact | None) -> Door:
    """The way out of a letter to `to`, or to the conversation itself."""
    if to is None:
        return Door(conversation.door)
    return _DOORS.get(to.kind) or Door(to.kind)
