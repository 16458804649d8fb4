"""The export that an agent approves is the export that leaves, byte for byte, or the request is not done."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import pytest
import rfc8785
from browsers import KO, asks
from desks import ACCESS, Office, agent

from subjectline.handlers import decisions, drafting, proposing, requests, timers, work
from subjectline.handlers.drafting import AgentDraft
from subjectline.handlers.export import gather, shelf, survey
from subjectline.models.errors import StaleMove
from subjectline.models.tables import Attempt, Export, ExportPart, History, Proposal, Request, Task

ANOTHER = (
    "INSERT INTO access_log (member_id, ip_address, cookie_id, path, accessed_at)"
    " VALUES (1001, '192.0.2.7', 'c', '/late', '2026-11-01 03:04:05.000000')"
)


async def proposed(office: Office) -> Proposal:
    """The system's proposal of an access, with its export."""
    await asks(office, KO, ACCESS)
    assert await office.state() == "proposed"
    return (await office.all(Proposal))[-1]


async def number(office: Office) -> int:
    return (await office.request()).id or 0


async def approve(office: Office) -> None:
    proposal = (await office.all(Proposal))[-1]
    await decisions.approve(office.desk, proposal.sha256, agent())
    await office.work()


async def lines_of(office: Office, state: str = "ready") -> dict[str, list[bytes]]:
    head = await shelf.head(office.desk, await number(office), state)
    assert head is not None
    return {
        table["table"]: [part async for part in shelf.parts(office.desk, head, place)]
        for place, table in enumerate(head.tables)
    }


async def test_the_envelope_names_the_hash_of_what_the_person_will_get(office: Office) -> None:
    proposal = await proposed(office)
    said = drafting.open_envelope(office.desk, proposal)["export"]
    head = await shelf.head(office.desk, await number(office), "proposed")
    assert head is not None
    rows = [
        hashlib.sha256(b"".join(parts)).hexdigest()
        for parts in (await lines_of(office, "proposed")).values()
    ]
    wanted = rfc8785.dumps({"head": head.body, "rows": rows})
    assert said["sha256"] == hashlib.sha256(wanted).hexdigest()
    [row] = await office.all(Export)
    assert (row.state, row.counts) == ("proposed", said["tables"])
    assert await shelf.head(office.desk, await number(office)) is None  # nobody can open it yet


async def test_what_came_after_the_proposal_does_not_leave_with_it(office: Office) -> None:
    await proposed(office)
    before = await lines_of(office, "proposed")
    await office.sql(ANOTHER)
    seen = await survey.survey(office.desk, await number(office), agent())
    assert seen is not None and seen.bound and seen.made_at == office.clock()
    office.clock.advance(timedelta(hours=5))
    await approve(office)
    assert await office.state() == "done"
    assert await lines_of(office) == before
    left = await survey.survey(office.desk, await number(office), agent())
    assert left is not None and left.tables == seen.tables and not left.bound
    assert left.made_at == seen.made_at
    assert left.expires_at == office.clock() + gather.LIVES


async def test_the_registry_is_read_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    real, read = office.desk.registry.export, list[str]()

    async def counted(member: str, *given: Any) -> Any:
        read.append(member)
        return await real(member, *given)

    monkeypatch.setattr(office.desk.registry, "export", counted)
    await proposed(office)
    await survey.survey(office.desk, await number(office), agent())
    await survey.open_values(office.desk, await number(office), "member", "others", agent())
    await approve(office)
    assert (await office.state(), read) == ("done", ["1001"])


async def lose_a_part(office: Office) -> None:
    async with office.desk.write() as session:
        await session.delete(await session.get_one(ExportPart, 2))


async def swap_two_parts(office: Office) -> None:
    """Both are sealed under the same key for the same column, so that each opens."""
    async with office.desk.write() as session:
        one, two = [await session.get_one(ExportPart, number) for number in (1, 2)]
        one.content, two.content = two.content, one.content
        session.add_all([one, two])


