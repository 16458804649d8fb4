"""A recipient's page: opening it shows no value and acknowledges nothing, a press does, and only once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from desks import NEW_ADDRESS, agent
from signing import signed
from sqlalchemy import update
from told import MAIL, Telephone, proven_once, reopened

from subjectline.handlers import recipients_chased
from subjectline.intake.pages.app import create_pages
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.datamap import DataMap
from subjectline.models.recipient_settings import Reach, RecipientSettings
from subjectline.models.tables import Audit, Telling

__all__ = ["proven_once"]

POST = "post_office"


@pytest.fixture
async def told(proven_once: Path, sample_map: DataMap, tmp_path: Path) -> AsyncIterator[Telephone]:
    """The post office has a mail about a corrected address."""
    phone = reopened(proven_once, tmp_path / "told", sample_map)
    reach = RecipientSettings(reach={POST: Reach(mail=MAIL, language="en")})
    phone.office.desk = replace(phone.office.desk, recipients=reach)
    async with phone.office.desk.write() as session:
        await session.exec(update(Telling).values(way="mail"))
    await phone.tell()
    await signed(phone.office)
    await phone.tell()
    yield phone
    await phone.office.close()


def browser(phone: Telephone) -> httpx.AsyncClient:
    app = create_pages(phone.office.desk)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk.test")


def path(phone: Telephone) -> str:
    [link] = [word for word in phone.letters.parcels[-1].text.split() if "/m/told/" in word]
    return httpx.URL(link).path


async def looks(phone: Telephone) -> list[str]:
    rows = await phone.office.all(Audit)
    return [row.action for row in rows if row.account == f"recipient:{POST}"]


async def test_a_scanner_that_follows_the_link_learns_and_acknowledges_nothing(
    told: Telephone,
) -> None:
    async with browser(told) as pages:
        for _ in range(3):
            page = await pages.get(path(told))
            assert page.status_code == 200 and NEW_ADDRESS not in page.text
            assert KO_MEMBER.name not in page.text and "It is done" in page.text
        assert (await pages.head(path(told))).status_code in (200, 405)
    row = await told.row(POST)
    assert (row.outcome, row.acknowledged_at) == ("sent", None) and await looks(told) == []


async def test_one_button_shows_the_other_acknowledges(told: Telephone) -> None:
    async with browser(told) as pages:
        shown = await pages.post(path(told), data={"show": "yes"})
        assert NEW_ADDRESS in shown.text and (await told.row(POST)).outcome == "sent"
        done = await pages.post(path(told), data={"done": "yes"})
        assert "Acknowledged" in done.text and NEW_ADDRESS not in done.text
        first = await told.row(POST)
        told.office.clock.advance(timedelta(hours=1))
        again = await pages.post(path(told), data={"done": "yes"})
        late = await pages.post(path(told), data={"show": "yes"})
        assert "Acknowledged" in again.text and NEW_ADDRESS not in late.text
    row = await told.row(POST)
    assert (row.outcome, row.acknowledged_by) == ("acknowledged", "link")
    assert row.acknowledged_at == first.acknowledged_at and row.content is None
    assert await looks(told) == ["recipient_saw_values", "recipient_acknowledged"]


async def test_another_site_cannot_press_and_a_wrong_form_does_nothing(told: Telephone) -> None:
    async with browser(told) as pages:
        foreign = {"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"}
        pressed = await pages.post(path(told), data={"done": "yes"}, headers=foreign)
        assert pressed.status_code == 403
        assert (await pages.post(path(told))).status_code == 422
    assert (await told.row(POST)).outcome == "sent"


async def test_no_other_link_opens_it_and_an_old_one_neither(told: Telephone) -> None:
    async with browser(told) as pages:
        assert (await pages.get("/m/told/" + "a" * 43)).status_code == 410
        assert (await pages.get(path(told).replace("/told/", "/"))).status_code == 410
        told.office.clock.advance(timedelta(days=94))
        assert (await pages.get(path(told))).status_code == 410


async def test_the_token_of_one_notice_does_not_open_another(told: Telephone) -> None:
    """Each is derived from its notice's id under a key that the desk alone has."""
    first, last = await told.rows(POST)
    assert first.token_hash != last.token_hash
    links = {word for p in told.letters.parcels for word in p.text.split() if "/m/told/" in word}
    assert len(links) == 2 and not any(last.notice_id in link for link in links)


async def test_a_link_that_a_later_notice_overtook_asks_for_nothing(told: Telephone) -> None:
    """The mail of the hold still lies there after that of its end: who opens it must not obey it."""
    held, _ = told.letters.parcels
    [link] = [word for word in held.text.split() if "/m/told/" in word]
    async with browser(told) as pages:
        page = await pages.get(httpx.URL(link).path)
        assert page.status_code == 200 and "It is done" not in page.text
        done = await pages.post(httpx.URL(link).path, data={"done": "yes"})
    assert done.status_code == 200
    hold, end = await told.rows(POST)
    assert (hold.outcome, end.outcome) == ("acknowledged", "sent")


async def test_told_again_after_months_its_link_opens(told: Telephone) -> None:
    told.office.clock.advance(timedelta(days=120))
    row = await told.row(POST)
    await recipients_chased.tell_again(told.office.desk, row.request_id, row.notice_id, agent())
    await told.tell()
    async with browser(told) as pages:
        assert (await pages.get(path(told))).status_code == 200
