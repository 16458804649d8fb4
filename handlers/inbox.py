"""The raw inbox: sealed and committed before a server hears "thank you", then parsed and received.

`keep` is what doors call; it returns only after the commit. `run` works through what is new, in order
within a lane (a mailbox, a chat). What fails five times is a dead letter that agents see and can retry.
"""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import agents_group, chat_closed, holds, reception
from subjectline.handlers.identity import Known
from subjectline.models.db import wake
from subjectline.models.errors import KeyDestroyed, RegistryError, SubjectlineError, UnreadableMail
from subjectline.models.incoming import Door, Incoming
from subjectline.models.tables import Message, RawInbox

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

log = logging.getLogger(__name__)

TRIES = 5
AT_ONCE = 50
BYTES_AT_ONCE = 16 * 1024 * 1024
SWEEP = 5.0
AWAY = 2.0  # seconds to wait for a registry that is away
INTAKE_KEYS_LIVE = timedelta(days=30)


@dataclass(frozen=True)
class Raw:
    """One thing as it arrived. `arrived_at` is the server's word for it, aware UTC."""

    door: Door
    source_key: str
    lane: str
    arrived_at: datetime
    body: bytes
    oversized: bool = False


@dataclass(frozen=True)
class RawView:
    """What a parser is given: the opened bytes and what is known of them."""

    door: Door
    source_key: str
    arrived_at: datetime
    body: bytes
    oversized: bool


HAPPENED = {
    "blocked": chat_closed.happened,
    "unblocked": chat_closed.happened,
    "pressed": agents_group.pressed,
    "agent_code": agents_group.offered,
}
Parsed = Incoming | None  # None: nothing that a person said
Parser = Callable[[RawView], Parsed | Awaitable[Parsed]]


async def keep(desk: "Desk", raws: Sequence[Raw]) -> None:
    """Commits raw forms, sealed under the day's intake key. The same thing twice is one row."""
    if not raws:
        return
    now = desk.clock()
    key_id = desk.vault.make_key(f"intake:{now.date().isoformat()}", now)
    insert = sqlite_insert if desk.db.embedded else pg_insert
    rows = [
        {
            "door": raw.door,
            "source_key": raw.source_key,
            "lane": raw.lane,
            "arrived_at": raw.arrived_at,
            "kept_at": now,
            "body": desk.vault.seal(key_id, "raw_inbox.body", raw.body),
            "size": len(raw.body),
            "oversized": raw.oversized,
            "state": "new",
            "attempts": 0,
            "reason": "",
        }
        for raw in raws
    ]
    async with desk.db.write() as session:
        table = RawInbox.__table__  # type: ignore[attr-defined]
        await session.exec(insert(table).values(rows).on_conflict_do_nothing())
        wake(session, "inbox")


async def run(desk: "Desk", parsers: Mapping[Door, Parser]) -> None:
    """Works through the inbox until cancelled."""
    while True:
        if not await once(desk, parsers):
            await desk.db.signals.wait("inbox", SWEEP)


async def once(desk: "Desk", parsers: Mapping[Door, Parser]) -> int:
    """Handles what is new, oldest first; returns how many rows came to an end.

    What was read goes through in one transaction. Where one of them fails, none of them happened, and
    they are taken one by one: the one at fault is counted, and holds up its own lane only.
    """
    waiting = await _waiting(desk)
    # All at once: one whose signature waits for the DNS keeps none of the others.
    ends = await asyncio.gather(*(_read(desk, parsers, raw) for raw in waiting))
    read: list[tuple[RawInbox, Incoming]] = []
    blocked, ended = set[str](), 0
    for raw, end in zip(waiting, ends, strict=True):
        if end is False:
            blocked.add(raw.lane)
        elif end is True:
            ended += 1
        elif raw.lane not in blocked:
            read.append((raw, end))
    return ended + await _receive_all(desk, read)


async def _waiting(desk: "Desk") -> list[RawInbox]:
    """The next rows, as many as fit into one transaction."""
    async with desk.db.read() as session:
        rows = await session.exec(
            select(RawInbox)
            .where(RawInbox.state == "new")
            .order_by(col(RawInbox.id))
            .limit(AT_ONCE)
        )
        waiting: list[RawInbox] = []
        size = 0
        for raw in rows:
            size += raw.size
            if waiting and size > BYTES_AT_ONCE:
                break
            waiting.append(raw)
        return waiting


async def _read(desk: "Desk", parsers: Mapping[Door, Parser], raw: RawInbox) -> Incoming | bool:
    """One row parsed; True where it came to its end by that, False where its lane must wait."""
    try:
        parsed = parsers[Door(raw.door)](_view(desk, raw))
        incoming = await parsed if isinstance(parsed, Awaitable) else parsed
        if incoming is not None:
            return incoming
        await _nothing(desk, raw)
    except (UnreadableMail, KeyDestroyed) as wrong:
        await _dead(desk, raw, wrong.rule)
    except Exception as wrong:
        return await _failed(desk, raw, wrong)
    return True


