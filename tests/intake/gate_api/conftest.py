"""The gate's application over a desk's database, asked over HTTP without a socket."""

import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi import as_documented
from sqlmodel import SQLModel, create_engine

import subjectline.intake.sandbox
from subjectline.handlers import gate_callers, holds
from subjectline.handlers.gate import Gate
from subjectline.intake.gate_api import create_gate_app
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap, load_map
from subjectline.models.db import Database
from subjectline.models.tables import Conversation, Request

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MAP = Path(subjectline.intake.sandbox.__file__ or "").parent / "moment-pick" / "map.yaml"


@dataclass
class World:
    """Member 7 has a contested email address. `mailer` and `buyer` are the keys of two callers."""

    database: Database
    data_map: DataMap
    gate: Gate
    http: httpx.AsyncClient
    mailer: str = ""
    buyer: str = ""

    async def post(self, path: str, body: Any, key: str = "", **headers: str) -> httpx.Response:
        given = {"authorization": f"Bearer {key or self.mailer}", **headers}
        if isinstance(body, bytes):
            given = {"content-type": "application/json", **given}
            return await self.http.post(path, content=body, headers=given)
        return await self.http.post(path, json=body, headers=given)

    async def withdraw(self, kind: str) -> None:
        await hold(self, kind, ())


@pytest.fixture(scope="session")
def empty_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the tables and nothing in them, to be copied."""
    path = tmp_path_factory.mktemp("gate") / "empty.db"
    engine = create_engine(f"sqlite:///{path}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def data_map() -> DataMap:
    return load_map(MAP)


@pytest.fixture
async def world(empty_desk: Path, data_map: DataMap, tmp_path: Path) -> AsyncIterator[World]:
    database = Database(f"sqlite+aiosqlite:///{shutil.copy(empty_desk, tmp_path / 'desk.db')}")
    gate = Gate(database, data_map, FrozenClock(NOW))
    transport = httpx.ASGITransport(app=create_gate_app(gate))
    hooks = {"response": [as_documented]}  # every answer of every test
    async with httpx.AsyncClient(
        transport=transport, base_url="http://gate.test", event_hooks=hooks
    ) as http:
        made = World(database, data_map, gate, http)
        async with database.write() as session:
            made.mailer = await gate_callers.add_caller(session, "mailer", ["marketing", "service"])
            made.buyer = await gate_callers.add_caller(
                session, "buyer", ["third_party"], ["content_buyer"]
            )
        await hold(made, "correction", ("email",))
        yield made
    await database.dispose()


async def hold(world: World, kind: str, fields: tuple[str, ...]) -> None:
    async with world.database.write() as session:
        talk = Conversation(
            door="mail",
            contact_kind="email",
            contact_index=kind.encode(),
            key_id="k",
            made_at=NOW,
            last_at=NOW,
        )
        session.add(talk)
        await session.flush()
        request = Request(
            reference=kind,
            group_id="g",
            conversation_id=talk.id or 0,
            kind=kind,
            key_id="k",
            arrived_at=NOW,
            due_at=NOW,
            due_on="2026-03-12",
        )
        session.add(request)
        await session.flush()
        plan = holds.holds_for(kind, fields, (), world.data_map)
        await holds.place(session, request.id or 0, "moment-pick", "7", plan, "firm", NOW)


Question = Callable[..., dict[str, Any]]


@pytest.fixture
def question() -> Question:
    """A good question, of which a test changes what it is about."""

    def ask(
        subject: str = "7",
        fields: object = ("email",),
        purpose: str = "marketing",
        caller: str = "mailer",
        **context: object,
    ) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "subject": {"type": "system", "id": caller},
            "action": {"name": purpose},
            "resource": {"type": "member", "id": subject, "properties": {"fields": fields}},
        }
        return {**asked, "context": context} if context else asked

    return ask
