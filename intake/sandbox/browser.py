"""A very small browser: loads our pages, finds their forms, sends them. The agents of the stories use it.

So a story signs in and approves on the very forms that people use, and fails if one is missing.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from subjectline.models.errors import NotPermitted, Refused

BUTTONLESS = frozenset({"submit", "button", "image", "reset"})


@dataclass
class Form:
    """One form of a page: where it goes and what stands in it."""

    action: str
    method: str = "get"
    values: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").lower())
            self.found.append(self._open)
        elif tag == "input" and self._open is not None and given.get("name"):
            self._input(self._open, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def _input(self, form: Form, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        chosen = kind not in ("radio", "checkbox") or "checked" in given
        if chosen and kind not in BUTTONLESS:
            form.values[given["name"]] = given.get("value", "")


def forms(html: str) -> list[Form]:
    """The forms of a page with the values that stand in their inputs."""
    parser = _Forms()
    parser.feed(html)
    return parser.found


class Browser:
    """One person's browser, with its own cookies."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def load(self, path: str) -> str:
        """A page's HTML. Raises Refused where it is not there."""
        return _shown(await self._http.get(path, follow_redirects=True))

    async def status(self, path: str) -> int:
        return (await self._http.get(path, follow_redirects=True)).status_code

    async def press(self, path: str, action: str, **given: str) -> httpx.Response:
        """Loads a page and sends the form whose action ends so, with what is given typed into it.

        Raises Refused where the page has no such form.
        """
        page = await self.load(path)
        for form in forms(page):
            if form.method == "post" and form.action.endswith(action):
                data: dict[str, Any] = {**form.values, **given}
                return await self._http.post(form.action or path, data=data)
        raise Refused(f"the page has no form for {action or 'this'}", field="page")

    async def close(self) -> None:
        await self._http.aclose()


class AgentBrowser(Browser):
    """An agent at the console: signs in when the console asks for it."""

    def __init__(self, http: httpx.AsyncClient, login: str, password: str) -> None:
        super().__init__(http)
        self.login, self._password = login, password

    async def load(self, path: str) -> str:
        answer = await self._http.get(path)
        if answer.is_redirect and answer.headers["location"].startswith("/sign-in"):
            await self.sign_in()
            answer = await self._http.get(path)
        return _shown(answer)

    async def sign_in(self) -> None:
        """By the form of the console. Raises NotPermitted."""
        page = _shown(await self._http.get("/sign-in"))
        form = forms(page)[0]
        filled = {**form.values, "login": self.login, "password": self._password}
        answer = await self._http.post("/sign-in", data=filled)
        if not answer.is_redirect:
            raise NotPermitted("the console did not let the agent in", field="sign-in")

    async def approve(self, reference: str) -> None:
        """Signs the open proposal of a request, on the request's own page."""
        answer = await self.press(f"/requests/{reference}", "/approve")
        if not answer.is_redirect:
            raise Refused(f"the console answered {answer.status_code}", field="approve")


def _shown(answer: httpx.Response) -> str:
    if answer.status_code != 200:
        raise Refused(f"the page answered {answer.status_code}", field="page")
    return answer.text
