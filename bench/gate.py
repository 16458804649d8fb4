"""Measures the gate: `python -m bench.gate --json [--rounds N] [--commits N] [--here]`.

`decisions_per_cpu_s`: in process, 1,000 holds, with bound and token; `client` is the same through the
client's `decide`, which also counts the use. `regorus` and `cedarpy` answer the same questions in the
same run. `filter_s`: a million members at once. `rss_mb_100k`: what 100,000 holds take. `deny_p99_ms_*`:
from a commit to the first denial in another process, over the stream (SQLite) and over NOTIFY
(PostgreSQL). The cases of `bench.gate_http` and `bench.gate_sql` follow, unless it is told `--here`.
"""

import argparse
import asyncio
import gc
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "plugins"))
import msgspec
from gates import House, housed, sample_policy

from bench import _gate_peers
from bench.registry import Server
from subjectline_client import Gate, HoldState, wire
from subjectline_client.core import steady

ROOT = Path(__file__).parent.parent
HOLDS, MEMBERS, ASKS, MANY, PEER_ASKS = 1_000, 100_000, 300_000, 100_000, 20_000
PURPOSES = {"marketing": wire.SeenPurpose("consent"), "service": wire.SeenPurpose("contract")}
FIELDS = tuple(f"field{number}" for number in range(12))
WANTED = FIELDS[1:3]
OTHERS = ("gate_http", "gate_sql")  # the rest of the gate's cases, which run after these


def questions(number: int) -> tuple[list[tuple[str, str]], list[str]]:
    """The holds and the members asked about; the same in every run."""
    dice = random.Random(7)
    members = dice.sample(range(MEMBERS), HOLDS)
    holds = [(str(member), dice.choice(FIELDS[1:4])) for member in members]
    return holds, [str(dice.randrange(MEMBERS)) for _ in range(number)]


def known(holds: list[tuple[str, str]], bound: float = 600.0) -> tuple[HoldState, wire.SeenPolicy]:
    seen = wire.SeenPolicy("mailer", "integer", FIELDS, PURPOSES)
    state = HoldState(seen.policy(), bound=bound)
    rows = [wire.SeenHold(who, (f,), ("marketing",), ("*",)).hold() for who, f in holds]
    state.load(rows, len(rows), steady())
    return state, seen


def client() -> Gate:
    """A client whose state is given, as if it followed a gate."""
    holds, _ = questions(0)
    gate = Gate("http://127.0.0.1:9", "key")
    gate._asker.know(*known(holds))
    return gate


def work_core() -> dict[str, float]:
    holds, members = questions(ASKS)
    state, _ = known(holds)
    decide, token = state.decide, state.revision
    begun, permits = time.process_time(), 0
    for member in members:
        permits += decide("mailer", member, WANTED, "marketing", None, token).permit
    return {"rate": len(members) / (time.process_time() - begun), "permits": permits}


def work_client() -> dict[str, float]:
    gate, members = client(), questions(ASKS)[1]
    decide, token = gate.decide, gate.revision
    gate.start(0)
    gate._asker.know(*known(questions(0)[0]))
    begun, permits = time.process_time(), 0
    for member in members:
        permits += decide(member, WANTED, "marketing", at_least_revision=token).permit
    return {"rate": len(members) / (time.process_time() - begun), "permits": permits}


def work_filter() -> dict[str, float]:
    gate, members = client(), [str(number) for number in range(1_000_000)]
    gate.start(0)
    gate._asker.know(*known(questions(0)[0]))
    begun, cpu = time.perf_counter(), time.process_time()
    found = gate.filter(members, WANTED, "marketing")
    told = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu}
    return told | {"allowed": len(found.allowed), "held": len(found.held)}


