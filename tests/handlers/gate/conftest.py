"""A desk's database with the sample company's map, and requests to hang holds on."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from sqlmodel import SQLModel, create_engine

import subjectline.intake.sandbox
from subjectline.handlers import holds
from subjectline.handlers.gate import Gate
from subjectline.handlers.holds import HoldPlan
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap, load_map
from subjectline.models.db import Database
from subjectline.models.tables import Conversation, Request

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MAP = Path(subjectline.intake.sandbox.__file__ or "").parent / "moment-pick" / "map.yaml"


@pytest.fixture(scope="session")
def empty_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the tables and nothing in them, to be copied."""
    path = tmp_path_factory.mktemp("gate") / "empty.db"
    engine = create_engine(f"sqlite:///{path}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture
async def database(empty_desk: Path, tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite+aiosqlite:///{shutil.copy(empty_desk, tmp_path / 'desk.db')}")
    yield made
    await made.dispose()


@pytest.fixture(scope="session")
def data_map() -> DataMap:
    return load_map(MAP)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
def gate(database: Database, data_map: DataMap, clock: FrozenClock) -> Gate:
    return Gate(database, data_map, clock)


NewRequest = Callable[..., Awaitable[int]]
Held = Callable[..., Awaitable[int]]


@pytest.fixture
def new_request(database: Database, data_map: DataMap) -> NewRequest:
    """A request of a member, open unless told otherwise; its id."""
    numbers = count(1)

    async def make(subject: str = "7", state: str = "open", kind: str = "correction") -> int:
        mine = next(numbers)
        async with database.write() as session:
            talk = Conversation(
                door="mail",
                contact_kind="email",
                contact_index=str(mine).encode(),
                key_id="k",
                made_at=NOW,
                last_at=NOW,
            )
            session.add(talk)
            await session.flush()
            request = Request(
                reference=f"SL-{mine}",
                group_id="g",
                conversation_id=talk.id or 0,
                kind=kind,
                state=state,
                registry_id=data_map.registry,
                subject_id=subject,
                key_id="k",
                arrived_at=NOW,
                due_at=NOW,
                due_on="2026-03-12",
            )
            session.add(request)
            await session.flush()
            return request.id or 0

    return make


@pytest.fixture
def held(database: Database, data_map: DataMap, new_request: NewRequest) -> Held:
    """A member whose fields are held by a request of a kind; that request's id."""

    async def make(
        subject: str = "7", kind: str = "correction", fields: object = ("email",)
    ) -> int:
        number = await new_request(subject, kind=kind)
        plan = holds.holds_for(kind, tuple(fields), (), data_map)  # type: ignore[arg-type]
        await hold(database, data_map, number, subject, plan)
        return number

    return make


async def hold(
    database: Database, data_map: DataMap, number: int, subject: str, plan: HoldPlan
) -> int:
    async with database.write() as session:
        return await holds.place(session, number, data_map.registry, subject, plan, "firm", NOW)
