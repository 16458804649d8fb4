"""AuthZEN 1.0, one decision at a time: what is answered, and what is no question."""

import json
from collections.abc import Callable, MutableMapping
from typing import Any

import httpx
import pytest
from sqlmodel import select
from starlette.applications import Starlette
from starlette.routing import Mount

from subjectline.intake.gate_api import create_gate_app
from subjectline.models.tables import GateUse

World = Any  # of conftest.py
Question = Callable[..., dict[str, Any]]
PATH = "/access/v1/evaluation"


async def test_permit(world: World, question: Question) -> None:
    response = await world.post(PATH, question("8"))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body["decision"] is True
    assert body["context"].keys() == {"revision", "age_ms", "valid_for_ms"}
    assert body["context"]["revision"] == 1
    assert 0 < body["context"]["valid_for_ms"] <= world.gate.state.bound * 1000


async def test_deny_says_what_is_held_and_what_is_free(world: World, question: Question) -> None:
    response = await world.post(PATH, question(fields=["email", "nickname"]))
    assert response.status_code == 200
    body = response.json()
    assert body["decision"] is False
    context = body["context"]
    assert (context["reason"], context["reasons"]) == ("held", ["held"])
    assert (context["held_fields"], context["allowed_fields"]) == (["email"], ["nickname"])
    assert context["revision"] == 1 and "age_ms" in context


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"subject": "07"}, "subject_not_canonical"),
        ({"subject": " 8"}, "subject_not_canonical"),
        ({"subject": "８"}, "subject_not_canonical"),
        ({"subject": ""}, "subject_not_canonical"),
        ({"fields": ["shoe"]}, "unknown_field"),
        ({"fields": ["*"]}, "unknown_field"),
        ({"fields": []}, "missing_fields"),
        ({"purpose": "spying"}, "unknown_purpose"),
        ({"purpose": "delivery"}, "caller_not_scoped"),
        ({"purpose": "rights-handling"}, "caller_not_scoped"),
        ({"recipient": "stranger"}, "unknown_recipient"),
        ({"recipient": "kakao"}, "caller_not_scoped"),
        ({"caller": "buyer"}, "unknown_caller"),
        ({"caller": "desk"}, "unknown_caller"),
        ({"at_least_revision": 2}, "replica_behind_token"),
    ],
)
async def test_denials_with_their_reason(
    world: World, question: Question, change: dict[str, Any], reason: str
) -> None:
    response = await world.post(PATH, question(**{"subject": "8", **change}))
    assert response.status_code == 200
    body = response.json()
    assert (body["decision"], body["context"]["reason"]) == (False, reason)


async def test_a_token_that_is_reached(world: World, question: Question) -> None:
    response = await world.post(PATH, question("8", at_least_revision=1))
    assert response.json()["decision"] is True


@pytest.mark.parametrize("properties", [None, {}, {"colour": "red"}])
async def test_without_fields_nothing_is_permitted(
    world: World, question: Question, properties: dict[str, Any] | None
) -> None:
    asked = question("8")
    asked["resource"].pop("properties")
    if properties is not None:
        asked["resource"]["properties"] = properties
    assert (await world.post(PATH, asked)).json()["context"]["reason"] == "missing_fields"


async def test_another_type_of_resource(world: World, question: Question) -> None:
    asked = question("8")
    asked["resource"]["type"] = "order"
    body = (await world.post(PATH, asked)).json()
    assert (body["decision"], body["context"]["reason"]) == (False, "unknown_resource_type")


async def test_a_partner_is_not_told_why(world: World, question: Question) -> None:
    await world.withdraw("third_party_withdrawal")
    await world.withdraw("marketing_withdrawal")
    asked = question(fields=["nickname"], purpose="third_party", caller="buyer")
    told = (await world.post(PATH, asked, world.buyer)).json()["context"]
    assert (told["reason"], told["reasons"]) == ("held", ["held"])
    inside = (await world.post(PATH, question(fields=["nickname"]))).json()["context"]
    assert inside["reason"] == "consent_withdrawn"


