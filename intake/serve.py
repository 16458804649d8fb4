"""The one composition root: builds senders, doors and applications, and runs them in one TaskGroup."""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from subjectline.handlers import (
    group_cards,
    inbox,
    notices,
    outbox,
    recipients_outbox,
    retention,
    scanning,
    tasks,
    timers,
)
from subjectline.handlers.desk import Desk
from subjectline.handlers.gate_feed import Feed
from subjectline.handlers.gate_reach import Reach
from subjectline.handlers.outbox import Sender
from subjectline.handlers.recipients_outbox import Ways
from subjectline.handlers.senders.clamd import Clamd
from subjectline.handlers.senders.mail import MailSender
from subjectline.handlers.senders.sms import SmsSender, gateway_of
from subjectline.handlers.senders.smtp import SendStatus, SmtpSender
from subjectline.handlers.senders.telegram import TelegramSender
from subjectline.handlers.senders.tokens import TokenSources
from subjectline.handlers.senders.webhook import Webhooks
from subjectline.intake.console.app import create_console
from subjectline.intake.gate_api import OPENAPI, create_gate_app
from subjectline.intake.gate_feed import create_feed_app
from subjectline.intake.gate_limits import Limits
from subjectline.intake.health import Watched, health_routes
from subjectline.intake.listening import bind
from subjectline.intake.mail import MailPolicy
from subjectline.intake.mail_sink import MailSink, Recent, mail_parser
from subjectline.intake.mailauth.check import Checker
from subjectline.intake.mailauth.dns import LiveDns
from subjectline.intake.mailbox import Mailbox
from subjectline.intake.pages.app import create_pages
from subjectline.intake.places import places
from subjectline.intake.prompt import Prompt
from subjectline.intake.setup import Alone, close_desk, make_desk
from subjectline.intake.telegram import TelegramDoor, parse_update
from subjectline.models.gate_settings import GateSettings
from subjectline.models.incoming import Door
from subjectline.models.mail_settings import MailboxSettings, is_spam_folder
from subjectline.models.migrate import migrate
from subjectline.models.settings import Settings

log = logging.getLogger(__name__)

Loop = Callable[[], Awaitable[None]]


@dataclass
class Parts:
    """A desk with its doors and ways out, not yet running."""

    desk: Desk
    senders: dict[Door, Sender] = field(default_factory=dict)
    at_once: dict[Door, int] = field(default_factory=dict)  # letters under way, where not the usual
    parsers: dict[Door, inbox.Parser] = field(default_factory=dict)
    loops: list[Loop] = field(default_factory=list)
    doors: list[Watched] = field(default_factory=list)
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    hooks: list[BaseRoute] = field(default_factory=list)  # of the public application
    gate_http: GateSettings = field(default_factory=GateSettings)

    @cached_property
    def feed(self) -> Feed:
        """The gate's feed: one loop runs it, its application tells it."""
        desk = self.desk
        return Feed(desk.gate, desk.db, desk.data_map.registry, desk.clock)


def assemble(desk: Desk, settings: Settings) -> Parts:
    """Doors and senders as the settings say."""
    parts, tokens = Parts(desk, gate_http=settings.gate_http), TokenSources()
    if settings.smtp is not None:
        smtp = SmtpSender(settings.smtp, tokens.of(settings.smtp.oauth), clock=desk.clock)
        parts.senders[Door.MAIL] = MailSender(smtp, desk.clock)
        # Some of those under way wait for the turn of a slow domain.
        parts.at_once[Door.MAIL] = 2 * settings.smtp.connections
        parts.loops.append(smtp.watch)
        parts.closers.append(smtp.close)
        parts.doors.append(Watched("smtp", smtp.status))
    largest = max(
        (box.max_mail_bytes for box in settings.mailboxes), default=MailPolicy().max_bytes
    )
    policy = MailPolicy(settings.desk.authserv_ids, (settings.desk.address,), largest)
    recent = Recent()
    parts.parsers[Door.MAIL] = _mail_parser(policy, settings, recent)
    for box in settings.mailboxes:
        sink = MailSink(desk, policy, recent)
        door = Mailbox(box, sink, desk.clock, tokens.of(box.oauth))
        parts.loops.append(door.run)
        parts.doors.append(Watched(_name(box, settings), door.status))
    if settings.telegram.token is not None:
        _add_telegram(parts, settings)
    if settings.sms is not None:
        text = SmsSender(gateway_of(settings.sms, desk.clock), SendStatus())
        parts.senders[Door.SMS] = text
        parts.closers.append(text.gateway.close)
        parts.doors.append(Watched("sms", text.status))
    webhooks = Webhooks(settings.recipients.seconds, desk.clock)
    parts.closers.append(webhooks.close)
    ways = Ways(webhooks, parts.senders.get(Door.MAIL))
    parts.loops.append(partial(recipients_outbox.run, desk, ways))
    scanner = Clamd(settings.attachments) if settings.attachments.clamd else None
    parts.loops.append(partial(scanning.run, desk, scanner))
    return parts


