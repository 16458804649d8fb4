"""Copies out of the desk's reach: named before the approval, ticked after it, and no `done` before."""

import asyncio
import json

import pytest
from desks import CORRECT, LEAVE, NEW_ADDRESS, MakeDesk, Office, agent
from signing import proven, request_of, signed

from subjectline.handlers import casefile, copies, decisions
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.datamap import DataMap
from subjectline.models.datamap.parts import Bilingual, Manual
from subjectline.models.errors import BadInput, StaleMove
from subjectline.models.tables import Attempt, Audit, ManualCopy, Proposal, Request, Task

ME = KO_MEMBER.email
READ = "SELECT shipping_address FROM profile WHERE member_id = 1001"
PAPER = Manual(labels=Bilingual(ko="종이 배송 장부", en="Paper delivery book"), place="창고")
PARTNER = Manual(labels=Bilingual(ko="물류사 화면", en="Carrier's own system"))


def with_copies(plain: DataMap) -> DataMap:
    """The sample company, with two copies of the address that no database holds."""
    field = plain.fields["shipping_address"].model_copy(update={"manual": (PAPER, PARTNER)})
    return plain.model_copy(update={"fields": {**plain.fields, "shipping_address": field}})


@pytest.fixture
async def clerks(make_desk: MakeDesk, sample_map: DataMap) -> Office:
    return await make_desk(data_map=with_copies(sample_map))


async def written(office: Office) -> Request:
    """A correction that was signed; the database is written."""
    await proven(office, ME, CORRECT)
    return await signed(office)


async def test_the_approval_binds_the_names_of_the_copies(clerks: Office) -> None:
    await proven(clerks, ME, CORRECT)
    [proposal] = await clerks.all(Proposal)
    said = json.loads(clerks.desk.vault.text(proposal.envelope))
    assert [(copy["field"], copy["place"]) for copy in said["manual"]] == [
        ("shipping_address", "창고"),
        ("shipping_address", ""),
    ]


async def test_there_is_no_done_before_the_last_tick(clerks: Office) -> None:
    request = await written(clerks)
    assert await clerks.sql(READ) == [(NEW_ADDRESS,)]
    assert request.state == "applying"
    assert [hold.kind for hold in await clerks.holds()] == ["firm"]
    assert "done" not in await clerks.letters()
    assert await copies.tick(clerks.desk, request.id or 0, 0, agent(1)) == 1
    await clerks.work()
    assert await clerks.state() == "applying"
    assert await copies.tick(clerks.desk, request.id or 0, 1, agent(2)) == 0
    await clerks.work()
    assert await clerks.state() == "done"
    assert await clerks.holds() == []
    assert (await clerks.letters())[-1] == "done"


async def test_who_ticked_what_is_kept(clerks: Office) -> None:
    request = await written(clerks)
    await copies.tick(clerks.desk, request.id or 0, 0, agent(2))
    [first, second] = await clerks.all(ManualCopy)
    assert (first.done_by, first.done_at) == (2, clerks.clock())
    assert second.done_at is None
    ticked = [row for row in await clerks.all(Audit) if row.action == "copy_corrected"]
    assert [(row.account, row.request_id) for row in ticked] == [("agent:2", request.id)]
    case = await casefile.case(clerks.desk, request.reference, agent(1))
    assert case.copies_left == 1
    assert case.copies[0].done_by == "Alex Moreau"


async def test_of_two_at_once_one_ticks(clerks: Office) -> None:
    request = await written(clerks)
    both = [copies.tick(clerks.desk, request.id or 0, 0, agent(n)) for n in (1, 2)]
    ends = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["StaleMove", "int"]


async def test_no_such_copy(clerks: Office) -> None:
    request = await written(clerks)
    with pytest.raises(BadInput, match="no such copy"):
        await copies.tick(clerks.desk, request.id or 0, 7, agent())


async def test_a_value_that_changed_meanwhile_is_found_at_the_last_tick(clerks: Office) -> None:
    """People need days for paper; what another system wrote meanwhile is no `done`."""
    request = await written(clerks)
    await copies.tick(clerks.desk, request.id or 0, 0, agent())
    await clerks.sql("UPDATE profile SET shipping_address = 'elsewhere' WHERE member_id = 1001")
    await copies.tick(clerks.desk, request.id or 0, 1, agent())
    await clerks.work()
    assert await clerks.state() == "open"
    assert [hold.kind for hold in await clerks.holds()] == ["firm"]
    assert [row.outcome for row in await clerks.all(Attempt)] == ["applied", "conflict"]


async def test_a_copy_that_cannot_be_corrected_sends_the_request_back(clerks: Office) -> None:
    request = await written(clerks)
    await copies.give_up(clerks.desk, request.id or 0, request.version, agent(), "장부가 없습니다")
    back = await request_of(clerks, request.id or 0)
    assert back.state == "open"
    assert [hold.kind for hold in await clerks.holds()] == ["firm"]
    with pytest.raises(StaleMove):
        await copies.tick(clerks.desk, request.id or 0, 0, agent())


async def test_after_that_it_is_proposed_and_ticked_anew(clerks: Office) -> None:
    request = await written(clerks)
    number = request.id or 0
    await copies.tick(clerks.desk, number, 0, agent())
    await copies.give_up(clerks.desk, number, request.version, agent(), "")
    back = await request_of(clerks, number)
    await decisions.propose(clerks.desk, number, back.version, agent(), decisions.AgentDraft())
    await signed(clerks)
    for place in (0, 1):
        await copies.tick(clerks.desk, number, place, agent())
    await clerks.work()
    assert await clerks.state() == "done"


async def test_nothing_waits_so_nothing_is_given_up(clerks: Office) -> None:
    request = await proven(clerks, ME, CORRECT)
    with pytest.raises(BadInput, match="no copy is waiting"):
        await copies.give_up(clerks.desk, request.id or 0, request.version, agent(), "")


async def test_leaving_names_every_copy_of_the_member(clerks: Office) -> None:
    request = await proven(clerks, ME, LEAVE)
    await signed(clerks)
    assert [copy.place for copy in await clerks.all(ManualCopy)] == ["창고", ""]
    for place in (0, 1):
        await copies.tick(clerks.desk, request.id or 0, place, agent())
    await clerks.work()
    assert await clerks.state() == "done"


async def test_a_kill_after_the_last_tick_loses_nothing(clerks: Office) -> None:
    """The tick and the task that closes the request are one commit."""
    request = await written(clerks)
    for place in (0, 1):
        await copies.tick(clerks.desk, request.id or 0, place, agent())
    [task] = [row for row in await clerks.all(Task) if row.kind == "apply"]
    assert (task.outcome, task.leased_until) == ("due", None)
