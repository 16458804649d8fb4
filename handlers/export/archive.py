"""JSON and CSV of an export in one archive, encrypted with AES-256 (WinZip AE-2, read by 7-Zip and others).

Written part by part into a file without a name; only ciphertext ever reaches the disk.
"""

import asyncio
import csv
import io
import json
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

import pyzipper

from subjectline.handlers.export import fiveitems, shelf
from subjectline.handlers.export.fiveitems import FiveItems
from subjectline.handlers.export.shelf import Head
from subjectline.handlers.export.wording import localised
from subjectline.models.keys import Vault
from subjectline.models.regimes import regime_named

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

BOM = "\ufeff"  # or Korean Excel reads CP949
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: nothing that is taken for another
PASSWORD = 20  # letters, 100 bits
# How a spreadsheet begins a formula (OWASP), the full-width forms included.
FORMULA = tuple("=+-@\t\r\n＝＋－＠|%")

# What a reader passes over before it looks for a formula: white space and control characters.
_UNSEEN = (
    "".join(c for c in map(chr, range(0x3001)) if c.isspace() or not c.isprintable()) + "\ufeff"
)
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def password(vault: Vault, link_id: int, cookie: str, number: int) -> str:
    """The archive's password, `XXXXX-XXXXX-XXXXX-XXXXX`, for one opened page.

    Made from the page's cookie and the desk's token key, so it is written down nowhere; `number` counts
    how often one was asked for.
    """
    made = vault.keyed_hash("export.archive", f"{link_id}:{number}:{cookie}")
    bits = int.from_bytes(made[:13], "big")
    letters = "".join(LETTERS[bits >> 5 * place & 31] for place in range(PASSWORD))
    return "-".join(letters[at : at + 5] for at in range(0, PASSWORD, 5))


async def make(desk: "Desk", export: Head, language: str, secret: str) -> IO[bytes]:
    """The archive as an open file at its beginning; it is gone when it is closed."""
    file: IO[bytes] = tempfile.TemporaryFile()
    try:
        await _fill(desk, export, language, secret, file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


async def _fill(desk: "Desk", export: Head, language: str, secret: str, file: IO[bytes]) -> None:
    told = fiveitems.in_words(desk, export, language)
    now = export.made_at.astimezone(regime_named(desk.manner.regime).tz)
    writer = _Writer(file, secret, now)
    await writer.add(told.words["readme"], _once(readme(told)))
    await writer.add("data.json", json_lines(desk, export, language))
    for place, table in enumerate(told.tables):
        name = f"csv/{place + 1:02d}_{file_name(table['label'])}.csv"
        await writer.add(name, csv_lines(desk, export, place, language))
    await writer.close()


class _Writer:
    """The archive; compressing and encrypting are done beside the event loop."""

    def __init__(self, file: IO[bytes], secret: str, now: datetime) -> None:
        self._zip = pyzipper.AESZipFile(
            file, "w", compression=pyzipper.ZIP_DEFLATED, compresslevel=6
        )
        self._zip.setpassword(secret.encode())
        self._zip.setencryption(pyzipper.WZ_AES, nbits=256)
        self._date = (now.year, now.month, now.day, now.hour, now.minute, now.second)

    async def add(self, name: str, pieces: AsyncIterator[bytes]) -> None:
        info = self._zip.zipinfo_cls(name, self._date)
        info.compress_type = pyzipper.ZIP_DEFLATED
        with self._zip.open(info, "w", force_zip64=True) as entry:
            async for piece in pieces:
                await asyncio.to_thread(entry.write, piece)

    async def close(self) -> None:
        await asyncio.to_thread(self._zip.close)


async def json_lines(desk: "Desk", export: Head, language: str) -> AsyncIterator[bytes]:
    """The whole export as one JSON object, in pieces: the head, then each table with its rows."""
    head = localised(export.body, language)
    tables = head.pop("tables")
    yield _open_object(head) + b', "tables": ['
    for place, table in enumerate(tables):
        yield (b",\n" if place else b"\n") + _open_object(table) + b', "rows": ['
        first = True
        async for lines in shelf.parts(desk, export, place):
            yield (b"\n" if first else b",\n") + lines.rstrip(b"\n").replace(b"\n", b",\n")
            first = False
        yield b"]}"
    yield b"\n]}\n"


def _open_object(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False)[:-1].encode()


async def csv_lines(desk: "Desk", export: Head, place: int, language: str) -> AsyncIterator[bytes]:
    """One table as CSV (RFC 4180) with a BOM and the columns' labels, safe to open in a spreadsheet."""
    columns = export.table(place)["columns"]
    yield (BOM + csv_text([[column["label"][language] for column in columns]])).encode()
    names = [column["name"] for column in columns]
    async for lines in shelf.parts(desk, export, place):
        yield (await asyncio.to_thread(_csv_of, names, lines)).encode()


def _csv_of(names: Sequence[str], lines: bytes) -> str:
    rows = (shelf.read(line) for line in lines.splitlines())
    return csv_text([[row.get(name) for name in names] for row in rows])


def csv_text(rows: Sequence[Sequence[Any]]) -> str:
    """Lines of CSV. Texts are quoted, and none of them is a formula."""
    made = io.StringIO()
    writer = csv.writer(made, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerows([harmless(value) for value in row] for row in rows)
    return made.getvalue()


def harmless(value: Any) -> Any:
    """A value for a cell: numbers as they are, a text that begins like a formula behind an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"'{text}" if text.lstrip(_UNSEEN).startswith(FORMULA) else text


def file_name(label: str) -> str:
    """A label as the name of a file on any system."""
    return _UNSAFE.sub("_", label).strip(" .")[:60] or "table"


def readme(told: FiveItems) -> str:
    """The letter in the archive: what the files are, and the five items but the rows."""
    lines = [told.title, "", told.intro, ""]
    lines += [told.words[f"readme.{key}"] for key in ("json", "csv", "key")]
    lines += ["", *(f"{label}: {value}" for label, value in told.facts)]
    for item in told.items:
        lines += ["", f"{item.number}. {item.title}", item.text]
        for grid in item.grids:
            lines += ["", grid.title] if grid.title else []
            lines += [f"- {_line(grid.columns, row)}" for row in grid.rows] or [grid.none]
        if item.name == "items":
            lines += [
                f"- {table['label']}: {fiveitems.count(told, place)}"
                for place, table in enumerate(told.tables)
            ]
    return "\r\n".join(lines) + "\r\n"


def _line(columns: Sequence[str], row: Sequence[str]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in zip(columns, row, strict=True) if value)


async def _once(text: str) -> AsyncIterator[bytes]:
    yield (BOM + text).encode()
