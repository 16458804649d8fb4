"""Rows as JSON lines: out of PostgreSQL's COPY, a block at a time, and out of Python's values, row by row.

Both write the same bytes: one object a line, its columns in the order of the statement, no blanks.
COPY's text format escapes as JSON does (`\\n`, `\\t`, `\\\\` …) and holds neither a raw tab nor a raw line
break but its own, so that a block of rows is cut into cells, and put together with the names of the
columns, by a few operations in C; `row_to_json` takes three times as long. What JSON writes otherwise
(quotes, other control characters, NaN, JSON inside JSON) is looked for in the block and mended in the
columns concerned.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

NULL = b"\\N"
# How PostgreSQL's types are written; whatever is not here is a text.
_BARE = dict.fromkeys(("int2", "int4", "int8", "oid"), "integer")
_BARE |= dict.fromkeys(("numeric", "float4", "float8"), "number")
_WAYS = _BARE | {"bool": "boolean", "json": "json", "jsonb": "json"}
_WAYS |= {"timestamp": "time", "timestamptz": "time"}

# Every control character but those that COPY escapes (\b \t \n \v \f \r): raw in its text format.
_RAW = bytes(set(range(1, 0x20)) - set(b"\b\t\n\v\f\r"))
_CONTROL = re.compile(rb"[\x01-\x07\x0e-\x1f]")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_UNESCAPED = {b"b": b"\b", b"t": b" ", b"n": b" ", b"v": b"\v", b"f": b"\f", b"r": b" "}
_TIME = re.compile(rb"(\S+) (\S+?)(\+00)?( BC)?\Z")
_ZEROS = re.compile(r"(\.\d*?)0+(?=[+-]|$)")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_TRUTH = {b"t": b"true", b"f": b"false", NULL: NULL}

Cells = list[bytes]


class Weaver:
    """Makes JSON lines of blocks of COPY's text format. `columns` are names with PostgreSQL's types."""

    def __init__(self, columns: Sequence[tuple[str, str]]) -> None:
        self._ways = [_WAYS.get(kind, "text") for _, kind in columns]
        self._between = _between([name for name, _ in columns], self._ways)
        mending: dict[str, Callable[[Cells], Cells]] = {
            "boolean": _truths,
            "time": _times,
            "json": _embedded,
        }
        self._mending = [(n, mending[w]) for n, w in enumerate(self._ways) if w in mending]
        self._left = b""
        self.rows = 0

    def lines(self, data: bytes) -> bytes:
        """The whole lines of what came so far."""
        end = data.rfind(b"\n") + 1
        block, self._left = self._left + data[:end], (b"" if end else self._left) + data[end:]
        return self._woven(block) if end else b""

    def _woven(self, block: bytes) -> bytes:
        width, rows = len(self._ways), block.count(b"\n")
        self.rows += rows
        cells = block.replace(b"\n", b"\t").split(b"\t")
        cells.pop()  # behind the last line break
        for number, mend in self._mending:
            cells[number::width] = mend(cells[number::width])
        self._mend_what_is_rare(block, cells)
        woven = [b""] * (2 * len(cells) + 1)
        woven[0:-1:2] = self._between * rows
        woven[1::2] = cells
        woven[0], woven[-1] = self._between[0].partition(b"\n")[2], self._end
        made = b"".join(woven)
        if b"\\" in block and NULL in block:  # no backslash of a value stands alone before an N
            made = made.replace(b'"\\N"', b"null").replace(b":\\N", b":null")
        return made

    @property
    def _end(self) -> bytes:
        return self._between[0].partition(b"\n")[0] + b"\n"

    def _mend_what_is_rare(self, block: bytes, cells: Cells) -> None:
        width = len(self._ways)
        quoted = b'"' in block or (b"\\" in block and b"\\v" in block)
        if quoted or len(block.translate(None, _RAW)) != len(block):
            for number in self._of("text"):
                cells[number::width] = [_string(cell) for cell in cells[number::width]]
        numbers = self._of("number")
        if numbers and (b"NaN" in block or b"Infinity" in block):
            for number in numbers:
                cells[number::width] = [_number(cell) for cell in cells[number::width]]

    def _of(self, way: str) -> list[int]:
        return [number for number, known in enumerate(self._ways) if known == way]


def _between(names: Sequence[str], ways: Sequence[str]) -> list[bytes]:
    """What stands before each cell; before the first also the end of the row above."""
    quotes = [b'"' if way in ("text", "time") else b"" for way in ways]
    keys = [json.dumps(name, ensure_ascii=False).encode() + b":" for name in names]
    before = [quotes[-1] + b"}\n{"] + [quote + b"," for quote in quotes[:-1]]
    return [b + key + quote for b, key, quote in zip(before, keys, quotes, strict=True)]


def _truths(cells: Cells) -> Cells:
    return list(map(_TRUTH.__getitem__, cells))


def _times(cells: Cells) -> Cells:
    """`2026-01-01 00:00:01+00` (the session's zone is UTC) as ISO 8601 has it, with T and +00:00."""
    joined = b"\n".join(cells) + b"\n"
    if b" BC\n" in joined:
        return [_TIME.sub(_time, cell) for cell in cells]
    joined = joined.replace(b" ", b"T").replace(b"+00\n", b"+00:00\n")
    return joined[:-1].split(b"\n")


def _time(found: re.Match[bytes]) -> bytes:
    day, hour, zone, era = found.groups(b"")
    return day + b"T" + hour + (zone and b"+00:00") + era


def _embedded(cells: Cells) -> Cells:
    """JSON as it stands in the column. A line break or tab in it is white space between values."""
    if b"\\" not in b"".join(cells):
        return cells
    return [cell if cell == NULL else _ESCAPED.sub(_plain, cell) for cell in cells]


def _plain(found: re.Match[bytes]) -> bytes:
    return _UNESCAPED.get(found[1], found[1])


def _string(cell: bytes) -> bytes:
    """A text with what JSON escapes and COPY does not."""
    cell = cell.replace(b'"', b'\\"')
    if b"\\v" in cell:
        cell = _ESCAPED.sub(lambda m: b"\\u000b" if m[1] == b"v" else m[0], cell)
    return _CONTROL.sub(lambda m: b"\\u%04x" % m[0][0], cell)


def _number(cell: bytes) -> bytes:
    """NaN and the infinities are no JSON numbers: they stand as texts."""
    return b'"%b"' % cell if cell.lstrip(b"-")[:1] in (b"N", b"I") else cell


class Speller:
    """Writes rows of Python's values in the same way. `kinds` are the map's types by column name."""

    def __init__(self, kinds: Mapping[str, str], *, trimmed: bool) -> None:
        """`trimmed`: times come out of a driver that writes all six digits of a second."""
        ways: dict[str, Callable[[Any], str]] = {"decimal": _digits, "json": _nested}
        if trimmed:
            ways["datetime"] = _instant
        self._ways = {name: ways.get(kind, _spelled) for name, kind in kinds.items()}
        self._keys = {name: f"{_text(name)}:" for name in kinds}

    def line(self, row: Mapping[str, Any]) -> str:
        """One row, with its line break."""
        said = (
            self._keys[name] + ("null" if value is None else self._ways[name](value))
            for name, value in row.items()
        )
        return "{" + ",".join(said) + "}\n"


def _text(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal):
        return _digits(value)
    if isinstance(value, bytes):
        return _text("\\x" + value.hex())
    return dumped(value) if isinstance(value, dict | list) else _text(value)


def _digits(value: object) -> str:
    """Every digit of a number; what is none (NaN) as a text."""
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    text = repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
    if _NUMBER.fullmatch(text):
        return text
    words = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return _text(words.get(text, text))


def _instant(value: object) -> str:
    return _text(_ZEROS.sub(lambda m: m[1].rstrip("."), str(value)))


def _nested(value: object) -> str:
    """JSON as the column has it, in one line; what is none is a text."""
    if not isinstance(value, str):
        return dumped(value)
    try:
        json.loads(value)
    except ValueError:
        return _text(value)
    return re.sub(r"[\r\n\t]", " ", value)


def dumped(value: Any) -> str:
    """A value read from JSON as PostgreSQL writes it, no digit of a Decimal lost."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(k)}: {dumped(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dumped, value)) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
