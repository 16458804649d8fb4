"""What is kept as short English records is read in Korean by Korean agents."""

import re
from datetime import UTC, datetime

import pytest

from subjectline.handlers.deadlines import due, extended
from subjectline.intake import telling
from subjectline.intake.web import catalogue

WORDS = catalogue("console")
LATIN = re.compile(r"[A-Za-z]{3,}")


def _korean(text: str) -> bool:
    return not LATIN.search(re.sub(r"Asia/Seoul|DMARC|DKIM|From|DNS", "", text))


@pytest.mark.parametrize("kind", ["access", "correction", "marketing_withdrawal", "erasure"])
@pytest.mark.parametrize("day", [(2026, 11, 23), (2026, 9, 14), (2026, 2, 6), (2026, 4, 21)])
def test_a_derivation_is_korean_whole(kind: str, day: tuple[int, int, int]) -> None:
    found = due("kr-pipa", kind, datetime(*day, 1, 0, tzinfo=UTC))
    lines = telling.derivation(WORDS, "ko", found.derivation, "kr-pipa")
    assert len(lines) == 4 and all(map(_korean, lines)), lines
    assert found.date.isoformat() in " ".join(lines)
    english = telling.derivation(WORDS, "en", found.derivation, "kr-pipa")
    assert english[0].startswith("It arrived on ")


def test_an_extension_and_a_holiday_have_their_names() -> None:
    found = due("kr-pipa", "access", datetime(2026, 9, 14, 1, 0, tzinfo=UTC))
    told = " ".join(telling.derivation(WORDS, "ko", found.derivation, "kr-pipa"))
    assert "공휴일(추석)" in told and "일요일" in told
    longer = extended("eu-gdpr", "access", datetime(2026, 9, 14, 1, 0, tzinfo=UTC))
    assert "개월" in telling.derivation(WORDS, "ko", longer.derivation, "eu-gdpr")[1]


def test_a_line_that_nobody_knows_stays() -> None:
    assert telling.derivation(WORDS, "ko", ["by hand"], "no-such-law") == ("by hand",)


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("DMARC passed for the domain of From", "통과했습니다"),
        ("our own check: the DNS did not answer", "직접 확인하지 못했습니다"),
        ("something new", "보낸 사람을 확인하지 못했습니다"),
    ],
)
def test_a_mail_verdict_in_words(told: str, wanted: str) -> None:
    said = telling.why(WORDS, "ko", "mailwhy", told)
    assert wanted in said and _korean(said)


@pytest.mark.parametrize("told", ["RecursionError", "no text can be read from the bytes", ""])
def test_a_dead_letter_has_a_reason_for_people(told: str) -> None:
    said = telling.why(WORDS, "ko", "dead.why", told)
    assert _korean(said) and said.endswith(("습니다.", "주세요."))


def test_what_stays_has_its_number() -> None:
    assert telling.why(WORDS, "ko", "keptwhy", "legal hold: 3") == "파기 보류 3건"
    assert telling.why(WORDS, "en", "keptwhy", "odd: 2") == "another reason: 2"
    away = "the company's database cannot be used now (timeout)"
    assert "연결하지 못했습니다" in telling.why(WORDS, "ko", "trouble", away)


def test_no_page_asks_with_another_politeness() -> None:
    assert not [key for key, both in WORDS.items() if "주십시오" in both["ko"]]
