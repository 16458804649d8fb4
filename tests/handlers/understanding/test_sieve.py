"""The cheap look before the rules: it may let too much through, and never too little."""

import re
from random import Random
from typing import Any

import pytest

from subjectline.handlers.understanding.clauses import clean, sentences
from subjectline.handlers.understanding.language import language_of
from subjectline.handlers.understanding.needs import WHOLE, needs
from subjectline.handlers.understanding.sieve import HANGUL, LATIN, Sieve

TEXTS = 1_500


def _lost(sieve: Sieve, text: str, look: int) -> list[str]:
    """The patterns that fit a text although the look at it says that they cannot."""
    barred = (one for one in sieve.patterns if not look & sieve.add(one))
    return [one.pattern for one in barred if one.search(text)]


def test_a_look_lets_through_whatever_fits(dev_set: list[dict[str, Any]]) -> None:
    lost = []
    for row in dev_set:
        for one in sentences(clean(row["text"]), language_of(row["text"])):
            sieve = HANGUL if one.korean else LATIN
            lost += _lost(sieve, one.whole, one.may) + _lost(sieve, one.text, one.may_as_written)
    assert lost == []


@pytest.mark.parametrize("sieve", [LATIN, HANGUL], ids=["latin", "hangul"])
def test_a_look_at_their_own_words_in_any_order_loses_nothing(sieve: Sieve) -> None:
    chance, tight = Random(3), sieve is HANGUL
    pieces = {piece for one in sieve.patterns for some in needs(one, tight=tight) for piece in some}
    words = sorted(piece.rstrip(WHOLE) for piece in pieces)
    for _ in range(TEXTS):
        text = ("" if tight else chance.choice(" -',")).join(chance.choices(words, k=6))
        assert _lost(sieve, text, sieve.look(text)) == []


@pytest.mark.parametrize(
    ("pattern", "sets"),
    [
        (r"\b(?:clos(?:e|ing)|end)\b.{0,9}\bmy", [{"clos", f"end{WHOLE}"}, {"my"}]),
        (r"\bthird[- ]?part", [{"third part", "third-part", "thirdpart"}]),
        (r"\b(?:un)?safe", []),
        (r"n't\b", []),
        (r"\bno .{2}|\d", []),
        (r"(?!\bnot)\bI\b", [{f"i{WHOLE}"}]),
    ],
)
def test_what_a_pattern_needs_is_read_off_it(pattern: str, sets: list[set[str]]) -> None:
    assert [set(one) for one in needs(re.compile(pattern), tight=False)] == sets


@pytest.mark.parametrize(
    ("pattern", "sets"),
    [
        ("탈퇴|회원.{0,3}해지", [{"탈퇴", "회원"}, {"탈퇴", "해지"}]),
        (r"(?:내|제)\s?정보", [{"정보"}, {"내", "제"}]),
        ("삭제?", [{"삭", "삭제"}]),
        ("(?<!안)받", [{"받"}]),
    ],
)
def test_without_spaces_pieces_stand_anywhere(pattern: str, sets: list[set[str]]) -> None:
    assert [set(one) for one in needs(re.compile(pattern), tight=True)] == sets


def test_letters_that_case_folds_to_ascii_are_seen() -> None:
    sieve = Sieve(tight=False)
    bit = sieve.add(re.compile(r"\bship|\bkit", re.IGNORECASE))
    assert all(
        sieve.look(text) & bit for text in ("SHIP", "\u017fhip", "sh\u0131p", "\u212a\u0130T")
    )
    assert not sieve.look("hip starship") & bit
