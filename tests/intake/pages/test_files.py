"""The files of an export: for the browser that opened the page, and each leaves a receipt."""

import io
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from re import search

import pypdf
import pytest
import pyzipper
from browsers import EN, KO, Browser, actions, app_of, asks, browser
from desks import ACCESS, ACCESS_EN, Office, agent

from subjectline.handlers import decisions, links
from subjectline.handlers.drafting import AgentDraft
from subjectline.handlers.export import gather
from subjectline.intake.pages import create_pages
from subjectline.models.tables import Audit, Export, History, Proposal, Request

Opened = Callable[..., Awaitable[str]]
WORDS = {KO: ACCESS, EN: ACCESS_EN}
FORMS = ("pdf", "archive", "json")


@pytest.fixture
def opened(pages: Browser, office: Office) -> Opened:
    """An approved access whose link this browser has pressed; gives the page's path."""

    async def make(sender: str = KO, kind: str = "access") -> str:
        await asks(office, sender, WORDS[sender])
        if kind != "access":
            await rename(office, kind)
        proposal = (await office.all(Proposal))[-1]
        await decisions.approve(office.desk, proposal.sha256, agent())
        await office.work()
        async with office.desk.write() as session:
            row = await office.request()
            path = "/m/" + await links.make(session, office.desk, row.id or 0)
        await pages.get(path)
        await pages.post(path)
        return path

    return make


async def rename(office: Office, kind: str) -> None:
    """Another right, proposed anew: what is handed over was gathered for it."""
    row = await office.request()
    await decisions.send_back(office.desk, row.id or 0, row.version, agent(), "the other right")
    async with office.desk.write() as session:
        row = await session.get_one(Request, row.id)
        row.kind = kind
        session.add(row)
    await decisions.propose(office.desk, row.id or 0, row.version, agent(), AgentDraft())


async def secret_of(pages: Browser, path: str) -> str:
    found = search(
        r'class="secret[^"]*"[^>]*>([A-Z0-9-]{23})<', (await pages.post(f"{path}/password")).text
    )
    assert found is not None, "the page shows no password"
    return found[1]


async def test_pdf_is_a_download_in_korean(pages: Browser, opened: Opened) -> None:
    path = await opened()
    response = await pages.get(f"{path}/pdf")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/pdf"
    text = pypdf.PdfReader(io.BytesIO(response.content)).pages[0].extract_text()
    assert "개인정보 열람 결과" in text and "김하늘" in text


async def test_the_archive_opens_with_what_the_page_showed_once(
    pages: Browser, opened: Opened
) -> None:
    path = await opened()
    assert (await pages.get(f"{path}/archive")).status_code == 422  # no password yet
    secret = await secret_of(pages, path)
    response = await pages.get(f"{path}/archive")
    assert int(response.headers["content-length"]) == len(response.content)
    made = pyzipper.AESZipFile(io.BytesIO(response.content))
    made.setpassword(secret.encode())
    data = json.loads(made.read("data.json"))
    assert data["tables"][0]["rows"][0]["name"] == "김하늘"
    assert secret not in (await pages.get(path)).text
    other = await secret_of(pages, path)
    assert other != secret  # another one, for another archive
    again = pyzipper.AESZipFile(io.BytesIO((await pages.get(f"{path}/archive")).content))
    again.setpassword(secret.encode())
    with pytest.raises(RuntimeError):
        again.read("data.json")


async def test_the_password_is_in_no_letter_and_no_column(
    pages: Browser, opened: Opened, office: Office
) -> None:
    secret = await secret_of(pages, await opened())
    assert not [p for p in office.tray.parcels if secret in p.text or secret in p.html]
    audit = json.dumps([str(row) for row in await office.all(Audit)])
    assert secret not in audit and "archive_password" in await actions(office)


async def test_files_are_shut_to_caches_and_sniffing(pages: Browser, opened: Opened) -> None:
    path = await opened(kind="portability")
    await secret_of(pages, path)
    for form in FORMS:
        response = await pages.get(f"{path}/{form}")
        headers = response.headers
        assert response.status_code == 200, form
        assert headers["content-disposition"].startswith('attachment; filename="SL-'), form
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


async def test_portability_is_json_of_the_same(pages: Browser, opened: Opened) -> None:
    path = await opened(kind="portability")
    assert f'href="{path}/json"' in (await pages.get(path)).text
    data = (await pages.get(f"{path}/json")).json()
    assert data["kind"] == "portability" and data["tables"][0]["rows"][0]["name"] == "김하늘"


