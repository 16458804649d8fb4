"""Words on the server's side of the IMAP line: commands read, answers written. RFC 3501."""

import asyncio
import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from datetime import datetime

from subjectline.intake.imap.wire import MONTHS
from subjectline.models.errors import BadInput

MAX_LINE = 64 * 1024
MAX_LITERAL = 64 * 1024 * 1024

Token = str | bytes | list["Token"]

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}$")
_TOKEN = re.compile(
    rb'\s*(?:(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\]|\\.)*)"'
    rb"|(?P<atom>[^\s()\"\[\]]*\[[^\]]*\](?:<[\d.]+>)?|[^\s()\"]+))"
)
_SECTION = re.compile(
    r"BODY(?P<peek>\.PEEK)?\[(?P<part>[^\]]*)\](?:<(?P<start>\d+)\.(?P<length>\d+)>)?",
    re.IGNORECASE,
)


async def read_command(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[Token]:
    """One command as tokens: words as str, literals as bytes, parentheses as lists; [] at the end.

    Raises BadInput for what is no command, or one that is too long.
    """
    flat: list[bytes | tuple[bytes]] = []
    while True:
        line = await _line(reader)
        literal = _LITERAL.search(line)
        if literal is None:
            flat.append(line)
            return _nest(flat)
        size = int(literal.group(1))
        if size > MAX_LITERAL:
            raise BadInput("this literal is too long")
        if not literal.group(2):
            writer.write(b"+ go ahead\r\n")
        flat += [line[: literal.start()], (await reader.readexactly(size),)]


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\n")).rstrip(b"\r\n")
    except asyncio.LimitOverrunError:
        raise BadInput("this line is too long") from None


def _nest(parts: Sequence[bytes | tuple[bytes]]) -> list[Token]:
    stack: list[list[Token]] = [[]]
    for part in parts:
        if isinstance(part, tuple):
            stack[-1].append(part[0])
            continue
        for match in _TOKEN.finditer(part):
            _place(stack, match)
    if len(stack) != 1:
        raise BadInput("a parenthesis is missing")
    return stack[0]


def _place(stack: list[list[Token]], match: re.Match[bytes]) -> None:
    if match["open"]:
        stack.append([])
    elif match["close"]:
        if len(stack) == 1:
            raise BadInput("a parenthesis too many")
        done = stack.pop()
        stack[-1].append(done)
    else:
        quoted = match["quoted"]
        word = match["atom"] if quoted is None else re.sub(rb"\\(.)", rb"\1", quoted)
        stack[-1].append(word.decode("utf-8", "replace"))


def text(token: Token) -> str:
    """A token as text. Raises BadInput for a list."""
    if isinstance(token, list):
        raise BadInput("a word was expected here")
    return token if isinstance(token, str) else token.decode("utf-8", "replace")


def bearer(response: bytes) -> str:
    """The user in the initial response of XOAUTH2 or OAUTHBEARER; "" where there is none."""
    found = re.search(r"(?:^user=|^n,a=)([^,\x01]+)", _plain(response))
    return found[1].replace("=2C", ",").replace("=3D", "=") if found else ""


def token_in(response: bytes) -> str:
    """The access token in it; "" where there is none."""
    found = re.search(r"\x01auth=Bearer ([!-~]+)\x01\x01", _plain(response))
    return found[1] if found else ""


def _plain(response: bytes) -> str:
    try:
        return b64decode(response.strip(), validate=True).decode("utf-8", "replace")
    except ValueError:
        return ""


def words(token: Token) -> list[str]:
    """A token as a list of words, whether it stands in parentheses or alone."""
    return [text(item) for item in token] if isinstance(token, list) else [text(token)]


def numbers(spec: str, known: Sequence[int]) -> list[int]:
    """The members of `known` (ascending) that a set such as `1:5,7,9:*` names."""
    if not known:
        return []
    wanted: set[int] = set()
    for piece in spec.split(","):
        low, _, high = piece.partition(":")
        ends = sorted(_end(word, known[-1]) for word in (low, high or low))
        wanted.update(number for number in known if ends[0] <= number <= ends[1])
    return [number for number in known if number in wanted]


def _end(word: str, last: int) -> int:
    if word == "*":
        return last
    if not word.isascii() or not word.isdigit():
        raise BadInput("this is no set of numbers")
    return int(word)


def internal_date(at: datetime) -> bytes:
    """`at` (aware) as an INTERNALDATE, quoted."""
    month = MONTHS[at.month - 1].capitalize()
    return f'"{at.day:2d}-{month}-{at:%Y %H:%M:%S %z}"'.encode()


def section(item: str, raw: bytes) -> tuple[bytes, bool] | None:
    """`BODY[…]` of a mail as it goes into the answer, and whether it marks the mail as seen."""
    match = _SECTION.fullmatch(item)
    if match is None:
        return None
    part = match["part"].upper()
    head, separator, body = raw.partition(b"\r\n\r\n")
    parts = {"": raw, "HEADER": head + separator, "TEXT": body}
    if part not in parts:
        raise BadInput("this server has no such part")
    content, origin = parts[part], ""
    if match["start"]:
        start = int(match["start"])
        content, origin = content[start : start + int(match["length"])], f"<{start}>"
    name = f"BODY[{part}]{origin} {{{len(content)}}}\r\n".encode()
    return name + content, not match["peek"]


def flag_list(flags: Iterable[str]) -> bytes:
    return f"({' '.join(sorted(flags))})".encode()
