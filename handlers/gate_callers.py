"""The systems that ask the gate over HTTP, each known by keys that are kept only as hashes.

A caller may have several keys at once: while one is exchanged, the old and the new one are good.
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy import delete, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.handlers.gate_policy import DESK, OUR_OWN
from subjectline.models.clock import Clock, system_clock
from subjectline.models.db import Database
from subjectline.models.errors import BadInput, NotPermitted
from subjectline.models.tables import GateCaller, GateKey

log = logging.getLogger(__name__)

PREFIX = "slg_"
NOTED = timedelta(minutes=1)  # how exactly "last used" of a key is kept
LONGEST = timedelta(days=90)  # that an old key may go on beside the new one
OPERATOR = audit.Actor("system", "command line")


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of one key. `until`: None as long as nobody ends it."""

    id: int
    caller: str
    until: datetime | None
    purposes: tuple[str, ...]
    recipients: tuple[str, ...]

    def good(self, now: datetime) -> bool:
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class KeyShown:
    """A key as a list shows it: never the key, never its hash."""

    id: int
    made_at: datetime
    until: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class CallerShown:
    """A caller as a list shows it."""

    name: str
    purposes: tuple[str, ...]
    recipients: tuple[str, ...]
    disabled_at: datetime | None
    keys: tuple[KeyShown, ...]


async def add_caller(
    session: AsyncSession,
    name: str,
    purposes: Sequence[str],
    recipients: Sequence[str] = (),
    clock: Clock = system_clock,
) -> str:
    """A new caller, or a new key and scope for one of that name, whose other keys end. Returns the
    key, told only now.

    `("*",)` means all purposes or recipients; without recipients it asks for the company's own use.
    Raises NotPermitted for what is the desk's alone.
    """
    if name == DESK or OUR_OWN.intersection(purposes):
        raise NotPermitted(
            f"{', '.join(sorted({DESK, *OUR_OWN}))} are the desk's own",
            field="caller",
            remedy="Name another caller, with the purposes that it has.",
        )
    row = await _named(session, name)
    if row is None:
        row = GateCaller(name=name, made_at=clock())
    row.disabled_at = None
    row.purposes, row.recipients = list(purposes), list(recipients)
    session.add(row)
    await session.flush()
    await _end_keys(session, row)
    audit.note(
        session,
        clock,
        OPERATOR,
        "gate_caller_added",
        thing=name,
        purposes=list(purposes),
        recipients=list(recipients),
    )
    return await _new_key(session, row, clock)


async def rotate(
    session: AsyncSession, name: str, keep: timedelta, clock: Clock = system_clock
) -> str:
    """One more key for a caller; the keys it has are good for `keep` yet, but not longer than before.

    Returns the new key, told only now. Raises BadInput for a caller that is not there or disabled, or
    for a time out of bounds.
    """
    if not timedelta() <= keep <= LONGEST:
        raise BadInput(
            f"the old key may go on for 0 to {LONGEST.days} days",
            field="--for",
            remedy="Write a shorter time, like 7d or 12h.",
        )
    row = await _known(session, name)
    if row.disabled_at is not None:
        raise BadInput(
            f"{name!r} is revoked",
            field="name",
            remedy="Let it ask again: subjectline gate caller NAME --purpose PURPOSE",
        )
    now = clock()
    longer = col(GateKey.until).is_(None) | (col(GateKey.until) > now + keep)
    mine = col(GateKey.caller_id) == row.id
    await _run(session, update(GateKey).where(mine, longer).values(until=now + keep))
    await _run(session, delete(GateKey).where(mine, col(GateKey.until) <= now))
    audit.note(session, clock, OPERATOR, "gate_key_rotated", thing=name)
    return await _new_key(session, row, clock)


async def revoke(
    session: AsyncSession, name: str, key_id: int | None = None, clock: Clock = system_clock
) -> None:
    """Ends a caller with all its keys, or one key of it. Raises BadInput if that is not there."""
    row = await _known(session, name)
    if key_id is None:
        row.disabled_at = row.disabled_at or clock()
        session.add(row)
    ended = await _end_keys(session, row, key_id)
    if key_id is not None and not ended:
        raise BadInput(f"{name!r} has no key {key_id}", field="--key", remedy="Look at the list.")
    audit.note(session, clock, OPERATOR, "gate_key_revoked", thing=name, keys=ended)