async def test_unknown_members_of_objects_are_ignored(world: World, question: Question) -> None:
    asked = {**question("8"), "extra": {"a": [1]}}
    asked["subject"]["properties"] = {"department": "Sales"}
    asked["action"] |= {"colour": "red", "properties": {"method": "GET"}}
    asked["context"] = {"time": "1985-10-26T01:22-07:00", "schema": {"x": 1}}
    assert (await world.post(PATH, asked)).json()["decision"] is True


NO_FIELDS: tuple[object, ...] = ("email", 1, [1], None)
NO_NAME: tuple[object, ...] = (1, [], {})
NO_TEXT: tuple[object, ...] = (None, 7, [], True)


def _without(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(asked: dict[str, Any]) -> None:
        for name in path[:-1]:
            asked = asked[name]
        del asked[path[-1]]

    return change


def _with(value: object, *path: str) -> Callable[[dict[str, Any]], None]:
    def change(asked: dict[str, Any]) -> None:
        for name in path[:-1]:
            asked = asked.setdefault(name, {})
        asked[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        *(_without(*path) for path in [
            ("subject",), ("action",), ("resource",), ("subject", "type"), ("subject", "id"),
            ("action", "name"), ("resource", "type"), ("resource", "id"),
        ]),
        *(_with(value, *path) for value in NO_TEXT for path in [
            ("subject",), ("action",), ("resource",), ("context",), ("subject", "type"),
            ("subject", "id"), ("action", "name"), ("resource", "type"), ("resource", "id"),
            ("subject", "properties"), ("action", "properties"), ("resource", "properties"),
        ]),
        *(_with(value, "resource", "properties", "fields") for value in NO_FIELDS),
        *(_with(value, "context", "at_least_revision") for value in ("1", -1, 1.5, True)),
        *(_with(value, "context", "recipient") for value in NO_NAME),
    ],
)  # fmt: skip
async def test_what_is_missing_or_of_the_wrong_type_is_400(
    world: World, question: Question, change: Callable[[dict[str, Any]], None]
) -> None:
    asked = question("8")
    change(asked)
    response = await world.post(PATH, asked)
    assert response.status_code == 400
    assert response.json()["error"]["status"] == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"1",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": 1,}',
        b'{"a": "\xff"}',
        b'{"a": 1} {"b": 2}',
        b'\xef\xbb\xbf{"a": 1}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
async def test_what_is_no_json_object_is_400(world: World, body: bytes) -> None:
    assert (await world.post(PATH, body)).status_code == 400


@pytest.mark.parametrize(
    ("plain", "twice"),
    [
        ('"id": "8"', '"id": "7", "id": "8"'),
        ('"id": "8"', '"id": "7", "\\u0069d": "8"'),
        ('"fields": ["email"]', '"fields": ["phone"], "fields": ["email"]'),
        ('"type": "member"', '"type": "member", "x": {"a:b": 1, "a:b": ":"}'),
    ],
)
async def test_a_key_that_stands_twice_is_400(
    world: World, question: Question, plain: str, twice: str
) -> None:
    text = json.dumps(question("8"))
    assert (await world.post(PATH, text.encode())).status_code == 200
    assert plain in text
    response = await world.post(PATH, text.replace(plain, twice).encode())
    assert response.status_code == 400
    assert "twice" in response.json()["error"]["message"]


async def test_colons_and_escapes_in_texts_are_no_keys(world: World, question: Question) -> None:
    for text in ("a:b", 'a":"b', "\\:\u00e9", "한:글", "\\u003a"):
        asked = {**question("8"), "note": {text: [text, {text: text}]}}
        for ascii_only in (True, False):
            body = json.dumps(asked, ensure_ascii=ascii_only).encode()
            assert (await world.post(PATH, body)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("text/plain", 400),
        ("application/x-www-form-urlencoded", 400),
        ("application/jsonp", 400),
        ("", 400),
    ],
)
async def test_the_content_type(world: World, question: Question, kind: str, status: int) -> None:
    body = json.dumps(question("8")).encode()
    response = await world.post(PATH, body, **{"content-type": kind})
    assert response.status_code == status


async def test_a_body_that_is_too_long(world: World) -> None:
    assert (await world.post(PATH, b" " * (1 << 20) + b"{}")).status_code == 413


