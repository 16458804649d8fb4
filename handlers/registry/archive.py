"""The archive: records that only a law still keeps, apart from live data and sealed member by member.

One table in a database of its own. A row says in plain words whose record it is (a pseudonym), of
which table, which law keeps it and until when; the record itself is sealed under a key of the
member's (`archive_keys`). A member number that comes back and leaves again adds to what is kept.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subjectline.handlers.registry.archive_keys import ArchiveKeys
from subjectline.handlers.registry.engines import guarded
from subjectline.models.clock import Clock
from subjectline.models.datamap import Bilingual, Value
from subjectline.models.db import truncate_log
from subjectline.models.errors import RegistryConflict, SealError
from subjectline.models.keys import Vault
from subjectline.models.types import Sealed

PLACE = "archive.record"
BATCH = 400

T = TypeVar("T")

_meta = MetaData()
_kept = Table(
    "subjectline_archive",
    _meta,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("registry_id", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("table_name", Text, nullable=False),
    Column("row_key", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("law_ko", Text, nullable=False),
    Column("law_en", Text, nullable=False),
    Column("kept_until", Text, nullable=False, index=True),
    Column("state", Text, nullable=False),  # pending: not yet gone from the live table; kept
    Column("moved_at", Text, nullable=False),
    Column("record", LargeBinary, nullable=False),
    UniqueConstraint("registry_id", "subject_id", "table_name", "row_key"),
)

_pending = _kept.c.state == "pending"


@dataclass(frozen=True, slots=True)
class Record:
    """One row on its way into the archive: its key, its values, the law that keeps it, until when."""

    table: str
    key: Mapping[str, Value]
    values: Mapping[str, Value]
    rule: str
    law: Bilingual
    until: date


@dataclass(frozen=True, slots=True)
class Archived:
    """One kept record without its content. `until` is the last day on which it is kept."""

    id: int
    member: str
    table: str
    rule: str
    law: Bilingual
    until: date
    state: str
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """One kept record with its content."""

    about: Archived
    key: dict[str, Value]
    values: dict[str, Value]


class Archive:
    """The archive of one registry. Makes its table where there is none.

    Every call raises RegistryAway or RegistryError where the database does not do what was asked.
    """

    def __init__(
        self, engine: AsyncEngine, vault: Vault, clock: Clock, registry: str, seconds: float = 5.0
    ) -> None:
        self._engine, self._vault, self._clock = engine, vault, clock
        self._registry, self._seconds = registry, seconds
        self._ready = False
        self.keys = ArchiveKeys(vault, clock, registry)

    async def keep(self, member: str, records: Sequence[Record]) -> None:
        """Inserts the records as `pending`, commits, and reads every one back.

        One that is pending is replaced, so that it can be done again after a kill; one that is kept
        since an earlier leaving stays, and the new one is added. Raises RegistryConflict where what
        was read back is not what was written.
        """
        if not records:
            return
        await self._prepare()
        rows = await self._rows(member, records)
        async with guarded("archive", self._seconds), self._engine.begin() as connection:
            for some in _batches(list(rows.values())):
                keys = [row["row_key"] for row in some]
                await connection.execute(
                    delete(_kept).where(self._of(member), _kept.c.row_key.in_(keys), _pending)
                )
                await connection.execute(insert(_kept), some)
        await self._read_back(member, rows)

    async def settle(self, member: str, table: str) -> int:
        """The member's pending records of a table are gone from the live one: now they are `kept`."""
        return await self._mark(self._of(member), _kept.c.table_name == table)

    async def settle_ids(self, ids: Sequence[int]) -> int:
        """The same for records by id."""
        return await self._mark(_kept.c.id.in_(ids))

    async def count(self, member: str, table: str = "") -> int:
        """How many records of the member there are, of one table or of all."""
        wanted = select(func.count()).select_from(_kept).where(self._of(member))
        if table:
            wanted = wanted.where(_kept.c.table_name == table)
        async with self._reading() as connection:
            return int(await connection.scalar(wanted) or 0)

    async def open(self, member: str) -> list[OpenedRecord]:
        """Every record of a member, opened. Raises SealError (KeyDestroyed) where its key is gone."""
        async with self._reading() as connection:
            rows = await connection.execute(
                select(_kept).where(self._of(member)).order_by(_kept.c.table_name, _kept.c.id)
            )
            return [self._opened(row) for row in rows.mappings()]

    async def due(self, today: date) -> list[Archived]:
        """Records whose last day has passed. Makes no table where there is none yet."""
        if not await self._is_there():
            return []
        late = (_kept.c.kept_until < today.isoformat(), _kept.c.state == "kept")
        return await self._listed(*late)

    async def pending(self, before: datetime) -> list[OpenedRecord]:
        """Records of a move that was never finished, older than a moment."""
        wanted = (_kept.c.state == "pending", _kept.c.moved_at < before.isoformat())
        async with self._reading() as connection:
            rows = await connection.execute(select(_kept).where(self._mine, *wanted))
            return [self._opened(row) for row in rows.mappings()]

    async def destroy(self, ids: Sequence[int]) -> int:
        """Deletes records by id and looks that none is left. Returns how many went."""
        await self._prepare()
        gone = 0
        for some in _batches(ids):
            async with guarded("archive", self._seconds), self._engine.begin() as connection:
                done = await connection.execute(delete(_kept).where(_kept.c.id.in_(some)))
                gone += done.rowcount
            async with self._reading() as connection:
                left = select(func.count()).select_from(_kept).where(_kept.c.id.in_(some))
                if await connection.scalar(left):
                    raise _not_so()
        return gone

    async def forget_keys(self, gone: Sequence[Archived]) -> int:
        """Destroys the keys under which nothing is left after these records went. Returns how many."""
        used = await self.months()
        ended = {(one.member, _month(one.until)) for one in gone} - used
        return sum(self.keys.destroy(member, month) for member, month in sorted(ended))

    async def months(self) -> set[tuple[str, str]]:
        """(member, month of the last day) of everything that is kept."""
        month = func.substr(_kept.c.kept_until, 1, 7)
        async with self._reading() as connection:
            rows = await connection.execute(
                select(_kept.c.subject_id, month).where(self._mine).distinct()
            )
            return {(member, month) for member, month in rows}

    async def scrub(self) -> None:
        """After a destruction: empties the log of an SQLite archive."""
        async with guarded("archive", self._seconds):
            await truncate_log(self._engine)

    async def close(self) -> None:
        await self._engine.dispose()

    def row_key(self, member: str, table: str, key: Mapping[str, Value], turn: int = 1) -> str:
        """Which row of which table a record is, as a keyed hash; `turn` counts leavings of one row."""
        told = [self._registry, member, table, sorted(key.items()), *([turn] if turn > 1 else [])]
        return self._vault.keyed_hash("archive", json.dumps(told, default=str)).hex()

    @property
    def _mine(self) -> Any:
        return _kept.c.registry_id == self._registry

    def _of(self, member: str) -> Any:
        return self._mine & (_kept.c.subject_id == member)

    async def _mark(self, *where: Any) -> int:
        await self._prepare()
        statement = update(_kept).where(self._mine, _kept.c.state == "pending", *where)
        async with guarded("archive", self._seconds), self._engine.begin() as connection:
            return (await connection.execute(statement.values(state="kept"))).rowcount

    async def _listed(self, *where: Any) -> list[Archived]:
        async with self._reading() as connection:
            rows = await connection.execute(
                select(_kept).where(self._mine, *where).order_by(_kept.c.id)
            )
            return [_about(row) for row in rows.mappings()]

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        await self._prepare()
        async with guarded("archive", self._seconds), self._engine.connect() as connection:
            yield connection

    async def _is_there(self) -> bool:
        if self._ready:
            return True
        file = self._engine.url.database
        if self._engine.dialect.name == "sqlite" and not Path(file or "").is_file():
            return False  # to connect would make it
        async with guarded("archive", self._seconds), self._engine.connect() as connection:
            return await connection.run_sync(lambda c: inspect(c).has_table(_kept.name))

    async def _prepare(self) -> None:
        if not self._ready:
            async with guarded("archive", self._seconds), self._engine.begin() as connection:
                await connection.run_sync(_meta.create_all)
            self._ready = True

    async def _rows(self, member: str, records: Sequence[Record]) -> dict[str, dict[str, Any]]:
        """The rows to be written, by `row_key`: one that an earlier leaving left is passed by."""
        turns = {self.row_key(member, r.table, r.key): (r, 1) for r in records}
        taken = await self._settled(member, list(turns))
        while taken:
            again = [(r, turn + 1) for key, (r, turn) in turns.items() if key in taken]
            turns = {key: found for key, found in turns.items() if key not in taken}
            later = {self.row_key(member, r.table, r.key, turn): (r, turn) for r, turn in again}
            turns, taken = turns | later, await self._settled(member, list(later))
        return {key: self._row(member, record, key, turn) for key, (record, turn) in turns.items()}

    async def _settled(self, member: str, keys: Sequence[str]) -> set[str]:
        """Those of the row keys under which an earlier leaving keeps a record."""
        found: set[str] = set()
        async with self._reading() as connection:
            for some in _batches(keys):
                kept = select(_kept.c.row_key).where(
                    self._of(member), _kept.c.row_key.in_(some), ~_pending
                )
                found |= set((await connection.scalars(kept)).all())
        return found

    def _row(self, member: str, record: Record, row_key: str, turn: int) -> dict[str, Any]:
        body = json.dumps(_body(record, turn), ensure_ascii=False, sort_keys=True)
        key_id = self.keys.make(member, record.until)
        return {
            "registry_id": self._registry,
            "subject_id": member,
            "table_name": record.table,
            "row_key": row_key,
            "rule": record.rule,
            "law_ko": record.law.ko,
            "law_en": record.law.en,
            "kept_until": record.until.isoformat(),
            "state": "pending",
            "moved_at": self._clock().isoformat(),
            "record": self._vault.seal(key_id, PLACE, body).data,
        }

    async def _read_back(self, member: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        found: dict[str, bytes] = {}
        async with self._reading() as connection:
            for some in _batches(list(rows)):
                held = await connection.execute(
                    select(_kept.c.row_key, _kept.c.record).where(
                        self._of(member), _kept.c.row_key.in_(some)
                    )
                )
                found |= {key: bytes(record) for key, record in held}
        wanted = {key: self._body_of(row["record"]) for key, row in rows.items()}
        if {key: self._body_of(record) for key, record in found.items()} != wanted:
            raise _not_so()

    def _body_of(self, record: bytes) -> dict[str, Any]:
        opened: dict[str, Any] = json.loads(self._vault.open(Sealed(PLACE, bytes(record))))
        return opened

    def _opened(self, row: Any) -> OpenedRecord:
        body = self._body_of(row["record"])
        turn = body.get("turn", 1)
        same = self.row_key(row["subject_id"], body["table"], body["key"], turn) == row["row_key"]
        if not same or body["table"] != row["table_name"]:
            raise SealError("a record was moved to another row", field=PLACE)
        return OpenedRecord(_about(row), body["key"], body["row"])


def _body(record: Record, turn: int) -> dict[str, Any]:
    body = {"table": record.table, "key": dict(record.key), "row": dict(record.values)}
    return body | ({"turn": turn} if turn > 1 else {})


def _month(until: date) -> str:
    return f"{until:%Y-%m}"


def _about(row: Any) -> Archived:
    return Archived(
        id=row["id"],
        member=row["subject_id"],
        table=row["table_name"],
        rule=row["rule"],
        law=Bilingual(ko=row["law_ko"], en=row["law_en"]),
        until=date.fromisoformat(row["kept_until"]),
        state=row["state"],
        moved_at=datetime.fromisoformat(row["moved_at"]),
    )


def _batches(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]


def _not_so() -> RegistryConflict:
    return RegistryConflict(
        "the archive does not read as it was written",
        field="archive",
        remedy="Nothing was deleted from the live tables. Look at the archive's database.",
    )
