"""The line to Telegram's Bot API: python-telegram-bot's `Bot`, with its errors as the desk's own.

The only module that knows `telegram`: the door reads and the sender writes through it. Nothing of it
reaches a log, for the bot's token stands in every address and people's words in every answer.
"""

import json
import logging
import re
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    LinkPreviewOptions,
    ReplyKeyboardMarkup,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from subjectline.models.errors import (
    ChatClosed,
    PermanentSendError,
    SendError,
    SettingsError,
    TemporarySendError,
)
from subjectline.models.settings import TelegramSection

Keyboard = Sequence[Sequence[Mapping[str, str]]]
Answer = TypeVar("Answer")

WANTED = ["message", "edited_message", "callback_query", "my_chat_member"]
BATCH = 100
SLOW = 10.0  # seconds beyond its own waiting that a poll may take
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


class _Slower(TelegramError):
    """429. The library's own RetryAfter warns about itself whenever it is made (22.2)."""

    def __init__(self, seconds: float) -> None:
        super().__init__("Too Many Requests")
        self.seconds = seconds


class _Request(HTTPXRequest):
    """Says nothing of an answer that cannot be read: the library would log it whole."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        code, payload = await super().do_request(*args, **kwargs)
        if code == HTTPStatus.TOO_MANY_REQUESTS:
            raise _Slower(_asked_seconds(payload))
        return code, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(payload)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise TelegramError("Invalid server response") from None
        return answer


@dataclass(frozen=True)
class Hook:
    """What Telegram knows of a bot's webhook. `url` is empty where updates are fetched."""

    url: str
    pending: int
    failed_at: datetime | None
    why: str


class BotLine:
    """One bot. Every call raises TemporarySendError where it may go better later (with `after`
    seconds where Telegram named them), and PermanentSendError where it never will."""

    def __init__(self, settings: TelegramSection) -> None:
        token = settings.token.get_secret_value() if settings.token else ""
        number, _, secret = token.partition(":")
        if not number.isdigit() or not secret:
            raise SettingsError(
                "a bot's token is a number, a colon and a secret",
                field="telegram.token",
                remedy="Copy it from @BotFather.",
            )
        for name in ("httpx", "telegram"):  # they would log addresses with the token, and letters
            logging.getLogger(name).setLevel(logging.WARNING)
        self.bot_id = int(number)
        self._request = _Request(connection_pool_size=16, pool_timeout=5.0)
        self._bot = Bot(
            token,
            base_url=settings.base_url,
            base_file_url=settings.base_file_url,
            request=self._request,
            get_updates_request=self._request,
        )

    async def close(self) -> None:
        """Hangs up. The next call opens the line again."""
        await self._request.shutdown()

    async def who(self) -> str:
        """The bot's user name, without the @."""
        me = await self._ask(self._bot.get_me(), "getMe")
        return me.username or str(me.id)

    async def updates(self, offset: int | None, seconds: int) -> list[Any]:
        """The updates that wait, as Telegram wrote them; those below `offset` are confirmed with it.

        Waits at most `seconds` for the first one.
        """
        wanted = {"timeout": seconds, "limit": BATCH, "allowed_updates": WANTED}
        if offset is not None:
            wanted["offset"] = offset
        # All lower case (Telegram does not mind): by the name it knows, the library would want to
        # make objects of the updates, and one that it cannot read would hold up all others.
        answer = await self._ask(
            self._bot.do_api_request("getupdates", api_kwargs=wanted, read_timeout=seconds + SLOW),
            "getUpdates",
        )
        if not isinstance(answer, list):
            raise TemporarySendError("Telegram answered getUpdates with something else")
        return answer

    async def leave_webhook(self) -> None:
        """From now on updates are fetched; none is dropped."""
        await self._ask(self._bot.delete_webhook(drop_pending_updates=False), "deleteWebhook")

    async def take_webhook(self, url: str, secret: str, connections: int = 1) -> None:
        """From now on Telegram posts the updates to `url`, so many at once at most.

        One at once is in order; with more, Telegram keeps a chat's messages in order.
        """
        call = self._bot.set_webhook(
            url, secret_token=secret, max_connections=connections, allowed_updates=WANTED
        )
        await self._ask(call, "setWebhook")

    async def webhook(self) -> Hook:
        """Where Telegram posts the updates, and how that went lately."""
        told = await self._ask(self._bot.get_webhook_info(), "getWebhookInfo")
        failed_at, why = told.last_error_date, told.last_error_message or ""
        return Hook(told.url, told.pending_update_count, failed_at, why)

    async def title(self, chat: int) -> str:
        """What a group is called."""
        return (await self._ask(self._bot.get_chat(chat), "getChat")).title or str(chat)

    async def introduce(self, language: str, commands: Mapping[str, str], about: str) -> None:
        """The menu of commands and the short description, for `language` ("" for everybody else)."""
        menu = [BotCommand(name, label) for name, label in commands.items()]
        code = language or None
        await self._ask(self._bot.set_my_commands(menu, language_code=code), "setMyCommands")
        await self._ask(
            self._bot.set_my_short_description(about, language_code=code), "setMyShortDescription"
        )

    async def answer_press(self, query_id: str, text: str = "", *, alert: bool = False) -> None:
        """Ends the waiting sign on a pressed button; says something for a moment, or in a box."""
        call = self._bot.answer_callback_query(query_id, text[:200] or None, show_alert=alert)
        await self._ask(call, "answerCallbackQuery")

    async def write(self, chat: int, text: str, keyboard: Keyboard | None) -> int:
        """One message that cannot be forwarded or copied; returns its number in the chat.

        No preview: Telegram would open the link for it, and a one-time link would be spent.
        """
        said: dict[str, Any] = {
            "chat_id": chat,
            "text": text,
            "protect_content": True,
            "link_preview_options": LinkPreviewOptions(is_disabled=True),
        }
        if keyboard:
            said["reply_markup"] = _keys(keyboard)
        return await self._ask(self._number(said), "sendMessage")

    async def _number(self, said: dict[str, Any]) -> int:
        """All lower case, as in `updates`: of the answer only a number is wanted, and no objects."""
        answer: Any = await self._bot.do_api_request("sendmessage", api_kwargs=said)
        return int(answer["message_id"])

    async def edit(self, chat: int, message_id: int, text: str, keyboard: Keyboard | None) -> None:
        """Another text and other buttons in place of those of a message of ours."""
        call = self._bot.edit_message_text(
            text, chat, message_id, reply_markup=_markup(keyboard) if keyboard else None
        )
        try:
            await self._ask(call, "editMessageText")
        except PermanentSendError as wrong:
            if "not modified" not in wrong.rule:
                raise

    async def delete(self, chat: int, message_id: int) -> None:
        """Takes a message out of a chat."""
        await self._ask(self._bot.delete_message(chat, message_id), "deleteMessage")

    async def _ask(self, call: Awaitable[Answer], method: str) -> Answer:
        await self._request.initialize()  # opens the line where it was hung up
        try:
            return await call
        except TelegramError as wrong:
            raise _sorted_out(wrong, method) from None
        except (KeyError, TypeError, ValueError):  # an answer without what the method promises
            raise TemporarySendError(f"Telegram answered {method} with something else") from None


