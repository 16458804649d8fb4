"""Measures access to a company's database: `python -m bench.registry --json [--rows N]`.

A PostgreSQL of its own with 20 tables; one member has `--member` of the `--rows` rows. `copy` exports
that member's rows as CSV and sets it against psql, which is given the same rows table by table;
`copy_jsonl` the same as JSON lines. `queries` counts the statements of an ordinary member's request,
`rss_mb` is the peak of the exporting process.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import event

from subjectline.handlers.registry import Registry, open_engines
from subjectline.models.datamap import DataMap
from subjectline.models.datamap.plain import LABEL, plain_map, plain_table

TABLES, THROUGH = 20, 4  # the last few hang on another table instead of naming the member
ROUNDS = 3
HEAVY = 1
WORDS = "'the quick brown fox jumps over row ' || n"
_KIND = {"id": "integer", "member_id": "integer", "parent_id": "integer", "amount": "decimal"}
_KIND |= {"at": "datetime", "done": "boolean", "words": "text", "code": "text"}


def table(number: int) -> str:
    return f"t{number:02}"


def hangs(number: int) -> bool:
    return number > TABLES - 1 - THROUGH


def data_map() -> DataMap:
    """20 tables: home, tables that name the member, tables that hang on those; some point across."""
    tables: dict[str, Any] = {"member": _table(["id", "mail"])}
    for number in range(1, TABLES):
        key = "parent_id" if hangs(number) else "member_id"
        spec = _table(["id", key, "amount", "at", "done", "words", "code"])
        if hangs(number):
            spec |= {"through": key, "references": {key: f"{table(number - THROUGH)}.id"}}
        else:
            spec |= {"owners": [key], "references": {"amount": []} if number % 3 else {}}
        tables[table(number)] = spec
    for number in (3, 6, 9, 12):  # hops: rows that point at rows of other tables
        tables[table(number)]["columns"]["code_id"] = {"type": "integer", "labels": LABEL}
        tables[table(number)]["references"] = {"code_id": f"{table(number - 1)}.id"}
    for spec in tables.values():
        spec["references"] = {k: v for k, v in spec.get("references", {}).items() if v}
    return plain_map(tables, "member")


def _table(columns: list[str]) -> dict[str, Any]:
    return plain_table({c: _KIND.get(c, "text") for c in columns})


def fill_script(rows: int, heavy: int) -> Iterator[str]:
    """The SQL that makes the tables; the heavy member has `heavy` of `rows` rows, 1000 share the rest."""
    each, hers = rows // (TABLES - 1), heavy // (TABLES - 1)
    yield "CREATE TABLE member (id bigint PRIMARY KEY, mail text)"
    yield "INSERT INTO member SELECT n, 'm' || n || '@bench.test' FROM generate_series(1, 1001) n"
    for number in range(1, TABLES):
        name, key = table(number), "parent_id" if hangs(number) else "member_id"
        owner = (
            "n" if hangs(number) else f"CASE WHEN n <= {hers} THEN {HEAVY} ELSE 2 + n % 1000 END"
        )
        pointing = number in (3, 6, 9, 12)
        yield (
            f"CREATE UNLOGGED TABLE {name} (id bigint PRIMARY KEY, {key} bigint,"
            " amount numeric(12,2), at timestamptz, done boolean, words text, code varchar(20)"
            + (", code_id bigint)" if pointing else ")")
        )
        yield (
            f"INSERT INTO {name} SELECT n, {owner}, n / 7.0,"
            f" timestamptz '2026-01-01' + n * interval '1 second', n % 2 = 0, {WORDS}, 'c' || n % 97"
            + (", n + 1" if pointing else "")
            + f" FROM generate_series(1, {each}) n"
        )
        yield f"CREATE INDEX ON {name} ({key})"
        if pointing:
            yield f"CREATE INDEX ON {name} (code_id)"
    yield "VACUUM ANALYZE"


def copy_script(folder: Path) -> str:
    """What psql is asked for: the same rows and columns, table by table, into files."""
    lines = [_copy("member", f"id = {HEAVY}", ["id", "mail"], folder)]
    for number in range(1, TABLES):
        key = "parent_id" if hangs(number) else "member_id"
        columns = ["id", key, "amount", "at", "done", "words", "code"]
        columns += ["code_id"] if number in (3, 6, 9, 12) else []
        where = f"member_id = {HEAVY}"
        if hangs(number):
            parent = table(number - THROUGH)
            inner = f"member_id = {HEAVY}"
            if hangs(number - THROUGH):
                inner = f"parent_id IN (SELECT id FROM {table(number - 2 * THROUGH)} WHERE {inner})"
            where = f"parent_id IN (SELECT id FROM {parent} WHERE {inner})"
        lines.append(_copy(table(number), where, columns, folder))
    return "\n".join(lines)


def _copy(name: str, where: str, columns: list[str], folder: Path) -> str:
    what = f"SELECT {', '.join(columns)} FROM {name} WHERE {where}"
    return f"\\copy ({what}) TO '{folder}/{name}.csv' (FORMAT csv, HEADER)"


class Server:
    """A PostgreSQL in a folder of its own, run by an ordinary user."""

    def __init__(self, stack: ExitStack) -> None:
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self._programs = _programs()
        self._as = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self._as:
            shutil.chown(self.folder, "postgres")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres")
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        stack.enter_context(self._running())

    @contextmanager
    def _running(self) -> Iterator[None]:
        data = str(self.folder / "data")
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run([*self._as, f"{self._programs}/initdb", "-D", data, *options])
        settings = [
            "fsync=off",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
        ]
        settings += ["shared_buffers=512MB", "max_wal_size=4GB", "maintenance_work_mem=256MB"]
        words = [word for setting in settings for word in ("-c", setting)]
        command = [
            *self._as,
            f"{self._programs}/postgres",
            "-D",
            data,
            "-p",
            str(self.port),
            *words,
        ]
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self._wait()
            yield
        finally:
            stop = [*self._as, f"{self._programs}/pg_ctl", "-D", data, "-m", "immediate", "stop"]
            if subprocess.run(stop, stdout=subprocess.DEVNULL, check=False).returncode != 0:
                running.terminate()
            running.wait(30)

    def _wait(self) -> None:
        for _ in range(600):
            if subprocess.run([f"{self._programs}/pg_isready", *self.where, "-q"]).returncode == 0:
                return
            time.sleep(0.05)
        raise SystemExit("PostgreSQL takes no sessions")

    def _run(self, command: list[str]) -> None:
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    def psql(self, script: str) -> float:
        """Runs a script and returns the seconds that it took."""
        begun = time.perf_counter()
        command = [f"{self._programs}/psql", *self.where, "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        subprocess.run(command, input=script.encode(), stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - begun


def _programs() -> str:
    """The folder with PostgreSQL's programs."""
    listed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    for folder in [*([Path(found).resolve().parent] if found else []), *listed]:
        if all((folder / name).exists() for name in ("initdb", "postgres", "psql", "pg_isready")):
            return str(folder)
    raise LookupError("PostgreSQL is not installed: make servers")


