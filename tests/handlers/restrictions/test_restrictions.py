"""A member suspected of false information: held at once, blocked by two, told, heard, free again."""

from datetime import timedelta

import pytest
from desks import Office, agent
from signing import request_of, signed

from subjectline.handlers import decisions, notices, restrictions
from subjectline.handlers.deadlines import refusal_grounds
from subjectline.handlers.drafting import AgentDraft
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import BadInput, IllegalMove, NotPermitted
from subjectline.models.tables import Audit, NoticeRecipient, Proposal, Restriction

ME, MEMBER = KO_MEMBER.email, str(KO_MEMBER.number)
WHY = "등록하신 이름과 본인확인 기록의 이름이 다릅니다."
STATUS = "SELECT status FROM member WHERE member_id = 1001"


async def restricted(office: Office) -> int:
    number = await restrictions.suspect(office.desk, MEMBER, agent(1), WHY)
    await office.work()
    await signed(office, await request_of(office, number))
    return number


async def test_two_agents_block_and_the_person_is_told(office: Office) -> None:
    number = await restrictions.suspect(office.desk, MEMBER, agent(1), WHY)
    await office.work()
    [hold] = await office.holds()
    assert (hold.cause, hold.kind) == ("false_information", "firm")
    assert await office.sql(STATUS) == [("active",)] and office.tray.to(ME) == []
    request = await signed(office, await request_of(office, number))
    assert request.state == "done" and await office.sql(STATUS) == [("blocked",)]
    [hold] = await office.holds()
    assert (hold.kind, set(hold.purposes)) == (
        "standing",
        {"basis:consent", "basis:contract", "!notice"},
    )
    letter = office.last(ME)
    assert WHY in letter.text and "1833-6972" in letter.text
    [row] = await office.all(Restriction)
    assert (row.state, row.decided_by) == ("in_force", 1)
    assert WHY.encode() not in bytes(row.reason.data if row.reason else b"")


async def test_a_purpose_by_law_is_not_blocked(office: Office) -> None:
    await restricted(office)
    gate = office.desk.gate
    service = await gate.decide("desk", MEMBER, ["email"], "service")
    by_law = await gate.decide("desk", MEMBER, ["email"], "legal-retention")
    assert (service.permit, by_law.permit) == (False, True)


async def test_a_restricted_member_is_told_of_a_change_of_the_policy(office: Office) -> None:
    await restricted(office)
    today = office.clock().date()
    words = {"ko": "내용", "en": "words"}
    change = dict.fromkeys(("clause", "before", "after", "reason"), words)
    version = await notices.create_version(
        office.desk,
        "2026-12",
        today,
        today + timedelta(days=10),
        "방침",
        "Policy",
        [change],
        agent(),
    )
    await notices.announce(office.desk, version, agent())
    while await notices.once(office.desk, office.tray):
        pass
    assert "2026-12" in office.last(ME).text
    [row] = [r for r in await office.all(NoticeRecipient) if r.subject_id == MEMBER]
    assert row.outcome == "sent"
    refused = await office.desk.gate.decide("desk", MEMBER, ["email"], "marketing")
    assert not refused.permit


async def test_nobody_is_restricted_twice_or_without_words(office: Office) -> None:
    await restricted(office)
    with pytest.raises(IllegalMove):
        await restrictions.suspect(office.desk, MEMBER, agent(2), WHY)
    with pytest.raises(BadInput):
        await restrictions.suspect(office.desk, "1002", agent(2), " ")


async def test_a_decision_can_be_dropped_before_it_is_signed(office: Office) -> None:
    number = await restrictions.suspect(office.desk, MEMBER, agent(1), WHY)
    await office.work()
    request = await request_of(office, number)
    await restrictions.drop(office.desk, number, request.version, agent(1), "확인되었습니다.")
    await office.work()
    assert await office.holds() == [] and office.tray.to(ME) == []
    [row] = await office.all(Restriction)
    assert row.state == "dropped"
    await restrictions.suspect(office.desk, MEMBER, agent(1), WHY)


async def test_the_person_objects_and_somebody_else_decides(office: Office) -> None:
    number = await restricted(office)
    await office.mail(
        ME, "이 결정에 이의를 제기합니다. 제 이름이 맞습니다.", answers=office.last(ME)
    )
    objection = await office.request()
    assert (objection.kind, objection.follows_id) == ("objection", number)
    assert (await office.holds())[0].cause == "false_information"


async def test_lifting_records_the_remedy_and_ends_the_hold(office: Office) -> None:
    await restricted(office)
    number = await restrictions.lift(office.desk, MEMBER, agent(3), "개명 사실을 확인했습니다.")
    await office.work()
    with pytest.raises(IllegalMove):
        await restrictions.lift(office.desk, MEMBER, agent(3), "again")
    await signed(office, await request_of(office, number))
    assert await office.sql(STATUS) == [("active",)] and await office.holds() == []
    assert "개명 사실을 확인했습니다." in office.last(ME).text
    [view] = await restrictions.of_member(office.desk, MEMBER, agent(2))
    assert (view.state, view.remedy) == ("lifted", "개명 사실을 확인했습니다.")
    looked = [r for r in await office.all(Audit) if r.object == "restriction"]
    assert [r.account for r in looked] == ["agent:2"]


async def test_one_agent_is_not_enough(office: Office) -> None:
    await restrictions.suspect(office.desk, MEMBER, agent(1), WHY)
    await office.work()
    [proposal] = await office.all(Proposal)
    await decisions.approve(office.desk, proposal.sha256, agent(1))
    with pytest.raises(NotPermitted):
        await decisions.approve(office.desk, proposal.sha256, agent(1))
    await office.work()
    assert await office.sql(STATUS) == [("active",)]


async def refused(office: Office, number: int) -> None:
    """The decision is refused by as many agents as that takes."""
    request = await request_of(office, number)
    ground = next(iter(refusal_grounds(request.regime, request.kind)), "")
    wish = AgentDraft("refuse", ground, "더 살펴보니 이름이 맞습니다.")
    await decisions.send_back(office.desk, number, request.version, agent(1), "다시 봅니다.")
    request = await request_of(office, number)
    await decisions.propose(office.desk, number, request.version, agent(1), wish)
    assert (await signed(office, request)).state == "refused"


async def test_a_refused_decision_leaves_the_member_free_for_another(office: Office) -> None:
    number = await restrictions.suspect(office.desk, MEMBER, agent(1), WHY)
    await office.work()
    await refused(office, number)
    assert await office.holds() == []
    assert [row.state for row in await office.all(Restriction)] == ["dropped"]
    again = await restrictions.suspect(office.desk, MEMBER, agent(1), WHY)
    await office.work()
    assert (await signed(office, await request_of(office, again))).state == "done"
    states = [row.state for row in await office.all(Restriction)]
    assert sorted(states) == ["dropped", "in_force"]


async def test_a_refused_lifting_may_be_tried_again(office: Office) -> None:
    await restricted(office)
    for _ in range(2):
        number = await restrictions.lift(office.desk, MEMBER, agent(1), "다시 확인했습니다.")
        await office.work()
        await refused(office, number)
        [row] = await office.all(Restriction)
        assert (row.state, row.lifting_id, row.remedy) == ("in_force", None, None)
    assert len(await office.holds()) == 1
