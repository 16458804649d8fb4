"""Tells whoever waits that something in the emulator's world is different now."""

import asyncio


class Changes:
    """A counter that can be awaited. One event loop only."""

    def __init__(self) -> None:
        self.version = 0
        self._event = asyncio.Event()

    def note(self) -> None:
        """Something changed: everyone who waits wakes up and looks again."""
        self.version += 1
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def after(self, version: int, timeout: float | None = None) -> int:
        """Wait until the version is above `version`, at most `timeout` seconds; return the version then."""
        try:
            async with asyncio.timeout(timeout):
                while self.version <= version:
                    await self._event.wait()
        except TimeoutError:
            pass
        return self.version
