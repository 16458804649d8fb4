"""Bytes to a tree of parts (RFC 5322, RFC 2045 to 2049), for well-formed mail and for the rest.

Our own, and not `email.feedparser`: that one reads line by line (a fifth of the speed), recurses
once per nesting and checks every line against every open boundary, so a mail of nested multiparts
stops it. Parts here are slices, so an attached mail comes out byte for byte.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from subjectline.intake.mailparse.charsets import decode_any
from subjectline.intake.mailparse.unpack import Piece, inline_files, signed_content, tnef
from subjectline.intake.mailparse.words import header_text, loose_base64, parameters

MAX_DEPTH = 20
MAX_PARTS = 500
_MAX_HEADERS = 1000
_MAX_LINE = 65_536

_NAME = re.compile(rb"([!-9;-~]{1,100})[ \t]*:")
# Seen after a line that is no header, they say that the header goes on (a fold without its blank).
_TRANSPORT = re.compile(
    rb"(?:content-[a-z-]+|mime-version|message-id|received|dkim-signature|references|in-reply-to"
    rb"|return-path|delivered-to|authentication-results|x-[a-z-]+)[ \t]*:",
    re.IGNORECASE,
)
_ADDRESSING = re.compile(rb"(from|to|cc|date|subject|reply-to)[ \t]*:", re.IGNORECASE)
_GUESS = re.compile(rb"(?:^|\n)--([^\s]{1,200})[ \t]*\n(?=[Cc]ontent-|\n)")
_ENCODED_LINE = re.compile(rb"[A-Za-z0-9+/=\s]*\Z")
_MAILS = frozenset({"message/rfc822", "message/global", "message/news"})
SIGNED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_SENTENCE = re.compile(rb"(?:[A-Za-z]{1,20} {1,2}){4}[A-Za-z]{1,20}[ \n]")
_WITH_CONTENT = re.compile(rb"content-(?:type|transfer-encoding)[ \t]*:", re.IGNORECASE)


class Headers:
    """The header fields of one part, in order, values raw and unfolded."""

    __slots__ = ("_first", "hint", "items")

    def __init__(self, items: list[tuple[str, bytes]]) -> None:
        self.items = items
        self.hint = ""  # charset of the text below, for bare 8-bit fields
        self._first: dict[str, bytes] = {}
        for name, value in items:
            self._first.setdefault(name, value)

    def raw(self, name: str) -> bytes:
        return self._first.get(name, b"")

    def text(self, name: str, limit: int = 4000) -> str:
        value = self._first.get(name)
        return header_text(value, limit, self.hint) if value else ""

    def all(self, name: str) -> list[bytes]:
        return [value for key, value in self.items if key == name]

    def __contains__(self, name: str) -> bool:
        return name in self._first


@dataclass(slots=True)
class Part:
    headers: Headers
    body: bytes  # as sent, still in its transfer encoding
    type: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict)
    disposition: str = ""
    filename: str = ""
    children: list["Part"] = field(default_factory=list)
    preamble: bytes = b""
    defects: list[str] = field(default_factory=list)

    @property
    def charset(self) -> str:
        return self.parameters.get("charset", "")

    def content(self) -> bytes:
        """The body out of its transfer encoding."""
        encoding = self.headers.raw("content-transfer-encoding")
        return (
            decoded(self.body, encoding, self.type.startswith("text/")) if encoding else self.body
        )

    def walk(self) -> Iterator["Part"]:
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting += reversed(part.children)


@dataclass(slots=True)
class _Budget:
    parts: int = MAX_PARTS


def read(raw: bytes) -> Part:
    """The tree of parts of `raw`. Never raises; what has no form is one text part."""
    root = _read(one_newline(raw), MAX_DEPTH, _Budget(), top=True)
    root.headers.hint = next((part.charset for part in root.walk() if part.charset), "")
    return root


def one_newline(raw: bytes) -> bytes:
    """CRLF, CR CR LF and, where there is no other, lone CR as LF."""
    if b"\r" not in raw:
        return raw
    raw = raw.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n")
    return raw if b"\n" in raw else raw.replace(b"\r", b"\n")


def _read(raw: bytes, depth: int, budget: _Budget, *, top: bool = False, kind: str = "") -> Part:
    headers, body, tidy = _split(raw, top)
    part = Part(headers, body)
    if not tidy:
        part.defects.append("no line between header and body")
    _describe(part, kind)
    budget.parts -= 1
    if depth > 0 and budget.parts > 0:
        _descend(part, depth, budget)
    return part


def _describe(part: Part, kind: str) -> None:
    value, part.parameters = parameters(part.headers.raw("content-type"))
    part.type = value if "/" in value else _known_as(value) or kind or "text/plain"
    disposition, details = parameters(part.headers.raw("content-disposition"))
    part.disposition = disposition
    part.filename = details.get("filename", "") or part.parameters.get("name", "")


def _known_as(value: str) -> str:
    """`Content-Type: text` of RFC 1049's time, `html` of broken scripts."""
    return {"text": "text/plain", "html": "text/html", "plain": "text/plain"}.get(value, "")


