"""A legal hold in a real browser: placed by keyboard, and destruction stops; the pages fit a phone."""

import pytest
from browsers import CHEAP, KO, PASSWORD
from chromium import PHONE, on_screen, sideways, sign_in, violations
from desks import MARKETING, MakeDesk, Office
from playwright.async_api import Page, expect
from signing import proven, signed

from subjectline.handlers import agents
from subjectline.intake.console import create_console
from subjectline.models.tables import LegalHold, Proposal

PATHS = ("/restrictions", "/legal-holds", "/papers", "/archive", "/retention")
COUNT = "SELECT count(*) FROM access_log WHERE member_id = 1001"


@pytest.fixture
async def led(make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A desk with a privacy officer, and visits of member 1001 whose time is over."""
    monkeypatch.setattr(agents, "_hasher", lambda: CHEAP)
    office = await make_desk()
    await agents.add(office.desk, "chief", "한서윤", PASSWORD, role="officer")
    await office.sql(
        "UPDATE access_log SET accessed_at = '2026-06-01T00:00:00+09:00' WHERE member_id = 1001"
    )
    return office


async def place_hold(page: Page) -> None:
    """By keyboard; a day that is over is refused beside its box, and what was typed stays."""
    await page.get_by_role("link", name="보관·파기").press("Enter")
    await page.get_by_role("link", name="파기 보류").press("Enter")
    await page.locator("summary", has_text="파기 보류하기").press("Enter")
    await page.get_by_label("회원 번호", exact=True).fill("1001")
    await page.get_by_label("사유").fill("2026가합1")
    until = page.get_by_label("언제까지")
    await until.fill("2026-11-01")
    await page.get_by_role("button", name="파기 보류").press("Enter")
    await expect(page.locator("#wrong-place-until")).to_be_visible()
    await expect(until).to_be_focused()
    await until.fill("2027-06-30")
    await page.get_by_role("button", name="파기 보류").press("Enter")
    await expect(page.get_by_role("status")).to_have_text("파기를 보류했습니다.")


async def end_hold(page: Page) -> None:
    await page.goto("/legal-holds")
    await page.locator("summary", has_text="끝내기").press("Enter")
    await page.get_by_role("button", name="보류 끝내기").press("Enter")
    await expect(page.get_by_role("status")).to_have_text("파기 보류를 끝냈습니다.")


async def look(page: Page) -> None:
    await page.goto("/retention")
    await page.get_by_role("button", name="오늘 대상 확인").press("Enter")


@pytest.mark.server
async def test_a_hold_stops_destruction_and_its_end_lets_it_go(led: Office) -> None:
    [[count]] = await led.sql(COUNT)
    async with on_screen(create_console(led.desk)) as page:
        await sign_in(page, "chief")
        await place_hold(page)
        await look(page)
        await expect(page.get_by_text("지금 파기할 것은 없습니다")).to_be_visible()
        await expect(page.get_by_role("button", name="지금 파기")).to_have_count(0)
        assert await led.sql(COUNT) == [(count,)]
        await end_hold(page)
        await look(page)
        await page.get_by_role("checkbox").press("Space")
        await page.get_by_role("button", name="지금 파기").press("Enter")
        await expect(page.get_by_role("status")).to_have_text("파기를 마치고 확인서를 남겼습니다.")
    assert await led.sql(COUNT) == [(0,)]
    [hold] = await led.all(LegalHold)
    assert hold.lifted_at is not None


async def looks_outside(page: Page, letter: str) -> None:
    """A letter of a member whose consent is withdrawn: a refusal, with a way on from there."""
    answer = await page.goto(letter)
    assert answer is not None and answer.status == 403
    await expect(page.locator("h1")).to_contain_text("볼 수 없습니다")
    assert await sideways(page) <= 0 and await violations(page) == []
    await page.locator("main a").first.press("Enter")
    await page.wait_for_url("**/queue")


@pytest.mark.server
async def test_the_pages_fit_a_phone(led: Office) -> None:
    await proven(led, KO, MARKETING)
    await signed(led)
    [proposal] = await led.all(Proposal)
    async with on_screen(create_console(led.desk), PHONE) as page:
        await sign_in(page, "chief")
        for path in PATHS:
            await page.goto(path)
            for summary in await page.locator("main summary").all():
                await summary.click()
            assert await sideways(page) <= 0, path
            for link in await page.locator("header nav a, main nav.tabs a").all():
                box = await link.bounding_box()
                assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= PHONE[0]
                assert box["height"] >= 40
        await looks_outside(page, f"/letters/{proposal.sha256}")
