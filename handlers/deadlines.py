"""When an answer is due, and why: the clock of each right by its regime.

Pure calendar arithmetic. The figures are data of `models.regimes`; public holidays come from
`holidays` (Korea's Labour Day and Constitution Day of 2026 need 0.109 or later) and from the days
that the operator adds.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from datetime import date as Day
from functools import lru_cache

import holidays

from subjectline.models.errors import BadInput, IllegalMove
from subjectline.models.regimes import Extension, Ground, OutsideBody, Regime, Rule, regime_named


@dataclass(frozen=True, slots=True)
class Due:
    """A due date in the regime's zone.

    `at` is the last moment of that day, aware UTC. `derivation` is start, rule, article, rolls: one
    sentence each. `warn_on` is the day on which the desk starts to press. `statutory` is false where
    the law names no days and the date is the desk's own mark.
    """

    date: Day
    at: datetime
    derivation: tuple[str, str, str, str]
    warn_on: Day
    statutory: bool = True


def due(regime: str | Regime, kind: str, arrived_at: datetime) -> Due:
    """When the answer to a request of this kind is due.

    `arrived_at` is when the message reached the mailbox or chat, aware. Days are calendar days of the
    regime's zone, the first is not counted (Korean Civil Act 157; Regulation 1182/71, Article 3).
    BadInput for a naive time or a kind without a rule; SettingsError for an unknown regime.
    """
    law = _regime(regime)
    rule = law.rule(kind)
    return _due(law, rule, arrived_at, rule.days, rule.months, rule.article.en)


def extended(regime: str | Regime, kind: str, arrived_at: datetime, times: int = 1) -> Due:
    """The due date after `times` extensions, counted from the same receipt.

    IllegalMove where the regime has no extension (PIPA 36) or not so many.
    """
    law = _regime(regime)
    rule = law.rule(kind)
    more = rule.extension
    if more is None or not 0 < times <= more.times:
        raise IllegalMove(
            f"{law.name} allows {more.times if more else 'no'} extension of {kind}",
            field="extend",
            remedy="Answer by the due date; a refusal or a partial answer may be proposed.",
        )
    return _due(law, rule, arrived_at, *_longer(rule, more, times), more.article.en)


def _longer(rule: Rule, more: Extension, times: int) -> tuple[int | None, int | None]:
    days = (rule.days or 0) + times * (more.days or 0)
    months = (rule.months or 0) + times * (more.months or 0)
    return days or None, months or None


def half_time(regime: str | Regime, kind: str, arrived_at: datetime) -> datetime:
    """When the desk reminds: the regime's share of the period, from arrival to due. Aware UTC."""
    law = _regime(regime)
    return arrived_at.astimezone(UTC) + (due(law, kind, arrived_at).at - arrived_at) * law.half_time


def may_extend(regime: str | Regime, kind: str) -> bool:
    """Whether the regime has an extension for this right (none for a correction, PIPA 36)."""
    return _regime(regime).rule(kind).extension is not None


def may_postpone(regime: str | Regime, kind: str) -> bool:
    """Whether the answer may be postponed with a reason (access only, PIPA 35(3))."""
    return _regime(regime).rule(kind).postpone is not None


def refusal_grounds(regime: str | Regime, kind: str) -> dict[str, Ground]:
    """The grounds on which this right may be refused, in the regime's order."""
    law = _regime(regime)
    return {key: law.grounds[key] for key in law.rule(kind).grounds}


def outside_bodies(regime: str | Regime) -> tuple[OutsideBody, ...]:
    """Whom a person can turn to outside of the company."""
    return _regime(regime).bodies


def is_working_day(regime: str | Regime, day: Day) -> bool:
    """Whether a period may end on this day."""
    return not _day_off(_regime(regime), day)


def _regime(regime: str | Regime) -> Regime:
    return regime_named(regime) if isinstance(regime, str) else regime


def _due(
    law: Regime,
    rule: Rule,
    arrived_at: datetime,
    days: int | None,
    months: int | None,
    article: str,
) -> Due:
    if arrived_at.tzinfo is None:
        raise BadInput("the arrival has no time zone", field="arrived_at")
    start = arrived_at.astimezone(law.tz)
    counted = _months_after(start.date(), months or 0) + timedelta(days=days or 0)
    end, rolls = _rolled(law, counted)
    return Due(
        date=end,
        at=datetime.combine(end, time.max, law.tz).astimezone(UTC),
        derivation=(
            f"start: arrived {start:%Y-%m-%d %H:%M} {law.zone}, first day not counted",
            f"rule: {_period(rule, days, months)} -> {counted}",
            f"article: {article}",
            f"rolls: {'; '.join(rolls) or 'none'}",
        ),
        warn_on=_warn_on(rule, start.date(), end),
        statutory=rule.statutory,
    )


def _period(rule: Rule, days: int | None, months: int | None) -> str:
    parts = [f"{months} calendar month(s)"] if months else []
    parts += [f"{days} calendar days"] if days else []
    return " and ".join(parts) + ("" if rule.statutory else " (the desk's own mark, not the law's)")


def _months_after(day: Day, months: int) -> Day:
    """The same date some months on, or that month's last day (Regulation 1182/71, Article 3(2)(c))."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return Day(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _rolled(law: Regime, day: Day) -> tuple[Day, list[str]]:
    rolls = []
    while why := _day_off(law, day):
        rolls.append(f"{day} is {why}")
        day += timedelta(days=1)
    return day, [*rolls, f"ends {day}"] if rolls else []


def _day_off(law: Regime, day: Day) -> str:
    """Why a period cannot end on this day; "" for a working day."""
    if day in law.extra_days:
        return "a day off set by the operator"
    if name := _public_holidays(law.country, day.year).get(day):
        return f"a public holiday ({name})"
    return f"a {calendar.day_name[day.weekday()]}" if day.weekday() in law.weekend else ""


@lru_cache(maxsize=64)
def _public_holidays(country: str, year: int) -> dict[Day, str]:
    return dict(holidays.country_holidays(country, years=year, language="en_US", expand=False))


def _warn_on(rule: Rule, start: Day, end: Day) -> Day:
    if rule.warn_after_days is not None:
        return start + timedelta(days=rule.warn_after_days)
    return max(start, end - timedelta(days=rule.warn_before_days or 0))