def _descend(part: Part, depth: int, budget: _Budget) -> None:
    if part.type.startswith("multipart/"):
        _open_multipart(part, depth, budget)
    elif part.type in _MAILS or _first_half(part):
        part.children = [_read(part.content().lstrip(b"\n"), depth - 1, budget)]
    elif part.type in SIGNED:
        _open_signed(part, depth, budget)
    elif part.type in _TNEF or part.filename.lower() == "winmail.dat":
        _open_tnef(part)
    elif part.type == "text/plain":
        if b"\n--" in b"\n" + part.body[:2] and depth == MAX_DEPTH:
            _open_unnamed(part, depth, budget)
        elif b"begin " in part.body:
            _take_files_out(part)


def _first_half(part: Part) -> bool:
    """Of a mail that was sent in pieces, the one that has its header (RFC 2046, 5.2.2)."""
    return part.type == "message/partial" and part.parameters.get("number", "") == "1"


def _open_signed(part: Part, depth: int, budget: _Budget) -> None:
    inner = signed_content(part.content())
    if inner:
        part.children = [_read(one_newline(inner), depth - 1, budget)]


def _open_tnef(part: Part) -> None:
    """Outlook's own wrapping: text and files of a winmail.dat, which itself stays an attachment."""
    found = tnef(part.content())
    if found.html:
        part.children.append(Part(Headers([]), found.html, "text/html"))
    elif found.text:
        part.children.append(Part(Headers([]), found.text))
    part.children += map(_file, found.files)
    if part.children:
        part.type = "application/ms-tnef"


def _file(piece: Piece) -> Part:
    name = decode_any(piece.name)
    return Part(Headers([]), piece.content, "application/octet-stream", filename=name or "file")


def _take_files_out(part: Part) -> None:
    """Files that stand uuencoded or yEnc-coded in the text, beside it."""
    text, files = inline_files(part.content())
    if files:
        plain = Part(Headers([]), text, part.type, part.parameters)
        part.type, part.children = "multipart/mixed", [plain, *map(_file, files)]


def _open_multipart(part: Part, depth: int, budget: _Budget) -> None:
    body = part.body
    if b"\n--" not in b"\n" + body and part.headers.raw("content-transfer-encoding"):
        body = part.content()  # an encoded multipart is forbidden, and sent
    named = part.parameters.get("boundary", "").encode("utf-8", "replace")
    pieces = _pieces(body, named) if named else []
    if len(pieces) < 2:
        pieces = _guessed(body)
        part.defects.append("boundary missing or wrong")
    if len(pieces) < 2:
        part.type = "text/html" if b"<html" in body[:2000].lower() else "text/plain"
        return
    kind = "message/rfc822" if part.type == "multipart/digest" else ""
    part.preamble = pieces[0]
    for piece in pieces[1:]:
        if budget.parts <= 0:
            part.defects.append("too many parts")
            break
        if piece.strip():
            part.children.append(_read(piece, depth - 1, budget, kind=kind))


def _open_unnamed(part: Part, depth: int, budget: _Budget) -> None:
    """A body of parts under a header that lost its Content-Type."""
    found = _GUESS.match(part.body)
    if not found or not _WITH_CONTENT.search(part.body[:4000]):
        return
    part.type, part.parameters["boundary"] = "multipart/mixed", found[1].decode("latin-1")
    part.defects.append("content type missing")
    _open_multipart(part, depth, budget)


def _guessed(body: bytes) -> list[bytes]:
    found = _GUESS.search(body[:_MAX_LINE])
    return _pieces(body, found[1]) if found else []


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    """The preamble and every part between the delimiter lines; what follows the last one is left."""
    mark = b"\n--" + boundary.strip()
    body = b"\n" + body
    pieces: list[bytes] = []
    start, closed, at = 0, False, body.find(mark)
    while at >= 0:
        end = body.find(b"\n", at + 1)
        end = len(body) if end < 0 else end
        tail = body[at + len(mark) : end].strip()
        if tail in (b"", b"--"):
            if not closed:
                pieces.append(body[start:at].removeprefix(b"\n"))
            start, closed = end, tail == b"--"
        at = body.find(mark, max(end, at + 1))
    if pieces and not closed:
        pieces.append(body[start:].removeprefix(b"\n"))  # cut off, or the closing line is missing
    return pieces


