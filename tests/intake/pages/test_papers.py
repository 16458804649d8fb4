"""Papers from a phone: what is taken, what is refused with its reason, and who sees it."""

import zlib

import httpx
import pytest
from browsers import KO, Browser, actions, asks
from desks import CORRECT, MakeDesk, Office, agent
from page_links import OpenPage

from subjectline.handlers import attachments, casefile, links
from subjectline.intake.pages import papers
from subjectline.models.errors import NotPermitted
from subjectline.models.files import FileSettings
from subjectline.models.tables import Conversation, Message, MessageFile

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 4
PNG = b"\x89PNG\r\n\x1a\n" + bytes(512)
PDF = b"%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj\n%%EOF"
ACTIVE = b"%PDF-1.4\n1 0 obj <</OpenAction <</S /JavaScript /JS (app.alert(1))>>>> endobj\n%%EOF"
NUMBER = "900101-1234567"

Files = list[tuple[str, tuple[str, bytes, str]]]


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    return await make_desk()


async def send(
    pages: Browser, path: str, *files: tuple[str, bytes], what: str = "id_card"
) -> httpx.Response:
    form = pages.hidden(f"{path}/papers") | ({"what": what} if what else {})
    boxes: Files = [("files", (name, body, "image/jpeg")) for name, body in files]
    response = await pages.http.post(f"{path}/papers", data=form, files=boxes)
    pages.page = response.text
    return response


def with_number() -> bytes:
    drawn = zlib.compress(f"BT /F1 12 Tf ({NUMBER}) Tj ET".encode())
    return b"%PDF-1.4\n1 0 obj <<>> stream\n" + drawn + b"\nendstream endobj\n%%EOF"


async def test_several_papers_are_sealed_and_an_agent_sees_them(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    reference = await asks(office, KO, CORRECT)
    path = await open_page("upload")
    assert "뒷자리는 반드시 가려" in pages.page and 'capture="environment"' in pages.page
    page = await send(pages, path, ("앞면.jpg", JPEG), ("b.png", PNG), ("c.pdf", PDF))
    assert page.status_code == 200 and "서류를 잘 받았습니다" in page.text
    assert "신분증 사본, 파일 3개" in page.text
    case = await casefile.case(office.desk, reference, agent())
    [shown] = [message for message in case.messages if message.files]
    assert shown.linked and shown.waits and shown.door == "page"
    assert [file.content_type for file in shown.files] == [
        "image/jpeg", "image/png", "application/pdf",
    ]  # fmt: skip
    with pytest.raises(NotPermitted):  # a picture may show a number: on the agent's word only
        await attachments.open_file(office.desk, shown.files[0].handle, agent())
    opened = await attachments.open_file(office.desk, shown.files[0].handle, agent(), knowing=True)
    assert opened.content == JPEG
    for file in office.folder.glob("desk.db*"):
        assert JPEG[20:200] not in file.read_bytes()
    assert "page_papers" in await actions(office)


async def test_papers_before_proof_call_an_agent(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await office.mail(KO, "제 이메일 주소를 new@mail.test로 바꿔 주세요.")
    assert await office.state() == "received"  # only papers or a call can prove this one
    await send(pages, await open_page("upload"), ("a.jpg", JPEG))
    assert (await office.all(Message))[-1].waits
    assert (await office.all(Conversation))[-1].state == "unsorted"


REFUSED = (
    ("run.jpg", b"MZ" + bytes(200), "사진(JPEG"),
    ("page.pdf", b"<html><script>1</script>", "사진(JPEG"),
    ("turn.pdf", ACTIVE, "실행되는 내용"),
    ("photo.exe", JPEG, "실행되는 내용"),
    ("id.pdf", with_number(), "주민등록번호가 보입니다"),
    ("nothing.jpg", b"", "빈 파일"),
)


async def test_what_is_not_taken_says_why(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await asks(office, KO, CORRECT)
    path = await open_page("upload")
    for name, body, why in REFUSED:
        page = await send(pages, path, ("good.jpg", JPEG), (name, body))
        assert page.status_code == 422 and why in page.text and name in page.text, name
    assert await office.all(MessageFile) == []  # all or none
    assert (await send(pages, path, ("good.jpg", JPEG))).status_code == 200


async def test_sizes_and_numbers_have_limits(
    pages: Browser, office: Office, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asks(office, KO, CORRECT)
    path = await open_page("upload")
    object.__setattr__(
        office.desk, "files", FileSettings(max_file_bytes=2048, max_all_bytes=4096, max_files=3)
    )
    large = await send(pages, path, ("a.jpg", JPEG + bytes(2048)))
    assert large.status_code == 422 and "너무 큽니다" in large.text
    many = await send(pages, path, *[(f"{n}.jpg", JPEG) for n in range(4)])
    assert many.status_code == 422
    assert "골라 주세요" in (await send(pages, path, ("", b""))).text
    assert "어떤 서류인지" in (await send(pages, path, ("a.jpg", JPEG), what="")).text
    assert await office.all(MessageFile) == []
    monkeypatch.setattr(papers, "MOST", 1)
    assert (await send(pages, path, ("a.jpg", JPEG))).status_code == 200
    assert "더 받지 않습니다" in (await send(pages, path, ("a.jpg", JPEG))).text


async def test_a_body_that_is_too_large_is_not_read(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await asks(office, KO, CORRECT)
    path = await open_page("upload")
    huge = {"Content-Length": str(office.desk.files.max_all_bytes + 10**6)}
    answer = await pages.http.post(f"{path}/papers", content=b"x", headers=huge)
    assert answer.status_code == 413
    small = {"Content-Length": "3000000"}  # fits papers, and no other form
    assert (await pages.http.post(f"{path}/code", content=b"x", headers=small)).status_code == 413


async def test_nobody_else_sends_papers(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await asks(office, KO, CORRECT)
    path = await open_page("upload")
    mine = pages.hidden(f"{path}/papers") | {"what": "id_card"}
    boxes: Files = [("files", ("a.jpg", JPEG, "image/jpeg"))]
    headers = {"Sec-Fetch-Site": "cross-site"}
    refused = await pages.http.post(f"{path}/papers", data=mine, files=boxes, headers=headers)
    assert refused.status_code == 403
    unsealed = await pages.http.post(f"{path}/papers", data={"what": "id_card"}, files=boxes)
    assert unsealed.status_code == 403
    office.clock.advance(links.PURPOSES["upload"].open_for)
    late = await pages.http.post(f"{path}/papers", data=mine, files=boxes)
    assert late.status_code == 410 and await office.all(MessageFile) == []