def _asked_seconds(payload: bytes) -> float:
    """`parameters.retry_after` of a 429; one second where it is not there."""
    try:
        return max(float(json.loads(payload)["parameters"]["retry_after"]), 0.0)
    except (ValueError, KeyError, TypeError, RecursionError):
        return 1.0


def _keys(keyboard: Keyboard) -> InlineKeyboardMarkup | ReplyKeyboardMarkup:
    """Buttons under the message; one that shares the owner's number stands in place of the keys."""
    sharing = [key["text"] for row in keyboard for key in row if "share" in key]
    if not sharing:
        return _markup(keyboard)
    rows = [[KeyboardButton(text, request_contact=True)] for text in sharing]
    return ReplyKeyboardMarkup(rows, resize_keyboard=True, one_time_keyboard=True)


def _markup(keyboard: Keyboard) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[_button(key) for key in row] for row in keyboard])


def _button(key: Mapping[str, str]) -> InlineKeyboardButton:
    if "url" in key:
        return InlineKeyboardButton(key["text"], url=key["url"])
    return InlineKeyboardButton(key["text"], callback_data=key["data"])


def _sorted_out(wrong: TelegramError, method: str) -> SendError:
    """Does it pay to try again? A 4xx that is not in Telegram's own words is a proxy's."""
    if isinstance(wrong, _Slower):
        rule = f"Telegram asks to wait {wrong.seconds:g} s ({method})"
        return TemporarySendError(rule, after=wrong.seconds)
    from_telegram = not isinstance(wrong.__cause__, TelegramError)
    if isinstance(wrong, Forbidden) and from_telegram:
        return ChatClosed(f"the chat is closed to the bot: {_words(wrong)}")
    if isinstance(wrong, BadRequest | ChatMigrated) and from_telegram:
        return PermanentSendError(f"Telegram refused {method}: {_words(wrong)}")
    return _about_the_line(wrong, method)


def _about_the_line(wrong: TelegramError, method: str) -> TemporarySendError:
    if isinstance(wrong, InvalidToken):
        return TemporarySendError(
            "Telegram does not know this bot's token",
            remedy="Check telegram.token; @BotFather can make a new one.",
        )
    if isinstance(wrong, Conflict):
        return TemporarySendError(
            "another program reads this bot's updates",
            remedy="Stop it: a bot has one reader, and each desk needs a bot of its own.",
        )
    if isinstance(wrong, TimedOut):
        return TemporarySendError(f"Telegram did not answer in time ({method})")
    return TemporarySendError(
        f"Telegram cannot be reached ({method})",
        remedy="Check telegram.base_url and the way out of this machine.",
    )


def _words(wrong: TelegramError) -> str:
    """Telegram's own words, without what they quote of ours (a link, say)."""
    return _QUOTED.sub("'…'", wrong.message)[:200].rstrip(".")
