"""A gate that answers from memory: what it may answer when the database, a key or a file has changed."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from subjectline.handlers import gate_callers, gate_following
from subjectline.handlers.gate_file import FileGate
from subjectline.handlers.gate_following import FollowingGate
from subjectline.intake.gate_api import create_gate_app
from subjectline.models.clock import FrozenClock
from subjectline.models.errors import BadInput, SettingsError
from subjectline.models.tables import GateKey, GateUse
from subjectline_client.core import steady

World = Any  # of conftest.py
Ask = Callable[..., dict[str, Any]]
ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"


@asynccontextmanager
async def asking(gate: FollowingGate, key: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_gate_app(gate))
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://gate.test", headers=headers
    ) as http:
        yield http


@pytest.fixture
async def gate(world: World) -> FollowingGate:
    made = FollowingGate(world.database, world.data_map, FrozenClock(world.gate._clock()))
    await made.refresh()
    return made


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """So many seconds pass on the gate's clock."""

    def pass_by(seconds: float) -> None:
        monkeypatch.setattr(gate_following, "steady", lambda: steady() + seconds)

    return pass_by


@asynccontextmanager
async def away() -> AsyncIterator[Any]:
    raise OperationalError("", {}, Exception("away"))
    yield


def reason(response: httpx.Response) -> str:
    told = response.json()
    assert told["decision"] is False
    return str(told["context"]["reason"])


