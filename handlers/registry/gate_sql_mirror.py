"""The holds in a company's own database: what a mirror reads and writes there, in one transaction.

The stamp is the company's server's own time, taken before the desk is asked; the views compare it with
the same clock. The row of freshness is locked first, so of several mirrors one writes at a time, and
what it then reads at the desk is at least as new as what any of them wrote.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subjectline.handlers.registry.engines import guarded
from subjectline.handlers.registry.gate_sql import FORMS
from subjectline.handlers.registry.gate_sql_apply import seen
from subjectline.handlers.registry.gate_sql_plan import Audience, plan
from subjectline.models.datamap import DataMap

FIRST_SECONDS = 30.0  # for a round that has to compare every row
_HUGE = 1 << 63

# The stamp is no later than the lock, and the lock is taken before the desk is asked.
_LOCK = text(
    "SELECT a.audience, a.purpose, a.recipient, a.role, a.definition, f.revision,"
    " clock_timestamp() AS asked FROM gate.audience a JOIN gate.freshness f USING (audience)"
    " ORDER BY audience FOR UPDATE OF f"
)
_ALONE = text("SET LOCAL idle_in_transaction_session_timeout = '5s'")
_ROWS = text("SELECT subject_id::text, field_mask FROM gate.active_hold WHERE audience = :audience")
_STAMP = text(
    "UPDATE gate.freshness SET revision = :revision, fresh_at = :asked WHERE audience = :audience"
)

Masks = Mapping[str, int]
Read = Callable[[str, str], Masks]  # what is held for a purpose and recipient


@dataclass(slots=True)
class Known:
    """What this mirror wrote last for an audience."""

    revision: int = -2
    masks: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """The desk's holds as of a question that was asked after `look` was called. With another number
    of `loads` the revisions before may have been those of another history."""

    revision: int
    held: Read
    loads: int = 0


@dataclass(frozen=True, slots=True)
class Round:
    """What a round did: the revision written, for which audiences, and which of them are of another
    data map (their views are let go stale)."""

    revision: int
    audiences: tuple[str, ...]
    strange: tuple[str, ...]
    asked: datetime | None = None


class HoldTable:
    """One connection's `gate.active_hold`, as the role of the mirror."""

    def __init__(self, data_map: DataMap, connection: str, engine: AsyncEngine) -> None:
        self.connection, self._map, self._engine = connection, data_map, engine
        self._fitted: DataMap | None = None if data_map.unfitted else data_map
        self._known: dict[str, Known] = {}
        self._loads = 0
        self._meant: dict[Audience, str] = {}

    async def round(self, look: Callable[[], Awaitable[State | None]]) -> Round | None:
        """Brings every audience to the desk's head and stamps it; None if `look` had no answer.

        Raises RegistryAway, RegistryError; then nothing was written and nothing became fresher.
        """
        if self._fitted is None:
            self._fitted = (await seen(self._map, self.connection, self._engine)).data_map
        try:
            async with guarded(self.connection, FIRST_SECONDS), self._engine.begin() as writing:
                return await self._round(writing, look)
        except BaseException:
            self._known = {}  # what was committed is not known
            raise

    async def close(self) -> None:
        """Lets go of the database."""
        await self._engine.dispose()

    async def _round(
        self, writing: AsyncConnection, look: Callable[[], Awaitable[State | None]]
    ) -> Round | None:
        await writing.execute(_ALONE)
        rows = (await writing.execute(_LOCK)).all()
        state = await look()
        if state is None:
            return None
        if state.loads != self._loads:  # another mirror may have written the same revision of it
            self._known, self._loads = {}, state.loads
        ours = [row for row in rows if self._meaning(Audience(*row[:4])) == row.definition]
        # All of one moment: nothing is awaited in between.
        held = [self._countable(state.held(row.purpose, row.recipient)) for row in ours]
        for row, wanted in zip(ours, held, strict=True):
            await self._bring(writing, row.audience, row.revision, state.revision, wanted)
            stamp = {"audience": row.audience, "revision": state.revision, "asked": row.asked}
            await writing.execute(_STAMP, stamp)
        mine = tuple(row.audience for row in ours)
        rest = tuple(row.audience for row in rows if row.audience not in mine)
        return Round(state.revision, mine, rest, ours[0].asked if ours else None)

    def _meaning(self, audience: Audience) -> str:
        """The definition of an audience's views as the data map says now; empty where it has none."""
        wanted = self._fitted or self._map
        if audience not in self._meant:
            known = audience.purpose in wanted.purposes
            known = known and (not audience.recipient or audience.recipient in wanted.recipients)
            said = plan(wanted, audience, self.connection).definition if known else ""
            self._meant[audience] = said
        return self._meant[audience]

    async def _bring(
        self, writing: AsyncConnection, name: str, at: int, revision: int, wanted: dict[str, int]
    ) -> None:
        """The difference between what stands there and what is held, and no other row."""
        known = self._known.get(name)
        if known is None or known.revision != at:  # applied anew, or another mirror wrote
            rows = await writing.execute(_ROWS, {"audience": name})
            known = Known(at, {subject: mask for subject, mask in rows})
        if known.masks != wanted:
            changed = {s: m for s, m in wanted.items() if known.masks.get(s) != m}
            await self._put(writing, name, changed)
            await self._take(writing, name, [s for s in known.masks if s not in wanted])
        self._known[name] = Known(revision, wanted)

    async def _put(self, writing: AsyncConnection, name: str, changed: Masks) -> None:
        if changed:
            given = {"audience": name, "ids": list(changed), "masks": list(changed.values())}
            await writing.execute(self._upsert, given)

    async def _take(self, writing: AsyncConnection, name: str, gone: list[str]) -> None:
        if gone:
            await writing.execute(self._delete, {"audience": name, "ids": gone})

    @property
    def _form(self) -> str:
        return FORMS[(self._fitted or self._map).home.form].split()[0]

    @property
    def _upsert(self) -> TextClause:
        return text(
            "INSERT INTO gate.active_hold (audience, subject_id, field_mask)"
            f" SELECT CAST(:audience AS text), CAST(n.id AS {self._form}), n.mask"
            " FROM unnest(CAST(:ids AS text[]), CAST(:masks AS bigint[])) AS n (id, mask)"
            " ON CONFLICT (audience, subject_id) DO UPDATE SET field_mask = excluded.field_mask"
        )

    @property
    def _delete(self) -> TextClause:
        return text(
            "DELETE FROM gate.active_hold WHERE audience = :audience AND subject_id IN"
            f" (SELECT CAST(n.id AS {self._form}) FROM unnest(CAST(:ids AS text[])) AS n (id))"
        )

    def _countable(self, masks: Masks) -> dict[str, int]:
        """Without numbers that no column of theirs can hold."""
        if self._form != "bigint":
            return dict(masks)
        return {s: m for s, m in masks.items() if -_HUGE <= int(s) < _HUGE}
