"""`subjectline gate serve`: the gate by itself, in several processes, apart from the desk.

It answers over HTTP what the desk's own gate answers, from memory, and goes on while the desk is
stopped, upgraded or migrating, as long as it reaches the database. It never migrates anything and
needs neither the key ring nor the company's databases, but for the masking views in them, if the
settings have mirrors. Each process follows by itself.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
import sqlite3
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from uvicorn.supervisors import Multiprocess

from subjectline.handlers.gate_feed import Feed
from subjectline.handlers.gate_file import FileGate
from subjectline.handlers.gate_following import FollowingGate
from subjectline.handlers.gate_mirror import Mirrors
from subjectline.intake.asgi import App, Receive, Scope, Send
from subjectline.intake.discreet import start_logging
from subjectline.intake.gate_api import create_gate_app
from subjectline.intake.gate_feed import create_feed_app
from subjectline.intake.gate_limits import Limits
from subjectline.intake.gate_words import create_worded_app
from subjectline.intake.listening import bind
from subjectline.intake.mirrors import mirrors_of
from subjectline.intake.places import places
from subjectline.intake.prompt import Prompt
from subjectline.models.clock import system_clock
from subjectline.models.datamap import load_map
from subjectline.models.db import Database
from subjectline.models.errors import SettingsError
from subjectline.models.gate_settings import GateSettings
from subjectline.models.settings import Settings, load_settings

log = logging.getLogger(__name__)

ORDER = "SUBJECTLINE_GATE_SERVE"  # how the processes are told; no setting
FIRST_SECONDS = 5.0  # that a start waits for the first look
BLIND = (
    "no hold could be read yet, so everything is denied as never_synced until it can: is the desk's"
    " database there ([database] in the settings), and has the desk been started once?"
)
SELDOM_SECONDS = 60.0  # between two lines of the same words in the log


class Order(msgspec.Struct, frozen=True):
    """What one process is to serve: a desk's database (`config`), or a file of holds."""

    config: str = ""
    holds: str = ""
    uses: str = ""
    how: dict[str, Any] = {}  # the settings of `[gate_http]`

    @property
    def settings(self) -> GateSettings:
        """Raises SettingsError."""
        try:
            return GateSettings.model_validate(self.how)
        except ValidationError as error:
            wrong = error.errors()[0]
            where = ".".join(("gate_http", *map(str, wrong["loc"])))
            raise SettingsError(wrong["msg"].removeprefix("Value error, "), field=where) from None


def serve(order: Order) -> None:
    """Runs until a signal. Raises SettingsError, DataMapError where it cannot begin."""
    how = order.settings
    gate_of(order)  # what is wrong with it is told here, not by each process
    _readable(how)
    _writable(order.uses)
    listening = bind(how.host, how.port, "subjectline gate serve --port {port}")
    os.environ[ORDER] = msgspec.json.encode(order).decode()
    config = _config(how)
    print(f"The gate listens on {_url(how, listening)} ({how.processes} processes).", flush=True)  # noqa: T201
    try:
        if how.processes > 1:
            Multiprocess(config, [listening]).run()
        else:
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


def _readable(how: GateSettings) -> None:
    """Raises SettingsError for a certificate or a key that is none."""
    if how.certificate is None:
        return
    try:
        ssl.create_default_context().load_cert_chain(how.certificate, how.private_key, lambda: "")
    except OSError as error:  # an SSLError is one
        why = error.strerror or str(error)
        raise SettingsError(
            f"no certificate with its key can be read there ({why})", field="gate_http.certificate"
        ) from None


def _writable(uses: str) -> None:
    """Raises SettingsError if there can be no ledger in this file."""
    if not uses:
        return
    try:
        with closing(sqlite3.connect(uses)) as found:
            found.execute("PRAGMA user_version")
    except sqlite3.Error as error:
        raise SettingsError(f"no ledger can be kept in {uses}: {error}", field="--uses") from None


def order_of(config: Path, holds: Path | None, uses: Path | None, changed: dict[str, Any]) -> Order:
    """`changed` are settings that the command line sets. Raises SettingsError."""
    if holds is None:
        if uses is not None:
            raise SettingsError("the desk's database keeps the uses", field="--uses")
        how = load_settings(config).gate_http.model_dump(mode="json")
        return Order(config=str(config.resolve()), how=how | changed)
    how = GateSettings().model_dump(mode="json")
    kept = str(uses.resolve()) if uses else ""
    return Order(holds=str(holds.resolve()), uses=kept, how=how | changed)


