"""Who was told and who was not: on the request's page, with what an agent can do about it."""

import pytest
from browsers import KO, Browser, asks
from desks import MakeDesk, Office, Tray
from told import Posts, Telephone, telephone

from subjectline.models.errors import PermanentSendError

ADDRESS = "배송지 주소를 서울특별시 보기구 새길 12, 3층으로 바꿔 주세요."


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    return telephone(await make_desk()).office


async def asked(staffed: Office, posts: Posts) -> tuple[Telephone, str]:
    phone = Telephone(staffed, posts, Tray())
    reference = await asks(staffed, KO, ADDRESS)
    await phone.tell()
    return phone, f"/requests/{reference}"


async def test_the_page_says_who_was_told(console: Browser, staffed: Office) -> None:
    _, here = await asked(staffed, Posts())
    page = (await console.get(here)).text
    assert "정보를 받은 곳에 알림" in page and "우체국" in page and "이용을 멈출 것" in page
    assert "누리고" not in page  # it does not hold the address
    assert f"{here}/told/confirmed" in page


async def test_who_has_acknowledged_needs_no_agent(console: Browser, staffed: Office) -> None:
    _, here = await asked(staffed, Posts(says_yes={"post_office"}))
    page = (await console.get(here)).text
    assert "확인함" in page and f"{here}/told/confirmed" not in page


async def test_who_could_not_be_told_is_told_by_an_agent(console: Browser, staffed: Office) -> None:
    phone, here = await asked(
        staffed, Posts(wrong=[PermanentSendError("the webhook answered 404")])
    )
    page = (await console.get(here)).text
    assert "직접 알려야 하거나" in page
    assert "웹훅이 거절했거나" in page and "answered 404" in page
    assert "정보를 받은 곳에 알리지 못했거나" in (await console.get("/unsorted")).text
    await console.get(here)
    again = await console.post(f"{here}/told/again")
    assert "다시 알립니다" in again.text
    await phone.tell()
    assert phone.posts.kinds("post_office") == ["hold"]
    await console.get(here)
    done = await console.post(f"{here}/told/confirmed")
    assert "확인받은 것으로 표시했습니다" in done.text and "한보라" in done.text
