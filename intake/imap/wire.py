"""What goes over the IMAP line: folder names, UID sets, the answers to FETCH. Pure; RFC 3501."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar

_FETCH = re.compile(rb"[0-9]+ FETCH \(")
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BODY_QUOTED = re.compile(rb'BODY\[[^\]]*\](?:<[0-9]+>)? ("(?:[^"\\]|\\.)*")', re.IGNORECASE)
_UID = re.compile(rb"\bUID ([0-9]+)", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE ([0-9]+)", re.IGNORECASE)
_DATE = re.compile(
    rb'INTERNALDATE "([ 0-9][0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2})'
    rb' ([+-])([0-9]{2})([0-9]{2})"',
    re.IGNORECASE,
)
_NAMESPACE = re.compile(
    rb'\(\("(?P<prefix>(?:[^"\\]|\\.)*)" (?:"(?P<separator>(?:[^"\\]|\\.)*)"|NIL)', re.IGNORECASE
)
_DELIMITER = re.compile(rb'\([^)]*\) "(?P<separator>(?:[^"\\]|\\.)*)" ', re.IGNORECASE)
_NOT_ASCII = re.compile(r"[^\x20-\x7e]+")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

T = TypeVar("T")
Lines = Sequence[bytes | bytearray]


@dataclass(frozen=True, slots=True)
class Fetched:
    """One mail of a FETCH answer; what was not asked for is None."""

    uid: int
    size: int | None = None
    internal_date: datetime | None = None  # aware, UTC
    content: bytes | None = None


def folder(name: str) -> str:
    """A folder name as a quoted string in modified UTF-7 (RFC 3501 section 5.1.3)."""
    encoded = _NOT_ASCII.sub(lambda run: _utf7(run.group()), name.replace("&", "&-"))
    return quoted(encoded)


def listed(lines: Lines) -> bool:
    """Whether an answer to LIST names a folder that can be opened."""
    found = [bytes(line).upper() for line in lines[:-1] if bytes(line).startswith(b"(")]
    return any(b"\\NOSELECT" not in line and b"\\NONEXISTENT" not in line for line in found)


def namespace(lines: Lines) -> tuple[str, str]:
    """Prefix and separator of our own folders, from NAMESPACE (RFC 2342) or from `LIST "" ""`."""
    for line in lines[:-1]:
        found = _NAMESPACE.match(bytes(line)) or _DELIMITER.match(bytes(line))
        if found:
            words = found.groupdict(default=b"")
            prefix, separator = words.get("prefix", b""), words["separator"]
            return _plain(prefix), _plain(separator)
    return "", ""


def _plain(text: bytes) -> str:
    return re.sub(rb"\\(.)", rb"\1", text).decode("ascii", "replace")


def quoted(text: str) -> str:
    """A quoted string; the caller has made sure that no line end is in it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _utf7(run: str) -> str:
    coded = b64encode(run.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",")
    return f"&{coded.decode('ascii')}-"


def uid_set(uids: Iterable[int]) -> str:
    """UIDs as a set in as few words as possible: `1:3,7`."""
    runs: list[list[int]] = []
    for uid in sorted(set(uids)):
        if runs and uid == runs[-1][1] + 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in runs)


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """`items` in pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def read_fetch(lines: Lines) -> list[Fetched]:
    """The mails of a FETCH answer, as aioimaplib gives it: text as bytes, literals as bytearray.

    Lines about other mails than asked (flags that changed meanwhile) have no UID and are left out.
    """
    answers = [_one(text, literals) for text, literals in _answers(lines)]
    return [answer for answer in answers if answer is not None]


def _answers(lines: Lines) -> Iterator[tuple[bytes, list[bytes]]]:
    text, literals, depth = b"", list[bytes](), 0
    for line in lines:
        if isinstance(line, bytearray):
            if depth > 0:
                literals.append(bytes(line))
            continue
        if depth <= 0 and not _FETCH.match(line):
            continue  # the tagged line, or an answer that is not a FETCH
        text += line + b" "
        bare = _QUOTED.sub(b"", line)
        depth += bare.count(b"(") - bare.count(b")")
        if depth <= 0:
            yield text, literals
            text, literals, depth = b"", [], 0


def _one(text: bytes, literals: list[bytes]) -> Fetched | None:
    content = literals[0] if literals else None
    if body := _BODY_QUOTED.search(text):  # a server may send a short mail as a quoted string
        content = re.sub(rb"\\(.)", rb"\1", body.group(1)[1:-1])
        text = text[: body.start()] + text[body.end() :]
    uid, size = _UID.search(text), _SIZE.search(text)
    if uid is None:
        return None
    return Fetched(
        uid=int(uid.group(1)),
        size=int(size.group(1)) if size else None,
        internal_date=read_date(text),
        content=content,
    )


def read_date(text: bytes) -> datetime | None:
    """The INTERNALDATE in `text`, aware, in UTC; None where there is none."""
    found = _DATE.search(text)
    if found is None:
        return None
    day, year, hour, minute, second = (int(found.group(n)) for n in (1, 3, 4, 5, 6))
    month = MONTHS.index(found.group(2).decode().lower()) + 1
    offset = timedelta(hours=int(found.group(8)), minutes=int(found.group(9)))
    zone = timezone(-offset if found.group(7) == b"-" else offset)
    return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
