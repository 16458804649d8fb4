"""Short answers to our own questions."""

import pytest

from subjectline.handlers.understanding import read_answer


@pytest.mark.parametrize(
    "text",
    [
        "네",
        "넵!",
        "예",
        "네 맞아요",
        "맞습니다",
        "ㅇㅇ",
        "yes please",
        "Yes, that's right.",
        "OK",
        "네\n\n> 맞습니까?",
    ],
)
def test_yes(text: str) -> None:
    assert read_answer(text).yes is True


@pytest.mark.parametrize(
    "text",
    [
        "아니요",
        "아뇨 아닙니다",
        "no",
        "No, thanks",
        "cancel",
        "취소할게요",
        "don't",
        "괜찮아요",
        "ㄴㄴ",
    ],
)
def test_no(text: str) -> None:
    assert read_answer(text).yes is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "음",
        "네 근데 아직 하지 마세요",
        "yes but wait",
        "예전 주소예요",
        "네이버 메일이에요",
        "not sure",
        "언제 되나요?",
        "네" * 300,
    ],
)
def test_neither(text: str) -> None:
    assert read_answer(text).yes is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123456", "123456"),
        ("인증번호는 123 456 입니다", "123456"),
        ("１２３４５６", "123456"),
        ("1 2 3 4 5 6", "123456"),
        ("My code is 123-456, thanks", "123456"),
        ("네 654321이에요", "654321"),
        ("010-0000-1234", None),
        ("1234567", None),
        ("12345", None),
        ("123456 또는 654321", None),
        ("123456\n> 코드: 999999", "123456"),
    ],
)
def test_code(text: str, code: str | None) -> None:
    assert read_answer(text).code == code


@pytest.mark.parametrize("text", ["SL-9A123456", "(SL-A123456B) 문의드립니다", "SL-123456ZX"])
def test_a_reference_is_no_code(text: str) -> None:
    assert read_answer(text).code is None
