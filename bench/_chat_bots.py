"""The two bots of the chat benchmark, each for a process of its own: the desk, and a bare echo.

Both end once they have answered so many messages, and tell the CPU seconds of their process since they
began to take updates.
"""

import asyncio
import itertools
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import event, text
from telegram import Update
from telegram.ext import Application, ContextTypes, MessageHandler, filters

from bench._mail_desk import running
from subjectline.handlers import inbox, outbox
from subjectline.handlers.registry import open_engine
from subjectline.handlers.senders.telegram import TelegramSender
from subjectline.intake.sandbox.company import MAP, fill
from subjectline.intake.serve import assemble
from subjectline.intake.setup import close_desk, make_desk
from subjectline.models.clock import system_clock
from subjectline.models.incoming import Door
from subjectline.models.keys import KeyRing
from subjectline.models.migrate import migrate
from subjectline.models.settings import Settings

MEMBERS = 300
ANSWERED = "SELECT count(*) FROM outbox WHERE outcome = 'sent'"


@dataclass(frozen=True)
class Order:
    """Where the Bot API is, where files may be, and how many messages will be said."""

    root: str
    token: str
    home: str
    messages: int


async def desk(
    order: Order, look: AbstractContextManager[object] | None = None
) -> dict[str, float]:
    """The chat's whole way: updates committed, understood, moved on, answered, noted as sent.

    `look` is entered while that is measured.
    """
    home = Path(order.home)
    settings = await _made(order, home)
    made = make_desk(settings)
    parts = assemble(made, settings)
    # Telegram's pace would only make it wait: each look at this clock finds a second gone.
    ticks = itertools.count(0, 10)
    sender = TelegramSender(settings.telegram, monotonic=lambda: next(ticks))
    loops = [
        *parts.loops,
        partial(inbox.run, made, parts.parsers),
        partial(outbox.run, made, {Door.TELEGRAM: sender}),
    ]
    start, cpu = time.perf_counter(), time.process_time()
    async with running(loops):
        with look or nullcontext():
            await _all_sent(made.db.engine, order.messages)
        took, spent = time.perf_counter() - start, time.process_time() - cpu
    for close in (*parts.closers, sender.close):
        await close()
    await close_desk(made)
    return {"cpu": spent, "seconds": took}


async def _made(order: Order, home: Path) -> Settings:
    members = f"sqlite:///{home / 'company.db'}"
    engine = open_engine(members)
    await fill(engine, system_clock(), MEMBERS)
    await engine.dispose()
    KeyRing.generate().save(home / "keyring.json")
    settings = Settings.model_validate(
        {
            "desk": {"data_dir": home},
            "registry": {"map": MAP, "urls": {"members": members}},
            "telegram": {
                "token": order.token,
                "base_url": f"{order.root}/bot",
                "base_file_url": f"{order.root}/file/bot",
            },
        }
    )
    made = make_desk(settings)
    await migrate(made.db)
    await close_desk(made)
    return settings


async def _all_sent(engine: object, messages: int) -> None:
    """Until as many lines have left as messages came: looked at after commits, now and then."""
    happened = asyncio.Event()
    event.listen(engine.sync_engine, "commit", lambda _: happened.set())  # type: ignore[attr-defined]
    while True:
        await happened.wait()
        await asyncio.sleep(0.2)
        happened.clear()
        async with engine.connect() as connection:  # type: ignore[attr-defined]
            if (await connection.execute(text(ANSWERED))).scalar_one() >= messages:
                return


async def echo(order: Order) -> dict[str, float]:
    """python-telegram-bot as its first example has it: says back what was said."""
    left, over = order.messages, asyncio.Event()

    async def back(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        nonlocal left
        assert update.message is not None and update.message.text is not None
        await update.message.reply_text(update.message.text)
        left -= 1
        if left <= 0:
            over.set()

    builder = Application.builder().token(order.token)
    app = builder.base_url(f"{order.root}/bot").base_file_url(f"{order.root}/file/bot").build()
    app.add_handler(MessageHandler(filters.TEXT, back))
    start, cpu = time.perf_counter(), time.process_time()
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling()
        await over.wait()
        took, spent = time.perf_counter() - start, time.process_time() - cpu
        await app.updater.stop()
        await app.stop()
    return {"cpu": spent, "seconds": took}


BOTS = {"desk": desk, "echo": echo}
