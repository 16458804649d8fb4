"""What Telegram shows of users, chats and messages (Bot API 9, "Available types").

Everything is immutable; an edit puts a new message in the old one's place. `telegram()` gives the JSON of the
Bot API with dates in unix seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Status = Literal["creator", "administrator", "member", "left", "kicked"]

ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)


def without_nothing(values: Mapping[str, object]) -> Json:
    """The entries that say something: Telegram leaves optional fields out and never sends null."""
    return {key: value for key, value in values.items() if value}


@dataclass(frozen=True)
class User:
    """A person, or the bot itself; `language` is the IETF tag of their app."""

    id: int
    first_name: str
    language: str = ""
    username: str = ""
    is_bot: bool = False

    def telegram(self) -> Json:
        optional = {"username": self.username, "language_code": self.language}
        return {
            "id": self.id,
            "is_bot": self.is_bot,
            "first_name": self.first_name,
            **without_nothing(optional),
        }


@dataclass(frozen=True)
class Chat:
    """A private chat (its id is the user's) or a group (negative id)."""

    id: int
    name: str

    @property
    def private(self) -> bool:
        return self.id > 0

    def telegram(self) -> Json:
        if self.private:
            return {"id": self.id, "type": "private", "first_name": self.name}
        return {"id": self.id, "type": "supergroup", "title": self.name}


@dataclass(frozen=True)
class Document:
    """A file that was sent; its bytes are in the file store under `file_id`."""

    file_id: str
    unique_id: str
    name: str
    mime: str
    size: int

    def telegram(self) -> Json:
        return {
            "file_id": self.file_id,
            "file_unique_id": self.unique_id,
            "file_name": self.name,
            "mime_type": self.mime,
            "file_size": self.size,
        }


@dataclass(frozen=True)
class Contact:
    """A shared phone number. `user_id` is None when the number belongs to no account the sender knows."""

    phone_number: str
    first_name: str
    user_id: int | None

    def telegram(self) -> Json:
        optional = without_nothing({"user_id": self.user_id})
        return {"phone_number": self.phone_number, "first_name": self.first_name, **optional}


@dataclass(frozen=True)
class Button:
    """One key of a keyboard under or below a message; `data` is what a callback button sends."""

    text: str
    data: str = ""
    url: str = ""
    asks_contact: bool = False


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True)
class Message:
    """One message as it stands now. `inline` and `keyboard` are the markups as the bot gave them."""

    message_id: int
    date: int
    chat: Chat
    sender: User
    text: str = ""
    entities: tuple[Json, ...] = ()
    document: Document | None = None
    caption: str = ""
    caption_entities: tuple[Json, ...] = ()
    contact: Contact | None = None
    reply_to: "Message | None" = None
    forwarded_from: User | None = None
    inline: Json = field(default_factory=dict)
    keyboard: Json = field(default_factory=dict)
    protected: bool = False
    edited_at: int | None = None

    @property
    def buttons(self) -> Rows:
        """The rows under the message that can be clicked."""
        return rows_of(self.inline.get("inline_keyboard", ()))

    def telegram(self, with_reply: bool = True) -> Json:
        """The Message object; the message it replies to is given without its own reply, as Telegram does."""
        return {
            "message_id": self.message_id,
            "date": self.date,
            "chat": self.chat.telegram(),
            "from": self.sender.telegram(),
            **self._content(),
            **without_nothing(
                {
                    "reply_to_message": self.reply_to.telegram(with_reply=False)
                    if self.reply_to and with_reply
                    else None,
                    "forward_origin": self._origin(),
                    "reply_markup": self.inline,
                    "has_protected_content": self.protected,
                    "edit_date": self.edited_at,
                }
            ),
        }

    def _content(self) -> Json:
        return without_nothing(
            {
                "text": self.text,
                "entities": list(self.entities),
                "document": self.document.telegram() if self.document else None,
                "caption": self.caption,
                "caption_entities": list(self.caption_entities),
                "contact": self.contact.telegram() if self.contact else None,
            }
        )

    def _origin(self) -> Json | None:
        if self.forwarded_from is None:
            return None
        return {"type": "user", "date": self.date, "sender_user": self.forwarded_from.telegram()}


def rows_of(markup_rows: object) -> Rows:
    """Bot API keyboard rows (lists of button objects or plain strings) as Button rows."""
    rows = markup_rows if isinstance(markup_rows, list) else []
    return tuple(tuple(_button(key) for key in row) for row in rows)


def _button(key: Json | str) -> Button:
    if isinstance(key, str):
        return Button(key)
    return Button(
        key["text"],
        key.get("callback_data", ""),
        key.get("url", ""),
        bool(key.get("request_contact")),
    )


def member_json(user: User, status: Status) -> Json:
    """The ChatMember object of a user with this status, with the fields that its kind requires."""
    member: Json = {"status": status, "user": user.telegram()}
    if status == "administrator":
        member |= {"can_be_edited": False, "is_anonymous": False} | dict.fromkeys(
            ADMIN_RIGHTS, True
        )
    elif status == "creator":
        member["is_anonymous"] = False
    elif status == "kicked":
        member["until_date"] = 0
    return member
