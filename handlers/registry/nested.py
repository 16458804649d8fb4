"""Keys inside JSON columns: only those that the map names are shown, and nobody else's objects."""

from collections.abc import Mapping
from typing import Any

from subjectline.handlers.registry.persons import Person
from subjectline.handlers.registry.schema import Schema
from subjectline.models.datamap import Column, Table, Value


class Pruner:
    """Cuts the JSON columns of one table's rows. `dropped` counts, by column, the objects left out."""

    def __init__(self, schema: Schema, table: str, member: str) -> None:
        spec = schema.map.tables[table]
        columns = _marked(schema, spec)
        self._columns = {n: c for n, c in columns.items() if c.fields or c.person}
        self._member, self._known = str(member), _known(member)
        self.dropped: dict[str, int] = {}

    @property
    def idle(self) -> bool:
        """Whether the table has nothing to cut."""
        return not self._columns

    def row(self, row: dict[str, Value]) -> dict[str, Value]:
        """The row with its JSON columns cut."""
        for name, column in self._columns.items():
            if name in row:
                cut = self._cut(row[name], column, name)
                row[name] = None if cut is _GONE else cut
        return row

    def _cut(self, value: Any, column: Column, top: str) -> Any:
        if isinstance(value, list):
            kept = [self._cut(item, column, top) for item in value]
            return [item for item in kept if item is not _GONE]
        if column.person and not self._mine(value, column.person):
            return self._drop(top, value)
        if not column.fields or not isinstance(value, dict):
            # A scalar stands where an object was named: the map does not know what it is.
            return value if not column.fields or value is None else self._drop(top, value)
        if any(
            f.person and not self._all_mine(value.get(n), f.person)
            for n, f in column.fields.items()
        ):
            return self._drop(top, value)
        named = ((n, f) for n, f in column.fields.items() if n in value and not f.hidden)
        cut = {n: self._cut(value[n], f, top) for n, f in named}
        return {n: v for n, v in cut.items() if v is not _GONE}

    def _drop(self, top: str, value: Any) -> Any:
        if value is not None:
            self.dropped[top] = self.dropped.get(top, 0) + 1
        return _GONE

    def _all_mine(self, value: Any, kind: str) -> bool:
        values = value if isinstance(value, list) else [value]
        return all(self._mine(item, kind) for item in values)

    def _mine(self, value: Any, kind: str) -> bool:
        if value is None:
            return True
        if kind == "key":
            return bool(self._member) and str(value) == self._member
        written = str(value).lower() if kind == "email" else str(value)
        return written in self._known.get(kind, ())


def _marked(schema: Schema, spec: Table) -> dict[str, Column]:
    """The columns; where an array, or JSON in a shared row, names persons, marked so."""
    home = (schema.map.home.table, schema.map.home.key)
    named = {c: "key" for c, to, key in spec.targets() if (to, key) == home}
    named |= dict.fromkeys(spec.owners, "key") | spec.identities
    columns = dict(spec.columns)
    for path, kind in named.items():
        first, *rest = path.split(".")
        if spec.many(path) or (rest and spec.shared):
            columns[first] = _with_person(columns[first], rest, kind)
    return columns


def _with_person(column: Column, path: list[str], kind: str) -> Column:
    if not path:
        return column.model_copy(update={"person": column.person or kind})
    below = _with_person(column.fields[path[0]], path[1:], kind)
    return column.model_copy(update={"fields": {**column.fields, path[0]: below}})


class _Gone:
    def __repr__(self) -> str:
        return "gone"


_GONE: Any = _Gone()


def _known(member: str) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(member, Person):
        return {}
    return {k: v for k, v in member.known_by.items() if k not in member.doubtful}
