"""`subjectline map check`: what in the data map does not fit the live databases, with file and line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from subjectline.handlers.registry.live import (
    Live,
    LiveColumn,
    LiveTable,
    Reading,
    fitted,
    look,
    place_of,
    schemas_of,
)
from subjectline.handlers.registry.schema import Schema
from subjectline.models.datamap import DataMap, Table
from subjectline.models.errors import DataMapError, RegistryError

Level = Literal["error", "warning"]
DEEPEST = 3  # more overflow the parser of SQLite 3.40, which is 100 deep
_LENGTHS = {"text": 200, "name": 60, "nickname": 30, "address": 200, "email": 254, "phone_kr": 13}
_FORMS = {"integer": ("integer",), "uuid": ("uuid", "text"), "text": ("text", "uuid")}
# SQLite keeps these as text or numbers, whatever the column is declared as.
_LOOSE = {"date", "datetime", "uuid", "json", "decimal", "boolean", "text"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit: at which `file:line`, under which keys, in one sentence."""

    level: Level
    place: str
    where: str
    told: str

    def __str__(self) -> str:
        return f"{self.place} {self.where}: {self.told}"


async def check(data_map: DataMap, reading: Reading) -> list[Finding]:
    """Everything that does not fit, in the order of the map. A database that does not answer is one
    finding, and its tables are passed over."""
    live: dict[str, Live] = {}
    loose: set[str] = set()
    told: list[Finding] = []
    for name in data_map.connections:
        try:
            async with reading(name) as connection:
                live[name] = await look(connection, schemas_of(data_map, name))
                if connection.dialect.name == "sqlite":
                    loose.add(name)
        except RegistryError as error:
            told.append(_at(data_map, "error", ("connections", name), str(error)))
    return [*told, *_Check(fitted(data_map, live), live, loose).findings()]


def _at(data_map: DataMap, level: Level, where: tuple[str, ...], told: str) -> Finding:
    return Finding(level, data_map.place(*where), ".".join(where), told)


def _depth(data_map: DataMap, name: str) -> int:
    """How many tables of the same database, each told by who uses it, tell whose a row is."""
    spec = data_map.tables[name]
    above = [place.partition(".")[0] for place in spec.used_by]
    above += [spec.target(spec.through)[0]] if spec.through else []
    here = [a for a in above if data_map.tables[a].connection == spec.connection]
    return bool(spec.used_by) + max((_depth(data_map, a) for a in here), default=0)


