"""A proof by mobile phone through the pages and the sandbox's provider, as a browser goes the way."""

from dataclasses import replace
from re import search
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from browsers import KO, Browser, browser
from desks import ACCESS, MakeDesk, Office
from page_links import OpenPage
from starlette.applications import Starlette

from subjectline.intake.pages import create_pages
from subjectline.intake.sandbox import mobile_provider
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import Request

BASE = "https://provider.test"


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    made = await make_desk()
    made.desk = replace(made.desk, mobile=mobile_provider.settings(BASE))
    await made.mail("somebody@elsewhere.test", ACCESS)
    return made


async def at_provider(office: Office, address: str, **bent: str) -> dict[str, str]:
    """The provider's two pages; gives the form that it lets the browser post back."""
    stage: Any = SimpleNamespace(desk=office.desk, cast=SimpleNamespace(now={"ko": KO_MEMBER}))
    app = Starlette(routes=mobile_provider.routes(stage))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as http:
        asked = Browser(http)
        page = await asked.get(address.removeprefix(BASE))
        assert page.status_code == 200 and KO_MEMBER.name in page.text
        seen = {n: value(page.text, n) for n in ("nonce", "back", "name", "birth", "phone")}
        done = await http.post(mobile_provider.PATH, data=seen | bent)
    return {name: value(done.text, name) for name in ("result", "signature")}


def value(page: str, name: str) -> str:
    found = search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def link_out(page: str) -> str:
    found = search(rf'href="({BASE}[^"]+)"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


async def start(pages: Browser, open_page: OpenPage) -> str:
    path = await open_page("code")
    assert f'href="{path}/mobile"' in pages.page
    told = await pages.get(f"{path}/mobile")
    assert "직접 하신 요청이 아니" in told.text
    return link_out((await pages.post(f"{path}/mobile")).text)


async def test_out_and_back_in_one_browser(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    form = await at_provider(office, await start(pages, open_page))
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": BASE}
    back = await pages.http.post("/m/mobile/back", data=form, headers=elsewhere)
    assert "한 단계 남았습니다" in back.text and KO_MEMBER.name not in back.text
    assert (await office.request()).subject_id is None
    done = await pages.http.post(back.url.path)
    assert "본인 확인이 끝났습니다" in done.text
    request = await office.request()
    assert (request.level, request.subject_id) == ("contact", KO_MEMBER.member)
    assert (await pages.http.post(back.url.path)).status_code == 410


async def test_who_was_talked_into_it_has_the_answer_and_not_the_cookie(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    """The attacker begins and sends the provider's address to the member."""
    form = await at_provider(office, await start(pages, open_page))
    victim = browser(create_pages(office.desk))
    back = await victim.http.post("/m/mobile/back", data=form)
    assert (await victim.http.post(back.url.path)).status_code == 410
    assert (await pages.http.post("/m/mobile/done/guess")).status_code == 410
    crossing = {"Sec-Fetch-Site": "cross-site"}
    assert (await pages.http.post(back.url.path, headers=crossing)).status_code == 403
    await victim.http.aclose()
    assert (await office.request()).subject_id is None


async def test_somebody_elses_name_and_a_forged_result(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    out = await start(pages, open_page)
    forged = await at_provider(office, out) | {"signature": "0" * 64}
    assert (await pages.http.post("/m/mobile/back", data=forged)).status_code == 410
    assert (await pages.http.post("/m/mobile/back")).status_code == 410
    form = await at_provider(office, out, name="아무개")
    back = await pages.http.post("/m/mobile/back", data=form)
    assert "확인하지 못했습니다" in (await pages.http.post(back.url.path)).text
    assert {r.subject_id for r in await office.all(Request)} == {None}


async def test_not_offered_where_it_cannot_prove(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await office.mail(KO, "제 휴대전화번호를 010-0000-4321로 바꿔 주세요.")
    path = await open_page("code")
    assert "/mobile" not in pages.page
    await pages.get(f"{path}/mobile")
    assert "본인 확인 시작" not in pages.page
