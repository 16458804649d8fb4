"""AuthZEN 1.0, sentence by sentence of its text, and the certification scenario in our vocabulary.

Each test names the section it comes from. Of the scenario's fixture, `alice` is our caller `mailer`, `bob`
is `buyer`; a record is a member with fields; `archived` is a contested field. Search is not there on purpose.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

World = Any  # of conftest.py
Question = Callable[..., dict[str, Any]]
ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"
DISCOVERY = "/.well-known/authzen-configuration"


def member(number: str = "8", *fields: str) -> dict[str, Any]:
    return {"type": "member", "id": number, "properties": {"fields": list(fields or ("email",))}}


ALICE, BOB = {"type": "system", "id": "mailer"}, {"type": "system", "id": "buyer"}
READ, WRITE = {"name": "marketing"}, {"name": "service"}


def asked(**changed: Any) -> dict[str, Any]:
    return {"subject": ALICE, "action": READ, "resource": member(), **changed}


# Scenario 2.2: what is accepted, and the fixture's decisions


@pytest.mark.parametrize(
    ("changed", "decision"),
    [
        ({}, True),  # rule 1
        ({"action": WRITE}, True),  # rule 2
        ({"resource": member("7")}, False),  # rule 5: of the record's state
        ({"resource": member("7", "nickname")}, True),
        ({"subject": BOB}, False),  # another subject than the key's
        ({"context": {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}}, True),  # 2.2.3
        ({"foo": "bar", "futureField": {"nested": True}}, True),  # 2.2.9
        ({"subject": {**ALICE, "properties": {"department": "Sales", "role": "manager"}}}, True),
        ({"action": {**READ, "properties": {"method": "GET"}}}, True),
        ({"resource": {**member(), "extra": 1}}, True),
    ],
)
async def test_requests_that_are_accepted(
    world: World, changed: dict[str, Any], decision: bool
) -> None:
    response = await world.post(ONE, asked(**changed))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body["decision"] is decision  # 5.5: a boolean; 2.3.2: the context is an object
    assert isinstance(body["context"], dict)


@pytest.mark.parametrize(
    "resource", [{"type": "record", "id": "record-1"}, {"type": "todo", "id": "1"}]
)
async def test_resources_of_others_are_answered_with_a_denial(
    world: World, resource: dict[str, str]
) -> None:
    """The interop vectors ask for todos and records: a well-formed question is never an error."""
    body = asked(subject={"type": "user", "id": "alice"}, resource=resource)
    response = await world.post(ONE, body)
    assert (response.status_code, response.json()["decision"]) == (200, False)


async def test_the_same_question_has_the_same_answer(world: World) -> None:
    """Scenario 2.6."""
    told = [(await world.post(ONE, asked())).json()["decision"] for _ in range(5)]
    assert told == [True] * 5


# 10.1.1 and scenario 2.4: errors


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": ...}, {"action": ...}, {"resource": ...},
        {"subject": {"id": "mailer"}}, {"subject": {"type": "system"}}, {"action": {}},
        {"resource": {"id": "8"}}, {"resource": {"type": "member"}},
        {"subject": "mailer"}, {"action": {"name": 123}}, {"action": "marketing"}, {"resource": ["8"]},
        {"subject": None}, {"context": "now"}, {"context": None},
        {"subject": {**ALICE, "properties": []}}, {"action": {**READ, "properties": "x"}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", [ONE, MANY])
async def test_what_is_missing_or_of_a_wrong_type(
    world: World, changed: dict[str, Any], path: str
) -> None:
    body = {name: value for name, value in asked(**changed).items() if value is not ...}
    response = await world.post(path, body)
    assert response.status_code == 400
    assert isinstance(response.json()["error"]["message"], str)


@pytest.mark.parametrize("path", [ONE, MANY])
@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'"x"', b"{"])
async def test_no_json_object(world: World, path: str, body: bytes) -> None:
    assert (await world.post(path, body)).status_code == 400


@pytest.mark.parametrize(
    ("note", "status"),
    [
        ('"fine"', 200),
        ('"\\ud800"', 400),
        ('{"b": 1, "b": 1}', 400),
        ('{"a": 1, "\\u0061": 2}', 400),
        ("NaN", 400),
        ("'x'", 400),
    ],
)
async def test_what_is_no_i_json(world: World, note: str, status: int) -> None:
    """11.5, RFC 7493: no unpaired surrogates, no member twice, even where nobody reads it."""
    text = json.dumps(asked())[:-1] + f', "note": {note}}}'
    assert (await world.post(ONE, text.encode())).status_code == status


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/json-patch+json", ""]
)
async def test_another_content_type(world: World, kind: str) -> None:
    response = await world.post(ONE, json.dumps(asked()).encode(), **{"content-type": kind})
    assert response.status_code == 400


async def test_members_may_stand_in_any_order(world: World) -> None:
    """10.1.1: no particular ordering is assumed."""
    turned = dict(reversed(list(asked().items())))
    assert (await world.post(ONE, turned)).json()["decision"] is True


async def test_who_is_not_authenticated(world: World) -> None:
    """11.1: 401, with the header field that says how."""
    for headers in ({}, {"authorization": "Bearer slg_wrong"}, {"authorization": "Basic eDp5"}):
        response = await world.http.post(ONE, json=asked(), headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith('Bearer realm="')
        assert isinstance(response.json()["error"]["message"], str)


@pytest.mark.parametrize("path", [ONE, MANY])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_requests_are_posts(world: World, path: str, method: str) -> None:
    response = await world.http.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "request_id", ["bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "any string: 1;2", "7"]
)
@pytest.mark.parametrize("path", [ONE, MANY])
async def test_the_request_identifier(world: World, path: str, request_id: str) -> None:
    """10.1.3: the same identifier, in an error too."""
    for body in (asked(), {}):
        response = await world.post(path, body, **{"x-request-id": request_id})
        assert response.headers["x-request-id"] == request_id
    assert "x-request-id" not in (await world.post(path, asked())).headers


# 7: evaluations


async def decisions(world: World, body: dict[str, Any]) -> list[bool]:
    response = await world.post(MANY, body)
    assert response.status_code == 200 and "decision" not in response.json()
    return [each["decision"] for each in response.json()["evaluations"]]


async def test_defaults_and_order(world: World) -> None:
    """7.1.1 and scenario 3.2: whole objects, from the top to the items; answers in order."""
    shared = {"subject": ALICE, "action": READ}
    items = [{"resource": member("8")}, {"resource": member("7")}]
    assert await decisions(world, {**shared, "evaluations": items}) == [True, False]
    whole = [asked(), asked(resource=member("7")), asked(subject=BOB)]
    assert await decisions(world, {"evaluations": whole}) == [True, False, False]
    over = asked(evaluations=[{}, {"resource": member("7")}, {"action": {"name": "spying"}}])
    assert await decisions(world, over) == [True, False, False]


async def test_a_context_is_inherited_or_replaced(world: World) -> None:
    context = {"at_least_revision": 99}
    items = [{}, {"context": {"source": "batch-override"}}]
    assert await decisions(world, asked(context=context, evaluations=items)) == [False, True]


async def test_an_item_without_a_required_key_is_denied(world: World) -> None:
    """Scenario 3.4.1: 200, the same number of answers in the same order."""
    body = {
        "subject": ALICE,
        "action": READ,
        "options": {"evaluations_semantic": "execute_all", "another_option": "value"},
        "evaluations": [{"resource": member()}, {}],
    }
    response = await world.post(MANY, body)
    first, second = response.json()["evaluations"]
    assert (response.status_code, first["decision"], second["decision"]) == (200, True, False)
    assert second["context"]["error"]["status"] == 400


@pytest.mark.parametrize("more", [{}, {"evaluations": []}])
async def test_without_items_it_is_one_question(world: World, more: dict[str, Any]) -> None:
    """7.1: as the Access Evaluation API, in its errors too."""
    told = (await world.post(MANY, asked(**more))).json()
    assert told["decision"] is True and "evaluations" not in told
    assert (await world.post(MANY, {"subject": ALICE, **more})).status_code == 400


@pytest.mark.parametrize(
    ("semantic", "items", "told"),
    [
        ("execute_all", "878", [True, False, True]),
        ("deny_on_first_deny", "878", [True, False]),
        ("deny_on_first_deny", "88", [True, True]),
        ("permit_on_first_permit", "788", [False, True]),
        ("permit_on_first_permit", "77", [False, False]),
    ],
)
async def test_semantics(world: World, semantic: str, items: str, told: list[bool]) -> None:
    """7.1.2.1, as the operators `&&` and `||`."""
    body = asked(
        options={"evaluations_semantic": semantic},
        evaluations=[{"resource": member(number)} for number in items],
    )
    assert await decisions(world, body) == told


# 9: metadata


async def test_metadata(world: World) -> None:
    """9.2: 200, JSON, the identifier it was asked by; parameters without a value are left out."""
    response = await world.http.get(DISCOVERY)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert "max-age" in response.headers["cache-control"]
    told = response.json()
    assert told.pop("policy_decision_point") == "http://gate.test"
    assert told == {
        "access_evaluation_endpoint": f"http://gate.test{ONE}",
        "access_evaluations_endpoint": f"http://gate.test{MANY}",
    }


@pytest.mark.parametrize("kind", ["subject", "resource", "action"])
async def test_there_is_no_search(world: World, kind: str) -> None:
    """9.1.1: the missing parameter says so. It would list who is held."""
    response = await world.post(f"/access/v1/search/{kind}", asked())
    assert response.status_code == 404
