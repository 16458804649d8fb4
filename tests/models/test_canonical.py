"""One id, one spelling."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subjectline.models.canonical import member_id
from subjectline.models.datamap import Retention
from subjectline.models.errors import NotCanonical


@pytest.mark.parametrize(
    ("member", "form", "fold", "canonical"),
    [
        (1001, "integer", False, "1001"),
        (" 1001 ", "integer", False, "1001"),
        (0, "integer", False, "0"),
        (UUID(int=10), "uuid", False, "00000000-0000-0000-0000-00000000000a"),
        ("00000000-0000-0000-0000-00000000000A", "uuid", False, str(UUID(int=10))),
        ("Cafe\u0301", "text", False, "Caf\u00e9"),
        (" Ab ", "text", False, "Ab"),
        ("STRASSE ß", "text", True, "strasse ss"),
    ],
)
def test_the_one_spelling(member: object, form: str, fold: bool, canonical: str) -> None:
    assert member_id(member, form, fold=fold) == canonical


@pytest.mark.parametrize(
    ("member", "form"),
    [
        ("01001", "integer"),
        ("1001.0", "integer"),
        ("１００１", "integer"),
        ("1 001", "integer"),
        (1001.0, "integer"),
        (True, "integer"),
        (None, "text"),
        ("", "text"),
        ("a\x00", "text"),
        ("1001", "uuid"),
    ],
)
def test_what_is_no_id_is_refused(member: object, form: str) -> None:
    with pytest.raises(NotCanonical):
        member_id(member, form)


@given(st.text(max_size=20), st.booleans())
def test_the_spelling_is_its_own_spelling(text: str, fold: bool) -> None:
    try:
        once = member_id(text, "text", fold=fold)
    except NotCanonical:
        return
    assert member_id(once, "text", fold=fold) == once


@pytest.mark.parametrize(
    ("period", "start", "last"),
    [
        ("5 years", date(2024, 2, 29), date(2029, 2, 28)),
        ("1 month", date(2026, 1, 31), date(2026, 2, 28)),
        ("3 months", date(2026, 11, 23), date(2027, 2, 23)),
        ("6 months", date(2026, 8, 31), date(2027, 2, 28)),
        ("30 days", date(2026, 12, 15), date(2027, 1, 14)),
    ],
)
def test_a_period_ends_on_its_last_day(period: str, start: date, last: date) -> None:
    words = {"ko": "기록", "en": "records"}
    kept = Retention.model_validate({"labels": words, "period": period}).period
    assert kept is not None and kept.after(start) == last


def test_a_period_is_told_in_both_languages() -> None:
    raw = {"labels": {"ko": "기록", "en": "records"}, "period": "1 month"}
    kept = Retention.model_validate(raw).period
    assert kept is not None
    assert (kept.text("ko"), kept.text("en")) == ("1개월", "1 month")
