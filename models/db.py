"""The desk's own database: SQLite (WAL) or PostgreSQL, read and written through two small doors.

`read()` gives a session that only looks. `write()` gives one whose commit is the step itself: on
SQLite it begins IMMEDIATE and waits its turn in process, so no writer ever fails half way with
SQLITE_BUSY. What a step wants to wake after its commit it names with `wake`.
"""

import asyncio
import ctypes
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from sqlalchemy import Engine, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models import inline
from subjectline.models.errors import SettingsError
from subjectline.models.rows import CountingSession


class Signals:
    """Events by name that loops wait for; set after a commit, or by a timer."""

    def __init__(self) -> None:
        self._events: dict[str, dict[str, asyncio.Event]] = {}

    def event(self, name: str, who: str = "") -> asyncio.Event:
        """The event of one who waits for a name; set at first, for it may have missed something."""
        heard = self._events.setdefault(name, {})
        if who not in heard:
            heard[who] = asyncio.Event()
            heard[who].set()
        return heard[who]

    def set(self, *names: str) -> None:
        for name in names:
            for waiter in self._events.get(name, {}).values():
                waiter.set()

    async def wait(self, name: str, seconds: float, who: str = "") -> None:
        """Until the name is set or the seconds are over; clears it, for `who` alone."""
        waiting = self.event(name, who)
        try:
            async with asyncio.timeout(seconds):
                await waiting.wait()
        except TimeoutError:
            return
        waiting.clear()


class Database:
    """An engine with its signals. `url` is `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://…`.

    With `made` it makes no file: where there is none, a session raises OSError.
    """

    def __init__(self, url: str, signals: Signals | None = None, *, made: bool = False) -> None:
        self.url, self._made = make_url(url), made
        self.embedded = self.url.get_backend_name() == "sqlite"
        if not self.embedded and self.url.get_driver_name() != "asyncpg":
            raise SettingsError(
                "the desk runs on SQLite or PostgreSQL",
                field="database.url",
                remedy="Write sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER@HOST/NAME",
            )
        self.signals = signals or Signals()
        self._turn = asyncio.Lock() if self.embedded else None
        self._reader = self._engine("BEGIN")
        self._writer = (
            self._engine("BEGIN IMMEDIATE", inline.connect) if self.embedded else self._reader
        )
        self._glancer = self._engine("BEGIN", inline.connect) if self.embedded else self._reader

    @property
    def engine(self) -> AsyncEngine:
        return self._writer

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        async with AsyncSession(self._reader, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncSession]:
        """As `read`, for a handful of rows by their index: on SQLite that takes no other thread."""
        async with AsyncSession(self._glancer, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction; commits at the end, rolls back on any error, then wakes who was named."""
        kind = CountingSession if self.embedded else Session
        made = AsyncSession(self._writer, expire_on_commit=False, sync_session_class=kind)
        async with self._my_turn(), made as session:
            async with session.begin():
                yield session
            for name in session.info.get("wake", ()):
                self.signals.set(name)

    async def scrub(self) -> None:
        """After a destruction: no old page of an SQLite file stays in its write-ahead log.

        In the file itself `secure_delete` has overwritten them. PostgreSQL reuses the space later.
        """
        if self.embedded:
            async with self._my_turn():
                await truncate_log(self._writer)

    async def dispose(self) -> None:
        for engine in (self._reader, self._writer, self._glancer):
            await engine.dispose()

    def _my_turn(self) -> AbstractAsyncContextManager[Any]:
        return self._turn if self._turn is not None else nullcontext()

    def _engine(self, begin: str, connect: Any = None) -> AsyncEngine:
        if not self.embedded:
            return create_async_engine(
                self.url, pool_size=10, max_overflow=10, hide_parameters=True
            )
        hidden: dict[str, Any] = {"hide_parameters": True}  # errors are logged
        if connect is not None:
            hidden["connect_args"] = {"async_creator_fn": connect}
        engine = create_async_engine(self.url, **hidden)
        prepare_sqlite(engine.sync_engine, begin)
        if self._made:
            event.listen(engine.sync_engine, "do_connect", _look_for_file)
        return engine


async def truncate_log(engine: AsyncEngine) -> None:
    """Writes SQLite's log into the file and empties it; while somebody reads the old state, not.

    Nothing on another database.
    """
    if engine.dialect.name != "sqlite":
        return
    async with engine.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        async with raw.execute("PRAGMA wal_checkpoint(TRUNCATE)") as done:
            await done.fetchall()


def wake(session: AsyncSession, *names: str) -> None:
    """Names what should be woken once this session has committed."""
    session.info.setdefault("wake", set()).update(names)


def hold_on(session: AsyncSession, *rows: object) -> None:
    """Keeps rows at hand until the session ends: it knows its rows by weak references only."""
    session.info.setdefault("held", []).extend(rows)


def prepare_sqlite(engine: Engine, begin: str) -> None:
    """WAL, foreign keys, a busy time-out and an explicit BEGIN, on every connection."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "busy_timeout=10000",
            "foreign_keys=ON",
            "synchronous=FULL",
            "secure_delete=ON",
            "schema_version",  # a look, with which the log's index is there
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    if engine.url.database:
        _watch_file(engine, engine.url.database)


def _watch_file(engine: Engine, path: str) -> None:
    """A connection whose file was put aside (a backup came in its place) would read the old one for
    ever, and call it new. Its next use fails with OSError, and the one after that opens what is there.

    It is never closed: closing deletes the log by its name, which is another file's by now.
    """

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        record.info["file"] = _file(path)

    @event.listens_for(engine, "checkout")
    def taken(connection: Any, record: Any, proxy: Any) -> None:
        if record.info.get("file") != _file(path):
            _put_aside(connection.driver_connection)
            record.dbapi_connection = None
            raise OSError("the file of the database is another one than before")


def _look_for_file(dialect: Any, record: Any, arguments: list[Any], options: Any) -> None:
    """SQLite would make a new file, of which nobody knows anything."""
    if not os.path.exists(arguments[0]):
        raise FileNotFoundError("there is no file of the database")


def _put_aside(connection: Any) -> None:
    """Ends its thread, for which the process would wait at its end, and leaves SQLite's own part open
    for good: it is counted once too often, so that even the end of the process does not close it."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection._connection))
    connection._connection = None
    connection.stop()


def _file(path: str) -> tuple[int, ...]:
    """Which file it is, and which index of its log; empty where there is none."""
    try:
        found = os.stat(path), os.stat(f"{path}-shm")
    except OSError:
        return ()
    return tuple(number for each in found for number in (each.st_dev, each.st_ino))
