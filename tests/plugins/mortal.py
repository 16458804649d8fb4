"""A desk in a process of its own, to be killed with -9 at a chosen or at any moment, and started again.

As a program this file is the nursery: it imports the product once and forks a desk for each line of
JSON on its standard input (home, ports, seconds ahead of the clock, the point to die at). On its
standard output it says `born PID` and `dead PID`, or `ended PID` for one that died of itself.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy import event
from sqlmodel import select

from subjectline.handlers import applying, audit, decisions, inbox, post
from subjectline.handlers.desk import Desk
from subjectline.handlers.registry import Archive, Registry
from subjectline.handlers.registry.apply import Writer
from subjectline.handlers.registry.moving import Mover
from subjectline.handlers.senders.mail import MailSender
from subjectline.handlers.senders.telegram import TelegramSender
from subjectline.intake import telegram
from subjectline.intake.sandbox.company import MAP
from subjectline.intake.sandbox.mail_world import AUTHSERV_ID
from subjectline.intake.serve import Server, assemble, loops_of, public_app
from subjectline.intake.setup import make_desk
from subjectline.models.clock import Clock, MovableClock, system_clock
from subjectline.models.errors import Refused
from subjectline.models.mail_settings import MailboxSettings, SmtpSettings
from subjectline.models.settings import DeskSection, RegistrySection, Settings, TelegramSection
from subjectline.models.tables import Proposal

DESK_ADDRESS = "privacy@moment-pick.test"
# Where a desk dies: (module or class, function, before or after it).
POINTS: dict[str, tuple[Any, str, str]] = {
    "raw mail kept, not yet moved": (inbox, "keep", "after"),
    "message received, not committed": (inbox, "_end", "after"),
    "letters rendered, not committed": (post, "flush", "after"),
    "signed and committed": (decisions, "approve", "after"),
    "attempt committed, registry not touched": (Registry, "apply", "before"),
    "registry written, desk not": (Registry, "apply", "after"),
    "everything written, not committed": (applying, "_close", "after"),
    "letter taken, not handed over": (MailSender, "send", "before"),
    "letter handed over, not noted": (MailSender, "send", "after"),
}
# Between every two steps of "Two databases, no lie"; of two databases a step is made twice.
APART: dict[str, tuple[Any, str, str]] = {
    "attempt committed, nothing looked at": (Registry, "apply", "before"),
    "tried everywhere, nothing written": (Writer, "_precheck", "after"),
    "a database is next": (Writer, "_round", "before"),
    "a database written and committed, not read back": (Writer, "_round", "after"),
    "the first database done, the second not begun": (Writer, "_attempt", "after"),
    "in the archive, not read back": (Archive, "_read_back", "before"),
    "archived and read back, live rows there": (Mover, "archive", "after"),
    "live rows gone in an open transaction": (Mover, "write", "after"),
    "live rows gone, archive not settled": (Mover, "settle", "before"),
    "one table settled, the next not": (Mover, "settle", "after"),
    "everything written, the desk does not know": (Registry, "apply", "after"),
    "the desk has written it, not committed": (applying, "_close", "after"),
}
# Where a chat's updates and lines are between two places.
CHAT: dict[str, tuple[Any, str, str]] = {
    "update kept, not yet confirmed": (telegram, "keep", "after"),
    "message received, not committed": (inbox, "_end", "after"),
    "letters rendered, not committed": (post, "flush", "after"),
    "line taken, not written": (TelegramSender, "send", "before"),
    "line written, not noted": (TelegramSender, "send", "after"),
}
POINTS_OF = {**POINTS, **APART, **CHAT}


class Mail(Protocol):
    """The servers of a desk in a nursery: the sandbox's, or real ones; port 0 where there is none."""

    @property
    def imap_port(self) -> int: ...

    @property
    def smtp_port(self) -> int: ...