async def listed(session: AsyncSession) -> list[CallerShown]:
    """Every caller of the table by name, with its keys from the oldest on."""
    keys: dict[int, list[KeyShown]] = {}
    for key in await session.exec(select(GateKey).order_by(col(GateKey.id))):
        shown = KeyShown(key.id or 0, key.made_at, key.until, key.last_used_at)
        keys.setdefault(key.caller_id, []).append(shown)
    return [
        CallerShown(
            row.name,
            tuple(row.purposes),
            tuple(row.recipients),
            row.disabled_at,
            tuple(keys.get(row.id or 0, ())),
        )
        for row in await session.exec(select(GateCaller).order_by(col(GateCaller.name)))
    ]


async def known_keys(session: AsyncSession, hashed: bytes | None = None) -> dict[bytes, Key]:
    """The keys of callers that may ask, by hash: all of them, or one.

    Some of them may have ended: see `Key.good`.
    """
    wanted = (
        sa.select(
            col(GateKey.key_hash),
            col(GateKey.id),
            col(GateKey.until),
            col(GateCaller.name),
            col(GateCaller.purposes),
            col(GateCaller.recipients),
        )
        .join(GateCaller, col(GateCaller.id) == col(GateKey.caller_id))
        .where(col(GateCaller.disabled_at).is_(None))
    )
    if hashed is not None:
        wanted = wanted.where(col(GateKey.key_hash) == hashed)
    found = await (await session.connection()).execute(wanted)
    return {
        row.key_hash: Key(row.id, row.name, row.until, tuple(row.purposes), tuple(row.recipients))
        for row in found
    }


async def authenticate(session: AsyncSession, key: str, now: datetime) -> Key | None:
    """Whose key this is; None if nobody's, or one that has ended."""
    found = (await known_keys(session, digest(key))).get(digest(key))
    return found if found is not None and found.good(now) else None


async def note_use(session: AsyncSession, used: dict[int, datetime]) -> None:
    """When keys (by id) were last shown."""
    for key_id, at in sorted(used.items()):
        mine = update(GateKey).where(col(GateKey.id) == key_id)
        await _run(session, mine.values(last_used_at=at))


async def note_shown(
    database: Database, shown: dict[int, datetime], noted: dict[int, datetime]
) -> None:
    """Writes when keys (by id) were shown, as often as `NOTED` says. What is written goes from `shown`
    to `noted`; what cannot be written now stays."""
    long_ago = datetime.min.replace(tzinfo=UTC)
    due = {key: at for key, at in shown.items() if at - noted.get(key, long_ago) >= NOTED}
    if not due:
        return
    try:
        async with database.write() as session:
            await note_use(session, due)
    except (SQLAlchemyError, OSError) as error:
        log.warning("which keys were shown is not written (%s)", type(error).__name__)
        return
    noted |= due
    for key, at in due.items():
        if shown.get(key) == at:
            del shown[key]


def digest(key: str) -> bytes:
    """What is kept of a key.

    A key has 256 random bits, so its plain SHA-256 can be looked up. How long that takes tells at
    most how a hash begins, and nobody can choose a key by that.
    """
    return sha256(key.encode("utf-8", "surrogateescape")).digest()


async def _new_key(session: AsyncSession, row: GateCaller, clock: Clock) -> str:
    key = PREFIX + secrets.token_urlsafe(32)
    session.add(GateKey(caller_id=row.id or 0, key_hash=digest(key), made_at=clock()))
    await session.flush()
    return key


async def _end_keys(session: AsyncSession, row: GateCaller, key_id: int | None = None) -> int:
    wanted = delete(GateKey).where(col(GateKey.caller_id) == row.id)
    if key_id is not None:
        wanted = wanted.where(col(GateKey.id) == key_id)
    return await _run(session, wanted)


async def _run(session: AsyncSession, statement: object) -> int:
    """How many rows it changed."""
    done = await (await session.connection()).execute(statement)  # type: ignore[call-overload]
    number: int = done.rowcount
    return number


async def _named(session: AsyncSession, name: str) -> GateCaller | None:
    found = await session.exec(select(GateCaller).where(col(GateCaller.name) == name))
    return found.one_or_none()


async def _known(session: AsyncSession, name: str) -> GateCaller:
    row = await _named(session, name)
    if row is None:
        raise BadInput(
            f"there is no caller {name!r}",
            field="name",
            remedy="See who there is: subjectline gate callers",
        )
    return row
