"""The stop page: looking changes nothing, other sites cannot press, other pages' links do not open it."""

import httpx
import pytest
from desks import Office, agent, stop_token

from subjectline.handlers import decisions, links
from subjectline.intake.pages.app import create_pages
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import Proposal

ME = KO_MEMBER.email


@pytest.fixture
async def waiting(texting: Office) -> Office:
    """A bank account is approved and waits; every contact has its link."""
    await texting.mail(ME, "제 계좌번호를 000-123-456789로 바꿔 주세요.")
    await texting.mail(ME, "네", answers=texting.last(ME))
    [proposal] = await texting.all(Proposal)
    await decisions.approve(texting.desk, proposal.sha256, agent())
    await texting.work()
    return texting


def browser(office: Office) -> httpx.AsyncClient:
    app = create_pages(office.desk)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk.test")


async def test_scanners_that_follow_links_stop_nothing(waiting: Office) -> None:
    path = f"/m/stop/{stop_token(waiting.last(ME))}"
    async with browser(waiting) as pages:
        for _ in range(3):
            assert (await pages.get(path)).status_code == 200
        assert (await pages.head(path)).status_code in (200, 405)
        assert await waiting.state() == "applying"
        english = await pages.get(f"{path}?lang=en")
        assert "Stop this change" in english.text and "account number" in english.text


async def test_another_site_cannot_press(waiting: Office) -> None:
    path = f"/m/stop/{stop_token(waiting.last(ME))}"
    async with browser(waiting) as pages:
        told = {"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"}
        assert (await pages.post(path, headers=told)).status_code == 403
        assert await waiting.state() == "applying"
        pressed = await pages.post(path, headers={"Sec-Fetch-Site": "same-origin"})
        assert "멈추었습니다" in pressed.text and await waiting.state() == "open"


async def test_no_link_opens_the_others_page(waiting: Office) -> None:
    token = stop_token(waiting.last(ME))
    async with waiting.desk.write() as session:
        request = await waiting.request()
        result = await links.make(session, waiting.desk, request.id or 0, "status")
    async with browser(waiting) as pages:
        assert (await pages.get(f"/m/{token}")).status_code == 410
        assert (await pages.post(f"/m/{token}")).status_code == 410
        assert (await pages.get(f"/m/stop/{result}")).status_code == 410
        assert (await pages.post(f"/m/stop/{result}")).status_code == 410
    assert await waiting.state() == "applying"
