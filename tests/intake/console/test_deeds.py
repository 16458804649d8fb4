"""What agents do on a request's page, and what two of them do to each other."""

import pytest
from browsers import EN, KO, Browser, asks
from desks import Office

from subjectline.models.datamap.parts import Bilingual, Manual
from subjectline.models.tables import Proposal, Request

ADDRESS = "배송지 주소를 서울특별시 보기구 새길 12, 3층으로 바꿔 주세요."


async def proposal(office: Office) -> Proposal:
    return (await office.all(Proposal))[-1]


async def test_an_approval_corrects_the_row(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    here = f"/requests/{reference}"
    await console.get(here)
    response = await console.post(f"{here}/approve")
    assert response.url.path == here
    assert "승인했습니다" in response.text
    await staffed.work()
    rows = await staffed.sql("SELECT shipping_address FROM profile WHERE member_id = 1001")
    assert rows == [("서울특별시 보기구 새길 12, 3층",)]
    assert await staffed.state() == "done"
    assert "처리 완료" in (await console.get(here)).text


async def test_a_note_is_shown_once(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    await console.get(f"/requests/{reference}")
    assert "담당자가 되었습니다" in (await console.post(f"/requests/{reference}/take")).text
    page = (await console.get(f"/requests/{reference}")).text
    assert "담당자가 되었습니다" not in page
    assert "한보라" in page


async def test_the_second_agent_is_told_what_changed(
    console: Browser, second: Browser, staffed: Office
) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    here = f"/requests/{reference}"
    await console.get(here)
    await second.get(here)
    await console.post(f"{here}/send-back", reason="주소를 다시 확인해 주세요.")
    response = await second.post(f"{here}/approve")
    assert response.status_code == 409
    for told in ("Somebody was faster", "sent back", "한보라", f'href="{here}"'):
        assert told in response.text
    assert await staffed.state() == "open"


async def test_what_was_typed_is_not_lost(
    console: Browser, second: Browser, staffed: Office
) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    here = f"/requests/{reference}"
    await second.get(here)
    await console.get(here)
    await console.post(f"{here}/send-back", reason="다시")
    words = "Which floor is it?"
    response = await second.post(f"{here}/send-back", reason=words)
    assert response.status_code == 409
    assert words in response.text


async def test_a_refusal_needs_a_ground_and_an_approval(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    here = f"/requests/{reference}"
    await console.get(here)
    response = await console.post(f"{here}/propose", outcome="refuse", note="기록이 맞습니다.")
    assert response.status_code == 422
    assert "기록이 맞습니다." in response.text
    assert await staffed.state() == "proposed"
    await console.get(here)
    response = await console.post(
        f"{here}/propose", outcome="refuse", ground="not_incorrect", note="기록이 맞습니다."
    )
    assert "거절 승인하고 보내기" in response.text
    assert (await proposal(staffed)).outcome == "refuse"


async def test_what_a_person_wrote_needs_two_agents(
    console: Browser, second: Browser, staffed: Office
) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    here = f"/requests/{reference}"
    edit = await console.get(f"{here}/edit")
    assert "새길 12, 3층" in edit.text
    value = {"value.shipping_address": "서울특별시 보기구 새길 12, 4층"}
    await console.post(f"{here}/propose", outcome="fulfil", **value)
    made = await proposal(staffed)
    assert (made.touched, made.needs) == (True, 2)
    response = await console.post(f"{here}/approve")
    assert "다른 담당자의 서명" in response.text
    assert await staffed.state() == "proposed"
    await second.get(here)
    await second.post(f"{here}/approve")
    await staffed.work()
    assert await staffed.state() == "done"


async def test_the_same_agent_cannot_sign_twice(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    here = f"/requests/{reference}"
    await console.get(f"{here}/edit")
    await console.post(f"{here}/propose", outcome="fulfil", note="확인했습니다.")
    token = console.hidden(f"{here}/approve")
    await console.post(f"{here}/approve")
    response = await console.post(f"{here}/approve", **token)
    assert response.status_code == 403
    assert "바뀐 것은 없습니다" in response.text


async def test_a_new_phone_waits_for_its_proof(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, EN, "Please change my phone number to 010-0000-7788.")
    here = f"/requests/{reference}"
    assert "통화·서류·확인 번호" in (await console.get(here)).text
    await console.get(f"{here}/edit")
    await console.post(f"{here}/propose", outcome="fulfil", new_contact_proof="call")
    assert await staffed.state() == "proposed"


async def test_a_value_that_the_field_cannot_take(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, EN, "Please change my phone number to 010-0000-7788.")
    here = f"/requests/{reference}"
    await console.get(f"{here}/edit")
    response = await console.post(
        f"{here}/propose", new_contact_proof="call", **{"value.phone": "010-ABCD-7788"}
    )
    assert response.status_code == 422
    assert "바뀐 것은 없습니다" in response.text
    assert await staffed.state() == "open"


async def test_a_question_goes_to_the_person(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    here = f"/requests/{reference}"
    await console.get(here)
    response = await console.post(f"{here}/ask", note="몇 층인지 다시 알려 주시겠어요?")
    assert "질문을 보냈습니다" in response.text
    await staffed.work()
    assert "몇 층인지" in staffed.last(KO).text
    assert await staffed.state() == "waiting"


async def test_papers_prove_who_it_is(console: Browser, staffed: Office) -> None:
    await staffed.mail("elsewhere@mail.test", "제 개인정보를 열람하고 싶습니다.")
    reference = (await staffed.request()).reference
    here = f"/requests/{reference}"
    await console.get(here)
    response = await console.post(f"{here}/vouch", member="no-number", how="papers")
    assert response.status_code == 409
    assert "회원 번호를 확인해 주세요" in response.text
    await console.get(here)
    await console.post(f"{here}/vouch", member="1001", how="papers")
    row = (await staffed.all(Request))[-1]
    assert (row.subject_id, row.level) == ("1001", "document")


async def test_an_identity_that_does_not_hold(console: Browser, staffed: Office) -> None:
    await staffed.mail("elsewhere@mail.test", "제 개인정보를 열람하고 싶습니다.")
    here = f"/requests/{(await staffed.request()).reference}"
    await console.get(here)
    await console.post(f"{here}/reject-identity", reason="다른 사람의 서류입니다.")
    assert await staffed.state() == "refused"


async def test_a_final_request_offers_nothing(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    here = f"/requests/{reference}"
    await console.get(here)
    form = console.hidden(f"{here}/approve")
    await console.post(f"{here}/approve")
    await staffed.work()
    page = (await console.get(here)).text
    assert "끝난 요청입니다" in page and f"{here}/approve" not in page
    assert (await console.post(f"{here}/approve", **form)).status_code == 409


async def test_copies_out_of_reach_are_ticked_on_the_page(
    console: Browser, staffed: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the approval they are named; after it each has a button, and the last one ends it."""
    known = staffed.desk.data_map.fields
    book = Manual(labels=Bilingual(ko="종이 배송 장부", en="Delivery book"), place="창고 2")
    field = known["shipping_address"].model_copy(update={"manual": (book,)})
    monkeypatch.setitem(known, "shipping_address", field)
    reference = await asks(staffed, KO, ADDRESS)
    here = f"/requests/{reference}"
    assert "종이 배송 장부" in (await console.get(here)).text
    await console.post(f"{here}/approve")
    await staffed.work()
    page = (await console.get(here)).text
    assert "손으로 고칠 사본이 1건 남아 있습니다" in page
    assert page.count('id="copies"') == 1  # before all else, and only there
    assert page.index('id="copies"') < page.index('id="said"')
    response = await console.post(f"{here}/copies")
    assert "표시했습니다" in response.text and "한보라" in response.text
    await staffed.work()
    assert "처리 완료" in (await console.get(here)).text
