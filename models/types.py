"""Column types: aware times, sealed bytes, big integer keys."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from subjectline.models.errors import SealError

BigId = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts by itself in SQLite


class Utc(TypeDecorator[datetime]):
    """An aware time, kept in UTC. A naive one is refused: nobody could say which day it means."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Sealed:
    """Ciphertext and the column it belongs to (`table.column`), which is part of what is authenticated."""

    place: str
    data: bytes

    def __repr__(self) -> str:
        return f"Sealed({self.place}, {len(self.data)} bytes)"


class SealedColumn(TypeDecorator[Sealed]):
    """A column that takes only what `Vault.seal` made for this very column: plain text cannot slip in."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        if not isinstance(value, Sealed) or value.place != self.place:
            raise SealError("only a value sealed for this column can be stored", field=self.place)
        return value.data

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Sealed | None:
        return None if value is None else Sealed(self.place, bytes(value))
