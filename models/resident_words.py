"""Resident registration numbers that are not plainly 13 digits: spoken, dated, or with letters in them.

Each finder gives the spans of one such spelling; what is believed is decided in `models.resident`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from subjectline.models.resident import Span, believed, checks, plausible

_SPOKEN = {
    **dict.fromkeys("영공령빵〇零", 0), "일": 1, "이": 2, "삼": 3, "사": 4, "오": 5, "육": 6, "륙": 6,
    "칠": 7, "팔": 8, "구": 9, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8,
    "九": 9,
}  # fmt: skip
_SYLLABLE = f"[{''.join(_SPOKEN)}0-9]"
# A month has a nought in it, or is eleven or twelve.
_MONTHS = (*"공영령빵〇零0", "일일", "일이", "일 일", "일 이", "一一", "一二")
_LITTLE = r"[ \u00a0,·.]{0,2}"
_DASH = "[-\u2010-\u2015\u2212\uff0dㅡーｰ一~∼〜～]"
_JOINT = rf"\s{{0,3}}(?:다시|대시|하이픈|빼기|에|의|그리고|뒷?\s?자리는?|{_DASH})?[\s,.]{{0,3}}"
_WORDS = re.compile(
    rf"(?=[{''.join(_SPOKEN)}0-9]{_LITTLE}{_SYLLABLE})"
    rf"({_SYLLABLE}(?:{_LITTLE}{_SYLLABLE}){{5}}){_JOINT}({_SYLLABLE}(?:{_LITTLE}{_SYLLABLE}){{6}})"
)
_BACK = (
    rf"(?:[\s,./()]{{0,4}}(?:{_DASH}|다시|대시|\||"
    r"(?:이고|이며|그리고)?\s?뒷?\s?(?:자리|번호)\s?[는은]?\s?:?)[\s()]{0,3})"
)
_SECOND = r"([1-8１-８]\d{6})(?!\d)"
# The three that follow begin with a digit, and look behind after it: `re` then skips to digits.
_DATED = re.compile(
    rf"(\d(?<!\d\d)\d(?:(?<=19|20)\d\d)?)\s?년\s{{0,2}}(\d{{1,2}})\s?월\s{{0,2}}(\d{{1,2}})\s?일?\s?생?(?:{_BACK}|([\s,./()]{{1,4}})){_SECOND}"
)
_EIGHT = re.compile(
    rf"([12](?<![\d.,/-][12])(?:(?<=1)9|(?<=2)0)\d\d)([-./ ]?)(\d\d)\2(\d\d)\.?"
    rf"(?:{_BACK}|([\s,()]{{1,4}})){_SECOND}"
)
# 900101 and, after words that tell so, 1234567; the windows of `resident` are no wider than this.
_LAST = (
    r"(?:(?:뒷|뒤)\s?(?:7|일곱)?\s?(?:자리|번호)"
    r"|(?:last|back|second)\s(?:7|seven|half|part)(?:\sdigits)?)"
)
_HYPHEN = r"(?:마이너스|작대기|빼기|바|dash|hyphen|minus|\\|%2d)"
_HALVES = re.compile(
    rf"(\d(?<!\d\d)\d{{5}})(?:(?P<told>[^\d]{{0,30}}?{_LAST}[^\d]{{0,8}}|[\s(),]{{0,4}}{_HYPHEN}[\s()]{{0,4}})"
    r"|(?P<blank>[^\S\n]{2,60})|\s?(?:이고|이며|그리고)[\s,]{0,4}(?:뒤[에는가]?[\s:]{0,4})?|[\s,./(]{1,4}뒤[에는가]?[\s:]{0,4})"
    r"(\d{7})(?!\d)",
    re.IGNORECASE,
)
_LETTERS = str.maketrans("OoQDlIi|!ZzSsB", "00001111122558")
_NEAR = r"[0-9OolI|]"
_SPELT = re.compile(
    rf"({_NEAR}(?<![0-9A-Za-z]{_NEAR}){_NEAR}{{5}})(\s?{_DASH}\s?|[ ._/]?)({_NEAR}{{7}})(?![0-9A-Za-z])"
)


def in_words(text: str, start: int, end: int) -> Iterator[Span]:
    """구공공일공일 다시 일이삼사오육칠; at least four of the digits are words."""
    if not any(word in text for word in _MONTHS):
        return
    for found in _WORDS.finditer(text, start, end):
        letters = [one for one in found[1] + found[2] if one in _SPOKEN or one.isdecimal()]
        spoken = sum(one in _SPOKEN for one in letters)
        if spoken >= 4 and plausible([_value(one) for one in letters]):
            yield found.span()


def _value(one: str) -> int:
    return _SPOKEN[one] if one in _SPOKEN else unicodedata.digit(one)


def in_dates(text: str, start: int, end: int) -> Iterator[Span]:
    """90년 1월 1일-1234567 and 19900101-1234567, where the seventh digit fits the century."""
    for found in _DATED.finditer(text, start, end):
        year, month, day, loose, second = found.groups()
        form = "apart" if loose else "dashed"
        if _fits(text, found.span(), year[-4:-2], (year[-2:], month, day, second), form):
            yield found.span()
    for found in _EIGHT.finditer(text, start, end):
        year, _, month, day, loose, second = found.groups()
        form = _form(year, loose)
        if _fits(text, found.span(), year[:2], (year[2:], month, day, second), form):
            yield found.span()


def _form(year: str, loose: str | None) -> str:
    """A day of this century and a number are mostly a date and an amount; one of the last is a birth."""
    if year.startswith("20") or (loose and loose.strip(" \u00a0")):
        return "apart"
    return "loose" if loose else "dashed"


def in_halves(text: str, start: int, end: int) -> Iterator[Span]:
    """앞자리 900101, 뒷자리 1234567; 900101 dash 1234567; 900101 and 1234567 far apart on a line."""
    for found in _HALVES.finditer(text, start, end):
        value = [unicodedata.digit(one) for one in found[1] + found[4]]
        form = "dashed" if found["told"] else "loose" if found["blank"] else "mixed"
        if plausible(value) and believed(text, found.span(), form, value):
            yield found.span()


def _fits(text: str, span: Span, century: str, parts: Sequence[str], form: str) -> bool:
    year, month, day, second = parts
    letters = f"{year}{int(month):02d}{int(day):02d}{second}"
    value = [unicodedata.digit(one) for one in letters]
    if not plausible(value) or (
        century and int(century) != (20 if value[6] in (3, 4, 7, 8) else 19)
    ):
        return False
    return believed(text, span, form, value)


def in_letters(text: str, start: int, end: int) -> Iterator[Span]:
    """9OO1O1-l234567: O for 0, l and I for 1, in what is otherwise clearly digits."""
    for found in _SPELT.finditer(text, start, end):
        written = found[1] + found[3]
        wrong = sum(not one.isdecimal() for one in written)
        value = [int(one) for one in written.translate(_LETTERS)]
        if not 1 <= wrong <= 5 or not plausible(value):
            continue
        form = "dashed" if found[2] else "bare"
        if believed(text, found.span(), form, value) and (found[2] or wrong <= 2 or checks(value)):
            yield found.span()
