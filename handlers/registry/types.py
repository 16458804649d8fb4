"""How columns are read and written, by the type that the map or the live database says."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Date, DateTime, Dialect, Numeric, Text, Uuid, cast
from sqlalchemy.types import TypeDecorator, TypeEngine


class _AsText(TypeDecorator[Any]):
    """A type that is native in PostgreSQL and text in SQLite; in Python always text, so that every
    value of a change set goes into JSON and back unchanged."""

    impl = Text
    cache_ok = True
    native: TypeEngine[Any] = Text()

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else self.native)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "sqlite" else self.parse(str(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return value if value is None else self.write(value)

    def parse(self, text: str) -> Any:
        return text

    def write(self, value: Any) -> str:
        return str(value)


class _IsoDate(_AsText):
    native = Date()
    cache_ok = True

    def parse(self, text: str) -> date:
        return date.fromisoformat(text)


class _IsoDateTime(_AsText):
    native = DateTime(timezone=True)
    cache_ok = True

    def parse(self, text: str) -> datetime:
        return datetime.fromisoformat(text)

    def write(self, value: Any) -> str:
        if not isinstance(value, datetime):
            return str(value)
        # A time without a zone stays one: which zone was meant is the company's to know.
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()


class _DecimalText(_AsText):
    native = Numeric()
    cache_ok = True

    def parse(self, text: str) -> Decimal:
        return Decimal(text)


class _UuidText(_AsText):
    native = Uuid(as_uuid=False)
    cache_ok = True


class _OtherText(_AsText):
    """Types that we have no word for (money, inet, enums, arrays): shown as the database writes them."""

    cache_ok = True

    def column_expression(self, column: Any) -> Any:
        return cast(column, Text())

    def write(self, value: Any) -> str:
        return value.hex() if isinstance(value, bytes) else str(value)


TYPES: dict[str, TypeEngine[Any]] = {
    "text": Text(),
    "integer": BigInteger(),
    "decimal": _DecimalText(),
    "boolean": Boolean(),
    "date": _IsoDate(),
    "datetime": _IsoDateTime(),
    "uuid": _UuidText(),
    "json": JSON(),
    "other": _OtherText(),
    "unknown": Text(),
}