def _split(raw: bytes, top: bool) -> tuple[Headers, bytes, bool]:
    """Header fields, body, and whether an empty line stood between them."""
    if top:
        raw = raw.lstrip(b"\n \t\x00").removeprefix(b"\xef\xbb\xbf")
        if raw.startswith((b"From ", b">From ")):  # mbox
            raw = raw[raw.find(b"\n") + 1 :] if b"\n" in raw else b""
    if raw.startswith(b"\n"):
        return Headers([]), raw[1:], True
    return _fields(raw)


def _fields(raw: bytes) -> tuple[Headers, bytes, bool]:
    items: list[tuple[str, bytes]] = []
    at, size = 0, len(raw)
    while at < size and len(items) < _MAX_HEADERS:
        end = raw.find(b"\n", at)
        end = size if end < 0 else end
        line = raw[at:end]
        named = _NAME.match(line)
        if not line.strip():
            if not (line and _was_a_fold(raw, end, items)):
                return Headers(items), raw[end + 1 :], True
        elif named:
            items.append((named[1].decode("ascii").lower(), line[named.end() :].strip()))
        elif items and (line[:1] in b" \t" or _goes_on(raw, end, items)):
            name, value = items[-1]
            if len(value) < _MAX_LINE:
                items[-1] = (name, value + b" " + line.strip())
        else:
            return Headers(items), raw[at:], False
        at = end + 1
    return Headers(items), raw[at:], False


def _was_a_fold(raw: bytes, end: int, items: list[tuple[str, bytes]]) -> bool:
    """Whether a line of blanks, which is no empty line, stood inside the header."""
    if _TRANSPORT.match(raw, end + 1):
        return True
    return raw[end + 1 : end + 2] in (b" ", b"\t") and _goes_on(raw, end, items)


def _goes_on(raw: bytes, end: int, items: list[tuple[str, bytes]]) -> bool:
    """Whether header fields still follow a line that is none."""
    for line in raw[end + 1 : end + 2000].split(b"\n")[:3]:
        if not line:
            return False
        addressing = _ADDRESSING.match(line)
        if addressing:
            return all(name != addressing[1].decode().lower() for name, _ in items)
        if _TRANSPORT.match(line):
            return True
    return False


_PADDED = re.compile(rb"=[ \t]+(?=\r?\n)")  # a soft line break that a relay put blanks behind
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def decoded(body: bytes, encoding: bytes, is_text: bool) -> bytes:
    """`body` out of its transfer encoding; a name that lies changes nothing."""
    name = encoding.split(b";")[0].strip().lower().strip(b"\"'")
    if name in (b"base64", b"b", b"base-64", b"base64."):
        return _base64(body, is_text)
    if name in (b"quoted-printable", b"q", b"quoted_printable", b"quotedprintable"):
        return binascii.a2b_qp(_PADDED.sub(b"=", body) if b"= " in body or b"=\t" in body else body)
    if name in (b"x-uuencode", b"uuencode", b"x-uue", b"uue"):
        return _uuencoded(body)
    return body


def _base64(body: bytes, is_text: bool) -> bytes:
    if is_text and _SENTENCE.match(body.lstrip()[:2000]):
        return body  # words and blanks: never encoded at all
    if _ENCODED_LINE.match(body) or not is_text:
        return loose_base64(body)
    lines = body.split(b"\n")
    good = next((i for i, line in enumerate(lines) if not _is_base64(line)), len(lines))
    if not any(line.strip() for line in lines[:good]):
        return _if_text(loose_base64(body.translate(_URL_SAFE)), body)
    # A list server's footer in plain text after the encoded lines.
    return loose_base64(b"".join(lines[:good])) + b"\n" + b"\n".join(lines[good:])


def _if_text(found: bytes, body: bytes) -> bytes:
    """With junk between, or the letters of links: what comes out is sensible, or it was never encoded."""
    try:
        text = found.decode("utf-8")
    except UnicodeDecodeError:
        return body
    return found if len(text) >= 8 and text.replace("\n", "").isprintable() else body


def _is_base64(line: bytes) -> bool:
    line = line.strip()
    return bool(_ENCODED_LINE.match(line)) and b" " not in line


def _uuencoded(body: bytes) -> bytes:
    out = []
    for line in body.split(b"\n"):
        if line.startswith((b"begin ", b"end", b"`")) or not line.strip():
            continue
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            continue
    return b"".join(out)
