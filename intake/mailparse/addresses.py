"""Who wrote, to whom, and in answer to what: addresses (RFC 5322, 3.4) and message ids."""

import re
from dataclasses import dataclass
from functools import lru_cache

from subjectline.intake.mailparse.charsets import clean, decode_any
from subjectline.intake.mailparse.mime import Headers
from subjectline.intake.mailparse.words import encoded_words

_MAX_FIELD = 8192
_ORDINARY = re.compile(
    r'\s*(?:"((?:[^"\\]|\\.)*)"|([^<>",;:()\\@]*))\s*<\s*([^<>\s@,;"]{1,128}@[^<>\s@,;"]{1,255})\s*>\s*'
)
_BARE = re.compile(r"\s*([^<>\s@,;:()\"]{1,128}@[^<>\s@,;:()\"]{1,255})\s*")
_ADDRESS = re.compile(r"[^<>\s@,;:()\"\[\]]{1,128}@[^<>\s@,;:()\"\[\]]{1,255}")
_UNSAFE = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_ID = re.compile(rb"<([!-;=?-~]{1,250})>")
_BARE_ID = re.compile(rb"[!-;=?-~]{1,120}@[!-;=?-~]{1,120}")
_TOKEN = r"([A-Za-z0-9_.=-]{1,200})"
_RECIPIENTS = (
    "to",
    "cc",
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-forwarded-to",
    "resent-to",
)
_MAX_REFERENCES = 50


@dataclass(frozen=True, slots=True)
class Address:
    name: str
    value: str  # lower case; "" where there is none

    @property
    def domain(self) -> str:
        return self.value.rpartition("@")[2]


def addresses(raw: bytes, hint: str = "") -> list[Address]:
    """The addresses of a From, Sender or Reply-To field, in order; names decoded, by `hint` if bare."""
    text = decode_any(raw[:_MAX_FIELD], hint)
    ordinary = _ORDINARY.fullmatch(text)
    if ordinary:
        return [_address(ordinary[1] or ordinary[2] or "", ordinary[3])]
    bare = _BARE.fullmatch(text)
    if bare:
        return [_address("", bare[1])]
    return [found for piece in _pieces(text) if (found := _loose(piece))]


def _address(name: str, value: str) -> Address:
    name = encoded_words(name.replace('\\"', '"').replace("\\\\", "\\"))
    name = " ".join(_UNSAFE.sub("", clean(name)).split()).strip("\"' ")
    return Address(name[:200], clean(value).strip(".'").lower())


def _pieces(text: str) -> list[str]:
    """Cut at the commas and semicolons that stand in no quotes, comment or angle brackets."""
    pieces, start, quoted, depth, angle = [], 0, False, 0, False
    for at, letter in enumerate(text):
        if letter == '"' and text[at - 1 : at] != "\\" and not depth:
            quoted = not quoted
        elif not quoted and letter in "()":
            depth = max(0, depth + (1 if letter == "(" else -1))
        elif not quoted and letter in "<>":
            angle = letter == "<"
        elif letter in ",;" and not (quoted or depth or angle):
            pieces.append(text[start:at])
            start = at + 1
    return [*pieces, text[start:]]


def _loose(piece: str) -> Address | None:
    """The last address-like word; what stands before it is the name."""
    head, bracket, tail = piece.rpartition("<")
    found = _ADDRESS.search(tail.replace(" ", "") if bracket else piece)
    if not found:
        return None
    return _address(head.strip().strip('"') if bracket else "", found[0])


def message_ids(raw: bytes) -> tuple[str, ...]:
    """The distinct message ids in a field, `<…>`, printable ASCII, the last 50 of them."""
    found = _ID.findall(raw) or ([] if b"<" in raw else _BARE_ID.findall(raw))
    ids = dict.fromkeys(f"<{one.decode('ascii')}>" for one in found)
    return tuple(ids)[-_MAX_REFERENCES:]


def reply_token(headers: Headers, desk_addresses: tuple[str, ...]) -> str:
    """The TOKEN of `desk+TOKEN@…` among the recipients; "" where there is none."""
    pattern = _token_pattern(desk_addresses)
    for name, value in headers.items:
        if name in _RECIPIENTS and b"+" in value:
            found = pattern.search(value.decode("latin-1"))
            if found:
                return next(group for group in found.groups() if group)
    return ""


@lru_cache(maxsize=32)
def _token_pattern(desk_addresses: tuple[str, ...]) -> re.Pattern[str]:
    pairs = (address.rpartition("@") for address in desk_addresses if "@" in address)
    each = [
        rf"(?<![\w.+-]){re.escape(local)}\+{_TOKEN}@{re.escape(domain)}(?![\w.-]*\w)"
        for local, _, domain in pairs
    ]
    return re.compile("|".join(each) or r"(?!)", re.IGNORECASE)
