"""Moving apart: what a law keeps of somebody who left goes from the live tables into the archive.

Insert in the archive, commit, read back, then delete. Killed anywhere between, every row stands in
the live table or in the archive, and the same move can be made again.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, delete, false, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subjectline.handlers.registry.archive import Archive, Record
from subjectline.handlers.registry.bound import bound
from subjectline.handlers.registry.changes import Change
from subjectline.handlers.registry.engines import guarded
from subjectline.handlers.registry.persons import Person
from subjectline.handlers.registry.schema import Schema, member_value
from subjectline.models.clock import Clock
from subjectline.models.datamap import Bilingual, Leave, Retention, Value
from subjectline.models.errors import RegistryConflict

Longer = Mapping[str, date]  # retention rule -> the day until which the member agreed to keep


@dataclass(frozen=True, slots=True)
class LeavingRow:
    """One live row that must go. `until` is the last day on which a law keeps it, None: none does.

    In a row shared with another member only the columns of `blank` are emptied. `written` has, as
    text, the columns that a database does not compare by value (JSON, types of its own). `undated`:
    its date cannot be read, and the full period is counted from the day of leaving.
    """

    table: str
    key: dict[str, Value]
    values: dict[str, Value]
    blank: tuple[str, ...]
    until: date | None
    written: Mapping[str, str | None] = field(default_factory=dict)
    undated: bool = False

    @property
    def goes(self) -> bool:
        """Whether the whole row is deleted."""
        return not self.blank


@dataclass(frozen=True)
class Places:
    """Where live rows stand, and how days are counted there."""

    schema: Schema
    engines: Mapping[str, AsyncEngine]
    writers: Mapping[str, AsyncEngine]
    seconds: float
    clock: Clock
    zone: tzinfo

    @asynccontextmanager
    async def reading(self, name: str) -> AsyncIterator[AsyncConnection]:
        async with guarded(name, self.seconds), self.engines[name].connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self, name: str) -> AsyncIterator[AsyncConnection]:
        """One transaction by the role that may write."""
        async with guarded(name, self.seconds), self.writers[name].begin() as connection:
            yield connection

    def today(self) -> date:
        return self.clock().astimezone(self.zone).date()

    def rule(self, table: str) -> tuple[str, Retention]:
        """The retention rule of a table, by name."""
        name = self.schema.map.tables[table].retention
        return name, self.schema.map.retention[name]


class Leaving:
    """Finds the rows of a member that leave a kept table, and until when a law keeps each."""

    def __init__(self, places: Places) -> None:
        self._places, self._schema = places, places.schema

    async def rows(self, table: str, member: str, longer: date | None = None) -> list[LeavingRow]:
        """The rows of `table` that are the member's and still hold something of theirs."""
        here = self._schema[table]
        loose = self._schema.loose(table)
        also = self._schema.ownership.also_used(table, member).label("also_used")
        columns = [*here.c, also, *(self._schema.as_text(table, column) for column in loose)]
        statement = select(*columns).where(self._schema.owned(table, member))
        async with self._places.reading(self._schema.connection(table)) as connection:
            found = await connection.execute(statement.order_by(*here.primary_key.columns))
            raw = [_Seen(self._named(table, row), row, len(here.c), loose) for row in found]
        gone = await self._left(table, member, [seen.values for seen in raw])
        rows = [self._row(table, member, seen, gone, longer) for seen in raw]
        return [row for row in rows if row is not None]

    def until(self, table: str, values: Mapping[str, Value], longer: date | None) -> date | None:
        """The last day on which a row is kept; None where that has passed, or no law keeps it."""
        leave, (_, rule) = self._schema.map.leave[table], self._places.rule(table)
        if rule.period is None or rule.law is None:
            return None
        today = self._places.today()
        last = rule.period.after(_since(leave, values, self._places.zone) or today)
        last = max(last, longer) if longer else last
        return last if last >= today else None

    def undated(self, table: str, values: Mapping[str, Value]) -> bool:
        """Whether something stands where the date should, and is none."""
        leave = self._schema.map.leave[table]
        held = values.get(leave.counted_from) if leave.counted_from else None
        return held is not None and _since(leave, values, self._places.zone) is None

    def _named(self, table: str, row: Sequence[Any]) -> dict[str, Value]:
        return dict(zip(self._schema.map.tables[table].columns, row, strict=False))

    def _row(
        self, table: str, member: str, seen: "_Seen", gone: frozenset[str], longer: date | None
    ) -> LeavingRow | None:
        spec, values = self._schema.map.tables[table], seen.values
        theirs = self._others(table, member, values)
        strange = self._contacts_of_others(table, member, values)
        own = {
            c: v
            for c, v in values.items()
            if self._schema.owner_of(table, c) not in (*theirs, *strange)
        }
        blank = tuple(c for c, v in own.items() if v is not None and self._mine_alone(table, c))
        stays = spec.shared and bool(strange or seen.also_used or set(theirs.values()) - gone)
        if stays and not blank:
            return None
        key = {column: values[column] for column in spec.key}
        until = self.until(table, values, longer)
        written, undated = seen.written(own), self.undated(table, values)
        return LeavingRow(table, key, own, blank if stays else (), until, written, undated)

    def _contacts_of_others(
        self, table: str, member: str, values: Mapping[str, Value]
    ) -> frozenset[str]:
        """The columns of identity of a shared row that name somebody else, who may be no member."""
        spec = self._schema.map.tables[table]
        if not spec.shared or not isinstance(member, Person):
            return frozenset(spec.identities if spec.shared else ())
        found = set[str]()
        for path, kind in spec.identities.items():
            held = _inside(values, path)
            written = str(held).lower() if kind == "email" else str(held)
            if held is not None and written not in member.known_by.get(kind, ()):
                found.add(path)
        return frozenset(found)

    def _mine_alone(self, table: str, column: str) -> bool:
        """A column of one owner's own data; ids stay, they hold the row together."""
        spec = self._schema.map.tables[table]
        owned = self._schema.owner_of(table, column) is not None
        return owned and column not in spec.owners and column not in spec.key

    def _others(self, table: str, member: str, values: Mapping[str, Value]) -> dict[str, str]:
        """Owner column -> id of the other persons whose row it is as well."""
        spec, found = self._schema.map.tables[table], dict[str, str]()
        for owner in spec.owners if spec.shared else ():
            if (held := _inside(values, owner)) is None:
                continue
            canonical = self._schema.map.canonical(held)
            if canonical != member:
                found[owner] = canonical
        return found

    async def _left(
        self, table: str, member: str, raw: Sequence[Mapping[str, Value]]
    ) -> frozenset[str]:
        """Those of the other owners who have left before, or never were in the home table."""
        ids = {other for values in raw for other in self._others(table, member, values).values()}
        return await self._gone(ids)

    async def is_gone(self, member: str) -> bool:
        """Whether the member has left, or never was in the home table."""
        return bool(await self._gone({member}))

    async def _gone(self, ids: set[str]) -> frozenset[str]:
        if not ids:
            return frozenset()
        key = self._schema.home_key
        wanted = select(key).where(key.in_([member_value(key, i) for i in ids]), ~self._is_gone())
        async with self._places.reading(home_connection(self._schema)) as connection:
            here = {self._schema.map.canonical(i) for i in (await connection.scalars(wanted)).all()}
        return frozenset(ids - here)

    def _is_gone(self) -> ColumnElement[bool]:
        """What a withdrawal leaves of a home row."""
        left = self._schema.map.leave[self._schema.map.home.table].set
        home = self._schema.home
        if not left:
            return false()  # the map does not say how leaving shows: nobody is seen to be gone
        return and_(*(home.c[c].is_not_distinct_from(value) for c, value in left.items()))


