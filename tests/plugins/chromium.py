"""A real browser at the desk's pages: Chromium, driven over a loopback port that Uvicorn serves."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import uvicorn
from browsers import PASSWORD
from playwright.async_api import Page, async_playwright
from servers import find
from starlette.types import ASGIApp

DESKTOP, PHONE = (1280, 900), (375, 812)
AXE = Path(__file__).resolve().parent.parent / "vendor" / "axe-core" / "axe.min.js"
# WCAG 2.2 AA and what axe calls good practice.
_RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.flatMap(
  (found) => found.nodes.map((node) => `${found.id}: ${node.target.join(" ")}`))"""


@asynccontextmanager
async def on_screen(
    app: ASGIApp, size: tuple[int, int] = DESKTOP, language: str = "ko-KR"
) -> AsyncIterator[Page]:
    """An empty page whose addresses lead to this application. Skips where there is no Chromium."""
    program = find("chromium", "chromium")
    async with served(app) as root, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        context = await browser.new_context(
            base_url=root, locale=language, viewport={"width": size[0], "height": size[1]}
        )
        try:
            yield await context.new_page()
        finally:
            await browser.close()


async def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    await page.goto("/sign-in")
    await page.fill("[name=login]", login)
    await page.fill("[name=password]", password)
    await page.press("[name=password]", "Enter")
    await page.wait_for_url("**/queue")


async def violations(page: Page) -> list[str]:
    """What axe-core finds on the page as it stands: `rule: element`, nothing where it is good."""
    await page.evaluate(_axe())
    found: list[str] = await page.evaluate(_RUN)
    return found


@cache
def _axe() -> str:
    """The program, whose last value a page could not hand back."""
    return AXE.read_text(encoding="utf-8") + ";0"


async def sideways(page: Page) -> int:
    """By how many pixels the page is wider than the screen."""
    wider: int = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wider


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """The application on a free loopback port of this event loop; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task
