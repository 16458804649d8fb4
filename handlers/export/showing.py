"""Values of the company's database as people read them; files for machines keep them as they are."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from subjectline.handlers import words as labels
from subjectline.handlers.export.wording import words
from subjectline.models.datamap import code
from subjectline.models.regimes import regime_named

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


def records(
    desk: "Desk", table: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], language: str
) -> list[list[tuple[str, str]]]:
    """Each row as (label, text), in one language. `table` is one of the head's."""
    columns = [(column["label"][language], column) for column in table["columns"]]
    hidden = set(table["withheld_columns"])
    return [
        [
            (label, value(desk, column, row.get(column["name"]), language))
            for label, column in columns
            if row.get(column["name"]) is not None or column["name"] not in hidden
        ]
        for row in rows
    ]


def value(desk: "Desk", column: Mapping[str, Any], raw: Any, language: str) -> str:
    """One value: nothing is a dash, codes and yes and no are words, times stand in the regime's zone."""
    if raw is None or raw == "":
        return words(language)["nothing"]
    meant = {one["value"]: one["label"][language] for one in column.get("values", ())}
    if meant and (told := meant.get(code(raw))):
        return str(told)
    if isinstance(raw, bool):
        return words(language)["yes" if raw else "no"]
    if isinstance(raw, list | dict):
        return json.dumps(raw, ensure_ascii=False, default=str)
    field = desk.data_map.fields.get(str(column.get("field") or ""))
    if field is not None:
        canonical = field.from_column(raw)
        return str(raw) if canonical is None else field.display(canonical, language)
    return when(str(raw), language, regime_named(desk.manner.regime).tz)


def when(text: str, language: str, zone: tzinfo) -> str:
    """A time as people read it, in the zone; any other text as it stands."""
    if not _TIME.match(text):
        return text
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return text
    local = read.astimezone(zone) if read.tzinfo else read
    if language == "ko":
        return f"{local.year}년 {local.month}월 {local.day}일 {local:%H:%M}"
    month = labels.word_list("en")["months"][local.month - 1]
    return f"{local.day} {month} {local.year}, {local:%H:%M}"
