"""The system's own draft: whole, or one question, or nothing while the registry is away."""

import pytest
from desks import ACCESS, CORRECT, LEAVE, MARKETING, NEW_ADDRESS, THIRD_PARTY, Office

from subjectline.handlers import drafting
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import RegistryAway
from subjectline.models.tables import Proposal, Task

ME = KO_MEMBER.email


async def proven(office: Office, words: str) -> None:
    await office.mail(ME, words)
    if await office.state() == "verifying":
        await office.mail(ME, "네", answers=office.last(ME))


@pytest.mark.parametrize(
    ("words", "needs", "changes"),
    [
        (CORRECT, 1, True),
        (ACCESS, 1, False),
        (MARKETING, 1, True),
        (THIRD_PARTY, 1, True),
    ],
)
async def test_a_whole_draft_by_the_system(
    office: Office, words: str, needs: int, changes: bool
) -> None:
    await proven(office, words)
    [proposal] = await office.all(Proposal)
    assert (proposal.drafted_by, proposal.touched, proposal.needs) == ("system", False, needs)
    said = drafting.open_envelope(office.desk, proposal)
    assert said["outcome"] == "fulfil" and said["letter"] == "done" and said["text"]
    assert bool(said["changes"]) == changes


async def test_the_envelope_names_old_and_new(office: Office) -> None:
    await proven(office, CORRECT)
    [proposal] = await office.all(Proposal)
    change = drafting.open_envelope(office.desk, proposal)["changes"][0]
    old = await office.sql("SELECT shipping_address FROM profile WHERE member_id = 1001")
    assert (change["table"], change["column"]) == ("profile", "shipping_address")
    assert (change["old"], change["new"]) == (old[0][0], NEW_ADDRESS)


async def test_nothing_is_drafted_before_the_explicit_yes(office: Office) -> None:
    await proven(office, LEAVE)
    assert await office.all(Proposal) == [] and await office.state() == "waiting"


async def test_a_registry_that_is_away_only_delays(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise RegistryAway("the members database is away")

    await office.mail(ME, CORRECT)
    with monkeypatch.context() as away:
        away.setattr(office.desk.registry, "draft_correction", gone)
        await office.mail(ME, "네", answers=office.last(ME))
    assert await office.state() == "open"
    assert [hold.kind for hold in await office.holds()] == ["firm"]
    [task] = await office.all(Task)
    office.clock.at = task.due_at
    await office.work()
    assert await office.state() == "proposed"


async def test_a_fault_of_ours_is_tried_again_and_hinders_nobody(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("nobody thought of this")

    await office.mail(ME, f"{CORRECT} 그리고 {ACCESS}")
    with monkeypatch.context() as fault:
        fault.setattr(office.desk.registry, "draft_correction", broken)
        await office.mail(ME, "네", answers=office.last(ME))
    states = sorted(task.outcome for task in await office.all(Task))
    assert states == ["done", "due"]
    office.clock.at = max(task.due_at for task in await office.all(Task))
    await office.work()
    assert {task.outcome for task in await office.all(Task)} == {"done"}
