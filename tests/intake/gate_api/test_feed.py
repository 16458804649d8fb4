"""The feed: who is told what, each revision once, and when only a snapshot helps."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gates import NOW, House, Stream, housed
from openapi import as_documented
from sqlmodel import col, delete, select, update

from subjectline.handlers import gate_feed
from subjectline.intake import gate_feed as door
from subjectline.models.datamap import DataMap
from subjectline.models.tables import GateCaller, GateHead, GateUse, Hold
from subjectline_client import wire


@pytest.fixture
async def house(tmp_path: Path, data_map: DataMap) -> AsyncIterator[House]:
    async with housed(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}", data_map) as made:
        await made.caller("mailer", "marketing", "service")
        await made.caller("buyer", "third_party", to=("content_buyer",))
        yield made


@pytest.fixture
async def ask(house: House) -> AsyncIterator[Any]:
    """Asks the feed for a path as a caller; the answer."""
    transport = httpx.ASGITransport(app=house.app)
    hooks = {"response": [as_documented]}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://gate.test", event_hooks=hooks
    ) as http:

        async def asked(path: str, caller: str = "mailer", **query: Any) -> httpx.Response:
            key = house.keys.get(caller, caller)
            return await http.get(path, params=query, headers={"authorization": f"Bearer {key}"})

        yield asked


async def test_a_snapshot_says_what_is_held_and_not_why(house: House, ask: Any) -> None:
    await house.hold("7", "email")
    await house.hold("8", "email")
    response = await ask(wire.SNAPSHOT, ask="x1")
    told = response.json()
    assert told["revision"] == 2 and told["ask"] == "x1" and told["mark"]
    assert told["rules"] == [[["email"], ["service", "marketing"], ["*"]]]
    assert told["holds"] == [["7", 0], ["8", 0]], "no number of a row leaves the house"
    assert set(told["policy"]["purposes"]) == {"service", "marketing"}
    assert "correction" not in response.text and "rights-handling" not in response.text


async def test_holds_that_cannot_concern_a_caller_are_not_told(house: House, ask: Any) -> None:
    await house.hold("7", kind="marketing_withdrawal")
    assert (await ask(wire.SNAPSHOT, "buyer")).json()["holds"] == []
    assert (await ask(wire.CHANGES, "buyer", since=0)).json()["changes"] == [[1, [], []]]
    told = (await ask(wire.CHANGES, since=0)).json()["changes"]
    assert told[0][1] == [["7", ["*"], ["marketing"], ["*"]]]


async def test_who_serves_all_is_told_of_holds_on_our_own_use(house: House, ask: Any) -> None:
    """It may ask for the company's own use as well: its replica would permit what the gate denies."""
    await house.caller("all", "marketing", to=("*",))
    await house.hold("7", "email")
    async with house.database.write() as session:
        await session.exec(update(Hold).values(recipients=["self"]))
    assert not await house.gate.decide("all", "7", ("email",), "marketing")
    told = (await ask(wire.SNAPSHOT, "all")).json()
    assert told["rules"] == [[["email"], ["marketing"], ["self"]]]
    assert (await ask(wire.SNAPSHOT, "buyer")).json()["rules"] == []


async def test_each_revision_is_told_once_and_in_order(house: House, ask: Any) -> None:
    first = await house.hold("7", "email")
    await house.hold("8", "name")
    await house.release(first)
    told = (await ask(wire.CHANGES, since=0)).json()
    assert [each[0] for each in told["changes"]] == [1, 2, 3]
    assert [len(each[1]) for each in told["changes"]] == [1, 1, 0]
    assert told["changes"][2][2] == told["changes"][0][1], "told by what it said, not by a number"
    assert told["revision"] == told["head"] == 3
    later = (await ask(wire.CHANGES, since=2, mark=told["mark"])).status_code
    assert later == 410, "that is the mark of another revision"
    again = (await ask(wire.CHANGES, since=3, mark=told["mark"])).json()
    assert again["changes"] == [] and again["mark"] == told["mark"]


async def test_a_long_way_is_told_in_parts(
    house: House, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_feed, "MOST", 2)
    for member in "123":
        await house.hold(member, "email")
    first = (await ask(wire.CHANGES, since=0)).json()
    assert (first["revision"], first["head"]) == (2, 3)
    rest = (await ask(wire.CHANGES, since=2, mark=first["mark"])).json()
    assert [each[0] for each in rest["changes"]] == [3]
    monkeypatch.setattr(gate_feed, "FAR", 2)
    assert (await ask(wire.CHANGES, since=0)).status_code == 410


async def test_a_revision_that_is_gone_or_of_another_history(house: House, ask: Any) -> None:
    first = await house.hold("7", "email")
    await house.release(first)
    told = (await ask(wire.CHANGES, since=0)).json()
    ahead = await ask(wire.CHANGES, since=3)
    assert ahead.status_code == 410 and ahead.json()["error"]["snapshot"] is True
    async with house.database.write() as session:  # a restored desk that went on otherwise
        await session.exec(update(Hold).values(ended_at=NOW.replace(hour=10)))
    restored = await ask(wire.CHANGES, since=2, mark=told["mark"])
    assert restored.status_code == 410 and "history" in restored.text
    async with house.database.write() as session:  # emptied when its time had come
        await session.exec(update(Hold).values(subject_id="", fields=[]))
    emptied = await ask(wire.CHANGES, since=0)
    assert emptied.status_code == 410 and "too old" in emptied.text
    async with house.database.write() as session:
        await session.exec(delete(Hold))
    gone = await ask(wire.CHANGES, since=0)
    assert gone.status_code == 410 and "too old" in gone.text


