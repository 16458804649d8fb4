"""Passports, licences and cards in passing; marks of machines shaped like a resident number."""

import logging
import sys

import pytest

from subjectline.intake.discreet import Discreet
from subjectline.models.masking import HIDDEN, MASK, mark_has_resident_number, mask_identifying

IDENTIFYING = [
    "M12345678",
    "M123A4567",
    "11-22-333333-44",
    "서울 98-123456-12",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111111111111111",
    "378282246310005",
]
HARMLESS = [
    "M1234567",
    "SM12345678",
    "4111 1111 1111 1112",
    "010-0000-1234",
    "SL-7K2M9QXC4",
    "110-123-456789",
    "0000000000000000",
    "2026-11-23 15:04:05,123 INFO",
    "11-22-333333",
]


@pytest.mark.parametrize("number", IDENTIFYING)
@pytest.mark.parametrize("frame", ["{}", "제 번호는 {}입니다.", "No {}, thanks"])
def test_numbers_that_identify_are_covered_in_passing(number: str, frame: str) -> None:
    assert mask_identifying(frame.format(number)) == frame.format(HIDDEN)


@pytest.mark.parametrize("number", HARMLESS)
def test_others_are_not(number: str) -> None:
    assert mask_identifying(f"그 {number} 입니다") == f"그 {number} 입니다"


@pytest.mark.parametrize(
    ("mark", "found"),
    [
        ("<900101-1234567@mail.test>", True),
        ("<900101.1234567.x@mail.test>", True),
        ("<9001011234568@mail.test>", True),
        ("<1712011234567.JavaMail.web@mail.test>", False),
        ("<20260512150405.1234567@mail.test>", False),
        ("<a1b2c3@mail.test>", False),
    ],
)
def test_a_mark_of_a_machine_may_be_shaped_like_one(mark: str, found: bool) -> None:
    assert mark_has_resident_number(mark) is found


def test_the_log_covers_what_a_library_writes_into_it() -> None:
    try:
        raise ValueError("cannot take 900101-2345678")
    except ValueError:
        fault = sys.exc_info()
    record = logging.LogRecord("x", logging.ERROR, "", 1, "card %s", ("4111111111111111",), fault)
    written = Discreet().format(record)
    assert HIDDEN in written and MASK in written and "2345678" not in written
