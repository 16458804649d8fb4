"""What carries files without MIME: uuencode and yEnc inside a text, TNEF (winmail.dat), signed PKCS #7.

Bytes in, pieces out. Nothing here raises; each is linear; what does not fit its format gives nothing, and
the part stays what it was. Sources: POSIX uuencode; yEnc draft 1.3; MS-OXTNEF; RFC 5652.
"""

import binascii
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_FILES = 100
_BEGIN = re.compile(rb"^begin [0-7]{3,4}(?: ([^\n]{0,200}))?\n", re.MULTILINE)
_YBEGIN = re.compile(rb"^=ybegin [^\n]{0,200}? ?name=([^\n]{1,200})\n", re.MULTILINE)
_YEND = re.compile(rb"^=yend[^\n]*\n?", re.MULTILINE)
_YPART = re.compile(rb"=ypart [^\n]*\n")
_ESCAPED = re.compile(rb"=(.)", re.DOTALL)
_FROM_YENC = bytes((byte - 42) & 0xFF for byte in range(256))


@dataclass(frozen=True, slots=True)
class Piece:
    """A file that was carried inside another one. `name` is raw bytes of an unknown charset."""

    name: bytes
    content: bytes


def inline_files(text: bytes) -> tuple[bytes, list[Piece]]:
    """`text` (line ends \\n) without its uuencoded and yEnc blocks, and those as files."""
    files: list[Piece] = []
    if b"begin " not in text:
        return text, files
    text = _without_uu(text, files) if _BEGIN.search(text) else text
    return (_without_yenc(text, files) if b"=ybegin " in text else text), files


def _without_uu(text: bytes, files: list[Piece]) -> bytes:
    kept: list[bytes] = []
    at = 0
    while len(files) < MAX_FILES and (found := _BEGIN.search(text, at)):
        end, content = _uu(text, found.end())
        if content:
            kept.append(text[at : found.start()])
            files.append(Piece((found[1] or b"").strip(), content))
        else:
            kept.append(text[at:end])  # a sentence that begins with these words
        at = end
    return b"".join((*kept, text[at:]))


