"""Returned letters at the console: the list with its count, the ways, how the person was told."""

import re

import pytest
from browsers import Browser, actions
from desks import MARKETING, Office
from returned import arf, dsn
from signing import proven, signed

from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import ReturnedLetter

ME = KO_MEMBER.email
NEW = "haneul.new@mail.test"
HANDLE = re.compile(r"/returned/([0-9a-z]{13})")


async def result_back(office: Office) -> None:
    await proven(office, ME, MARKETING)
    await signed(office)
    await office.arrives(dsn(office.last(ME).message_id, ME))


async def one(browser: Browser) -> str:
    await browser.get("/returned")
    assert ME not in browser.page  # a list shows nobody's address
    found = HANDLE.search(browser.page)
    assert found is not None
    path = f"/returned/{found[1]}"
    await browser.get(path)
    return path


async def test_no_page_opens_without_a_session(stranger: Browser) -> None:
    for path in ("/returned", "/returned/0000000000000"):
        response = await stranger.http.get(path, follow_redirects=False)
        assert response.status_code == 303


async def test_an_empty_list(console: Browser) -> None:
    page = (await console.get("/returned")).text
    assert "돌아온 편지가 없습니다." in page and 'aria-current="page"' in page


async def test_the_count_stands_in_the_menu_until_it_is_closed(
    console: Browser, staffed: Office
) -> None:
    await result_back(staffed)
    counted = re.compile(r'href="/returned"[^<]*>돌아온 편지\s*<span class="count hot">1</span>')
    assert counted.search((await console.get("/queue")).text)
    path = await one(console)
    assert "010-0000-1001" in console.page and "5.1.1" in console.page
    refused = await console.post(f"{path}/close", how="phone", note="")
    assert refused.status_code == 422 and "500자 안에서" in refused.text
    assert 'value="not_needed"' not in refused.text
    await console.post(f"{path}/close", how="phone", note="전화로 결과를 읽어 드림")
    assert "기록하고 닫았습니다" in console.page
    assert not counted.search((await console.get("/queue")).text)
    await console.get(path)
    assert "전화로 결과를 읽어 드림" in console.page and "전화로 알림" in console.page


async def test_it_is_sent_again_and_the_address_lives(console: Browser, staffed: Office) -> None:
    await result_back(staffed)
    await staffed.sql("UPDATE member SET email = :a WHERE member_id = 1001", a=NEW)
    path = await one(console)
    assert NEW in console.page and "이 주소로 다시 보내기" in console.page
    await console.post(f"{path}/send", way="email")
    assert "다시 보냈습니다." in console.page
    await staffed.work()
    assert len(staffed.tray.to(NEW)) == 1
    await console.get(path)
    assert "이 주소로 다시 보내기" not in console.page
    again = await console.post(f"{path}/send", way="email")
    assert again.status_code >= 400 and len(staffed.tray.to(NEW)) == 1
    await console.get(path)
    await console.post(f"{path}/lives")
    assert "이 주소로 다시 메일을 보냅니다." in console.page
    assert {"sent_again", "address_lives", "view"} <= set(await actions(staffed))


async def test_the_request_says_that_its_letter_came_back(
    console: Browser, staffed: Office
) -> None:
    await result_back(staffed)
    page = (await console.get(f"/requests/{(await staffed.request()).reference}")).text
    assert "돌아옴" in page and "다시 보내도 닿지 않음: 없는 주소" in page


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_a_complaint_is_shown_for_what_it_is(
    console: Browser, second: Browser, staffed: Office, language: str
) -> None:
    await proven(staffed, ME, MARKETING)
    await staffed.arrives(arf(staffed.last(ME).message_id, ME))
    browser = console if language == "ko" else second
    path = await one(browser)
    told = {"ko": "동의가 철회되지는 않습니다", "en": "withdraws no consent"}
    assert told[language] in browser.page
    await browser.post(f"{path}/close", how="not_needed", note="")
    [row] = await staffed.all(ReturnedLetter)
    assert (row.state, row.how) == ("closed", "not_needed")


async def test_all_in_english(second: Browser, staffed: Office) -> None:
    await result_back(staffed)
    path = await one(second)
    for page in ("/returned", path):
        text = (await second.get(page)).text
        assert not re.search("[가-힣]", re.sub("한국어|<dd>[^<]*[시도] [^<]*", "", text))
