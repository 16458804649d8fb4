"""Attached files go to the virus scanner once their mail is committed, before an agent opens them.

A file waits `unscanned` until the scanner has said `clean` or `infected`, or has failed at it five
times. While the scanner is away nothing is counted: the files wait, and agents see that they do.
"""

import logging
from typing import TYPE_CHECKING, Protocol

from sqlmodel import col, select

from subjectline.handlers import audit
from subjectline.handlers.senders.clamd import Verdict
from subjectline.models.errors import ScannerAway, SealError
from subjectline.models.files import Apart
from subjectline.models.tables import MessageFile

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

log = logging.getLogger(__name__)

SWEEP = 60.0  # seconds between looks when nothing wakes the loop
AWAY = (5, 15, 60, 300)  # seconds to wait for a scanner that is away, the last one again and again
TRIES = 5
AT_ONCE = 20


class Scanner(Protocol):
    async def scan(self, content: bytes) -> Verdict: ...

    async def version(self) -> str: ...


async def run(desk: "Desk", scanner: Scanner | None) -> None:
    """Scans what waits until cancelled. Without a scanner it says so once, and ends."""
    if scanner is None:
        log.warning("attachments.clamd is not set: files that come attached are not scanned")
        return
    missed = -1  # how often in a row it was away; before the first word from it, -1
    while True:
        try:
            if missed:
                log.info("files that come attached are scanned by %s", await scanner.version())
            missed = 0
            while await once(desk, scanner):
                continue
        except ScannerAway as away:
            missed = max(missed, 0) + 1
            log.warning("%s", away)
        wait = AWAY[min(missed, len(AWAY)) - 1] if missed else SWEEP
        await desk.db.signals.wait("scan", wait)


async def once(desk: "Desk", scanner: Scanner) -> int:
    """Scans the next files that wait; returns how many came to an end. Raises ScannerAway.

    A file that the scanner falls over at is counted and keeps none of the others waiting.
    """
    ended = 0
    away: ScannerAway | None = None
    for number in await _waiting(desk):
        try:
            ended += await _scan(desk, scanner, number)
        except ScannerAway as wrong:
            away = wrong
            if not await _lives(scanner):
                raise
            ended += await _missed(desk, number)
    if away is not None and not ended:
        raise away
    return ended


async def _lives(scanner: Scanner) -> bool:
    """Whether it answers at all, so that this one file was the trouble."""
    try:
        await scanner.version()
    except ScannerAway:
        return False
    return True


async def _waiting(desk: "Desk") -> list[int]:
    async with desk.db.read() as session:
        rows = await session.exec(
            select(MessageFile.id)
            .where(MessageFile.scan == "unscanned", col(MessageFile.content).is_not(None))
            .order_by(col(MessageFile.scan_tries), col(MessageFile.id))
            .limit(AT_ONCE)
        )
        return [number for number in rows if number is not None]


async def _scan(desk: "Desk", scanner: Scanner, number: int) -> int:
    async with desk.db.read() as session:
        row = await session.get_one(MessageFile, number)
    try:
        content = desk.vault.open(row.content) if row.content is not None else b""
    except SealError:
        return await _end(desk, number, Verdict("failed", "its key is gone"))
    return await _end(desk, number, await scanner.scan(content))


async def _end(desk: "Desk", number: int, verdict: Verdict) -> int:
    async with desk.db.write() as session:
        row = await session.get_one(MessageFile, number, with_for_update=True)
        if row.scan != "unscanned":
            return 0
        row.scan, row.finding = verdict.state, verdict.finding
        if verdict.state == "infected":
            row.apart = [*row.apart, Apart.INFECTED.value]
            thing = f"message_file:{number}"
            audit.note(
                session, desk.clock, audit.SYSTEM, "quarantine", thing=thing, reason=row.finding
            )
        session.add(row)
    return 1


async def _missed(desk: "Desk", number: int) -> int:
    async with desk.db.write() as session:
        row = await session.get_one(MessageFile, number, with_for_update=True)
        row.scan_tries += 1
        if row.scan_tries >= TRIES:
            row.scan, row.finding = "failed", "the scanner gave no answer"
        session.add(row)
        return int(row.scan_tries >= TRIES)
