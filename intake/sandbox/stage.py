"""The stage: one world, and everybody who acts on it. Stories play on it and the page looks at it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import httpx
from sqlmodel import col, select

from subjectline.intake.sandbox.browser import AgentBrowser, Browser
from subjectline.intake.sandbox.cast import Cast
from subjectline.intake.sandbox.pulse import Pulse
from subjectline.intake.sandbox.systems import Systems
from subjectline.intake.sandbox.warehouse import Warehouse
from subjectline.models.tables import Request

if TYPE_CHECKING:
    from subjectline.intake.sandbox.world import World

Client = Callable[[], httpx.AsyncClient]


class Stage:
    """A world with its actors. `client` makes an HTTP client that reaches the desk's own address."""

    def __init__(self, world: "World", password: str, client: Client | None = None) -> None:
        self.world, self.desk = world, world.desk
        self._password = password
        self._client = client or self._loopback
        self._browsers: list[Browser] = []
        self._agents: dict[str, AgentBrowser] = {}
        self._closed = False
        self.closers: list[Callable[[], Awaitable[None]]] = []
        self.pulse = Pulse(world.mail, world.telegram, world.texts, world.desk.db)
        self.cast = Cast(world)
        self._gate_line = self._client()
        self.systems = Systems(world, self._gate_line)
        self.warehouse = Warehouse(world.desk, world.company, self.pulse.beat)

    def _loopback(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.desk.manner.public_url, timeout=20, trust_env=False)

    def agent(self, login: str) -> AgentBrowser:
        """The browser of one of the two agents; it stays signed in."""
        if login not in self._agents:
            self._agents[login] = AgentBrowser(self._client(), login, self._password)
            self._browsers.append(self._agents[login])
        return self._agents[login]

    def browser(self) -> Browser:
        """A new browser, for a member who opens a link."""
        self._browsers.append(Browser(self._client()))
        return self._browsers[-1]

    async def requests(self, member: str | None = None, limit: int = 50) -> list[Request]:
        """The newest requests, or those of one member, the newest first."""
        wanted = select(Request).order_by(col(Request.id).desc()).limit(limit)
        if member is not None:
            wanted = wanted.where(Request.subject_id == member)
        async with self.desk.db.read() as session:
            return list(await session.exec(wanted))

    async def close(self) -> None:
        """Ends everything that waits on the world, then the world itself. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        self.pulse.close()
        for close in self.closers:
            await close()
        for browser in self._browsers:
            await browser.close()
        await self._gate_line.aclose()
        await self.world.close()
