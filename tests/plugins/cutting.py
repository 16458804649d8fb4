"""A line to a server that breaks once, after so many bytes in one direction."""

import asyncio
from contextlib import suppress


class CutLine:
    """Passes bytes both ways and counts them; `went` and `came` are of all connections together."""

    def __init__(self, port: int) -> None:
        self.target, self.port = port, 0
        self.went = self.came = self.cuts = 0
        self._left = {True: -1, False: -1}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut_after(self, count: int, *, there: bool) -> None:
        """Break once so many more bytes have gone to the server (`there`) or come from it."""
        self._left[there] = count

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self._break()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def quiet(self, seconds: float = 5) -> None:
        """Wait until no connection is open: who used them has let them go."""
        async with asyncio.timeout(seconds):
            while self._tasks:
                await asyncio.wait(set(self._tasks))

    def _break(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._note(task)
        self._writers.add(writer)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers |= {writer, far_writer}
        for work in (self._pass(reader, far_writer, True), self._pass(far_reader, writer, False)):
            self._note(asyncio.create_task(work))

    def _note(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                left = self._left[there]
                if 0 <= left <= len(data):
                    self._left[there] = -1
                    writer.write(data[:left])
                    await self._cut(writer)
                    return
                self._left[there] = left - len(data) if left >= 0 else left
                self.went, self.came = (
                    self.went + there * len(data),
                    self.came + (not there) * len(data),
                )
                writer.write(data)
                await writer.drain()
        writer.close()
        self._writers.discard(writer)

    async def _cut(self, writer: asyncio.StreamWriter) -> None:
        """What was let through arrives; nothing else does, in either direction."""
        self.cuts += 1
        with suppress(OSError):
            await writer.drain()
        await asyncio.sleep(0)
        self._break()
        self._writers.clear()


async def settled(before: set[asyncio.Task[object]], seconds: float = 2) -> None:
    """Wait until no other tasks are left than these; asyncio ends those of an accepted line itself."""
    async with asyncio.timeout(seconds):
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left, timeout=0.05)
