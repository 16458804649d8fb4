"""The pages of proofs and proxies in Chromium: looked at by axe-core, on a phone and on a desk."""

from dataclasses import replace
from datetime import timedelta

import pytest
from chromium import DESKTOP, PHONE, on_screen, sideways, sign_in, violations
from desks import ACCESS, MakeDesk, Office, agent
from page_links import page_of
from playwright.async_api import Page

from subjectline.handlers import proxies
from subjectline.handlers.proxies import Claim, Scope
from subjectline.intake.console import create_console
from subjectline.intake.pages import create_pages
from subjectline.intake.sandbox import mobile_provider
from subjectline.intake.sandbox.people import KO_MEMBER

pytestmark = [pytest.mark.server, pytest.mark.long]


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    """A proxy's request with a mandate to be reviewed."""
    made = await make_desk()
    made.desk = replace(made.desk, mobile=mobile_provider.settings("https://provider.test"))
    await made.mail("lawyer@office.test", ACCESS)
    last = made.clock().date() + timedelta(days=9)
    claim = Claim(
        "attorney", "문보라", KO_MEMBER.member, Scope(("access",), ("*",), last),
        place="서랍 2", contact_checked="call",
    )  # fmt: skip
    await proxies.record(made.desk, 1, claim, agent())
    return made


async def good(page: Page, heading: str) -> None:
    assert heading in await page.inner_text("h1")
    assert await violations(page) == []
    assert await sideways(page) == 0


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desk"])
async def test_the_members_pages(office: Office, size: tuple[int, int]) -> None:
    code = await page_of(office, "code")
    await proxies.accept(office.desk, 1, agent(2))
    proxy = await page_of(office, "proxy")
    await office.mail("another@office.test", ACCESS)
    code = await page_of(office, "code")
    async with on_screen(create_pages(office.desk), size) as page:
        await page.goto(code)
        await page.click("main button")
        await page.click(f"a[href='{code}/mobile']")
        await good(page, "휴대전화 본인 확인")
        await page.click("main button")
        await good(page, "휴대전화 본인 확인")
        await page.goto("/m/mobile/done/somebody")
        await good(page, "한 단계")
        await page.goto(proxy)
        await good(page, "대신한 사람")
        await page.click("main button")
        await good(page, "대신한 사람")
        await page.click("main button.harsh")
        await page.wait_for_selector("[role=status]")
        await good(page, "대신한 사람")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desk"])
async def test_the_consoles_pages(staffed: Office, size: tuple[int, int]) -> None:
    path = f"/requests/{(await staffed.request()).reference}"
    async with on_screen(create_console(staffed.desk), size) as page:
        await sign_in(page, "bora")
        await page.goto(f"{path}/proxy")
        await page.click("details summary >> text=새로 기록")
        await good(page, "대리인과 보호자")
        await page.goto(path)
        await page.click("summary >> text=전화로 본인 확인")
        assert await violations(page) == []
