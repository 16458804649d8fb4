"""One request's page: what an agent sees, what the audit keeps of it, and the letter's frame."""

from browsers import EN, KO, Browser, actions, asks
from desks import Office

from subjectline.models.tables import Audit, Proposal

ADDRESS = "배송지 주소를 서울특별시 보기구 새길 12, 3층으로 바꿔 주세요."


async def test_the_queue_names_no_personal_data(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    page = (await console.get("/queue")).text
    assert reference in page
    assert "정정: 배송지 주소" in page
    assert "1001" in page  # the pseudonym
    assert KO not in page and "김하늘" not in page and "새길" not in page


async def test_the_page_shows_all_that_a_decision_needs(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    page = (await console.get(f"/requests/{reference}")).text
    for shown in ("회원 1001", ADDRESS, "등록된 연락처로 확인", "새길 12, 3층", "견본로", KO, "D-"):
        assert shown in page
    proposal = (await staffed.all(Proposal))[0]
    assert proposal.sha256 in page
    for button in ("승인하고 처리", "돌려보내기", "거절", "회원에게 질문", "고쳐 쓰기"):
        assert button in page


async def test_a_view_is_an_audit_row(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    await console.get(f"/requests/{reference}")
    row = (await staffed.all(Audit, Audit.action == "view"))[0]
    assert row.account == "agent:4"
    assert (row.subject_id, row.object) == ("1001", reference)
    assert row.place.startswith("console")


async def test_english_agents_read_english(second: Browser, staffed: Office) -> None:
    reference = await asks(staffed, EN, "Please change my nickname to quiet harbour.")
    page = (await second.get(f"/requests/{reference}")).text
    assert '<html lang="en">' in page
    assert "Correction: nickname" in page
    assert "Approve and carry out" in page


async def test_the_language_can_be_switched_and_stays(console: Browser) -> None:
    assert '<html lang="en">' in (await console.get("/queue", lang="en")).text
    assert '<html lang="en">' in (await console.get("/queue")).text


async def test_the_letter_stands_alone_in_its_frame(console: Browser, staffed: Office) -> None:
    await asks(staffed, KO, ADDRESS)
    proposal = (await staffed.all(Proposal))[0]
    response = await console.get(f"/letters/{proposal.sha256}")
    assert "새길 12, 3층" in response.text
    policy = response.headers["content-security-policy"]
    assert "sandbox" in policy and "default-src 'none'" in policy
    assert response.headers["x-frame-options"] == "SAMEORIGIN"
    assert "view_letter" in await actions(staffed)


async def test_every_page_is_shut_to_the_outside(console: Browser) -> None:
    headers = (await console.get("/queue")).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy


async def test_what_a_member_writes_is_only_text(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, KO, f"<script>alert(1)</script>\n{ADDRESS}")
    page = (await console.get(f"/requests/{reference}")).text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


async def test_an_unknown_reference_is_a_plain_404(console: Browser) -> None:
    response = await console.get("/requests/SL-00000000A")
    assert response.status_code == 404
    assert "찾으시는 페이지가 없습니다" in response.text


async def test_a_search_finds_by_reference_member_and_address(
    console: Browser, staffed: Office
) -> None:
    reference = await asks(staffed, KO, ADDRESS)
    await console.get("/queue")
    found = await console.post("/find", q=reference.lower())
    assert found.url.path == f"/requests/{reference}"
    for words in ("1001", KO):
        await console.get("/queue")
        found = await console.post("/find", q=words)
        assert reference in found.text
        assert KO not in str(found.url)
    assert (await actions(staffed)).count("search") == 3


async def test_the_registry_being_away_does_not_close_the_page(
    console: Browser, staffed: Office
) -> None:
    reference = await asks(staffed, EN, "Please change my phone number to 010-0000-7788.")
    await staffed.sql("ALTER TABLE member RENAME TO gone")
    response = await console.get(f"/requests/{reference}")
    assert response.status_code == 200
    assert reference in response.text


async def test_what_a_hold_is_for_is_told_in_words(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, KO, "회원 탈퇴하겠습니다.")
    page = (await console.get(f"/requests/{reference}")).text
    assert "이벤트와 광고 안내" in page.partition("제한한 목적:")[2]
    assert "basis:" not in page and "consent:" not in page


async def test_a_change_that_can_still_be_stopped_is_not_said_to_be_written(
    console: Browser, staffed: Office
) -> None:
    reference = await asks(staffed, KO, "제 계좌번호를 000-123-456789로 바꿔 주세요.")
    await console.get(f"/requests/{reference}")
    await console.post(f"/requests/{reference}/approve")
    await staffed.work()
    page = (await console.get(f"/requests/{reference}")).text
    assert "11월 24일 10:00" in page and "까지 기다렸다가 반영합니다" in page


async def test_a_chat_has_no_word_on_its_senders_domain(console: Browser, staffed: Office) -> None:
    await staffed.chat(71, "내 정보를 모두 보여 주세요.")
    page = (await console.get(f"/requests/{(await staffed.request()).reference}")).text
    assert "내 정보를 모두 보여 주세요." in page and "발신 인증" not in page