class Mover:
    """Makes and carries out `move` changes."""

    def __init__(self, places: Places, archive: Archive) -> None:
        self._places, self._schema, self._archive = places, places.schema, archive
        self._leaving = Leaving(places)

    async def draft(self, member: str, longer: Longer, leaves: Mapping[str, Leave]) -> list[Change]:
        """One change for each table that `leaves` keeps and that holds something of the member.

        `old` is the number of rows that a law keeps, `new` the day until which the member agreed.
        """
        changes: list[Change] = []
        for table, leave in leaves.items():
            if leave.action != "keep":
                continue
            agreed = longer.get(self._places.rule(table)[0])
            rows = await self._leaving.rows(table, member, agreed)
            if rows:
                changes.append(self._change(table, member, rows, agreed))
        return changes

    def _change(
        self, table: str, member: str, rows: Sequence[LeavingRow], agreed: date | None
    ) -> Change:
        kept = sum(row.until is not None for row in rows)
        until = agreed.isoformat() if agreed else None
        name = self._schema.connection(table)
        known = bound(self._schema, member, table)
        return Change(name, table, {}, "", kept, until, "move", str(member), known)

    async def archive(self, change: Change) -> list[LeavingRow]:
        """Steps one to three: what a law keeps is in the archive, committed and read back."""
        rows = await self._rows(change)
        kept = [row for row in rows if row.until is not None]
        member = str(change.member)
        if not rows and change.old and not await self._archive.count(member, change.table):
            raise RegistryConflict(
                f"rows of {change.table!r} that a law keeps are gone, and not in the archive",
                field=change.connection,
                remedy="Somebody else deleted them. Look there, then propose anew.",
            )
        rule, retention = self._places.rule(change.table)
        assert retention.law is not None  # the map's checks
        agreed = _agreed(change)
        records = [
            Record(r.table, r.key, r.values, rule, _law_of(retention.law, r, agreed), r.until)
            for r in kept
            if r.until is not None
        ]
        await self._archive.keep(member, records)
        return rows

    async def write(
        self, connection: AsyncConnection, change: Change, rows: Sequence[LeavingRow]
    ) -> Literal["applied", "already"]:
        """Step four, within the live transaction: only rows go that are just as they were archived."""
        for row in rows:
            await connection.execute(self._go(row))
        return "applied" if rows else "already"

    async def left_over(self, change: Change) -> int:
        """Rows that are still there: they came or changed in between, and the move is made again."""
        return len(await self._rows(change))

    async def settle(self, change: Change) -> None:
        """The live rows are gone: the archive's records are the only ones now."""
        await self._archive.settle(str(change.member), change.table)

    async def _rows(self, change: Change) -> list[LeavingRow]:
        return await self._leaving.rows(change.table, change.member, _agreed(change))

    def _go(self, row: LeavingRow) -> Any:
        here = self._schema[row.table]
        same = and_(
            *(
                self._schema.as_text(row.table, c).is_not_distinct_from(row.written[c])
                if c in row.written
                else here.c[c].is_not_distinct_from(v)
                for c, v in row.values.items()
            )
        )
        if row.goes:
            return delete(here).where(same)
        return update(here).where(same).values(dict.fromkeys(row.blank))


