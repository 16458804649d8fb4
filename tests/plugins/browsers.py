"""Browsers at the desk's pages: httpx over ASGI, with cookies, redirects and the token of each form."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from html import unescape
from re import findall, search

import httpx
import pytest
from argon2 import PasswordHasher
from desks import Office, code_in
from fastapi import FastAPI
from sqlmodel import col, select

from subjectline.handlers import agents
from subjectline.handlers.desk import Desk
from subjectline.intake.console import create_console
from subjectline.intake.pages import create_pages
from subjectline.models.tables import Audit

PASSWORD = "four words in a row"
KO, EN = "haneul.kim@mail.test", "dana.whitfield@mail.test"


@dataclass
class Browser:
    """Keeps cookies, follows redirects, and sends a form with the tokens of the page it loaded."""

    http: httpx.AsyncClient
    page: str = ""

    async def get(self, path: str, **query: str) -> httpx.Response:
        response = await self.http.get(path, params=query or None)
        self.page = response.text
        return response

    async def post(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Sends a form: what is given, and the hidden boxes of the page that go to this address."""
        response = await self.http.post(path, data={**self.hidden(path), **fields})
        self.page = response.text
        return response

    def hidden(self, path: str) -> dict[str, str]:
        """The hidden boxes of the form for an address, on the page that was loaded last."""
        form = search(rf'<form[^>]*action="{path}"[^>]*>.*?</form>', unescape(self.page), 16)
        boxes = r'type="hidden" name="([^"]+)" value="([^"]*)"'
        return dict(findall(boxes, form[0])) if form else {}

    async def sign_in(self, login: str, password: str = PASSWORD) -> httpx.Response:
        await self.get("/sign-in")
        return await self.post("/sign-in", login=login, password=password)


def browser(app: FastAPI, language: str = "ko") -> Browser:
    """A browser that asks for pages in one language."""
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
        base_url="https://privacy.moment-pick.example",
        headers={"Accept-Language": language, "Origin": "null", "Sec-Fetch-Site": "same-origin"},
        follow_redirects=True,
    )
    return Browser(client)


_apps: dict[str, FastAPI] = {}


def app_of(make: Callable[[Desk], FastAPI], desk: Desk) -> FastAPI:
    """An application for a desk, with the routes of the one before: they cost more than a page.

    What an application has of its desk stands in its state. Only one desk at a time is served.
    """
    made = make(desk)
    kept = _apps.setdefault(make.__name__, made)
    kept.state = made.state
    return kept


async def asks(office: Office, sender: str, words: str, subject: str = "") -> str:
    """A member asks by mail and answers with the code; returns the newest reference."""
    await office.mail(sender, words, subject)
    letter = office.last(sender)
    await office.mail(sender, code_in(letter), answers=letter)
    return (await office.request()).reference


async def actions(office: Office) -> list[str]:
    """What the audit says was done, in order."""
    async with office.desk.db.read() as session:
        return list(await session.exec(select(Audit.action).order_by(col(Audit.id))))


CHEAP = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)


@pytest.fixture
async def staffed(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The desk with two agents who have passwords, hashed at less cost than the real ones."""
    monkeypatch.setattr(agents, "_hasher", lambda: CHEAP)
    await agents.add(office.desk, "bora", "한보라", PASSWORD)
    await agents.add(office.desk, "kim", "Kim Larsen", PASSWORD, language="en")
    return office


@pytest.fixture
async def console(staffed: Office) -> AsyncIterator[Browser]:
    """The first agent, signed in, in Korean."""
    made = browser(app_of(create_console, staffed.desk))
    await made.sign_in("bora")
    yield made
    await made.http.aclose()


@pytest.fixture
async def second(staffed: Office) -> AsyncIterator[Browser]:
    """The second agent, signed in, in English."""
    made = browser(app_of(create_console, staffed.desk), "en")
    await made.sign_in("kim")
    yield made
    await made.http.aclose()


@pytest.fixture
async def stranger(staffed: Office) -> AsyncIterator[Browser]:
    """Somebody at the console who has not signed in."""
    made = browser(app_of(create_console, staffed.desk))
    yield made
    await made.http.aclose()


@pytest.fixture
async def pages(office: Office) -> AsyncIterator[Browser]:
    """A member's browser."""
    made = browser(app_of(create_pages, office.desk))
    yield made
    await made.http.aclose()