@pytest.mark.parametrize(
    "shown",
    ["", "Bearer", "Bearer ", "Bearer wrong", "Basic bWFpbGVyOng=", "Bearer \xff", "wrong"],
)
async def test_without_a_valid_key_there_is_no_answer(
    world: World, question: Question, shown: str
) -> None:
    headers = {"authorization": shown.encode("latin-1")} if shown else {}
    for body in (question("8"), {"bad": 1}):
        response = await world.http.post(PATH, json=body, headers=headers)
        assert response.status_code == 401
        # RFC 6750, 3: a scheme with at least one parameter, and `error` only if a key was shown
        wrong = shown.lower().startswith("bearer ") and shown.split(" ", 1)[1].strip()
        told = 'Bearer realm="gate"' + (', error="invalid_token"' if wrong else "")
        assert response.headers["www-authenticate"] == told


async def test_the_scheme_is_read_in_any_case(world: World, question: Question) -> None:
    response = await world.http.post(
        PATH, json=question("8"), headers={"authorization": f"bEARER {world.mailer}"}
    )
    assert response.status_code == 200


@pytest.mark.parametrize("status", [200, 400, 401, 404, 405])
async def test_the_request_id_comes_back(world: World, question: Question, status: int) -> None:
    method, path, body, key = {
        200: ("POST", PATH, question("8"), world.mailer),
        400: ("POST", PATH, {}, world.mailer),
        401: ("POST", PATH, question("8"), "x"),
        404: ("POST", "/access/v1/search/subject", {}, world.mailer),
        405: ("GET", PATH, {}, world.mailer),
    }[status]
    headers = {"authorization": f"Bearer {key}", "x-request-id": "bfe9eb29-ab87"}
    response = await world.http.request(method, path, json=body, headers=headers)
    assert (response.status_code, response.headers["x-request-id"]) == (status, "bfe9eb29-ab87")


async def test_no_request_id_is_made_up(world: World, question: Question) -> None:
    assert "x-request-id" not in (await world.post(PATH, question("8"))).headers


async def test_discovery(world: World) -> None:
    response = await world.http.get("/.well-known/authzen-configuration")
    assert response.status_code == 200
    assert response.json() == {
        "policy_decision_point": "http://gate.test",
        "access_evaluation_endpoint": "http://gate.test/access/v1/evaluation",
        "access_evaluations_endpoint": "http://gate.test/access/v1/evaluations",
    }


async def test_a_disabled_caller_and_a_table_that_cannot_be_read(
    world: World, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OSError

    monkeypatch.setattr(world.database, "read", away)
    response = await world.post(PATH, question("8"))
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


async def test_what_is_asked_over_http_is_counted(world: World, question: Question) -> None:
    for _ in range(3):
        await world.post(PATH, question())
    await world.gate.flush()
    async with world.database.read() as session:
        row = (await session.exec(select(GateUse))).one()
    assert (row.caller, row.subject_id, row.field, row.denials) == ("mailer", "7", "email", 3)


@pytest.mark.parametrize(
    ("mounts", "base"), [(("/access", "/.well-known"), ""), (("/gate",), "/gate"), (("/",), "")]
)
async def test_it_can_be_mounted(
    world: World, question: Question, mounts: tuple[str, ...], base: str
) -> None:
    gate = create_gate_app(world.gate)
    app = Starlette(routes=[Mount(path, app=gate) for path in mounts])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as http:
        found = (await http.get(f"{base}/.well-known/authzen-configuration")).json()
        assert found["access_evaluation_endpoint"] == f"http://desk.test{base}{PATH}"
        headers = {"authorization": f"Bearer {world.mailer}"}
        where = found["access_evaluation_endpoint"]
        response = await http.post(where, json=question("8"), headers=headers)
    assert response.json()["decision"] is True


async def test_served_alone_it_starts_and_stops(world: World) -> None:
    asked = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    said: list[str] = []

    async def receive() -> MutableMapping[str, Any]:
        return next(asked)

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message["type"])

    await create_gate_app(world.gate)({"type": "lifespan"}, receive, send)
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_who_goes_away_in_the_middle_gets_no_answer(world: World) -> None:
    said: list[object] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    headers = [
        (b"authorization", f"Bearer {world.mailer}".encode()),
        (b"content-type", b"application/json"),
    ]
    scope = {"type": "http", "method": "POST", "path": PATH, "headers": headers}
    await create_gate_app(world.gate)(scope, receive, send)
    assert said == []
