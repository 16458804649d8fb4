"""Every spelling of a resident number goes; other numbers stay."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subjectline.models.masking import MASK, has_resident_number, mask_resident_numbers

SPELLINGS = [
    "910203-1234567",
    "910203 - 1234567",
    "910203 1234567",
    "9102031234567",
    "910203–1234567",
    "910203—1234567",
    "910203−1234567",
    "910203ㅡ1234567",
    "910203ー1234567",
    "910203~1234567",
    "910203.1234567",
    "910203/1234567",
    "910203_1234567",
    "910203--1234567",
    "910203\u00a01234567",
    "910203\u3000-\u30001234567",
    "９１０２０３－１２３４５６７",
    "９１０２０３-1234567",
    "⑨①0203-1234567",
    "9 1 0 2 0 3 - 1 2 3 4 5 6 7",
    "9 1 0 2 0 3 1 2 3 4 5 6 7",
    "９ １ ０ ２ ０ ３ － １ ２ ３ ４ ５ ６ ７",
    "910203 - 1 2 3 4 5 6 7",
    "91.02.03-1234567",
    "91-02-03-1234567",
    "91/02/03 - 1234567",
    "910203-1 234567",
    "910203-1-234567",
    "910203)-(1234567",
    "910203 뒷자리 1234567",
    "910203, 뒷자리는 1234567",
    "910203이고 뒷번호는 1234567",
    "91\u200b0203-12\u200b34567",
    "910203-\n1234567",
    "910203-\n> 1234567",
    "910203\n-1234567",
    "000229-3234567",
    "030101-4999999",
    "850615-5123456",
    "850615-8123456",
    "910203 | 1234567",
]

OTHERS = [
    "010-0000-1234",
    "01000001234",
    "+82 10 0000 1234",
    "02-000-1234",
    "2026-05-12",
    "20260512-0001234",
    "20260512-1234567",
    "240512-0001234",  # begins with 0: an order number
    "241312-1234567",  # month 13
    "240231-1234567",  # 31 February
    "240500-1234567",  # day 0
    "110-123-456789",
    "123456-01-123456",
    "3333-01-1234567",
    "1234-5678-9012-3456",
    "910203-12345678",
    "910203-123456",
    "1910203-1234567",
    "1700000000000",
    "9791234567890",
    "2026-05-12 15:04:05",
    "240512\n1234567",
    "910203",
    "SL-7K2M9QXC4",
]


@pytest.mark.parametrize("number", SPELLINGS)
@pytest.mark.parametrize("frame", ["{}", "제 주민등록번호는 {}입니다.", "No. {}, thanks", "3 ({})"])
def test_every_spelling_is_masked(number: str, frame: str) -> None:
    masked, found = mask_resident_numbers(frame.format(number))
    assert (masked, found) == (frame.format(MASK), True)


@pytest.mark.parametrize("number", OTHERS)
@pytest.mark.parametrize("frame", ["{}", "번호는 {}입니다.", "Order {} of May"])
def test_other_numbers_stay(number: str, frame: str) -> None:
    text = frame.format(number)
    assert mask_resident_numbers(text) == (text, False)


def test_two_numbers_and_a_phone_beside_them() -> None:
    masked, _ = mask_resident_numbers("910203-1234567 / 920304-2345678 / 010-0000-1234")
    assert masked == f"{MASK} / {MASK} / 010-0000-1234"


def test_a_number_behind_other_spaced_digits_is_found() -> None:
    assert "7" not in mask_resident_numbers("4 4 9 1 0 2 0 3 1 2 3 4 5 6 7")[0]


@given(st.text(alphabet="0123456789 -–.\n뒷자리가①９\u200b", max_size=300))
def test_masking_is_idempotent(text: str) -> None:
    masked, _ = mask_resident_numbers(text)
    assert not has_resident_number(masked)


@pytest.mark.parametrize(
    "seed", ["1", "1 ", "91.", "910203", "910203-", "1\u200b", "910203 뒷 ", "1\n"]
)
def test_hostile_length_is_linear(seed: str) -> None:
    started = time.process_time()
    mask_resident_numbers(seed * (200_000 // len(seed)))
    assert time.process_time() - started < 2
