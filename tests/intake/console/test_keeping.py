"""Legal holds, papers and destruction at the console."""

import re
from datetime import timedelta

import pytest
from browsers import Browser, actions
from desks import CORRECT, LEAVE, Office
from signing import proven, signed

from subjectline.handlers import papers
from subjectline.handlers.audit import agent
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import (
    Agent,
    Audit,
    Certificate,
    LegalHold,
    Paper,
    Request,
    RetentionRun,
)

ME, MEMBER = KO_MEMBER.email, str(KO_MEMBER.number)
HOLD = {"scope": "member", "member": MEMBER, "reason": "2026가합1", "until": "2027-06-30"}
PAGES = ("/restrictions", "/legal-holds", "/papers", "/archive", "/retention")


@pytest.fixture
async def officer(console: Browser, staffed: Office) -> Browser:
    """The first agent is the privacy officer."""
    async with staffed.desk.db.write() as session:
        row = await session.get_one(Agent, 4)
        row.role = "officer"
        session.add(row)
    return console


async def old_visits(office: Office) -> int:
    """Visits of the member whose three months are over; how many."""
    await office.sql(
        "UPDATE access_log SET accessed_at = '2026-06-01T00:00:00+09:00' WHERE member_id = 1001"
    )
    [[count]] = await office.sql("SELECT count(*) FROM access_log WHERE member_id = 1001")
    return int(count)


async def listed_paper(office: Office, place: str = "3층 2번 서랍") -> Request:
    await proven(office, ME, CORRECT)
    request = await office.request()
    await papers.add(office.desk, request.reference, "신분증 사본", agent(1), place)
    return request


def row_of(browser: Browser, path: str) -> str:
    found = re.search(rf"{path}/[0-9a-z]{{13}}", browser.page)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("path", PAGES)
async def test_no_page_opens_without_a_session(stranger: Browser, path: str) -> None:
    sent = f"{path}/look" if path == "/retention" else path
    for response in (
        await stranger.http.get(path, follow_redirects=False),
        await stranger.http.post(sent, follow_redirects=False),
    ):
        assert response.status_code == 303
        assert response.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("path", PAGES)
async def test_the_pages_hang_together(console: Browser, second: Browser, path: str) -> None:
    page = (await console.get(path)).text
    assert all(f'href="{other}"' in page for other in PAGES)
    assert page.count('aria-current="page"') == 2  # in the main menu and in the tabs
    english = (await second.get(path)).text
    assert '<html lang="en">' in english and "Legal holds" in english
    assert not re.search("[가-힣]", re.sub("한국어|서민지|윤지호|한보라", "", english))


# Legal holds


async def test_an_officer_places_a_hold_and_ends_it(officer: Browser, staffed: Office) -> None:
    await officer.get("/legal-holds")
    response = await officer.post("/legal-holds", **HOLD)
    assert response.url.path == "/legal-holds"
    for shown in (
        "파기를 보류했습니다",
        f"회원 {MEMBER}",
        "2026가합1",
        "2027년 6월 30일",
        "한보라",
    ):
        assert shown in response.text
    await officer.post(row_of(officer, "/legal-holds") + "/release")
    [hold] = await staffed.all(LegalHold)
    assert hold.lifted_by == 4
    assert "끝난 보류" in officer.page and "지금 파기를 보류한 기록이 없습니다" in officer.page


@pytest.mark.parametrize(
    ("changed", "status", "box", "told"),
    [
        ({"reason": " "}, 422, "reason", "이유를 적어 주세요"),
        ({"until": ""}, 422, "until", "내일 이후의 날짜"),
        ({"until": "2026-11-23"}, 422, "until", "내일 이후의 날짜"),
        ({"member": ""}, 422, "member", "회원 번호를 적어 주세요"),
        ({"member": "1-1"}, 409, "member", "회원 번호의 형식이 아닙니다"),
        ({"member": "999999"}, 409, "member", "이 번호의 회원이 없습니다"),
        ({"scope": "request"}, 422, "reference", "이 접수번호의 요청이 없습니다"),
        (
            {"scope": "request", "reference": "SL-NONE"},
            422,
            "reference",
            "이 접수번호의 요청이 없습니다",
        ),
        ({"scope": ""}, 422, "scope", "무엇을 보류할지"),
    ],
)
async def test_a_hold_that_cannot_be(
    officer: Browser,
    staffed: Office,
    changed: dict[str, str],
    status: int,
    box: str,
    told: str,
) -> None:
    await officer.get("/legal-holds")
    response = await officer.post("/legal-holds", **{**HOLD, **changed})
    assert response.status_code == status
    assert told in response.text and f'id="wrong-place-{box}"' in response.text
    assert await staffed.all(LegalHold) == []


async def test_an_empty_box_never_holds_everything(officer: Browser, staffed: Office) -> None:
    await officer.get("/legal-holds")
    await officer.post("/legal-holds", **{**HOLD, "member": " "})
    assert await staffed.all(LegalHold) == []
    await officer.post("/legal-holds", **{**HOLD, "scope": "everything"})
    [hold] = await staffed.all(LegalHold)
    assert hold.subject_id is None and "모든 기록" in officer.page


