"""Validators: one canonical value, refusals with a reason, and nothing changes twice."""

from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subjectline.models.errors import BadValue
from subjectline.models.reasons import REASONS, reason_text
from subjectline.models.validators import Kind, Option, Validator

GENDER = {
    "female": Option(ko="여성", en="female", words=("여자",)),
    "male": Option(ko="남성", en="male"),
}


def validator(kind: Any) -> Validator:
    return Validator(kind=kind, options=GENDER if kind == "enum" else {})


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("phone_kr", "010-0000-1234", "+821000001234"),
        ("phone_kr", "０１０ ００００ １２３４", "+821000001234"),
        ("phone_kr", "010.0000.1234", "+821000001234"),
        ("phone_kr", "+82 10 0000 1234", "+821000001234"),
        ("phone_kr", "+82 (0)10–0000–1234", "+821000001234"),
        ("phone_kr", "0082-10-0000-1234", "+821000001234"),
        ("phone_kr", "011-000-1234", "+82110001234"),
        ("email", " Haneul.Kim@Mail.TEST ", "haneul.kim@mail.test"),
        ("email", "<a+b@mail.test>", "a+b@mail.test"),
        ("birth_date", "1991년 3월 2일", "1991-03-02"),
        ("birth_date", "1991. 3. 2.", "1991-03-02"),
        ("birth_date", "19910302", "1991-03-02"),
        ("birth_date", "March 2, 1991", "1991-03-02"),
        ("birth_date", "2nd of Mar 1991", "1991-03-02"),
        ("birth_date", "25/12/1991", "1991-12-25"),
        ("birth_date", "05.05.1991", "1991-05-05"),
        ("birth_date", "2000-02-29", "2000-02-29"),
        ("date", "12 May 1880", "1880-05-12"),
        ("name", "  Seán   O'Malley ", "Seán O'Malley"),
        ("name", "남궁 솔", "남궁 솔"),
        ("enum", "여자", "female"),
        ("enum", "Male", "male"),
        ("instagram_id", "@Haneul.Film", "haneul.film"),
        ("instagram_id", "https://www.instagram.com/haneul.film/?igsh=1", "haneul.film"),
        ("facebook_id", "facebook.com/dana.frames", "dana.frames"),
        ("kakao_id", "Talk1001", "talk1001"),
        ("account_number", "000-123-456789", "000123456789"),
        ("bank_name", "카카오뱅크", "카카오뱅크"),
        ("address", "서울특별시  보기구 견본로 7", "서울특별시 보기구 견본로 7"),
        ("text", " a\n b ", "a b"),
        ("nickname", "하늘 필름", "하늘 필름"),
    ],
)
def test_the_canonical_value(kind: str, text: str, value: str) -> None:
    assert validator(kind).normalise("f", text) == value
    assert validator(kind).normalise("f", value) == value


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("phone_kr", "", "empty"),
        ("phone_kr", "010-0000-12B4", "phone_letters"),
        ("phone_kr", "010-0000-123", "phone_length"),
        ("phone_kr", "02-000-1234", "phone_prefix"),
        ("phone_kr", "+44 20 7946 0000", "phone_foreign"),
        ("email", "haneul.kim", "email_form"),
        ("email", "a@b", "email_form"),
        ("email", "a b@mail.test", "email_form"),
        ("email", "a..b@mail.test", "email_form"),
        ("email", "a@mail.test, b@mail.test", "email_form"),
        ("birth_date", "31 February 1991", "date_impossible"),
        ("birth_date", "1991년 2월 31일", "date_impossible"),
        ("birth_date", "1900-02-29", "date_impossible"),
        ("birth_date", "1991-13-01", "date_impossible"),
        ("birth_date", "03/02/1991", "date_ambiguous"),
        ("birth_date", "91년 3월 2일", "date_year"),
        ("birth_date", "910302", "date_year"),
        ("birth_date", "last May", "date_form"),
        ("birth_date", "1850-01-01", "date_too_old"),
        ("name", "R2-D2", "name_characters"),
        ("name", "-", "name_characters"),
        ("name", "a" * 61, "too_long"),
        ("enum", "maybe", "not_an_option"),
        ("instagram_id", "a..b", "instagram_form"),
        ("instagram_id", "하늘", "instagram_form"),
        ("kakao_id", "abc", "kakao_form"),
        ("facebook_id", "a b c d e", "facebook_form"),
        ("account_number", "12345", "account_length"),
        ("account_number", "12345678x0", "account_letters"),
        ("bank_name", "<b>", "bank_name_form"),
        ("address", "7", "address_short"),
        ("text", "", "empty"),
        ("text", "a\u200bb", "control_characters"),
        ("nickname", "<script>", "nickname_characters"),
    ],
)
def test_a_bad_value_is_refused_with_its_reason(kind: str, text: str, reason: str) -> None:
    with pytest.raises(BadValue) as told:
        validator(kind).normalise("the_field", text)
    assert (told.value.field, told.value.reason) == ("the_field", reason)
    assert reason in REASONS


def test_a_birth_date_is_not_tomorrow() -> None:
    field = validator("birth_date")
    assert field.normalise("f", "2026-11-23", date(2026, 11, 23)) == "2026-11-23"
    with pytest.raises(BadValue, match="future"):
        field.normalise("f", "2026-11-24", date(2026, 11, 23))


@pytest.mark.parametrize("kind", get_args(Kind))
@given(text=st.text(max_size=40) | st.from_regex(r"[0-9a-zA-Z .+@/-]{0,24}", fullmatch=True))
def test_whatever_comes_is_taken_once_or_refused(kind: str, text: str) -> None:
    try:
        value = validator(kind).normalise("f", text)
    except BadValue as refused:
        assert refused.reason in REASONS
        return
    assert validator(kind).normalise("f", value) == value
    assert "\n" not in value


@given(st.integers(0, 99_999_999))
def test_every_mobile_number_reads_back(number: int) -> None:
    field, text = validator("phone_kr"), f"010{number:08d}"
    value = field.normalise("f", text)
    for spelled in (*field.spellings(value), field.display(value, "ko")):
        assert field.normalise("f", spelled) == value


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from(["ko", "en"]))
def test_every_date_reads_back(day: date, language: str) -> None:
    field = validator("birth_date")
    shown = field.display(day.isoformat(), language)
    assert field.normalise("f", shown) == day.isoformat()


def test_an_enum_is_shown_in_the_members_language() -> None:
    assert validator("enum").display("female", "ko") == "여성"
    assert validator("enum").display("female", "en") == "female"


def test_an_enum_needs_options_and_nothing_else_has_them() -> None:
    with pytest.raises(ValueError, match="options"):
        Validator(kind="enum")
    with pytest.raises(ValueError, match="options"):
        Validator(kind="text", options=GENDER)


def test_reasons_are_told_in_both_languages() -> None:
    for reason, words in REASONS.items():
        assert set(words) == {"ko", "en"}
        assert words["ko"].rstrip().endswith(("다.", "com", "02")), reason
    assert reason_text("never heard of", "ko")
