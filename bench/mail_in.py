"""Measures the mail door: `python -m bench.mail_in --json [--mails N] [--rounds N] [--long] [--profile]`.

The same mails wait in a real Dovecot for each round: `mbsync` copies them into a Maildir, and the desk
commits them sealed, moves them, parses, understands and acknowledges them into its outbox.
`django-helpdesk` does the same over fewer mails with its `get_email`. Both are ratios of mails a second,
from the medians of interleaved rounds. `latency_s` is the time from a delivery to an idle desk to the
letter in its outbox, `rss_mb` the desk's peak and `rss_50k_mb` that over 50,000 mails (`--long`).
`--profile` tells where the desk's time goes instead.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench import _helpdesk
from bench._mails import DESK, mails

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "plugins"))
from servers import PASSWORD, Dovecot, SmtpSinks, find, running_dovecot

ROOT = Path(__file__).parent.parent
CASES = {"mbsync": "mail/s", "rss_mb": "MB", "django-helpdesk": "mail/s", "latency_s": "s"}
MISSING = (pytest.skip.Exception, pytest.fail.Exception)  # a server's program is not there
MAILS, ROUNDS, HELPDESK_MAILS, MANY, LETTERS = 5000, 5, 300, 50_000, 10


@dataclass(frozen=True)
class Town:
    """The servers and the folder of one run."""

    dovecot: Dovecot
    folder: Path

    def home(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))

    def order(self, home: Path, user: str, **more: int) -> dict[str, Any]:
        """What `_mail_desk.Order` takes."""
        ports = {"imap": self.dovecot.imap_port, "lmtp": self.dovecot.lmtp_port}
        return {"home": str(home), "user": user, "password": PASSWORD, **ports, **more}


def fill(server: Dovecot, user: str, letters: Iterable[bytes]) -> None:
    """Puts the mails into the user's Maildir, as a delivery agent would, without LMTP's time."""
    new = server.folder / "mail" / user / "new"
    for folder in (new, new.parent / "cur", new.parent / "tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(letters):
        (new / f"{1_700_000_000 + number}.M{number}.bench").write_bytes(raw)
    owner = (server.folder / "mail").stat()
    for path in [new.parent, *new.parent.rglob("*")]:
        os.chown(path, owner.st_uid, owner.st_gid)


def mbsync(town: Town, letters: list[bytes]) -> float:
    """Seconds that mbsync takes to copy the mailbox into a new Maildir."""
    user, home = town.dovecot.new_user(), town.home()
    fill(town.dovecot, user, letters)
    (home / "mail").mkdir()
    config = home / "mbsyncrc"
    config.write_text(
        f"IMAPAccount a\nHost 127.0.0.1\nPort {town.dovecot.imap_port}\nUser {user}\n"
        f"Pass {PASSWORD}\nSSLType None\nAuthMechs LOGIN\n\nIMAPStore far\nAccount a\n\n"
        f"MaildirStore near\nPath {home}/mail/\nInbox {home}/mail/INBOX\n\n"
        "Channel c\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\n"
        f"SyncState {home}/state\n"
    )
    start = time.perf_counter()
    subprocess.run([find("mbsync", "isync"), "-q", "-c", str(config), "c"], check=True)
    took = time.perf_counter() - start
    copied = sum(1 for _ in (home / "mail" / "INBOX").glob("*/*"))
    assert copied == len(letters), f"mbsync copied {copied}"
    gone(town, home, user)
    return took


def desk(town: Town, letters: Iterable[bytes], count: int, work: str = "take_in") -> Any:
    """One desk in a process of its own takes the mailbox in; what it tells of it."""
    user, home = town.dovecot.new_user(), town.home()
    fill(town.dovecot, user, letters)
    told = child(work, town.order(home, user, mails=count))
    gone(town, home, user)
    return told


def child(work: str, order: dict[str, Any]) -> Any:
    """Runs a desk's work in a new process. Raises RuntimeError with its last words."""
    command = [sys.executable, "-m", "bench.mail_in", "--work", work, json.dumps(order)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=7200)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [""])[-1][:200]
        raise RuntimeError(f"the desk ended with {done.returncode}: {last}")
    return json.loads(done.stdout.splitlines()[-1])


def gone(town: Town, home: Path, user: str) -> None:
    shutil.rmtree(home)
    shutil.rmtree(town.dovecot.folder / "mail" / user, ignore_errors=True)


def against_mbsync(town: Town, count: int, rounds: int) -> float:
    """Reports `mbsync` and `rss_mb`; returns the latter."""
    letters = list(mails(count))
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(mbsync(town, letters))
        ours.append(desk(town, letters, count))
    seconds = statistics.median(one["seconds"] for one in ours)
    first, cpu = ours[0], statistics.median(one["cpu"] for one in ours)
    note = f"{count} mails, {rounds} rounds; {cpu:.1f} CPU s; " + ", ".join(
        f"{first[name]:.0f} {name}" for name in ("requests", "letters", "held", "dead")
    )
    report("mbsync", count / seconds, count / statistics.median(theirs), "mail/s", note)
    peak = max(one["rss_mb"] for one in ours)
    report("rss_mb", peak, None, "MB", f"peak of the desk's process over {count} mails")
    return float(peak)