async def export(url: str, form: Any, folder: Path) -> dict[str, float]:
    """One export of the heavy member: rows, seconds, and the peak of this process in MB."""
    wanted = data_map()
    registry = Registry(wanted, open_engines(wanted, {"one": url}, 600), seconds=600)

    def opened(name: str) -> BinaryIO:
        return (folder / f"{name}.{form}").open("wb", buffering=1 << 20)

    begun = time.perf_counter()
    collected = await registry.export(str(HEAVY), opened, form)
    seconds = time.perf_counter() - begun
    await registry.close()
    return {"rows": sum(collected.counts.values()), "seconds": seconds, "rss": _peak_mb()}


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line)


async def queries(url: str) -> tuple[int, int, int]:
    """Statements, tables and hops of an ordinary member's request."""
    wanted = data_map()
    engines, seen = open_engines(wanted, {"one": url}, 600), list[str]()
    registry = Registry(wanted, engines, seconds=600)

    @event.listens_for(engines["one"].sync_engine, "before_cursor_execute")
    def counted(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    await registry.collect("2")
    await registry.close()
    hops = sum(len(list(spec.targets())) for spec in wanted.tables.values())
    return len(seen), len(wanted.tables), hops


def exported(url: str, form: str, folder: Path) -> dict[str, float]:
    """`export` in a process of its own."""
    command = [sys.executable, "-m", "bench.registry", "--export", url, form, str(folder)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def measure(rows: int, heavy: int) -> Iterator[dict[str, Any]]:
    """Every case, one after the other."""
    with ExitStack() as stack:
        server = Server(stack)
        out = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server.psql(";\n".join(fill_script(rows, heavy)) + ";")
        ran, tables, hops = asyncio.run(queries(server.url))
        note = f"{tables} tables and {hops} hops allow {tables + hops}; {rows} rows"
        yield _line("queries", ran, None, "queries", note)
        peer: list[float] = []
        ours: dict[str, list[dict[str, float]]] = {"csv": [], "jsonl": []}
        for _ in range(ROUNDS):
            peer.append(server.psql(copy_script(out)))
            for form, told in ours.items():
                told.append(exported(server.url, form, out))
        count = ours["csv"][0]["rows"]
        theirs = count / statistics.median(peer)
        for case, form in (("copy", "csv"), ("copy_jsonl", "jsonl")):
            speed = count / statistics.median(told["seconds"] for told in ours[form])
            note = f"{count:.0f} rows in {tables} tables; peer: psql \\copy as CSV"
            yield _line(case, speed, theirs, "rows/s", note)
        peak = max(told["rss"] for form in ours.values() for told in form)
        yield _line("rss_mb", peak, None, "MB", "peak of the exporting process; at most 150")


def _line(case: str, ours: float, peer: float | None, unit: str, note: str) -> dict[str, Any]:
    ratio = round(ours / peer, 3) if peer else None
    told = {"case": f"registry/{case}", "ours": round(ours, 1), "peer": peer and round(peer, 1)}
    return told | {"unit": unit, "ratio": ratio, "note": note}


def main() -> int:
    """The command; 1 where something could not be measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a line (always so)")
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows in the registry")
    parser.add_argument("--member", type=int, default=1_000_000, help="rows of the one member")
    parser.add_argument(
        "--export", nargs=3, metavar=("URL", "FORM", "FOLDER"), help=argparse.SUPPRESS
    )
    given = parser.parse_args()
    if given.export:
        url, form, folder = given.export
        print(json.dumps(asyncio.run(export(url, form, Path(folder)))))
        return 0
    try:
        for line in measure(given.rows, min(given.member, given.rows)):
            print(json.dumps(line, ensure_ascii=False), flush=True)
    except (LookupError, subprocess.SubprocessError, OSError) as wrong:
        for case in ("copy", "queries", "rss_mb"):
            told = f"{type(wrong).__name__}: {wrong}"
            print(json.dumps({"case": f"registry/{case}", "ours": None, "note": told}))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
