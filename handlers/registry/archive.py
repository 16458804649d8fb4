"""The archive: records that only a law still keeps, apart from live data and sealed member by member.

One table in a database of its own. A row says in plain words whose record it is (a pseudonym), of
which table, which law keeps it and until when; the record itself is sealed under the member's key.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
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
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subjectline.handlers.registry.engines import guarded
from subjectline.models.clock import Clock
from subjectline.models.datamap import Bilingual, Value
from subjectline.models.errors import RegistryConflict, RegistryError, SealError
from subjectline.models.keys import Vault
from subjectline.models.types import Sealed

PLACE = "archive.record"
BATCH = 400
LONGEST_ID = 180  # bytes of a key id that a seal can name

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

    def key_id(self, member: str) -> str:
        """The id of a member's archive key in the desk's key store."""
        key_id = f"archive:{self._registry}:{member}"
        if len(key_id.encode()) > LONGEST_ID:
            return f"archive:{sha256(key_id.encode()).hexdigest()}"
        return key_id

    async def keep(self, member: str, records: Sequence[Record]) -> None:
        """Inserts the records as `pending`, commits, and reads every one back.

        A record that stands there already is replaced, so that it can be done again after a kill.
        Raises RegistryConflict where what was read back is not what was written.
        """
        if not records:
            return
        self._make_key(member)
        await self._prepare()
        rows = [self._row(member, record) for record in records]
        async with guarded("archive", self._seconds), self._engine.begin() as connection:
            for some in _batches(rows):
                keys = [row["row_key"] for row in some]
                await connection.execute(
                    delete(_kept).where(self._of(member), _kept.c.row_key.in_(keys))
                )
                await connection.execute(insert(_kept), some)
        await self._read_back(member, {row["row_key"]: row for row in rows}, records)

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

    async def has(self, member: str, table: str, keys: Sequence[Mapping[str, Value]]) -> set[str]:
        """Which of these rows stand in the archive, by `row_key`."""
        wanted = [self.row_key(member, table, key) for key in keys]
        found: set[str] = set()
        async with self._reading() as connection:
            for some in _batches(wanted):
                rows = await connection.scalars(
                    select(_kept.c.row_key).where(self._of(member), _kept.c.row_key.in_(some))
                )
                found |= set(rows.all())
        return found

    async def open(self, member: str) -> list[OpenedRecord]:
        """Every record of a member, opened. Raises SealError (KeyDestroyed) where its key is gone."""
        async with self._reading() as connection:
            rows = await connection.execute(
                select(_kept).where(self._of(member)).order_by(_kept.c.table_name, _kept.c.id)
            )
            return [self._opened(row) for row in rows.mappings()]

    async def due(self, today: date) -> list[Archived]:
        """Records whose last day has passed."""
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

    def destroy_key(self, member: str) -> None:
        """Destroys the member's archive key: no copy of a record opens any more."""
        self._vault.destroy(self.key_id(member), self._clock())

    async def close(self) -> None:
        await self._engine.dispose()

    def row_key(self, member: str, table: str, key: Mapping[str, Value]) -> str:
        """Which row of which table a record is, as a keyed hash."""
        written = json.dumps([self._registry, member, table, sorted(key.items())], default=str)
        return self._vault.keyed_hash("archive", written).hex()

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

    async def _prepare(self) -> None:
        if not self._ready:
            async with guarded("archive", self._seconds), self._engine.begin() as connection:
                await connection.run_sync(_meta.create_all)
            self._ready = True

    def _make_key(self, member: str) -> None:
        try:
            self._vault.make_key(self.key_id(member), self._clock())
        except SealError as gone:
            raise RegistryError(
                "the archive key of this member was destroyed before",
                field="archive",
                remedy="A member number was used again. An agent answers by hand.",
            ) from gone

    def _row(self, member: str, record: Record) -> dict[str, Any]:
        body = json.dumps(_body(record), ensure_ascii=False, sort_keys=True)
        return {
            "registry_id": self._registry,
            "subject_id": member,
            "table_name": record.table,
            "row_key": self.row_key(member, record.table, record.key),
            "rule": record.rule,
            "law_ko": record.law.ko,
            "law_en": record.law.en,
            "kept_until": record.until.isoformat(),
            "state": "pending",
            "moved_at": self._clock().isoformat(),
            "record": self._vault.seal(self.key_id(member), PLACE, body).data,
        }

    async def _read_back(
        self, member: str, rows: Mapping[str, Mapping[str, Any]], records: Sequence[Record]
    ) -> None:
        wanted = {self.row_key(member, r.table, r.key): _body(r) for r in records}
        found: dict[str, Any] = {}
        async with self._reading() as connection:
            for some in _batches(list(rows)):
                held = await connection.execute(
                    select(_kept.c.row_key, _kept.c.record).where(
                        self._of(member), _kept.c.row_key.in_(some)
                    )
                )
                found |= {key: self._body_of(record) for key, record in held}
        if found != wanted:
            raise _not_so()

    def _body_of(self, record: bytes) -> dict[str, Any]:
        opened: dict[str, Any] = json.loads(self._vault.open(Sealed(PLACE, bytes(record))))
        return opened

    def _opened(self, row: Any) -> OpenedRecord:
        body = self._body_of(row["record"])
        same = self.row_key(row["subject_id"], body["table"], body["key"]) == row["row_key"]
        if not same or body["table"] != row["table_name"]:
            raise SealError("a record was moved to another row", field=PLACE)
        return OpenedRecord(_about(row), body["key"], body["row"])


def _body(record: Record) -> dict[str, Any]:
    return {"table": record.table, "key": dict(record.key), "row": dict(record.values)}


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
