"""The page behind a one-time link: who opens it, how often, and what it shows."""

import logging
from datetime import timedelta

import pytest
from browsers import KO, Browser, actions, app_of, asks, browser
from desks import Office, agent

from subjectline.handlers import decisions, links
from subjectline.intake.pages import create_pages
from subjectline.models.errors import SpentProof
from subjectline.models.tables import Export, Link, Proposal


async def link_to_export(office: Office) -> str:
    """An approved access; gives the path of a link to its page."""
    await asks(office, KO, "제 개인정보를 열람하고 싶습니다.")
    proposal = (await office.all(Proposal))[-1]
    await decisions.approve(office.desk, proposal.sha256, agent())
    await office.work()
    return await new_link(office)


async def new_link(office: Office, purpose: str = "result") -> str:
    row = await office.request()
    async with office.desk.write() as session:
        return "/m/" + await links.make(session, office.desk, row.id or 0, purpose)


async def test_looking_spends_nothing(pages: Browser, office: Office) -> None:
    path = await link_to_export(office)
    for _ in range(3):
        response = await pages.get(path)
        assert response.status_code == 200
        assert "김하늘" not in response.text
    assert (await office.all(Link))[-1].opened_at is None


async def test_the_press_shows_the_rows_once(pages: Browser, office: Office) -> None:
    path = await link_to_export(office)
    await pages.get(path)
    page = (await pages.post(path)).text
    for shown in ("회원 기본 정보", "김하늘", KO, "이용 목적", "보유 기간", "제공·위탁받는 곳"):
        assert shown in page
    assert "+00:00" not in page  # times as people read them
    assert "link_open" in await actions(office)
    other = browser(app_of(create_pages, office.desk))
    for response in (await other.get(path), await other.post(path)):
        assert response.status_code == 410
        assert "이 링크로는 더 이상 열 수 없습니다" in response.text
        assert "privacy@moment-pick.test" in response.text  # the way out
    await other.http.aclose()


async def test_the_same_browser_may_look_again_for_half_an_hour(
    pages: Browser, office: Office
) -> None:
    path = await link_to_export(office)
    await pages.get(path)
    await pages.post(path)
    office.clock.advance(timedelta(minutes=29))
    assert "김하늘" in (await pages.get(path)).text
    office.clock.advance(timedelta(minutes=2))
    assert (await pages.get(path)).status_code == 410


async def test_a_week_old_link_is_spent(pages: Browser, office: Office) -> None:
    path = await link_to_export(office)
    office.clock.advance(links.LIVES + timedelta(seconds=1))
    assert (await pages.get(path)).status_code == 410
    assert (await pages.post(path)).status_code == 410


async def test_one_link_opens_one_request_only(office: Office) -> None:
    path = await link_to_export(office)
    second = await new_link(office)
    opened = await links.spend(office.desk, path.removeprefix("/m/"))
    with pytest.raises(SpentProof):
        await links.again(office.desk, second.removeprefix("/m/"), opened.cookie)
    with pytest.raises(SpentProof):
        await links.spend(office.desk, path.removeprefix("/m/"))


async def test_unknown_and_spent_read_the_same(pages: Browser, office: Office) -> None:
    path = await link_to_export(office)
    await links.spend(office.desk, path.removeprefix("/m/"))
    spent, unknown = await pages.get(path), await pages.get("/m/never-was")
    assert spent.status_code == unknown.status_code == 410
    assert spent.text == unknown.text


async def test_a_link_to_the_stage_shows_no_data(pages: Browser, office: Office) -> None:
    await link_to_export(office)
    path = await new_link(office, "status")
    await pages.get(path)
    page = (await pages.post(path)).text
    assert "처리가 끝났습니다" in page
    assert "김하늘" not in page


async def test_a_destroyed_export_leaves_the_stage(pages: Browser, office: Office) -> None:
    path = await link_to_export(office)
    assert len(await office.all(Export)) == 1
    office.desk.vault.destroy((await office.request()).key_id, office.clock())
    await pages.get(path)
    response = await pages.post(path)
    assert response.status_code == 200
    assert "김하늘" not in response.text


async def test_the_token_stands_in_no_log(
    pages: Browser, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    path = await link_to_export(office)
    with caplog.at_level(logging.INFO, "subjectline"):
        await pages.get(path)
        await pages.post(path)
        await pages.get("/m/never-was")
    assert "/m/{token}" in caplog.text
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("subjectline")]
    assert ours and not any(path.removeprefix("/m/") in line for line in ours)


async def test_the_token_is_kept_as_a_hash(office: Office) -> None:
    path = await link_to_export(office)
    token = path.removeprefix("/m/")
    assert token.encode() not in (await office.all(Link))[-1].token_hash
    for file in office.folder.glob("desk.db*"):  # none where the desk is on PostgreSQL
        assert token.encode() not in file.read_bytes()


async def test_the_page_is_shut_to_scripts_and_caches(pages: Browser, office: Office) -> None:
    headers = (await pages.get(await link_to_export(office))).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]


async def test_a_form_of_another_site_spends_nothing(pages: Browser, office: Office) -> None:
    path = await link_to_export(office)
    response = await pages.http.post(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert (await pages.get(path)).status_code == 200


async def test_english_readers_get_english(pages: Browser, office: Office) -> None:
    path = await link_to_export(office)
    response = await pages.get(path, lang="en")
    assert "What you asked for is ready" in response.text
