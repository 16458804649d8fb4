"""Retention periods: whole days, months or years, as laws write them."""

import calendar
import re
from datetime import date, timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

_WRITTEN = re.compile(r"([1-9][0-9]{0,2}) (day|month|year)s?")


class _Period(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    unit: str

    def after(self, start: date) -> date:
        """The last day of the period that begins on `start`; 31 January + 1 month is 28 February. An
        end beyond the calendar (a start such as 9999-12-31) is its last day."""
        if self.unit == "day":
            return start + min(timedelta(days=self.count), date.max - start)
        months = start.year * 12 + start.month - 1 + self.count * (12 if self.unit == "year" else 1)
        year, month = divmod(months, 12)
        if year > date.max.year:
            return date.max
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(start.day, last))

    def text(self, language: str) -> str:
        """The period in words: 5년, 6개월, 5 years."""
        if language == "ko":
            return f"{self.count}{ {'day': '일', 'month': '개월', 'year': '년'}[self.unit] }"
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    def __str__(self) -> str:
        return self.text("en")


def _read(written: object) -> object:
    match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
    if match:
        return _Period(count=int(match[1]), unit=match[2])
    if isinstance(written, _Period):
        return written
    raise ValueError("a period is written as '5 years', '6 months' or '30 days'")


Period = Annotated[_Period, BeforeValidator(_read), PlainSerializer(str)]