def _mail_parser(policy: MailPolicy, settings: Settings, recent: Recent) -> inbox.Parser:
    """With our own look at signatures for the mailboxes that ask for it."""
    spam = [b.name_of(name) for b in settings.mailboxes for name in b.read if is_spam_folder(name)]
    if not any(box.verify_dkim for box in settings.mailboxes):
        return mail_parser(policy, recent=recent, spam=spam)
    dns = LiveDns(settings.dns)
    checker = Checker(dns, policy.authserv_ids, seconds=settings.dns.mail_seconds)
    unchecked = {f"{box.user}@{box.host}" for box in settings.mailboxes if not box.verify_dkim}
    return mail_parser(policy, checker, unchecked, recent, spam)


def _name(box: MailboxSettings, settings: Settings) -> str:
    """The user, with as much more as tells the mailboxes apart."""
    same = [each for each in settings.mailboxes if each.user == box.user]
    if len(same) == 1:
        return f"mailbox {box.user}"
    other_hosts = len({each.host for each in same}) == len(same)
    return f"mailbox {box.user} at {box.host}" if other_hosts else f"mailbox {box.name}"


def _add_telegram(parts: Parts, settings: Settings) -> None:
    door = TelegramDoor(parts.desk, settings.telegram, hook=settings.hook)
    if settings.hook:
        path = urlsplit(settings.hook).path or "/"
        parts.hooks.append(Route(path, door.webhook, methods=["POST"]))
    parts.parsers[Door.TELEGRAM] = parse_update
    sender = TelegramSender(settings.telegram)
    parts.senders[Door.TELEGRAM] = sender
    parts.closers += [sender.close, door.close]
    parts.loops += [door.run, partial(group_cards.run, parts.desk, sender)]
    parts.doors.append(Watched("telegram", door.status))


def loops_of(parts: Parts) -> list[Loop]:
    """Everything that runs beside the web applications."""
    desk = parts.desk
    loops: list[Loop] = [
        *parts.loops,
        lambda: inbox.run(desk, parts.parsers),
        lambda: tasks.run(desk),
        *(
            partial(outbox.run, desk, {door: sender}, parts.at_once.get(door, outbox.AT_ONCE))
            for door, sender in parts.senders.items()
        ),
        lambda: timers.run(desk),
        lambda: retention.loop(desk),
        lambda: notices.watch_releases(desk),
        desk.gate.run,
        *(mirror.run for mirror in desk.mirrors.all),
        Reach(desk.gate, desk.db, desk.clock).run,
        parts.feed.run,
    ]
    if Door.MAIL in parts.senders:
        loops.append(lambda: notices.run(desk, parts.senders[Door.MAIL]))
    return loops


def public_app(parts: Parts) -> Starlette:
    """What members reach: the policy, secure pages, health."""
    routes: list[BaseRoute] = [
        *health_routes(parts.desk, parts.doors, figures=False),
        *parts.hooks,
    ]
    return Starlette(routes=[*routes, Mount("/", create_pages(parts.desk))])


def internal_app(parts: Parts, extra: Sequence[BaseRoute] = ()) -> Starlette:
    """What the company reaches: the console, the gate, metrics."""
    desk = parts.desk
    how = parts.gate_http
    limits = Limits(how.questions_a_second, how.wrong_keys_a_minute)
    gate = create_gate_app(desk.gate, how.url, limits)
    routes: list[BaseRoute] = [
        *extra,
        *health_routes(desk, parts.doors),
        Mount("/access", _keeping_path(gate, "/access")),
        Mount("/.well-known", _keeping_path(gate, "/.well-known")),
        Route(OPENAPI, gate),
        Mount("/gate/v1", _keeping_path(create_feed_app(parts.feed), "/gate/v1")),
        Mount("/", create_console(desk)),
    ]
    return Starlette(routes=routes)


