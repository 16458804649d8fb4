"""Agents' views ask our own gate: open inside an open request, denied where something is held."""

import pytest
from browsers import KO, Browser, asks
from desks import ACCESS, CORRECT, MARKETING, NEW_ADDRESS, Office, agent
from signing import proven, signed
from sqlmodel import col, select

from subjectline.handlers import casefile, opaque
from subjectline.handlers.gate_policy import AGENTS_VIEW, RIGHTS_HANDLING
from subjectline.models.tables import (
    Audit,
    Conversation,
    GateUse,
    Message,
    MessageFile,
    Proposal,
)

AGENT = "agent:4"  # after the three of every office
WITHDRAWN = "동의를 철회한 회원의 정보는 볼 수 없습니다"


@pytest.fixture
async def gone(staffed: Office) -> str:
    """The reference of a withdrawal of consent that is done."""
    request = await proven(staffed, KO, MARKETING)
    assert request.state == "proposed"
    assert (await signed(staffed)).state == "done"
    return request.reference


async def _uses(office: Office, purpose: str) -> list[GateUse]:
    await office.desk.gate.flush()
    return await office.all(GateUse, GateUse.purpose == purpose)


async def _looks(office: Office, outcome: str) -> list[Audit]:
    async with office.desk.db.read() as session:
        rows = select(Audit).where(Audit.action == "view", Audit.outcome == outcome)
        return list(await session.exec(rows.order_by(col(Audit.id))))


async def test_inside_an_open_request_a_look_is_permitted_and_in_the_ledger(
    console: Browser, staffed: Office
) -> None:
    reference = await asks(staffed, KO, CORRECT)
    before = {
        row.field: row.permits + row.overrides for row in await _uses(staffed, RIGHTS_HANDLING)
    }
    page = await console.get(f"/requests/{reference}")
    assert page.status_code == 200 and NEW_ADDRESS in page.text
    [use] = await _uses(staffed, RIGHTS_HANDLING)
    assert (use.caller, use.subject_id, use.field) == ("desk", "1001", "shipping_address")
    assert use.overrides > before["shipping_address"]
    looks = await staffed.all(Audit, Audit.action == "gate_use", Audit.account == AGENT)
    request = await staffed.request()
    assert {row.request_id for row in looks} == {request.id}
    assert all(row.facts["held"] == ["shipping_address"] for row in looks)


async def test_whose_consent_is_withdrawn_agents_do_not_see_either(
    console: Browser, second: Browser, staffed: Office, gone: str
) -> None:
    page = await console.get(f"/requests/{gone}")
    assert WITHDRAWN in page.text and "사유: 동의 철회" in page.text
    assert MARKETING not in page.text and KO not in page.text
    assert "처리 경과" in page.text, "the record stays: who did what, and what is still to be done"
    assert "withdrew a consent" in (await second.get(f"/requests/{gone}")).text
    assert {row.reason for row in await _looks(staffed, "withheld")} == {"consent_withdrawn"}
    denied = await _uses(staffed, AGENTS_VIEW)
    assert {row.subject_id for row in denied} == {"1001"}
    assert all(row.denials == 2 and not row.permits for row in denied)


async def test_thread_and_letter_are_a_page_that_says_why_and_the_way_out(
    console: Browser, second: Browser, staffed: Office, gone: str
) -> None:
    [proposal] = await staffed.all(Proposal)
    letter = await console.get(f"/letters/{proposal.sha256}")
    assert letter.status_code == 403 and WITHDRAWN in letter.text
    talk = (await staffed.conversation()).id or 0
    handle = (await casefile.case(staffed.desk, gone, agent())).conversation
    thread = await second.get(f"/conversations/{handle}")
    assert thread.status_code == 403 and "look on that request" in thread.text
    things = [row.object for row in await _looks(staffed, "denied")]
    assert things == [gone, f"conversation:{talk}"]


async def test_a_file_is_denied_with_its_thread(
    console: Browser, staffed: Office, gone: str
) -> None:
    request = await staffed.request()
    async with staffed.desk.write() as session:
        message = (await session.exec(select(Message).order_by(col(Message.id)))).first()
        assert message is not None and request.state == "done"
        talk = await session.get_one(Conversation, message.conversation_id)
        seal = staffed.desk.vault.seal
        session.add(
            MessageFile(
                message_id=message.id or 0,
                name=seal(talk.key_id, "message_file.name", "letter.pdf"),
                content_type="application/pdf",
                size=4,
                content=seal(talk.key_id, "message_file.content", b"%PDF"),
            )
        )
    [row] = await staffed.all(MessageFile)
    handle = opaque.hide(staffed.desk.vault, "message_file", row.id or 0)
    answer = await console.get(f"/files/{handle}")
    assert (
        answer.status_code == 403 and WITHDRAWN in answer.text and "letter.pdf" not in answer.text
    )
    await asks(staffed, KO, ACCESS)
    assert (await console.get(f"/files/{handle}")).content == b"%PDF"


async def test_what_cannot_be_recorded_is_not_shown(
    console: Browser, staffed: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await asks(staffed, KO, CORRECT)

    async def none(*_: object) -> str:
        return "use_not_recorded"

    monkeypatch.setattr(staffed.desk.gate, "_record", none)
    page = await console.get(f"/requests/{reference}/proxy")
    assert page.status_code == 403 and "지금은 회원의 정보를 열 수 없습니다" in page.text


async def test_a_search_by_member_tells_requests_and_no_value(
    console: Browser, staffed: Office, gone: str
) -> None:
    await console.get("/queue")
    found = (await console.post("/find", q="1001")).text
    assert gone in found and KO not in found
    [row] = await staffed.all(Audit, Audit.action == "search")
    assert (row.subject_id, row.facts["found"]) == ("1001", 1)


async def test_another_open_request_of_the_member_opens_what_was_before(
    console: Browser, staffed: Office, gone: str
) -> None:
    await asks(staffed, KO, ACCESS)
    newest = await staffed.request()
    assert newest.reference != gone and newest.state in ("open", "proposed")
    page = await console.get(f"/requests/{gone}")
    assert MARKETING in page.text and WITHDRAWN not in page.text
    rows = await staffed.all(Audit, Audit.action == "gate_use", Audit.account == AGENT)
    assert {row.request_id for row in rows} == {newest.id}


async def test_what_waits_to_be_sorted_is_read_and_nothing_before_it(
    console: Browser, staffed: Office, gone: str
) -> None:
    await staffed.mail(KO, "안녕하세요. 지난번 일로 궁금한 것이 있습니다.")
    async with staffed.desk.db.read() as session:
        rows = await session.exec(select(Conversation).where(Conversation.state == "unsorted"))
        assert rows.first() is not None
    page = (await console.get("/unsorted")).text
    handle = page.split("/conversations/")[1].split('"')[0]
    thread = await console.get(f"/conversations/{handle}")
    assert thread.status_code == 200 and "궁금한 것이 있습니다" in thread.text
    assert MARKETING not in thread.text and WITHDRAWN in thread.text


async def test_where_nothing_is_held_a_decided_request_can_be_read(
    console: Browser, staffed: Office
) -> None:
    reference = await asks(staffed, KO, CORRECT)
    assert (await signed(staffed)).state == "done"
    page = await console.get(f"/requests/{reference}")
    assert NEW_ADDRESS in page.text and "이용이 제한되어" not in page.text
    assert await staffed.holds() == [] or all(h.ended_at for h in await staffed.holds())
