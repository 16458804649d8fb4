"""Hostile and broken input: read in linear time, never an error, nothing of it in the reasons."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subjectline.handlers.understanding import (
    Understanding,
    default_vocabulary,
    language_of,
    read_answer,
    rights_en,
    rights_ko,
    understand,
)
from subjectline.handlers.understanding.clauses import CAP, clean, sentences

Read = Callable[[str], Understanding]

HOSTILE = [
    "a" * 200_000,
    "주소 " * 60_000,
    "주소를 바꿔 주세요 " * 9_000,
    "please change my address to " * 7_000,
    "1" * 100_000,
    "1 " * 100_000,
    "0100000" * 20_000,
    "@" * 50_000,
    "a@" * 50_000,
    '"' * 50_000,
    "아" * 50_000 + "로 바꿔",
    "don't " * 30_000,
    "정보 뭐 " * 30_000,
    "광고" * 50_000,
    "\n" * 100_000,
    ". " * 50_000,
    "not my data " * 10_000,
    "동의 철회 제3자 마케팅 정보 " * 5_000,
    " " * 100_000,
    "sent from " * 10_000,
    "> a\n" * 20_000,
    "change my name to a " * 5_000,
]
QUADRATIC, ROUNDS = (
    16,
    3,
)  # what four times the length costs where each letter is looked at with each


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_the_cost_grows_with_the_length_and_no_faster(read: Read, text: str) -> None:
    """On whatever machine: the whole against its first quarter, again where a round was disturbed."""
    assert any(_growth(read, text) < 0.75 * QUADRATIC for _ in range(ROUNDS))


def _growth(read: Read, text: str) -> float:
    quarter = _cost(read, text[: CAP // 4])
    return _cost(read, text[:CAP]) / quarter


def _cost(read: Read, text: str) -> float:
    start = time.process_time()
    read(text)
    read_answer(text)
    return time.process_time() - start


def test_what_lies_beyond_the_cap_is_ignored_and_said(read: Read) -> None:
    got = read("안녕하세요. " * 3_000 + "탈퇴할게요")
    assert got.decision == "none"
    assert "only the first 20000 characters were read" in got.reasons


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gives_an_answer(text: str) -> None:
    got = understand(text, default_vocabulary())
    assert (got.decision == "none") == (not got.wishes)
    assert language_of(text) in ("ko", "en")
    read_answer(text)


def test_reasons_hold_no_word_of_the_person(read: Read) -> None:
    got = read("제 전화번호를 010-0000-9876으로, 이름을 남궁민수로 바꿔주세요")
    assert got.wishes
    assert not any("9876" in r or "남궁" in r for r in got.reasons)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("안녕하세요", "ko"),
        ("email을 new@x.test로 update 해주세요", "ko"),
        ("Please change my shipping address to 서울특별시 강남구 테헤란로 10", "en"),
        ("hello", "en"),
        ("unsubscribe", "en"),
        ("", "ko"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_the_cheap_look_loses_no_right(dev_set: list[dict[str, Any]]) -> None:
    """`NAMED` only spares work: wherever a rule fits, one of its words stands."""
    missed = []
    for row in dev_set:
        for sentence in sentences(clean(row["text"]), language_of(row["text"])):
            for clause in sentence.clauses:
                text = clause.tight if sentence.korean else clause.text
                fits = _fits_ko(text) if sentence.korean else _fits_en(text)
                named = rights_ko.NAMED if sentence.korean else rights_en.NAMED
                if fits and not named.search(text):
                    missed.append(row["id"])
    assert missed == []


def _fits_ko(text: str) -> bool:
    rules = (r for r in rights_ko.RULES if r.action.search(text))
    return any(r.topic is None or r.topic.search(text) for r in rules)


def _fits_en(text: str) -> bool:
    return any(rule.pattern.search(text) for rule in rights_en.RULES)
