"""What agents do: an approval binds bytes, nobody signs twice, two hands where a person touched it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from desks import ACCESS, CORRECT, LEAVE, MARKETING, NEW_ADDRESS, Office, agent

from subjectline.handlers import decisions, drafting, sorting
from subjectline.handlers.decisions import AgentDraft
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import BadInput, NotPermitted, StaleMove, UnknownMember
from subjectline.models.tables import Approval, Audit, Proposal, Request

ME = KO_MEMBER.email


async def proposed(office: Office, words: str = CORRECT, *more: str) -> Proposal:
    for said in (words, "네", *more):
        await office.mail(ME, said, answers=office.last(ME) if office.tray.parcels else None)
    assert await office.state() == "proposed"
    return (await office.all(Proposal))[-1]


async def test_one_signature_under_an_untouched_draft(office: Office) -> None:
    proposal = await proposed(office)
    signed = await decisions.approve(office.desk, proposal.sha256, agent())
    assert (signed.have, signed.need) == (1, 1)
    await office.work()
    assert await office.state() == "done"
    row = await office.sql("SELECT shipping_address FROM profile WHERE member_id = 1001")
    assert row == [(NEW_ADDRESS,)]
    assert await office.holds() == [] and await office.letters() == ["verify", "ack", "done"]


async def test_what_leaves_is_what_was_signed(office: Office) -> None:
    """All but the slots named in the envelope."""
    proposal = await proposed(office)
    said = drafting.open_envelope(office.desk, proposal)
    assert said["slots"] == ["sent_on", "done_on", "expires_on", "secure_link", "told"]
    assert said["recipient"] == ME
    await decisions.approve(office.desk, proposal.sha256, agent())
    office.clock.advance(timedelta(days=1))
    await office.work()
    left = office.last(ME)
    assert left.subject == said["subject"]
    day = "2026년 11월 24일(화)"
    text = said["text"].replace("⟦sent_on⟧", day).replace("⟦done_on⟧", day)
    assert left.text == text.replace("⟦told⟧", "우체국 (알리는 중)")
    assert f"보낸 날: {day}" in left.text


async def test_bytes_that_nobody_has_seen_cannot_be_signed(office: Office) -> None:
    await proposed(office)
    with pytest.raises(StaleMove):
        await decisions.approve(office.desk, "0" * 64, agent())
    assert await office.all(Approval) == [] and await office.state() == "proposed"


async def test_the_same_agent_cannot_sign_twice(office: Office) -> None:
    proposal = await proposed(office, LEAVE, "네")
    assert proposal.needs == 2
    signed = await decisions.approve(office.desk, proposal.sha256, agent(1))
    assert not signed.enough and await office.state() == "proposed"
    with pytest.raises(NotPermitted):
        await decisions.approve(office.desk, proposal.sha256, agent(1))
    assert len(await office.all(Approval)) == 1
    signed = await decisions.approve(office.desk, proposal.sha256, agent(2))
    assert signed.enough
    await office.work()
    assert await office.state() == "done"
    assert [hold.kind for hold in await office.holds()] == ["standing"]


async def test_touched_words_need_two_agents(office: Office) -> None:
    proposal = await proposed(office)
    request = await office.request()
    await decisions.send_back(office.desk, request.id or 0, request.version, agent(), "a word")
    request = await office.request()
    wish = AgentDraft(note="다음 배송부터 새 주소로 갑니다.")
    sha = await decisions.propose(office.desk, request.id or 0, request.version, agent(), wish)
    newest = (await office.all(Proposal))[-1]
    assert (newest.touched, newest.needs, newest.drafted_by) == (True, 2, "agent:1")
    with pytest.raises(StaleMove):
        await decisions.approve(office.desk, proposal.sha256, agent(2))
    await decisions.approve(office.desk, sha, agent(1))
    await decisions.approve(office.desk, sha, agent(2))
    await office.work()
    assert await office.state() == "done" and "다음 배송부터" in office.last(ME).text


async def test_a_proposal_of_three_days_is_made_anew(office: Office) -> None:
    proposal = await proposed(office)
    office.clock.advance(timedelta(days=3, minutes=1))
    with pytest.raises(StaleMove):
        await decisions.approve(office.desk, proposal.sha256, agent())
    assert await office.all(Approval) == []


async def test_nobody_but_an_agent_signs(office: Office) -> None:
    from subjectline.handlers.audit import MEMBER

    proposal = await proposed(office)
    with pytest.raises(NotPermitted):
        await decisions.approve(office.desk, proposal.sha256, MEMBER)
    assert await office.all(Approval) == []


async def test_a_refusal_ends_the_hold_and_says_the_ground(office: Office) -> None:
    await proposed(office)
    request = await office.request()
    await decisions.send_back(office.desk, request.id or 0, request.version, agent(), "why")
    request = await office.request()
    with pytest.raises(BadInput) as told:
        await decisions.propose(
            office.desk, request.id or 0, request.version, agent(), AgentDraft("refuse")
        )
    assert told.value.field == "ground"
    wish = AgentDraft("refuse", "correction_by_law", "법정 보관 기록입니다.")
    sha = await decisions.propose(office.desk, request.id or 0, request.version, agent(), wish)
    for number in (1, 2):
        await decisions.approve(office.desk, sha, agent(number))
    await office.work()
    assert await office.state() == "refused" and await office.holds() == []
    assert "법정 보관 기록" in office.last(ME).text
    row = await office.sql("SELECT shipping_address FROM profile WHERE member_id = 1001")
    assert row != [(NEW_ADDRESS,)]


async def test_whoever_signed_stands_in_the_audit(office: Office) -> None:
    proposal = await proposed(office)
    await decisions.approve(office.desk, proposal.sha256, agent(3))
    acts = [(row.account, row.action, row.subject_id) for row in await office.all(Audit)]
    assert ("agent:3", "sign", "1001") in acts and ("agent:3", "approve", "1001") in acts


async def test_papers_prove_whom_the_mail_cannot(office: Office) -> None:
    await office.mail(ME, "이메일 주소를 new.haneul@mail.test로 바꿔 주세요.")
    request = await office.request()
    with pytest.raises(UnknownMember):
        await decisions.vouch(
            office.desk, request.id or 0, request.version, agent(), "999999", "papers"
        )
    await decisions.vouch(office.desk, request.id or 0, request.version, agent(), "1001", "call")
    await office.work()
    request = await office.request()
    assert (request.level, request.subject_id) == ("document", "1001")
    assert [hold.fields for hold in await office.holds()] == [["email"]]


async def test_an_unsorted_mail_becomes_a_case(office: Office) -> None:
    await office.mail(ME, "제 정보 좀 어떻게 해 주세요", "정보")
    conversation = await office.conversation()
    await sorting.open_case(office.desk, conversation.id or 0, agent(), "access", [])
    await office.work()
    [request] = await office.all(Request)
    assert (request.kind, request.state) == ("access", "verifying")
    assert request.arrived_at == (await office.messages())[0].at
    await office.mail(ME, "네", answers=office.last(ME))
    assert await office.state() == "proposed"


async def test_access_comes_behind_a_link_not_in_the_mail(office: Office) -> None:
    proposal = await proposed(office, ACCESS)
    await decisions.approve(office.desk, proposal.sha256, agent())
    await office.work()
    assert await office.state() == "done"
    left = office.last(ME)
    assert "/m/" in left.text and "010-0000" not in left.text and "김하늘" not in left.text
    kept = next(m for m in await office.messages() if m.letter == "done")
    assert "/m/" not in office.desk.vault.text(kept.text)


async def test_a_partial_answer_corrects_some_and_refuses_others(office: Office) -> None:
    await office.mail(
        ME, "배송지를 부산시 수영구 파도로 12로, 인스타그램 아이디를 haneul.new로 바꿔 주세요."
    )
    await office.mail(ME, "네", answers=office.last(ME))
    request = await office.request()
    assert set(request.fields) == {"shipping_address", "instagram_id"}
    await decisions.send_back(office.desk, request.id or 0, request.version, agent(), "a word")
    request = await office.request()
    wish = AgentDraft("partial", "", "본인 계정인지 확인되지 않습니다.", {"instagram_id": ""})
    with pytest.raises(BadInput, match="ground"):
        await decisions.propose(office.desk, request.id or 0, request.version, agent(), wish)
    wish = replace(wish, ground="not_incorrect")
    sha = await decisions.propose(office.desk, request.id or 0, request.version, agent(), wish)
    before = await office.desk.registry.read(KO_MEMBER.member, ["instagram_id"])
    for number in (1, 2):
        await decisions.approve(office.desk, sha, agent(number))
    await office.work()
    row = await office.desk.registry.read(KO_MEMBER.member, ["shipping_address", "instagram_id"])
    assert row == {"shipping_address": "부산시 수영구 파도로 12", **before}
    told = office.last(ME).text
    assert "인스타그램" in told and "본인 계정인지" in told and "1833-6972" in told
    assert await office.state() == "done" and not [
        h for h in await office.holds() if not h.ended_at
    ]


async def test_a_withdrawal_is_never_partial(office: Office) -> None:
    await office.mail(ME, MARKETING)
    request = await office.request()
    await decisions.send_back(office.desk, request.id or 0, request.version, agent(), "a word")
    request = await office.request()
    with pytest.raises(BadInput, match="as a whole"):
        await decisions.propose(
            office.desk, request.id or 0, request.version, agent(), AgentDraft("partial")
        )
