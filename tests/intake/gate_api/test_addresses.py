"""What the gate calls itself, its OpenAPI document, and how much one may ask."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
from openapi import DOCUMENT, as_documented, document

from subjectline.intake import gate_limits
from subjectline.intake.authzen import Batch, Question
from subjectline.intake.gate_api import METHODS, create_gate_app
from subjectline.intake.gate_feed import METHODS as FED
from subjectline.intake.gate_limits import Limits

World = Any  # of conftest.py
Ask = Callable[..., dict[str, Any]]
ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"
BASE = "https://gate.example"


@asynccontextmanager
async def served(
    world: World, url: str = "", limits: Limits | None = None, client: str = "192.0.2.7"
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_gate_app(world.gate, url, limits)
    transport = httpx.ASGITransport(app=app, client=(client, 4000))
    headers = {"authorization": f"Bearer {world.mailer}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://gate.test", headers=headers
    ) as http:
        yield http


async def test_an_identifier_with_a_path(world: World, question: Ask) -> None:
    """AuthZEN 9.2: the well-known part stands between the host and the path."""
    async with served(world, "https://pdp.example/gate/") as http:
        told = (await http.get("/.well-known/authzen-configuration/gate")).json()
        assert told["policy_decision_point"] == "https://pdp.example/gate"
        assert told["access_evaluation_endpoint"] == f"https://pdp.example/gate{ONE}"
        for path in (f"/gate{ONE}", ONE):  # a proxy may take the path off, or not
            assert (await http.post(path, json=question("8"))).json()["decision"] is True


async def test_the_document_is_the_one_in_docs(world: World) -> None:
    async with served(world, BASE) as http:
        response = await http.get("/openapi.json", headers={"authorization": ""})
    assert response.status_code == 200
    same = json.loads(DOCUMENT.read_text("utf-8")) == response.json()
    assert same, "python -m subjectline.intake.gate_openapi > docs/gate-openapi.json"


async def test_the_document_is_whole(world: World) -> None:
    """OpenAPI 3.1: what it must have, and every reference leads somewhere."""
    told = json.loads(DOCUMENT.read_text("utf-8"))
    assert told["openapi"] == "3.1.0" and told["info"].keys() >= {"title", "version"}
    methods = {**METHODS, **{path: (method,) for path, method in FED.items()}}
    assert set(told["paths"]) == set(methods)
    for path, operations in told["paths"].items():
        assert set(operations) == {"post" if "POST" in methods[path] else "get"}
        for operation in operations.values():
            assert operation["responses"]["200"]["description"]
            assert operation["operationId"]
    names = [
        operation["operationId"] for ops in told["paths"].values() for operation in ops.values()
    ]
    assert len(names) == len(set(names))
    for reference in references(told):
        place: Any = told
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def references(told: object) -> list[str]:
    if isinstance(told, dict):
        mine = [told["$ref"]] if isinstance(told.get("$ref"), str) else []
        return mine + [each for value in told.values() for each in references(value)]
    return [each for value in told for each in references(value)] if isinstance(told, list) else []


async def test_what_runs_answers_as_the_document_says(
    world: World, question: Ask, time: list[float]
) -> None:
    """What other tests do not happen to meet; each answer of theirs is looked at, too (conftest.py)."""
    schemas = document()["components"]["schemas"]
    for name, shape in (("Question", Question), ("Batch", Batch)):
        required = [f.encode_name for f in msgspec.structs.fields(shape) if f.required]
        assert schemas[name].get("required", []) == required
    for path, methods in METHODS.items():
        for method in (*methods, "TRACE"):
            await world.http.request(method, path)
    assert (await world.post(ONE, b" " * (1 << 20) + b"{}")).status_code == 413
    too_many = Limits(questions_a_second=1, wrong_keys_a_minute=1)
    async with served(world, limits=too_many) as http:
        http.event_hooks = {"response": [as_documented]}
        wrong = {"authorization": "Bearer wrong"}
        told = [(await http.post(ONE, json={}, headers=wrong)).status_code for _ in range(2)]
        late = [(await http.post(MANY, json=question("8"))).status_code for _ in range(2)]
    assert (told, late) == ([401, 429], [200, 429])


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of a clock that a test moves."""
    now = [1000.0]
    monkeypatch.setattr(gate_limits, "steady", lambda: now[0])
    return now


async def test_a_caller_that_asks_too_much(world: World, question: Ask, time: list[float]) -> None:
    async with served(world, limits=Limits(questions_a_second=10)) as http:
        batch = {**question("8"), "evaluations": [{}] * 25}
        assert (await http.post(MANY, json=batch)).status_code == 200
        late = await http.post(ONE, json=question("8"))
        assert (late.status_code, late.headers["retry-after"]) == (429, "2")
        assert "decision" not in late.json()
        other = {"authorization": f"Bearer {world.buyer}"}
        assert (await http.post(ONE, json=question("8"), headers=other)).status_code == 200
        time[0] += 2
        assert (await http.post(ONE, json=question("8"))).json()["decision"] is True


async def test_questions_that_are_none_count_too(
    world: World, question: Ask, time: list[float]
) -> None:
    async with served(world, limits=Limits(questions_a_second=3)) as http:
        told = [(await http.post(ONE, json={})).status_code for _ in range(4)]
        assert told == [400, 400, 400, 429]


async def test_wrong_keys_cost_their_address(
    world: World, question: Ask, time: list[float]
) -> None:
    limits = Limits(wrong_keys_a_minute=3)
    async with served(world, limits=limits) as http:
        wrong = {"authorization": "Bearer slg_wrong"}
        told = [(await http.post(ONE, json={}, headers=wrong)).status_code for _ in range(5)]
        assert told == [401, 401, 401, 429, 429]
        assert (await http.post(ONE, json=question("8"))).json()["decision"] is True
        time[0] += 60
        assert (await http.post(ONE, json={}, headers=wrong)).status_code == 401
    async with served(world, limits=limits, client="192.0.2.8") as http:
        assert (await http.post(ONE, json={}, headers=wrong)).status_code == 401


def test_addresses_are_not_remembered_without_end(time: list[float]) -> None:
    buckets = gate_limits.Buckets(1, 10)
    for number in range(gate_limits.MOST + 10):
        assert buckets.take(f"192.0.2.{number}") == 0
    assert len(buckets._left) <= gate_limits.MOST
    same = Limits(wrong_keys_a_minute=1)
    assert same.stranger("2001:db8:1:2::1") == 0
    assert same.stranger("2001:db8:1:2:ffff::9") > 0  # one network, one asker
