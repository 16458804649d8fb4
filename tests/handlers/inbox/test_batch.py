"""Mails in batches: whole or not at all, each lane in its order, and two workers on one inbox."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from desks import (
    ACCESS,
    ACCESS_EN,
    CORRECT_EN,
    LEAVE,
    MARKETING,
    NOW,
    PARSERS,
    Office,
    agent,
    letter,
)
from sqlalchemy import text

from subjectline.handlers import audit, holds, inbox, post, reception, requests, sorting
from subjectline.handlers.desk import Desk
from subjectline.handlers.gate import Gate
from subjectline.handlers.inbox import Raw
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER
from subjectline.models.db import Database
from subjectline.models.errors import StaleMove
from subjectline.models.incoming import Door
from subjectline.models.keys import KeyStore, Vault
from subjectline.models.tables import Conversation, Message, Outbox, RawInbox, Request

WORDS = (ACCESS, MARKETING, LEAVE, ACCESS_EN)


def raws(count: int, lanes: int = 1, people: int = 1000) -> list[Raw]:
    """Mails that each ask for something, in turn by lane and sender."""
    made = []
    for number in range(count):
        lane = f"mail:{number % lanes}"
        words = WORDS[number // people % len(WORDS)]
        body = letter(f"person{number % people}@mail.test", words)
        made.append(Raw(Door.MAIL, f"{lane}:1:{number}", lane, NOW, body))
    return made


async def once(office: Office) -> int:
    return await inbox.once(office.desk, PARSERS)


async def until_empty(desk: Desk) -> None:
    while await inbox.once(desk, PARSERS):
        pass


def second_worker(office: Office, url: str) -> Desk:
    """Another process's desk on the same database and the same keys."""
    first = office.desk
    database = Database(url)
    vault = Vault(first.vault._ring, KeyStore(office.folder / "keys.db"))
    return replace(
        first, db=database, vault=vault, gate=Gate(database, first.data_map, first.clock)
    )


async def nothing_lost_nothing_doubled(office: Office, count: int) -> None:
    """Every raw row has its own message; every request one source, one first step and one letter."""
    rows = await office.all(RawInbox)
    assert [(row.state, row.body) for row in rows] == [("done", None)] * count
    of_rows = [row.message_id or 0 for row in rows]
    incoming = [m.id for m in await office.all(Message) if m.direction == "in"]
    assert len(set(of_rows)) == count and sorted(of_rows) == incoming
    for lane in {row.lane for row in rows}:
        order = [row.message_id or 0 for row in rows if row.lane == lane]
        assert order == sorted(order)
    found = await office.all(Request)
    assert len({request.reference for request in found}) == len(found)
    assert len({request.key_id for request in found}) == len(found)
    async with office.desk.db.read() as session:
        connection = await session.connection()
        for twice in (
            "SELECT request_id, version FROM history GROUP BY 1, 2 HAVING count(*) > 1",
            "SELECT request_id FROM history WHERE event = 'arrive' GROUP BY 1 HAVING count(*) > 1",
            "SELECT message_id FROM request_message r WHERE source GROUP BY 1 HAVING count(*) > 1",
            "SELECT rfc_message_id FROM outbox GROUP BY 1 HAVING count(*) > 1",
        ):
            assert (await connection.execute(text(twice))).all() == []


