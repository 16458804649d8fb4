"""Several letters under way at once: a slow one holds nobody up, none is sent twice, none out of turn."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from desks import ACCESS, CORRECT, PARSERS, MakeDesk, Office
from sqlmodel import update

from subjectline.handlers import inbox, outbox, tasks
from subjectline.handlers.desk import Desk
from subjectline.handlers.outbox import Parcel
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.db import Database
from subjectline.models.errors import TemporarySendError
from subjectline.models.incoming import Door
from subjectline.models.tables import Outbox

ME = KO_MEMBER.email
SOON = 10.0  # seconds: longer than anything here may last


class Killed(BaseException):
    """The process ends at this very place."""


class Server:
    """A mail server that counts; `slow` receivers hang until `go`, `dies` after it took a letter."""

    def __init__(self, *slow: str) -> None:
        self.slow, self.go, self.dies = slow, asyncio.Event(), False
        self.flying: list[str] = []
        self.most = 0
        self.came: asyncio.Queue[Parcel] = asyncio.Queue()
        self.hanging: asyncio.Queue[str] = asyncio.Queue()

    async def send(self, parcel: Parcel) -> None:
        assert parcel.message_id not in self.flying
        self.flying.append(parcel.message_id)
        self.most = max(self.most, len(self.flying))
        try:
            if parcel.recipient in self.slow:
                self.hanging.put_nowait(parcel.recipient)
                await self.go.wait()
            await asyncio.sleep(0)
            self.came.put_nowait(parcel)
        finally:
            self.flying.remove(parcel.message_id)
        if self.dies:
            raise Killed

    async def next(self, number: int) -> list[Parcel]:
        async with asyncio.timeout(SOON):
            return [await self.came.get() for _ in range(number)]


@asynccontextmanager
async def running(
    desk: Desk, server: Server, at_once: int = 4
) -> AsyncIterator[asyncio.Task[None]]:
    loop = asyncio.create_task(outbox.run(desk, {Door.MAIL: server}, at_once))
    try:
        yield loop
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def queued(office: Office, *senders: str, words: str = CORRECT) -> None:
    for sender in senders:
        await office.mail(sender, words, work=False)
    while await inbox.once(office.desk, PARSERS) + await tasks.once(office.desk):
        pass


async def settled(office: Office) -> list[str]:
    """What became of each letter, once nothing of them is under way."""
    async with asyncio.timeout(SOON):
        while True:
            rows = await office.all(Outbox)
            if all(row.leased_until is None for row in rows):
                return [row.outcome for row in rows]
            await asyncio.sleep(0.01)


def others(number: int) -> list[str]:
    return [f"person{each}@quick.test" for each in range(number)]


async def test_a_receiver_that_hangs_holds_nobody_up(make_desk: MakeDesk) -> None:
    office = await make_desk()
    await queued(office, "slow@hang.test", *others(6))
    server = Server("slow@hang.test")
    async with running(office.desk, server, 2):
        assert {p.recipient for p in await server.next(6)} == set(others(6))
        server.go.set()
        assert (await server.next(1))[0].recipient == "slow@hang.test"
        assert await settled(office) == ["sent"] * 7
    assert server.most == 2  # never more than this door takes


async def test_letters_of_one_conversation_go_one_after_the_other(office: Office) -> None:
    await queued(office, "slow@hang.test")
    await queued(office, "slow@hang.test", words=ACCESS)
    await queued(office, "quick@hang.test")
    server = Server("slow@hang.test")
    async with running(office.desk, server):
        async with asyncio.timeout(SOON):
            assert await server.hanging.get() == "slow@hang.test"
        assert (await server.next(1))[0].recipient == "quick@hang.test"
        assert server.hanging.empty()
        server.go.set()
        await server.next(2)
        await settled(office)
    assert [row.outcome for row in await office.all(Outbox)] == ["sent"] * 3


async def test_a_letter_waits_its_turn_behind_one_that_failed_just_now(office: Office) -> None:
    await queued(office, ME)
    await queued(office, ME, words=ACCESS)
    first, second = await office.all(Outbox)
    office.tray.wrong = [TemporarySendError("greylisted")]
    await office.work()
    assert office.tray.parcels == []
    office.clock.advance(timedelta(seconds=5))
    await office.work()
    ids = [parcel.message_id for parcel in office.tray.parcels]
    assert ids == [first.rfc_message_id, second.rfc_message_id]


async def test_it_does_not_wait_for_one_that_failed_for_long(make_desk: MakeDesk) -> None:
    office = await make_desk()
    await queued(office, ME)
    await queued(office, ME, words=ACCESS)
    _, second = await office.all(Outbox)
    office.tray.wrong = [TemporarySendError("greylisted", after=600)]
    await office.work()
    assert [parcel.message_id for parcel in office.tray.parcels] == [second.rfc_message_id]


async def test_two_outboxes_never_send_the_same_letter_at_once(office: Office) -> None:
    await queued(office, *others(12))
    server = Server()
    other = replace(office.desk, db=Database(str(office.desk.db.url.render_as_string(False))))
    try:
        async with running(office.desk, server, 3), running(other, server, 3):
            sent = await server.next(12)
            assert await settled(office) == ["sent"] * 12
    finally:
        await other.db.dispose()
    assert len({p.message_id for p in sent}) == 12 and server.came.empty()


async def test_killed_between_sending_and_noting_it_leaves_again_as_the_same(
    office: Office,
) -> None:
    await queued(office, ME)
    server = Server()
    server.dies = True
    with pytest.raises(Killed):
        await outbox.once(office.desk, {Door.MAIL: server})
    assert await outbox.once(office.desk, office.senders) == 0  # its lease still holds
    office.clock.advance(outbox.LEASE + timedelta(seconds=1))
    await office.work()
    (first,) = await server.next(1)
    assert [p.message_id for p in office.tray.parcels] == [first.message_id]


Renewal = Callable[[Desk, Outbox], Awaitable[bool]]


@pytest.fixture
def renewals(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[bool]:
    """Leases are renewed all the time; each renewal and whether it worked."""
    told: asyncio.Queue[bool] = asyncio.Queue()
    renewed: Renewal = outbox._renewed

    async def listened(desk: Desk, row: Outbox) -> bool:
        told.put_nowait(worked := await renewed(desk, row))
        return worked

    monkeypatch.setattr(outbox, "_renewed", listened)
    monkeypatch.setattr(outbox, "RENEW", 0.005)
    return told


async def test_a_letter_that_takes_long_keeps_its_lease(
    make_desk: MakeDesk, renewals: asyncio.Queue[bool]
) -> None:
    office = await make_desk()
    await queued(office, ME)
    server = Server(ME)
    async with running(office.desk, server):
        await server.hanging.get()
        for _ in range(5):  # three minutes and more on the line
            office.clock.advance(outbox.LEASE - timedelta(seconds=20))
            while not renewals.empty():
                renewals.get_nowait()
            assert await renewals.get()
            assert await renewals.get()
            assert await outbox.once(office.desk, office.senders) == 0
        server.go.set()
        assert await settled(office) == ["sent"]


async def test_one_whose_lease_was_lost_is_left_to_the_other(
    make_desk: MakeDesk, renewals: asyncio.Queue[bool]
) -> None:
    office = await make_desk()
    await queued(office, ME)
    server = Server(ME)
    async with running(office.desk, server):
        await server.hanging.get()
        async with office.desk.db.write() as session:  # as another desk after a long pause of ours
            taken = office.clock() + timedelta(hours=1)
            await session.exec(update(Outbox).values(leased_until=taken))
        while await renewals.get():
            pass
    assert server.came.empty() and server.flying == []
    (row,) = await office.all(Outbox)
    assert (row.outcome, row.leased_until, row.attempts) == ("due", taken, 1)


async def test_a_letter_under_way_may_land_when_the_desk_stops(make_desk: MakeDesk) -> None:
    office = await make_desk()
    await queued(office, ME)
    server = Server(ME)
    async with running(office.desk, server) as loop:
        await server.hanging.get()
        loop.cancel()
        await asyncio.sleep(0)
        server.go.set()
        await asyncio.gather(loop, return_exceptions=True)
    assert await settled(office) == ["sent"]


async def test_one_that_does_not_land_in_time_is_free_for_the_next_start(
    make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await make_desk()
    monkeypatch.setattr(outbox, "GRACE", 0.01)
    await queued(office, ME)
    server = Server(ME)
    async with running(office.desk, server):
        await server.hanging.get()
    assert server.flying == []
    (row,) = await office.all(Outbox)
    assert (row.outcome, row.leased_until, row.attempts) == ("due", None, 0)
    await office.work()
    assert [p.message_id for p in office.tray.parcels] == [row.rfc_message_id]
