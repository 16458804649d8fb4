"""An access on the agents' page: counts before and after, values for a reason, when it was opened."""

from browsers import KO, Browser, actions, asks
from desks import ACCESS, CORRECT, Office, agent

from subjectline.handlers import decisions, links
from subjectline.models.tables import Proposal


async def asked(office: Office) -> str:
    return await asks(office, KO, ACCESS)


async def answered(office: Office) -> str:
    reference = await asked(office)
    proposal = (await office.all(Proposal))[-1]
    await decisions.approve(office.desk, proposal.sha256, agent())
    await office.work()
    return reference


async def test_counts_stand_there_before_approval(console: Browser, staffed: Office) -> None:
    page = (await console.get(f"/requests/{await asked(staffed)}")).text
    panel = page[page.index('id="export"') :]
    for shown in ("열람 자료", "회원 기본 정보", "접속 기록", "가린 것과 이유", "값 열어 보기"):
        assert shown in panel
    assert "서울특별시 보기구" not in page  # a value of the profile


async def test_four_reasons_are_offered(console: Browser, second: Browser, staffed: Office) -> None:
    reference = await asked(staffed)
    korean = (await console.get(f"/requests/{reference}")).text
    english = (await second.get(f"/requests/{reference}")).text
    assert korean.count('name="reason" value="') - korean.count('type="text"') >= 4
    assert "개인정보 보호책임자의 점검" in korean
    assert "Review by the privacy officer" in english


async def test_values_open_for_a_reason(console: Browser, staffed: Office) -> None:
    reference = await asked(staffed)
    await console.get(f"/requests/{reference}")
    address = f"/requests/{reference}/values"
    response = await console.post(address, table="profile", reason="others")
    assert "서울특별시 보기구" in response.text
    assert "이 열람은 기록되었습니다" in response.text
    assert "values_open" in await actions(staffed)


async def test_no_reason_no_values(console: Browser, staffed: Office) -> None:
    reference = await asked(staffed)
    for fields in ({"table": "profile"}, {"table": "profile", "reason": "curiosity"}):
        await console.get(f"/requests/{reference}")
        response = await console.post(f"/requests/{reference}/values", **fields)
        assert response.status_code == 422
        assert "서울특별시 보기구" not in response.text
    await console.get(f"/requests/{reference}")
    review = await console.post(f"/requests/{reference}/values", table="profile", reason="review")
    assert review.status_code == 403  # the officer's
    assert "values_open" not in await actions(staffed)


async def test_a_form_without_its_token_opens_nothing(console: Browser, staffed: Office) -> None:
    reference = await asked(staffed)
    data = {"table": "profile", "reason": "others"}
    response = await console.http.post(f"/requests/{reference}/values", data=data)
    assert response.status_code == 403


async def test_nobody_who_is_not_signed_in(stranger: Browser, staffed: Office) -> None:
    reference = await asked(staffed)
    data = {"table": "profile", "reason": "others"}
    response = await stranger.http.post(f"/requests/{reference}/values", data=data)
    assert str(response.url).rpartition("/")[2].startswith("sign-in")


async def test_the_agent_sees_when_it_was_opened(console: Browser, staffed: Office) -> None:
    reference = await answered(staffed)
    page = (await console.get(f"/requests/{reference}")).text
    assert "아직 열지 않음" in page and "끝난 요청이라" in page
    async with staffed.desk.write() as session:
        row = await staffed.request()
        token = await links.make(session, staffed.desk, row.id or 0)
    await links.spend(staffed.desk, token)
    page = (await console.get(f"/requests/{reference}")).text
    assert "아직 열지 않음" not in page
    assert "회원이 열어 봄" in page  # and in the history


async def test_other_rights_have_no_panel(console: Browser, staffed: Office) -> None:
    reference = await asks(staffed, KO, CORRECT)
    assert 'id="export"' not in (await console.get(f"/requests/{reference}")).text


async def test_when_it_was_gathered_is_a_time_and_no_markup(
    console: Browser, staffed: Office
) -> None:
    page = (await console.get(f"/requests/{await asked(staffed)}")).text
    assert "</time>에 모은 자료입니다" in page and "&lt;time" not in page