def against_helpdesk(town: Town, count: int, rounds: int) -> float:
    python = _helpdesk.installed()
    letters = list(mails(count))
    ours, theirs = [], []
    for _ in range(rounds):
        user, home = town.dovecot.new_user(), town.home()
        fill(town.dovecot, user, letters)
        account = (town.dovecot.imap_port, user, PASSWORD)
        theirs.append(_helpdesk.get_email(python, home, DESK, account, count))
        gone(town, home, user)
        ours.append(desk(town, letters, count)["seconds"])
    rates = (count / statistics.median(ours), count / statistics.median(theirs))
    note = f"{count} mails, {rounds} rounds; get_email of {_helpdesk.VERSION} on its own SQLite"
    report("django-helpdesk", *rates, "mail/s", note)
    return float(rates[0])


def latency(town: Town) -> float:
    with ExitStack() as stack:
        sink = SmtpSinks(stack).start()
        user, home = town.dovecot.new_user(), town.home()
        took = child("latency", town.order(home, user, smtp=sink.port, mails=LETTERS))
    gone(town, home, user)
    note = f"median of {LETTERS}, worst {max(took):.2f}; delivered by LMTP, every loop running"
    middle = float(statistics.median(took))
    report("latency_s", middle, None, "s", note)
    return middle


def many(town: Town, count: int, at_few: float) -> float:
    told = desk(town, mails(count), count)
    note = f"{count} mails in {told['seconds']:.0f} s; {at_few:.0f} MB at fewer (rss_mb)"
    report("rss_50k_mb", told["rss_mb"], None, "MB", note)
    return float(told["rss_mb"])


def report(case: str, ours: float | None, peer: float | None, unit: str, note: str) -> None:
    ratio = round(ours / peer, 3) if ours and peer else None
    told = {"case": f"mail_in/{case}", "ours": ours and round(ours, 3 if unit == "s" else 1)}
    told |= {"peer": peer and round(peer, 1), "unit": unit, "ratio": ratio, "note": note}
    print(json.dumps(told, ensure_ascii=False), flush=True)


def measured(case: str, unit: str, measure: Callable[[], float]) -> float | None:
    """What was measured, or None where it could not be, and the case says why."""
    try:
        return measure()
    except (Exception, *MISSING) as wrong:
        report(case, None, None, unit, f"{type(wrong).__name__}: {wrong}")
        return None


def measure(wanted: argparse.Namespace, town: Town) -> int:
    """Every case; 1 where one could not be measured."""
    few = min(HELPDESK_MAILS, wanted.mails)
    peak = measured("mbsync", "mail/s", lambda: against_mbsync(town, wanted.mails, wanted.rounds))
    cases: list[tuple[str, str, Callable[[], float]]] = [
        ("django-helpdesk", "mail/s", lambda: against_helpdesk(town, few, wanted.rounds)),
        ("latency_s", "s", lambda: latency(town)),
    ]
    if wanted.long:
        cases.append(("rss_50k_mb", "MB", lambda: many(town, MANY, peak or 0)))
    return 0 if all([peak, *(measured(*case) for case in cases)]) else 1


def work(name: str, told: str) -> int:
    """The desk's process."""
    from bench import _mail_desk, _where

    order = _mail_desk.Order(**json.loads(told))
    if name == "latency":
        found: Any = asyncio.run(_mail_desk.latency(order, list(mails(2 * order.mails))[1::2]))
    elif name == "profile":
        with _where.looking(ROOT) as seen:
            figures = asyncio.run(_mail_desk.take_in(order))
        found = [f"{order.mails} mails in {figures['seconds']:.1f} s", *seen.lines()]
    else:
        found = asyncio.run(_mail_desk.take_in(order))
    print(json.dumps(found))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a line (always so)")
    parser.add_argument("--mails", type=int, default=MAILS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--long", action="store_true", help="memory over 50,000 mails too")
    parser.add_argument("--profile", action="store_true", help="where the desk's time goes")
    parser.add_argument("--work", nargs=2, metavar=("WORK", "ORDER"), help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.work:
        return work(*wanted.work)
    try:
        with running_dovecot() as server, tempfile.TemporaryDirectory() as name:
            town = Town(server, Path(name))
            if wanted.profile:
                print("\n".join(desk(town, mails(wanted.mails), wanted.mails, "profile")))
                return 0
            return measure(wanted, town)
    except MISSING as wrong:
        for case, unit in CASES.items():
            report(case, None, None, unit, str(wrong))
        return 1


if __name__ == "__main__":
    sys.exit(main())
