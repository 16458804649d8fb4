"""The sandbox's IMAP4rev1 server: what the desk's own door asks, and a mail program's first look."""

import asyncio
from collections.abc import Sequence

from subjectline.intake.sandbox.imap.session import Session
from subjectline.intake.sandbox.imap.store import Account
from subjectline.intake.sandbox.imap.wire import MAX_LINE
from subjectline.models.clock import Clock

CAPABILITIES = ("IMAP4rev1", "LITERAL+", "IDLE", "MOVE", "UIDPLUS", "UNSELECT")


class ImapServer:
    """Serves one account on a loopback port of its own choosing."""

    def __init__(
        self, account: Account, clock: Clock, capabilities: Sequence[str] = CAPABILITIES
    ) -> None:
        self.account, self.clock, self.capabilities = account, clock, tuple(capabilities)
        self.port = 0
        self._server: asyncio.Server | None = None
        self._sessions: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MAX_LINE)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection; leaves no task behind."""
        if self._server is not None:
            self._server.close()
            await self.drop_connections()
            await self._server.wait_closed()
            self._server = None

    async def drop_connections(self) -> None:
        """Cut every line at once, as a failing network does."""
        tasks = dict(self._sessions)
        for task, writer in tasks.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions[task] = writer
        session = Session(self.account, self.clock, self.capabilities, reader, writer)
        try:
            await session.run()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client is gone, or the server stops
        finally:
            session.leave()
            writer.close()
            del self._sessions[task]