async def test_a_poisoned_mail_among_fifty(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The 49 others go through, those before it at once; it is a dead letter after five tries."""
    await inbox.keep(office.desk, raws(inbox.AT_ONCE))
    poison, real = "person20@mail.test", reception.receive

    async def picky(session: Any, desk: Any, incoming: Any, known: Any) -> Message:
        message = await real(session, desk, incoming, known)
        if incoming.sender.value == poison:
            raise RuntimeError("after everything was written")
        return message

    with monkeypatch.context() as broken:
        broken.setattr(reception, "receive", picky)
        assert await once(office) == 20
        assert [r.state for r in await office.all(RawInbox)] == ["done"] * 20 + ["new"] * 30
        for tries in range(2, inbox.TRIES):
            assert await once(office) == 0
            assert (await office.all(RawInbox))[20].attempts == tries
        assert await once(office) == 30
    states = [row.state for row in await office.all(RawInbox)]
    assert states == ["done"] * 20 + ["dead"] + ["done"] * 29
    assert len(await office.all(Conversation)) == len(await office.all(Request)) == 49
    dead = (await office.all(RawInbox))[20]
    await sorting.retry_dead(office.desk, dead.id or 0, agent())
    await until_empty(office.desk)
    rows = await office.all(RawInbox)
    assert [row.state for row in rows] == ["done"] * 50
    assert len({row.message_id for row in rows}) == len(await office.all(Request)) == 50


async def test_letters_that_fail_at_the_end_take_the_batch_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await inbox.keep(office.desk, raws(12))
    real, sizes = post.flush, list[int]()

    async def flush(desk: Any, session: Any) -> None:
        sizes.append(len(session.info.get("letters", [])))
        await real(desk, session)
        if sizes[-1] > 1:
            raise RuntimeError("the disk is full")

    monkeypatch.setattr(post, "flush", flush)
    assert await once(office) == 12
    assert sizes == [12, *[1] * 12]
    await nothing_lost_nothing_doubled(office, 12)
    assert len(await office.all(Outbox)) == 12


async def test_who_was_slower_takes_nothing_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that fails over mails which another has received meanwhile."""
    await inbox.keep(office.desk, raws(3))
    async with office.desk.db.write() as session:
        await session.exec(text("UPDATE raw_inbox SET attempts = 4"))  # type: ignore[call-overload]
    real, fast = reception.lookups, list[int]()

    async def slow(desk: Any, batch: Any) -> Any:
        if not fast:
            fast.append(0)
            fast[0] = await once(office)
            raise RuntimeError("and then the line broke")
        if len(fast) == 1 and fast[0]:
            raise RuntimeError("and again")
        return await real(desk, batch)

    monkeypatch.setattr(reception, "lookups", slow)
    await once(office)
    assert fast == [3]
    await nothing_lost_nothing_doubled(office, 3)


async def test_a_cancelled_batch_is_no_batch(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await inbox.keep(office.desk, raws(6))
    real, half = reception.receive, asyncio.Event()

    async def slow(session: Any, desk: Any, incoming: Any, known: Any) -> Message:
        if incoming.source_key.endswith(":3"):
            half.set()
            await asyncio.Event().wait()
        return await real(session, desk, incoming, known)

    with monkeypatch.context() as stuck:
        stuck.setattr(reception, "receive", slow)
        working = asyncio.create_task(once(office))
        await half.wait()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert await office.all(Message) == []
    assert await once(office) == 6
    await nothing_lost_nothing_doubled(office, 6)


@pytest.mark.parametrize("people", [1000, 7])
async def test_two_workers_on_one_inbox(office: Office, desk_url: str, people: int) -> None:
    count = 70
    await inbox.keep(office.desk, raws(count, lanes=3, people=people))
    url = desk_url or f"sqlite+aiosqlite:///{office.folder / 'desk.db'}"
    other = second_worker(office, url)
    try:
        async with asyncio.timeout(60):
            workers = (office.desk, other, office.desk, other)
            await asyncio.gather(*(until_empty(desk) for desk in workers))
            await until_empty(office.desk)
    finally:
        await other.db.dispose()
        other.vault.close()
    await nothing_lost_nothing_doubled(office, count)
    assert len(await office.all(Conversation)) == min(people, count)
    assert {row.attempts for row in await office.all(RawInbox)} == {0}
    if people > count:
        assert len(await office.all(Request)) == count == len(await office.all(Outbox))


async def test_no_step_of_an_agent_falls_to_a_batch(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that has the gate's head would wait for a request whose agent waits for the head."""
    me = EN_MEMBER.email
    await office.mail(me, CORRECT_EN)
    await office.mail(me, "Yes", answers=office.last(me))
    before = await office.request()
    assert before.state == "proposed" and [h.kind for h in await office.holds()] == ["firm"]
    lane = "mail:a"
    mails = (letter(KO_MEMBER.email, MARKETING), letter(me, "I shall live there from next week."))
    await inbox.keep(
        office.desk,
        [Raw(Door.MAIL, f"{lane}:1:{n}", lane, NOW, body) for n, body in enumerate(mails)],
    )
    real, rival = reception.receive, list["asyncio.Task[None]"]()

    async def withdraw() -> None:
        async with office.desk.write() as session:
            event = ("withdraw", audit.MEMBER, before.version)
            await requests.advance(session, office.desk, before.id or 0, *event)

    async def receive(session: Any, desk: Any, incoming: Any, known: Any) -> Message:
        if incoming.sender.value == me and not rival:
            rival.append(asyncio.create_task(withdraw()))
            if not office.desk.db.embedded:  # there it waits its turn
                await asyncio.wait(rival, timeout=0.5)
        return await real(session, desk, incoming, known)

    monkeypatch.setattr(reception, "receive", receive)
    async with asyncio.timeout(20):
        await until_empty(office.desk)
        [told] = await asyncio.gather(*rival, return_exceptions=True)
    # On SQLite the mail was first, and the agent hears that the request has moved on.
    embedded = office.desk.db.embedded
    assert told is None or (embedded and isinstance(told, StaleMove))
    assert [(r.state, r.attempts) for r in await office.all(RawInbox)][-2:] == [("done", 0)] * 2
    held = {hold.cause for hold in await office.holds()}
    assert held - {"correction"} == {"marketing_withdrawal"}
    assert (told is None) == ("correction" not in held)


async def test_the_head_is_known_to_be_taken(office: Office) -> None:
    async with office.desk.db.write() as session:
        assert not holds.head_taken(session)
        plan = holds.holds_for("suspension", (), (), office.desk.data_map)
        assert not holds.head_taken(session) and plan
        await holds._next(session)
        assert holds.head_taken(session)
    async with office.desk.db.write() as session:
        assert not holds.head_taken(session)
