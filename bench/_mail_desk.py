"""The desk of the mail door's benchmark: a real one, in a process of its own, as `serve` builds it."""

import asyncio
import smtplib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import event, text

from bench._mails import DESK, SERVER
from subjectline.handlers import inbox
from subjectline.handlers.desk import Desk
from subjectline.handlers.registry import open_engine
from subjectline.intake.mailbox import MailboxStatus
from subjectline.intake.sandbox.company import MAP, fill
from subjectline.intake.serve import Parts, assemble, cancelled, loops_of
from subjectline.intake.setup import close_desk, make_desk
from subjectline.models.incoming import Door
from subjectline.models.keys import KeyRing
from subjectline.models.migrate import migrate
from subjectline.models.settings import Settings

MEMBERS = 300
PATIENCE = 300  # seconds for all deliveries of the latency
COUNTS = {
    "requests": "SELECT count(*) FROM request",
    "letters": "SELECT count(*) FROM outbox",
    "dead": "SELECT count(*) FROM raw_inbox WHERE state = 'dead'",
    "held": "SELECT count(*) FROM message WHERE outcome = 'hold'",
}


@dataclass(frozen=True)
class Order:
    """What a desk of the benchmark is to do: whose mailbox, how many mails, and where its files are."""

    home: str
    user: str
    password: str
    imap: int
    lmtp: int
    smtp: int = 1  # nothing listens there: letters stay in the outbox
    mails: int = 0


async def take_in(order: Order) -> dict[str, float]:
    """Takes a mailbox in; its seconds, CPU seconds, peak of memory (MB) and counts."""
    parts = await _made(order)
    start, cpu = time.perf_counter(), time.process_time()
    # No letter leaves: what is measured ends at the outbox.
    loops = [*parts.loops, lambda: inbox.run(parts.desk, {Door.MAIL: parts.parsers[Door.MAIL]})]
    async with running(loops):
        await _committed(
            parts.desk, "SELECT count(*) FROM raw_inbox WHERE state != 'new'", order.mails, 0.1
        )
        took, spent = time.perf_counter() - start, time.process_time() - cpu
    figures = {name: float(await _number(parts.desk, query)) for name, query in COUNTS.items()}
    await close_desk(parts.desk)
    return {"seconds": took, "cpu": spent, "rss_mb": peak_mb(), **figures}


async def latency(order: Order, mails: list[bytes]) -> list[float]:
    """Seconds from each mail's delivery to its letter in the outbox of a desk with nothing to do."""
    parts, chance = await _made(order), Random(7)
    took = []
    [mailbox] = [door.status for door in parts.doors if isinstance(door.status, MailboxStatus)]
    async with asyncio.timeout(PATIENCE), running(loops_of(parts)):
        while mailbox.last_ok is None:
            await asyncio.sleep(0.05)
        for number, raw in enumerate(mails, 1):
            await asyncio.sleep(chance.uniform(1, 2))  # idle, and at no particular moment
            begun = time.perf_counter()
            await asyncio.to_thread(_deliver, order, raw)
            await _committed(parts.desk, COUNTS["letters"], number, 30)
            took.append(time.perf_counter() - begun)
    for close in parts.closers:
        await close()
    await close_desk(parts.desk)
    return took


def _deliver(order: Order, raw: bytes) -> None:
    with smtplib.LMTP("127.0.0.1", order.lmtp) as line:
        line.sendmail("sender@mail.test", [order.user], raw)


@asynccontextmanager
async def running(loops: list[Any]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(loop()) for loop in loops]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        await cancelled(tasks)


async def _committed(desk: Desk, query: str, count: int, patience: float) -> None:
    """Until the query counts so many: asked after a commit, at the latest after `patience` seconds."""
    happened = asyncio.Event()

    def commit(_: Any) -> None:
        happened.set()

    engine = desk.db.engine.sync_engine
    event.listen(engine, "commit", commit)
    try:
        while await _number(desk, query) < count:
            happened.clear()
            try:
                await asyncio.wait_for(happened.wait(), patience)
            except TimeoutError:
                continue
            await asyncio.sleep(patience if patience < 1 else 0.002)  # the event comes just before
    finally:
        event.remove(engine, "commit", commit)


async def _number(desk: Desk, query: str) -> int:
    async with desk.db.read() as session:
        return int((await (await session.connection()).execute(text(query))).scalar_one())


async def _made(order: Order) -> Parts:
    home = Path(order.home)
    company = f"sqlite:///{home / 'company.db'}"
    engine = open_engine(company)
    await fill(engine, datetime.now(UTC), MEMBERS)
    await engine.dispose()
    KeyRing.generate().save(home / "keyring.json")
    account = {"host": "127.0.0.1", "port": order.imap, "tls": "none"}
    account |= {"user": order.user, "password": order.password}
    settings = Settings.model_validate(
        {
            "desk": {"data_dir": str(home), "address": DESK, "authserv_ids": [SERVER]},
            "keys": {"ring": str(home / "keyring.json")},
            "registry": {"map": str(MAP), "urls": {"members": company}},
            "smtp": {"host": "127.0.0.1", "port": order.smtp, "tls": "none", "from_address": DESK},
            "mailboxes": [account],
        }
    )
    desk = make_desk(settings)
    await migrate(desk.db)
    return assemble(desk, settings)


def peak_mb() -> float:
    """The most memory this process has had. Not getrusage's: that one counts its parent's before exec."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line)