def _uu(text: bytes, at: int) -> tuple[int, bytes]:
    """Where the block that begins at `at` ends, and its content; cut-off blocks end with the text."""
    out: list[bytes] = []
    while at < len(text):
        end = text.find(b"\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end].rstrip(b"\r")
        if line == b"end":
            return min(end + 1, len(text)), b"".join(out)
        data = _uu_line(line)
        if data is None:
            return at, b"".join(out)
        out.append(data)
        at = end + 1
    return len(text), b"".join(out)


def _uu_line(line: bytes) -> bytes | None:
    if not line.strip() or line == b"`":
        return b""
    length = (line[0] - 32) & 63
    wanted = 1 + (length + 2) // 3 * 4
    if not 33 <= line[0] <= 96 or len(line) < wanted - 3 or len(line) > wanted + 2:
        return None
    try:
        # Mailers cut trailing blanks off, and add a checksum letter.
        return binascii.a2b_uu(line[:wanted].ljust(wanted))
    except binascii.Error:
        return None


def _without_yenc(text: bytes, files: list[Piece]) -> bytes:
    kept: list[bytes] = []
    at = 0
    while len(files) < MAX_FILES and (found := _YBEGIN.search(text, at)):
        last = _YEND.search(text, found.end())
        end = last.start() if last else len(text)
        part = _YPART.match(text, found.end())
        data = (
            text[part.end() if part else found.end() : end].replace(b"\n", b"").replace(b"\r", b"")
        )
        plain = _ESCAPED.sub(lambda m: bytes(((m[1][0] - 64) & 0xFF,)), data)
        kept.append(text[at : found.start()])
        files.append(Piece(found[1].strip(), plain.translate(_FROM_YENC)))
        at = last.end() if last else len(text)
    return b"".join((*kept, text[at:]))


_SIGNED = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")


def signed_content(der: bytes) -> bytes:
    """The mail inside an opaque-signed PKCS #7 (RFC 8551, 3.5.2); b"" where there is none."""
    if _SIGNED not in der[:40]:
        return b""
    at = der.find(_DATA, 0, 4000)
    if at < 0:
        return b""
    tag, at, _ = _element(der, at + len(_DATA))
    if tag != 0xA0:
        return b""
    tag, start, length = _element(der, at)
    if tag == 0x04 and length >= 0:
        return der[start : start + length]
    return b"".join(_chunks(der, start)) if tag == 0x24 else b""


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start and length of the BER element at `at`; length -1 means: until its end mark."""
    if at + 2 > len(der):
        return 0, len(der), 0
    tag, first = der[at], der[at + 1]
    if first < 0x80:
        return tag, at + 2, first
    count = first & 0x7F
    start = at + 2 + count
    return tag, start, int.from_bytes(der[at + 2 : start], "big") if 0 < count <= 4 else -1


def _chunks(der: bytes, at: int) -> Iterator[bytes]:
    while at < len(der):
        tag, start, length = _element(der, at)
        if tag == 0x24:  # a string of strings
            at = start
            continue
        if tag != 0x04 or length < 0:
            return
        yield der[start : start + length]
        at = start + length


_TNEF = b"\x78\x9f\x3e\x22"
_TITLE, _CONTENT, _START, _PROPERTIES, _MESSAGE, _BODY = (
    0x8010,
    0x800F,
    0x9002,
    0x9005,
    0x9003,
    0x800C,
)
_LONG_NAME, _PLAIN, _HTML = 0x3707, 0x1000, 0x1013
_WIDTHS = {
    0x2: 4,
    0x3: 4,
    0x4: 4,
    0x5: 8,
    0x6: 8,
    0x7: 8,
    0xA: 4,
    0xB: 4,
    0x14: 8,
    0x40: 8,
    0x48: 16,
}
_VARIABLE = (0x1E, 0x1F, 0xD, 0x102)
_UNICODE = 0x1F
_MAX_PROPERTIES = 2000


@dataclass(slots=True)
class Tnef:
    """What a winmail.dat held."""

    text: bytes = b""
    html: bytes = b""
    files: list[Piece] = field(default_factory=list)


def tnef(data: bytes) -> Tnef:
    """The text and the files in `data`; nothing in them where `data` is no TNEF (MS-OXTNEF, 2.1)."""
    found = Tnef()
    name, content = b"", b""
    for key, value in _attributes(data):
        if key == _START:
            _keep(found, name, content)
            name, content = b"", b""
        elif key == _TITLE:
            name = name or value.rstrip(b"\x00")
        elif key == _CONTENT:
            content = value
        elif key == _PROPERTIES:
            name = _long_name(value) or name
        elif key == _BODY:
            found.text = value.rstrip(b"\x00")
        elif key == _MESSAGE:
            _message(value, found)
    _keep(found, name, content)
    return found


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 6 if data.startswith(_TNEF) else len(data)
    while at + 9 <= len(data):
        key, _, length = struct.unpack_from("<HHI", data, at + 1)
        yield key, data[at + 9 : at + 9 + length]
        at += 9 + length + 2  # and a checksum


def _keep(found: Tnef, name: bytes, content: bytes) -> None:
    if content and len(found.files) < MAX_FILES:
        found.files.append(Piece(name, content))


def _long_name(value: bytes) -> bytes:
    names = (data for key, kind, data in _properties(value) if key == _LONG_NAME)
    return next(names, b"")


def _message(value: bytes, found: Tnef) -> None:
    for key, _, data in _properties(value):
        if key == _PLAIN and not found.text:
            found.text = data
        elif key == _HTML:
            found.html = data


def _properties(value: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Id, type and value of MAPI properties; strings come as UTF-8 where they were wide."""
    count, at = int.from_bytes(value[:4], "little"), 4
    for _ in range(min(count, _MAX_PROPERTIES)):
        if at + 4 > len(value):
            return
        kind, key = struct.unpack_from("<HH", value, at)
        at += 4
        if key >= 0x8000:
            at = _after_name(value, at)
        many, kind = bool(kind & 0x1000) or (kind & 0xFFF) in _VARIABLE, kind & 0xFFF
        times = int.from_bytes(value[at : at + 4], "little") if many else 1
        at += 4 if many else 0
        for _ in range(min(times, _MAX_PROPERTIES)):
            start, end, at = _one(value, at, kind)
            if at > len(value) + 3 or end <= start:
                return
            yield key, kind, _string(value[start:end], kind)


def _after_name(value: bytes, at: int) -> int:
    named = value[at + 16 : at + 20] == b"\x01\x00\x00\x00"
    length = int.from_bytes(value[at + 20 : at + 24], "little")
    return at + 24 + ((length + 3) & ~3) if named else at + 24


def _one(value: bytes, at: int, kind: int) -> tuple[int, int, int]:
    if kind in _WIDTHS:
        return at, at + _WIDTHS[kind], at + _WIDTHS[kind]
    length = int.from_bytes(value[at : at + 4], "little")
    return at + 4, at + 4 + length, at + 4 + ((length + 3) & ~3)


def _string(data: bytes, kind: int) -> bytes:
    if kind == _UNICODE:
        return data.decode("utf-16-le", "replace").rstrip("\x00").encode("utf-8", "replace")
    return data.rstrip(b"\x00") if kind == 0x1E else data