async def test_a_change_of_scope_asks_for_a_snapshot(
    house: House, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_feed, "KEY_SECONDS", 0.0)
    told = wire.SeenPolicy(**_seen((await ask(wire.SNAPSHOT)).json()["policy"]))
    assert (await ask(wire.CHANGES, since=0, policy=told.version)).status_code == 200
    async with house.database.write() as session:
        rows = update(GateCaller).where(col(GateCaller.name) == "mailer")
        await session.exec(rows.values(purposes=["marketing"]))
    assert (await ask(wire.CHANGES, since=0, policy=told.version)).status_code == 410


def _seen(policy: dict[str, Any]) -> dict[str, Any]:
    purposes = {
        name: wire.SeenPurpose(found["basis"], tuple(found["fields"]))
        for name, found in policy["purposes"].items()
    }
    lists = {name: tuple(policy[name]) for name in ("fields", "recipients", "serves")}
    return {**policy, **lists, "purposes": purposes}


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/gate/v1/holds", {}, 404),
        (wire.USES, {}, 405),
        (wire.CHANGES, {}, 400),
        (wire.CHANGES, {"since": "-1"}, 400),
        (wire.CHANGES, {"since": "٣"}, 400),
        (wire.CHANGES, {"since": "9" * 30}, 400),
    ],
)
async def test_what_is_no_question(ask: Any, path: str, query: Any, status: int) -> None:
    assert (await ask(path, **query)).status_code == status


async def test_no_key_no_feed(ask: Any) -> None:
    for path in (wire.SNAPSHOT, wire.CHANGES, wire.STREAM):
        assert (await ask(path, "slg_nobody")).status_code == 401


async def test_no_database_no_answer(house: House, ask: Any) -> None:
    async with house.database.write() as session:
        await session.exec(delete(GateHead))
        await (await session.connection()).exec_driver_sql("DROP TABLE gate_head")
    response = await ask(wire.CHANGES, since=0)
    assert response.status_code == 503 and response.headers["retry-after"] == "1"


async def test_the_stream_wakes_and_ends_with_the_feed(house: House) -> None:
    running = asyncio.create_task(house.feed.run())
    stream = Stream(house.app, wire.STREAM, house.keys["mailer"])
    assert (await stream.said.get()).startswith(b":")
    await house.hold("7", "email")
    assert await stream.said.get() == b"event: revision\ndata: 1\n\n"
    running.cancel()
    await stream.task
    assert stream.status == 200 and stream.said.empty()


async def test_the_stream_beats_while_the_key_is_good(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(gate_feed, "KEY_SECONDS", 0.0)
    stream = Stream(house.app, wire.STREAM, house.keys["mailer"])
    await stream.said.get()
    assert await stream.said.get() == b": still here\n\n"
    await house.caller("mailer", "marketing")  # another key
    await stream.task


async def test_a_listener_who_leaves_is_let_go(house: House) -> None:
    stream = Stream(house.app, wire.STREAM, house.keys["mailer"])
    await stream.said.get()
    stream.leave()
    await stream.task
    assert stream.said.empty()


async def _report(house: House, uses: Any, status: int = 200, **told: Any) -> list[GateUse]:
    transport = httpx.ASGITransport(app=house.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gate.test") as http:
        headers = {"authorization": f"Bearer {house.keys['mailer']}"}
        response = await http.post(wire.USES, json={"uses": uses, **told}, headers=headers)
    assert response.status_code == status
    await house.gate.flush()
    async with house.database.read() as session:
        return list(await session.exec(select(GateUse)))


async def test_uses_are_kept_by_the_day_they_were_made(house: House) -> None:
    await house.hold("7", "email")
    await house.gate.refresh()
    at = int(NOW.timestamp())
    yesterday, long_ago = at - 86400, at - 10 * 86400
    uses = [
        [at, "marketing", "email", "7", 0, 3],
        [yesterday, "marketing", "email", "nobody held", 5, 0],
        [long_ago, "marketing", "no such field", "", 1, 0],
    ]
    rows = {(row.day, row.subject_id): row for row in await _report(house, uses)}
    assert rows["2026-03-02", "7"].denials == 3
    assert rows["2026-03-01", ""].permits == 5
    assert rows["2026-03-02", ""].field == ""
    assert {row.caller for row in rows.values()} == {"mailer"}


async def test_what_a_replica_did_not_enforce_is_counted_as_that(house: House) -> None:
    await house.hold("7", "email")
    await house.gate.refresh()
    at = int(NOW.timestamp())
    uses = [[at, "marketing", "email", who, permits, 0] for who, permits in (("7", 3), ("", 9))]
    for more in (0, 3):
        rows = await _report(house, uses, enforced=not more)
        assert {row.subject_id: row.unenforced for row in rows} == {"7": more, "": 0}
    assert {row.subject_id: row.permits for row in rows} == {"7": 6, "": 18}


async def test_a_report_that_comes_after_the_release_still_names_its_member(house: House) -> None:
    first = await house.hold("7", "email")
    await house.release(first)
    await house.gate.refresh()
    at = int(NOW.timestamp())
    uses = [[at, "marketing", "email", "7", 0, 14], [at, "marketing", "email", "8", 0, 2]]
    assert sorted((row.subject_id, row.denials) for row in await _report(house, uses)) == [
        ("", 2),
        ("7", 14),
    ]


@pytest.mark.parametrize(
    "uses", [[[1, "a", "b", "", -1, 0]], "no list", [[10**15, "", "", "", 1, 1]]]
)
async def test_a_report_that_is_none(house: House, uses: Any) -> None:
    assert await _report(house, uses, status=400) == []
