"""Checks of keyboards (Bot API, InlineKeyboardMarkup and ReplyKeyboardMarkup)."""

from dataclasses import dataclass, field

from subjectline.intake.sandbox.telegram_emulator.objects import Chat, Json
from subjectline.models.errors import BadInput

LONGEST_DATA = 64  # bytes of callback_data
MOST_KEYS = 100
INLINE_ACTIONS = frozenset(
    {
        "url",
        "callback_data",
        "web_app",
        "login_url",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
        "copy_text",
        "callback_game",
        "pay",
    }
)
REPLY_MARKUPS = ("keyboard", "remove_keyboard", "force_reply")


@dataclass(frozen=True)
class Markup:
    """A checked reply_markup: `inline` hangs under the message, `keyboard` stands below the chat."""

    inline: Json = field(default_factory=dict)
    keyboard: Json = field(default_factory=dict)


def read_markup(markup: Json, chat: Chat) -> Markup:
    """Check a reply_markup for this chat. Raises BadInput with Telegram's words (400)."""
    if not markup:
        return Markup()
    if "inline_keyboard" in markup:
        rows = _rows(markup["inline_keyboard"], "inline keyboard")
        for key in (key for row in rows for key in row):
            _check_inline(key)
        return Markup(inline=markup if any(rows) else {})
    if not any(name in markup for name in REPLY_MARKUPS):
        raise BadInput("Bad Request: can't parse reply keyboard markup JSON object")
    if "keyboard" in markup:
        for key in (key for row in _rows(markup["keyboard"], "keyboard") for key in row):
            _check_reply_key(key, chat)
    return Markup(keyboard=markup)


def _rows(value: object, what: str) -> list[list[Json | str]]:
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise BadInput(f'Bad Request: field "{what.replace(" ", "_")}" must be of type Array')
    if sum(map(len, value)) > MOST_KEYS:
        raise BadInput("Bad Request: reply markup is too long")
    return value


def _check_inline(key: Json | str) -> None:
    if not isinstance(key, dict):
        raise BadInput("Bad Request: InlineKeyboardButton must be an Object")
    if not isinstance(key.get("text"), str) or not key["text"]:
        raise BadInput("Bad Request: can't parse inline keyboard button: text is empty")
    if not INLINE_ACTIONS & key.keys():
        raise BadInput("Bad Request: text buttons are unallowed in the inline keyboard")
    if "callback_data" in key:
        data = key["callback_data"]
        if not isinstance(data, str) or not 1 <= len(data.encode()) <= LONGEST_DATA:
            raise BadInput("Bad Request: BUTTON_DATA_INVALID")


def _check_reply_key(key: Json | str, chat: Chat) -> None:
    text = key if isinstance(key, str) else key.get("text")
    if not isinstance(text, str) or not text:
        raise BadInput("Bad Request: keyboard button text must be non-empty")
    if isinstance(key, dict) and key.get("request_contact") and not chat.private:
        raise BadInput("Bad Request: phone number can be requested in private chats only")
