"""The mirror: views follow the desk, and show nothing where it does not."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest
from masked import BOUND_SECONDS, Company, Holder
from sqlalchemy import delete, update
from sqlmodel import col

from subjectline.handlers import gate_mirror
from subjectline.handlers.gate import Gate
from subjectline.handlers.gate_mirror import DESK_AWAY, Mirror, Mirrors
from subjectline.handlers.registry.gate_sql_mirror import State
from subjectline.handlers.registry.gate_sql_plan import audience_of
from subjectline.models.db import Database
from subjectline.models.tables import GateHead, Hold

pytestmark = pytest.mark.server

MEMBER = "SELECT email, phone FROM mart.member_marketing WHERE member_id = $1"
STATE = "SELECT revision, fresh FROM mart.gate_marketing"
ZERO = timedelta(0)
ROWS = (
    "SELECT audience, subject_id, field_mask FROM gate.active_hold"
    " WHERE field_mask <> $1 ORDER BY 1, 2"
)


@pytest.fixture
def company(masked: Company) -> Company:
    """The views have been applied; no mirror has come yet."""
    return masked


@pytest.fixture
def mirror(make_mirror: Callable[[], Mirror]) -> Mirror:
    return make_mirror()


async def shown(company: Company, member: int = 1001) -> tuple[bool, bool]:
    """Whether email and phone are to be seen."""
    [(email, phone)] = await company.ask(MEMBER, member)
    return email is not None, phone is not None


async def test_views_follow_holds_and_releases(
    mirror: Mirror, company: Company, holder: Holder
) -> None:
    assert await mirror.once() and await shown(company) == (True, True)
    first = await holder.hold("1001", "email")
    assert await shown(company) == (True, True)  # no trigger: the mirror brings it
    assert await mirror.once() and await shown(company) == (False, True)
    second = await holder.hold("1001")
    await holder.release(first)
    assert await mirror.once() and await shown(company) == (False, False)
    await holder.release(second)
    assert await mirror.once() and await shown(company) == (True, True)
    assert await company.ask(STATE) == [(4, True)]
    assert await company.admin(ROWS, 0) == []


async def test_each_audience_has_what_is_held_of_its_purpose(
    mirror: Mirror, company: Company, holder: Holder
) -> None:
    await company.apply(audience_of(company.data_map, "third_party", "content_buyer"))
    await holder.hold("1001", kind="marketing_withdrawal")
    await holder.hold("1002", "nickname", kind="suspension")
    assert await mirror.once()
    rows = [(r[0], r[1]) for r in await company.admin(ROWS, 0)]
    assert rows == [
        ("marketing", 1001), ("marketing", 1002), ("third_party__content_buyer", 1002)
    ]  # fmt: skip


async def test_it_goes_round_when_a_hold_commits(
    mirror: Mirror, company: Company, holder: Holder
) -> None:
    running = asyncio.create_task(mirror.run())
    try:
        await asyncio.wait_for(mirror.reached(0), 10)
        await holder.hold("1001", "email")
        await asyncio.wait_for(mirror.reached(1), 10)
        assert await shown(company) == (False, True)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_the_stamp_is_older_than_the_look_at_the_desk(
    mirror: Mirror, company: Company, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mirror that is stopped between the two makes nothing newer than it is."""
    refresh, before = gate.refresh, []

    async def slow() -> bool:
        before.extend(await company.admin("SELECT clock_timestamp() + $1::interval", ZERO))
        return await refresh()

    monkeypatch.setattr(gate, "refresh", slow)
    assert await mirror.once()
    [row] = await company.admin("SELECT fresh_at FROM gate.freshness WHERE revision = $1", 0)
    assert row[0] < before[0][0]