async def test_who_has_left_can_be_held(officer: Browser, staffed: Office) -> None:
    await proven(staffed, ME, LEAVE)
    await signed(staffed)
    await officer.get("/legal-holds")
    assert "파기를 보류했습니다" in (await officer.post("/legal-holds", **HOLD)).text


async def test_others_see_holds_and_set_none(
    console: Browser, second: Browser, staffed: Office
) -> None:
    page = (await second.get("/legal-holds")).text
    assert "privacy officer" in page and 'name="until"' not in page
    form = second.hidden("/find")
    response = await second.post("/legal-holds", **HOLD, **form)
    assert response.status_code == 403 and await staffed.all(LegalHold) == []


# Papers


async def test_a_paper_is_listed_moved_and_shredded(console: Browser, staffed: Office) -> None:
    await proven(staffed, ME, CORRECT)
    request = await staffed.request()
    await console.get("/papers")
    form = {"reference": request.reference.lower(), "what": "신분증 사본", "place": "2번 서랍"}
    page = (await console.post("/papers", **form)).text
    for shown in ("신분증 사본", "2번 서랍", "한보라", request.reference, "요청 처리 중"):
        assert shown in page
    address = row_of(console, "/papers")
    assert "금고" in (await console.post(f"{address}/move", place="금고")).text
    await signed(staffed)
    assert "파쇄할 때" in (await console.get("/papers")).text
    staffed.clock.advance(timedelta(days=2))
    page = (
        await console.post(f"{address}/shred", witness="윤지호", on="2026-11-24")
    ).text  # two days later: the session has ended
    assert "sign-in" in page
    await console.sign_in("bora")
    await console.get("/papers")
    page = (await console.post(f"{address}/shred", witness="윤지호", on="2026-11-24")).text
    for shown in ("파쇄한 서류", "2026년 11월 24일", "윤지호", "보관 중인 서류가 없습니다"):
        assert shown in page
    [paper] = await staffed.all(Paper)
    assert paper.shredded_by == 4
    [certificate] = await staffed.all(Certificate)
    assert certificate.kind == "paper"


@pytest.mark.parametrize(
    ("changed", "box", "told"),
    [
        ({"witness": ""}, "witness", "함께 본 다른 사람"),
        ({"witness": "한보라"}, "witness", "함께 본 다른 사람"),
        ({"on": ""}, "on", "서류를 받은 날부터"),
        ({"on": "2026-11-22"}, "on", "서류를 받은 날부터"),
        ({"on": "2026-11-24"}, "on", "서류를 받은 날부터"),
    ],
)
async def test_a_shredding_that_cannot_be(
    console: Browser, staffed: Office, changed: dict[str, str], box: str, told: str
) -> None:
    await listed_paper(staffed)
    await console.get("/papers")
    address = row_of(console, "/papers")
    form = {"witness": "윤지호", "on": "2026-11-23", **changed}
    response = await console.post(f"{address}/shred", **form)
    assert response.status_code == 422
    assert told in response.text and f'-{box}"' in response.text
    assert (await staffed.all(Paper))[0].shredded_at is None


async def test_a_legal_hold_keeps_a_paper(officer: Browser, staffed: Office) -> None:
    await listed_paper(staffed)
    await signed(staffed)
    await officer.get("/papers")
    address = row_of(officer, "/papers")
    await officer.get("/legal-holds")
    await officer.post("/legal-holds", **HOLD)
    page = (await officer.get("/papers")).text
    assert "파기 보류가 있어 파쇄할 수 없습니다" in page and "/shred" not in page
    form = officer.hidden(f"{address}/move")
    response = await officer.post(f"{address}/shred", **form, witness="윤지호", on="2026-11-23")
    assert response.status_code == 403
    assert (await staffed.all(Paper))[0].shredded_at is None


@pytest.mark.parametrize("missing", ["reference", "what", "place"])
async def test_a_paper_has_a_request_a_name_and_a_place(
    console: Browser, staffed: Office, missing: str
) -> None:
    await proven(staffed, ME, CORRECT)
    form = {"reference": (await staffed.request()).reference, "what": "사본", "place": "서랍"}
    await console.get("/papers")
    response = await console.post("/papers", **{**form, missing: " "})
    assert response.status_code == 422 and f'id="wrong-add-{missing}"' in response.text
    assert await staffed.all(Paper) == []


# Destruction


async def test_looking_destroys_nothing(console: Browser, staffed: Office) -> None:
    count = await old_visits(staffed)
    page = (await console.get("/retention")).text
    assert "오늘 대상 확인" in page and "지금 파기" not in page
    page = (await console.post("/retention/look")).text
    for shown in ("접속 기록", "통신비밀보호법, 3개월", f">{count}<", "지금 파기"):
        assert shown in page
    assert await old_visits(staffed) == count and await staffed.all(Certificate) == []


