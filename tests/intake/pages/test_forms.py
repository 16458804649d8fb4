"""What a member does on a secure page: codes, values, a yes or no, taking a request back."""

import re
from datetime import timedelta

import pytest
from browsers import EN, KO, Browser, actions, asks, browser
from desks import ACCESS, CORRECT, LEAVE, MakeDesk, Office, code_in
from page_links import OpenPage, page_of

from subjectline.handlers import links
from subjectline.handlers.identity_limits import CODES_AN_HOUR, TRIES
from subjectline.handlers.wishes import wish_of
from subjectline.intake.pages import create_pages
from subjectline.models.tables import Challenge, Link, Message, Proposal

ASK_PHONE = "제 전화번호를 정정해 주세요."
ASK_ADDRESS = "제 배송지를 정정해 주세요."
NEW = "부산시 수영구 파도로 12, 3층"
STRANGER = "nobody@mail.test"


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    return await make_desk()


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def test_the_code_on_the_page_proves(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await office.mail(KO, CORRECT)
    code = code_in(office.last(KO))
    path = await open_page("code")
    assert "확인번호 여섯 자리" in pages.page
    spelled = f" {code[:3]} {code[3:]} "
    page = (await pages.post(f"{path}/code", code=spelled)).text
    assert "본인 확인이 끝났습니다" in page
    assert (await office.request()).level == "contact" and await office.state() == "open"
    assert "page_code" in await actions(office)


async def test_a_wrong_code_costs_a_try_and_a_typo_none(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await office.mail(KO, CORRECT)
    code, letters = code_in(office.last(KO)), len(office.tray.parcels)
    path = await open_page("code")
    assert (await pages.post(f"{path}/code", code="12 34")).status_code == 422
    assert (await office.all(Challenge))[-1].tries == 0
    for left in range(TRIES - 1, 0, -1):
        page = await pages.post(f"{path}/code", code=wrong(code))
        assert page.status_code == 422 and f"앞으로 {left}번" in page.text
    assert "더 이상 쓸 수 없습니다" in (await pages.post(f"{path}/code", code=wrong(code))).text
    mine = pages.hidden(f"{path}/new-code")
    assert "더 이상 쓸 수 없습니다" in (await pages.post(f"{path}/code", code=code, **mine)).text
    await office.work()
    assert len(office.tray.parcels) == letters  # told on the page, not by mail
    assert await office.state() == "verifying"


async def test_a_new_code_within_the_limits(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await office.mail(KO, CORRECT)
    old = code_in(office.last(KO))
    path = await open_page("code")
    for _ in range(CODES_AN_HOUR - 1):
        assert "새 확인번호를 보내 드렸습니다" in (await pages.post(f"{path}/new-code")).text
    await office.work()
    assert "너무 여러 번" in (await pages.post(f"{path}/new-code")).text
    assert (await pages.post(f"{path}/code", code=old)).status_code == 422
    await pages.post(f"{path}/code", code=code_in(office.last(KO)))
    assert await office.state() == "open"


async def test_a_new_contact_is_proven_on_the_page(texting: Office) -> None:
    new = "+821000004321"
    await asks(texting, EN, "Please change my phone number to 010-0000-4321.")
    assert await texting.state() == "waiting"
    old = code_in(texting.last(new))
    member = browser(create_pages(texting.desk), "en")
    path = await page_of(texting, "code")
    await member.get(path)
    await member.post(path)
    assert "the new contact" in member.page and "4321" not in member.page
    assert "A new code is on its way" in (await member.post(f"{path}/new-code")).text
    await texting.work()
    assert (await member.post(f"{path}/code", code=old)).status_code == 422
    await member.post(f"{path}/code", code=code_in(texting.last(new)))
    await texting.work()
    assert await texting.state() == "proposed"
    await member.http.aclose()


async def test_known_and_unknown_read_the_same(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    said = []
    for sender in (KO, STRANGER):
        await office.mail(sender, CORRECT)
        code = code_in(office.last(sender))
        path = await open_page("code")
        seen = [pages.page, (await pages.post(f"{path}/code", code=wrong(code))).text]
        seen.append((await pages.post(f"{path}/new-code")).text)
        reference = (await office.request()).reference
        said.append([_plain(page, path, reference) for page in seen])
    assert said[0] == said[1]


def _plain(page: str, path: str, reference: str) -> str:
    page = page.replace(path, "/m/x").replace(reference, "SL-x")
    return re.sub(r'name="(form|version)" value="[^"]*"', "", page)


async def test_a_link_takes_the_code_of_its_own_request_only(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await office.mail(KO, CORRECT)
    first = (await office.request()).id or 0
    await office.mail(KO, ACCESS)
    path = await open_page("code", first)
    await pages.post(f"{path}/code", code=code_in(office.last(KO)))
    assert {row.state for row in await office.all(Challenge)} <= {"open", "replaced"}


async def test_a_new_value_is_asked_checked_read_back_and_kept(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await asks(office, KO, ASK_ADDRESS)
    assert await office.state() == "waiting"
    path = await open_page("confirm")
    [[kept]] = await office.sql("SELECT shipping_address FROM profile WHERE member_id = 1001")
    assert kept not in pages.page and kept.split()[0] in pages.page  # covered
    bad = await pages.post(f"{path}/values", do="check", **{"value.shipping_address": "ㅇ"})
    assert bad.status_code == 422
    assert "도로명과 건물 번호까지" in bad.text and 'aria-invalid="true"' in bad.text
    read = (await pages.post(f"{path}/values", do="check", **{"value.shipping_address": NEW})).text
    assert NEW in read and await office.state() == "waiting"
    await pages.post(f"{path}/values", do="keep")
    await office.work()
    row = await office.request()
    assert wish_of(office.desk, row)["new"] == {"shipping_address": NEW} and row.state == "proposed"
    assert (await office.all(Proposal))[-1].touched is False
    page_message = (await office.all(Message, Message.door == "page"))[-1]
    assert NEW in office.desk.vault.text(page_message.text)
    assert "view_covered" in await actions(office)


async def test_before_proof_nothing_of_the_registry_is_shown(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await office.mail(KO, ASK_PHONE)
    path = await open_page("confirm")
    assert "확인번호 여섯 자리" in pages.page and "view_covered" not in await actions(office)
    form = {**pages.hidden(f"{path}/code"), "do": "check", "value.phone": "010-0000-1234"}
    answer = await pages.post(f"{path}/values", **form)
    assert answer.status_code == 422 and "010-" not in answer.text


async def test_a_resident_number_is_not_taken(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await asks(office, KO, ASK_ADDRESS)
    path = await open_page("confirm")
    number = "900101-1234567"
    page = await pages.post(
        f"{path}/values", do="check", **{"value.shipping_address": f"부산시 파도로 {number}"}
    )
    assert page.status_code == 422 and number not in page.text
    assert "주민등록번호는 빼고 다시 적어" in page.text


async def test_leaving_is_confirmed_on_the_page(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await asks(office, KO, LEAVE)
    path = await open_page("confirm")
    assert "정말 탈퇴하시겠습니까?" in pages.page and "전자상거래" in pages.page
    await pages.post(f"{path}/answer", answer="yes")
    assert wish_of(office.desk, await office.request())["confirmed"] == "confirm_leaving"


async def test_no_keeps_the_membership(pages: Browser, office: Office, open_page: OpenPage) -> None:
    await asks(office, KO, LEAVE)
    path = await open_page("confirm")
    await pages.post(f"{path}/answer", answer="no")
    assert await office.state() == "withdrawn"


async def test_the_stage_and_taking_it_back(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    reference = await asks(office, KO, CORRECT)
    path = await open_page("status")
    for shown in (reference, "처리 기한", "본인 확인 안내", "접수 안내", "배송지", "메일"):
        assert shown in pages.page, shown
    assert "수영구" not in pages.page  # no value stands on it
    await pages.get(f"{path}/withdraw")
    assert await office.state() == "proposed"
    page = (await pages.post(f"{path}/withdraw")).text
    assert "요청을 취소했습니다" in page and await office.state() == "withdrawn"
    assert f"{path}/withdraw" not in page


async def test_a_stage_that_moved_on_is_not_taken_back(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await asks(office, KO, CORRECT)
    path = await open_page("status")
    await pages.get(f"{path}/withdraw")
    seen = pages.hidden(f"{path}/withdraw")
    await office.mail(KO, "한 가지 더 말씀드립니다.", answers=office.last(KO))
    page = (await pages.post(f"{path}/withdraw", **seen)).text
    assert "단계가 바뀌었습니다" in page and await office.state() == "proposed"


async def test_a_form_without_its_token_does_nothing(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await asks(office, KO, CORRECT)
    path = await open_page("status")
    for form in ({"form": "guessed", "version": "3"}, {"version": "3"}):
        assert (await pages.http.post(f"{path}/withdraw", data=form)).status_code == 403
    await pages.get(f"{path}/withdraw")
    mine = pages.hidden(f"{path}/withdraw")
    cross = {"Sec-Fetch-Site": "cross-site"}
    answer = await pages.http.post(f"{path}/withdraw", data=mine, headers=cross)
    assert answer.status_code == 403
    other = browser(create_pages(office.desk))
    assert (await other.http.post(f"{path}/withdraw", data=mine)).status_code == 410
    await other.http.aclose()
    assert await office.state() == "proposed"


async def test_a_link_opens_what_it_is_for(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await asks(office, KO, ASK_ADDRESS)
    path = await open_page("status")
    assert "value.shipping_address" not in pages.page
    for name, form in (
        ("values", {"value.shipping_address": NEW, "do": "keep"}),
        ("answer", {"answer": "yes"}),
    ):
        await pages.get(f"{path}/withdraw")
        mine = pages.hidden(f"{path}/withdraw")
        await pages.http.post(f"{path}/{name}", data={**mine, **form})
    assert await office.state() == "waiting"


async def test_a_proof_elsewhere_shows_nothing_to_a_link_for_a_code(
    pages: Browser, office: Office, open_page: OpenPage
) -> None:
    await office.mail(KO, ASK_ADDRESS)
    letter = office.last(KO)
    await open_page("code")
    await office.mail(KO, code_in(letter), answers=letter)
    assert await office.state() == "waiting"
    path = await open_page("code")
    assert "value.shipping_address" not in (await pages.get(path)).text
    await pages.get(f"{path}/withdraw")
    form = {**pages.hidden(f"{path}/withdraw"), "value.shipping_address": NEW}
    await pages.http.post(f"{path}/values", data={**form, "do": "check"})
    await pages.http.post(f"{path}/values", data={**form, "do": "keep"})
    assert "view_covered" not in await actions(office) and await office.state() == "waiting"


async def test_looking_spends_nothing_whatever_it_is_for(pages: Browser, office: Office) -> None:
    await office.mail(KO, CORRECT)
    for purpose, lives in links.PURPOSES.items():
        path = await page_of(office, purpose)
        response = await pages.get(path)
        assert response.status_code == 200 and response.headers["cache-control"] == "no-store"
        assert (await office.all(Link))[-1].opened_at is None
        office.clock.advance(lives.lives + timedelta(seconds=1))
        assert (await pages.get(path)).status_code == 410, purpose


async def test_english_on_the_switch(pages: Browser, office: Office, open_page: OpenPage) -> None:
    await office.mail(EN, "Please change my shipping address.")
    path = await open_page("code")
    assert "Six digits" in pages.page and 'lang="en"' in pages.page
    assert "확인번호 여섯 자리" in (await pages.get(f"{path}/code", lang="ko")).text
