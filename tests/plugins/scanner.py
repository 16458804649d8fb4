"""A stand-in for clamd on loopback: the real INSTREAM protocol, and the ways in which it goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from subjectline.handlers.senders.clamd import EICAR
from subjectline.models.files import FileSettings


@dataclass
class FakeClamd:
    """`mode`: `well`, or what goes wrong: `half`, `silent`, `hangs_up`, `error`, `endless`."""

    mode: str = "well"
    most: int = 1_000_000  # bytes: StreamMaxLength
    seen: list[bytes] = field(default_factory=list)
    where: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            command = await reader.readuntil(b"\0")
            if command == b"zVERSION\0" and self.mode != "gone":
                writer.write(b"ClamAV 1.4.3/27800/Mon Nov 23 09:00:00 2026\0")
            elif command == b"zINSTREAM\0":
                await self._stream(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        content = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            content += await reader.readexactly(size)
            if len(content) > self.most:
                writer.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
        self.seen.append(content)
        if self.mode == "silent":
            await reader.read()  # until the other side has had enough
        answers = {
            "half": b"stream: O",
            "hangs_up": b"",
            "error": b"stream: Can't allocate memory ERROR\0",
            "endless": b"x" * 100_000,
        }
        found = b"Win.Test.EICAR_HDB-1 FOUND" if EICAR in content else b"OK"
        writer.write(answers.get(self.mode, b"stream: " + found + b"\0"))

    def settings(self, seconds: float = 5) -> FileSettings:
        return FileSettings(clamd=self.where, clamd_seconds=seconds)


@asynccontextmanager
async def fake_clamd(folder: Path | None = None, **how: str | int) -> AsyncIterator[FakeClamd]:
    """On a port of its own, or on a socket in a folder."""
    made = FakeClamd(**how)  # type: ignore[arg-type]
    if folder is None:
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
        made.where = f"tcp:127.0.0.1:{server.sockets[0].getsockname()[1]}"
    else:
        server = await asyncio.start_unix_server(made.serve, folder / "clamd.ctl")
        made.where = f"unix:{folder / 'clamd.ctl'}"
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()