class _Seen:
    """A row as it was read: its values, whether somebody else uses it as well, columns as text."""

    def __init__(
        self, values: dict[str, Value], row: Sequence[Any], width: int, loose: Sequence[str]
    ) -> None:
        self.values, self.also_used = values, bool(row[width])
        self._written = dict(zip(loose, row[width + 1 :], strict=True))

    def written(self, own: Mapping[str, Value]) -> dict[str, str | None]:
        return {column: text for column, text in self._written.items() if column in own}


def _inside(values: Mapping[str, Any], path: str) -> Any:
    """The value at `path`; points lead into a JSON column."""
    first, *rest = path.split(".")
    found: Any = values.get(first)
    for name in rest:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def named(law: Bilingual, until: date, agreed: date | None) -> Bilingual:
    """What keeps a record until its last day: the law, or beyond it what the member agreed to."""
    if until != agreed:
        return law
    return Bilingual(
        ko=f"{law.ko}, 이후는 회원의 동의", en=f"{law.en}, and then the member's consent"
    )


UNDATED = Bilingual(
    ko="날짜를 읽을 수 없어 탈퇴일부터 셈", en="no readable date: counted from the day of leaving"
)


def _law_of(law: Bilingual, row: LeavingRow, agreed: date | None) -> Bilingual:
    return doubted(named(law, row.until, agreed) if row.until else law, undated=row.undated)


def doubted(law: Bilingual, *, undated: bool) -> Bilingual:
    """The law, and that the day was in doubt where it was."""
    if not undated:
        return law
    return Bilingual(ko=f"{law.ko} ({UNDATED.ko})", en=f"{law.en} ({UNDATED.en})")


def _agreed(change: Change) -> date | None:
    return date.fromisoformat(str(change.new)) if change.new else None


def home_connection(schema: Schema) -> str:
    """The connection of the home table."""
    return schema.connection(schema.map.home.table)


def _since(leave: Leave, values: Mapping[str, Value], zone: tzinfo) -> date | None:
    return day_of(values.get(leave.counted_from), zone) if leave.counted_from else None


def day_of(value: Value, zone: tzinfo) -> date | None:
    """The day, in `zone`, of what a column of dates or times holds; None where that is no date."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
        return (moment.astimezone(zone) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        return None  # what stands there may be personal: it is counted, and never quoted
