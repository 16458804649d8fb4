"""Links to the pages of a request, opened by a member's browser."""

from collections.abc import Awaitable, Callable

import pytest
from browsers import Browser
from desks import Office

from subjectline.handlers import links

OpenPage = Callable[..., Awaitable[str]]


async def page_of(office: Office, purpose: str, request_id: int = 0) -> str:
    """The path of a new link to the newest request, or to this one."""
    number = request_id or (await office.request()).id or 0
    async with office.desk.write() as session:
        return "/m/" + await links.make(session, office.desk, number, purpose)


@pytest.fixture
def open_page(pages: Browser, office: Office) -> OpenPage:
    """`await open_page(purpose)` presses the button of a new link; gives the page's path."""

    async def press(purpose: str, request_id: int = 0) -> str:
        path = await page_of(office, purpose, request_id)
        await pages.get(path)
        await pages.post(path)
        return path

    return press
