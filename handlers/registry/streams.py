"""Rows out of a database into a file, without holding them: COPY in PostgreSQL, else row by row.

PostgreSQL writes the lines itself; Python would spend most of an export turning them into objects.
"""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any, BinaryIO, Literal

from sqlalchemy import Dialect, Select, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from subjectline.handlers.registry.nested import Pruner

Form = Literal["csv", "jsonl"]
BATCH = 2000  # rows that are held at a time
COPY_SECONDS = 3600.0
# JSON has no raw control characters, so that with these two COPY leaves its lines as they are.
_PLAIN = {"format": "csv", "delimiter": "\x02", "quote": "\x01", "header": False}


async def copy_out(
    connection: AsyncConnection, statement: Select[Any], file: BinaryIO, form: Form
) -> int:
    """Writes the rows of `statement` and returns their number. For asyncpg only."""
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    shown = statement if form == "csv" else _as_json(statement)
    text, values = _compiled(shown, connection.dialect)

    async def take(data: bytes) -> None:
        file.write(data)

    options: dict[str, Any] = {"format": "csv", "header": True} if form == "csv" else _PLAIN
    done = await driver.copy_from_query(
        text, *values, output=take, timeout=COPY_SECONDS, encoding="UTF8", **options
    )
    return int(str(done).rpartition(" ")[2])


def _as_json(statement: Select[Any]) -> Select[Any]:
    rows = statement.subquery("shown")
    return select(cast(func.row_to_json(rows.table_valued()), Text))


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
) -> int:
    """The same row by row, through a cursor on the server where the database has one."""
    result = await connection.stream(statement.execution_options(yield_per=BATCH))
    names, total = list(result.keys()), 0
    if form == "csv":
        file.write(_lines([names]))
    async for batch in result.partitions(BATCH):
        total += len(batch)
        rows = [pruner.row(dict(zip(names, row, strict=True))) for row in batch]
        if form == "csv":
            file.write(_lines([[_cell(v) for v in row.values()] for row in rows]))
        else:
            said = (json.dumps(row, ensure_ascii=False, default=str) for row in rows)
            file.write("".join(f"{line}\n" for line in said).encode())
    return total


def _lines(rows: list[list[Any]]) -> bytes:
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerows(rows)
    return held.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
