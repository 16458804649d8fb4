"""The virus scanner: clamd, by its INSTREAM command over TCP or a Unix socket.

A session is one command: `zINSTREAM\\0`, chunks of four bytes of length (network order) and data, a chunk
of length 0, and an answer that ends in a zero byte. Source: clamd(8), COMMANDS.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from subjectline.models.errors import ScannerAway
from subjectline.models.files import FileSettings
from subjectline.models.mail_settings import Finding

CHUNK = 256 * 1024
LONGEST = 4096  # bytes of an answer
_FOUND = re.compile(r"^(?:stream|instream\(\S*\)): (.{1,300}) FOUND$", re.IGNORECASE)
_CLEAN = re.compile(r"^(?:stream|instream\(\S*\)): OK$", re.IGNORECASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9._/() +-]")

Pipes = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said of one file: `clean`, `infected` (with its finding) or `failed` (with why)."""

    state: str
    finding: str = ""


class Clamd:
    """One clamd, asked over a new connection for each file."""

    def __init__(self, settings: FileSettings) -> None:
        self._settings = settings

    async def scan(self, content: bytes) -> Verdict:
        """What clamd says of `content`. Raises ScannerAway where it does not answer in time, or by half."""
        if len(content) > self._settings.clamd_max_bytes:
            return Verdict("failed", "too large to scan")
        return _verdict(await self._ask(b"zINSTREAM\0", content))

    async def version(self) -> str:
        """Its name, version and day of its signatures. Raises ScannerAway."""
        return _UNSAFE.sub("", (await self._ask(b"zVERSION\0")).replace(":", "."))[:80]

    async def doctor(self) -> Finding:
        """Whether it answers, and knows the test file that every scanner knows."""
        try:
            version = await self.version()
            seen = await self.scan(EICAR)
        except ScannerAway as away:
            return Finding(False, str(away))
        if seen.state != "infected":
            return Finding(False, "attachments: clamd answers, but does not know the EICAR file.")
        return Finding(True, f"attachments: files are scanned by {version}.")

    async def _ask(self, command: bytes, content: bytes | None = None) -> str:
        try:
            async with asyncio.timeout(self._settings.clamd_seconds), self._line() as (read, write):
                write.write(command)
                if content is not None:
                    await _send(write, content)
                return await _answer(read)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as wrong:
            raise ScannerAway(
                f"clamd does not answer ({type(wrong).__name__})",
                field="attachments.clamd",
                remedy="Start it, or correct the setting; files wait unscanned until then.",
            ) from None

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[Pipes]:
        kind, _, where = self._settings.clamd.partition(":")
        if kind == "unix":
            reader, writer = await asyncio.open_unix_connection(where, limit=LONGEST)
        else:
            host, _, port = where.rpartition(":")
            reader, writer = await asyncio.open_connection(
                host.strip("[]"), int(port), limit=LONGEST
            )
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


# The standard test file; in pieces, so that a scanner leaves this source alone.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS" + b"-TEST-FILE!$H+H*"


async def _send(writer: asyncio.StreamWriter, content: bytes) -> None:
    """The chunks. clamd answers and hangs up in the middle of one that is too much for it."""
    try:
        for at in range(0, len(content), CHUNK):
            chunk = content[at : at + CHUNK]
            writer.write(len(chunk).to_bytes(4, "big") + chunk)
            await writer.drain()
        writer.write(bytes(4))
        await writer.drain()
    except ConnectionError:
        return  # its answer may still be read


async def _answer(reader: asyncio.StreamReader) -> str:
    try:
        answer = await reader.readuntil(b"\0")
    except asyncio.LimitOverrunError as long:
        raise ValueError("an answer without an end") from long
    return answer.rstrip(b"\0").decode("utf-8", "replace").strip()


def _verdict(answer: str) -> Verdict:
    if _CLEAN.match(answer):
        return Verdict("clean")
    if found := _FOUND.match(answer):
        return Verdict("infected", _UNSAFE.sub("", found[1])[:120])
    if "size limit exceeded" in answer.lower():
        return Verdict("failed", "too large to scan")
    return Verdict("failed", "the scanner reported an error")