async def test_it_goes_on_without_the_database_and_not_for_long(
    world: World,
    gate: FollowingGate,
    question: Ask,
    later: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for way in ("read", "glance"):
        monkeypatch.setattr(world.database, way, away)
    async with asking(gate, world.mailer) as http:
        assert not await gate.refresh()
        assert (await http.post(ONE, json=question("8"))).json()["decision"] is True
        assert reason(await http.post(ONE, json=question("7"))) == "held"
        later(gate.state.bound)
        for member in "78":  # stale is never called held
            told = await http.post(ONE, json=question(member))
            assert reason(told) == "stale" and told.json()["context"]["held_fields"] == []
        monkeypatch.undo()
        await gate.refresh()
        assert (await http.post(ONE, json=question("8"))).json()["decision"] is True


async def test_before_the_first_look_nobody_is_known(world: World, question: Ask) -> None:
    fresh = FollowingGate(world.database, world.data_map, FrozenClock(world.gate._clock()))
    async with asking(fresh, world.mailer) as http:
        response = await http.post(ONE, json=question("8"))
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


async def test_a_token_makes_it_look(world: World, gate: FollowingGate, question: Ask) -> None:
    await world.withdraw("third_party_withdrawal")
    async with asking(gate, world.mailer) as http:
        old = (await http.post(ONE, json=question("8"))).json()
        assert old["context"]["revision"] == 1
        new = (await http.post(ONE, json=question("8", at_least_revision=2))).json()
        assert (new["decision"], new["context"]["revision"]) == (True, 2)
        assert reason(await http.post(ONE, json=question("8", at_least_revision=3))) == (
            "replica_behind_token"
        )


async def test_it_follows_what_another_process_commits(
    world: World, gate: FollowingGate, question: Ask
) -> None:
    following = asyncio.create_task(gate.follow())
    try:
        await world.withdraw("marketing_withdrawal")
        async with asyncio.timeout(30):
            while gate.state.revision < 2:
                await world.database.signals.wait("gate moved", 1, "test")
        async with asking(gate, world.mailer) as http:
            assert reason(await http.post(ONE, json=question("7", fields=["nickname"]))) == (
                "consent_withdrawn"
            )
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_two_keys_while_one_is_exchanged(
    world: World, gate: FollowingGate, question: Ask
) -> None:
    clock = gate._clock
    assert isinstance(clock, FrozenClock)

    async def answers(key: str) -> int:
        gate._keys_at = 0.0
        await gate.refresh()
        async with asking(gate, key) as http:
            return (await http.post(ONE, json=question("8"))).status_code

    async with world.database.write() as session:
        new = await gate_callers.rotate(session, "mailer", timedelta(days=7), clock)
    assert (await answers(world.mailer), await answers(new)) == (200, 200)
    clock.advance(timedelta(days=7))
    assert (await answers(world.mailer), await answers(new)) == (401, 200)
    async with world.database.write() as session:
        await gate_callers.revoke(session, "mailer", clock=clock)
    assert await answers(new) == 401
    with pytest.raises(BadInput):
        async with world.database.write() as session:
            await gate_callers.rotate(session, "mailer", timedelta(days=7), clock)
    async with world.database.read() as session:
        shown = {each.name: each for each in await gate_callers.listed(session)}
    assert shown["mailer"].disabled_at == clock() and shown["mailer"].keys == ()


async def test_when_a_key_was_last_shown(world: World, gate: FollowingGate, question: Ask) -> None:
    async with asking(gate, world.mailer) as http:
        await http.post(ONE, json=question("8"))
    await gate.flush()
    async with world.database.read() as session:
        used = {key.caller_id: key.last_used_at for key in await session.exec(select(GateKey))}
    assert used == {1: gate._clock(), 2: None}


@pytest.mark.parametrize("keep", [timedelta(days=91), timedelta(seconds=-1)])
async def test_an_old_key_does_not_go_on_for_ever(world: World, keep: timedelta) -> None:
    with pytest.raises(BadInput):
        async with world.database.write() as session:
            await gate_callers.rotate(session, "mailer", keep)


async def books(world: World, gate: FollowingGate) -> str:
    async with world.database.write() as session:
        key: str = await gate_callers.add_caller(session, "books", ["legal-retention"])
    gate._keys_at = 0.0
    await gate.refresh()
    return key


async def test_laws_of_a_batch_are_recorded_in_one_commit_before_it_is_answered(
    world: World, gate: FollowingGate, question: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.withdraw("suspension")
    key = await books(world, gate)
    body = question("7", ["name"], "legal-retention", "books")
    batch = {**body, "evaluations": [{}, {}, {"resource": {**body["resource"], "id": "8"}}]}
    async with asking(gate, key) as http:
        told = (await http.post(MANY, json=batch)).json()["evaluations"]
        assert [each["decision"] for each in told] == [True, True, True]
        assert [each["context"].get("override") for each in told] == [True, True, None]
        async with world.database.read() as session:
            row = (await session.exec(select(GateUse))).one()
        assert (row.caller, row.subject_id, row.overrides) == ("books", "7", 2)
        monkeypatch.setattr(world.database, "write", away)
        told = (await http.post(MANY, json=batch)).json()["evaluations"]
    assert [each["decision"] for each in told] == [False, False, True]
    assert told[0]["context"]["reason"] == "use_not_recorded"


HOLDS = """
revision: {revision}
policy:
  fields: [email, phone, name]
  recipients: {{buyer: third_party}}
  purposes:
    marketing: {{basis: consent}}
    legal: {{basis: law, fields: [name]}}
callers:
  - {{name: mailer, key: secret, purposes: [marketing]}}
  - {{name: books, key_sha256: {books}, purposes: [legal]}}
holds: {holds}
"""


class Filed:
    """A file of holds, replaced whole as it should be."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, revision: int, holds: str) -> None:
        books = gate_callers.digest("other").hex()
        new = self.path.with_suffix(".new")
        new.write_text(HOLDS.format(revision=revision, holds=holds, books=books))
        new.replace(self.path)


@pytest.fixture
def filed(tmp_path: Path) -> Filed:
    made = Filed(tmp_path / "holds.yaml")
    made.write(1, '[{subject: "7", fields: [email, name]}]')
    return made


async def test_a_gate_alone_from_a_file(
    filed: Filed, world: World, question: Ask, later: Callable[[float], None]
) -> None:
    gate = FileGate(filed.path, FrozenClock(world.gate._clock()))
    await gate.refresh()
    async with asking(gate, "secret") as http:

        async def told(member: str = "7") -> Any:
            return (await http.post(ONE, json=question(member))).json()

        assert [(await told(member))["decision"] for member in "78"] == [False, True]
        filed.write(2, '[{subject: "8"}]')
        await gate.refresh()
        assert [(await told(member))["decision"] for member in "78"] == [True, False]
        filed.write(2, "[]")  # it changed, and its revision did not rise
        assert not await gate.refresh()
        assert (await told("8"))["context"]["reason"] == "held"
        filed.path.write_text("holds: [")
        assert not await gate.refresh()
        later(gate.state.bound)
        assert (await told("7"))["context"]["reason"] == "stale"
    await gate.flush()
    await gate.close()


async def test_two_changes_of_a_file_within_one_step_of_its_time(
    filed: Filed, world: World, question: Ask
) -> None:
    gate, at = FileGate(filed.path, FrozenClock(world.gate._clock())), time.time_ns()
    for revision, member in ((2, "8"), (3, "9")):
        words = filed.path.read_text().replace(f"revision: {revision - 1}", f"revision: {revision}")
        filed.path.write_text(re.sub('subject: "."', f'subject: "{member}"', words))
        os.utime(filed.path, ns=(at, at))
        assert await gate.refresh()
    async with asking(gate, "secret") as http:
        assert reason(await http.post(ONE, json=question("9"))) == "held"
    await gate.close()


async def test_a_file_that_names_a_key_twice_is_refused(filed: Filed, world: World) -> None:
    """Two lists of holds, one after the other: YAML would keep the last and say nothing."""
    gate = FileGate(filed.path, FrozenClock(world.gate._clock()))
    assert await gate.refresh()
    words = filed.path.read_text().replace("revision: 1", "revision: 2")
    filed.path.write_text(words + 'holds: [{subject: "8"}]\n')
    assert not await gate.refresh() and gate.state.revision == 1
    await gate.close()


async def test_what_a_law_opens_needs_a_place_to_be_recorded(
    filed: Filed, world: World, question: Ask, tmp_path: Path
) -> None:
    asked = question("7", ["name"], "legal", "books")
    for uses, decision in ((None, False), (tmp_path / "uses.db", True)):
        gate = FileGate(filed.path, FrozenClock(world.gate._clock()), uses)
        await gate.prepare()
        await gate.refresh()
        async with asking(gate, "other") as http:
            told = (await http.post(ONE, json=asked)).json()
        assert told["decision"] is decision
        assert told["context"].get("reason") == (None if decision else "use_not_recorded")
        await gate.close()


@pytest.mark.parametrize(
    "holds",
    [
        '[{subject: "07"}]', "[{subject: 7}]", '[{subject: "7", fields: [shoe]}]',
        '[{subject: "7", purposes: [spying]}]', '[{subject: "7", recipients: [stranger]}]',
        '[{subject: "7", purposes: ["!spying"]}]', '[{subject: "7", colour: red}]', '[{fields: []}]',
    ],
)  # fmt: skip
async def test_a_hold_that_would_hold_nothing_is_refused(
    filed: Filed, world: World, holds: str
) -> None:
    """At the start, and while it runs: the state stays as it was."""
    gate = FileGate(filed.path, FrozenClock(world.gate._clock()))
    assert await gate.refresh()
    filed.write(2, holds)
    assert not await gate.refresh()
    assert (len(gate.state), gate.state.revision) == (1, 1)
    await gate.close()
    with pytest.raises(SettingsError):
        FileGate(filed.path, FrozenClock(world.gate._clock()))
