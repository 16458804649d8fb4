"""Leaving and erasing, from the member's words to what the letter says and the archive holds."""

import json

import pytest
from desks import LEAVE, Office, agent
from signing import proven, signed

from subjectline.handlers import decisions, drafting, keeping
from subjectline.handlers.archive_looks import Basis
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import BadInput, NotPermitted
from subjectline.models.tables import Audit, Proposal

ME, MEMBER = KO_MEMBER.email, str(KO_MEMBER.number)
ALL_DATA = "제 개인정보를 모두 삭제해 주세요."
KAKAO = "카카오톡 아이디를 삭제해 주세요."
ADDRESS = "배송지 주소를 삭제해 주세요."
EMAIL = "이메일 주소를 삭제해 주세요."


async def count(office: Office, table: str) -> int:
    return int((await office.sql(f"SELECT count(*) FROM {table} WHERE member_id = 1001"))[0][0])


async def test_who_leaves_is_apart_and_hears_what_is_kept(office: Office) -> None:
    await proven(office, ME, LEAVE)
    request = await signed(office)
    assert request.state == "done"
    assert [await count(office, t) for t in ("payment_request", "shipping", "profile")] == [0, 0, 0]
    letter = office.last(ME).text
    assert "전자금융거래법" in letter and "2031년" in letter
    basis = Basis("statute", "세무조사 제2026-1호")
    found = await keeping.open_archive(office.desk, MEMBER, basis, agent(3))
    assert {"payment_request", "shipping", "member_consent"} <= {o.about.table for o in found}
    assert keeping.as_json(office.desk, found[0])["kept_until"] >= "2026-11-23"
    [row] = [row for row in await office.all(Audit) if row.action == "archive_open"]
    assert (row.account, row.subject_id) == ("agent:3", MEMBER)
    assert row.reason == "statute: 세무조사 제2026-1호"


@pytest.mark.parametrize(
    "basis", [Basis("curiosity", "1"), Basis("order", "  "), Basis("review", "1")]
)
async def test_the_archive_opens_on_a_basis_only(office: Office, basis: Basis) -> None:
    with pytest.raises(NotPermitted if basis.key == "review" else BadInput):
        await keeping.open_archive(office.desk, MEMBER, basis, agent())
    assert [row for row in await office.all(Audit) if row.action == "archive_open"] == []


async def test_an_item_that_no_law_keeps_is_erased(office: Office) -> None:
    request = await proven(office, ME, KAKAO)
    assert (request.kind, request.state, request.fields) == ("erasure", "proposed", ["kakao_id"])
    [proposal] = await office.all(Proposal)
    assert (proposal.outcome, proposal.needs, proposal.drafted_by) == ("fulfil", 2, "system")
    request = await signed(office)
    assert await office.sql("SELECT kakao_id FROM profile WHERE member_id = 1001") == [(None,)]
    assert "카카오톡" in office.last(ME).text
    [hold] = await office.holds()
    assert (hold.kind, hold.fields) == ("standing", ["kakao_id"])


async def test_the_records_that_a_statute_names_are_refused_and_nothing_else(
    office: Office,
) -> None:
    before = await office.sql("SELECT * FROM shipping WHERE member_id = 1001")
    request = await proven(office, ME, ADDRESS)
    [proposal] = await office.all(Proposal)
    said = drafting.open_envelope(office.desk, proposal)
    assert (proposal.outcome, said["letter"]) == ("partial", "partial")
    assert {(c["table"], c["column"]) for c in said["changes"]} == {("profile", "shipping_address")}
    request = await signed(office)
    assert request.state == "done"
    assert await office.sql("SELECT shipping_address FROM profile WHERE member_id = 1001") == [
        (None,)
    ]
    assert await office.sql("SELECT * FROM shipping WHERE member_id = 1001") == before
    letter = office.last(ME).text
    assert "전자상거래" in letter and "제36조제1항" in letter and "까지" in letter


async def test_where_a_law_keeps_all_of_it_it_is_refused(office: Office) -> None:
    await office.sql("UPDATE profile SET shipping_address = NULL WHERE member_id = 1001")
    await proven(office, ME, ADDRESS)
    [proposal] = await office.all(Proposal)
    assert (proposal.outcome, proposal.needs) == ("refuse", 2)
    request = await signed(office)
    assert request.state == "refused" and await office.holds() == []
    assert "전자상거래" in office.last(ME).text


async def test_what_the_membership_needs_is_left_to_an_agent(office: Office) -> None:
    request = await proven(office, ME, EMAIL)
    if request.state == "open":
        view = await decisions.draft_for(office.desk, request.id or 0)
        assert view.missing == ("needed:email",)
    assert await office.sql("SELECT email FROM member WHERE member_id = 1001") == [(ME,)]


async def test_erasing_everything_ends_the_membership(office: Office) -> None:
    await office.mail(ME, ALL_DATA)
    await office.mail(ME, "네", answers=office.last(ME))
    assert await office.state() == "waiting"  # it ends the membership: asked once more
    await office.mail(ME, "네", answers=office.last(ME))
    [proposal] = await office.all(Proposal)
    assert proposal.outcome == "partial"
    request = await signed(office)
    assert request.state == "done" and await count(office, "profile") == 0
    assert await office.sql("SELECT name, status FROM member WHERE member_id = 1001") == [
        (None, "left")
    ]
    assert office.desk.registry.archive is not None
    assert await office.desk.registry.archive.count(MEMBER, "payment_request") == 2


async def test_people_in_content_ask_by_papers(office: Office) -> None:
    stranger = "seen@elsewhere.test"
    await office.mail(
        stranger, "회원이 올린 사진에 제 얼굴이 나옵니다. 제 개인정보를 삭제해 주세요."
    )
    request = await office.request()
    assert (request.kind, request.subject_id) == ("erasure", None)
    with pytest.raises(NotPermitted):
        await decisions.vouch(office.desk, request.id or 0, request.version, agent(), "", "call")
    await decisions.vouch(office.desk, request.id or 0, request.version, agent(), "", "papers")
    await office.work()
    request = await office.request()
    assert (request.state, request.level, request.subject_id) == ("open", "document", None)
    view = await decisions.draft_for(office.desk, request.id or 0)
    assert view.missing == ("agent",)
    note = decisions.AgentDraft(note="요청하신 사진을 내리고 원본을 파기했습니다.")
    await decisions.propose(office.desk, request.id or 0, request.version, agent(), note)
    request = await signed(office)
    assert request.state == "done"
    assert "원본을 파기했습니다" in office.last(stranger).text
    assert (
        json.loads(office.desk.vault.text((await office.all(Proposal))[-1].envelope))["changes"]
        == []
    )
