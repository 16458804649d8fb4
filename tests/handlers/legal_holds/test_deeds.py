"""What a legal hold keeps, no leaving and no erasure destroys: not drafted, not signed, not applied."""

from datetime import timedelta

import pytest
from desks import LEAVE, Office, agent
from signing import proven, signed

from subjectline.handlers import audit, decisions, legal_holds
from subjectline.handlers.audit import Actor
from subjectline.intake.sandbox.people import KO_MEMBER, OTHER_MEMBER
from subjectline.models.errors import BadInput, NotPermitted, RegistryAway
from subjectline.models.tables import Agent, History, Proposal, Task

ME = KO_MEMBER.email
ROWS = "SELECT count(*) FROM profile WHERE member_id = 1001"


async def officer(office: Office) -> Actor:
    async with office.desk.write() as session:
        row = await session.get_one(Agent, 1)
        row.role = "officer"
        session.add(row)
    return audit.agent(1)


async def hold(office: Office, member: str = KO_MEMBER.member) -> int:
    until = (office.clock() + timedelta(days=90)).date()
    return await legal_holds.place(office.desk, await officer(office), "소송", until, member=member)


async def test_a_leaving_under_a_hold_is_not_drafted(office: Office) -> None:
    await hold(office)
    request = await proven(office, ME, LEAVE)
    assert await office.all(Proposal) == []
    view = await decisions.draft_for(office.desk, request.id or 0)
    assert view.missing == ("legal_hold",)
    with pytest.raises(BadInput, match="legal_hold"):
        await decisions.propose(
            office.desk, request.id or 0, request.version, agent(), decisions.AgentDraft()
        )


async def test_a_hold_before_the_signature_forbids_it(office: Office) -> None:
    await proven(office, ME, LEAVE)
    await hold(office)
    [proposal] = await office.all(Proposal)
    with pytest.raises(NotPermitted, match="legal hold"):
        await decisions.approve(office.desk, proposal.sha256, agent(2))
    assert await office.state() == "proposed"


async def test_a_hold_after_the_signatures_stops_the_deed(office: Office) -> None:
    await proven(office, ME, LEAVE)
    [proposal] = await office.all(Proposal)
    for number in (1, 2):
        await decisions.approve(office.desk, proposal.sha256, agent(number))
    await hold(office)
    await office.work()
    assert await office.state() == "open"
    assert await office.sql(ROWS) == [(1,)]
    assert (await office.all(History))[-1].facts["reason"] == "legal_hold"
    assert "done" not in await office.letters()


async def test_what_was_destroyed_before_the_hold_is_finished(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the database and before the desk: "nothing was destroyed" would be untrue."""
    await proven(office, ME, LEAVE)
    [proposal] = await office.all(Proposal)
    for number in (1, 2):
        await decisions.approve(office.desk, proposal.sha256, agent(number))
    real = office.desk.registry.apply

    async def dies(*given: object) -> object:
        await real(*given)  # type: ignore[arg-type]
        raise RuntimeError("as a kill would end it here")

    with monkeypatch.context() as death:
        death.setattr(office.desk.registry, "apply", dies)
        await office.work()
    assert await office.sql(ROWS) == [(0,)]
    await hold(office)
    office.clock.at = (await office.all(Task))[-1].due_at
    await office.work()
    assert await office.state() == "done"


async def test_a_registry_that_was_away_wrote_nothing_so_the_hold_stops_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await proven(office, ME, LEAVE)
    [proposal] = await office.all(Proposal)
    for number in (1, 2):
        await decisions.approve(office.desk, proposal.sha256, agent(number))

    async def gone(*_: object) -> object:
        raise RegistryAway("away", field="members")

    with monkeypatch.context() as away:
        away.setattr(office.desk.registry, "apply", gone)
        await office.work()
    await hold(office)
    office.clock.at = (await office.all(Task))[-1].due_at
    await office.work()
    assert await office.state() == "open" and await office.sql(ROWS) == [(1,)]


async def test_once_it_has_ended_the_member_leaves(office: Office) -> None:
    number = await hold(office)
    request = await proven(office, ME, LEAVE)
    await legal_holds.release(office.desk, await officer(office), number)
    await decisions.propose(
        office.desk, request.id or 0, request.version, agent(), decisions.AgentDraft()
    )
    assert (await signed(office)).state == "done"
    assert await office.sql(ROWS) == [(0,)]


async def test_a_refusal_is_signed_under_a_hold(office: Office) -> None:
    await hold(office)
    request = await proven(office, ME, "제 개인정보를 모두 삭제해 주세요.")
    refused = decisions.AgentDraft("refuse", ground="erasure_by_law", note="소송 중입니다.")
    await decisions.propose(office.desk, request.id or 0, request.version, agent(), refused)
    assert (await signed(office)).state == "refused"


async def test_a_hold_on_somebody_else_stops_nothing(office: Office) -> None:
    await hold(office, OTHER_MEMBER.member)
    await proven(office, ME, LEAVE)
    assert (await signed(office)).state == "done"