async def test_an_access_has_its_json_in_the_archive_only(pages: Browser, opened: Opened) -> None:
    assert (await pages.get(f"{await opened()}/json")).status_code == 404


async def test_nobody_else_gets_a_file(pages: Browser, opened: Opened, office: Office) -> None:
    path = await opened()
    other = browser(app_of(create_pages, office.desk))
    for form in (*FORMS, "tables/0"):
        assert (await other.get(f"{path}/{form}")).status_code == 410
    assert (await other.post(f"{path}/password")).status_code == 410
    other.http.cookies.set("sl_page", "guessed")
    assert (await other.get(f"{path}/pdf")).status_code == 410
    await other.http.aclose()
    before = (await office.all(Export))[0].receipts
    assert set(before) == {"page"}


async def test_a_form_of_another_site_makes_no_password(pages: Browser, opened: Opened) -> None:
    path = await opened()
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert (await pages.http.post(f"{path}/password", headers=headers)).status_code == 403
    assert (await pages.get(f"{path}/archive")).status_code == 422


async def test_files_go_with_the_half_hour(pages: Browser, opened: Opened, office: Office) -> None:
    path = await opened()
    office.clock.advance(timedelta(minutes=31))
    assert (await pages.get(f"{path}/pdf")).status_code == 410


async def test_an_export_that_is_over_shows_the_stage(
    pages: Browser, opened: Opened, office: Office
) -> None:
    path = await opened()
    office.clock.advance(gather.LIVES + timedelta(minutes=1))
    async with office.desk.write() as session:
        row = await office.request()
        late = "/m/" + await links.make(session, office.desk, row.id or 0)
    await pages.get(late)
    page = (await pages.post(late)).text
    assert "김하늘" not in page and "처리가 끝났습니다" in page
    for form in FORMS:
        assert (await pages.get(f"{late}/{form}")).status_code == 410
    assert path != late


async def test_the_opening_and_each_file_leave_a_receipt(
    pages: Browser, opened: Opened, office: Office
) -> None:
    path = await opened()
    await pages.get(f"{path}/pdf")
    await secret_of(pages, path)
    for _ in range(2):
        await pages.get(f"{path}/archive")
    [export] = await office.all(Export)
    assert list(export.receipts) == ["page", "pdf", "archive"]
    assert export.opened_at == office.clock()
    steps = [row for row in await office.all(History) if row.event == "receipt"]
    told = [step.facts["reason"] for step in steps]
    assert told == ["receipt_page", "receipt_pdf", "receipt_archive"]
    assert all(s.before == s.after == "done" and s.actor == "member" for s in steps)
    audit = [row for row in await office.all(Audit) if row.action == "export_open"]
    assert [row.facts["form"] for row in audit] == ["page", "pdf", "archive", "archive"]
    assert {row.subject_id for row in audit} == {"1001"}
    assert await office.state() == "done"


async def test_a_long_table_has_pages(pages: Browser, opened: Opened, office: Office) -> None:
    for number in range(120):
        await office.sql(
            "INSERT INTO access_log (member_id, ip_address, cookie_id, path, accessed_at)"
            " VALUES (1001, '192.0.2.7', 'c', :path, '2026-11-01 03:04:05.000000')",
            path=f"/p/{number}",
        )
    path = await opened()
    found = search(rf'href="({path}/tables/\d+)"', (await pages.get(path)).text)
    assert found is not None
    assert "/p/119" not in (await pages.get(found[1])).text
    last = (await pages.get(found[1], page="2")).text
    assert "/p/119" in last and "2 / 2" in last
    assert (await pages.get(f"{path}/tables/99")).status_code == 404


async def test_an_english_member_reads_english(pages: Browser, opened: Opened) -> None:
    path = await opened(EN)
    page = (await pages.get(path)).text
    for shown in ("Your personal data", "Dana Whitfield", "5. What you agreed to", "PDF"):
        assert shown in page
    korean = (await pages.get(path, lang="ko")).text
    assert "동의한 사실과 내용" in korean and "회원 기본 정보" in korean
    text = (await pages.get(f"{path}/pdf")).content
    assert "개인정보 열람 결과" in pypdf.PdfReader(io.BytesIO(text)).pages[0].extract_text()


async def test_five_items_stand_on_the_page(pages: Browser, opened: Opened) -> None:
    page = (await pages.get(await opened())).text
    for name in ("items", "purposes", "retention", "provision", "consents", "files"):
        assert f'id="{name}"' in page
    for shown in ("수집·이용의 목적", "보유·이용 기간", "제3자 제공 현황", "동의한 사실과 내용"):
        assert shown in page
