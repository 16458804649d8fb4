"""AuthZEN 1.0, many decisions in one request."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from subjectline.models.tables import GateUse

World = Any  # of conftest.py
Question = Callable[..., dict[str, Any]]
PATH = "/access/v1/evaluations"


def _member(number: str, field: str = "email") -> dict[str, Any]:
    return {"resource": {"type": "member", "id": number, "properties": {"fields": [field]}}}


def _batch(question: Question, *items: object, semantic: str = "") -> dict[str, Any]:
    asked = {**question("8"), "evaluations": list(items)}
    return {**asked, "options": {"evaluations_semantic": semantic}} if semantic else asked


async def _decisions(world: World, body: dict[str, Any]) -> list[bool]:
    response = await world.post(PATH, body)
    assert response.status_code == 200
    assert response.json().keys() == {"evaluations"}
    return [answer["decision"] for answer in response.json()["evaluations"]]


async def test_answers_come_in_order(world: World, question: Question) -> None:
    body = _batch(question, _member("8"), _member("7"), _member("7", "nickname"))
    assert await _decisions(world, body) == [True, False, True]


async def test_complete_items_need_no_defaults(world: World, question: Question) -> None:
    assert await _decisions(world, {"evaluations": [question("8"), question("7")]}) == [True, False]


@pytest.mark.parametrize(
    ("semantic", "answers"),
    [
        ("", [True, False, True, False]),
        ("execute_all", [True, False, True, False]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
async def test_semantics(
    world: World, question: Question, semantic: str, answers: list[bool]
) -> None:
    items = [_member(number) for number in "8797"]
    assert await _decisions(world, _batch(question, *items, semantic=semantic)) == answers


async def test_permit_on_first_permit_passes_over_denials(world: World, question: Question) -> None:
    items = [_member(number) for number in "7789"]
    body = _batch(question, *items, semantic="permit_on_first_permit")
    assert await _decisions(world, body) == [False, False, True]


async def test_an_item_replaces_a_default_whole(world: World, question: Question) -> None:
    bare = {"resource": {"type": "member", "id": "8"}}  # the default's fields do not shine through
    response = await world.post(PATH, _batch(question, {}, bare))
    first, second = response.json()["evaluations"]
    assert first["decision"] is True
    assert second["context"]["reason"] == "missing_fields"


async def test_a_context_is_a_default_too(world: World, question: Question) -> None:
    body = {**question("8", at_least_revision=99), "evaluations": [{}, {"context": {}}]}
    assert await _decisions(world, body) == [False, True]


async def test_a_permit_of_one_item_is_none_for_another(world: World, question: Question) -> None:
    """Free members share an answer only where all that was asked is the same."""
    token, alone = {"context": {"at_least_revision": 9}}, _member("8")
    other = {"subject": {"type": "system", "id": "buyer"}}
    unknown = _member("8", "shoe size")
    items = [alone, alone | token, alone, alone | other, unknown, _member("08"), _member("9")]
    body = _batch(question, *items)
    assert await _decisions(world, body) == [True, False, True, False, False, False, True]


@pytest.mark.parametrize("caller", ["buyer", "", "desk"])
async def test_defaults_that_name_another_caller_ask_for_nobody(
    world: World, question: Question, caller: str
) -> None:
    body = {**question("8", caller=caller), "evaluations": [_member("8"), {}]}
    assert await _decisions(world, body) == [False, False]


@pytest.mark.parametrize(
    "item",
    [
        5, None, [], "x", {"subject": None}, {"action": {}}, {"action": {"name": 1}},
        {"resource": {"type": "member"}}, {"context": []},
        {"resource": {"type": "member", "id": "8", "properties": {"fields": "email"}}},
    ],
)  # fmt: skip
async def test_a_bad_item_is_denied_and_the_others_are_answered(
    world: World, question: Question, item: object
) -> None:
    response = await world.post(PATH, _batch(question, {}, item, {}))
    assert response.status_code == 200
    before, bad, after = response.json()["evaluations"]
    assert (before["decision"], after["decision"]) == (True, True)
    assert bad["decision"] is False
    assert bad["context"]["reason"] == "bad_request"
    assert bad["context"]["error"]["status"] == 400


async def test_a_bad_item_counts_as_a_denial(world: World, question: Question) -> None:
    body = _batch(question, {}, 5, {}, semantic="deny_on_first_deny")
    assert await _decisions(world, body) == [True, False]


async def test_without_defaults_an_incomplete_item_is_bad(world: World, question: Question) -> None:
    assert await _decisions(world, {"evaluations": [_member("8"), question("8")]}) == [False, True]


@pytest.mark.parametrize("extra", [{}, {"evaluations": []}])
async def test_without_evaluations_it_is_one_decision(
    world: World, question: Question, extra: dict[str, Any]
) -> None:
    response = await world.post(PATH, {**question("8"), **extra})
    assert response.status_code == 200
    assert response.json()["decision"] is True
    assert "evaluations" not in response.json()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"evaluations": []},
        {"evaluations": {}},
        {"evaluations": None},
        {"evaluations": "x"},
        {"evaluations": [{}], "subject": "mailer"},
        {"evaluations": [{}], "context": []},
        {"evaluations": [{}], "options": []},
        {"evaluations": [{}], "options": {"evaluations_semantic": "maybe"}},
        {"evaluations": [{}], "options": {"evaluations_semantic": None}},
    ],
)
async def test_what_is_wrong_outside_of_the_items_is_400(
    world: World, body: dict[str, Any]
) -> None:
    assert (await world.post(PATH, body)).status_code == 400


async def test_unknown_options_are_ignored(world: World, question: Question) -> None:
    body = {**_batch(question, {}), "options": {"another": "value"}}
    assert await _decisions(world, body) == [True]


async def test_too_many_items_are_400(world: World, question: Question) -> None:
    assert (await world.post(PATH, _batch(question, *[{}] * 10_001))).status_code == 400


async def test_too_many_fields_are_no_question(world: World, question: Question) -> None:
    many = {"resource": {**_member("7")["resource"], "properties": {"fields": ["email"] * 257}}}
    assert await _decisions(world, _batch(question, {}, many)) == [True, False]
    for path in (PATH, "/access/v1/evaluation"):
        asked = {**question("8"), **many}
        response = await world.post(path, {**asked, "evaluations": [{}] * 2})
        assert response.status_code == 400
        assert "decision" not in response.text


async def test_each_item_is_counted(world: World, question: Question) -> None:
    await world.post(PATH, _batch(question, *(_member("7") for _ in range(14))))
    await world.gate.flush()
    async with world.database.read() as session:
        row = (await session.exec(select(GateUse))).one()
    assert (row.subject_id, row.permits, row.denials) == ("7", 0, 14)