async def test_of_two_mirrors_one_at_a_time_writes_and_none_goes_back(
    mirror: Mirror,
    company: Company,
    holder: Holder,
    make_mirror: Callable[[], Mirror],
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await mirror.once()
    other, refresh, inside, go_on = make_mirror(), gate.refresh, asyncio.Event(), asyncio.Event()

    async def held_up() -> bool:
        looked = await refresh()
        inside.set()
        await go_on.wait()
        return looked

    monkeypatch.setattr(gate, "refresh", held_up)
    slow = asyncio.create_task(mirror.once())
    await inside.wait()
    monkeypatch.setattr(gate, "refresh", refresh)
    quick = asyncio.create_task(other.once())
    await holder.hold("1001", "email")
    go_on.set()
    assert await slow and await quick
    assert await shown(company) == (False, True)
    assert await mirror.once()  # what it knew is not what stands there
    assert await shown(company) == (False, True)


async def test_one_that_looked_long_ago_writes_before_the_others_or_not_at_all(
    mirror: Mirror,
    company: Company,
    holder: Holder,
    make_mirror: Callable[[], Mirror],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Frozen between its look and its writing, it holds the row of freshness: what others were told
    to be in force is not taken back."""
    held = await holder.hold("1001", "email")
    assert await mirror.once()
    await holder.release(held)
    look, inside, go_on = mirror._look, asyncio.Event(), asyncio.Event()

    async def frozen() -> State:
        found = await look()
        assert found is not None
        old = dict(found.held("marketing", ""))
        inside.set()
        await go_on.wait()
        return State(found.revision, lambda use, who: old, found.loads)

    monkeypatch.setattr(mirror, "_look", frozen)
    slow = asyncio.create_task(mirror.once())
    await inside.wait()
    await holder.hold("1001", "email")
    quick = asyncio.create_task(make_mirror().once())
    await asyncio.wait([quick], timeout=0.3)
    go_on.set()
    assert await slow and await quick
    assert await shown(company) == (False, True)


async def test_one_that_was_away_reads_what_another_wrote(
    mirror: Mirror, company: Company, holder: Holder, make_mirror: Callable[[], Mirror]
) -> None:
    """Held as it was when it wrote last; what stands there is what the other took away."""
    held, other = await holder.hold("1001", "email"), make_mirror()
    assert await mirror.once()
    await holder.release(held)
    assert await other.once()
    await holder.hold("1001", "email")
    assert await mirror.once()
    assert await shown(company) == (False, True)


async def test_a_desk_that_went_back_in_time_is_followed(
    mirror: Mirror, company: Company, holder: Holder, desk_database: Database
) -> None:
    await holder.hold("1001", "email")
    await holder.hold("1002", "email")
    assert await mirror.once()
    async with desk_database.write() as session:  # a backup is restored
        await session.exec(delete(Hold).where(col(Hold.revision) == 2))
        await session.exec(update(GateHead).values(revision=1))
    assert await mirror.once()
    assert (await shown(company, 1001), await shown(company, 1002)) == (
        (False, True), (True, True)
    )  # fmt: skip
    assert await company.ask(STATE) == [(1, True)]


async def test_another_mirror_wrote_the_same_revision_of_another_history(
    mirror: Mirror,
    company: Company,
    holder: Holder,
    desk_database: Database,
    make_mirror: Callable[[], Mirror],
) -> None:
    """One that was away for that time must not go on from the rows that it wrote itself."""
    other = make_mirror()
    for member in ("1001", "1002"):
        await holder.hold(member, "email")
    assert await mirror.once()
    async with desk_database.write() as session:
        await session.exec(delete(Hold).where(col(Hold.revision) == 2))
        await session.exec(update(GateHead).values(revision=1))
    assert await other.once()
    await holder.hold("1003", "email")
    assert await other.once()
    await holder.hold("1002", "email")
    assert await mirror.once()
    assert [await shown(company, member) for member in (1001, 1002, 1003)] == [(False, True)] * 3


async def test_views_of_another_data_map_are_let_go_stale(mirror: Mirror, company: Company) -> None:
    assert await mirror.once()
    await company.admin("UPDATE gate.audience SET definition = 'another'")
    await company.fresh(BOUND_SECONDS)
    assert not await mirror.once()
    assert "gate sql --apply" in mirror.status.last_error
    assert await company.ask(STATE) == [(1, False)]
    assert Mirrors([mirror]).away == ("members",)


async def test_a_mirror_that_cannot_read_or_write_makes_nothing_newer(
    mirror: Mirror, company: Company, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await mirror.once()

    async def away() -> bool:
        return False

    monkeypatch.setattr(gate, "refresh", away)
    [before] = await company.admin("SELECT fresh_at FROM gate.freshness WHERE revision >= $1", 0)
    assert not await mirror.once()
    assert (mirror.status.connected, mirror.status.last_error) == (False, DESK_AWAY)
    [after] = await company.admin("SELECT fresh_at FROM gate.freshness WHERE revision >= $1", 0)
    assert before == after
    await company.admin("REVOKE UPDATE ON gate.freshness FROM gate_mirror")
    monkeypatch.undo()
    assert not await mirror.once()
    assert mirror.revision == -1 and "42501" in mirror.status.last_error


async def test_the_mirrors_role_can_read_nobody(mirror: Mirror, company: Company) -> None:
    for words in (
        "SELECT * FROM member",
        "SELECT * FROM mart.member_marketing",
        "DELETE FROM gate.audience",
        "TRUNCATE gate.active_hold",
    ):
        assert await company.refused(words, "gate_mirror") == "42501"


async def test_who_waits_for_all_mirrors_waits_no_longer_than_the_bound(
    mirror: Mirror, holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_mirror, "BOUND", 0.2)
    all_of_them = Mirrors([mirror])
    await holder.hold("1001", "email")
    waiting = asyncio.create_task(all_of_them.everywhere(1))
    done, _ = await asyncio.wait([waiting], timeout=0.05)
    assert not done
    await waiting  # the bound is over: the views show nothing by now
    assert await mirror.once()
    monkeypatch.setattr(gate_mirror, "BOUND", 60)
    await asyncio.wait_for(all_of_them.everywhere(1), 10)
    await Mirrors().everywhere(1)


async def test_what_a_view_shows_is_what_the_gate_permits(
    mirror: Mirror, company: Company, holder: Holder, gate: Gate
) -> None:
    """Random requests of ten members, applied in leaps."""
    random, held, fields = Random(6), list[int](), ("email", "phone", "nickname")
    kinds = (
        "correction",
        "suspension",
        "erasure",
        "marketing_withdrawal",
        "third_party_withdrawal",
    )
    for _ in range(8):
        for _ in range(random.randrange(1, 6)):
            if held and random.random() < 0.4:
                await holder.release(held.pop(random.randrange(len(held))))
            else:
                some = random.sample(list(company.data_map.fields), random.randrange(3))
                member = str(1001 + random.randrange(10))
                held.append(await holder.hold(member, *some, kind=random.choice(kinds)))
        assert await mirror.once()
        words = "SELECT member_id, email, phone, nickname FROM mart.member_marketing"
        for member, *values in await company.ask(words):
            for name, value in zip(fields, values, strict=True):
                told = await gate.decide("marketing-mailer", str(member), [name], "marketing")
                assert (value is not None) == told.permit, (member, name)