def one_app(parts: Parts, extra: Sequence[BaseRoute] = ()) -> Starlette:
    """Both applications on one port, as the sandbox shows them."""
    pages = create_pages(parts.desk)
    member_routes: list[BaseRoute] = [
        Mount(path, _keeping_path(pages, path)) for path in ("/m", "/policy")
    ]
    return internal_app(parts, [*extra, *parts.hooks, *member_routes])


def _keeping_path(app: Any, prefix: str) -> Any:
    """Mounted below a prefix that is part of the app's own paths."""

    async def kept(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await app(
            {**scope, "root_path": scope.get("root_path", "").removesuffix(prefix)}, receive, send
        )

    return kept


async def serve(settings: Settings) -> None:
    """The real thing: runs until a signal. Raises SettingsError in one sentence where it cannot, and
    DataMapError where letters would leave without a sender."""
    with Alone(places(settings).lock):
        desk = make_desk(settings)
        try:
            desk.data_map.must_have_sender()
            await migrate(desk.db)
            parts = assemble(desk, settings)
            gc.collect()  # what the migrations left
            gc.freeze()  # to look through what stays for good would stop every answer for 0.1 s
            await run(parts, applications(parts, settings))
        finally:
            await close_desk(desk)


def applications(parts: Parts, settings: Settings) -> list[tuple[Any, str, int]]:
    """Each application with its listener."""
    listen = settings.listen
    if listen.public_port == listen.internal_port:
        return [(one_app(parts), listen.host, listen.public_port)]
    return [
        (public_app(parts), listen.host, listen.public_port),
        (internal_app(parts), listen.host, listen.internal_port),
    ]


async def run(
    parts: Parts,
    apps: Sequence[tuple[Any, str, int | socket.socket]],
    ready: Callable[[], Awaitable[None]] | None = None,
    closing: Callable[[], Awaitable[None]] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Runs loops and applications until SIGINT, SIGTERM or `stop`; then closes what was opened.

    Each application listens on a port or a socket that is bound already. `ready` runs once everything
    listens; `closing` before the servers stop, so that whoever waits on
    a long call can go.
    """
    stop = _stopped_by_signals(stop or asyncio.Event())
    servers = [Server(app, host, port) for app, host, port in apps]
    await parts.desk.gate.refresh()
    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(_lasting(each)) for each in loops_of(parts)]
            for server in servers:
                group.create_task(server.serve())
            if ready is not None:
                running.append(group.create_task(_done(ready)))
            await stop.wait()
            if closing is not None:
                await closing()
            for server in servers:
                server.stop()
            await cancelled(running)
    finally:
        for close in parts.closers:
            await close()


async def cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancels until they have ended: `asyncio.wait_for` of 3.11, which libraries use, loses a
    cancellation that comes in the moment its answer does."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=2)


async def _done(ready: Callable[[], Awaitable[None]]) -> None:
    await ready()


def _stopped_by_signals(stop: asyncio.Event) -> asyncio.Event:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    return stop


async def _lasting(each: Loop) -> None:
    """A loop that fell over is set up again; what it had in hand is leased and comes back."""
    while True:
        try:
            await each()
            return
        except Exception:
            log.exception("a loop of the desk stopped and starts again")
            await asyncio.sleep(1)


class _Uvicorn(uvicorn.Server):
    """Leaves signals to the desk, which stops its doors first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """uvicorn on a socket that was bound first, so that a busy port is one clear line."""

    def __init__(self, app: Any, host: str, port: int | socket.socket) -> None:
        self._socket = bind(host, port) if isinstance(port, int) else port
        config = uvicorn.Config(
            app,
            http=Prompt,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=3,
        )
        self._server = _Uvicorn(config)

    async def serve(self) -> None:
        await self._server.serve([self._socket])

    def stop(self) -> None:
        self._server.should_exit = True
