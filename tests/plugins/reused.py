"""One PostgreSQL desk for one test after another: emptied in 20 ms, where a new one takes 200.

What a test left open on it is closed by force. A desk whose tables, triggers or functions a test
has changed is given up for a new one.
"""

import asyncio
import os
from dataclasses import dataclass
from itertools import count

import asyncpg
import pytest
from servers import connected

NAMES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
SEQUENCES = "SELECT sequencename AS name, start_value, last_value FROM pg_sequences"
CLOSE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
# Every change of a definition writes its row anew, with another xmin.
SHAPE = """
SELECT array_agg(n || ':' || x ORDER BY n, x) FROM (
  SELECT 'class' || oid AS n, xmin::text AS x FROM pg_class WHERE relnamespace > 16383
    OR relnamespace = 'public'::regnamespace
  UNION ALL SELECT 'attribute' || attrelid || '.' || attnum, a.xmin::text FROM pg_attribute a
    JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT 'trigger' || oid, xmin::text FROM pg_trigger
  UNION ALL SELECT 'constraint' || oid, xmin::text FROM pg_constraint
  UNION ALL SELECT 'function' || oid, xmin::text FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
) AS parts
"""


@dataclass
class Reused:
    """`fresh()` gives the URL of the desk as the template has it."""

    server: str
    template: str
    restore: str = ""
    name: str = ""
    shape: tuple[str, ...] = ()

    async def fresh(self) -> str:
        """Waits for nobody: who is still connected to it is thrown out."""
        if not self.restore:
            self.restore = await _restoring(self.server, self.template)
        if not (self.name and await self._emptied()):
            await self._new()
        return f"{self.server}/{self.name}"

    async def _new(self) -> None:
        self.name = f"office{os.getpid()}_{next(_offices)}"
        async with connected(self.server) as connection:
            await connection.execute(f"CREATE DATABASE {self.name} TEMPLATE {self.template}")
        async with connected(self.server, self.name) as connection:
            self.shape = await _shape(connection)

    async def _emptied(self) -> bool:
        async with connected(self.server, self.name) as connection:
            await connection.execute(CLOSE)
            if await _shape(connection) != self.shape:
                return False
            await connection.execute(self.restore)
        return True


_offices = count(1)


async def _shape(connection: asyncpg.Connection) -> tuple[str, ...]:
    return tuple(await connection.fetchval(SHAPE))


async def _restoring(server: str, template: str) -> str:
    """The statements that bring every table and every sequence back to what the template holds."""
    async with connected(server, template) as connection:
        names = [row["relname"] for row in await connection.fetch(NAMES)]
        words = ["SET session_replication_role = replica"]  # no triggers, in any order
        words += [f'DELETE FROM "{name}"' for name in names]
        for name in names:
            rows = await connection.fetchval(f'SELECT json_agg(t)::text FROM "{name}" t')
            if rows:
                words.append(
                    f'INSERT INTO "{name}" OVERRIDING SYSTEM VALUE SELECT * FROM'
                    f' json_populate_recordset(NULL::"{name}", $rows${rows}$rows$)'
                )
        for row in await connection.fetch(SEQUENCES):
            last = row["last_value"]
            value, called = (row["start_value"], "false") if last is None else (last, "true")
            words.append(f"SELECT setval('\"{row['name']}\"', {value}, {called})")
    return ";\n".join(words)


@pytest.fixture(scope="session")
def reused(postgres: str, postgres_template: str) -> Reused:
    """The PostgreSQL desk of a worker's tests."""
    return Reused(postgres, postgres_template)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def desk_url(request: pytest.FixtureRequest) -> str:
    """Nothing for SQLite files of the test's own, or a PostgreSQL desk that is the test's for now."""
    if request.param == "sqlite":
        return ""
    kept: Reused = request.getfixturevalue("reused")
    return asyncio.run(kept.fresh())
