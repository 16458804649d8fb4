"""Journeys of guardians and proxies: from a mail with a paper to the answer, over the console's forms."""

import re
from datetime import timedelta
from email.message import EmailMessage

import pytest
from browsers import Browser, browser
from desks import ACCESS, CORRECT, DESK, NEW_ADDRESS, SERVER, MakeDesk, Office
from page_links import page_of
from signing import signed

from subjectline.intake.pages import create_pages
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import Mandate, Request

PROXY = "guardian@family.test"
CHILD, GROWN = "2014-05-05", "1988-03-02"
Fields = dict[str, str | list[str]]
ATTORNEY: Fields = {
    "kind": "attorney",
    "proxy": "문보라",
    "member": "1001",
    "rights": ["access"],
    "expires_on": "2026-12-31",
    "contact_checked": "reply",
}
GUARDIAN: Fields = ATTORNEY | {
    "kind": "guardian",
    "proxy": "김보호",
    "rights": ["access", "correction"],
    "expires_on": "",
    "consent_by": "김보호",
    "consent_on": "2026-11-20",
    "consent_how": "phone",
}


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    return await make_desk()


async def arrives(office: Office, words: str, born: str) -> Request:
    """Somebody writes for the member, with a paper, and answers our code."""
    await office.sql("UPDATE member SET birth_date = :day WHERE member_id = 1001", day=born)
    mail = EmailMessage()
    mail["Authentication-Results"] = f"{SERVER}; dmarc=pass header.from=family.test"
    mail["From"], mail["To"], mail["Message-ID"] = PROXY, DESK, "<1@family.test>"
    mail.set_content(words)
    mail.add_attachment(b"%PDF-1.4 paper", maintype="application", subtype="pdf", filename="p.pdf")
    await office.arrives(mail.as_bytes())
    await office.mail(PROXY, "네", answers=office.last(PROXY))
    return await office.request()


async def recorded(console: Browser, reference: str, said: Fields) -> str:
    """Fills the form on the proxy page; gives the path of the mandate."""
    path = f"/requests/{reference}/proxy"
    page = (await console.get(path)).text
    file = re.search(r'name="file" value="([0-9a-z]{13})"', page)
    assert file is not None
    await console.post(path, **{"file": file[1], **said})
    found = re.search(rf'action="({path}/[0-9a-z]{{13}})/accept"', console.page)
    assert found is not None, "the form was refused"
    return found[1]


def link_in(text: str) -> str:
    found = re.search(r"https://[^/]+(/m/\S+)", text)
    assert found is not None
    return found[1]


async def going(office: Office) -> Request:
    """The request that was opened as the member's."""
    (found,) = [r for r in await office.all(Request) if r.subject_id]
    return found


async def test_a_guardian_corrects_a_childs_address(console: Browser, office: Office) -> None:
    first = await arrives(office, CORRECT, CHILD)
    path = await recorded(console, first.reference, GUARDIAN)
    page = await console.post(f"{path}/accept")
    assert "승인했습니다" in page.text
    await office.work()
    request = await signed(office, await going(office))
    assert (request.state, request.level, request.subject_id) == ("done", "document", "1001")
    sql = "SELECT shipping_address FROM profile WHERE member_id = 1001"
    assert await office.sql(sql) == [(NEW_ADDRESS,)]
    assert NEW_ADDRESS in office.last(PROXY).text
    child = office.tray.to(KO_MEMBER.email)
    assert len(child) == 1 and "가까운 어른" in child[0].text
    assert NEW_ADDRESS not in child[0].text and "김보호" not in child[0].subject


async def test_a_proxys_access_goes_to_the_proxy(console: Browser, office: Office) -> None:
    first = await arrives(office, ACCESS, GROWN)
    await console.post(f"{await recorded(console, first.reference, ATTORNEY)}/accept")
    await office.work()
    request = await signed(office, await going(office))
    assert request.state == "done"
    answer = office.last(PROXY)
    pages = browser(create_pages(office.desk))
    path = link_in(answer.text)
    await pages.get(path)
    assert KO_MEMBER.name in (await pages.post(path)).text
    await pages.http.aclose()
    assert len(office.tray.to(KO_MEMBER.email)) == 1  # told, and nothing more


