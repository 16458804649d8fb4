"""One Telegram update: JSON to Incoming. Pure: no I/O, no clock, no state.

A library of the chat door. What people write is masked before anything else is done with it.
Source: Bot API, Update, Message, CallbackQuery, Contact.
"""

import hashlib
import json
import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

from subjectline.handlers.inbox import RawView
from subjectline.handlers.understanding import language_of
from subjectline.models.errors import UnreadableMail
from subjectline.models.incoming import Attachment, Contact, Door, Incoming
from subjectline.models.masking import mask_resident_numbers

Json = dict[str, Any]

# Notes of Telegram's own in a private chat: nobody said anything.
SERVICE = frozenset(
    {
        "pinned_message", "message_auto_delete_timer_changed", "write_access_allowed",
        "connected_website", "users_shared", "chat_shared", "web_app_data", "successful_payment",
        "refunded_payment", "passport_data", "proximity_alert_triggered", "boost_added",
        "chat_background_set", "gift", "unique_gift", "paid_message_price_changed",
        "direct_message_price_changed", "forum_topic_created", "forum_topic_edited",
    }
)  # fmt: skip
GROUP_MARK = "g:"  # handlers.agents_group.MARK
AGENT_CODE = re.compile(r"/agent(?:@\w{1,64})?\s+([0-9A-Za-z]{1,64})")
BOT_BECAME = {"kicked": "blocked", "member": "unblocked"}
FORWARDED = frozenset({"forward_origin", "forward_date", "forward_from", "forward_sender_name"})
NOT_BY_HAND = frozenset({"via_bot", "sender_business_bot"})  # another bot put the message together
# Kind of file -> content type where Telegram names none.
FILES = {
    "document": "application/octet-stream",
    "video": "video/mp4",
    "audio": "audio/mpeg",
    "voice": "audio/ogg",
    "video_note": "video/mp4",
    "animation": "video/mp4",
}
_LAST_SECOND = 253_402_300_799  # the end of the year 9999
_PHONE = re.compile(r"\+?([1-9][0-9]{6,14})")  # E.164
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NO_WORDS = re.compile(r"https?://\S+|[^\s@]{1,64}@[^\s@]{1,255}|(?<!\S)[/@]\w+")


def parse_update(view: RawView) -> Incoming | None:
    """What a person said in a private chat: words, files' names, a pressed button, their own number.

    An edited message is taken as a new one. None for what nobody said to us: groups, changes of
    membership, Telegram's own notes. Files are not fetched: their content is empty. Raises
    UnreadableMail for an update that is not as Telegram writes them.
    """
    update = _opened(view.body)
    if "callback_query" in update:
        return _pressed(view, _object(update, "callback_query"))
    if "my_chat_member" in update:
        return _bot_became(view, _object(update, "my_chat_member"))
    for kind in ("message", "edited_message"):
        if kind in update:
            return _written(view, _object(update, kind), edited=kind == "edited_message")
    if not update.keys() - {"update_id"}:
        raise _malformed("update")
    return None


def _written(view: RawView, message: Json, *, edited: bool) -> Incoming | None:
    sender = _private_sender(_object(message, "chat"), _object(message, "from"))
    if sender is None or SERVICE & message.keys() or (edited and "location" in message):
        return None  # a shared live location is edited every few seconds
    masked = _Masked()
    if code := AGENT_CODE.fullmatch(_string(message, "text").strip()):
        return _agent_code(view, message, sender, code[1])
    text = masked(_string(message, "text") or _string(message, "caption"))
    files = _files(message, masked)
    forwarded = bool(FORWARDED & message.keys())
    notes = {"edited": edited, "forwarded": forwarded}
    return Incoming(
        door=Door.TELEGRAM,
        source_key=view.source_key,
        arrived_at=said_at(message) or view.arrived_at,
        sender=Contact("telegram", str(sender["id"])),
        text=text,
        evidence={name: "yes" for name, so in notes.items() if so},
        language=_language(text, sender),
        resident_number_found=masked.found,
        body_hash=hashlib.sha256(text.encode()).hexdigest(),
        attachments=files,
        chat_message_id=_number(message, "message_id"),
        shared_phone="" if forwarded or edited else _own_phone(message, sender["id"]),
    )


