"""SQLite statements run where they are awaited: the desk's writer needs no thread for microseconds.

aiosqlite hands every call to a thread, four for one INSERT, and each costs more than SQLite does. Only
what may wait goes there now: BEGIN IMMEDIATE for another process's lock, COMMIT for the disk.
"""

import sqlite3
from collections.abc import Callable
from typing import Any

import aiosqlite

WAITS = frozenset({"commit", "close"})
WAITING = ("BEGIN ", "PRAGMA wal_")


class InlineConnection(aiosqlite.Connection):
    """An aiosqlite connection whose short calls do not leave the event loop's thread.

    For one writer at a time, as `Database.write` has it; readers keep their threads, because a report
    may read for seconds.
    """

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._running or self._connection is None or _may_wait(fn, args):
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        return fn(*args, **kwargs)


def connect(database: str, **options: Any) -> InlineConnection:
    """An InlineConnection, to be awaited, like `aiosqlite.connect`."""
    return InlineConnection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)


def _may_wait(fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Of the connection's own calls only: a cursor has a `close` too, after every statement."""
    if fn.__name__ in WAITS and not isinstance(getattr(fn, "__self__", None), sqlite3.Cursor):
        return True
    return bool(args) and isinstance(args[0], str) and args[0].startswith(WAITING)
