"""The pages of a request in a real browser: by keyboard only, on a phone and wide, in both languages."""

import hashlib

import pytest
from browsers import EN, KO
from chromium import AXE, DESKTOP, on_screen, sideways, violations
from desks import MakeDesk, Office, code_in
from page_links import page_of
from playwright.async_api import FilePayload, Page

from subjectline.intake.pages import create_pages

PHONE = (390, 844)
ASKS = {
    "ko": (KO, "제 전화번호를 정정해 주세요.", "개인정보 정정"),
    "en": (EN, "Please change my phone number.", "Correction of your data"),
}
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(256)
FOCUSED = "(wanted) => document.activeElement !== null && document.activeElement.matches(wanted)"


async def reach(page: Page, wanted: str) -> None:
    """Goes there with the Tab key."""
    for _ in range(30):
        if await page.evaluate(FOCUSED, wanted):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"no way to {wanted} by keyboard")


async def press(page: Page, wanted: str) -> None:
    await reach(page, wanted)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def write(page: Page, wanted: str, text: str) -> None:
    await reach(page, wanted)
    await page.keyboard.press("Control+a")
    await page.keyboard.type(text)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def look(page: Page, language: str) -> None:
    """No fault that axe-core knows, the language said, nothing wider than the screen, big targets."""
    assert await page.get_attribute("html", "lang") == language
    assert await violations(page) == []
    for size in (DESKTOP, PHONE):
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        assert await sideways(page) <= 0
    for button in await page.locator("main button, main input:not([type=radio])").all():
        box = await button.bounding_box()
        assert box is None or box["height"] >= 44


async def open_by_key(page: Page, office: Office, purpose: str, language: str) -> None:
    await page.goto(await page_of(office, purpose))
    await page.keyboard.press("Tab")
    assert await page.evaluate(FOCUSED, ".skip")  # first of all, past the head of the page
    await press(page, "main button")
    await look(page, language)


async def correct(page: Page, office: Office, language: str) -> None:
    """From the code to the value that is kept, and what is wrong on the way is told where it is."""
    sender, words, title = ASKS[language]
    await office.mail(sender, words)
    await open_by_key(page, office, "code", language)
    await write(page, "#code", "12")
    assert await page.evaluate(FOCUSED, "#code[aria-invalid=true][aria-describedby=wrong-code]")
    await write(page, "#code", code_in(office.last(sender)))
    assert await page.locator(".note[role=status]").count() == 1
    await office.work()
    await page.reload()
    await look(page, language)
    await write(page, "[name='value.phone']", "010-0000-12")
    assert await page.evaluate(FOCUSED, "[name='value.phone'][aria-invalid=true]")
    assert await page.locator("[role=alert]").count() == 1
    await look(page, language)
    await write(page, "[name='value.phone']", "010-0000-1234")
    await look(page, language)
    await press(page, "[value=keep]")
    await office.work()
    await page.reload()
    assert await page.locator("h1").inner_text() == title
    await look(page, language)


async def hand_in(page: Page, office: Office, language: str) -> None:
    await open_by_key(page, office, "upload", language)
    await reach(page, "[name=what]")
    await page.keyboard.press("Space")
    paper = FilePayload(name="id.jpg", mimeType="image/jpeg", buffer=JPEG)
    await page.set_input_files("#files", [paper])
    await press(page, "main form button")
    assert await page.locator(".note[role=status]").count() == 1
    await look(page, language)


async def take_back(page: Page, office: Office, language: str) -> None:
    await press(page, "a[href$='/withdraw']")
    await look(page, language)
    await press(page, "form button.harsh")
    assert await office.state() == "withdrawn"


@pytest.mark.server
@pytest.mark.parametrize("language", ["ko", pytest.param("en", marks=pytest.mark.long)])
async def test_a_request_by_keyboard(make_desk: MakeDesk, language: str) -> None:
    office = await make_desk()
    async with on_screen(create_pages(office.desk), PHONE, language) as page:
        await page.set_content("<html><body><img src='a.png'><input></body></html>")
        assert any(found.startswith("image-alt") for found in await violations(page))
        await correct(page, office, language)
        await hand_in(page, office, language)
        await take_back(page, office, language)
        await page.emulate_media(color_scheme="dark")
        assert await violations(page) == []


def test_the_vendored_file_is_the_one_that_is_named() -> None:
    named = (AXE.parent / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() in named
