"""Restrictions at the console: a case is opened, signed like any request, objected to, lifted."""

import re

import pytest
from browsers import Browser, actions
from desks import Office
from signing import request_of, signed

from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.tables import Audit, Request, Restriction

ME, MEMBER = KO_MEMBER.email, str(KO_MEMBER.number)
WHY = "등록하신 이름과 본인확인 기록의 이름이 다릅니다."
FOUND = "개명 사실을 서류로 확인했습니다."


async def opened(console: Browser) -> str:
    """A case against the member; the address of its page."""
    await console.get("/restrictions")
    await console.post("/restrictions", member=MEMBER, reason=WHY)
    page = (await console.get("/restrictions")).text
    found = re.search(r"/restrictions/[0-9a-z]{13}", page)
    assert found is not None
    return found[0]


async def in_force(console: Browser, office: Office) -> str:
    address = await opened(console)
    await office.work()
    await signed(office)
    return address


async def test_a_case_runs_as_a_request(console: Browser, staffed: Office) -> None:
    await console.get("/restrictions")
    response = await console.post("/restrictions", member=MEMBER, reason=WHY)
    request = await staffed.request()
    assert response.url.path == f"/requests/{request.reference}"
    assert (request.kind, request.subject_id) == ("false_information", MEMBER)
    await staffed.work()
    page = (await console.get(f"/requests/{request.reference}")).text
    assert "서명 0/2" in page
    page = (await console.get("/restrictions")).text
    assert "심사 중" in page and request.reference in page
    assert WHY not in page  # the list has no words about anybody


async def test_a_restriction_is_objected_to_and_lifted(console: Browser, staffed: Office) -> None:
    address = await in_force(console, staffed)
    await staffed.mail(
        ME, "이 결정에 이의를 제기합니다. 제 이름이 맞습니다.", answers=staffed.last(ME)
    )
    objection = await staffed.request()
    page = (await console.get(address)).text
    assert "제한 중" in page and WHY in page and objection.reference in page
    response = await console.post(f"{address}/lift", remedy=FOUND)
    lifting = (await staffed.all(Request))[-1]
    assert response.url.path == f"/requests/{lifting.reference}"
    assert "해제 심사 중" in (await console.get(address)).text
    await staffed.work()
    await signed(staffed, await request_of(staffed, lifting.id or 0))
    page = (await console.get(address)).text
    assert FOUND in page and "끝난 건입니다" in page
    [row] = await staffed.all(Restriction)
    assert row.state == "lifted"


async def test_a_case_can_be_taken_back_before_it_is_signed(
    console: Browser, staffed: Office
) -> None:
    address = await opened(console)
    await console.get(address)
    response = await console.post(f"{address}/drop", reason="")
    assert response.status_code == 422 and "이유를 적어 주세요" in response.text
    await console.get(address)
    await console.post(f"{address}/drop", reason="착오였습니다.")
    [row] = await staffed.all(Restriction)
    assert row.state == "dropped" and await staffed.holds() == []


async def test_an_old_page_drops_nothing(console: Browser, staffed: Office) -> None:
    address = await opened(console)
    await console.get(address)
    form = console.hidden(f"{address}/drop")
    await staffed.work()  # the case is proposed meanwhile
    response = await console.post(f"{address}/drop", **{**form, "reason": "착오"})
    assert response.status_code == 409
    assert (await staffed.all(Restriction))[0].state == "proposed"


@pytest.mark.parametrize(
    ("member", "reason", "status", "told"),
    [
        ("", WHY, 422, "회원 번호를 적어 주세요"),
        ("abc", WHY, 409, "회원 번호의 형식이 아닙니다"),
        ("999999", WHY, 409, "이 번호의 회원이 없습니다"),
        (MEMBER, " ", 422, "이유를 적어 주세요"),
    ],
)
async def test_what_is_wrong_stands_beside_its_box(
    console: Browser, member: str, reason: str, status: int, told: str
) -> None:
    await console.get("/restrictions")
    response = await console.post("/restrictions", member=member, reason=reason)
    assert response.status_code == status
    page = response.text
    assert told in page and 'aria-invalid="true"' in page
    box = "reason" if not reason.strip() else "member"
    assert f'id="wrong-suspect-{box}"' in page
    assert reason.strip() in page  # what was typed is not lost


async def test_nobody_is_suspected_twice(console: Browser, staffed: Office) -> None:
    await opened(console)
    await console.get("/restrictions")
    response = await console.post("/restrictions", member=MEMBER, reason=WHY)
    assert response.status_code == 409 and "이미 심사 중이거나 제한된" in response.text


async def test_looking_is_recorded(console: Browser, staffed: Office) -> None:
    address = await opened(console)
    await console.get(address)
    rows = await staffed.all(Audit, Audit.object == "restriction")
    assert [(row.action, row.subject_id) for row in rows][-1] == ("view", MEMBER)
    assert "list" in await actions(staffed)


async def test_english_agents_read_english(second: Browser, staffed: Office) -> None:
    address = await opened(second)
    page = (await second.get(address)).text
    assert "suspected" in page and "Why it is suspected" in page
    assert (await second.get("/restrictions/0000000000000")).status_code == 404
