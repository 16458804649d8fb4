"""What a system calls: answers, errors, the decorator, observing, counting; over HTTP without a
socket."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from subjectline_client import (
    AsyncGate,
    Denied,
    Held,
    Stale,
    TooOld,
    Unreachable,
    questions,
)

MadeUp = Any  # of conftest.py
Clock = Any
URL = "http://gate.test"


@pytest.fixture
async def asked(gate: MadeUp) -> AsyncIterator[AsyncGate]:
    """A client that is in step; time stands still unless a test moves it."""
    gate.hold("7", "email")
    async with AsyncGate(URL, "good", http=gate.client) as made:
        yield made


async def test_decide(asked: AsyncGate) -> None:
    denied = await asked.decide("7", ["name", "email"], "marketing")
    assert not denied and denied.reasons == ("held",)
    assert (denied.held_fields, denied.allowed_fields) == (("email",), ("name",))
    permit = await asked.decide("8", ("email",), "marketing")
    assert permit and permit.enforced and permit.valid_for_ms <= 2000 and permit.revision == 1


@pytest.mark.parametrize(
    ("subject", "fields", "purpose", "recipient", "reason"),
    [
        ("8", ["shoe size"], "marketing", None, "unknown_field"),
        ("8", ["email"], "gossip", None, "unknown_purpose"),
        ("8", ["email"], "marketing", "nobody", "unknown_recipient"),
        ("8", [], "marketing", None, "missing_fields"),
        ("8", "email", "marketing", None, "missing_fields"),
        ("08", ["email"], "marketing", None, "subject_not_canonical"),
        (8, ["email"], "marketing", None, "subject_not_canonical"),
    ],
)
async def test_what_is_not_known_is_denied(
    asked: AsyncGate, subject: Any, fields: Any, purpose: str, recipient: str | None, reason: str
) -> None:
    decision = await asked.decide(subject, fields, purpose, recipient)
    assert not decision and decision.reasons == (reason,)
    with pytest.raises(Denied, match=reason) as raised:
        await asked.require(subject, fields, purpose, recipient)
    assert type(raised.value) is Denied, "neither held nor stale"


async def test_a_token_is_waited_for_once(asked: AsyncGate, gate: MadeUp) -> None:
    gate.hold("8", "email")
    known = await asked.decide("8", ["email"], "marketing", at_least_revision=2)
    assert known.reasons == ("held",) and known.revision == 2
    gate.asked.clear()
    behind = await asked.decide("9", ["email"], "marketing", at_least_revision=3)
    assert behind.reasons == ("replica_behind_token",) and gate.asked == ["changes"]


async def test_a_token_waits_no_longer_than_it_says(
    asked: AsyncGate, gate: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "LOOK_SECONDS", 0.01)
    gate.answer = _never
    object.__setattr__(
        asked._source, "_http", httpx.AsyncClient(transport=httpx.MockTransport(_never))
    )
    behind = await asked.decide("9", ["email"], "marketing", at_least_revision=3)
    assert behind.reasons == ("replica_behind_token",)


async def _never(request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def test_stale_is_raised_with_a_time(asked: AsyncGate, clock: Clock, gate: MadeUp) -> None:
    def lost() -> None:
        raise httpx.ConnectError("no")

    gate.before = lost
    clock.now += 3
    assert (await asked.decide("7", ["email"], "marketing")).reasons == ("stale",)
    for asking in (
        asked.require("7", ["email"], "marketing"),
        asked.filter(["7"], ["email"], "marketing"),
    ):
        with pytest.raises(Stale) as raised:
            await asking
        assert raised.value.retry_after == 0.5


async def test_filter(asked: AsyncGate) -> None:
    found = await asked.filter(["7", "8", " 8", "9"], ["email"], "marketing")
    assert (found.allowed, found.held, found.unknown) == (["8", "9"], ["7"], [" 8"])
    with pytest.raises(Denied, match="unknown_field"):
        await asked.filter(["7"], ["shoe size"], "marketing")


async def test_a_filter_that_took_too_long_is_stale(asked: AsyncGate, clock: Clock) -> None:
    def slowly() -> Iterator[str]:
        yield "8"
        clock.now += 2
        yield "9"

    with pytest.raises(Stale):
        await asked.filter(slowly(), ["email"], "marketing")


async def test_released_since_says_who_may_be_mailed_now(asked: AsyncGate, gate: MadeUp) -> None:
    before = asked.revision
    more = [gate.hold(member, "email") for member in ("8", "9", "9")]
    for number in [*more[:2], *[n for n, held in gate.held.items() if held[0] == "7"]]:
        gate.release(number)
    found = await asked.released_since(before, ["email"], "marketing")
    assert (found.allowed, found.held) == (["8", "7"], ["9"])
    assert found.revision == gate.revision
    again = await asked.released_since(found.revision, ["email"], "marketing")
    assert (again.allowed, again.held) == ([], [])
    with pytest.raises(TooOld):
        await asked.released_since(gate.revision + 1, ["email"], "marketing")


async def test_guard(asked: AsyncGate) -> None:
    sent: list[str] = []

    @asked.guard("email", purpose="marketing", subject="member")
    async def send(words: str, member: str = "7") -> str:
        """Sends."""
        sent.append(member)
        return words

    assert await send("hello", "8") == "hello" and send.__doc__ == "Sends."
    with pytest.raises(Held) as raised:
        await send("hello")
    assert raised.value.decision is not None and sent == ["8"]
    with pytest.raises(TypeError, match="no argument"):
        asked.guard("email", purpose="marketing")(send)


async def test_a_generator_is_asked_for_when_its_body_begins(asked: AsyncGate) -> None:
    begun: list[str] = []

    @asked.guard("email", purpose="marketing", subject="member")
    async def rows(member: str) -> AsyncIterator[str]:
        begun.append(member)
        yield member
        yield "more"

    held = rows("7")
    with pytest.raises(Held):
        await anext(held)
    assert [row async for row in rows("8")] == ["8", "more"] and begun == ["8"]

    def plain(subject: str) -> None:
        raise AssertionError

    with pytest.raises(TypeError, match="by a Gate"):
        asked.guard("email", purpose="marketing")(plain)  # type: ignore[type-var]


async def test_httpx_does_not_tell_of_every_pull(
    asked: AsyncGate, gate: MadeUp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="httpx")  # whatever level another test left it at
    await asked._replica.pull()
    assert not [record for record in caplog.records if record.name == "httpx"]
    async with gate.client() as others:
        await others.get("http://elsewhere.test/", headers={"authorization": "Bearer bad"})
    assert [record.name for record in caplog.records] == ["httpx"]


async def test_a_client_that_was_closed_starts_again_in_another_loop(gate: MadeUp) -> None:
    asked = AsyncGate(URL, "good", http=gate.client)

    async def once() -> tuple[str, ...]:
        gate.stream = asyncio.Queue()
        async with asked:
            return (await asked.decide("7", ["email"], "marketing")).reasons

    for told in ((), ("held",)):
        assert await asyncio.to_thread(asyncio.run, once()) == told
        assert (await asked.decide("7", ["email"], "marketing")).reasons == ("never_synced",)
        gate.hold("7", "email")


async def test_observing_permits_and_says_so_everywhere(
    gate: MadeUp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    gate.hold("7", "email")
    async with AsyncGate(URL, "good", mode="observe", http=gate.client) as asked:
        held = await asked.require("7", ["email"], "marketing")
        free = await asked.decide("8", ["email"], "marketing")
        found = await asked.filter(["7", "8"], ["email"], "marketing")
        wrong = await asked.filter(["7", "8"], ["shoe size"], "marketing")
        assert held and held.reasons == ("held",) and not held.enforced and not free.enforced
        assert found and found.allowed == ["7", "8"] and found.held == ["7"]
        assert wrong.allowed == ["7", "8"] and wrong.reasons == ("unknown_field",)
        for shown in (held, free, found, asked):
            assert "not enforced" in repr(shown)
        told = asked.metrics()
        assert told["would_deny_total"] == {"held": 2, "unknown_field": 2}
        assert told["denials_total"] == {} and told["enforced"] == 0
        assert "not enforced" in asked.prometheus()
    assert [each.getMessage() for each in caplog.records if "client" in each.name] == [
        "the gate is only observed: what it denies is not enforced",
        "the gate answers (not enforced)",
    ]
    given = sum(use.permits for use in gate.reported)
    assert given == 6 and not any(use.denials for use in gate.reported), "what was given was given"
    of_the_held = [(use.permits, use.field) for use in gate.reported if use.subject == "7"]
    assert of_the_held == [(2, "email")] and not gate.enforced, "the gate is told that it was held"
    with pytest.raises(ValueError, match="observe"):
        AsyncGate(URL, "good", mode="maybe")  # type: ignore[arg-type]


async def test_uses_are_reported_without_a_value(asked: AsyncGate, gate: MadeUp) -> None:
    for _ in range(3):
        await asked.decide("8", ["email", "name"], "marketing")
    await asked.decide("7", ["email"], "marketing")
    await asked.filter(["7", "8"], ["email"], "marketing")
    await asked.report()
    told = {(use.field, use.subject): (use.permits, use.denials) for use in gate.reported}
    assert told == {("email", ""): (4, 0), ("name", ""): (3, 0), ("email", "7"): (0, 2)}
    await asked.report()
    assert len(gate.reported) == 3, "each is told once"


async def test_uses_that_nobody_takes_are_kept(asked: AsyncGate, gate: MadeUp) -> None:
    def lost() -> None:
        raise httpx.ConnectError("no")

    await asked.decide("8", ["email"], "marketing")
    gate.before = lost
    await asked.report()
    assert gate.reported == [] and asked.metrics()["uses_unreported"] == 1
    gate.before = lambda: None
    await asked.report()
    assert [use.permits for use in gate.reported] == [1]


async def test_a_law_is_asked_of_the_gate_itself(asked: AsyncGate, gate: MadeUp) -> None:
    """The use is recorded there before it is known here; where it cannot be, no."""
    gate.hold("8", "name")
    gate.asked.clear()
    answers = [
        httpx.Response(200, json={"decision": True, "context": {
            "revision": 2, "age_ms": 0, "valid_for_ms": 2000, "override": True}}),
        httpx.Response(200, json={"decision": False, "context": {"reasons": ["held"]}}),
        httpx.Response(503),
    ]  # fmt: skip
    plain, questions = gate.answer, list[httpx.Request]()

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/access/v1/evaluation":
            return await plain(request)  # type: ignore[no-any-return]
        questions.append(request)
        return answers.pop(0)

    old, asked._source._http = (
        asked._source._http,
        httpx.AsyncClient(transport=httpx.MockTransport(answer)),
    )
    told = [await asked.decide("8", ["name"], "tax", at_least_revision=2) for _ in range(3)]
    assert [(each.permit, each.override) for each in told] == [(True, True)] + [(False, False)] * 2
    assert [each.reasons for each in told] == [(), ("held",), ("use_not_recorded",)]
    assert b'"at_least_revision":2' in questions[0].content
    assert b'"id":"mailer"' in questions[0].content
    assert old is not None
    await old.aclose()


async def test_a_key_that_is_not_known(gate: MadeUp, caplog: pytest.LogCaptureFixture) -> None:
    asked = AsyncGate(URL, "bad", http=gate.client)
    try:
        assert not await asked.start(0.05)
        assert (await asked.decide("8", ["email"], "marketing")).reasons == ("never_synced",)
        with pytest.raises(Stale, match="never_synced"):
            await asked.require("8", ["email"], "marketing")
        with pytest.raises(Stale, match="never_synced"):
            await asked.filter(["8"], ["email"], "marketing")
        assert "key" in caplog.text and "bad" not in caplog.text and "gate.test" not in caplog.text
    finally:
        await asked.close()


async def test_after_the_end_nothing_is_permitted(asked: AsyncGate) -> None:
    await asked.close()
    assert (await asked.decide("8", ["email"], "marketing")).reasons == ("never_synced",)


async def test_metrics(asked: AsyncGate) -> None:
    await asked.decide("8", ["email"], "marketing")
    await asked.decide("7", ["email"], "marketing")
    told = asked.metrics()
    assert (told["permits_total"], told["denials_total"]) == (1, {"held": 1})
    assert (told["revision"], told["holds"], told["snapshots_total"]) == (1, 1, 1)
    text = asked.prometheus()
    assert 'subjectline_gate_denials_total{reason="held"} 1\n' in text
    assert "subjectline_gate_permits_total 1\n" in text


async def test_an_answer_to_another_question_proves_nothing(asked: AsyncGate, gate: MadeUp) -> None:
    """As a cache or a proxy on the way might give it."""
    kept = httpx.Response(200, json={"revision": 1, "head": 1, "mark": "h1", "ask": "another"})

    async def answer(request: httpx.Request) -> httpx.Response:
        return kept

    old, asked._source._http = (
        asked._source._http,
        httpx.AsyncClient(transport=httpx.MockTransport(answer)),
    )
    assert not await asked._replica.pull()
    with pytest.raises(Unreachable, match="another question"):
        await asked.released_since(0, ["email"], "marketing")
    assert old is not None
    await old.aclose()


# From threads