@pytest.mark.long
async def test_a_scope_that_is_too_small_and_one_that_is_over(
    console: Browser, office: Office
) -> None:
    first = await arrives(office, CORRECT, GROWN)
    path = await recorded(console, first.reference, ATTORNEY)
    page = await console.post(f"{path}/accept")
    assert page.status_code == 403
    await console.get(f"/requests/{first.reference}/proxy")
    late = await recorded(
        console, first.reference, {**ATTORNEY, "rights": ["correction"], "expires_on": "2026-11-24"}
    )
    office.clock.advance(timedelta(days=2))
    await console.sign_in("bora")
    await console.get(f"/requests/{first.reference}/proxy")
    assert (await console.post(f"{late}/accept")).status_code == 403
    assert {r.subject_id for r in await office.all(Request)} == {None}
    assert not office.tray.to(KO_MEMBER.email)


async def test_the_member_stops_it_from_the_letter(console: Browser, office: Office) -> None:
    first = await arrives(office, ACCESS, GROWN)
    await console.post(f"{await recorded(console, first.reference, ATTORNEY)}/accept")
    await office.work()
    path = link_in(office.last(KO_MEMBER.email).text)
    member = browser(create_pages(office.desk))
    await member.get(path)
    assert "문보라" not in member.page  # a scanner that follows the link learns nothing
    assert "문보라" in (await member.post(path)).text
    assert (await member.http.post(f"{path}/proxy")).status_code == 403  # not a form of the page
    stranger = browser(create_pages(office.desk))
    assert (await stranger.http.post(f"{path}/proxy")).status_code == 410
    assert "멈추었습니다" in (await member.post(f"{path}/proxy")).text
    assert (await going(office)).state == "withdrawn"
    (mandate,) = await office.all(Mandate)
    assert (mandate.state, mandate.stopped_by) == ("stopped", "member")
    for one in (member, stranger):
        await one.http.aclose()


@pytest.mark.long
async def test_another_link_opens_no_page_about_proxies(console: Browser, office: Office) -> None:
    first = await arrives(office, ACCESS, GROWN)
    await console.post(f"{await recorded(console, first.reference, ATTORNEY)}/accept")
    path = await page_of(office, "status", (await going(office)).id or 0)
    pages = browser(create_pages(office.desk))
    await pages.get(path)
    await pages.post(path)
    assert (await pages.get(f"{path}/proxy")).status_code == 409
    await pages.http.aclose()


async def test_a_form_that_lacks_something_is_shown_again(console: Browser, office: Office) -> None:
    first = await arrives(office, ACCESS, CHILD)
    path = f"/requests/{first.reference}/proxy"
    await console.get(path)
    page = await console.post(path, **ATTORNEY, place="서랍 2")
    assert page.status_code == 403 and "문보라" in page.text  # under 14 the guardian acts
    page = await console.post(path, **{**GUARDIAN, "consent_how": ""}, place="서랍 2")
    assert page.status_code == 422 and 'value="김보호"' in page.text
    assert not await office.all(Mandate)


async def test_the_proxys_own_page_shows_the_stage(console: Browser, office: Office) -> None:
    """The letter to the member is named there too; what it says is not."""
    first = await arrives(office, ACCESS, GROWN)
    await console.post(f"{await recorded(console, first.reference, ATTORNEY)}/accept")
    await office.work()
    path = await page_of(office, "status", (await going(office)).id or 0)
    pages = browser(create_pages(office.desk))
    await pages.get(path)
    page = await pages.post(path)
    assert page.status_code == 200 and KO_MEMBER.email not in page.text
    await pages.http.aclose()
