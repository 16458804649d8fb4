"""The gate as every door asks it, in process: the client's core over this desk's own database.

Each question first looks at the head of the holds, so no answer comes from an older state than the
database had when the question was asked. What cannot be looked up is denied as `stale`.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from math import inf

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, gate_callers, gate_ledger, gate_reading, holds
from subjectline.handlers.gate_asks import Ask as Ask
from subjectline.handlers.gate_asks import denied, opened
from subjectline.handlers.gate_ledger import DENIALS, OVERRIDES, PERMITS, UNENFORCED
from subjectline.handlers.gate_policy import (
    DESK,
    OUR_OWN,
    RIGHTS_HANDLING,
    callers_of,
    policy_of,
    scoped,
)
from subjectline.models.clock import Clock
from subjectline.models.datamap import DataMap
from subjectline.models.db import Database, Signals
from subjectline.models.errors import SubjectlineError
from subjectline.models.regimes import regime_named
from subjectline.models.tables import GateCaller, Request
from subjectline_client import core
from subjectline_client.core import Decision, Event, HoldState, steady
from subjectline_client.policy import EVERY, OWN_USE, Policy

log = logging.getLogger(__name__)

NO_OPEN_REQUEST = "no_open_request"
USE_NOT_RECORDED = "use_not_recorded"
FLUSH_SECONDS = 1.0
RECORD_SECONDS = 5.0  # a use that takes longer to commit is denied

# A person is proven and the answer has not left: only then may held data be worked on.
OPEN_STATES = ("open", "waiting", "proposed", "applying")


@dataclass(slots=True)
class _Permit:
    """What one is permitted, all are of whom nothing is held: said to so many."""

    ask: Ask
    decision: Decision
    number: int = 1


@dataclass(slots=True)
class _Looked:
    """One look at many questions: the answers in order, and to whom they were given."""

    found: list[Decision | None] = field(default_factory=list)
    single: list[tuple[Ask, Decision]] = field(default_factory=list)
    shared: dict[object, _Permit] = field(default_factory=dict)


class Gate:
    """Decides for every door of this process. `sessions` is the desk's database.

    Never ask inside a transaction that writes: a use that must be recorded commits one of its own,
    would wait for that one, and be denied.
    """

    def __init__(self, sessions: Database, data_map: DataMap, clock: Clock) -> None:
        self._data_map = data_map
        zone = regime_named(data_map.company.regime).tz
        self._begin(sessions, data_map.registry, policy_of(data_map), clock, zone)

    def _begin(
        self, sessions: Database, registry: str, policy: Policy, clock: Clock, zone: tzinfo
    ) -> None:
        self._database, self._clock, self._registry = sessions, clock, registry
        self._ledger = gate_ledger.Ledger(sessions, registry, clock, zone)
        self._turn = asyncio.Lock()
        self._fresh = False
        self._mark, self._doubt = "", False  # of the state's revision; whether it may be another's
        self._shown: dict[int, datetime] = {}  # when each key was, since that was written down
        self._noted: dict[int, datetime] = {}
        self.state = HoldState(policy)

    async def decide(
        self,
        caller: str,
        subject: str,
        fields: Sequence[str],
        purpose: str,
        recipient: str | None = None,
        *,
        at_least_revision: int | None = None,
        request_id: int | None = None,
        account: str = "",
    ) -> Decision:
        """Whether these fields of a member may be used now, from the newest state there is.

        The desk's own views ask as `desk` for `rights-handling`, with the request they belong to
        and the account that looks; they are recorded before they are answered.
        """
        await self.refresh()
        return await self.answer(
            Ask(caller, subject, fields, purpose, recipient, at_least_revision, request_id, account)
        )

    async def answer(self, ask: Ask) -> Decision:
        """The answer from the state as the last `refresh` left it (for a batch: `answers`)."""
        if ask.caller not in self.state.policy.callers:
            await self._reload_callers()
        decision = self._look(ask)
        if decision.permit and (decision.override or ask.purpose == RIGHTS_HANDLING):
            return await self._recorded(ask)
        self._tally(ask, decision)
        return decision

    async def answers(
        self, asks: Sequence[Ask | None], stop: bool | None = None
    ) -> list[Decision | None]:
        """The answers of one moment, in order, up to the first that is `stop`; None for no question,
        which is a denial. For callers whose key was shown; the state is that of the last `ready`.

        What laws open is recorded in one commit first, then everything is looked at again: no permit
        of the list is older than the list.
        """
        looked = self._looked(asks, stop)
        if by_law := [ask for ask, got in looked.single if opened(got)]:
            recorded = await self._all_recorded(by_law)
            kept = {id(ask) for ask in by_law} if recorded else frozenset[int]()
            looked = self._looked(asks, stop, kept)
        for ask, got in looked.single:
            if not got.override:
                self._tally(ask, got)
        for each in looked.shared.values():
            self._tally(each.ask, each.decision, each.number)
        return looked.found

    async def ready(self, token: int | None = None) -> None:
        """Makes the state one that may answer a question that has come now, with this token."""
        await self.refresh()

    @property
    def signals(self) -> Signals:
        """Where a hold or a release is heard of (`MOVED`)."""
        return self._database.signals

    @property
    def age_ms(self) -> int:
        """Of the state, now; -1: nobody knows."""
        age = self._moment() - self.state.synced_at
        return int(age * 1000) if 0 <= age < inf else -1

    async def refresh(self) -> bool:
        """Brings the state to the head of the database. Returns whether that could be done.

        Whoever waits for a look that began after they came needs no look of their own.
        """
        came = steady()
        async with self._turn:
            if not self._fresh or self.state.synced_at < came:
                self._fresh = await self._pull(steady())
            return self._fresh

    async def authenticate(self, key: str) -> str | None:
        """The name of the caller whose key this is, or None. Its scope is the table's from now on.

        Raises SubjectlineError if the table cannot be read.
        """
        now = self._clock()
        try:
            async with self._database.read() as session:
                found = await gate_callers.authenticate(session, key, now)
        except (SQLAlchemyError, OSError):
            raise SubjectlineError("the callers of the gate cannot be read now") from None
        if found is None:
            return None
        self._shown[found.id] = now
        scope, known = scoped(found.purposes, found.recipients, self._data_map), self.state.policy
        if known.callers.get(found.caller) != scope:
            self.state.set_callers({**known.callers, found.caller: scope})
        return found.caller

    async def run(self) -> None:
        """Writes the ledger every second until cancelled, and once more at the end."""
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                await self.flush()
        finally:
            await self.flush()

    def count(
        self,
        ask: Ask,
        permits: int,
        denials: int,
        at: datetime,
        unenforced: int = 0,
        was_held: bool = False,
    ) -> None:
        """Counts what a replica answered at that time; it asked nothing of us. `unenforced` of the
        permits it would have denied, had it not only observed; `was_held`: of that member then."""
        for what, number in ((PERMITS, permits), (DENIALS, denials), (UNENFORCED, unenforced)):
            if number:
                self._count(ask, what, number, at, was_held)

    async def flush(self) -> None:
        """Writes the permits and denials counted so far, and which keys were shown."""
        await self._ledger.flush()
        await gate_callers.note_shown(self._database, self._shown, self._noted)

    async def _pull(self, asked_at: float) -> bool:
        limit = None if self._database.embedded else self.state.bound / 2
        try:
            async with asyncio.timeout(limit), self._database.glance() as session:
                await self._read(session, asked_at)
        except (SQLAlchemyError, OSError) as error:  # a time-out is an OSError
            log.warning("the gate cannot read its holds (%s)", type(error).__name__)
            self._doubt = True
            return False
        self._doubt = False
        return True

    async def _read(self, session: AsyncSession, asked_at: float) -> None:
        """The head first: whatever is committed up to it stays as it is, whatever comes later waits."""
        head, known = await holds.head(session), self.state.revision
        loaded = self.state.synced_at > -inf
        if loaded and self._mark and (self._doubt or head > known):
            loaded = await gate_reading.same(session, known, self._mark)
        events = list[Event]()
        if loaded and head > known:
            events = await gate_reading.happened(session, self._registry, known, head)
        if not (loaded and self.state.apply(events) and self.state.touch(head, asked_at)):
            await self._load(session, head, asked_at)
        if head != known or not loaded:
            self._mark = await gate_reading.mark_of(session, head)

    async def _load(self, session: AsyncSession, head: int, asked_at: float) -> None:
        found = await gate_reading.in_force(session, self._registry, head)
        self.state.load(found, head, asked_at)
        await self._set_callers(session)

    async def _reload_callers(self) -> None:
        try:
            async with self._database.read() as session:
                await self._set_callers(session)
        except (SQLAlchemyError, OSError) as error:
            log.warning("the gate cannot read its callers (%s)", type(error).__name__)

    async def _set_callers(self, session: AsyncSession) -> None:
        rows = await session.exec(select(GateCaller))
        self.state.set_callers(callers_of(self._data_map, rows))

    # One question

    def _look(self, ask: Ask, now: float | None = None) -> Decision:
        """The core's answer; if the head could not be read, one from an age that nobody knows."""
        decision = self.state.decide(
            ask.caller,
            ask.subject,
            tuple(ask.fields),
            ask.purpose,
            self._recipient(ask),
            ask.at_least_revision,
            self._moment() if now is None else now,
        )
        if decision.permit and ask.purpose in OUR_OWN and ask.caller != DESK:
            return denied(decision, core.CALLER_NOT_SCOPED)
        return decision

    def _moment(self) -> float:
        return steady() if self._fresh else inf

    def _looked(
        self,
        asks: Sequence[Ask | None],
        stop: bool | None,
        recorded: Collection[int] | None = None,
    ) -> _Looked:
        """A look at each up to the first that is `stop`. `recorded`: which may be opened by a law."""
        now, free, looked = self._moment(), self.state.free, _Looked()
        found, shared = looked.found, looked.shared
        for ask in asks:
            got = None
            if ask is not None:
                lane = (ask.fields, ask.caller, ask.purpose, ask.recipient, ask.at_least_revision)
                same = shared.get(lane)
                if same is not None and free(ask.subject):
                    same.number += 1
                    got = same.decision
                else:
                    got = self._look(ask, now)
                    if got.override and recorded is not None and id(ask) not in recorded:
                        got = denied(got, USE_NOT_RECORDED)
                    if got.permit and not got.override and free(ask.subject):
                        shared[lane] = _Permit(ask, got)
                    else:
                        looked.single.append((ask, got))
            found.append(got)
            if stop is not None and (got is not None and got.permit) is stop:
                break
        return looked

    def _recipient(self, ask: Ask) -> str | None:
        """A caller that serves one recipient and names none asks for that one."""
        caller = self.state.policy.callers.get(ask.caller)
        served = caller.recipients if caller else ()
        if ask.recipient is None and len(served) == 1 and served[0] not in (EVERY, OWN_USE):
            return served[0]
        return ask.recipient

    async def _recorded(self, ask: Ask) -> Decision:
        """Records the use, then looks again: the commit took time, and the state may have moved."""
        try:
            async with asyncio.timeout(RECORD_SECONDS), self._database.write() as session:
                reason = await self._record(session, ask)
        except (SQLAlchemyError, OSError) as error:
            log.warning("a use could not be recorded (%s)", type(error).__name__)
            reason = USE_NOT_RECORDED
        decision = self._look(ask)
        if reason:
            self._count(ask, DENIALS)
            return denied(decision, reason)
        return decision

    async def _all_recorded(self, asks: Sequence[Ask]) -> bool:
        try:
            async with asyncio.timeout(RECORD_SECONDS), self._database.write() as session:
                for ask in asks:
                    await self._record(session, ask)
        except (SQLAlchemyError, OSError) as error:
            log.warning("uses could not be recorded (%s)", type(error).__name__)
            return False
        return True

    async def _record(self, session: AsyncSession, ask: Ask) -> str:
        """One row in the ledger and one in the audit; or why there is none."""
        request = None
        if ask.purpose == RIGHTS_HANDLING:
            request = await self._open_request(session, ask)
            if request is None:
                return NO_OPEN_REQUEST
        decision = self._look(ask)
        what = OVERRIDES if decision.override else PERMITS
        fields = tuple(ask.fields)
        await self._ledger.write(session, ask.caller, ask.subject, fields, ask.purpose, what)
        audit.note(
            session,
            self._clock,
            audit.Actor(ask.account or f"caller:{ask.caller}", "gate"),
            "gate_use",
            request=request,
            subject=(self._registry, ask.subject),
            reason=ask.purpose,
            fields=list(fields),
            held=list(decision.held_fields),
            revision=decision.revision,
        )
        return ""

    async def _open_request(self, session: AsyncSession, ask: Ask) -> Request | None:
        found = await session.exec(
            select(Request).where(
                col(Request.id) == ask.request_id,
                col(Request.registry_id) == self._registry,
                col(Request.subject_id) == ask.subject,
                col(Request.state).in_(OPEN_STATES),
            )
        )
        return found.one_or_none()

    def _tally(self, ask: Ask, decision: Decision, number: int = 1) -> None:
        """So many more answers. Names that were all known need no second look."""
        what, sound = (PERMITS if decision.permit else DENIALS), bool(decision.held_fields)
        if decision.permit or (sound and core.UNKNOWN_FIELD not in decision.reasons):
            whose = ask.subject if self.state.has_holds(ask.subject) else ""
            self._ledger.tally(ask.caller, whose, tuple(ask.fields), ask.purpose, what, number)
        else:
            self._count(ask, what, number)

    def _count(
        self, ask: Ask, what: str, number: int = 1, at: datetime | None = None, was: bool = False
    ) -> None:
        """Names that nobody knows are counted as "", so that no caller can fill the ledger."""
        policy, subject = self.state.policy, ask.subject
        known = tuple(dict.fromkeys(f for f in ask.fields if f in policy.fields)) or ("",)
        held = isinstance(subject, str) and (was or self.state.has_holds(subject))
        purpose = ask.purpose if ask.purpose in policy.purposes else ""
        caller = ask.caller if ask.caller in policy.callers else ""
        whose = subject if held else ""
        self._ledger.count(caller, whose, known, purpose, what, number, at)
