"""Dates as people write them, Korean and English, and back. Never a guess between day and month."""

import calendar
import re
from datetime import date

from subjectline.models.errors import BadInput

_MONTHS = {name.lower(): n for n, name in enumerate(calendar.month_name) if name}
_MONTHS |= {name.lower()[:3]: n for name, n in tuple(_MONTHS.items())} | {"sept": 9}
_NAME = "|".join(sorted(_MONTHS, key=len, reverse=True))

_FORMS = (
    re.compile(r"(?P<y>[0-9]{4})\s?[-./]\s?(?P<m>[0-9]{1,2})\s?[-./]\s?(?P<d>[0-9]{1,2})\.?"),
    re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"),
    re.compile(r"(?P<y>[0-9]{4})년\s?(?P<m>[0-9]{1,2})월\s?(?P<d>[0-9]{1,2})일(?:생)?"),
    re.compile(
        rf"(?P<name>{_NAME})\.?\s(?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)?,?\s(?P<y>[0-9]{{4}})", re.I
    ),
    re.compile(
        rf"(?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?(?P<name>{_NAME})\.?,?\s(?P<y>[0-9]{{4}})",
        re.I,
    ),
)
_EITHER_WAY = re.compile(r"([0-9]{1,2})\s?[-./]\s?([0-9]{1,2})\s?[-./]\s?([0-9]{4})")
_SHORT_YEAR = re.compile(
    r"[0-9]{2}(?:년|\s?[-./])\s?[0-9]{1,2}(?:월|\s?[-./])\s?[0-9]{1,2}일?|[0-9]{6}"
)


def read(text: str) -> str:
    """The ISO date in `text`, which holds a date and nothing else. Raises BadInput, its field the reason.

    03/02/1991 is refused, as it is two dates; 25/02/1991 is one.
    """
    for form in _FORMS:
        if match := form.fullmatch(text):
            found = match.groupdict()
            month = _MONTHS[found["name"].lower()] if "name" in found else int(found["m"])
            return _iso(int(found["y"]), month, int(found["d"]))
    if match := _EITHER_WAY.fullmatch(text):
        return _one_way(int(match[1]), int(match[2]), int(match[3]))
    raise _no_date(text)


def _no_date(text: str) -> BadInput:
    if not text:
        return BadInput("a date is needed", field="empty")
    if _SHORT_YEAR.fullmatch(text):
        return BadInput("the year is written with four digits", field="date_year")
    return BadInput("a date is written like 1991-03-02", field="date_form")


def _one_way(first: int, second: int, year: int) -> str:
    if first <= 12 and second <= 12 and first != second:
        raise BadInput(
            "day and month cannot be told apart; write 1991-03-02", field="date_ambiguous"
        )
    day, month = (first, second) if first > 12 else (second, first)
    return _iso(year, month, day)


def _iso(year: int, month: int, day: int) -> str:
    if year < 1:
        raise BadInput("there is no year 0", field="date_impossible")
    if not 1 <= month <= 12:
        raise BadInput("a year has twelve months", field="date_impossible")
    last = calendar.monthrange(year, month)[1]
    if not 1 <= day <= last:
        raise BadInput(
            f"{calendar.month_name[month]} {year} has {last} days", field="date_impossible"
        )
    return date(year, month, day).isoformat()


def in_words(value: str, language: str) -> str:
    """An ISO date as people read it: 1991년 3월 2일, 2 March 1991. Anything else as it stands."""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return value
    if language == "ko":
        return f"{day.year}년 {day.month}월 {day.day}일"
    return f"{day.day} {calendar.month_name[day.month]} {day.year}"