async def _receive_all(desk: "Desk", read: Sequence[tuple[RawInbox, Incoming]]) -> int:
    """All of a batch, or what can be of it; how many rows came to an end."""
    if not read:
        return 0
    try:
        known = await reception.lookups(desk, [incoming for _, incoming in read])
        received = 0
        while received < len(read):
            received += await _receive_some(desk, read[received:], known[received:])
    except RegistryError as wrong:  # away, or not as the map says: no fault of these messages
        log.warning("the registry does not answer (%s); what came in waits", type(wrong).__name__)
        await desk.db.signals.wait("inbox-pause", AWAY)
        return 0
    except Exception as wrong:
        if len(read) == 1:
            return await _failed(desk, read[0][0], wrong)
        return await _one_by_one(desk, read)
    return len(read)


async def _receive_some(
    desk: "Desk", read: Sequence[tuple[RawInbox, Incoming]], known: Sequence[Known]
) -> int:
    """One transaction; returns how many it carried.

    Where others write at the same time it ends with the first that takes the gate's head: whoever has
    it may wait for no other row, or two would wait for each other.
    """
    kept: list[Message] = []
    carried = 0
    async with desk.write() as session:
        rows = await _rows(session, [raw for raw, _ in read])
        await reception.look_ahead(session, desk, [incoming for _, incoming in read])
        for (raw, incoming), about in zip(read, known, strict=True):
            carried += 1
            kept += await _receive(session, desk, rows.get(raw.id), incoming, about)
            if not desk.db.embedded and holds.head_taken(session):
                break
            await asyncio.sleep(0)  # the gate answers in between
    desk.ruled.update((message.rule, message.outcome) for message in kept)  # once it is committed
    return carried


async def _one_by_one(desk: "Desk", read: Sequence[tuple[RawInbox, Incoming]]) -> int:
    ended, blocked = 0, set[str]()
    for raw, incoming in read:
        if raw.lane not in blocked:
            done = await _receive_all(desk, [(raw, incoming)])
            ended += done
            if not done:
                blocked.add(raw.lane)
    return ended


async def _rows(session: AsyncSession, read: Sequence[RawInbox]) -> dict[int | None, RawInbox]:
    """The rows as they are now, in the order in which everybody locks them."""
    ids = [raw.id for raw in read]
    found = await session.exec(
        select(RawInbox)
        .where(col(RawInbox.id).in_(ids))
        .options(defer(RawInbox.body))  # type: ignore[arg-type]  # it was opened already
        .order_by(col(RawInbox.id))
        .with_for_update()
    )
    return {row.id: row for row in found}


async def _receive(
    session: AsyncSession, desk: "Desk", row: RawInbox | None, incoming: Incoming, known: Known
) -> list[Message]:
    """The message, its steps and the emptying of the raw row; nothing where another was faster."""
    if row is None or row.state != "new":
        return []
    if incoming.happened:  # nobody said anything
        await HAPPENED[incoming.happened](session, desk, incoming)
        _end(session, row, None)
        return []
    message = await reception.receive(session, desk, incoming, known)
    _end(session, row, message)
    return [message]


def _view(desk: "Desk", raw: RawInbox) -> RawView:
    if raw.body is None:
        raise UnreadableMail("its raw form is gone", remedy="It was handled, or is too old.")
    opened = desk.vault.open(raw.body)
    return RawView(Door(raw.door), raw.source_key, raw.arrived_at, opened, raw.oversized)


async def _nothing(desk: "Desk", raw: RawInbox) -> None:
    async with desk.db.write() as session:
        if row := await _still_new(session, raw):
            _end(session, row, None)


def _end(session: AsyncSession, row: RawInbox, message: Message | None) -> None:
    row.state, row.body = "done", None
    row.message_id = message.id if message else None
    session.add(row)


async def _failed(desk: "Desk", raw: RawInbox, wrong: Exception) -> bool:
    """Counts a failure; at the fifth the row is a dead letter and its lane goes on."""
    reason = wrong.rule if isinstance(wrong, SubjectlineError) else type(wrong).__name__
    log.error("raw %s (%s) failed: %s", raw.id, raw.door, where(wrong))
    if raw.attempts + 1 >= TRIES:
        await _dead(desk, raw, reason)
        return True
    async with desk.db.write() as session:
        if row := await _still_new(session, raw):
            row.attempts, row.reason = row.attempts + 1, reason
            session.add(row)
    return False


def where(wrong: Exception) -> str:
    """Kind and place of an error without its words, which may quote a person."""
    frames = traceback.extract_tb(wrong.__traceback__)
    last = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
    return f"{type(wrong).__name__} at {last}"


async def _dead(desk: "Desk", raw: RawInbox, reason: str) -> None:
    """Kept sealed, seen by agents, to be retried; gone with its intake key after 30 days."""
    async with desk.db.write() as session:
        if row := await _still_new(session, raw):
            row.state, row.reason = "dead", reason
            session.add(row)


async def _still_new(session: AsyncSession, raw: RawInbox) -> RawInbox | None:
    """The row, locked; None where another worker came to an end with it meanwhile."""
    row = (await _rows(session, [raw])).get(raw.id)
    return row if row is not None and row.state == "new" else None


def forget_intake_keys(desk: "Desk") -> list[str]:
    """Destroys the intake keys older than 30 days, whatever is left under them."""
    return desk.vault.destroy_before("intake:", desk.clock() - INTAKE_KEYS_LIVE)
