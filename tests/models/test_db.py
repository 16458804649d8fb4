"""The desk's database: turns at writing, sealed columns, aware times, migrations that match the tables."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import SQLModel, select

from subjectline.models.db import Database, wake
from subjectline.models.errors import SettingsError
from subjectline.models.keys import Vault
from subjectline.models.migrate import migrate
from subjectline.models.tables import Agent, Conversation, MessageFile, Task
from subjectline.models.types import Sealed

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty desk on each of the two databases."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_database")
    made = Database(url)
    await migrate(made)
    yield made
    await made.dispose()


async def test_the_migrations_make_just_the_tables(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        return list(compare_metadata(context, SQLModel.metadata))

    await migrate(database)  # a second time changes nothing
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_failed_step_leaves_nothing_and_wakes_nobody(database: Database) -> None:
    await database.signals.wait("task", 0.01)
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            wake(session, "task")
            for _ in range(2):
                session.add(Task(kind="draft", target="1:1", due_at=NOW))
    async with database.read() as session:
        assert (await session.exec(select(Task))).all() == []
    assert not database.signals.event("task").is_set()


async def test_a_step_wakes_after_its_commit(database: Database) -> None:
    await database.signals.wait("task", 0.01)
    async with database.write() as session:
        wake(session, "task")
        assert not database.signals.event("task").is_set()
    assert database.signals.event("task").is_set()


async def test_many_writers_take_turns(database: Database) -> None:
    async def add(number: int) -> None:
        async with database.write() as session:
            session.add(Task(kind="draft", target=f"{number}:1", due_at=NOW))

    await asyncio.gather(*(add(number) for number in range(20)))
    async with database.read() as session:
        assert len((await session.exec(select(Task))).all()) == 20


async def test_references_are_kept(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            session.add(MessageFile(message_id=99))


def _conversation(contact: Sealed | None, at: datetime) -> Conversation:
    return Conversation(
        door="mail",
        contact_kind="email",
        contact_index=b"i",
        contact=contact,
        key_id="k",
        made_at=at,
        last_at=at,
    )


async def test_a_sealed_column_takes_only_what_was_sealed_for_it(database: Database) -> None:
    vault = Vault.for_tests()
    vault.make_key("k", NOW)
    right = vault.seal("k", "conversation.contact", "a@mail.test")
    async with database.write() as session:
        session.add(_conversation(right, NOW))
    async with database.read() as session:
        row = (await session.exec(select(Conversation))).one()
    assert vault.text(row.contact) == "a@mail.test" and row.made_at == NOW
    for wrong in ("plain@mail.test", vault.seal("k", "message.text", "a@mail.test")):
        with pytest.raises(StatementError):
            async with database.write() as session:
                session.add(_conversation(wrong, NOW))  # type: ignore[arg-type]


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    agent = Agent(login="a", name="A", password_hash="x", made_at=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(StatementError):
        async with database.write() as session:
            session.add(agent)


def test_another_database_is_refused_in_one_sentence() -> None:
    with pytest.raises(SettingsError, match="SQLite or PostgreSQL"):
        Database("postgresql+psycopg://localhost/x")


async def test_who_only_follows_makes_no_file(tmp_path: Path) -> None:
    """A volume that is not mounted: a desk that starts later must not find an empty file."""
    path = tmp_path / "desk.db"
    database = Database(f"sqlite+aiosqlite:///{path}", made=True)
    for session in (database.read, database.glance, database.write):
        with pytest.raises(FileNotFoundError):
            async with session() as asked:
                await asked.connection()
    assert not list(tmp_path.iterdir())
    path.touch()
    async with database.glance() as asked:
        assert await asked.connection()
    await database.dispose()
