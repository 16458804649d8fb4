"""Every form of both applications, sent from another site or without its page's token: nothing happens.

The addresses come from the applications themselves, so that a new form is tried as well.
"""

import re

import pytest
from browsers import Browser
from desks import MakeDesk, Office
from fastapi import FastAPI

from subjectline.intake.console import create_console
from subjectline.intake.pages import create_pages

FROM = {
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
    "same-site": {"Sec-Fetch-Site": "same-site"},
    "origin": {"Origin": "https://evil.test"},
}
BACK = "/m/mobile/back"  # the provider's site posts here; the result is signed (test_mobile.py)


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    """One database is enough: nothing is written."""
    return await make_desk()


def forms(app: FastAPI) -> list[str]:
    """The addresses that take a form, with something in the place of their names."""
    paths = app.openapi()["paths"].items()
    return [re.sub(r"\{[^}]+\}", "x1", path) for path, ways in paths if "post" in ways]


def comes_from(browser: Browser, where: str) -> None:
    """From now on the browser says of its forms that another site has sent them."""
    for name in ("Origin", "Sec-Fetch-Site"):
        browser.http.headers.pop(name, None)
    browser.http.headers.update(FROM[where])


@pytest.mark.parametrize("where", FROM)
async def test_no_form_of_the_console_is_taken(
    console: Browser, staffed: Office, where: str
) -> None:
    paths = forms(create_console(staffed.desk))
    token = console.hidden("/sign-out")
    comes_from(console, where)
    answers = {path: (await console.http.post(path, data=token)).status_code for path in paths}
    assert len(answers) > 30 and {p: s for p, s in answers.items() if s != 403} == {}


async def test_nor_one_without_its_token(console: Browser, staffed: Office) -> None:
    paths = [p for p in forms(create_console(staffed.desk)) if p != "/sign-in"]
    answers = {path: (await console.http.post(path)).status_code for path in paths}
    assert {path: status for path, status in answers.items() if status != 403} == {}


@pytest.mark.parametrize("where", FROM)
async def test_no_form_of_a_member_is_taken(pages: Browser, office: Office, where: str) -> None:
    paths = [path for path in forms(create_pages(office.desk)) if path != BACK]
    comes_from(pages, where)
    answers = {path: (await pages.http.post(path)).status_code for path in paths}
    assert len(answers) > 8 and {p: s for p, s in answers.items() if s not in (403, 410)} == {}
