"""HTTP connections that keep us waiting are ended. uvicorn alone waits for ever: a few hundred opened by one
who then says nothing would take every descriptor that the process may have.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Prompt(HttpToolsProtocol):
    """Waits `head_seconds` for a whole head, and `body_seconds` between two pieces of a body."""

    head_seconds = 20.0
    body_seconds = 30.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            if self._timer is None:
                self._wait(self.head_seconds)
        elif self.cycle.more_body:
            self._stop()
            self._wait(self.body_seconds)
        elif self._timer is not None:
            self._stop()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.headers = []  # what trails a body is no header: a proxy has not looked at it

    def _wait(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._late)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self.flow.read_paused:  # it is we who do not read
            self._wait(self.body_seconds)
        else:
            self.transport.close()
