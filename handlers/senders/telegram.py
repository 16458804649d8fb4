"""Letters out by Telegram: plain text with buttons, at the pace that Telegram allows."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from logging import getLogger

from subjectline.handlers.outbox import Parcel
from subjectline.handlers.senders.bot_line import BotLine, Keyboard
from subjectline.models.errors import PermanentSendError, TemporarySendError
from subjectline.models.settings import TelegramSection

LONGEST = 4096  # UTF-16 units of a message (Bot API, sendMessage)
IN_ALL, A_SECOND = 30, 1.01  # messages in all; a chat gets one (Bot FAQ)
A_MINUTE, IN_A_GROUP = 60.0, 20  # a group gets so many a minute (Bot FAQ)
A_MOMENT = 0.05  # seconds, while 30 are under way
LONGEST_WAIT = 5.0  # seconds; a letter that must wait longer goes back to the outbox
REMEMBERED = 1000

log = getLogger(__name__)


class Pacer:
    """30 messages a second in all, one a second to a chat, 20 a minute to a group, one after the other
    in each. A message counts from the moment that Telegram has answered: it counts them as they arrive.
    `monotonic` gives seconds, `sleep` waits them.
    """

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._now, self._sleep = monotonic, sleep
        self._flying = 0
        self._done: deque[float] = deque(maxlen=IN_ALL)
        self._free: dict[int, float] = {}  # chat -> when it may be written to again
        self._turns: dict[int, asyncio.Lock] = {}
        self._groups: dict[int, deque[float]] = {}  # group -> when it got its last 20

    @asynccontextmanager
    async def turn(self, chat: int) -> AsyncIterator[None]:
        """Waits for the chat's next place and holds it.

        Raises TemporarySendError where it is more than LONGEST_WAIT away.
        """
        async with self._turns.setdefault(chat, asyncio.Lock()):
            while (wait := self._wait(chat)) > 0:
                if wait > LONGEST_WAIT:
                    raise TemporarySendError(
                        "Telegram asks for a slower pace", after=wait, tried=False
                    )
                await self._sleep(wait)
            self._flying += 1
            try:
                yield
            finally:
                self._flying -= 1
                self._done.append(self._now())
                if chat < 0:
                    self._groups.setdefault(chat, deque(maxlen=IN_A_GROUP)).append(self._now())
                self.hold(chat, A_SECOND)
        self._tidy()

    def hold(self, chat: int, seconds: float) -> None:
        """Nothing goes to the chat for so many seconds from now."""
        now = self._now()
        self._free[chat] = max(self._free.get(chat, now), now + seconds)

    def _wait(self, chat: int) -> float:
        now = self._now()
        while self._done and self._done[0] <= now - A_SECOND:
            self._done.popleft()
        wait = self._free.get(chat, now) - now
        lately = self._groups.get(chat, deque())
        if len(lately) == IN_A_GROUP:
            wait = max(wait, lately[0] + A_MINUTE - now)
        if len(self._done) + self._flying >= IN_ALL:
            wait = max(wait, self._done[0] + A_SECOND - now if self._done else A_MOMENT)
        return wait

    def _tidy(self) -> None:
        if len(self._free) > REMEMBERED:
            now = self._now()
            self._free = {chat: free for chat, free in self._free.items() if free > now}
            self._turns = {chat: turn for chat, turn in self._turns.items() if turn.locked()}


class TelegramSender:
    """The way out by the bot. A letter whose text has left is not written twice by a later try."""

    def __init__(
        self, settings: TelegramSection, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._line = BotLine(settings)
        self._pacer = Pacer(monotonic)
        self._written: dict[str, int] = {}  # Message-ID -> how many of its messages have left

    async def send(self, parcel: Parcel) -> None:
        """Writes the text with its buttons, then deletes the message that `forget` names.

        A parcel without text only deletes. Raises TemporarySendError, PermanentSendError.
        """
        chat = _chat(parcel.recipient)
        await self._write_all(chat, parcel)
        if parcel.forget:
            await self._forget(chat, parcel.forget)
        self._written.pop(parcel.message_id, None)

    async def post(self, chat: int, text: str, keyboard: Keyboard) -> int:
        """One message in its turn; returns its number in the chat."""
        async with self._in_turn(chat):
            return await self._line.write(chat, text, keyboard)

    async def edit(self, chat: int, message: int, text: str, keyboard: Keyboard) -> None:
        """Another text in the place of a message of ours; it counts like a message."""
        async with self._in_turn(chat):
            await self._line.edit(chat, message, text, keyboard)

    async def remove(self, chat: int, message: int) -> None:
        """Takes a message out of a chat, where Telegram lets us."""
        await self._forget(chat, message)

    async def answer(self, press: str, text: str, *, alert: bool) -> None:
        """Says something to the person who pressed a button."""
        await self._line.answer_press(press, text, alert=alert)

    async def close(self) -> None:
        """Hangs up."""
        await self._line.close()

    async def _write_all(self, chat: int, parcel: Parcel) -> None:
        pieces = list(in_pieces(parcel.text.strip()))
        left = self._written.get(parcel.message_id, 0)
        for number, piece in enumerate(pieces[left:], start=left + 1):
            keyboard = parcel.keyboard if number == len(pieces) else None
            async with self._in_turn(chat):
                await self._line.write(chat, piece, keyboard)
            self._remember(parcel.message_id, number)

    @asynccontextmanager
    async def _in_turn(self, chat: int) -> AsyncIterator[None]:
        """The chat's next place; where Telegram asks for a pause, the chat gets it."""
        async with self._pacer.turn(chat):
            try:
                yield
            except TemporarySendError as wrong:
                self._pacer.hold(chat, wrong.after or 0)
                raise

    def _remember(self, message_id: str, number: int) -> None:
        self._written[message_id] = number
        while len(self._written) > REMEMBERED:
            del self._written[next(iter(self._written))]

    async def _forget(self, chat: int, message_id: int) -> None:
        """What is gone, older than 48 hours, or in a chat closed to us stays as it is."""
        try:
            await self._line.delete(chat, message_id)
        except PermanentSendError as wrong:
            if "not found" not in wrong.rule:
                log.warning("a chat message could not be deleted: %s", wrong.rule)


def in_pieces(text: str, longest: int = LONGEST) -> Iterator[str]:
    """The text in messages of at most `longest` UTF-16 units, parted at paragraphs, lines or words."""
    while _units(text) > longest:
        head = text.encode("utf-16-le")[: 2 * longest].decode("utf-16-le", "ignore")
        cut = next((at for mark in ("\n\n", "\n", " ") if (at := head.rfind(mark)) > 0), len(head))
        yield head[:cut].rstrip()
        text = text[cut:].lstrip()
    if text:
        yield text


def _units(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)


def _chat(recipient: str) -> int:
    try:
        return int(recipient)
    except ValueError:
        raise PermanentSendError("this is not the number of a chat", field="recipient") from None
