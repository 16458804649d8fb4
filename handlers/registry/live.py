"""What a live database says of itself: tables, columns, keys. Read once, a few queries a schema."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, Inspector, inspect, text, types
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine.reflection import ObjectKind
from sqlalchemy.exc import SAWarning
from sqlalchemy.ext.asyncio import AsyncConnection

from subjectline.models.datamap import DataMap

Reading = Callable[[str], AbstractAsyncContextManager[AsyncConnection]]
Kind = Literal["text", "integer", "decimal", "boolean", "date", "datetime", "uuid", "json", "other"]


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """A column as the database has it; `length` of a text, None where it has no limit."""

    kind: Kind
    nullable: bool
    length: int | None = None
    written: str = ""


@dataclass(frozen=True, slots=True)
class LiveTable:
    """A table or view as the database has it. `unique` are the sets of columns that are unique besides
    the key, `foreign` says column -> (schema, table, column), `indexed` the first columns of indexes.
    `derived`: a view, or a part of a table that is split: its rows stand elsewhere."""

    columns: dict[str, LiveColumn]
    key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    foreign: dict[str, tuple[str | None, str, str]] = field(default_factory=dict)
    indexed: frozenset[str] = frozenset()
    derived: bool = False

    def is_unique(self, column: str) -> bool:
        return (column,) in (self.key, *self.unique)


Live = dict[tuple[str | None, str], LiveTable]


async def look(connection: AsyncConnection, schemas: Iterable[str | None] = (None,)) -> Live:
    """Every table of the `schemas` (None is the database's default one)."""
    found: Live = {}
    for schema in dict.fromkeys(schemas):
        found |= await connection.run_sync(_tables, schema)
    return found


def _tables(connection: Connection, schema: str | None) -> Live:
    seen = inspect(connection)
    options: dict[str, Any] = {"schema": schema, "kind": ObjectKind.ANY}
    with warnings.catch_warnings():  # a type that SQLAlchemy does not know is `other`
        warnings.filterwarnings("ignore", "Did not recognize type", SAWarning)
        columns = seen.get_multi_columns(**options)
    keys: Mapping[Any, Any] = seen.get_multi_pk_constraint(**options)
    unique = seen.get_multi_unique_constraints(**options)
    foreign = seen.get_multi_foreign_keys(**options)
    indexes = seen.get_multi_indexes(**options)
    derived = _derived(connection, seen, schema)
    made: Live = {}
    for place, listed in columns.items():
        by_index = [i for i in indexes.get(place, ()) if i.get("column_names")]
        sets = [tuple(u["column_names"]) for u in unique.get(place, ())]
        sets += [tuple(map(str, i["column_names"])) for i in by_index if i["unique"]]
        primary = (keys.get(place) or {}).get("constrained_columns") or []
        firsts = [s[0] for s in (*sets, tuple(primary)) if s]
        firsts += [str(i["column_names"][0]) for i in by_index]
        made[place] = LiveTable(
            {str(c["name"]): _column(c) for c in listed},
            tuple(primary),
            tuple(sets),
            _foreign(foreign.get(place, ())),
            frozenset(firsts),
            place[1] in derived,
        )
    return made


_PARTS = text(
    "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relispartition AND n.nspname = coalesce(:schema, current_schema())"
)


def _derived(connection: Connection, seen: Inspector, schema: str | None) -> set[str]:
    views = set(seen.get_view_names(schema))
    if connection.dialect.name != "postgresql":
        return views
    parts = connection.scalars(_PARTS, {"schema": schema}).all()
    return views | set(seen.get_materialized_view_names(schema)) | set(parts)


async def schemas(connection: AsyncConnection) -> list[str]:
    """The names of the database's schemas, without its own and the default one."""
    return await connection.run_sync(_schemas)


def _schemas(connection: Connection) -> list[str]:
    seen = inspect(connection)
    own = ("information_schema", seen.default_schema_name)
    return [n for n in seen.get_schema_names() if n not in own and not n.startswith("pg_")]


def _column(raw: Mapping[str, Any]) -> LiveColumn:
    kind: types.TypeEngine[Any] = raw["type"]
    length = getattr(kind, "length", None) if isinstance(kind, types.String) else None
    return LiveColumn(_kind(kind), bool(raw.get("nullable", True)), length, _written(kind))


def _foreign(listed: Iterable[Any]) -> dict[str, tuple[str | None, str, str]]:
    return {
        key["constrained_columns"][0]: (
            key.get("referred_schema"),
            key["referred_table"],
            key["referred_columns"][0],
        )
        for key in listed
        if len(key["constrained_columns"]) == 1 and key["referred_columns"]
    }


_KINDS: tuple[tuple[type[types.TypeEngine[Any]], Kind], ...] = (
    (types.Enum, "other"),
    (postgresql.MONEY, "other"),
    (types.Boolean, "boolean"),
    (types.Integer, "integer"),
    (types.Numeric, "decimal"),
    (types.DateTime, "datetime"),
    (types.Date, "date"),
    (types.Uuid, "uuid"),
    (types.JSON, "json"),
    (types.String, "text"),
    (types.NullType, "other"),
)


def _kind(kind: types.TypeEngine[Any]) -> Kind:
    return next((word for known, word in _KINDS if isinstance(kind, known)), "other")


def _written(kind: types.TypeEngine[Any]) -> str:
    try:
        return str(kind)
    except Exception:  # a type that SQLAlchemy cannot write out
        return type(kind).__name__


def schemas_of(data_map: DataMap, connection: str) -> list[str | None]:
    """The schemas that the map's tables of a connection stand in."""
    default = data_map.connections[connection].schema_name
    named = [
        t.schema_name or default for t in data_map.tables.values() if t.connection == connection
    ]
    return list(dict.fromkeys(named))


def place_of(data_map: DataMap, table: str) -> tuple[str | None, str]:
    """(schema, name) of a table of the map in its database."""
    spec = data_map.tables[table]
    default = data_map.connections[spec.connection].schema_name
    return spec.schema_name or default, spec.table or table


async def live_of(data_map: DataMap, reading: Reading) -> dict[str, Live]:
    """What every connection of the map has."""
    found: dict[str, Live] = {}
    for name in data_map.connections:
        async with reading(name) as connection:
            found[name] = await look(connection, schemas_of(data_map, name))
    return found


def fitted(data_map: DataMap, live: Mapping[str, Live]) -> DataMap:
    """The map with the types and keys that it left to the databases. What a database does not have is
    left as it is; `map check` tells it."""
    tables = dict(data_map.tables)
    for name, spec in data_map.tables.items():
        seen = live.get(spec.connection, {}).get(place_of(data_map, name))
        if seen is None:
            continue
        columns = {
            c: column.model_copy(update={"type": seen.columns[c].kind})
            if column.type == "unknown" and c in seen.columns
            else column
            for c, column in spec.columns.items()
        }
        key = spec.key or (seen.key if set(seen.key) <= set(columns) else ())
        tables[name] = spec.model_copy(update={"columns": columns, "key": key})
    return data_map.model_copy(update={"tables": tables, "home": _home(data_map, tables)})


def _home(data_map: DataMap, tables: Mapping[str, Any]) -> Any:
    """Home with the form of its key, where no file says one."""
    kind = tables[data_map.home.table].columns[data_map.home.key].type
    left = data_map.tables[data_map.home.table].columns[data_map.home.key].type == "unknown"
    if not left or data_map.says("home", "form") or kind not in ("integer", "uuid"):
        return data_map.home
    return data_map.home.model_copy(update={"form": kind})
