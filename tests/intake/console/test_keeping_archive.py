"""The archive at the console: counts for everybody, a member's records on a listed basis, recorded."""

import pytest
from browsers import Browser, actions
from desks import LEAVE, Office
from signing import proven, signed

from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import Agent, Audit

ME, MEMBER = KO_MEMBER.email, str(KO_MEMBER.number)
ORDER = {"member": MEMBER, "basis": "order", "paper": "2026고단1234"}


@pytest.fixture
async def left(staffed: Office) -> Office:
    """The member has left; what a law keeps stands in the archive."""
    await proven(staffed, ME, LEAVE)
    await signed(staffed)
    return staffed


async def test_it_is_empty_in_words(console: Browser) -> None:
    assert "따로 보관하는 기록이 없습니다" in (await console.get("/archive")).text


async def test_counts_by_law_and_period_without_a_value(console: Browser, left: Office) -> None:
    page = (await console.get("/archive")).text
    for shown in ("통신비밀보호법", "3개월", "전자금융거래법", "5년", "보관 마지막 날"):
        assert shown in page
    assert MEMBER not in page and KO_MEMBER.name not in page


async def test_a_members_records_open_on_a_basis(console: Browser, left: Office) -> None:
    await console.get("/archive")
    response = await console.post("/archive", **ORDER)
    assert response.status_code == 200 and response.url.path == "/archive"
    assert response.url.query == b""
    assert response.headers["cache-control"] == "no-store"
    assert "이 열람은 기록되었습니다" in response.text and "2026고단1234" in response.text
    assert "/archive?" not in response.text
    [row] = await left.all(Audit, Audit.action == "archive_look")
    assert (row.subject_id, row.reason) == (MEMBER, "order: 2026고단1234")
    values = await console.post("/archive", **ORDER, table="payment_request")
    assert values.headers["cache-control"] == "no-store"
    assert 'class="record"' in values.text
    [row] = await left.all(Audit, Audit.action == "archive_open")
    assert (row.object, row.account) == ("archive:payment_request", "agent:4")


async def test_the_counts_of_a_member_hold_no_value(console: Browser, left: Office) -> None:
    await console.get("/archive")
    page = (await console.post("/archive", **ORDER)).text
    assert 'class="record"' not in page and "archive_open" not in await actions(left)


@pytest.mark.parametrize(
    ("changed", "status", "box", "told"),
    [
        ({"basis": ""}, 422, "basis", "근거를 골라 주세요"),
        ({"basis": "curiosity"}, 422, "basis", "근거를 골라 주세요"),
        ({"paper": " "}, 422, "paper", "근거 문서를"),
        ({"member": ""}, 422, "member", "회원 번호를 적어 주세요"),
        ({"member": "x"}, 409, "member", "회원 번호의 형식이 아닙니다"),
        ({"basis": "review"}, 403, "basis", "개인정보 보호책임자만"),
    ],
)
async def test_without_a_basis_nothing_opens(
    console: Browser, left: Office, changed: dict[str, str], status: int, box: str, told: str
) -> None:
    await console.get("/archive")
    response = await console.post("/archive", **{**ORDER, **changed, "table": "payment_request"})
    assert response.status_code == status
    assert told in response.text and f'id="wrong-open-{box}"' in response.text
    assert 'class="record"' not in response.text
    assert not {"archive_open", "archive_look"} & set(await actions(left))


async def test_the_officers_basis_is_offered_to_officers(
    console: Browser, second: Browser, left: Office
) -> None:
    assert 'value="review"' not in (await console.get("/archive")).text
    async with left.desk.db.write() as session:
        row = await session.get_one(Agent, 5)
        row.role = "officer"
        session.add(row)
    assert 'value="review"' in (await second.get("/archive")).text
    response = await second.post("/archive", **{**ORDER, "basis": "review"})
    assert "This look is recorded" in response.text


async def test_a_member_without_records_is_said_and_recorded(
    console: Browser, left: Office
) -> None:
    await console.get("/archive")
    response = await console.post("/archive", **{**ORDER, "member": "1002"})
    assert response.status_code == 422
    assert "archive_look" in await actions(left)


async def test_a_form_without_its_token_opens_nothing(console: Browser, left: Office) -> None:
    response = await console.http.post("/archive", data=ORDER)
    assert response.status_code == 403 and "archive_look" not in await actions(left)