def _agent_code(view: RawView, message: Json, sender: Json, code: str) -> Incoming:
    """`/agent CODE`: an agent's account is to be linked. It is kept in no conversation."""
    return Incoming(
        door=Door.TELEGRAM,
        source_key=view.source_key,
        arrived_at=view.arrived_at,
        sender=Contact("telegram", str(sender["id"])),
        text="",
        happened="agent_code",
        button=code,
        chat_message_id=_number(message, "message_id"),
    )


def _pressed(view: RawView, query: Json) -> Incoming | None:
    """The message under the button may be too old for Telegram to show; its chat is still named."""
    sender = _object(query, "from")
    if "message" not in query or "data" not in query:  # a game, or a button in somebody else's chat
        return None
    message = _object(query, "message")
    if _string(query, "data").startswith(GROUP_MARK):
        return _pressed_in_group(view, query, message, sender)
    person = _private_sender(_object(message, "chat"), sender)
    if person is None:
        return None
    masked = _Masked()
    return Incoming(
        door=Door.TELEGRAM,
        source_key=view.source_key,
        arrived_at=view.arrived_at,
        sender=Contact("telegram", str(person["id"])),
        text="",
        button=masked(_string(query, "data")),
        chat_message_id=_number(message, "message_id"),
        language=_language("", person),
        resident_number_found=masked.found,
    )


def _pressed_in_group(view: RawView, query: Json, message: Json, sender: Json) -> Incoming | None:
    """A button of the agents' cards; whose press counts is not for the door to say."""
    if sender.get("is_bot"):
        return None
    where = {
        "chat": str(_number(_object(message, "chat"), "id")),
        "press": _string(query, "id"),
    }
    return Incoming(
        door=Door.TELEGRAM,
        source_key=view.source_key,
        arrived_at=view.arrived_at,
        sender=Contact("telegram", str(_number(sender, "id"))),
        text="",
        happened="pressed",
        button=_string(query, "data"),
        evidence=where,
    )


def _bot_became(view: RawView, change: Json) -> Incoming | None:
    """A person has blocked the bot, or taken it back (Bot API, ChatMemberUpdated)."""
    person = _private_sender(_object(change, "chat"), _object(change, "from"))
    now = _string(_object(change, "new_chat_member"), "status")
    if person is None or now not in BOT_BECAME:
        return None
    return Incoming(
        door=Door.TELEGRAM,
        source_key=view.source_key,
        arrived_at=said_at(change) or view.arrived_at,
        sender=Contact("telegram", str(person["id"])),
        text="",
        happened=BOT_BECAME[now],
        language=_language("", person),
    )


# What the door needs to know of an update before it is kept; never raises.


def chat_of(update: object) -> str:
    """The chat's id, or an empty text where there is none to be seen."""
    chat = _get(_said(update), "chat")
    number = _get(chat, "id")
    return str(number) if _is_whole(number) else ""


def press_of(update: object) -> str:
    """The id of the pressed button's query, to be answered soon; empty where nothing was pressed, and
    for the agents' cards, where the answer says what came of it."""
    press = _get(update, "callback_query")
    query, data = _get(press, "id"), _get(press, "data")
    ours = isinstance(data, str) and data.startswith(GROUP_MARK)
    return query if isinstance(query, str) and not ours else ""


def group_joined(update: object) -> str:
    """The number of a group that the bot was just put into, or an empty text."""
    change = _get(update, "my_chat_member")
    chat = _get(change, "chat")
    inside = _get(_get(change, "new_chat_member"), "status") in ("member", "administrator")
    number = _get(chat, "id")
    return str(number) if inside and _is_whole(number) and number < 0 else ""


