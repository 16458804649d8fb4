"""The chat door: fetches the bot's updates and keeps them. It decides nothing.

python-telegram-bot's own polling confirms a batch before anybody has kept it, and stops for good at
an update that it cannot read. So the updates are fetched raw, committed, and only then confirmed by
the next call. What was kept and not yet confirmed comes again, and the inbox knows it by its id.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn
from urllib.parse import urlsplit

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from subjectline.handlers import words
from subjectline.handlers.desk import Desk
from subjectline.handlers.inbox import Raw, keep
from subjectline.handlers.senders.bot_line import BotLine, Hook
from subjectline.intake.telegram_update import arrival_of, chat_of, group_joined, press_of
from subjectline.intake.telegram_update import parse_update as parse_update
from subjectline.models.errors import SendError, TemporarySendError
from subjectline.models.incoming import Door
from subjectline.models.mail_settings import Finding
from subjectline.models.settings import TelegramSection

SECRET_HEADER = "x-telegram-bot-api-secret-token"
LARGEST_UPDATE = 1024 * 1024  # bytes; Telegram's are a few kilobytes
LONGEST_ABOUT = 120  # letters (Bot API, setMyShortDescription)
LONGEST_PAUSE = 60.0  # seconds between two tries, unless Telegram asks for more
WATCH = 300.0  # seconds between two looks at the webhook
STILL_NEW = timedelta(minutes=15)  # since a delivery failed
HOOK_PORTS = frozenset({443, 80, 88, 8443})  # Bot API, setWebhook

log = logging.getLogger(__name__)


@dataclass(slots=True)
class TelegramStatus:
    """How the door is: for /healthz. `last_ok` is the last answer to a call for updates."""

    connected: bool = False
    last_ok: datetime | None = None
    last_error: str = ""
    kept: int = 0  # updates kept since the start, repeated ones too


class TelegramDoor:
    """One bot. `run()` fetches its updates until cancelled; with `hook`, the public address of
    `webhook`, it lets Telegram post them there and looks now and then whether it still does.

    `poll_seconds` is how long Telegram holds a call open, `retry_seconds` the first pause after a
    loss. Raises SettingsError for a token that is none.
    """

    def __init__(
        self,
        desk: Desk,
        settings: TelegramSection,
        *,
        hook: str = "",
        poll_seconds: int = 25,
        retry_seconds: float = 1.0,
    ) -> None:
        self.status = TelegramStatus()
        self._desk, self._line = desk, BotLine(settings)
        self._hook, self._connections = hook, settings.webhook_connections
        self._poll_seconds, self._retry_seconds = poll_seconds, retry_seconds
        self._losses = 0

    async def run(self) -> None:
        """Takes updates for ever; a lost line is opened anew. Ends by cancellation only.

        A webhook stays when the desk ends: what comes meanwhile waits at Telegram, for a day.
        """
        try:
            async with asyncio.TaskGroup() as aside:
                aside.create_task(self._introduce())
                while True:
                    await asyncio.sleep(await self._until_lost(aside))
        finally:
            await self.close()

    async def close(self) -> None:
        """Hangs up."""
        self.status.connected = False
        await self._line.close()

    async def doctor(self) -> Finding:
        """Asks Telegram who the bot is and how its updates come. Changes nothing."""
        try:
            name = await self._line.who()
            told = await self._line.webhook()
            group = await self._group()
        except SendError as wrong:
            return Finding(False, f"telegram: {wrong}")
        finally:
            await self._line.close()
        good, sentence = self._judged(told)
        return Finding(good, f"telegram: the bot @{name} answers; {sentence}{group}")

    async def _group(self) -> str:
        number = self._desk.manner.agents_group
        return f" The agents' group is {await self._line.title(number)}." if number else ""

    def _judged(self, told: Hook) -> tuple[bool, str]:
        if not self._hook:
            also = " (a webhook is set and will be taken away)" if told.url else ""
            return True, f"updates are fetched{also}."
        if trouble := hook_trouble(self._hook):
            return False, f"telegram.webhook_url: {trouble}"
        if told.url != self._hook:
            return True, f"its webhook will be {self._hook}."
        if told.failed_at and self._desk.clock() - told.failed_at < STILL_NEW:
            why = told.why[:200].rstrip(".")
            return False, f"{told.pending} updates wait, for its webhook failed lately: {why}."
        return True, "its webhook is set."

    async def take_webhook(self, url: str) -> None:
        """Lets Telegram post the updates to `url` (https), where `webhook` is mounted.

        Raises TemporarySendError or PermanentSendError.
        """
        await self._line.take_webhook(url, self.secret, self._connections)
        self.status.connected, self.status.last_error = True, ""

    @property
    def secret(self) -> str:
        """What Telegram shows with each post: of this desk and this bot, kept nowhere."""
        return self._desk.vault.keyed_hash("telegram-webhook", str(self._line.bot_id)).hex()

    async def webhook(self, request: Request) -> Response:
        """The route (POST): 200 once the update is committed; 403, 413 and 503 keep it at Telegram."""
        shown = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(shown.encode(), self.secret.encode()):
            return Response(status_code=403)
        body = await _limited(request)
        if body is None:
            return Response(status_code=413)
        update = _read(body)
        try:
            await self._keep([(update, body)])
        except Exception as wrong:  # the database's: Telegram posts it again
            self._failed(f"An update could not be kept: {type(wrong).__name__}.")
            return Response(status_code=503)
        press = press_of(update)
        return Response(background=BackgroundTask(self._answer, press) if press else None)

    async def _until_lost(self, aside: asyncio.TaskGroup) -> float:
        """Fetches until something goes wrong; returns the seconds until the next try."""
        try:
            if self._hook:
                await self._be_called()
            await self._line.leave_webhook()
            await self._fetch(aside)
        except TemporarySendError as wrong:
            self._failed(str(wrong))
            return max(self._patience(), wrong.after or 0)
        except SendError as wrong:
            self._failed(str(wrong))
        except Exception as wrong:  # the database's: the updates stay with Telegram and come again
            self._failed(f"Updates could not be kept: {type(wrong).__name__}.")
        return self._patience()

    async def _be_called(self) -> NoReturn:
        """Sets the webhook, and again where another program has taken the updates away."""
        await self.take_webhook(self._hook)
        while True:
            self._losses = 0
            await asyncio.sleep(WATCH)
            told = await self._line.webhook()
            if told.url != self._hook:
                log.warning("telegram: somebody took the bot's webhook away; it is set again")
                await self.take_webhook(self._hook)

    async def _fetch(self, aside: asyncio.TaskGroup) -> None:
        """The offset is given only to confirm what was just kept, and never remembered.

        After a quiet week Telegram starts its ids anew at random: an old offset could confirm
        updates that nobody has seen.
        """
        offset: int | None = None
        seconds = 0  # the first call shows at once whether the line is good
        while True:
            updates = await self._line.updates(offset, seconds)
            await self._keep([(update, json.dumps(update).encode()) for update in updates])
            for press in filter(None, map(press_of, updates)):
                aside.create_task(self._answer(press))
            known = [number for update in updates if (number := _id_of(update)) is not None]
            if updates and not known:
                raise TemporarySendError("Telegram sent updates that cannot be confirmed")
            offset = max(known) + 1 if known else None
            seconds = 0 if updates else self._poll_seconds  # what waits is confirmed at once

    def _tell_of_groups(self, update: object) -> None:
        """A group's number is what `telegram.agents_group` takes; people cannot see it in their app."""
        if group := group_joined(update):
            log.warning("telegram: the bot was put into the group %s", group)

    async def _keep(self, updates: Sequence[tuple[object, bytes]]) -> None:
        now, bot = self._desk.clock(), self._line.bot_id
        await keep(self._desk, [_raw(bot, update, body, now) for update, body in updates])
        for update, _ in updates:
            self._tell_of_groups(update)
        self.status.kept += len(updates)
        self.status.connected, self.status.last_error = True, ""
        self.status.last_ok, self._losses = now, 0

    async def _answer(self, press: str) -> None:
        """Ends the waiting sign on the button. Too late, or seen before: no harm."""
        try:
            await self._line.answer_press(press)
        except SendError as wrong:
            log.debug("telegram: a press was not answered: %s", wrong)

    async def _introduce(self) -> None:
        """Menu and short description in each language; the desk's own for everybody else."""
        losses = 0
        while True:
            try:
                for language in ("", *words.LANGUAGES):
                    spoken = language or self._desk.manner.language
                    await self._line.introduce(
                        language, words.command_labels(spoken), self._about(spoken)
                    )
                return
            except SendError as wrong:
                losses += 1
                log.warning("telegram: the bot's menu was not set: %s", wrong)
                asked = wrong.after if isinstance(wrong, TemporarySendError) else None
                await asyncio.sleep(max(self._pause(losses), asked or 0))

    def _about(self, language: str) -> str:
        company = self._desk.data_map.company.name.text(language)
        return words.word("bot", "about", language).format(company=company)[:LONGEST_ABOUT]

    def _failed(self, sentence: str) -> None:
        self.status.connected, self.status.last_error = False, sentence
        self._losses += 1
        log.warning("telegram: %s", sentence)

    def _patience(self) -> float:
        return self._pause(self._losses)

    def _pause(self, losses: int) -> float:
        """Doubling, with jitter so that doors do not come in step."""
        longest = self._retry_seconds * 2.0 ** min(max(losses - 1, 0), 16)
        return min(longest, LONGEST_PAUSE) * random.uniform(0.5, 1)


