"""Resident registration numbers (주민등록번호) are masked before anything is kept, on every door.

The number is 13 digits, YYMMDD and 1-8xxxxxx (foreigners' registration numbers are 5 to 8). It is
known by its form and a date that exists, never by its checksum: digits are random since October
2020. Source: 개인정보 보호법 제24조의2.
"""

import re
import unicodedata

MASK = "●●●●●●-●●●●●●●"

_DIGIT = r"[\d⓪①-⑨⓵-⓽❶-❾➀-➈➊-➒⁰¹²³⁴-⁹₀-₉]"
_BLANK = r"[^\S\n]"
_GHOST = "[\u200b-\u200f\u2060-\u2064\ufeff\u00ad\u034f\u180e\u202a-\u202e\u2066-\u2069]"
_GAP = rf"(?:{_BLANK}|{_GHOST}){{1,3}}"
_DASH = "[-\u2010-\u2015\u2043\u2212\u2500\u2501\ufe58\ufe63\uff0dㅡーｰ一~∼〜～˗]"
_JOIN = r"[./_·ㆍ•|*()\[\]]"
# Between the two halves: anything short on one line, a dash at a line's end, or the Korean for
# "the back part is".
_HYPHEN = (
    rf"(?:(?:{_DASH}|{_JOIN}|{_BLANK}|{_GHOST}){{0,6}}"
    rf"|{_BLANK}{{0,3}}{_DASH}{_BLANK}{{0,3}}\n[>\s]{{0,6}}"
    rf"|{_BLANK}{{0,3}}\n[>\s]{{0,6}}{_DASH}{_BLANK}{{0,3}}"
    r"|[\s,./]{0,3}(?:이고|그리고)?\s{0,2}(?:뒷|뒤)\s?(?:자리|번호)?\s?[는은]?\s?:?\s{0,2})"
)


def _run(count: int) -> str:
    return rf"{_DIGIT}(?:{_GHOST}{{0,2}}{_DIGIT}){{{count - 1}}}"


def _spaced(count: int) -> str:
    return rf"{_DIGIT}(?:{_GAP}{_DIGIT}){{{count - 1}}}"


_PAIR = _DIGIT * 2
_DOTTED = rf"{_PAIR}(?:{_BLANK}?[./\-]{_BLANK}?{_PAIR}){{2}}(?={_BLANK}?{_DASH})"
_FIRST = rf"(?:{_run(6)}|{_spaced(6)}|{_DOTTED})"
# Spaced-out digits may stand in a longer row of them; what follows goes too.
_SECOND = (
    rf"(?:{_run(7)}|{_spaced(7)}(?:{_GAP}{_DIGIT}(?!{_DIGIT})){{0,8}}|{_DIGIT}[- ]{_DIGIT}{{6}})"
)
# Looking behind only after a digit was seen lets the engine skip from digit to digit.
_NUMBER = re.compile(rf"(?={_DIGIT})(?<!{_DIGIT})({_FIRST}){_HYPHEN}({_SECOND})(?!{_DIGIT})")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def mask_resident_numbers(text: str) -> tuple[str, bool]:
    """`text` with every resident registration number as MASK, and whether there was one.

    Any spelling: spaces, dashes of every kind, full-width and circled digits, spaced-out digits.
    Time is linear in the length of `text`.
    """
    out: list[str] = []
    done = at = 0
    while found := _NUMBER.search(text, at):
        if not _plausible(found[1], found[2]):
            at = found.start() + 1
            continue
        out += text[done : found.start()], MASK
        done = at = found.end()
    return ("".join(out) + text[done:], True) if out else (text, False)


def has_resident_number(text: str) -> bool:
    """Whether a resident registration number stands in `text`."""
    return mask_resident_numbers(text)[1]


def _plausible(first: str, second: str) -> bool:
    digits = [unicodedata.digit(letter, -1) for letter in first]
    digits = [digit for digit in digits if digit >= 0]
    month, day = digits[2] * 10 + digits[3], digits[4] * 10 + digits[5]
    century = unicodedata.digit(second[0], -1)
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1] and 1 <= century <= 8
