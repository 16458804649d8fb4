"""What is said of a hold: not before views show it, and since when it is in force everywhere."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from desks import CORRECT, MakeDesk, Office, code_in
from starlette.applications import Starlette

from subjectline.handlers import gate_reach, outbox
from subjectline.handlers.gate import Gate
from subjectline.handlers.gate_mirror import Mirror, Mirrors
from subjectline.handlers.gate_reach import Reach, in_force_since
from subjectline.handlers.registry import open_engine
from subjectline.handlers.registry.gate_sql_mirror import HoldTable
from subjectline.intake.health import health_routes
from subjectline.models.tables import Outbox

MEMBER = "haneul.kim@mail.test"


class Slow(Mirrors):
    """Mirrors that reach nothing before they are told."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.there = asyncio.Event(), asyncio.Event()
        self.wanted = -1

    async def caught_up(self, gate: Gate) -> None:
        await gate.refresh()
        self.wanted = gate.state.revision
        self.asked.set()
        await self.there.wait()


async def proven(office: Office) -> None:
    """A member's code has come in; what it starts is queued and not sent."""
    await office.mail(MEMBER, CORRECT)
    code = code_in(office.last(MEMBER))
    mirrors = Slow()
    office.desk = replace(office.desk, mirrors=mirrors)
    work = asyncio.create_task(office.mail(MEMBER, code))
    await asyncio.wait_for(mirrors.asked.wait(), 60)
    assert mirrors.wanted == (await office.holds())[-1].revision > 0
    assert [one.outcome for one in await office.all(Outbox, Outbox.letter == "ack")] == ["due"]
    assert len(office.tray.to(MEMBER)) == 1
    mirrors.there.set()
    await work


async def test_the_acknowledgement_leaves_after_the_mirrors(make_desk: MakeDesk) -> None:
    office = await make_desk()
    await proven(office)
    assert [one.outcome for one in await office.all(Outbox, Outbox.letter == "ack")] == ["sent"]
    assert len(office.tray.to(MEMBER)) == 2


async def test_one_that_waits_when_the_desk_stops_is_free_at_once(make_desk: MakeDesk) -> None:
    office = await make_desk()
    await office.mail(MEMBER, CORRECT)
    mirrors = Slow()
    office.desk = replace(office.desk, mirrors=mirrors)
    work = asyncio.create_task(office.mail(MEMBER, code_in(office.last(MEMBER))))
    await asyncio.wait_for(mirrors.asked.wait(), 60)
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    [letter] = await office.all(Outbox, Outbox.letter == "ack")
    assert (letter.outcome, letter.leased_until, letter.attempts) == ("due", None, 0)
    mirrors.there.set()
    assert await outbox.once(office.desk, office.senders) == 1


async def test_a_revision_is_everywhere_the_bound_after_it_was_seen(
    make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await make_desk()
    await proven(office)
    monkeypatch.setattr(gate_reach, "BOUND", 0.01)
    desk, revision = office.desk, (await office.holds())[-1].revision
    reach = Reach(desk.gate, desk.db, desk.clock)
    async with desk.db.read() as session:
        assert await in_force_since(session, revision) is None
    noted = asyncio.Event()
    note = reach.note

    async def told(number: int) -> None:
        await note(number)
        noted.set()

    monkeypatch.setattr(reach, "note", told)
    running = asyncio.create_task(reach.run())
    await asyncio.wait_for(noted.wait(), 60)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    office.clock.advance(timedelta(hours=1))
    await note(revision + 1)
    async with desk.db.read() as session:
        since = await in_force_since(session, revision)
        later = await in_force_since(session, revision + 1)
        assert await in_force_since(session, revision + 2) is None
    assert since and later and later - since == timedelta(hours=1)


async def test_a_mirror_that_is_away_is_told_by_healthz(make_desk: MakeDesk) -> None:
    office = await make_desk()
    table = HoldTable(
        office.desk.data_map, "members", open_engine("postgresql://nobody@127.0.0.1:1/x")
    )
    mirror = Mirror(table, office.desk.gate, office.clock)
    desk = replace(office.desk, mirrors=Mirrors([mirror]))
    assert not await mirror.once() and "cannot be used now" in mirror.status.last_error
    routes = Starlette(routes=health_routes(desk, []))
    transport = httpx.ASGITransport(app=routes)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        answer = await client.get("/healthz")
        figures = await client.get("/metrics")
    assert answer.status_code == 503 and answer.json()["down"] == ["views of members"]
    assert 'subjectline_door_up{door="views of members"} 0' in figures.text
    await desk.mirrors.close()
