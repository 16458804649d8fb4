"""Values of the company's database as people read them; files for machines keep them as they are."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from subjectline.handlers import words as labels
from subjectline.handlers.export.wording import words
from subjectline.models.datamap import Column, code
from subjectline.models.regimes import regime_named

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

Inner = Mapping[str, Column]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_DAYS = ("date", "datetime", "unknown")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


def records(
    desk: "Desk", table: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], language: str
) -> list[list[tuple[str, str]]]:
    """Each row as (label, text), in one language. `table` is one of the head's."""
    columns = [(column["label"][language], column) for column in table["columns"]]
    hidden = set(table["withheld_columns"])
    spec = desk.data_map.tables.get(str(table.get("table") or ""))
    known: Inner = spec.columns if spec else {}
    inner = {name: column.fields for name, column in known.items() if column.fields}
    return [
        [
            (label, _text(desk, column, inner, row.get(column["name"]), language))
            for label, column in columns
            if row.get(column["name"]) is not None or column["name"] not in hidden
        ]
        for row in rows
    ]


def _text(
    desk: "Desk", column: Mapping[str, Any], inner: Mapping[str, Inner], raw: Any, language: str
) -> str:
    return value(desk, column, raw, language, inner.get(column["name"], {}))


def value(
    desk: "Desk",
    column: Mapping[str, Any],
    raw: Any,
    language: str,
    inner: Inner | None = None,
) -> str:
    """One value: nothing is a dash, codes and yes and no are words, times stand in the regime's zone.

    A list has one line for each of its parts, an object its keys by the map's labels (`inner`).
    """
    if raw is None or raw == "":
        return _nothing(language)
    meant = {one["value"]: one["label"][language] for one in column.get("values", ())}
    if meant and (told := meant.get(code(raw))):
        return str(told)
    if isinstance(raw, bool):
        return words(language)["yes" if raw else "no"]
    if isinstance(raw, list):
        return "\n".join(value(desk, column, one, language, inner) for one in raw) or _nothing(
            language
        )
    if isinstance(raw, dict):
        return _object(desk, raw, language, inner or {})
    field = desk.data_map.fields.get(str(column.get("field") or ""))
    if field is not None:
        canonical = field.from_column(raw)
        return str(raw) if canonical is None else field.display(canonical, language)
    if column.get("type") in _DAYS and _DAY.fullmatch(str(raw)):
        return _day(str(raw)[:10], language)
    return when(str(raw), language, regime_named(desk.manner.regime).tz)


def _object(desk: "Desk", raw: Mapping[str, Any], language: str, inner: Inner) -> str:
    """The keys of an object with what they hold, in one line."""
    told = []
    for name, held in raw.items():
        spec = inner.get(name)
        if spec is not None and spec.hidden:
            continue
        label = spec.labels.text(language) if spec else str(name)
        column = _column(spec) if spec else {}
        text = value(desk, column, held, language, spec.fields if spec else {})
        told.append(f"{label}: {_within(text) if isinstance(held, list | dict) else text}")
    return ", ".join(told) or _nothing(language)


def _within(text: str) -> str:
    return "(" + "; ".join(text.splitlines()) + ")"


def _column(spec: Column) -> dict[str, Any]:
    """A key of an object, as the head of an export has its columns."""
    values = [
        {"value": raw, "label": {"ko": label.ko, "en": label.en}}
        for raw, label in spec.values.items()
    ]
    return {"type": spec.type, "values": values}


def _nothing(language: str) -> str:
    return words(language)["nothing"]


def _day(text: str, language: str) -> str:
    try:
        return _date(date.fromisoformat(text), language)
    except ValueError:
        return text


def _date(day: date, language: str) -> str:
    if language == "ko":
        return f"{day.year}년 {day.month}월 {day.day}일"
    return f"{day.day} {labels.word_list('en')['months'][day.month - 1]} {day.year}"


def when(text: str, language: str, zone: tzinfo) -> str:
    """A time as people read it, in the zone; any other text as it stands."""
    if not _TIME.match(text):
        return text
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return text
    local = read.astimezone(zone) if read.tzinfo else read
    return f"{_date(local, language)}{'' if language == 'ko' else ','} {local:%H:%M}"