class _Check:
    def __init__(self, data_map: DataMap, live: Mapping[str, Live], loose: set[str]) -> None:
        self._map, self._live, self._loose = data_map, live, loose

    def findings(self) -> Iterator[Finding]:
        yield from self._whole()
        for name, spec in self._map.tables.items():
            if spec.connection not in self._live:
                continue
            if (seen := self._seen(name)) is None:
                yield self._error(("tables", name), self._no_table(name, spec))
                continue
            yield from self._columns(name, spec, seen)
            yield from self._key(name, spec, seen)
            yield from self._references(name, spec)
            yield from self._owners(name, spec, seen)
        yield from self._home()
        yield from self._fields()
        yield from self._leave()
        yield from self._unmapped()

    def _seen(self, table: str) -> LiveTable | None:
        connection = self._map.tables[table].connection
        return self._live.get(connection, {}).get(place_of(self._map, table))

    def _error(self, where: tuple[str, ...], told: str) -> Finding:
        return _at(self._map, "error", where, told)

    def _warn(self, where: tuple[str, ...], told: str) -> Finding:
        return _at(self._map, "warning", where, told)

    def _whole(self) -> Iterator[Finding]:
        try:
            self._map.must_have_sender()
        except DataMapError as unsaid:
            yield self._warn(("company",), unsaid.rule)
        for where, told in self._map.notes():
            yield self._warn(where, told)
        schema = Schema(self._map)
        for name in self._map.connections:
            circle = [to for to in schema.tellers(name) if name in schema.tellers(to)]
            if any(name < to for to in circle):
                told = f"{name} and {', '.join(sorted(circle))} tell each other whose rows are whose: a "
                told += "withdrawal that fails in between can only be finished, not drafted anew"
                yield self._warn(("connections", name), told)

    def _no_table(self, name: str, spec: Table) -> str:
        _, wanted = place_of(self._map, name)
        known = [table for _, table in self._live[spec.connection]]
        near = get_close_matches(wanted, known, 1)
        return f"the database has no table {wanted!r}" + (f"; it has {near[0]!r}" if near else "")

    def _columns(self, name: str, spec: Table, seen: LiveTable) -> Iterator[Finding]:
        for column, said in spec.columns.items():
            at = ("tables", name, "columns", column)
            found = seen.columns.get(column)
            if said.values and (found is None or said.hidden):
                yield self._warn((*at, "values"), "labels for values of a column that nobody sees")
            if found is None:
                near = get_close_matches(column, list(seen.columns), 1)
                hint = f"; it has {near[0]!r}" if near else ""
                yield self._error(at, f"the table has no column {column!r}{hint}")
            elif not self._fits(said.type, found, spec.connection):
                yield self._error(
                    at, f"the map says {said.type}, the database {found.kind} ({found.written})"
                )
        for column in seen.columns:
            if column not in spec.columns:
                yield self._warn(
                    ("tables", name, "columns"),
                    f"the column {column!r} is not in the map: nobody who asks will get it",
                )

    def _fits(self, said: str, found: LiveColumn, connection: str) -> bool:
        if said in (found.kind, "unknown", "other"):
            return True
        if connection in self._loose:
            return said in _LOOSE and found.kind in (*_LOOSE, "other", "integer")
        return False

    def _key(self, name: str, spec: Table, seen: LiveTable) -> Iterator[Finding]:
        at = ("tables", name, "key")
        if not spec.key:
            yield self._warn(
                at, "neither map nor database names a key: it can be read, not written"
            )
        elif not any(set(unique) <= set(spec.key) for unique in (seen.key, *seen.unique) if unique):
            told = ", ".join(spec.key)
            yield self._error(
                at, f"{told} is not unique in the database: a row cannot be told by it"
            )

    def _references(self, name: str, spec: Table) -> Iterator[Finding]:
        for column, to, there in spec.targets():
            at = ("tables", name, "references", column)
            target, here = self._seen(to), self._seen(name)
            if target is None or here is None or "." in column + there:
                continue
            ours, theirs = here.columns.get(column), target.columns.get(there)
            if ours and theirs and "text" in {ours.kind, theirs.kind} and ours.kind != theirs.kind:
                yield self._warn(
                    at, f"{ours.kind} refers to {theirs.kind} ({to}.{there}): compared as text"
                )
            if theirs and not target.is_unique(there):
                yield self._warn(
                    at, f"{to}.{there} is not unique: a row may lead to several persons"
                )

    def _owners(self, name: str, spec: Table, seen: LiveTable) -> Iterator[Finding]:
        if spec.belongs == "unknown":
            why = spec.why or "the map does not say whose a row is"
            yield self._warn(("tables", name), f"withheld from everybody: {why}")
        if spec.connection in self._loose and (deep := _depth(self._map, name)) > DEEPEST:
            yield self._error(
                ("tables", name),
                f"whose a row is hangs on {deep} tables in a row, of which SQLite reads {DEEPEST}: "
                "let one of them name the member id, under owners",
            )
        for path in spec.paths():
            yield from self._list(name, spec, seen, path)
        deciding = [*spec.owners, *([spec.through] if spec.through else [])]
        for column in deciding:
            if "." not in column and column in seen.columns and column not in seen.indexed:
                yield self._warn(
                    ("tables", name), f"{column!r} has no index: each request reads the whole table"
                )

    def _list(self, name: str, spec: Table, seen: LiveTable, path: str) -> Iterator[Finding]:
        """An array that persons or references stand in: of which kind, and what it costs."""
        at, first = ("tables", name, "columns", *path.split(".")), path.split(".")[0]
        leads = path in (*spec.owners, *spec.identities, *spec.references)
        if not (spec.many(path) and leads and first in seen.columns):
            return
        found = seen.columns[first]
        if found.kind not in ("json", "other") and spec.connection not in self._loose:
            yield self._error(
                at,
                f"a list is followed in a JSON column, this is {found.kind}: nobody gets its rows",
            )
        else:
            yield self._warn(at, "a list has no index: each request reads the whole table")

    def _home(self) -> Iterator[Finding]:
        home = self._map.home
        seen = self._seen(home.table)
        if seen is None or home.key not in seen.columns:
            return
        if not seen.is_unique(home.key):
            yield self._error(("home", "key"), f"{home.key!r} is not unique in {home.table!r}")
        kind = seen.columns[home.key].kind
        if kind not in _FORMS[home.form]:
            yield self._error(("home", "form"), f"the form is {home.form}, the column is {kind}")
        for kind_of, column in home.identity.items():
            if column in seen.columns and not seen.is_unique(column):
                yield self._warn(
                    ("home", "identity", kind_of),
                    f"{column!r} is not unique: what two members are known by is nobody's",
                )

    def _fields(self) -> Iterator[Finding]:
        for name, field in self._map.fields.items():
            at = ("fields", name)
            seen = self._seen(field.table)
            column = seen.columns.get(field.column) if seen else None
            longest = field.validator.max_length or _LENGTHS.get(field.validator.kind)
            if column and column.length and longest and longest > column.length:
                yield self._warn(
                    (*at, "validator"),
                    f"it takes {longest} characters, the column {column.length}: "
                    f"write max_length: {column.length}",
                )
            if field.correctable and field.table in self._map.tables:
                yield from self._writable(name, field.table)
            yield from self._copies(name)

    def _writable(self, field: str, table: str) -> Iterator[Finding]:
        if not self._map.tables[table].key:
            yield self._error(
                ("fields", field), f"{table!r} has no key, so the field cannot be corrected"
            )

    def _copies(self, name: str) -> Iterator[Finding]:
        """Columns of the same name elsewhere that look like copies of a contact."""
        field = self._map.fields[name]
        known = {(field.table, field.column), *((c.table, c.column) for c in field.copies)}
        for table, spec in self._map.tables.items():
            named = {place.place for place in field.manual}
            same = field.column in spec.columns and (table, field.column) not in known
            if field.contact and same and f"{table}.{field.column}" not in named:
                yield self._warn(
                    ("fields", name, "copies"),
                    f"{table}.{field.column} looks like a copy; a correction would not reach it",
                )

    def _leave(self) -> Iterator[Finding]:
        tables = self._map.tables
        open_ones = [
            name
            for name, leave in self._map.leave.items()
            if leave.action == "ask"
            and tables[name].belongs != "nobody"  # nobody's rows never leave
        ]
        if open_ones:
            told = ", ".join(open_ones)
            yield self._warn(("leave",), f"the map does not say what leaving does with {told}")
        yield from self._leftovers()
        yield from self._hanging()
        for name, leave in self._map.leave.items():
            seen = self._seen(name)
            for column, value in leave.set.items():
                found = seen.columns.get(column) if seen else None
                if found and value is None and not found.nullable:
                    yield self._error(
                        ("leave", name, "set", column), "the database does not let it be empty"
                    )

    def _leftovers(self) -> Iterator[Finding]:
        """Columns of one owner of a shared row that an anonymised row still holds."""
        for name, leave in self._map.leave.items():
            spec = self._map.tables[name]
            if leave.action != "anonymise" or not spec.shared or name == self._map.home.table:
                continue
            for path, column in spec.paths().items():
                own = column.of or path in (*spec.owners, *spec.identities)
                if own and path.split(".")[0] not in leave.set:
                    yield self._warn(
                        ("leave", name, "set"),
                        f"{path!r} stays in the row of somebody who left: it is of one owner "
                        "alone, and anonymising does not empty it",
                    )

    def _hanging(self) -> Iterator[Finding]:
        """Rows that hang on swept rows, and whose rule never lets them go: both stay."""
        rules = self._map.retention
        swept = [name for name, spec in self._map.tables.items() if rules[spec.retention].sweep]
        for name in swept:
            for child in self._map.hanging_below(name):
                if rules[self._map.tables[child].retention].period is None:
                    yield self._warn(
                        ("tables", child, "retention"),
                        f"{name!r} is swept, and rows of {child!r} hang on its rows, but their "
                        "rule has no period: the swept rows on which any hang stay",
                    )

    def _unmapped(self) -> Iterator[Finding]:
        for connection, tables in self._live.items():
            mapped = {
                place_of(self._map, name)
                for name, spec in self._map.tables.items()
                if spec.connection == connection
            }
            own = {place for place, seen in tables.items() if not seen.derived}
            for place in sorted(own - mapped, key=str):
                yield self._warn(
                    ("connections", connection),
                    f"the table {place[1]!r} is not in the map: personal data in it reaches nobody",
                )
