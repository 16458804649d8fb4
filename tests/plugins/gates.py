"""A gate with its feed over a database of its own: holds placed and ended, replicas beside it."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from servers import free_port
from sqlmodel import SQLModel
from starlette.applications import Starlette
from starlette.routing import Mount

import subjectline.intake.sandbox
from subjectline.handlers import gate_callers, holds
from subjectline.handlers.gate import Gate
from subjectline.handlers.gate_feed import Feed
from subjectline.intake.gate_api import create_gate_app
from subjectline.intake.gate_feed import create_feed_app
from subjectline.intake.serve import Server
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap, load_map
from subjectline.models.db import Database
from subjectline.models.tables import Conversation, Request
from subjectline_client.core import steady

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MAP = Path(subjectline.intake.sandbox.__file__ or "").parent / "moment-pick" / "map.yaml"
REGISTRY = "moment-pick"


@dataclass
class House:
    """A desk's database with a gate and its feed. `keys` are those of its callers by name."""

    database: Database
    data_map: DataMap
    gate: Gate
    feed: Feed
    app: Any
    keys: dict[str, str] = field(default_factory=dict)
    port: int = 0
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _server: Server | None = None
    _running: "list[asyncio.Task[None]]" = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def caller(self, name: str, *purposes: str, to: tuple[str, ...] = ()) -> str:
        async with self.database.write() as session:
            self.keys[name] = await gate_callers.add_caller(session, name, purposes, to)
        return self.keys[name]

    async def hold(self, member: str, *fields: str, kind: str = "correction") -> int:
        """A request of the member that holds these fields; its id."""
        async with self.database.write() as session:
            request = await self._request(session, kind)
            plan = holds.holds_for(kind, fields, (), self.data_map)
            await holds.place(session, request, REGISTRY, member, plan, "firm", NOW)
        return request

    async def release(self, request: int) -> float:
        """Ends what the request holds; the moment just before the commit."""
        async with self.database.write() as session:
            await holds.end(session, request, NOW, "done")
            return steady()

    async def _request(self, session: Any, kind: str) -> int:
        mine = next(self._numbers)
        talk = Conversation(
            door="mail", contact_kind="email", contact_index=f"{mine}".encode(), key_id="k",
            made_at=NOW, last_at=NOW,
        )  # fmt: skip
        session.add(talk)
        await session.flush()
        request = Request(
            reference=f"SL-{mine}", group_id="g", conversation_id=talk.id or 0, kind=kind,
            key_id="k", arrived_at=NOW, due_at=NOW, due_on="2026-03-12",
        )  # fmt: skip
        session.add(request)
        await session.flush()
        return request.id or 0

    async def start(self) -> None:
        """Listens, and wakes who listens."""
        self.port = self.port or free_port()
        self._server = Server(self.app, "127.0.0.1", self.port)
        self._running = [
            asyncio.create_task(self._server.serve()),
            asyncio.create_task(self.feed.run()),
        ]

    async def stop(self) -> None:
        """As the desk stops: the server is told, the feed ends its streams, both are waited for."""
        if self._server is not None:
            self._server.stop()
            self._running[1].cancel()
            await asyncio.wait(self._running)
        self._server = None


@asynccontextmanager
async def housed(url: str, data_map: DataMap, *, tables: bool = True) -> AsyncIterator[House]:
    """A house over the database at `url`, with the tables made unless they are there."""
    database = Database(url)
    if tables:
        async with database.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
    clock = FrozenClock(NOW)
    gate = Gate(database, data_map, clock)
    feed = Feed(gate, database, data_map.registry, clock)
    app = Starlette(
        routes=[
            Mount("/access", _whole(create_gate_app(gate), "/access")),
            Mount("/gate", _whole(create_feed_app(feed), "/gate")),
        ]
    )
    house = House(database, data_map, gate, feed, app)
    try:
        yield house
    finally:
        await house.stop()
        await database.dispose()


def _whole(app: Any, prefix: str) -> Any:
    """Mounted below a prefix of its own paths."""

    async def kept(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await app({**scope, "root_path": ""}, receive, send)

    return kept


def sample_policy() -> DataMap:
    return load_map(MAP)


class Stream:
    """One caller of an ASGI application who reads what is said and may go."""

    def __init__(self, app: Any, path: str, key: str) -> None:
        headers = [(b"authorization", f"Bearer {key}".encode())]
        scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
        self.said: asyncio.Queue[bytes] = asyncio.Queue()
        self.status, self._left = 0, asyncio.Event()
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message.get("more_body"):
            await self.said.put(message["body"])

    def leave(self) -> None:
        self._left.set()
