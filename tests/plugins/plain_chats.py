"""A member at a plain chat with an Office: says, chooses by number or label, hears; keeps the transcript."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from desks import CODE, PARSERS, Office

from subjectline.handlers import inbox, outbox, tasks, timers
from subjectline.intake import plain_chat
from subjectline.intake.plain_chat import Choice, PlainSender
from subjectline.models.incoming import Door

ALL = {**PARSERS, Door.PLAIN: plain_chat.parse}


@dataclass
class PlainChat:
    """One person's chat. `app` is the language that their program is set to."""

    office: Office
    app: str = "ko"
    who: str = "7001"
    sender: PlainSender = field(default_factory=PlainSender)
    transcript: list[str] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _seen: int = 0

    async def says(self, text: str) -> list[str]:
        """Writes a line, or the number of a choice; the desk's answers."""
        data = plain_chat.chosen(text, self.choices)
        self.transcript.append(f"> {text}")
        return await self._sent("" if data else text, data)

    async def picks(self, label: str) -> list[str]:
        """Presses the button whose label begins so; the newest one that does."""
        for _, _, choices in reversed(self.sender.lines):
            for name, data in choices:
                if name.startswith(label):
                    self.transcript.append(f"> [{name}]")
                    return await self._sent("", data)
        raise AssertionError(f"no button begins with {label!r}")

    async def presses(self, data: str) -> list[str]:
        """Presses a button by what it sends, whether it is shown or not."""
        self.transcript.append(f"> [{data}]")
        return await self._sent("", data)

    async def _sent(self, text: str, data: str) -> list[str]:
        number = next(self._numbers)
        line = plain_chat.raw(
            self.who, number, self.office.clock(), text, button=data, app=self.app
        )
        await inbox.keep(self.office.desk, [line])
        return await self.hears()

    async def hears(self) -> list[str]:
        """What the desk says once it has worked until nothing is due."""
        desk = self.office.desk
        senders = {**self.office.senders, Door.PLAIN: self.sender}
        while (
            await inbox.once(desk, ALL) + await tasks.once(desk) + await outbox.once(desk, senders)
        ):
            pass
        new = self.sender.lines[self._seen :]
        self._seen = len(self.sender.lines)
        self.transcript += [plain_chat.shown(text, choices) for _, text, choices in new]
        return [text for _, text, _ in new]

    async def later(self, **delay: float) -> list[str]:
        """Time passes, and the clock's own steps are made."""
        self.office.clock.advance(timedelta(**delay))
        await timers.sweep(self.office.desk)
        return await self.hears()

    @property
    def choices(self) -> list[Choice]:
        """Those under the newest line."""
        return self.sender.lines[-1][2] if self.sender.lines else []

    @property
    def data(self) -> list[str]:
        return [data for _, data in self.choices]

    def code(self, email: str) -> str:
        """The code in the newest mail to an address."""
        found = CODE.search(self.office.last(email).text)
        assert found is not None, "the letter has no code"
        return found[0]

    async def proves(self, email: str) -> list[str]:
        """Names an address and types the code that came to it."""
        await self.says(email)
        return await self.says(self.code(email))
