"""Header text: encoded words (RFC 2047), parameters (RFC 2231), raw 8-bit, and what mailers make of them."""

import base64
import binascii
import re
from itertools import groupby
from urllib.parse import unquote_to_bytes

from subjectline.intake.mailparse.charsets import clean, decode, decode_any

_WORD = re.compile(r"=\?([^\s?=]{1,60})\?([bBqQ])\?([^?]*)(?:\?=|\??$)")
_SPACE = re.compile(r"\s+")
_MAX_PARAMETERS = 4096
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,80})\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)
_SECTION = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")


def header_text(raw: bytes, limit: int = 4000, hint: str = "") -> str:
    """The readable text of a header's raw value, on one line, `limit` characters at most.

    `hint` is the charset of the mail's text: whoever writes bare 8-bit headers uses it there too.
    """
    text = decode_any(raw[: limit * 8], hint)
    if "=?" in text:
        text = encoded_words(text)
    return _SPACE.sub(" ", clean(text)).strip()[:limit]


def encoded_words(text: str) -> str:
    """`text` with its encoded words decoded.

    Neighbours of one charset are joined before decoding: mailers cut Korean letters in half.
    """
    out: list[str] = []
    waiting: list[tuple[str, bytes]] = []
    at = 0
    for found in _WORD.finditer(text):
        between = text[at : found.start()]
        if between.strip() or not waiting:
            out += _join(waiting), between
            waiting = []
        charset, how, payload = found.groups()
        waiting.append((charset.lower(), _payload(how.lower(), payload)))
        at = found.end()
    return "".join((*out, _join(waiting), text[at:]))


def _join(waiting: list[tuple[str, bytes]]) -> str:
    groups = groupby(waiting, key=lambda word: word[0])
    return "".join(
        decode(b"".join(data for _, data in group), charset) for charset, group in groups
    )


def _payload(how: str, payload: str) -> bytes:
    data = payload.encode("utf-8", "replace")
    if how == "q":
        return binascii.a2b_qp(data.replace(b" ", b"_"), header=True)
    return loose_base64(data)


def loose_base64(data: bytes) -> bytes:
    """Base64 with bad padding, junk between, or several pieces glued together."""
    pieces = [piece for piece in data.split(b"=") if piece]
    return b"".join(_piece(piece) for piece in pieces)


def _piece(piece: bytes) -> bytes:
    letters = piece.translate(None, _NOT_BASE64)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return base64.b64decode(letters + b"=" * (-len(letters) % 4))


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(byte for byte in range(256) if byte not in _ALPHABET)


def parameters(raw: bytes) -> tuple[str, dict[str, str]]:
    """A structured header's value (lower case) and its parameters, decoded (RFC 2045, 2231)."""
    text = decode_any(raw[:_MAX_PARAMETERS])
    value, _, rest = text.partition(";")
    found: dict[str, list[tuple[int, bool, str]]] = {}
    for name, content in _PARAMETER.findall(";" + rest):
        section = _SECTION.fullmatch(name.lower())
        if section:
            number = int(section[2] or 0)
            found.setdefault(section[1], []).append((number, bool(section[3]), _unquote(content)))
    return value.strip().strip("\"'").lower(), {
        name: _value(parts) for name, parts in found.items()
    }


def _unquote(content: str) -> str:
    content = content.strip()
    if len(content) > 1 and content[0] == content[-1] == '"':
        # Windows paths come with single backslashes; only quoted quotes are unescaped.
        return content[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return content.strip('"')


def _value(parts: list[tuple[int, bool, str]]) -> str:
    parts.sort(key=lambda part: part[0])
    if not any(extended for _, extended, _ in parts):
        return encoded_words("".join(content for _, _, content in parts))
    charset, data = "", b""
    for index, (_, extended, content) in enumerate(parts):
        if index == 0 and extended and content.count("'") >= 2:
            charset, _, content = content.split("'", 2)
        data += unquote_to_bytes(content) if extended else content.encode("utf-8", "replace")
    return decode(data, charset or "utf-8")
