"""Measures the gate's masking views: `python -m bench.gate_sql --json [--members N]`.

A PostgreSQL of its own with 1,000,000 members and 1,000 holds. The same query for 10,000 of them is asked
of the plain table and, as the role that has nothing else, of the view that `subjectline gate sql` writes:
with a freshness row that a mirror keeps new all the while. `ratio` is the view's time by the table's.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import asyncpg

from bench.registry import Server
from subjectline.handlers.registry import gate_sql_apply, open_engine
from subjectline.handlers.registry.gate_sql_plan import audience_of
from subjectline.models.datamap import DataMap
from subjectline.models.datamap.parts import Purpose
from subjectline.models.datamap.plain import LABEL, plain_map, plain_table

ROUNDS, ROWS = 25, 10_000
STAMP_SECONDS = 0.5
TYPES = {"id": "integer", "segment": "text", "language": "text", "mail": "text", "phone": "text"}
TYPES |= {"nickname": "text", "income": "integer", "joined_at": "datetime"}
FILL = """
CREATE TABLE member (id bigint PRIMARY KEY, segment text, language text, mail text, phone text,
  nickname text, income bigint, joined_at timestamptz);
INSERT INTO member SELECT n, 's' || n * 7919 % {segments}, 'ko', 'm' || n || '@bench.test',
  '010-0000-' || lpad((n % 10000)::text, 4, '0'), 'nick' || n, n % 5000,
  timestamptz '2026-01-01' + n * interval '1 second' FROM generate_series(1::bigint, {members}) n;
CREATE INDEX ON member (segment);
CREATE ROLE marketing LOGIN;
"""
COLUMNS = "id, segment, mail, phone, nickname, joined_at"
QUERIES = {
    "": ("segment = 's{round}'", "the 10,000 members of a segment, by its index"),
    "-range": ("id BETWEEN {first} AND {first} + 9999", "10,000 members side by side in the table"),
}


def data_map() -> DataMap:
    """Three fields that marketing may have, one that it may not, and columns that are made of none."""
    table = plain_table(TYPES)
    for name in ("segment", "language", "joined_at"):
        table["columns"][name]["depends_on"] = []
    kinds = {"phone": "phone_kr", "nickname": "nickname", "income": "text"}
    fields = {n: {"table": "member", "column": n, "validator": v} for n, v in kinds.items()}
    made = plain_map({"member": table}, "member", fields=fields)
    use = {"labels": LABEL, "basis": "consent", "fields": ("email", "phone", "nickname")}
    used = made.tables["member"].model_copy(update={"purposes": ("marketing",)})
    purposes = {"marketing": Purpose.model_validate(use)}
    return made.model_copy(update={"tables": {"member": used}, "purposes": purposes})


async def prepared(url: str, members: int, holds: int) -> None:
    """The company, the views as the command makes them, and what is held."""
    admin = await asyncpg.connect(url)
    await admin.execute(FILL.format(segments=members // ROWS, members=members))
    engine, wanted = open_engine(url), data_map()
    seen = await gate_sql_apply.seen(wanted, "one", engine)
    what = gate_sql_apply.written(seen, audience_of(wanted, "marketing"), "one")
    await gate_sql_apply.run(what, engine)
    await engine.dispose()
    await held(admin, members, holds)
    await admin.execute("VACUUM ANALYZE")
    await admin.close()


async def held(admin: asyncpg.Connection, members: int, holds: int) -> None:
    """So many members, spread over the table, have one or more fields held."""
    await admin.execute("DELETE FROM gate.active_hold")
    await admin.execute(
        "INSERT INTO gate.active_hold SELECT 'marketing', 1 + (n * 7) % $1, 1 + n % 15"
        " FROM generate_series(1::bigint, $2) n",
        members,
        holds,
    )
    await admin.execute("VACUUM ANALYZE gate.active_hold")


@asynccontextmanager
async def stamped(url: str) -> AsyncIterator[None]:
    """As long as it lasts, the freshness row is kept new as a mirror keeps it."""
    mirror = await asyncpg.connect(url.replace("postgres@", "gate_mirror@"))

    async def stamp() -> None:
        await mirror.execute("UPDATE gate.freshness SET revision = 1, fresh_at = clock_timestamp()")

    async def stamping() -> None:
        while True:
            await asyncio.sleep(STAMP_SECONDS)
            await stamp()

    await stamp()
    running = asyncio.create_task(stamping())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])
        await mirror.close()


async def timed(connection: asyncpg.Connection, words: str) -> float:
    """Milliseconds of a query until its 10,000 rows are here."""
    begun = time.perf_counter()
    rows = await connection.fetch(words)
    took = (time.perf_counter() - begun) * 1000
    if len(rows) != ROWS or not any(row["mail"] for row in rows):
        raise LookupError(f"{len(rows)} rows, or nothing to be seen in them")
    return took


async def compared(url: str, where: str, members: int) -> tuple[float, float]:
    """The median times of the view and of the table, asked in turn."""
    plain = await asyncpg.connect(url)
    masked = await asyncpg.connect(url.replace("postgres@", "marketing@"))
    ours, peer = list[float](), list[float]()
    for number in range(ROUNDS):
        asked = where.format(round=number % (members // ROWS), first=1 + number * ROWS % members)
        words = f"SELECT {COLUMNS} FROM {{}} WHERE {asked}"
        peer.append(await timed(plain, words.format("member")))
        ours.append(await timed(masked, words.format("mart.member_marketing")))
    await plain.close()
    await masked.close()
    return statistics.median(ours), statistics.median(peer)


async def measured(url: str, members: int) -> list[dict[str, Any]]:
    """Every case."""
    lines = []
    await prepared(url, members, 1000)
    async with stamped(url):
        for case, (where, what) in QUERIES.items():
            note = f"{what}, of {members}; 1000 holds, freshness row on; at most 1.25"
            lines.append(_line(case, await compared(url, where, members), note))
    admin = await asyncpg.connect(url)
    await held(admin, members, members // 10)
    await admin.close()
    async with stamped(url):
        note = f"the same with {members // 10} holds"
        lines.append(_line("-many", await compared(url, QUERIES[""][0], members), note))
    return lines


def measure(members: int) -> Iterator[dict[str, Any]]:
    """Every case, on a server of its own."""
    with ExitStack() as stack:
        yield from asyncio.run(measured(Server(stack).url, members))


def _line(case: str, took: tuple[float, float], note: str) -> dict[str, Any]:
    ours, peer = took
    told = {"case": f"gate/view-plain{case}", "ours": round(ours, 2), "peer": round(peer, 2)}
    return told | {"unit": "ms", "ratio": round(ours / peer, 3), "note": note}


def main() -> int:
    """The command; 1 where something could not be measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a line (always so)")
    parser.add_argument("--members", type=int, default=1_000_000, help="at least 100,000")
    given = parser.parse_args()
    try:
        for line in measure(max(given.members, 10 * ROWS)):
            print(json.dumps(line, ensure_ascii=False), flush=True)
    except (LookupError, subprocess.SubprocessError, OSError, asyncpg.PostgresError) as wrong:
        told = f"{type(wrong).__name__}: {wrong}"
        print(json.dumps({"case": "gate/view-plain", "ours": None, "note": told}))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
