"""What a right holds, and how holds begin, change hands and end."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from sqlmodel import col, select

from subjectline.handlers import holds
from subjectline.handlers.gate_policy import purpose_names
from subjectline.handlers.holds import HoldPlan, holds_for
from subjectline.models.datamap import DataMap
from subjectline.models.db import Database
from subjectline.models.errors import IllegalMove
from subjectline.models.tables import Hold

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Make = Callable[..., Awaitable[int]]


@pytest.mark.parametrize(
    ("kind", "fields", "scope", "holds_fields", "holds_purposes"),
    [
        ("correction", ("email",), (), ("email",), ("*",)),
        ("correction", (), (), ("*",), ("*",)),
        ("suspension", ("phone",), ("marketing",), ("phone",), ("marketing",)),
        ("suspension", (), (), ("*",), ("*",)),
        ("marketing_withdrawal", (), (), ("*",), ("consent:marketing",)),
        ("third_party_withdrawal", ("email",), (), ("*",), ("consent:third_party",)),
        ("erasure", ("email",), (), ("*",), holds.NOT_BY_LAW),
        ("membership_withdrawal", (), (), ("*",), holds.NOT_BY_LAW),
        ("objection", ("email",), (), ("email",), ("*",)),
        ("objection", (), (), (), ("*",)),
        ("access", ("email",), (), (), ("*",)),
        ("portability", (), (), (), ("*",)),
        ("unclear", ("email",), (), (), ("*",)),
    ],
)
def test_what_each_right_holds(
    data_map: DataMap,
    kind: str,
    fields: tuple[str, ...],
    scope: tuple[str, ...],
    holds_fields: tuple[str, ...],
    holds_purposes: tuple[str, ...],
) -> None:
    plan = holds_for(kind, fields, scope, data_map)
    assert (plan.fields, plan.purposes, plan.cause) == (holds_fields, holds_purposes, kind)
    assert bool(plan) is bool(holds_fields)


def test_purposes_are_written_out_for_people(data_map: DataMap) -> None:
    assert purpose_names(("consent:marketing",), data_map) == ("marketing",)
    erased = purpose_names(holds.NOT_BY_LAW, data_map)
    assert "delivery" in erased and "legal-retention" not in erased


async def _rows(database: Database) -> list[Hold]:
    async with database.read() as session:
        return list(await session.exec(select(Hold).order_by(col(Hold.id))))


async def test_revisions_have_no_gap(database: Database, held: Make, new_request: Make) -> None:
    first, second = await held("7"), await held("8")
    async with database.write() as session:
        assert await holds.end(session, first, NOW) == 3
    async with database.write() as session:
        assert await holds.end(session, first, NOW) is None
        assert await holds.head(session) == 3
    rows = await _rows(database)
    assert [(row.revision, row.ended_revision) for row in rows] == [(1, 3), (2, None)]
    assert second == rows[1].request_id


async def test_a_step_that_fails_takes_no_revision(database: Database, held: Make) -> None:
    number = await held()
    with pytest.raises(ZeroDivisionError):
        async with database.write() as session:
            await holds.end(session, number, NOW)
            raise ZeroDivisionError
    async with database.read() as session:
        assert await holds.head(session) == 1


async def test_writers_at_once_leave_no_gap(
    database: Database, held: Make, new_request: Make
) -> None:
    await asyncio.gather(*(held(str(number)) for number in range(1, 13)))
    assert sorted(row.revision for row in await _rows(database)) == list(range(1, 13))


async def test_nothing_to_hold_takes_no_revision(
    database: Database, data_map: DataMap, new_request: Make
) -> None:
    number = await new_request(kind="access")
    async with database.write() as session:
        plan = holds_for("access", (), (), data_map)
        assert await holds.place(session, number, data_map.registry, "7", plan, "firm", NOW) == 0
    assert await _rows(database) == []


async def test_placing_the_same_again_only_makes_it_firm(
    database: Database, data_map: DataMap, new_request: Make
) -> None:
    number, plan = await new_request(), HoldPlan("correction", ("email",))
    for kind in ("provisional", "firm"):
        async with database.write() as session:
            where = (data_map.registry, "7", plan, kind, NOW)
            assert await holds.place(session, number, *where) == 1
    (row,) = await _rows(database)
    assert (row.kind, row.revision) == ("firm", 1)


async def test_placing_something_else_replaces_in_one_revision(
    database: Database, data_map: DataMap, new_request: Make
) -> None:
    number = await new_request()
    for fields, revision in ((("email",), 1), (("email", "phone"), 2)):
        async with database.write() as session:
            plan = HoldPlan("correction", fields)
            where = (data_map.registry, "7", plan, "firm", NOW)
            assert await holds.place(session, number, *where) == revision
    before, after = await _rows(database)
    assert (before.ended_revision, after.revision, after.ended_revision) == (2, 2, None)


async def test_provisional_becomes_firm_and_standing(
    database: Database, data_map: DataMap, new_request: Make
) -> None:
    number = await new_request(kind="erasure")
    async with database.write() as session:
        plan = holds_for("erasure", (), (), data_map)
        await holds.place(session, number, data_map.registry, "7", plan, "provisional", NOW)
        assert await holds.make_firm(session, number) == 1
        assert await holds.make_firm(session, number) == 0
    assert [row.kind for row in await _rows(database)] == ["firm"]
    async with database.write() as session:
        assert await holds.make_standing(session, number) is None
    assert [row.kind for row in await _rows(database)] == ["standing"]


async def test_a_takeover_goes_on_without_a_moment_between(
    database: Database, held: Make, new_request: Make
) -> None:
    old = await held()
    new = await new_request(kind="erasure")
    async with database.write() as session:
        assert await holds.take_over(session, old, new, NOW) == 1
        assert await holds.end(session, old, NOW) is None
        assert await holds.head(session) == 1
    (row,) = await _rows(database)
    assert (row.request_id, row.ended_revision) == (new, None)
    async with database.write() as session:  # the erasure is done: what it overtook is over
        assert await holds.make_standing(session, new, NOW) == 2


async def test_a_request_of_another_person_takes_nothing_over(
    database: Database, held: Make, new_request: Make
) -> None:
    old, theirs = await held("7"), await new_request("8")
    with pytest.raises(IllegalMove):
        async with database.write() as session:
            await holds.take_over(session, old, theirs, NOW)
    async with database.write() as session:  # nor by an objection that another person writes
        assert await holds.hold_again(session, old, theirs, NOW) is None
    (row,) = await _rows(database)
    assert (row.request_id, row.subject_id, row.ended_revision) == (old, "7", None)


async def test_a_provisional_hold_of_another_person_ends_at_the_takeover(
    database: Database, data_map: DataMap, new_request: Make
) -> None:
    old, theirs = await new_request("7"), await new_request("8")
    plan = holds_for("correction", ("email",), (), data_map)
    async with database.write() as session:
        await holds.place(session, old, data_map.registry, "7", plan, "provisional", NOW)
        assert await holds.take_over(session, old, theirs, NOW) == 0
        assert await holds.head(session) == 2
    (row,) = await _rows(database)
    assert (row.request_id, row.subject_id, row.ended_revision) == (old, "7", 2)


async def test_an_objection_holds_what_the_refused_request_held(
    database: Database, held: Make, new_request: Make
) -> None:
    refused, objection = await held(fields=("email", "phone")), await new_request(kind="objection")
    async with database.write() as session:
        await holds.end(session, refused, NOW)
        assert await holds.hold_again(session, refused, objection, NOW) == 3
    row = (await _rows(database))[-1]
    assert (row.request_id, row.fields, row.cause) == (objection, ["email", "phone"], "correction")


async def test_a_new_consent_ends_what_stood(
    database: Database, data_map: DataMap, held: Make
) -> None:
    number = await held(kind="marketing_withdrawal")
    async with database.write() as session:
        await holds.make_standing(session, number)
    given = (data_map.registry, "7", ("marketing_withdrawal",), NOW)
    async with database.write() as session:
        assert await holds.end_standing(session, *given) == 2
        assert await holds.end_standing(session, *given) is None
