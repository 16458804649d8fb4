"""Values inside JSON arrays, as rows that a statement can read beside the table.

`[1, 5]` and `[{"user_id": 1}]` are unnested by the database itself: `jsonb_path_query_array` (lax, so
that one value counts as a list of one) in PostgreSQL, `json_each` in SQLite. What is no JSON there, or of
another shape, has no values. No other database is asked.
"""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, cast, column, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

Step = tuple[str, bool]  # a key, and whether an array stands there


class _Values(FunctionElement[Any]):
    """All values at a path of a JSON column; `steps` begin with the column itself."""

    inherit_cache = False
    name = "values_of"

    def __init__(self, held: ColumnElement[Any], steps: tuple[Step, ...]) -> None:
        self.steps = steps
        super().__init__(held)


def values_at(held: ColumnElement[Any], steps: tuple[Step, ...]) -> tuple[FromClause, Any]:
    """What a FROM takes beside the table of `held`, and its column of the values, as text."""
    function = _Values(type_coerce(held, NullType()), steps)
    made = function.table_valued(column("value", Text()), joins_implicitly=True).alias()
    return made, cast(made.c.value, Text())


@compiles(_Values, "postgresql")
def _postgresql(element: _Values, compiler: Any, **given: Any) -> str:
    held = compiler.process(element.clauses, **given)
    keys = [f".{_key(name)}" if n else "" for n, (name, _) in enumerate(element.steps)]
    path = "$" + "".join(
        key + ("[*]" if many else "") for key, (_, many) in zip(keys, element.steps, strict=True)
    )
    return f"jsonb_array_elements_text(jsonb_path_query_array(to_jsonb({held}), {_text(path)}))"


@compiles(_Values, "sqlite")
def _sqlite(element: _Values, compiler: Any, **given: Any) -> str:
    held = compiler.process(element.clauses, **given)
    if len(element.steps) == 1:  # SQLite's parser goes 100 deep: the plain case stays shallow
        return (
            f"json_each(CASE WHEN NOT json_valid({held}) THEN NULL"
            f" WHEN json_type({held}) = 'object' THEN NULL ELSE {held} END)"
        )
    here, path, sources = f"CASE WHEN json_valid({held}) THEN {held} END", "$", list[str]()
    value = here
    for number, (name, many) in enumerate(element.steps):
        path += f".{_key(name)}" if number else ""
        if many:
            found = f"json_extract({here}, {_text(path)})"
            whole = f"json_type({here}, {_text(path)}) = 'array'"
            sources.append(
                f"json_each(CASE WHEN {whole} THEN {found} ELSE json_array({found}) END)"
                f" AS each_{number}"
            )
            value = f"each_{number}.value"
            # Of a plain value nothing can be extracted: SQLite would take a text for broken JSON.
            here = f"CASE WHEN each_{number}.type = 'object' THEN {value} END"
            path = "$"
    if path != "$":
        value = f"json_extract({here}, {_text(path)})"
    return f"json_each((SELECT json_group_array({value}) FROM {', '.join(sources)}))"


@compiles(_Values)
def _others(element: _Values, compiler: Any, **given: Any) -> str:
    raise NotImplementedError("lists are followed in PostgreSQL and SQLite only")


def _key(name: str) -> str:
    """A key in a JSON path; the map's checks let no quote or backslash pass."""
    return f'"{name}"'


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"
