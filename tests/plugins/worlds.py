"""The whole product in one process against the sandbox's world, and hands for members and agents.

The fixtures are in `tests/journeys/conftest.py`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import make_msgid
from itertools import count
from typing import Any, TypeVar

import httpx
from sqlalchemy import event, text
from sqlmodel import select
from starlette.routing import Mount

from subjectline.handlers import audit, decisions
from subjectline.handlers.registry import open_engine
from subjectline.handlers.senders.telegram import TelegramSender
from subjectline.intake.sandbox import partners
from subjectline.intake.sandbox.mail_world import SandboxMail
from subjectline.intake.sandbox.people import Person
from subjectline.intake.sandbox.telegram_emulator.objects import Message as Bubble
from subjectline.intake.sandbox.world import DESK_ADDRESS, World
from subjectline.intake.serve import Server, loops_of, one_app
from subjectline.intake.setup import close_desk
from subjectline.models.incoming import Door
from subjectline.models.settings import TelegramSection
from subjectline.models.tables import Hold, Proposal, Request
from subjectline_client.core import Decision

Found = TypeVar("Found")
PATIENCE = 60.0
CODE = re.compile(r"(?<![\dA-Za-z_-])\d{6}(?![\dA-Za-z_-])")
LINK = re.compile(r"https?://\S+/m/[A-Za-z0-9_-]+")


class Commits:
    """Tells of every commit of the desk, so that a test waits for what it wants to see."""

    def __init__(self, world: World) -> None:
        self._changed = asyncio.Event()
        event.listen(world.desk.db.engine.sync_engine, "commit", lambda _: self._changed.set())

    async def until(self, look: Callable[[], Awaitable[Found | None]]) -> Found:
        """What `look` finds, as soon as it finds something."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self._changed.clear()
                found = await look()
                if found:
                    return found
                await self._changed.wait()


@dataclass
class Journey:
    """One world with its desk running."""

    world: World
    commits: Commits
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    # The member, by mail

    async def mail(
        self,
        person: Person,
        words: str,
        subject: str = "",
        *,
        answers: SandboxMail | None = None,
        auth: str | None = "pass",
    ) -> SandboxMail:
        """A member's mail arrives; returns the next one in their mailbox."""
        seen = len(self.world.mail.mailbox(person.email))
        raw, to = written(person.email, words, subject, answers)
        await self.world.mail.deliver(raw, to, auth)
        return await self.next_mail(person, seen)

    async def next_mail(self, person: Person, seen: int) -> SandboxMail:
        """The mail after the first `seen` ones."""
        return (
            await self.world.mail.wait_for(
                person.email, lambda _: len(self.world.mail.mailbox(person.email)) > seen, PATIENCE
            )
            and self.world.mail.mailbox(person.email)[seen]
        )

    def count(self, person: Person) -> int:
        return len(self.world.mail.mailbox(person.email))

    # The member, by chat

    def says(self, user: int, words: str) -> int:
        """A member writes to the bot; the number of their message."""
        return self.world.telegram.say(user, words).message_id

    def presses(self, message: Bubble, data: str) -> int:
        """A member presses the button whose data begins so; the number of the message above which
        the answer stands."""
        chat = message.chat.id
        keys = [key.data for row in message.buttons for key in row if key.data]
        whole = next(key for key in keys if key.startswith(data))
        self.world.telegram.click(chat, chat, message.message_id, whole)
        return max(each.message_id for each in self.world.telegram.messages(chat))

    async def hears(self, user: int, after: int, *words: str) -> Bubble:
        """The bot's first message after a number that says all of these words."""

        def look() -> list[Bubble]:
            said = self.world.telegram.from_bot(user, after)
            return [bubble for bubble in said if all(word in bubble.text for word in words)]

        return (await self.world.telegram.until(look, PATIENCE))[0]

    async def code_for(self, person: Person, seen: int) -> str:
        """The one-time code in the next mail of a member."""
        found = CODE.search((await self.next_mail(person, seen)).text)
        assert found is not None
        return found[0]

    async def linked(self, user: int, person: Person, after: int, ask: str) -> int:
        """Proves the chat: the address that is asked for, the code from that mailbox."""
        await self.hears(user, after, ask)
        seen = self.count(person)
        self.says(user, person.email)
        code = await self.code_for(person, seen)
        return self.says(user, code)

    # The agents

    async def proposal(self, state: str = "open") -> Proposal:
        """The newest proposal in a state, once it is there."""

        async def look() -> Proposal | None:
            async with self.world.desk.db.read() as session:
                rows = await session.exec(select(Proposal).where(Proposal.state == state))
                found = list(rows)
            return found[-1] if found else None

        return await self.commits.until(look)

    async def approve(self, *agents: int) -> None:
        proposal = await self.proposal()
        for number in agents or range(1, proposal.needs + 1):
            await decisions.approve(self.world.desk, proposal.sha256, audit.agent(number))

    async def request(self, state: str) -> Request:
        """The newest request, once it is in a state."""

        async def look() -> Request | None:
            newest = (await self.requests())[-1:]
            return newest[0] if newest and newest[0].state == state else None

        return await self.commits.until(look)

    async def requests(self) -> list[Request]:
        async with self.world.desk.db.read() as session:
            return list(await session.exec(select(Request).order_by(Request.id)))  # type: ignore[arg-type]

    async def holds(self) -> list[Hold]:
        async with self.world.desk.db.read() as session:
            rows = await session.exec(select(Hold))
            return [hold for hold in rows if hold.ended_revision is None]

    # The company

    async def ask(
        self, person: Person, field: str, purpose: str, recipient: str | None = None
    ) -> Decision:
        """What the company's nightly export is told by the gate."""
        return await self.world.desk.gate.decide(
            CALLERS[purpose], person.member, [field], purpose, recipient
        )

    async def row(self, person: Person, field: str) -> str | None:
        return (await self.world.desk.registry.read(person.member, [field]))[field]

    async def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Straight from the company's database."""
        engine = open_engine(f"sqlite:///{self.world.company}")
        async with engine.connect() as connection:
            found = [tuple(row) for row in await connection.execute(text(statement))]
        await engine.dispose()
        return found

    # The member's browser

    async def open_page(self, letter: str) -> str:
        """Follows the one-time link in a letter and presses its button; the page's HTML."""
        found = LINK.search(letter)
        assert found is not None, "the letter has no link"
        async with httpx.AsyncClient(follow_redirects=True) as browser:
            looked = await browser.get(found[0])
            assert looked.status_code == 200 and "<form" in looked.text
            pressed = await browser.post(found[0], headers={"Origin": origin(found[0])})
        assert pressed.status_code == 200
        return pressed.text


