"""A body that is read in one go is read as the long way reads it, or not at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subjectline.intake import authzen
from subjectline.intake.authzen import Batch, Question
from subjectline.models.errors import BadInput

WORDS = st.sampled_from(["mailer", "marketing", "a:b", "", "회원", 'quo"te', "7"])
MAYBE = st.none() | WORDS
SUBJECT = st.fixed_dictionaries(
    {"type": WORDS, "id": WORDS}, optional={"properties": st.dictionaries(WORDS, WORDS)}
)
ACTION = st.fixed_dictionaries({"name": WORDS}, optional={"properties": st.just({"x": {"y": 1}})})
FIELDS = st.fixed_dictionaries({}, optional={"fields": st.lists(WORDS, max_size=3), "more": WORDS})
RESOURCE = st.fixed_dictionaries(
    {"type": st.sampled_from(["member", "record"]), "id": WORDS | st.integers()},
    optional={"properties": FIELDS},
)
CONTEXT = st.fixed_dictionaries(
    {}, optional={"recipient": MAYBE, "at_least_revision": st.integers(-1, 9), "ip": WORDS}
)
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "subject": SUBJECT,
    "action": ACTION,
    "resource": RESOURCE,
    "context": CONTEXT,
}
ITEM = st.fixed_dictionaries({}, optional=PARTS)
SEMANTICS = st.sampled_from([*authzen.STOPS_AT, "another"])
OPTIONS = st.fixed_dictionaries({}, optional={"evaluations_semantic": SEMANTICS})
BODY = st.fixed_dictionaries(
    {}, optional=PARTS | {"evaluations": st.lists(ITEM, max_size=4), "options": OPTIONS}
)


def meant(found: Question | Batch) -> list[object]:
    """All that an answer is made from."""
    if isinstance(found, Question):
        return [found, authzen.asked(found, "mailer")]
    told = [str(q) if isinstance(q, BadInput) else q for q in authzen.questions(found)]
    return [told, authzen.asks(found, "mailer"), found.options]


@given(BODY, st.booleans(), st.booleans())
def test_both_ways_read_the_same(body: dict[str, Any], batch: bool, ascii_only: bool) -> None:
    written = json.dumps(body, ensure_ascii=ascii_only).encode()
    short = authzen.plain(written, batch)
    if short is not None:
        assert meant(short) == meant(authzen.read_long(written, batch))


@given(BODY, st.sampled_from(["subject", "action", "resource", "context", "evaluations", "x"]))
def test_a_key_that_stands_twice_is_never_read_in_one_go(body: dict[str, Any], key: str) -> None:
    once = json.dumps({key: body.get(key)}, ensure_ascii=False)[1:-1]
    for rest in (body, {key: body.get(key)} | body):
        inside = json.dumps(rest, ensure_ascii=False)[1:-1]
        written = f"{{{once}, {inside}}}" if key in rest else f"{{{once}, {once}}}"
        assert authzen.plain(written.encode(), batch=True) is None
        assert authzen.plain(written.encode(), batch=False) is None


@pytest.mark.parametrize("batch", [False, True])
def test_what_nearly_all_ask_is_read_in_one_go(batch: bool) -> None:
    """Or the short way would never be taken, and nobody would notice."""
    member = {"type": "member", "id": "7", "properties": {"fields": ["email"]}}
    shared = {"subject": {"type": "system", "id": "mailer"}, "action": {"name": "marketing"}}
    rest = {"evaluations": [{"resource": member}] * 2} if batch else {"resource": member}
    found = authzen.plain(json.dumps(shared | rest).encode(), batch)
    assert isinstance(found, authzen.Sound if batch else Question)
