"""What the gate tells the replicas of other systems: a snapshot, what changed since, and when.

Each caller is told of the holds that can concern it, for its own purposes and recipients, and not
why. Revisions that do not concern it are told empty, so that a missing one is always noticed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol, cast

from sqlalchemy import Select, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import holds
from subjectline.handlers.gate import Ask, Gate
from subjectline.handlers.gate_policy import OUR_OWN
from subjectline.handlers.gate_reading import mark as _mark
from subjectline.handlers.gate_wakes import heard
from subjectline.handlers.holds import MOVED
from subjectline.models.clock import Clock
from subjectline.models.db import Database
from subjectline.models.errors import FeedBroken, SubjectlineError
from subjectline.models.tables import Hold
from subjectline_client import wire
from subjectline_client.core import steady
from subjectline_client.policy import EVERY, OWN_USE, Policy

log = logging.getLogger(__name__)

MOST = 10_000  # revisions in one answer
FAR = 100_000  # revisions behind, from which on a snapshot is the shorter way
LOOK_SECONDS = 1.0  # between two looks of its own, where nobody wakes it
KEPT = timedelta(days=7)  # a report of uses may be that late
KEY_SECONDS = 1.0  # a key that is good is looked up again
AWAY = "the holds cannot be read now"

_Rule = tuple[wire.Names, wire.Names, wire.Names]
_READ = select(
    col(Hold.registry_id), col(Hold.subject_id), col(Hold.fields),
    col(Hold.purposes), col(Hold.recipients), col(Hold.revision), col(Hold.ended_revision),
    col(Hold.started_at), col(Hold.ended_at),
)  # fmt: skip


class _Found(Protocol):
    """The columns of a hold that the feed reads."""

    registry_id: str
    subject_id: str
    fields: list[str]
    purposes: list[str]
    recipients: list[str]
    revision: int
    ended_revision: int | None
    started_at: datetime
    ended_at: datetime | None


class Seen:
    """The policy as one caller sees it, and which holds can concern that caller."""

    def __init__(self, policy: Policy, name: str) -> None:
        scope = policy.callers[name]
        self.purposes = {
            purpose: found
            for purpose, found in policy.purposes.items()
            if purpose not in OUR_OWN and (purpose in scope.purposes or EVERY in scope.purposes)
        }
        self._own, self._every = Policy((), self.purposes), EVERY in scope.recipients
        served = set(scope.recipients or (OWN_USE,))
        known = policy.recipients if self._every else policy.recipients & served
        own = {OWN_USE} if self._every else set()  # who may ask for all may ask for that too
        self._served = served | known | own
        self.policy = wire.SeenPolicy(
            name,
            policy.ids,
            policy.fields,
            {
                p: wire.SeenPurpose(f.basis, tuple(sorted(f.fields)))
                for p, f in self.purposes.items()
            },
            tuple(sorted(known)),
            scope.recipients,
        )
        self.version = self.policy.version

    def rule(self, row: _Found) -> _Rule | None:
        """What a hold says to this caller; None if it cannot concern it."""
        meant = self._own.purposes_of(row.purposes or (EVERY,))
        purposes = tuple(name for name in self.purposes if name in meant)
        told = tuple(row.recipients or (EVERY,))
        recipients = (EVERY,) if EVERY in told else tuple(r for r in told if r in self._served)
        if not purposes or not recipients:
            return None
        return tuple(row.fields or (EVERY,)), purposes, recipients


class Feed:
    """The feed of one gate. `run` wakes those who listen; the rest is asked."""

    def __init__(self, gate: Gate, database: Database, registry: str, clock: Clock) -> None:
        self._gate, self._database = gate, database
        self._registry, self._clock = registry, clock
        self._seen: dict[str, tuple[Policy, Seen]] = {}
        self._callers: dict[bytes, tuple[str, float]] = {}
        self._moved, self._closed = asyncio.Event(), False
        self._newest = 0

    async def authenticate(self, key: str) -> str | None:
        """As `Gate.authenticate`, and for a second what that said: a replica asks twice a second."""
        now, name = steady(), sha256(key.encode("utf-8", "surrogateescape")).digest()
        caller, until = self._callers.get(name, ("", 0.0))
        if now < until:
            return caller
        found = await self._gate.authenticate(key)
        self._callers = {k: told for k, told in self._callers.items() if told[1] > now}
        if found is not None:
            self._callers[name] = (found, now + KEY_SECONDS)
        return found

    async def snapshot(self, caller: str, ask: str = "") -> wire.Snapshot:
        """Every hold in force that concerns the caller. Raises SubjectlineError if none can be had."""
        seen = self._view(caller)
        async with self._reading(much=True) as session:
            head = await holds.head_of_primary(session)
            mark = _mark(await _read(session, _between(head, head)), head)
            rows = await _read(session, _active(self._registry, head))
        numbers: dict[_Rule, int] = {}
        told = [
            (row.subject_id, numbers.setdefault(rule, len(numbers)))
            for row in rows
            if (rule := seen.rule(row)) is not None
        ]
        bound = int(self._gate.state.bound * 1000)
        return wire.Snapshot(head, mark, bound, seen.policy, tuple(numbers), tuple(told), ask)

    async def changes(
        self, caller: str, since: int, mark: str = "", version: str = "", ask: str = ""
    ) -> wire.Changes:
        """What happened after revision `since`, in order, at most `MOST` revisions of it.

        Looks at the database after it was asked. `mark` is that of the last answer, `version` the
        policy's; empty ones are not compared. Raises FeedBroken where only a snapshot helps.
        """
        seen = self._view(caller)
        if version and version != seen.version:
            raise FeedBroken("the caller's scope or the data map has changed", field="policy")
        async with self._reading() as session:
            # The head first: what is committed up to it stays as it is, what comes later waits.
            head = await holds.head_of_primary(session)
            if since > head:
                raise FeedBroken("that revision is not of this history", field="since")
            if head - since > FAR:
                raise FeedBroken("that revision is too old", field="since")
            last = min(head, since + MOST)
            rows = await _read(session, _between(since, last))
        if mark and mark != _mark(rows, since):
            raise FeedBroken("that revision is not of this history", field="mark")
        return wire.Changes(last, head, _mark(rows, last), self._told(seen, rows, since, last), ask)

    async def newer(self, known: int) -> int | None:
        """Waits until the newest revision is another one and returns it; None once the feed ends."""
        while self._newest in (known, 0) and not self._closed:
            await self._moved.wait()
        return None if self._closed else self._newest

    async def report(self, caller: str, uses: Sequence[wire.Use], enforced: bool = True) -> None:
        """Counts what a replica permitted and denied, on the days when it did. One that does not
        enforce has permitted what was held of a member, where a use names one.

        A report may come after the release: whose use it was is kept if something was held of them
        in the days that a report may take. Raises SubjectlineError if that cannot be read.
        """
        now = self._clock()
        late = {u.subject for u in uses if u.subject and not self._gate.state.has_holds(u.subject)}
        released = await self._released(late, now - KEPT) if late else frozenset[str]()
        for use in uses:
            at = datetime.fromtimestamp(use.at, UTC)
            when = at if now - KEPT <= at <= now else now
            ask = Ask(caller, use.subject, (use.field,), use.purpose)
            let_through = 0 if enforced or not use.subject else use.permits
            was = use.subject in released
            self._gate.count(ask, use.permits, use.denials, when, let_through, was_held=was)

    async def _released(self, members: Collection[str], since: datetime) -> frozenset[str]:
        """Those of these members of whom something was held since then."""
        ended = select(col(Hold.subject_id)).where(
            col(Hold.registry_id) == self._registry,
            col(Hold.subject_id).in_(members),
            or_(col(Hold.ended_at) >= since, col(Hold.ended_at).is_(None)),
        )
        async with self._reading() as session:
            return frozenset((await (await session.connection()).execute(ended)).scalars())

    async def run(self) -> None:
        """Looks at the head after every commit that moved it, and tells who listens. Ends them too."""
        self._closed = False
        try:
            async with heard(self._database):
                while True:
                    await self._look()
                    await self._database.signals.wait(MOVED, LOOK_SECONDS, "feed")
        finally:
            self._closed = True
            self._moved.set()

    async def _look(self) -> None:
        """Tells who listens before this process's own gate catches up: it would only take time."""
        try:
            async with self._reading() as session:
                newest = await holds.head(session)
        except SubjectlineError:  # has been logged; the next look is soon
            return
        if newest != self._newest:
            self._newest = newest
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()
        await self._gate.refresh()

    def _view(self, caller: str) -> Seen:
        policy = self._gate.state.policy
        if caller not in policy.callers:
            raise SubjectlineError("the caller is not known any more")
        known = self._seen.get(caller)
        if known is None or known[0] is not policy:
            known = self._seen[caller] = (policy, Seen(policy, caller))
        return known[1]

    @asynccontextmanager
    async def _reading(self, *, much: bool = False) -> AsyncIterator[AsyncSession]:
        database = self._database
        try:
            async with database.read() if much else database.glance() as session:
                yield session
        except (SQLAlchemyError, OSError) as error:
            log.warning("the feed cannot read the holds (%s)", type(error).__name__)
            raise SubjectlineError(AWAY) from None

    def _told(
        self, seen: Seen, rows: Sequence[_Found], since: int, last: int
    ) -> tuple[wire.Change, ...]:
        """Each revision once, with what of it concerns the caller."""
        placed: dict[int, list[wire.SeenHold]] = {r: [] for r in range(since + 1, last + 1)}
        released: dict[int, list[wire.SeenHold]] = {r: [] for r in placed}
        _complete(rows, placed)
        for row in rows:
            rule = seen.rule(row) if row.registry_id == self._registry else None
            if rule is None:
                continue
            told = wire.SeenHold(row.subject_id, *rule)
            if row.revision in placed:
                placed[row.revision].append(told)
            if row.ended_revision in released:
                released[row.ended_revision].append(told)
        return tuple(wire.Change(r, tuple(placed[r]), tuple(released[r])) for r in placed)


async def _read(session: AsyncSession, query: Select[*tuple[Any, ...]]) -> Sequence[_Found]:
    rows = await (await session.connection()).execute(query)
    return cast(Sequence[_Found], rows.all())


def _active(registry: str, head: int) -> Select[*tuple[Any, ...]]:
    """The registry's holds in force at that revision."""
    ended = col(Hold.ended_revision)
    return _READ.where(
        col(Hold.registry_id) == registry,
        col(Hold.revision) <= head,
        or_(ended.is_(None), ended > head),
    )


def _between(first: int, last: int) -> Select[*tuple[Any, ...]]:
    """What began or ended with these revisions, both ends included."""
    return _READ.where(
        or_(col(Hold.revision).between(first, last), col(Hold.ended_revision).between(first, last))
    )


def _complete(rows: Sequence[_Found], wanted: Mapping[int, object]) -> None:
    """Raises FeedBroken if a revision is in no row, or in one without a person: its holds were
    destroyed when their time came, and nobody could say any more whose they were."""
    whole = all(row.subject_id for row in rows)
    found = {row.revision for row in rows} | {row.ended_revision for row in rows}
    if not whole or not found.issuperset(wanted):
        raise FeedBroken("that revision is too old", field="since")
