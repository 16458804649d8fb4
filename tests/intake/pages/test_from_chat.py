"""The pages of a request that was made in a chat: the code links it, and the value is read back there."""

import re

import pytest
from browsers import KO, Browser
from desks import CORRECT, MakeDesk, Office, code_in
from page_links import OpenPage

from subjectline.handlers.wishes import wish_of

CHAT = 4711
STRANGER = "nobody@mail.test"


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    return await make_desk()


async def asked(office: Office, address: str, chat: int = CHAT) -> None:
    await office.chat(chat, CORRECT)
    await office.chat(chat, address)


async def test_the_code_links_the_chat_and_the_value_is_confirmed(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await asked(office, KO)
    path = await open_page("code")
    page = (await pages.post(f"{path}/code", code=code_in(office.last(KO)))).text
    assert "본인 확인이 끝났습니다" in page
    assert (await office.conversation()).subject_id == "1001"
    await office.work()
    assert await office.state() == "waiting"  # by chat a value is read back
    page = (await pages.get(path)).text
    assert "이렇게 바꾸면 될까요?" in page and "파도로 12" in page
    await pages.post(f"{path}/answer", answer="edit")
    assert 'name="value.shipping_address"' in pages.page and await office.state() == "waiting"
    await pages.get(path)
    await pages.post(f"{path}/answer", answer="yes")
    await office.work()
    assert wish_of(office.desk, await office.request())["confirmed"] == "confirm_value"
    assert await office.state() == "proposed"
    assert not any("파도로" in parcel.text for parcel in office.tray.to(str(CHAT)))


async def test_a_named_address_reads_the_same_known_or_not(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    said = []
    for chat, address in ((CHAT, KO), (CHAT + 1, STRANGER)):
        await asked(office, address, chat)
        path = await open_page("code")
        seen = [pages.page, (await pages.post(f"{path}/code", code="000000")).text]
        seen.append((await pages.post(f"{path}/new-code")).text)
        row = await office.request()
        said.append([_plain(page, path, row.reference) for page in seen])
    assert said[0] == said[1]
    assert "등록되어 있으면" in said[0][0] and "대화방" in said[0][2]


def _plain(page: str, path: str, reference: str) -> str:
    page = page.replace(path, "/m/x").replace(reference, "SL-x")
    return re.sub(r'name="(form|version)" value="[^"]*"', "", page)
