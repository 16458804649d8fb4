"""Files and dead letters at the console: named, kept apart, downloaded so that no browser runs them."""

import re

import pytest
from browsers import Browser, actions
from desks import DESK, Office, letter
from sqlmodel import select

from subjectline.handlers import inbox, reception
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.intake.web import saved_name
from subjectline.models.tables import Message, MessageFile, RawInbox

ME = KO_MEMBER.email
NUMBER = "900101-2345678"
CARD = "4111 1111 1111 1111"


def carrying(name: str, content: str) -> bytes:
    return (
        "Authentication-Results: border.test; dmarc=pass header.from=mail.test\n"
        f"From: {ME}\nTo: {DESK}\nSubject: 사진집이 좋네요\nMessage-ID: <carrying@mail.test>\n"
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        "Content-Type: text/plain; charset=utf-8\n\n정산은 언제 되나요?\n--b\n"
        f'Content-Type: application/octet-stream\nContent-Disposition: attachment; filename="{name}"\n'
        f"\n{content}\n--b--\n"
    ).encode()


async def page_with_file(console: Browser) -> tuple[str, str]:
    """The conversation's page, and the address of the file on it."""
    listed = (await console.get("/unsorted")).text
    address = re.search(r"/conversations/[0-9a-z]{13}", listed)
    assert address is not None
    page = (await console.get(address[0])).text
    found = re.search(r"/files/[0-9a-z]{13}", page)
    assert found is not None
    return page, found[0]


async def test_an_ordinary_file_is_a_download_that_nothing_runs(
    console: Browser, staffed: Office
) -> None:
    await staffed.arrives(carrying("계약서 (1).txt", "words"))
    page, address = await page_with_file(console)
    assert f'href="{address}" download' in page
    response = await console.get(address)
    assert response.content == b"words"
    told = response.headers
    assert told["content-type"] == "application/octet-stream"
    assert told["x-content-type-options"] == "nosniff"
    assert "sandbox" in told["content-security-policy"]
    assert told["content-disposition"].startswith('attachment; filename="_____1_.txt"; ')
    assert "%EA%B3%84" in told["content-disposition"]


async def test_one_kept_apart_needs_the_agents_word(console: Browser, staffed: Office) -> None:
    await staffed.arrives(carrying("photo.jpg.exe", "MZ words"))
    page, address = await page_with_file(console)
    assert "따로 보관" in page and "실행 파일" in page and f'href="{address}" download' not in page
    why = await console.get(address)
    assert why.headers["content-type"].startswith("text/html") and "확장자가 두 개" in why.text
    assert (await console.post(f"{address}/open")).status_code == 422
    await console.get(address)
    response = await console.post(f"{address}/open", knowing="yes")
    assert response.content == b"MZ words"
    assert 'filename="photo.jpg.exe.quarantined"' in response.headers["content-disposition"]
    assert "download_apart" in await actions(staffed)


async def test_one_kept_apart_is_destroyed(console: Browser, staffed: Office) -> None:
    await staffed.arrives(carrying("a.txt", NUMBER))
    _, address = await page_with_file(console)
    await console.get(address)
    response = await console.post(f"{address}/destroy")
    assert "보관하지 않았습니다" in response.text and "담당자가 파기" in response.text
    assert (await staffed.all(MessageFile))[0].content is None


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ('a"b\r\nSet-Cookie: x=1.pdf', "a_bSet-Cookie_ x=1.pdf"),
        ("cod\u202egpj.exe", "codgpj.exe"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("", "file"),
        ("....", "file"),
        ("CON:aux|x.txt", "CON_aux_x.txt"),
        ("x" * 300 + ".txt", "x" * 146 + ".txt"),
        ("신분증 사본.jpg", "신분증 사본.jpg"),
    ],
)
def test_a_name_that_is_saved_is_harmless(name: str, saved: str) -> None:
    assert saved_name(name) == saved
    assert saved_name(name, apart=True) == f"{saved}.quarantined"


async def dies(
    office: Office, raw: bytes, monkeypatch: pytest.MonkeyPatch, *, oversized: bool = False
) -> None:
    """A mail whose steps fail every time, for a while."""

    async def broken(*_: object) -> None:
        raise ValueError(NUMBER)

    with monkeypatch.context() as at_fault:
        at_fault.setattr(reception, "receive", broken)
        await office.arrives(raw, oversized=oversized)
        for _ in range(inbox.TRIES):
            await office.work()
    [row] = await office.all(RawInbox)
    assert row.state == "dead"


async def test_a_dead_letter_is_seen_through_the_mask_and_comes_back(
    console: Browser, staffed: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dies(
        staffed, letter(ME, f"번호 {NUMBER}, 카드 {CARD}, 배송지를 바꿔 주세요."), monkeypatch
    )
    listed = (await console.get("/dead")).text
    assert "시스템 오류가 되풀이" in listed and "ValueError" not in listed  # told in plain words
    assert "배송지" not in listed and NUMBER not in listed
    address = re.search(r"/dead/[0-9a-z]{13}", listed)
    assert address is not None
    page = (await console.get(address[0])).text
    assert "배송지를 바꿔 주세요" in page and "← 읽지 못한 메시지" in page
    assert "2345678" not in page and "4111" not in page
    assert "view_dead" in await actions(staffed)
    await console.post(f"{address[0]}/retry")
    await staffed.work()
    assert [row.state for row in await staffed.all(RawInbox)] == ["done"]
    assert await staffed.state() == "verifying"
    assert (await console.get(address[0])).status_code == 404


async def test_an_oversized_one_comes_back_too(
    console: Browser, staffed: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = letter(ME, "x").partition(b"\n\n")[0] + b"\n\n"
    await dies(staffed, header, monkeypatch, oversized=True)
    listed = (await console.get("/dead")).text
    address = re.search(r"/dead/[0-9a-z]{13}", listed)
    assert address is not None and "너무 큽니다" in listed
    await console.get(address[0])
    await console.post(f"{address[0]}/retry")
    await staffed.work()
    async with staffed.desk.db.read() as session:
        rules = list(await session.exec(select(Message.rule).where(Message.direction == "in")))
    assert rules == ["oversized"]
    assert "너무 커서" in staffed.last(ME).text