async def forge_a_part(office: Office) -> None:
    request = await office.request()
    async with office.desk.write() as session:
        row = await session.get_one(ExportPart, 1)
        row.content = office.desk.vault.seal(request.key_id, "export_part.content", b"{}\n")
        session.add(row)


async def other_counts(office: Office) -> None:
    async with office.desk.write() as session:
        row = await session.get_one(Export, 1)
        row.counts = {}
        session.add(row)


async def lose_it(office: Office) -> None:
    async with office.desk.write() as session:
        for part in await office.all(ExportPart):
            await session.delete(await session.get_one(ExportPart, part.id))
        await session.flush()
        await session.delete(await session.get_one(Export, 1))


async def lose_the_head(office: Office) -> None:
    async with office.desk.write() as session:
        row = await session.get_one(Export, 1)
        row.content = None
        session.add(row)


@pytest.mark.parametrize(
    "harm", [lose_a_part, swap_two_parts, forge_a_part, other_counts, lose_it, lose_the_head]
)
async def test_gone_or_another_one_fails_and_nothing_leaves(office: Office, harm: Any) -> None:
    await proposed(office)
    await harm(office)
    await approve(office)
    request = await office.request()
    assert request.state == "open"
    assert await office.letters() == ["verify", "ack"]
    assert await shelf.head(office.desk, request.id or 0) is None
    [attempt] = await office.all(Attempt)
    assert attempt.outcome == "export" and "export" in attempt.detail["told"]
    last = (await office.all(History))[-1]
    assert last.event == "fail" and "export" in last.facts["reason"]
    await timers.sweep(office.desk)
    assert await office.all(Export) == [] and await office.all(ExportPart) == []
    await decisions.propose(office.desk, request.id or 0, request.version, agent(), AgentDraft())
    await approve(office)
    assert await office.state() == "done"


