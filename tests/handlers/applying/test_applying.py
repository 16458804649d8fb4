"""Two databases, no lie: what becomes of an approved change set, whatever the registry does."""

import pytest
from desks import CORRECT, NEW_ADDRESS, NOW, Office, agent

from subjectline.handlers import applying, decisions, tasks, work
from subjectline.handlers.registry import Applied
from subjectline.intake.sandbox.people import KO_MEMBER, OTHER_MEMBER
from subjectline.models.errors import RegistryAway
from subjectline.models.tables import Attempt, History, Outbox, Proposal, Task

ME = KO_MEMBER.email
READ = "SELECT shipping_address FROM profile WHERE member_id = 1001"


async def approved(office: Office) -> None:
    """Signed, not yet applied."""
    await office.mail(ME, CORRECT)
    await office.mail(ME, "네", answers=office.last(ME))
    [proposal] = await office.all(Proposal)
    await decisions.approve(office.desk, proposal.sha256, agent())
    assert await office.state() == "applying"


async def test_only_the_members_own_row_changes(office: Office) -> None:
    everybody = "SELECT member_id, shipping_address FROM profile ORDER BY member_id"
    before = await office.sql(everybody)
    await approved(office)
    await office.work()
    after = await office.sql(everybody)
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [(1001, NEW_ADDRESS)]
    assert OTHER_MEMBER.number in [row[0] for row in after]


async def test_the_attempt_is_there_before_the_registry_is_touched(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await approved(office)
    real = office.desk.registry.apply
    seen: list[str] = []

    async def watched(changes: object, at: object = None) -> Applied:
        seen.extend(row.outcome for row in await office.all(Attempt))
        return await real(changes, at)  # type: ignore[arg-type]

    monkeypatch.setattr(office.desk.registry, "apply", watched)
    await office.work()
    assert seen == ["running"]
    [attempt] = await office.all(Attempt)
    assert attempt.outcome == "applied" and attempt.proof is not None
    assert NEW_ADDRESS in office.desk.vault.text(attempt.proof)


async def test_a_conflict_goes_back_to_an_agent_and_the_hold_stays(office: Office) -> None:
    await approved(office)
    await office.sql("UPDATE profile SET shipping_address = 'elsewhere' WHERE member_id = 1001")
    await office.work()
    assert await office.state() == "open"
    assert [hold.kind for hold in await office.holds()] == ["firm"]
    assert await office.sql(READ) == [("elsewhere",)]
    [attempt], [proposal] = await office.all(Attempt), await office.all(Proposal)
    assert (attempt.outcome, proposal.state) == ("conflict", "spent")
    assert attempt.detail["members"] == "conflict"
    assert await office.letters() == ["verify", "ack"]  # nothing was promised that is not so


async def test_after_a_conflict_it_is_proposed_anew(office: Office) -> None:
    await approved(office)
    await office.sql("UPDATE profile SET shipping_address = 'elsewhere' WHERE member_id = 1001")
    await office.work()
    request = await office.request()
    sha = await decisions.propose(
        office.desk, request.id or 0, request.version, agent(), decisions.AgentDraft()
    )
    await decisions.approve(office.desk, sha, agent())
    await office.work()
    assert await office.state() == "done" and await office.sql(READ) == [(NEW_ADDRESS,)]


async def test_a_registry_that_is_away_is_tried_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await approved(office)
    with monkeypatch.context() as away:
        away.setattr(office.desk.registry, "apply", gone)
        await office.work()
    assert await office.state() == "applying"
    assert [hold.kind for hold in await office.holds()] == ["firm"]
    task = (await office.all(Task))[-1]
    assert task.due_at > office.clock() and task.outcome == "due"
    assert [row.outcome for row in await office.all(Attempt)] == ["away"]
    office.clock.at = task.due_at
    await office.work()
    assert await office.state() == "done" and await office.sql(READ) == [(NEW_ADDRESS,)]


async def test_a_registry_that_stays_away_is_told_to_an_agent(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await approved(office)
    with monkeypatch.context() as away:
        away.setattr(office.desk.registry, "apply", gone)
        for _ in range(applying.PATIENCE):
            office.clock.at = (await office.all(Task))[-1].due_at
            await office.work()
    assert await office.state() == "open"
    assert [hold.kind for hold in await office.holds()] == ["firm"]
    [attempt] = [row for row in await office.all(Attempt)][-1:]
    assert attempt.outcome == "away" and "away" in attempt.detail["told"]


async def test_a_fault_of_our_own_is_told_to_an_agent_in_the_end(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await approved(office)

    async def broken(changes: object, at: object = None) -> Applied:
        raise TypeError("nobody thought of this")

    with monkeypatch.context() as fault:
        fault.setattr(office.desk.registry, "apply", broken)
        for _ in range(applying.PATIENCE):
            office.clock.at = (await office.all(Task))[-1].due_at
            await office.work()
    assert await office.state() == "open"
    assert [hold.kind for hold in await office.holds()] == ["firm"]
    assert (await office.all(Attempt))[-1].outcome == "failed"
    assert (await office.all(Task))[-1].outcome == "failed"
    assert (await office.all(History))[-1].facts == {"reason": "desk_failed"}


async def test_killed_after_the_registry_and_before_the_desk(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is written, the desk does not know: the next one finds it so and goes on."""
    await approved(office)
    real = office.desk.registry.apply

    async def dies(changes: object, at: object = None) -> Applied:
        await real(changes, at)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(office.desk.registry, "apply", dies)
        with pytest.raises(KeyboardInterrupt):
            await tasks.once(office.desk)
    assert await office.state() == "applying" and await office.sql(READ) == [(NEW_ADDRESS,)]
    office.clock.advance(work.LEASE * 2)
    await office.work()
    assert await office.state() == "done"
    assert [row.outcome for row in await office.all(Attempt)][-1] == "applied"
    assert (await office.letters()).count("done") == 1
    assert [row.event for row in await office.all(History)].count("apply") == 1


async def test_done_twice_is_done_once(office: Office) -> None:
    await approved(office)
    [task] = [row for row in await office.all(Task) if row.kind == "apply"]
    await applying.apply(office.desk, task)
    await applying.apply(office.desk, task)
    assert await office.state() == "done"
    assert [row.letter for row in await office.all(Outbox)].count("done") == 1
    assert len(await office.all(Attempt)) == 1


async def test_a_purchase_made_meanwhile_is_not_in_the_way(office: Office) -> None:
    """Another column of the same row may change between the draft and the writing."""
    await approved(office)
    await office.sql("UPDATE profile SET updated_at = :t WHERE member_id = 1001", t=str(NOW))
    await office.work()
    assert await office.state() == "done"


async def gone(changes: object, at: object = None) -> Applied:
    raise RegistryAway("the members database is away")
