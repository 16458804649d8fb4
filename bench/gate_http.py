"""Measures the gate over HTTP: `python -m bench.gate_http --json [--rounds N] [--seconds S]`.

`subjectline gate serve` with one process, authenticated, over a desk's SQLite database with 1,000 holds,
its ledger on, against Cerbos 0.55 with the same holds in its policy. The same questions over the same
number of kept connections, and first of all the same answers; requests a CPU second are those answered by
the CPU time of the server's own process, from the medians of interleaved rounds.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "plugins"))
from gates import MAP, House, housed, sample_policy
from servers import free_port

from bench import _cerbos
from subjectline.models.migrate import migrate

ROOT = Path(__file__).parent.parent
HOLDS, MEMBERS, CONNECTIONS, BATCH, PATIENCE = 1_000, 100_000, 32, 100, 60
CASES = {"single": "/access/v1/evaluation", "batch": "/access/v1/evaluations"}
TICK = os.sysconf("SC_CLK_TCK")
SETTINGS = """
[desk]
data_dir = "{home}"
[registry]
map = "{map}"
[gate_http]
port = {port}
processes = 1
questions_a_second = 0
"""


def question(member: str) -> dict[str, Any]:
    """As both understand it: Cerbos wants the role of who asks."""
    roles = {"cerbos.roles": ["system"]}
    return {
        "subject": {"type": "system", "id": "mailer", "properties": roles},
        "action": {"name": "marketing"},
        "resource": {"type": "member", "id": member, "properties": {"fields": ["email", "phone"]}},
    }


def bodies(case: str) -> list[bytes]:
    """Different questions, the same ones for both."""
    dice = random.Random(11)

    def one() -> dict[str, Any]:
        return question(str(dice.randrange(MEMBERS)))

    if case == "single":
        return [json.dumps(one()).encode() for _ in range(1_000)]
    found = []
    for _ in range(50):
        items = [{"resource": one()["resource"]} for _ in range(BATCH)]
        shared = {name: one()[name] for name in ("subject", "action")}
        found.append(json.dumps({**shared, "evaluations": items}).encode())
    return found


class Asker(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, requests: list[bytes], until: float, told: list[int]) -> None:
        self._requests, self._until, self._told = requests, until, told
        self._next, self._got = random.randrange(len(requests)), b""
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        if time.monotonic() >= self._until:
            self._transport.close()
            return
        self._next = (self._next + 1) % len(self._requests)
        self._transport.write(self._requests[self._next])

    def data_received(self, data: bytes) -> None:
        self._got += data
        head = self._got.find(b"\r\n\r\n")
        if head < 0:
            return
        size = _length(self._got[:head])
        whole = self._got.endswith(b"0\r\n\r\n") if size < 0 else len(self._got) >= head + 4 + size
        if not whole:
            return
        if self._got[9:12] != b"200":
            self._told[1] += 1
        self._told[0] += 1
        self._got = b""
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return -1


async def asked(case: str, port: int, key: str, seconds: float) -> list[int]:
    """How many requests were answered, and how many of them not with 200."""
    requests = []
    for body in bodies(case):
        head = (
            f"POST {CASES[case]} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    told, loop = [0, 0], asyncio.get_running_loop()
    until = time.monotonic() + seconds
    made = [
        (await loop.create_connection(lambda: Asker(requests, until, told), "127.0.0.1", port))[1]
        for _ in range(CONNECTIONS)
    ]
    await asyncio.gather(*(each.ended for each in made))
    return told


def load(case: str, port: int, key: str, seconds: float) -> int:
    """Asks from a process of its own; how many were answered. Raises RuntimeError for a refusal."""
    order = json.dumps([case, port, key, seconds])
    command = [sys.executable, "-m", "bench.gate_http", "--load", order]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    answered, refused = json.loads(done.stdout)
    if refused or not answered:
        raise RuntimeError(f"{refused} of {answered} answers were no decision")
    return int(answered)


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


async def prepared(home: Path) -> str:
    """A desk's database with holds; the caller's key."""
    async with housed(
        f"sqlite+aiosqlite:///{home / 'desk.db'}", sample_policy(), tables=False
    ) as h:
        await migrate(h.database)
        await _held(h)
        return await h.caller("mailer", "marketing")


async def _held(house: House) -> None:
    for member, fields in holds().items():
        await house.hold(member, *fields)


def holds() -> dict[str, tuple[str, ...]]:
    """Who is held, and in which fields: the same in every run."""
    dice = random.Random(7)
    members = map(str, dice.sample(range(MEMBERS), HOLDS))
    return {member: (dice.choice(("email", "phone", "nickname")),) for member in members}


def same(mine: tuple[int, str], peer: tuple[int, str]) -> None:
    """Raises RuntimeError unless both decide every question alike."""
    decided = []
    for port, key in (mine, peer):
        told = [_answer("batch", port, key, body)["evaluations"] for body in bodies("batch")]
        decided.append([each["decision"] for batch in told for each in batch])
    if decided[0] != decided[1] or all(decided[0]):
        raise RuntimeError("they do not decide alike")


def _answer(case: str, port: int, key: str, body: bytes) -> Any:
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    with urlopen(Request(f"http://127.0.0.1:{port}{CASES[case]}", body, headers)) as told:
        return json.load(told)


@contextmanager
def serving(home: Path, port: int) -> Iterator[int]:
    """`subjectline gate serve`; its process id."""
    config = home / "subjectline.toml"
    config.write_text(SETTINGS.format(home=home, map=MAP, port=port))
    run = (
        "import sys; from subjectline.intake.main import main; sys.argv[0] = 'subjectline'; main()"
    )
    command = [sys.executable, "-c", run, "gate", "serve", "--config", str(config)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def ready(url: str) -> None:
    """Waits until somebody answers there. Raises RuntimeError after a minute."""
    for _ in range(PATIENCE * 5):
        try:
            with urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"nobody answers at {url}")


def measured(rounds: int, seconds: float) -> Iterator[dict[str, Any]]:
    """Both cases, ours and Cerbos' rounds in turn."""
    with tempfile.TemporaryDirectory() as there:
        home, ours, theirs, other = Path(there), free_port(), free_port(), free_port()
        key = asyncio.run(prepared(home))
        _cerbos.installed()
        with serving(home, ours) as mine, _cerbos.running(home, theirs, other, holds()) as peer:
            ready(f"http://127.0.0.1:{ours}/healthz")
            ready(f"http://127.0.0.1:{theirs}/_cerbos/health")
            same((ours, key), (theirs, ""))
            for case in CASES:
                rates: dict[int, list[float]] = {mine: [], peer: []}
                for number in range(rounds + 1):
                    for pid, port in ((peer, theirs), (mine, ours)):
                        before = cpu(pid)
                        answered = load(case, port, key, seconds)
                        if number:  # the first round warms up
                            rates[pid].append(answered / (cpu(pid) - before))
                yield _line(case, statistics.median(rates[mine]), statistics.median(rates[peer]))


def _line(case: str, ours: float, peer: float) -> dict[str, Any]:
    what = "one decision" if case == "single" else f"batches of {BATCH}"
    told = {"case": f"gate/http-{case}-cerbos", "ours": round(ours, 1), "peer": round(peer, 1)}
    note = f"{what}, {CONNECTIONS} connections, {HOLDS} holds; one worker, key and ledger"
    return told | {"unit": "requests/CPU s", "ratio": round(ours / peer, 2), "note": note}


def main() -> int:
    """The command; 1 where something could not be measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a line (always so)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each round")
    parser.add_argument("--load", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.load:
        print(json.dumps(asyncio.run(asked(*json.loads(given.load)))))
        return 0
    try:
        for line in measured(given.rounds, given.seconds):
            print(json.dumps(line), flush=True)
    except (RuntimeError, OSError, subprocess.SubprocessError) as wrong:
        for case in CASES:
            told = {"case": f"gate/http-{case}-cerbos", "ours": None, "note": str(wrong)}
            print(json.dumps(told))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