CALLERS = {
    "delivery": "nightly-export",
    "marketing": "marketing-mailer",
    "third_party": "buyer-api",
}


def origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def written(
    sender: str, words: str, subject: str, answers: SandboxMail | None
) -> tuple[bytes, str]:
    """A mail as a member's program writes it, and where it goes."""
    to = str(answers.message["Reply-To"]) if answers else DESK_ADDRESS
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = f"Re: {answers.subject}" if answers else subject
    mail["Message-ID"] = make_msgid(domain="mail.test")
    if answers:
        mail["In-Reply-To"] = answers.message_id
    mail.set_content(words)
    return mail.as_bytes(), to


@asynccontextmanager
async def running(world: World, port: int) -> AsyncIterator[Journey]:
    """The desk's loops, its pages and the emulator, until the block ends."""
    hurry(world)
    await world.desk.gate.refresh()
    app = one_app(
        world.parts,
        [
            Mount("/telegram", world.telegram.app),
            Mount("/sms", world.texts.app),
            Mount(partners.PATH, world.partners.app),
        ],
    )
    server = Server(app, "127.0.0.1", port)
    try:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve())
            loops = [group.create_task(_loop(each)) for each in loops_of(world.parts)]
            yield Journey(world, Commits(world))
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            await world.close()
            server.stop()
            await serving
    finally:
        for close in world.parts.closers:
            await close()
        await close_desk(world.desk)


async def _loop(each: Callable[[], Awaitable[None]]) -> None:
    await each()


def hurry(world: World) -> None:
    """Telegram's pace of one message a second is tested elsewhere."""
    ticks = count(0, 10)
    settings: TelegramSection = world.settings.telegram
    sender = TelegramSender(settings, monotonic=lambda: next(ticks))
    world.parts.senders[Door.TELEGRAM] = sender
    world.parts.closers.append(sender.close)


def reply(who: Person, words: str, letter: SandboxMail) -> tuple[bytes, str]:
    """A member's answer to a letter of ours, and where it goes."""
    return written(who.email, words, "", letter)
