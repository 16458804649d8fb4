"""Rows out of a database into a file, without holding them: COPY in PostgreSQL, else row by row.

PostgreSQL writes the cells itself; Python would spend most of an export turning them into objects.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, BinaryIO, Literal

from sqlalchemy import JSON, Dialect, Numeric, Select, cast, func, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType, Text

from subjectline.handlers.registry.jsonlines import Speller, Weaver
from subjectline.handlers.registry.nested import Pruner
from subjectline.models.datamap import Table

Form = Literal["csv", "jsonl"]
BATCH = 2000  # rows that are held at a time
COPY_SECONDS = 3600.0


async def copy_out(
    connection: AsyncConnection, statement: Select[Any], file: BinaryIO, form: Form
) -> int:
    """Writes the rows of `statement` and returns their number. For asyncpg only."""
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    if form == "jsonl":
        statement = statement.with_only_columns(*map(_as_json, statement.selected_columns))
    text, values = _compiled(statement, connection.dialect)
    weaver = await _weaver(driver, text) if form == "jsonl" else None

    async def take(data: bytes) -> None:
        file.write(weaver.lines(data) if weaver else data)

    options: dict[str, Any] = {} if weaver else {"format": "csv", "header": True}
    done = await driver.copy_from_query(
        text, *values, output=take, timeout=COPY_SECONDS, encoding="UTF8", **options
    )
    return int(str(done).rpartition(" ")[2])


async def _weaver(driver: Any, text: str) -> Weaver:
    """The types are the live database's: what a column is not must not stand in JSON as if it were."""
    prepared = await driver.prepare(text)
    return Weaver([(one.name, one.type.name) for one in prepared.get_attributes()])


def _compiled(statement: Select[Any], dialect: Dialect) -> tuple[str, list[Any]]:
    """The statement with its values in order, as the driver takes them."""
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    held = compiled.construct_params()
    processors = getattr(compiled, "_bind_processors", {})
    names: Iterable[str] = getattr(compiled, "positiontup", None) or ()
    values = [processors[n](held[n]) if n in processors else held[n] for n in names]
    return str(compiled), values


async def stream_out(
    connection: AsyncConnection,
    statement: Select[Any],
    file: BinaryIO,
    form: Form,
    pruner: Pruner,
    spec: Table,
) -> int:
    """The same row by row, through a cursor on the server where the database has one. JSON lines are
    byte for byte those of `copy_out`. `spec` is the map's table."""
    if form == "jsonl":
        return await _spelled_out(connection, statement, file, pruner, spec)
    result = await connection.stream(statement.execution_options(yield_per=BATCH))
    names, total = list(result.keys()), 0
    file.write(_lines([names]))
    async for batch in result.partitions(BATCH):
        total += len(batch)
        rows = [pruner.row(dict(zip(names, row, strict=True))) for row in batch]
        file.write(_lines([[_cell(v) for v in row.values()] for row in rows]))
    return total


async def _spelled_out(
    connection: AsyncConnection,
    statement: Select[Any],
    file: BinaryIO,
    pruner: Pruner,
    spec: Table,
) -> int:
    postgresql = connection.dialect.name == "postgresql"
    columns = map(_as_json if postgresql else _as_it_is, statement.selected_columns)
    told = statement.with_only_columns(*map(_raw, columns))
    result = await connection.stream(told.execution_options(yield_per=BATCH))
    names, total = list(result.keys()), 0
    kinds = {name: spec.columns[name].type if name in spec.columns else "text" for name in names}
    speller = Speller(kinds, trimmed=postgresql)
    async for batch in result.partitions(BATCH):
        total += len(batch)
        rows = [dict(zip(names, row, strict=True)) for row in batch]
        if not pruner.idle:
            rows = [pruner.row(_parsed(row, kinds)) for row in rows]
        file.write("".join(map(speller.line, rows)).encode())
    return total


def _as_json(column: Any) -> Any:
    """What the map calls JSON may be an array to the database."""
    if isinstance(column.type, JSON):
        return func.to_json(column, type_=JSON()).label(column.name)
    return column


def _as_it_is(column: Any) -> Any:
    return column


def _raw(column: Any) -> Any:
    """JSON as text, and numbers as the driver has them: Python's floats would lose digits."""
    if isinstance(column.type, JSON):
        return cast(column, Text).label(column.name)
    if isinstance(getattr(column.type, "native", None), Numeric):
        return type_coerce(column, NullType()).label(column.name)
    return column


def _parsed(row: dict[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    """The row with its JSON columns as values, so that they can be cut."""
    for name, kind in kinds.items():
        if kind == "json" and isinstance(text := row[name], str):
            with suppress(ValueError):  # no JSON, so that nothing in it can be shown
                row[name] = json.loads(text, parse_float=Decimal)
    return row


def _lines(rows: list[list[Any]]) -> bytes:
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerows(rows)
    return held.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
