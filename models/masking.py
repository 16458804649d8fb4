"""Numbers that identify a person are masked.

Resident registration numbers (주민등록번호) before anything is kept, on every door (개인정보 보호법
제24조의2). Other numbers (passport, driver's licence, card) only where they would be seen in passing: in
previews and logs (개인정보 보호법 시행령 제19조).
"""

import re

from subjectline.models.resident import LENGTH, Finder, Span, in_digits, plausible, windows
from subjectline.models.resident_words import in_dates, in_halves, in_letters, in_words

MASK = "●●●●●●-●●●●●●●"
HIDDEN = "●●●●"  # in the place of any other number that identifies

_FINDERS: tuple[Finder, ...] = (in_dates, in_digits, in_letters, in_halves)
_ROUNDS = 8  # what was masked may have kept a neighbour from being believed
# A passport of Korea (M12345678, since 2021 M123A4567) and of most others; a licence, with its region
# in digits or in words.
_PASSPORT = re.compile(r"(?<![0-9A-Za-z])[A-Z](?:\d{8}|\d{3}[A-Z]\d{4}|[A-Z]\d{7})(?![0-9A-Za-z])")
_LICENCE = re.compile(
    r"(?<![\d-])(?:\d\d[- ]\d\d[- ]\d{6}[- ]\d\d|[가-힣]{2,3}\s?\d\d[- ]\d{6}[- ]\d\d)(?![\d-])"
)
_CARD = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])")
_ID = re.compile(r"(?<!\d)(\d{6})[-_.](\d{7})(?!\d)")


def mask_resident_numbers(text: str) -> tuple[str, bool]:
    """`text` with every resident registration number as MASK, and whether there was one.

    Any spelling: spaces, dashes of every kind, digits of any script, spaced-out digits, digits as
    Korean words, letters for digits. Time is linear in the length of `text`.
    """
    found = False
    for _ in range(_ROUNDS):
        spans = _spans(text)
        if not spans:
            break
        text, found = _covered(text, spans), True
    return text, found


def has_resident_number(text: str) -> bool:
    """Whether a resident registration number stands in `text`."""
    return bool(_spans(text))


def _spans(text: str) -> list[Span]:
    """In their order; none begins before the one before it has ended."""
    found = [
        span
        for start, end in windows(text)
        for finder in _FINDERS
        for span in finder(text, start, min(end, len(text)))
    ]
    if not text.isascii():
        found += in_words(text, 0, len(text))
    apart: list[Span] = []
    for span in sorted(found):
        if not apart or span[0] >= apart[-1][1]:
            apart.append(span)
    return apart


def _covered(text: str, spans: list[Span]) -> str:
    out: list[str] = []
    done = 0
    for start, end in spans:
        out += text[done:start], MASK
        done = end
    return "".join((*out, text[done:]))


def mark_has_resident_number(mark: str) -> bool:
    """Whether a Message-ID or another machine's mark is shaped like a resident number.

    Thirteen digits in a row are mostly a time in milliseconds, and need the right check digit.
    """
    if sum(map(str.isdecimal, mark)) < LENGTH:
        return False
    halves = _ID.finditer(mark)
    return any(plausible([*map(int, one[1] + one[2])]) for one in halves) or has_resident_number(
        f"@{mark}"
    )


def mask_identifying(text: str) -> str:
    """`text` for places where it is only seen in passing (previews, logs): resident numbers, passports,
    driver's licences and cards (by Luhn's check, ISO/IEC 7812-1) covered. Linear time."""
    text = mask_resident_numbers(text)[0]
    text = _LICENCE.sub(HIDDEN, _PASSPORT.sub(HIDDEN, text))
    return _CARD.sub(lambda found: HIDDEN if _luhn(found[0]) else found[0], text)


def _luhn(card: str) -> bool:
    digits = [int(one) for one in reversed(card) if one.isdecimal()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1