def said_at(message: object) -> datetime | None:
    """When Telegram took the message (or its new wording) in; None where it does not say."""
    seconds = _get(message, "edit_date") or _get(message, "date")
    if not _is_whole(seconds) or not 0 < seconds <= _LAST_SECOND:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def arrival_of(update: object) -> datetime | None:
    """Like `said_at`, for an update. A press has no time of its own: its message's is older."""
    kinds = ("message", "edited_message", "my_chat_member")
    return next((at for kind in kinds if (at := said_at(_get(update, kind)))), None)


def _said(update: object) -> object:
    pressed = _get(_get(update, "callback_query"), "message")
    became = _get(update, "my_chat_member")
    return _get(update, "message") or _get(update, "edited_message") or pressed or became


def _get(holder: object, name: str) -> Any:
    return holder.get(name) if isinstance(holder, dict) else None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# Reading strictly


def _opened(body: bytes) -> Json:
    try:
        update = json.loads(body)
    except (ValueError, RecursionError):
        raise _malformed("update") from None
    if not isinstance(update, dict):
        raise _malformed("update")
    return update


def _object(holder: Json, name: str) -> Json:
    value = holder.get(name)
    if not isinstance(value, dict):
        raise _malformed(name)
    return value


def _number(holder: Json, name: str) -> int:
    value: Any = holder.get(name)
    if not _is_whole(value) or abs(value) >= 2**63:
        raise _malformed(name)
    return int(value)


def _string(holder: Json, name: str) -> str:
    value = holder.get(name, "")
    if not isinstance(value, str):
        raise _malformed(name)
    return value


def _malformed(name: str) -> UnreadableMail:
    return UnreadableMail(
        "this update is not as Telegram writes them",
        field=name,
        remedy="It stands sealed among the dead letters; an agent can retry it.",
    )


def _private_sender(chat: Json, sender: Json) -> Json | None:
    """The person of a private chat; None in groups, and for bots."""
    if _string(chat, "type") != "private":
        return None
    if _number(sender, "id") != _number(chat, "id"):
        raise _malformed("from")
    return None if sender.get("is_bot") else sender


class _Masked:
    """Cleans and masks, and remembers whether there was anything to mask."""

    def __init__(self) -> None:
        self.found = False

    def __call__(self, text: str) -> str:
        """NFC, for some devices send Hangul in parts; no control characters, no halves of a letter."""
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text, found = mask_resident_numbers(
            unicodedata.normalize("NFC", _CONTROL.sub("", whole)).strip()
        )
        self.found = self.found or found
        return text


def _files(message: Json, masked: _Masked) -> tuple[Attachment, ...]:
    found = [
        Attachment(
            masked(_string(file, "file_name")) or kind, _string(file, "mime_type") or usual, b""
        )
        for kind, usual in FILES.items()
        if isinstance(file := message.get(kind), dict)
        # An animation comes with a document of the same file.
        and not (kind == "document" and "animation" in message)
    ]
    if message.get("photo"):
        found.append(Attachment("photo", "image/jpeg", b""))
    return tuple(found)


def _own_phone(message: Json, user_id: int) -> str:
    """The number that its owner shared, as +…; nothing where it is (or may be) somebody else's."""
    contact = message.get("contact")
    owner = _get(contact, "user_id")
    if NOT_BY_HAND & message.keys():
        return ""
    if not _is_whole(owner) or owner != user_id or not isinstance(contact, dict):
        return ""
    found = _PHONE.fullmatch(re.sub(r"[\s().-]", "", _string(contact, "phone_number")))
    return f"+{found[1]}" if found else ""


def _language(text: str, sender: Json) -> str:
    """By the letters of the text; where it has none of its own, by the person's app."""
    words = _NO_WORDS.sub(" ", text)
    if any(letter.isalpha() for letter in words):
        return language_of(words)
    code = sender.get("language_code")
    return "ko" if isinstance(code, str) and code.lower().split("-")[0] == "ko" else "en"