def gate_of(order: Order) -> FollowingGate:
    """The gate that the order names, not yet following. Raises SettingsError, DataMapError."""
    if order.holds:
        uses = Path(order.uses) if order.uses else None
        return FileGate(Path(order.holds), system_clock, uses)
    settings: Settings = load_settings(Path(order.config))
    database = Database(places(settings).database, made=True)
    return FollowingGate(database, load_map(settings.registry.map), system_clock)


def application() -> App:
    """What each process runs; it reads its order from the environment."""
    start_logging(SELDOM_SECONDS)
    order = msgspec.json.decode(os.environ[ORDER], type=Order)
    gate = gate_of(order)
    app = create_app(gate, order.settings, _mirrors(order, gate))
    gc.freeze()  # to look through what stays for good would stop every answer for 0.1 s
    return app


def _mirrors(order: Order, gate: FollowingGate) -> Mirrors:
    """Masking views stay current while the desk is stopped; whoever comes first goes round."""
    if not order.config:
        return Mirrors()
    settings = load_settings(Path(order.config))
    return mirrors_of(settings, load_map(settings.registry.map), gate, system_clock)


def create_app(gate: FollowingGate, how: GateSettings, mirrors: Mirrors | None = None) -> App:
    """The gate's routes. Its life is the application's: it follows from the start to the end."""
    limits = Limits(how.questions_a_second, how.wrong_keys_a_minute)
    if isinstance(gate, FileGate):
        asked, feed = create_worded_app(gate, how.url, limits), None
    else:
        asked, feed = create_gate_app(gate, how.url, limits), gate.feed()
    return _Served(asked, _rest(gate, feed), gate, feed, mirrors or Mirrors())


class _Served:
    """Questions go straight to their application; Starlette has the rest."""

    def __init__(
        self, asked: App, rest: App, gate: FollowingGate, feed: Feed | None, mirrors: Mirrors
    ) -> None:
        self._asked, self._rest, self._gate, self._feed = asked, rest, gate, feed
        self._mirrors = mirrors
        self._elsewhere = ("/healthz", "/gate/v1/") if feed else ("/healthz",)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        if scope["type"] == "http" and scope["path"].startswith(self._elsewhere):
            return await self._rest(scope, receive, send)
        await self._asked(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with _running(self._gate, self._feed, self._mirrors):
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def _running(gate: FollowingGate, feed: Feed | None, mirrors: Mirrors) -> AsyncIterator[None]:
    """Follows; the first look has been tried when this begins, and the ledger is written at the end."""
    if isinstance(gate, FileGate):
        await gate.prepare()
    loops = [gate.follow(), gate.run(), _with_parent(), *([feed.run()] if feed else [])]
    loops += [mirror.run() for mirror in mirrors.all]
    tasks = [asyncio.create_task(loop) for loop in loops]
    await asyncio.wait({asyncio.ensure_future(gate.refresh())}, timeout=FIRST_SECONDS)
    if gate.age_ms < 0:
        log.warning(BLIND)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await mirrors.close()
        await gate.close()


async def _with_parent() -> None:
    """Ends this process with the one that started it, where it is one of several: nobody else would."""
    parent = parent_process()
    while parent is not None:
        if not parent.is_alive():
            os.kill(os.getpid(), signal.SIGTERM)
            return
        await asyncio.sleep(1)


def _rest(gate: FollowingGate, feed: Feed | None) -> Starlette:
    async def healthz(request: Request) -> JSONResponse:
        age, most = gate.age_ms, int(gate.state.bound * 1000)
        good = 0 <= age < most
        told = {"ok": good, "revision": gate.state.revision, "age_ms": age, "bound_ms": most}
        return JSONResponse(told, status_code=200 if good else 503)

    routes: list[Any] = [Route("/healthz", healthz)]
    if feed is not None:
        routes.append(Mount("/gate/v1", _whole(create_feed_app(feed))))
    return Starlette(routes=routes)


def _whole(app: App) -> App:
    """Mounted below a prefix of its own paths."""

    async def kept(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "root_path": ""}, receive, send)

    return kept


def _config(how: GateSettings) -> uvicorn.Config:
    return uvicorn.Config(
        "subjectline.intake.gate_serve:application",
        factory=True,
        http=Prompt,
        workers=how.processes,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=3,
        ssl_certfile=how.certificate,
        ssl_keyfile=how.private_key,
    )


def _url(how: GateSettings, listening: socket.socket) -> str:
    scheme = "https" if how.certificate else "http"
    host, port = listening.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
