"""What the desk keeps as short English records, said in the language of whoever reads the page.

A due date's derivation, what a mail server said, why something could not be read. The records stay as
they are kept; here they are taken apart into a key of templates/console/words.yaml and facts.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache

import holidays

from subjectline.models.errors import SettingsError
from subjectline.models.regimes import Regime, regime_named

Catalogue = Mapping[str, Mapping[str, str]]

_START = re.compile(r"start: arrived (\d{4}-\d\d-\d\d) (\d\d:\d\d) (\S+), first day not counted")
_RULE = re.compile(r"rule: (.+?)( \(the desk's own mark, not the law's\))? -> (\d{4}-\d\d-\d\d)")
_MONTHS, _DAYS = re.compile(r"(\d+) calendar month"), re.compile(r"(\d+) calendar days")
_ROLL = re.compile(r"(\d{4}-\d\d-\d\d) is (.+)|ends (\d{4}-\d\d-\d\d)")
_HOLIDAY = re.compile(r"a public holiday \((.+)\)")
_WORD = re.compile(r"[^a-z0-9]+")
_NUMBER = re.compile(r"\d+")


def derivation(
    words: Catalogue, language: str, lines: Sequence[str], regime: str
) -> tuple[str, ...]:
    """How a due date was found: start, rule, article, rolls, one sentence each."""
    return tuple(_Said(words, language, regime).line(line) for line in lines)


class _Said:
    def __init__(self, words: Catalogue, language: str, regime: str) -> None:
        self._words, self._language = words, language
        try:
            self._law: Regime | None = regime_named(regime)
        except SettingsError:
            self._law = None

    def _text(self, key: str, **facts: object) -> str:
        return self._words[f"derived.{key}"][self._language].format(**facts)

    def line(self, line: str) -> str:
        if found := _START.fullmatch(line):
            return self._text("start", day=found[1], time=found[2], zone=found[3])
        if found := _RULE.fullmatch(line):
            return self._rule(found)
        if line.startswith("article: "):
            return self._text("article", article=self._article(line.removeprefix("article: ")))
        if line.startswith("rolls: "):
            return self._rolls(line.removeprefix("rolls: "))
        return line

    def _rule(self, found: re.Match[str]) -> str:
        parts = [
            self._text(key, n=counted[1])
            for key, pattern in (("months", _MONTHS), ("days", _DAYS))
            if (counted := pattern.search(found[1]))
        ]
        key = "own_rule" if found[2] else "rule"
        return self._text(key, period=" ".join(parts), day=found[3])

    def _article(self, english: str) -> str:
        """The article's name in the reader's language, as the regime has it."""
        for rule in self._law.rules.values() if self._law else ():
            named = (rule.article, *((rule.extension.article,) if rule.extension else ()))
            for one in named:
                if one.en == english:
                    return str(one.in_(self._language))
        return english

    def _rolls(self, text: str) -> str:
        if text == "none":
            return self._text("no_roll")
        return " ".join(self._each_roll(text.split("; ")))

    def _each_roll(self, parts: Iterable[str]) -> Iterator[str]:
        for part in parts:
            found = _ROLL.fullmatch(part)
            if found is None:
                yield part
            elif found[3]:
                yield self._text("ends", day=found[3])
            else:
                yield self._day_off(found[1], found[2])

    def _day_off(self, day: str, why: str) -> str:
        if holiday := _HOLIDAY.fullmatch(why):
            return self._text("holiday", day=day, name=self._holiday(day, holiday[1]))
        if why == "a day off set by the operator":
            return self._text("own_day_off", day=day)
        weekday = date.fromisoformat(day).weekday()
        return self._text(f"weekend_{weekday}", day=day) if weekday in (5, 6) else f"{day}: {why}"

    def _holiday(self, day: str, english: str) -> str:
        if self._language != "ko" or self._law is None or self._law.country != "KR":
            return english
        return _korean_holidays(int(day[:4])).get(day, english)


@lru_cache(maxsize=16)
def _korean_holidays(year: int) -> Mapping[str, str]:
    known = holidays.country_holidays("KR", years=year, language="ko", expand=False)
    return {day.isoformat(): name for day, name in known.items()}


def why(words: Catalogue, language: str, catalogue: str, told: str) -> str:
    """A recorded reason in words: `<catalogue>.<its words joined by _>`, by its longest beginning that
    the catalogue has; else the catalogue's general sentence (`.other`)."""
    parts = [part for part in _WORD.split(told.lower()) if part]
    for end in range(len(parts), 0, -1):
        said = words.get(f"{catalogue}.{'_'.join(parts[:end])}")
        if said is not None:
            return _with_number(said[language], told)
    return _with_number(words[f"{catalogue}.other"][language], told)


def _with_number(sentence: str, told: str) -> str:
    number = _NUMBER.search(told)
    return sentence.format(n=number[0] if number else "")