class Nursery:
    """Starts desks and hears of their deaths.

    `registry`: where its databases and its map are, and what `mailbox` and `letters` (SMTP) say else.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        home: Path,
        world: Mail,
        registry: dict[str, Any] | None = None,
    ) -> None:
        self._process, self._home, self._world = process, home, world
        self._registry = registry or {}
        self._ahead = 0.0
        self.pid = 0

    async def bear(self, point: str = "", nth: int = 1) -> None:
        """Starts a desk, which dies when it comes to a point for the nth time. Each next one's clock
        is two minutes ahead: leases of the dead are over."""
        order = {
            "home": str(self._home),
            "imap": self._world.imap_port,
            "smtp": self._world.smtp_port,
            "ahead": self._ahead,
            "point": point,
            "nth": nth,
            **self._registry,
        }
        self._ahead += 120
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()
        self.pid = await self._hear("born")

    async def death(self) -> None:
        """Until the desk has died at its point."""
        async with asyncio.timeout(30):
            assert await self._hear("dead") == self.pid

    async def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        await self.death()

    async def _hear(self, word: str) -> int:
        assert self._process.stdout is not None
        said, _, pid = (await self._process.stdout.readline()).decode().partition(" ")
        assert said == word, f"the nursery said {said!r} instead of {word!r}"
        return int(pid)


@asynccontextmanager
async def nursery(
    home: Path, world: Mail, registry: dict[str, Any] | None = None
) -> AsyncIterator[Nursery]:
    """A nursery for the desk in `home`, whose mail is `world`'s; everything in it dies at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    made = Nursery(process, home, world, registry)
    try:
        yield made
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


def settings_of(order: dict[str, Any]) -> Settings:
    home = Path(order["home"])
    usual = {"members": f"sqlite:///{home / 'company.db'}"}
    account = {"host": "127.0.0.1", "user": DESK_ADDRESS, "password": "sandbox", "tls": "none"}
    mailbox = {"port": order["imap"], "retry_seconds": 0.05, **account, **order.get("mailbox", {})}
    letters = {**account, **order.get("letters", {})}
    return Settings(
        desk=DeskSection(data_dir=home, address=DESK_ADDRESS, authserv_ids=(AUTHSERV_ID,)),
        registry=RegistrySection(
            map=order.get("map", MAP),
            urls={name: SecretStr(url) for name, url in order.get("urls", usual).items()},
        ),
        mailboxes=(MailboxSettings(**mailbox),) if order["imap"] else (),
        smtp=SmtpSettings(**{**letters, "port": order["smtp"], "from_address": DESK_ADDRESS}),
        telegram=TelegramSection(**order.get("telegram", {})),
    )


async def live(order: dict[str, Any]) -> None:
    """A desk with two agents who sign whatever is proposed, until it is killed."""
    settings, clock = settings_of(order), MovableClock(_base(order.get("start", "")))
    clock.advance(timedelta(seconds=order["ahead"]))
    desk = make_desk(settings, clock)
    if order["point"]:
        arm(*POINTS_OF[order["point"]], order["nth"])
    parts = assemble(desk, settings)
    async with asyncio.TaskGroup() as group:
        if settings.hook:
            port = urlsplit(settings.hook).port or 0
            group.create_task(Server(public_app(parts), "127.0.0.1", port).serve())
        for loop in loops_of(parts):
            group.create_task(_lasting(loop))
        group.create_task(_sign(desk))


def _base(start: str) -> Clock:
    """The system's clock, or one that starts at a time and runs on."""
    born = datetime.now(UTC)
    if not start:
        return system_clock
    return lambda: datetime.fromisoformat(start) + (datetime.now(UTC) - born)


async def _lasting(loop: Callable[[], Awaitable[None]]) -> None:
    await loop()


async def _sign(desk: Desk) -> None:
    committed = asyncio.Event()
    event.listen(desk.db.engine.sync_engine, "commit", lambda _: committed.set())
    while True:
        async with desk.db.read() as session:
            rows = await session.exec(select(Proposal).where(Proposal.state == "open"))
            waiting = [proposal.sha256 for proposal in rows]
        for sha256 in waiting:
            for number in (1, 2):
                await _sign_one(desk, sha256, number)
        await committed.wait()
        committed.clear()


async def _sign_one(desk: Desk, sha256: str, number: int) -> None:
    try:
        await decisions.approve(desk, sha256, audit.agent(number))
    except Refused:
        return  # signed before the desk died, or needs no second one


def arm(place: Any, name: str, when: str, nth: int = 1) -> None:
    """The process dies where this function is called for the nth time, before or after its work."""
    real, calls = getattr(place, name), count(1)

    def died(*given: Any, **named: Any) -> Any:
        if next(calls) != nth:
            return real(*given, **named)
        if when == "before":
            die()
        done = real(*given, **named)
        if not asyncio.iscoroutine(done):
            die()
        return _and_die(done)

    setattr(place, name, died)


async def _and_die(work: Awaitable[Any]) -> None:
    await work
    die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """The nursery: one desk at a time, none survives it."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(live(json.loads(line)))
            os._exit(1)  # a desk does not end by itself
        print("born", child, flush=True)  # noqa: T201
        status = os.waitpid(child, 0)[1]
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("dead" if killed else "ended", child, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