def _raw(bot: int, update: object, body: bytes, now: datetime) -> Raw:
    """Whatever came, as it is kept. Without an id of Telegram's its own bytes name it."""
    number = _id_of(update)
    name = hashlib.sha256(body).hexdigest() if number is None else str(number)
    return Raw(
        door=Door.TELEGRAM,
        source_key=f"telegram:{bot}:{name}",
        lane=f"telegram:{chat_of(update) or name}",
        arrived_at=arrival_of(update) or now,
        body=body,
    )


def hook_trouble(url: str) -> str:
    """What Telegram would mind about a webhook's address (Bot API, setWebhook); empty for nothing."""
    try:
        parts, port = urlsplit(url), urlsplit(url).port or 443
    except ValueError:
        return "it is no address."
    if parts.scheme != "https":
        return "Telegram calls https addresses only."
    if port not in HOOK_PORTS:
        return f"Telegram calls the ports {', '.join(map(str, sorted(HOOK_PORTS)))} only."
    return "" if parts.hostname else "it names no host."


def _id_of(update: object) -> int | None:
    number = update.get("update_id") if isinstance(update, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    return number if 0 <= number < 2**53 else None  # beyond it no offset can be named


def _read(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


async def _limited(request: Request) -> bytes | None:
    """The body, or None where it is larger than any update is."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_UPDATE:
                return None
    except ClientDisconnect:
        return None
    return body