def work_memory() -> dict[str, float]:
    """What the process grows by when it takes a snapshot of 100,000 holds, as it came over the line."""
    seen = wire.SeenPolicy("mailer", "integer", FIELDS, PURPOSES)
    rules = tuple(((field,), ("marketing",), ("*",)) for field in FIELDS)
    holds = tuple((str(10_000_000 + 7 * n), n % len(rules)) for n in range(MANY))
    with tempfile.TemporaryFile() as line:
        line.write(msgspec.json.encode(wire.Snapshot(MANY, "m", 2000, seen, rules, holds)))
        del holds
        gc.collect()
        before = _memory("VmRSS")
        line.seek(0)
        told = msgspec.json.decode(line.read(), type=wire.Snapshot)
    state = HoldState(told.policy.policy())
    state.load(told.loaded(), told.revision, steady())
    del told
    gc.collect()
    return {"grown": _memory("VmRSS") - before, "peak": _memory("VmHWM"), "holds": len(state)}


def _memory(name: str) -> float:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if name in line)


WORKS = {
    "core": work_core,
    "client": work_client,
    "filter": work_filter,
    "memory": work_memory,
}


def child(work: str, *given: str) -> dict[str, Any]:
    """One measurement in a process of its own. Raises RuntimeError with its last words."""
    command = [sys.executable, "-m", "bench.gate", "--work", work, *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [""])[-1][:200]
        raise RuntimeError(f"{work} ended with {done.returncode}: {last}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


# From commit to denial


def watch(kind: str, where: str, key: str) -> None:
    """Another process: says when it first denies, and when it first permits again."""
    if kind == "sse":
        gate = Gate(where, key)
        gate.start(30)
        _watched(lambda: gate.decide("7", ("email",), "marketing").permit)
    else:
        asyncio.run(_listening(where))


def _watched(permitted: Callable[[], bool]) -> None:
    last = None
    while True:
        now = permitted()
        if now is not last:
            print(json.dumps([steady(), now]), flush=True)
            last = now
        time.sleep(0.0002)


async def _listening(url: str) -> None:
    """A gate of its own on the desk's database, which is told by NOTIFY and asks nothing itself."""
    async with housed(url, sample_policy(), tables=False) as house:
        feed = asyncio.create_task(house.feed.run())
        last = None
        while not feed.done():
            answer = house.gate.state.decide("mailer", "7", ("email",), "marketing")
            if answer.permit is not last and "never_synced" not in answer.reasons:
                print(json.dumps([steady(), answer.permit]), flush=True)
                last = answer.permit
            await asyncio.sleep(0.0002)


async def latencies(kind: str, url: str, commits: int) -> list[float]:
    """Milliseconds from a commit that has returned to the first denial elsewhere."""
    async with housed(url, sample_policy()) as house:
        key = await house.caller("mailer", "marketing")
        if kind == "sse":
            await house.start()
        words = ("--watch", kind, house.url if kind == "sse" else url, key)
        watcher = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.gate", *words, stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(60 + commits):
                return await _each(house, watcher, commits)
        finally:
            watcher.kill()
            await watcher.wait()


async def _each(house: House, watcher: asyncio.subprocess.Process, commits: int) -> list[float]:
    assert watcher.stdout is not None
    took = list[float]()
    await _said(watcher.stdout, True)
    for _ in range(commits + 10):
        request = await house.hold("7", "email")
        committed = steady()
        took.append((await _said(watcher.stdout, False) - committed) * 1000)
        await house.release(request)
        await _said(watcher.stdout, True)
        await asyncio.sleep(random.uniform(0.005, 0.05))  # not in step with the pulls
    return took[10:]  # the first ones warm up


async def _said(out: asyncio.StreamReader, permit: bool) -> float:
    while True:
        line = await out.readline()
        if not line:
            raise RuntimeError("the watching process ended")
        at, now = json.loads(line)
        if now is permit:
            return float(at)


# The cases


def measure(rounds: int, commits: int) -> Iterator[int]:
    """Each case; 1 where it could not be measured."""
    yield attempt(("regorus", "cedarpy"), lambda: against_peers(rounds))
    yield attempt(("filter_s",), lambda: filtering(rounds))
    yield attempt(("rss_mb_100k",), memory)
    yield attempt(("deny_p99_ms_sse",), lambda: denying_sse(commits))
    yield attempt(("deny_p99_ms_notify",), lambda: denying_notify(commits))


def attempt(cases: tuple[str, ...], work: Callable[[], None]) -> int:
    try:
        work()
        return 0
    except (Exception, SystemExit) as wrong:
        for case in cases:
            report(case, None, None, "", f"{type(wrong).__name__}: {wrong}")
        return 1


def against_peers(rounds: int) -> None:
    ours: dict[str, list[float]] = {"core": [], "client": []}
    theirs: dict[str, list[float]] = {"regorus": [], "cedarpy": []}
    holds, members = questions(PEER_ASKS)
    with tempfile.TemporaryDirectory() as folder:
        told, missing = Path(folder) / "told.json", ""
        asks = [(member, WANTED) for member in members]
        told.write_text(json.dumps({"holds": holds, "asks": asks, "fields": FIELDS}))
        permits = len(asks) - sum((m, f) in set(holds) for m in members for f in WANTED)
        try:
            python = _gate_peers.installed()
        except RuntimeError as wrong:
            missing = str(wrong)
        for _ in range(rounds):
            for name, rates in ours.items():
                rates.append(child(name)["rate"])
            for name, rates in {} if missing else theirs.items():
                speed, permitted = _gate_peers.decisions(python, name, told)
                if permitted != permits:
                    raise RuntimeError(f"{name} permits {permitted}, and {permits} are free")
                rates.append(speed)
    core, through = (statistics.median(rates) for rates in ours.values())
    note = f"{HOLDS} holds, bound and token; {rounds} rounds"
    report("decisions_per_cpu_s", core, None, "1/s", note)
    report("client", through, None, "1/s", f"{note}; through Gate.decide, each use counted")
    if missing:
        raise RuntimeError(missing)
    for name, rates in theirs.items():
        peer = statistics.median(rates)
        note = (
            f"{_gate_peers.PACKAGES[name]}, without bound and token; client: {through / peer:.1f}"
        )
        report(name, core, peer, "1/s", note)


def filtering(rounds: int) -> None:
    told = [child("filter") for _ in range(rounds)]
    seconds = statistics.median(each["seconds"] for each in told)
    first = told[0]
    note = f"1,000,000 members, {first['held']:.0f} held; {first['cpu']:.2f} CPU s; under 1"
    report("filter_s", seconds, None, "s", note)


def memory() -> None:
    told = child("memory")
    note = f"grown by a snapshot of {told['holds']:.0f} holds; under 60; peak {told['peak']:.0f}"
    report("rss_mb_100k", told["grown"], None, "MB", note)


def denying_sse(commits: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/desk.db"
        _denied("deny_p99_ms_sse", asyncio.run(latencies("sse", url, commits)))


def denying_notify(commits: int) -> None:
    with ExitStack() as stack:
        url = Server(stack).url.replace("postgresql:", "postgresql+asyncpg:")
        _denied("deny_p99_ms_notify", asyncio.run(latencies("notify", url, commits)))


def _denied(case: str, took: list[float]) -> None:
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    note = f"{len(took)} commits, median {cuts[49]:.1f}, worst {max(took):.1f}; at most 50"
    report(case, cuts[98], None, "ms", note)


def report(case: str, ours: float | None, peer: float | None, unit: str, note: str) -> None:
    ratio = round(ours / peer, 2) if ours and peer else None
    told = {"case": f"gate/{case}", "ours": ours and round(ours, 3 if unit == "s" else 1)}
    told |= {"peer": peer and round(peer, 1), "unit": unit, "ratio": ratio, "note": note}
    print(json.dumps(told, ensure_ascii=False), flush=True)


def main() -> int:
    """The command; 1 where something could not be measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a line (always so)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--here", action="store_true", help="without bench.gate_http and gate_sql")
    parser.add_argument("--work", choices=WORKS, help=argparse.SUPPRESS)
    parser.add_argument("--watch", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.watch:
        watch(*given.watch)
    elif given.work:
        print(json.dumps(WORKS[given.work]()))
        return 0
    failed = max(measure(given.rounds, given.commits))
    return failed if given.here else max(failed, *map(_other, OTHERS))


def _other(name: str) -> int:
    """The gate's cases of another benchmark, in a process of its own; 1 where one was not measured."""
    command = [sys.executable, "-m", f"bench.{name}", "--json"]
    return int(subprocess.run(command, cwd=ROOT, check=False).returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