async def test_an_envelope_without_an_export_hands_over_none(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(*given: Any) -> Any:
        return given[2]

    monkeypatch.setattr(drafting, "with_export", none)
    await proposed(office)
    await approve(office)
    assert await office.state() == "open"


async def test_sent_back_it_is_swept_and_gathered_anew(office: Office) -> None:
    first = await proposed(office)
    request = await office.request()
    await decisions.send_back(office.desk, request.id or 0, request.version, agent(), "no")
    seen = await survey.survey(office.desk, request.id or 0, agent())
    assert seen is not None and seen.made_at is None  # counted in the registry again
    await timers.sweep(office.desk)
    assert await office.all(Export) == [] and await office.all(ExportPart) == []
    await office.sql(ANOTHER)
    request = await office.request()
    wish = AgentDraft(note="한 가지를 덧붙입니다.")
    sha256 = await decisions.propose(office.desk, request.id or 0, request.version, agent(), wish)
    second = (await office.all(Proposal))[-1]
    assert second.sha256 == sha256
    one, two = [drafting.open_envelope(office.desk, p)["export"] for p in (first, second)]
    logs = [said["tables"]["access_log"]["rows"] for said in (one, two)]
    assert logs[1] == logs[0] + 1 and one["sha256"] != two["sha256"]


async def test_a_new_proposal_takes_the_place_of_an_unswept_one(office: Office) -> None:
    await proposed(office)
    request = await office.request()
    await decisions.send_back(office.desk, request.id or 0, request.version, agent(), "no")
    request = await office.request()
    await decisions.propose(office.desk, request.id or 0, request.version, agent(), AgentDraft())
    [row] = await office.all(Export)
    assert row.state == "proposed"
    assert {part.export_id for part in await office.all(ExportPart)} == {row.id}


async def test_three_days_old_it_is_swept(office: Office) -> None:
    await proposed(office)
    office.clock.advance(timedelta(days=3) - timedelta(seconds=1))
    await timers.sweep(office.desk)
    assert len(await office.all(Export)) == 1
    office.clock.advance(timedelta(seconds=2))
    await timers.sweep(office.desk)
    assert await office.all(Export) == [] and await office.all(ExportPart) == []
    with pytest.raises(StaleMove):
        await approve(office)


async def test_one_that_is_being_applied_is_not_swept(office: Office) -> None:
    proposal = await proposed(office)
    await decisions.approve(office.desk, proposal.sha256, agent())
    office.clock.advance(timedelta(days=4))
    await timers.sweep(office.desk)
    await office.work()
    assert await office.state() == "done"
    assert await lines_of(office)


async def test_a_withdrawn_request_keeps_none(office: Office) -> None:
    await proposed(office)
    request = await office.request()
    async with office.desk.write() as session:
        await requests.advance(
            session, office.desk, request.id or 0, "withdraw", agent(), request.version
        )
    await timers.sweep(office.desk)
    assert await office.all(Export) == [] and await office.all(ExportPart) == []


class Killed(BaseException):
    """What nobody catches, like the end of the process."""


async def test_killed_between_gathering_and_proposing_nothing_is_seen(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = decisions.propose_draft

    async def die(*given: Any) -> str:
        raise Killed

    monkeypatch.setattr(decisions, "propose_draft", die)
    with pytest.raises(Killed):
        await asks(office, KO, ACCESS)
    [left] = await office.all(Export)
    assert (await office.state(), left.state) == ("open", "gathering")
    assert await office.all(Proposal) == []
    for state in ("ready", "proposed"):
        found = await shelf.head(office.desk, await number(office), state)
        assert found is None
    seen = await survey.survey(office.desk, await number(office), agent())
    assert seen is not None and seen.made_at is None
    monkeypatch.setattr(decisions, "propose_draft", real)
    office.clock.advance(timedelta(minutes=2))  # the dead one's lease is over
    await office.work()
    assert await office.state() == "proposed"
    [row] = await office.all(Export)
    assert row.id != left.id and row.state == "proposed"
    await approve(office)
    assert await office.state() == "done"


async def test_of_two_who_propose_at_once_one_has_an_export(office: Office) -> None:
    await proposed(office)
    request = await office.request()
    await decisions.send_back(office.desk, request.id or 0, request.version, agent(), "no")
    request = await office.request()
    both = await asyncio.gather(
        *(
            decisions.propose(office.desk, request.id or 0, request.version, agent(n), AgentDraft())
            for n in (1, 2)
        ),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in both) == ["StaleMove", "str"]
    await timers.sweep(office.desk)
    [row] = await office.all(Export)
    assert row.state == "proposed"
    await approve(office)
    assert await office.state() == "done"


async def test_a_long_gathering_and_a_long_check_keep_their_lease(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "BEAT", 0.001)
    beaten = asyncio.Event()
    real_lease, leases = work.hold_lease, list[str]()

    async def lease(desk: Any, task: Task) -> None:
        leases.append(task.kind)
        await real_lease(desk, task)
        beaten.set()

    real = office.desk.registry.export

    async def slow(*given: Any) -> Any:
        found = await real(*given)
        beaten.clear()
        await beaten.wait()
        return found

    monkeypatch.setattr(proposing, "hold_lease", lease)
    monkeypatch.setattr("subjectline.handlers.applying.hold_lease", lease)
    monkeypatch.setattr(office.desk.registry, "export", slow)
    real_parts = shelf.parts

    async def slow_parts(*given: Any) -> Any:
        async for part in real_parts(*given):
            beaten.clear()
            await beaten.wait()
            yield part

    await proposed(office)
    monkeypatch.setattr(shelf, "parts", slow_parts)
    await approve(office)
    assert await office.state() == "done"
    assert {"draft", "apply"} <= set(leases)


async def test_a_request_of_nobody_has_no_export(office: Office) -> None:
    await asks(office, "nobody@mail.test", ACCESS)
    assert await office.all(Export) == []
    assert [row.subject_id for row in await office.all(Request)] == [None]