async def test_what_was_seen_is_destroyed_and_certified(console: Browser, staffed: Office) -> None:
    count = await old_visits(staffed)
    await console.get("/retention")
    await console.post("/retention/look")
    page = (await console.post("/retention/run", sure="yes")).text
    assert "파기를 마치고 확인서를 남겼습니다" in page and "한보라" in page
    assert await old_visits(staffed) == 0
    page = (await console.get(row_of(console, "/retention/certificates"))).text
    [row] = [c for c in await staffed.all(Certificate) if c.what == "access_log"]
    noted = await staffed.all(Audit, Audit.action == "destroyed")
    assert str(noted[-1].facts["sha256"]) in page
    assert f"{count}건을 복구할 수 없게 파기했음을" in page and "접속 기록의 값과 같음" in page
    assert row.state == "done" and MEMBER not in page


async def test_a_certificate_that_was_changed_is_seen(console: Browser, staffed: Office) -> None:
    await old_visits(staffed)
    await console.get("/retention")
    await console.post("/retention/look")
    await console.post("/retention/run", sure="yes")
    address = row_of(console, "/retention/certificates")
    async with staffed.desk.db.write() as session:
        row = await session.get_one(Certificate, 1)
        row.destroyed += 1
        session.add(row)
    assert "접속 기록의 값과 다름" in (await console.get(address)).text


async def test_a_run_needs_a_tick_and_the_list_that_was_seen(
    console: Browser, staffed: Office
) -> None:
    count = await old_visits(staffed)
    await console.get("/retention")
    await console.post("/retention/look")
    response = await console.post("/retention/run")
    assert response.status_code == 422 and 'id="wrong-run-sure"' in response.text
    await staffed.sql(
        "UPDATE access_log SET accessed_at = '2026-06-01T00:00:00+09:00' WHERE member_id = 1002"
    )
    response = await console.post("/retention/run", sure="yes")
    assert response.status_code == 409 and "보신 뒤에 대상이 바뀌어" in response.text
    assert await old_visits(staffed) == count and await staffed.all(RetentionRun) == []


async def test_a_legal_hold_is_the_reason_why_something_stays(
    officer: Browser, staffed: Office
) -> None:
    count = await old_visits(staffed)
    await officer.get("/legal-holds")
    await officer.post("/legal-holds", **HOLD)
    await officer.get("/retention")
    page = (await officer.post("/retention/look")).text
    assert f"{count}건" in page and "2026가합1" in page
    assert "지금 파기할 것은 없습니다" in page and 'name="sure"' not in page
    assert await old_visits(staffed) == count


async def test_the_page_says_that_the_daily_run_waits_and_what_stays(
    console: Browser, staffed: Office
) -> None:
    await old_visits(staffed)
    await staffed.sql("UPDATE access_log SET accessed_at = '19.05.2001' WHERE member_id = 1002")
    assert "아직 저절로 파기하지 않습니다" in (await console.get("/retention")).text
    page = (await console.post("/retention/look")).text
    assert "저절로 파기하지" not in page and "날짜를 읽을 수 없음" in page
    assert "19.05.2001" not in page


async def test_two_runs_at_once_are_one(console: Browser, staffed: Office) -> None:
    count = await old_visits(staffed)
    await console.get("/retention")
    await console.post("/retention/look")
    async with staffed.desk.db.write() as session:
        now = staffed.clock()
        session.add(RetentionRun(day="2026-11-23", by="system", started_at=now))
    response = await console.post("/retention/run", sure="yes")
    assert response.status_code == 409 and "다른 실행이 진행 중입니다" in response.text
    assert await old_visits(staffed) == count


async def test_views_are_recorded(officer: Browser, staffed: Office) -> None:
    await officer.get("/legal-holds")
    await officer.get("/restrictions")
    noted = await staffed.all(Audit, Audit.action == "list")
    assert [row.object for row in noted] == ["legal_hold", "restriction"]
    assert "legal_hold" not in await actions(staffed)


# What turns the direction of writing


async def test_turning_characters_are_seen(console: Browser, staffed: Office) -> None:
    await proven(
        staffed, ME, "제 배송지를 부산시 수영구 \u202e21 파도로\u202c 3층으로 바꿔 주세요."
    )
    request = await staffed.request()
    page = (await console.get(f"/requests/{request.reference}")).text
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", page)
    assert "[U+202E]21 파도로[U+202C]" in page


async def test_a_box_that_is_sent_back_has_no_sign_in_it(console: Browser, staffed: Office) -> None:
    await proven(
        staffed, ME, "제 배송지를 부산시 수영구 \u202e21 파도로\u202c 3층으로 바꿔 주세요."
    )
    request = await staffed.request()
    page = (await console.get(f"/requests/{request.reference}/edit")).text
    boxes = re.findall(r'name="value\.[^"]+" value="([^"]*)"', page)
    assert boxes and not any("U+202" in box or "\u202e" in box for box in boxes)
