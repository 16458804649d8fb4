"""The gate in process: never older than the database, overrides committed, uses counted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import gate as gates
from subjectline.handlers import gate_callers, holds
from subjectline.handlers.gate import Gate
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap
from subjectline.models.db import Database
from subjectline.models.errors import NotPermitted, SubjectlineError
from subjectline.models.tables import Audit, GateCaller, GateKey, GateUse, Hold

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Make = Callable[..., Awaitable[int]]


async def _uses(database: Database) -> list[tuple[str, str, str, str, int, int, int]]:
    async with database.read() as session:
        rows = await session.exec(select(GateUse).order_by(col(GateUse.id)))
        return [
            (r.caller, r.subject_id, r.field, r.purpose, r.permits, r.denials, r.overrides)
            for r in rows
        ]


async def test_a_hold_is_in_force_when_it_commits(
    database: Database, gate: Gate, held: Make
) -> None:
    ask = ("marketing-mailer", "7", ("email",), "marketing")
    assert (await gate.decide(*ask)).permit
    number = await held()
    answer = await gate.decide(*ask)
    assert (answer.reasons, answer.revision) == (("held",), 1)
    async with database.write() as session:
        await holds.end(session, number, NOW)
    answer = await gate.decide(*ask)
    assert answer.permit and answer.revision == 2


async def test_what_is_not_committed_is_not_in_force(
    database: Database, gate: Gate, data_map: DataMap, new_request: Make
) -> None:
    number = await new_request()
    plan = holds.holds_for("correction", ("email",), (), data_map)
    async with database.write() as session:
        await holds.place(session, number, data_map.registry, "7", plan, "firm", NOW)
        assert (await gate.decide("marketing-mailer", "7", ("email",), "marketing")).permit
    assert not (await gate.decide("marketing-mailer", "7", ("email",), "marketing")).permit


async def test_a_second_gate_reads_what_the_first_knows(
    database: Database, data_map: DataMap, gate: Gate, clock: FrozenClock, held: Make
) -> None:
    for subject in "789":
        await held(subject)
    other = Gate(database, data_map, clock)
    assert await other.refresh() and await gate.refresh()
    assert (len(other.state), other.state.revision) == (3, 3) == (len(gate.state), 3)


async def test_a_withdrawn_consent_is_a_hold_like_any_other(gate: Gate, held: Make) -> None:
    await held(kind="third_party_withdrawal")
    partner = await gate.decide("buyer-api", "7", ("nickname",), "third_party", "content_buyer")
    assert partner.reasons == ("held",)
    desk = await gate.decide("desk", "7", ("nickname",), "third_party", "content_buyer")
    assert desk.reasons == ("consent_withdrawn",)
    assert (await gate.decide("desk", "7", ("nickname",), "service")).permit


async def test_a_caller_with_one_recipient_asks_for_that_one(gate: Gate) -> None:
    assert (await gate.decide("buyer-api", "7", ("nickname",), "third_party")).permit
    other = await gate.decide("buyer-api", "7", ("nickname",), "third_party", "kakao")
    assert other.reasons == ("caller_not_scoped",)


async def test_holds_of_another_registry_move_the_revision_only(
    database: Database, gate: Gate, data_map: DataMap, new_request: Make
) -> None:
    await gate.refresh()
    number = await new_request()
    plan = holds.holds_for("correction", ("email",), (), data_map)
    async with database.write() as session:
        await holds.place(session, number, "elsewhere", "7", plan, "firm", NOW)
    answer = await gate.decide("marketing-mailer", "7", ("email",), "marketing")
    assert answer.permit and answer.revision == 1


async def test_a_gap_is_mended_by_reading_everything(
    database: Database, gate: Gate, held: Make
) -> None:
    await held("7")
    await gate.refresh()
    await held("8")
    await held("9")
    async with database.write() as session:  # a row lost: revision 2 shows nowhere
        await session.exec(delete(Hold).where(col(Hold.revision) == 2))
    answer = await gate.decide("marketing-mailer", "9", ("email",), "marketing")
    assert (answer.reasons, answer.revision) == (("held",), 3)


async def test_a_database_that_stays_away_denies_as_stale(
    gate: Gate, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await gate.decide("marketing-mailer", "7", ("email",), "marketing")).permit
    for name in ("read", "glance"):
        monkeypatch.setattr(database, name, _away)
    answer = await gate.decide("marketing-mailer", "7", ("email",), "marketing")
    assert answer.reasons == ("stale",)
    with pytest.raises(SubjectlineError):
        await gate.authenticate("slg_x")
    monkeypatch.undo()
    assert (await gate.decide("marketing-mailer", "7", ("email",), "marketing")).permit


@asynccontextmanager
async def _away() -> AsyncIterator[AsyncSession]:
    raise OperationalError("", {}, Exception("away"))
    yield


async def test_a_law_opens_a_hold_and_the_use_is_committed_first(
    database: Database, gate: Gate, held: Make
) -> None:
    await held(fields=("name",))
    async with database.write() as session:
        key = await gate_callers.add_caller(session, "books", ["legal-retention"])
    assert await gate.authenticate(key) == "books"
    answer = await gate.decide("books", "7", ("name",), "legal-retention")
    assert answer.permit and answer.override
    assert await _uses(database) == [("books", "7", "name", "legal-retention", 0, 0, 1)]
    async with database.read() as session:
        row = (await session.exec(select(Audit).where(Audit.action == "gate_use"))).one()
    assert (row.account, row.action, row.subject_id) == ("caller:books", "gate_use", "7")
    assert row.facts == {"fields": ["name"], "held": ["name"], "revision": 1}


async def test_a_use_that_cannot_be_recorded_is_denied(
    gate: Gate, database: Database, held: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await held()
    monkeypatch.setattr(database, "write", _away)
    answer = await gate.decide("desk", "7", ("email",), "rights-handling", request_id=number)
    assert (answer.permit, answer.override) == (False, False)
    assert answer.reasons == (gates.USE_NOT_RECORDED,)


async def test_the_desk_works_on_held_data_inside_the_request_only(
    database: Database, gate: Gate, held: Make, new_request: Make
) -> None:
    number = await held()
    inside = {"request_id": number, "account": "agent:3"}
    answer = await gate.decide("desk", "7", ("email",), "rights-handling", **inside)  # type: ignore[arg-type]
    assert answer.permit and answer.override
    async with database.read() as session:
        row = (await session.exec(select(Audit).where(Audit.action == "gate_use"))).one()
    assert (row.account, row.request_id) == ("agent:3", number)
    assert await _uses(database) == [("desk", "7", "email", "rights-handling", 0, 0, 1)]
    assert (await gate.decide("desk", "7", ("email",), "service")).reasons == ("held",)


@pytest.mark.parametrize("state", ["received", "verifying", "done", "refused", "withdrawn"])
async def test_a_request_that_is_not_open_opens_nothing(
    gate: Gate, new_request: Make, state: str
) -> None:
    number = await new_request(state=state)
    answer = await gate.decide("desk", "7", ("email",), "rights-handling", request_id=number)
    assert answer.reasons == (gates.NO_OPEN_REQUEST,)
    assert answer.allowed_fields == ()


async def test_somebody_elses_request_opens_nothing(gate: Gate, new_request: Make) -> None:
    number = await new_request("8")
    for request_id in (number, None, 999):
        answer = await gate.decide(
            "desk", "7", ("email",), "rights-handling", request_id=request_id
        )
        assert answer.reasons == (gates.NO_OPEN_REQUEST,)


async def test_no_other_caller_handles_rights(
    database: Database, gate: Gate, new_request: Make
) -> None:
    number = await new_request()
    async with database.write() as session:
        await gate_callers.add_caller(session, "books", ["*"], ["*"])
    answer = await gate.decide("books", "7", ("email",), "rights-handling", request_id=number)
    assert answer.reasons == ("caller_not_scoped",)


async def test_permits_and_denials_are_counted_by_day(
    database: Database, gate: Gate, held: Make, clock: FrozenClock
) -> None:
    await held()
    for _ in range(14):
        await gate.decide("marketing-mailer", "7", ("email",), "marketing")
    await gate.decide("marketing-mailer", "8", ("email",), "marketing")
    await gate.decide("marketing-mailer", "8", ("email",), "marketing")
    await gate.decide("marketing-mailer", "8", ("shoe size",), "spying")
    assert await _uses(database) == []
    await gate.flush()
    await gate.flush()
    assert sorted(await _uses(database)) == [
        ("marketing-mailer", "", "", "", 0, 1, 0),
        ("marketing-mailer", "", "email", "marketing", 2, 0, 0),
        ("marketing-mailer", "7", "email", "marketing", 0, 14, 0),
    ]
    await gate.decide("marketing-mailer", "7", ("email",), "marketing")
    await gate.flush()
    assert ("marketing-mailer", "7", "email", "marketing", 0, 15, 0) in await _uses(database)
    clock.advance(timedelta(hours=8))  # another day in Seoul, the same one in UTC
    await gate.decide("marketing-mailer", "7", ("email",), "marketing")
    await gate.flush()
    assert ("marketing-mailer", "7", "email", "marketing", 0, 1, 0) in await _uses(database)


async def test_counts_outlive_a_database_that_stays_away(
    database: Database, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    await gate.decide("marketing-mailer", "7", ("email",), "marketing")
    with monkeypatch.context() as away:
        away.setattr(database, "write", _away)
        await gate.flush()
    await gate.decide("marketing-mailer", "7", ("email",), "marketing")
    await gate.flush()
    assert await _uses(database) == [("marketing-mailer", "", "email", "marketing", 2, 0, 0)]


async def test_the_ledger_is_written_when_the_gate_stops(database: Database, gate: Gate) -> None:
    task = asyncio.create_task(gate.run())
    await gate.decide("marketing-mailer", "7", ("email",), "marketing")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(await _uses(database)) == 1


async def test_keys_are_kept_as_hashes_and_can_be_replaced(database: Database, gate: Gate) -> None:
    async with database.write() as session:
        old = await gate_callers.add_caller(session, "crm", ["service"])
        new = await gate_callers.add_caller(session, "crm", ["delivery"])
        kept = (await session.exec(select(GateKey))).one()
        row = (await session.exec(select(GateCaller))).one()
    assert old != new and new.encode() not in kept.key_hash
    assert await gate.authenticate(old) is None
    assert await gate.authenticate(new) == "crm"
    assert (await gate.decide("crm", "7", ("email",), "delivery")).permit
    assert not (await gate.decide("crm", "7", ("email",), "service")).permit
    async with database.write() as session:
        session.add(row)
        row.disabled_at = NOW
    assert await gate.authenticate(new) is None


@pytest.mark.parametrize(
    ("name", "purposes"), [("desk", ["service"]), ("crm", ["rights-handling"])]
)
async def test_the_desks_own_name_and_purpose_are_not_given_away(
    database: Database, name: str, purposes: list[str]
) -> None:
    with pytest.raises(NotPermitted):
        async with database.write() as session:
            await gate_callers.add_caller(session, name, purposes)


async def test_many_ask_and_few_look(
    gate: Gate, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, plain = 0, database.glance

    def counted() -> object:
        nonlocal looks
        looks += 1
        return plain()

    await gate.refresh()
    monkeypatch.setattr(database, "glance", counted)
    ask = ("marketing-mailer", "7", ("email",), "marketing")
    answers = await asyncio.gather(*(gate.decide(*ask) for _ in range(50)))
    assert all(answers)
    assert 1 <= looks <= 2


async def test_asked_inside_a_step_it_denies_and_does_not_hang(
    database: Database, gate: Gate, held: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await held()
    monkeypatch.setattr(gates, "RECORD_SECONDS", 0.05)
    async with database.write():
        answer = await gate.decide("desk", "7", ("email",), "rights-handling", request_id=number)
    assert answer.reasons == (gates.USE_NOT_RECORDED,)
