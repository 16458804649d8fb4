"""Measures the mail door: `python -m bench.mail_in --json [--mails N] [--rounds N]`.

The same mails wait in a real Dovecot for each round: `mbsync` copies them into a Maildir; the desk
commits them sealed, moves them, parses, understands and acknowledges them into its outbox. `mbsync` and
`django-helpdesk` are ratios of mails a second; `rss_mb` is the desk's peak, `rss_50k_mb` the same over
ten times as many (`--long`), `latency_s` the time from a delivery to the acknowledgement in the outbox.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func
from sqlmodel import select

from bench._mails import DESK, SERVER, mails

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "plugins"))
from servers import PASSWORD, Dovecot, find, running_dovecot

MAILS, ROUNDS, HELPDESK_MAILS = 5000, 5, 300


def fill(server: Dovecot, user: str, letters: list[bytes]) -> None:
    """Puts the mails into the user's Maildir, as a delivery agent would, without LMTP's time."""
    new = server.folder / "mail" / user / "new"
    for folder in (new, new.parent / "cur", new.parent / "tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(letters):
        (new / f"{1_700_000_000 + number}.M{number}.bench").write_bytes(raw)
    owner = (server.folder / "mail").stat()
    for path in [new.parent, *new.parent.rglob("*")]:
        os.chown(path, owner.st_uid, owner.st_gid)


def mbsync(server: Dovecot, letters: list[bytes], folder: Path) -> float:
    """Seconds that mbsync takes to copy the mailbox into a new Maildir."""
    user = server.new_user()
    fill(server, user, letters)
    home = Path(tempfile.mkdtemp(dir=folder))
    (home / "mail").mkdir()
    config = home / "mbsyncrc"
    config.write_text(
        f"IMAPAccount a\nHost 127.0.0.1\nPort {server.imap_port}\nUser {user}\nPass {PASSWORD}\n"
        "SSLType None\nAuthMechs LOGIN\n\nIMAPStore far\nAccount a\n\n"
        f"MaildirStore near\nPath {home}/mail/\nInbox {home}/mail/INBOX\n\n"
        "Channel c\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\n"
        f"SyncState {home}/state\n"
    )
    start = time.perf_counter()
    subprocess.run([find("mbsync", "isync"), "-q", "-c", str(config), "c"], check=True)
    took = time.perf_counter() - start
    copied = sum(1 for _ in (home / "mail" / "INBOX").glob("*/*"))
    assert copied == len(letters), f"mbsync copied {copied}"
    shutil.rmtree(home)
    return took


def desk(server: Dovecot, letters: list[bytes], folder: Path) -> dict[str, float]:
    """One desk in a process of its own takes the mailbox in; its seconds, memory and counts."""
    user = server.new_user()
    fill(server, user, letters)
    home = Path(tempfile.mkdtemp(dir=folder))
    wanted = {"user": user, "port": server.imap_port, "mails": len(letters), "home": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "bench.mail_in", "--desk", json.dumps(wanted)],
        check=True,
        capture_output=True,
        text=True,
    )
    shutil.rmtree(home)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


async def take_in(wanted: dict[str, Any]) -> dict[str, float]:
    """Runs the real doors and loops until every mail has come to its end."""
    from subjectline.handlers import inbox
    from subjectline.handlers.desk import Desk
    from subjectline.intake.serve import assemble
    from subjectline.intake.setup import close_desk
    from subjectline.models.incoming import Door
    from subjectline.models.tables import Outbox, RawInbox, Request

    made: Desk
    made, settings = await _new_desk(wanted)
    parts = assemble(made, settings)
    start, cpu = time.perf_counter(), time.process_time()
    loops = [asyncio.ensure_future(loop()) for loop in parts.loops]
    loops.append(asyncio.ensure_future(inbox.run(made, {Door.MAIL: parts.parsers[Door.MAIL]})))
    ended = 0
    while ended < wanted["mails"]:
        await asyncio.sleep(0.1)
        async with made.db.read() as session:
            query = select(func.count()).select_from(RawInbox).where(RawInbox.state != "new")
            ended = (await session.exec(query)).one()
    took, spent = time.perf_counter() - start, time.process_time() - cpu
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    async with made.db.read() as session:
        requests = (await session.exec(select(func.count()).select_from(Request))).one()
        letters = (await session.exec(select(func.count()).select_from(Outbox))).one()
        dead = (
            await session.exec(
                select(func.count()).select_from(RawInbox).where(RawInbox.state == "dead")
            )
        ).one()
    await close_desk(made)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": took,
        "cpu": spent,
        "rss_mb": rss,
        "requests": requests,
        "letters": letters,
        "dead": dead,
    }


async def _new_desk(wanted: dict[str, Any]) -> tuple[Any, Any]:
    from subjectline.handlers.registry import open_engine
    from subjectline.intake.sandbox.company import MAP, fill
    from subjectline.intake.setup import make_desk
    from subjectline.models.keys import KeyRing
    from subjectline.models.migrate import migrate
    from subjectline.models.settings import Settings

    home = Path(wanted["home"])
    company = f"sqlite:///{home / 'company.db'}"
    engine = open_engine(company)
    await fill(engine, datetime.now(UTC), 300)
    await engine.dispose()
    KeyRing.generate().save(home / "keyring.json")
    settings = Settings.model_validate(
        {
            "desk": {"data_dir": str(home), "address": DESK, "authserv_ids": [SERVER]},
            "keys": {"ring": str(home / "keyring.json")},
            "registry": {"map": str(MAP), "urls": {"members": company}},
            "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none", "from_address": DESK},
            "mailboxes": [
                {
                    "host": "127.0.0.1",
                    "port": wanted["port"],
                    "user": wanted["user"],
                    "password": PASSWORD,
                    "tls": "none",
                }
            ],
        }
    )
    made = make_desk(settings)
    await migrate(made.db)
    return made, settings


def report(case: str, ours: float | None, peer: float | None, unit: str, note: str) -> None:
    ratio = round(ours / peer, 3) if ours and peer else None
    print(
        json.dumps(
            {
                "case": f"mail_in/{case}",
                "ours": ours and round(ours, 1),
                "peer": peer and round(peer, 1),
                "unit": unit,
                "ratio": ratio,
                "note": note,
            }
        ),
        flush=True,
    )


def measure(count: int, rounds: int) -> None:
    letters = list(mails(count))
    ours: list[dict[str, float]] = []
    theirs: list[float] = []
    with running_dovecot() as server, tempfile.TemporaryDirectory() as name:
        for _ in range(rounds):
            theirs.append(mbsync(server, letters, Path(name)))
            ours.append(desk(server, letters, Path(name)))
    seconds = statistics.median(one["seconds"] for one in ours)
    first = ours[0]
    note = (
        f"{count} mails, {first['requests']:.0f} requests, {first['letters']:.0f} letters,"
        f" {first['dead']:.0f} dead; {statistics.median(o['cpu'] for o in ours):.1f} CPU s"
    )
    report("mbsync", count / seconds, count / statistics.median(theirs), "mail/s", note)
    report("rss_mb", max(one["rss_mb"] for one in ours), None, "MB", "peak of the desk's process")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--mails", type=int, default=MAILS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--desk", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.desk:
        print(json.dumps(asyncio.run(take_in(json.loads(wanted.desk)))))
        return 0
    measure(wanted.mails, wanted.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
