"""The ledger of uses: who asked for which field, for what, on which day, and got it or not.

Permits and denials are counted in memory and written every second and at the end, so a crash can
lose the last second of them. What a law opened is committed before anybody is told.
"""

import logging
from collections import Counter
from datetime import UTC, datetime, time, timedelta, tzinfo

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.clock import Clock
from subjectline.models.db import Database

log = logging.getLogger(__name__)

PERMITS, DENIALS, OVERRIDES = "permits", "denials", "overrides"
UNENFORCED = "unenforced"  # of the permits: let through where nothing is enforced

_Key = tuple[
    str, str, str, str, str
]  # caller, subject ("" where nothing is held), field, purpose, day
_Answer = tuple[str, str, tuple[str, ...], str, str]  # caller, subject, fields, purpose, what

_ADD = text(
    "INSERT INTO gate_use (caller, registry_id, subject_id, field, purpose, day,"
    " permits, denials, overrides) VALUES (:caller, :registry_id, :subject_id, :field, :purpose,"
    " :day, :permits, :denials, :overrides)"
    " ON CONFLICT (caller, registry_id, subject_id, field, purpose, day) DO UPDATE SET"
    " permits = gate_use.permits + excluded.permits,"
    " denials = gate_use.denials + excluded.denials,"
    " overrides = gate_use.overrides + excluded.overrides"
)
# By itself: `gate serve` also runs over a desk's database that is not migrated yet.
_ADD_UNENFORCED = text(
    "UPDATE gate_use SET unenforced = unenforced + :unenforced WHERE caller = :caller"
    " AND registry_id = :registry_id AND subject_id = :subject_id AND field = :field"
    " AND purpose = :purpose AND day = :day"
)


class Ledger:
    """Counts of one registry. Days are those of `zone`."""

    def __init__(self, database: Database, registry: str, clock: Clock, zone: tzinfo) -> None:
        self._database, self._registry = database, registry
        self._clock, self._zone = clock, zone
        self._counts: dict[str, Counter[_Key]] = {}
        self._today: dict[_Answer, int] = {}
        self._date, self._over = "", datetime.min.replace(tzinfo=UTC)

    def count(
        self,
        caller: str,
        subject: str,
        fields: tuple[str, ...],
        purpose: str,
        what: str,
        number: int = 1,
        at: datetime | None = None,
    ) -> None:
        """So many more of `what` for each field, to be written with the next flush. `at`: if not now."""
        day, counts = self._day(at), self._counts.setdefault(what, Counter())
        for field in fields:
            counts[caller, subject, field, purpose, day] += number

    def tally(
        self,
        caller: str,
        subject: str,
        fields: tuple[str, ...],
        purpose: str,
        what: str,
        number: int = 1,
    ) -> None:
        """So many more of `what` now, as `count` does it, in a fraction of its time."""
        if self._clock() >= self._over:
            self._turn_day()
        answer = (caller, subject, fields, purpose, what)
        self._today[answer] = self._today.get(answer, 0) + number

    async def write(
        self,
        session: AsyncSession,
        caller: str,
        subject: str,
        fields: tuple[str, ...],
        purpose: str,
        what: str,
    ) -> None:
        """One more of `what`, in the caller's own transaction."""
        keys = [(caller, subject, field, purpose, self._day()) for field in dict.fromkeys(fields)]
        await (await session.connection()).execute(_ADD, self._rows({what: Counter(keys)}))

    async def flush(self) -> None:
        """Writes what was counted; what cannot be written now is kept for the next time."""
        self._settle()
        counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            async with self._database.write() as session:
                connection, rows = await session.connection(), self._rows(counts)
                await connection.execute(_ADD, rows)
                if let_through := [row for row in rows if row[UNENFORCED]]:
                    await connection.execute(_ADD_UNENFORCED, let_through)
        except (SQLAlchemyError, OSError) as error:
            log.warning("the ledger of uses is not written yet (%s)", type(error).__name__)
            for what, counted in counts.items():
                self._counts.setdefault(what, Counter()).update(counted)

    def _turn_day(self) -> None:
        self._settle()
        now = self._clock().astimezone(self._zone)
        self._date = now.date().isoformat()
        tomorrow = now.date() + timedelta(days=1)
        self._over = datetime.combine(tomorrow, time(), self._zone).astimezone(UTC)

    def _settle(self) -> None:
        answers, self._today = self._today, {}
        for (caller, subject, fields, purpose, what), number in answers.items():
            counts = self._counts.setdefault(what, Counter())
            for field in dict.fromkeys(fields):
                counts[caller, subject, field, purpose, self._date] += number

    def forget(self) -> None:
        """Lets go of what was counted, where there is nowhere to keep it."""
        self._counts, self._today = {}, {}

    def _rows(self, counts: dict[str, Counter[_Key]]) -> list[dict[str, str | int]]:
        keys = sorted({key for counted in counts.values() for key in counted})
        return [self._row(key, counts) for key in keys]

    def _row(self, key: _Key, counts: dict[str, Counter[_Key]]) -> dict[str, str | int]:
        caller, subject, field, purpose, day = key
        kinds = (PERMITS, DENIALS, OVERRIDES, UNENFORCED)
        numbers = {what: counts.get(what, Counter())[key] for what in kinds}
        return {
            "caller": caller,
            "registry_id": self._registry,
            "subject_id": subject,
            "field": field,
            "purpose": purpose,
            "day": day,
            **numbers,
        }

    def _day(self, at: datetime | None = None) -> str:
        return (at or self._clock()).astimezone(self._zone).date().isoformat()
