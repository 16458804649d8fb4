"""The SQLite writer without a thread: what may wait does not stop the loop, what is cancelled is undone."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from subjectline.models.db import Database


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.db"
    with sqlite3.connect(path) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE line (word TEXT)")
    made.close()
    return path


async def write(database: Database, word: str) -> None:
    async with database.write() as session:
        await session.exec(text("INSERT INTO line VALUES (:word)").bindparams(word=word))  # type: ignore[call-overload]


def words(file: Path) -> list[str]:
    with sqlite3.connect(file) as looking:
        found = [word for (word,) in looking.execute("SELECT word FROM line ORDER BY rowid")]
    looking.close()
    return found


async def test_a_writer_waits_for_another_process_and_the_loop_does_not(file: Path) -> None:
    database, other = Database(f"sqlite+aiosqlite:///{file}"), sqlite3.connect(file)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(write(database, "late"))
    done, _ = await asyncio.wait([writing], timeout=0.05)  # nobody tells that it waits
    assert not done and words(file) == []
    other.execute("INSERT INTO line VALUES ('early')")
    other.commit()
    other.close()
    await writing
    assert words(file) == ["early", "late"]
    await database.dispose()


async def test_who_is_cancelled_while_waiting_leaves_no_lock(file: Path) -> None:
    database, other = Database(f"sqlite+aiosqlite:///{file}"), sqlite3.connect(file)
    await write(database, "first")
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(write(database, "never"))
    await asyncio.wait([waiting], timeout=0.05)
    waiting.cancel()
    other.rollback()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await write(database, "second")
    other.execute("INSERT INTO line VALUES ('third')")  # the file is free
    other.commit()
    other.close()
    assert words(file) == ["first", "second", "third"]
    await database.dispose()


async def test_a_step_that_is_cancelled_half_way_is_undone(file: Path) -> None:
    database, half = Database(f"sqlite+aiosqlite:///{file}"), asyncio.Event()

    async def step() -> None:
        async with database.write() as session:
            await session.exec(text("INSERT INTO line VALUES ('half')"))  # type: ignore[call-overload]
            half.set()
            await asyncio.Event().wait()

    stepping = asyncio.create_task(step())
    await half.wait()
    stepping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stepping
    await asyncio.gather(*(write(database, word) for word in "abc"))
    assert sorted(words(file)) == ["a", "b", "c"]
    await database.dispose()
