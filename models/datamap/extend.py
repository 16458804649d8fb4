"""A map on Fides datasets: what they say, our second file over it, and defaults for the rest."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from subjectline.models.datamap import defaults, guess, wording
from subjectline.models.datamap.fides import Collection, Dataset, FidesField, datasets
from subjectline.models.datamap.lines import Lines
from subjectline.models.datamap.whose import Edge, Flow, Inference
from subjectline.models.errors import DataMapError

_KINDS = {"phone_number": "phone"}
_TYPES = {"object": "json"}
_MERGED = ("columns", "references", "labels")


@dataclass
class Found:
    """What the datasets say, under the names of our map."""

    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)  # (dataset, collection)
    edges: list[tuple[str, str, str, str, str, str]] = field(default_factory=list)
    lists: list[tuple[str, str, str, str, str, str]] = field(default_factory=list)  # in arrays
    identities: dict[str, dict[str, str]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    plain: dict[str, dict[str, FidesField]] = field(default_factory=dict)
    categories: dict[str, dict[str, str]] = field(default_factory=dict)
    impersonal: set[str] = field(default_factory=set)


def extended(
    raw: dict[str, Any],
    lines: Lines,
    text: Callable[[str], str],
    without: Sequence[str] = (),
    *,
    bare: bool = False,
) -> dict[str, Any]:
    """The whole map that `raw` with its `datasets` means. `text` gives a dataset file by its name;
    the places of its fields are added to `lines`. `without` names datasets and collections to leave
    out. Where datasets stand alone (`bare`) the table of persons is guessed. Raises DataMapError."""
    made = {key: value for key, value in raw.items() if key != "datasets"}
    found, left = Found(), set(without)
    sources = [s for s in _sources(raw, lines, text) if not {s[0].key, s[1]} & left]
    if not sources:
        raise DataMapError("no dataset is left", field=lines.name, remedy="Leave out fewer.")
    for dataset, connection, left_out in sources:
        _collect(found, dataset, connection, (*left_out, *without), lines)
    _merge(found, made.get("tables"))
    made["tables"] = found.tables
    if bare:
        says = (found.keys, found.identities, found.edges, found.names)
        made["home"] = guess.home(found.tables, *says, lines.name)
    home = defaults.home(made, found.keys, found.identities, found.plain, lines)
    edges = [*_edges(found, home, lines), *_ours(found, raw)]
    _known_by(home, edges, found)
    _mark(found, home)
    if bare:
        _only_known(found, home)
    key = (home["table"], home["key"])
    Inference(found.tables, edges, key, found.identities, found.impersonal).fill()
    _mark_shared(found)
    defaults.connections(made, [connection for _, connection, _ in sources])
    defaults.sections(made, found.categories, sources[0][0].key)
    defaults.fields(made, home, found.plain.get(home["table"], {}), found.identities)
    return made


def _sources(
    raw: dict[str, Any], lines: Lines, text: Callable[[str], str]
) -> Iterable[tuple[Dataset, str, tuple[str, ...]]]:
    """Each dataset with its connection and the collections left out."""
    listed = raw["datasets"]
    if not isinstance(listed, list) or not listed:
        raise DataMapError("datasets is a list of files", field=lines.place(("datasets",)))
    known = list(raw.get("connections") or {})
    for number, item in enumerate(listed):
        entry = {"file": item} if isinstance(item, str) else item
        if not isinstance(entry, dict) or not isinstance(entry.get("file"), str):
            raise DataMapError(
                "a dataset names its file",
                field=lines.place(("datasets", str(number))),
                remedy="Write {file: NAME.yml, connection: NAME}.",
            )
        one = known[0] if len(known) == 1 else None
        for dataset in datasets(text(entry["file"]), entry["file"]):
            only = entry.get("only")
            if only is None or dataset.key in only:
                connection = str(entry.get("connection") or one or dataset.key)
                yield dataset, connection, tuple(entry.get("without") or ())


def _collect(
    found: Found, dataset: Dataset, connection: str, without: tuple[str, ...], lines: Lines
) -> None:
    for collection in dataset.collections:
        if collection.skipped or collection.name in without:
            continue
        name = collection.name.replace(".", "_")
        name = name if name not in found.tables else f"{dataset.key}_{name}"
        lines.add(("tables", name), dataset.file, collection.line)
        found.names[dataset.key, collection.name] = name
        found.keys[name] = [f.name for f in collection.fields if f.primary_key]
        found.plain[name] = {f.name: f for f in collection.fields}
        found.tables[name] = _table(found, dataset, collection, connection, name)
        if _is_impersonal(collection.fields):
            found.impersonal.add(name)
        for one in collection.fields:
            _field(found, dataset, name, one, "", False, lines)


def _table(
    found: Found, dataset: Dataset, collection: Collection, connection: str, name: str
) -> dict[str, Any]:
    paths = [path for one in collection.fields for path in _categories(one)]
    category, said = wording.main_category(paths or collection.categories)
    found.categories[category] = said
    schema, _, place = collection.name.rpartition(".")
    return {
        "connection": connection,
        "table": place if place != name else "",
        "schema_name": schema or dataset.schema or None,
        "labels": wording.labels(collection.name),
        "category": category,
        "key": found.keys[name],
        "columns": {f.name: _column(f, n) for n, f in enumerate(collection.fields, 1)},
        "references": {},
        "purposes": [],
        "retention": "membership",
    }


def _is_impersonal(fields: Iterable[FidesField]) -> bool:
    """Whether every field has a category and none is about a user: the file says so, not we."""
    return all(
        _is_impersonal(one.fields)
        if one.fields
        else one.categories
        and not one.identity
        and not any(path.partition(".")[0] == "user" for path in one.categories)
        for one in fields
    )


def _categories(one: FidesField) -> list[str]:
    return [*one.categories, *(path for nested in one.fields for path in _categories(nested))]


def _column(one: FidesField, number: int) -> dict[str, Any]:
    said = {"ko": f"항목 {number}", "en": f"Item {number}"}
    return {
        "labels": said if one.redact else wording.labels(one.name),
        "type": "json" if one.fields or one.many else _TYPES.get(one.data_type, "unknown"),
        "category": one.categories[0] if one.categories else None,
        "many": one.many,
        "fields": {f.name: _column(f, n) for n, f in enumerate(one.fields, 1)},
    }


def _field(
    found: Found,
    dataset: Dataset,
    table: str,
    one: FidesField,
    before: str,
    many: bool,
    lines: Lines,
) -> None:
    """Its place, references and identity; then those of the nested fields."""
    path, many = before + one.name, many or one.many
    lines.add(("tables", table, "columns", *path.split(".")), dataset.file, one.line)
    for to in one.references:
        place = (table, path, to.dataset or dataset.key, to.table, to.column, to.direction)
        (found.lists if many else found.edges).append(place)
    if one.identity:
        kind = _KINDS.get(one.identity, one.identity)
        if many:
            _raw_column(found.tables[table], path)["person"] = kind
        else:
            found.identities.setdefault(table, {})[path] = kind
    for nested in one.fields:
        _field(found, dataset, table, nested, f"{path}.", many, lines)


def _raw_column(table: dict[str, Any], path: str) -> dict[str, Any]:
    first, *rest = path.split(".")
    column: dict[str, Any] = table["columns"][first]
    for name in rest:
        column = column["fields"][name]
    return column


def _merge(found: Found, ours: Any) -> None:
    """Our tables over those of the datasets: what we say counts."""
    for name, said in (ours or {}).items():
        if name not in found.tables or not isinstance(said, dict):
            found.tables[name] = said
            continue
        table = found.tables[name]
        for key, value in said.items():
            merge = key in _MERGED and isinstance(value, dict)
            table[key] = _over(table.get(key) or {}, value) if merge else value


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    made = dict(below)
    for key, value in above.items():
        nested = isinstance(value, dict) and isinstance(made.get(key), dict)
        if key in made or not isinstance(value, dict) or "ko" in value:
            made[key] = _over(made[key], value) if nested else value
        else:  # a column that the dataset does not have
            made[key] = {"labels": wording.labels(key), "type": "unknown", **value}
    return made


def _edges(found: Found, home: dict[str, Any], lines: Lines) -> Iterable[Edge]:
    """References as child and parent, and written so into the tables."""
    for table, column, dataset, collection, there, direction in (*found.edges, *found.lists):
        other = found.names.get((dataset, collection))
        if other is None:
            lines.notes.append(
                (
                    ("tables", table, "columns", column),
                    f"refers to {dataset}.{collection}, which is not in the map",
                )
            )
            continue
        edge = _edge(found, home, (table, column), (other, there), direction)
        if _many(found, edge.parent, edge.key):
            told = f"refers into a list ({edge.parent}.{edge.key}), which is not followed"
            lines.notes.append((("tables", table, "columns", *column.split(".")), told))
            continue
        edge = replace(edge, many=_many(found, edge.child, edge.column))
        places = found.tables[edge.child].setdefault("references", {})
        listed = places.setdefault(edge.column, [])
        if isinstance(listed, list) and f"{edge.parent}.{edge.key}" not in listed:
            listed.append(f"{edge.parent}.{edge.key}")
        yield edge


def _edge(
    found: Found,
    home: dict[str, Any],
    here: tuple[str, str],
    there: tuple[str, str],
    direction: str,
) -> Edge:
    """Whoever has the key is the parent, whichever side the dataset writes the reference on."""
    key = (home["table"], home["key"])
    whole_here = found.keys.get(here[0]) == [here[1]]
    whole_there = found.keys.get(there[0]) == [there[1]]
    if here == key or (there != key and whole_here and not whole_there):
        flows: dict[str, Flow] = {"from": "up", "to": "down"}
        return Edge(*there, *here, flows.get(direction, "both"))
    flows = {"from": "down", "to": "up"}
    return Edge(*here, *there, flows.get(direction, "both"))


def _many(found: Found, table: str, path: str) -> bool:
    """Whether an array stands on the way to `path`."""
    columns: Any = found.tables.get(table, {}).get("columns") or {}
    for name in path.split("."):
        column = columns.get(name) if isinstance(columns, dict) else None
        if not isinstance(column, dict):
            return False
        if column.get("many"):
            return True
        columns = column.get("fields") or {}
    return False


def _ours(found: Found, raw: dict[str, Any]) -> Iterable[Edge]:
    """The references that our own file adds; they may be followed both ways."""
    for name, table in (raw.get("tables") or {}).items():
        for column, places in ((table or {}).get("references") or {}).items():
            for place in [places] if isinstance(places, str) else places:
                parent, _, key = str(place).partition(".")
                yield Edge(name, column, parent, key, "both", _many(found, name, column))


def _mark(found: Found, home: dict[str, Any]) -> None:
    """Member ids in arrays: an object that names somebody else is cut out."""
    for table, column, dataset, collection, there, _ in found.lists:
        if (found.names.get((dataset, collection)), there) == (home["table"], home["key"]):
            _raw_column(found.tables[table], column)["person"] = "key"


def _mark_shared(found: Found) -> None:
    """The same inside a JSON column of a row that may be of two persons."""
    for table in found.tables.values():
        named = dict.fromkeys(table.get("owners") or (), "key") | (table.get("identities") or {})
        for path, kind in named.items():
            if "." in path and len(named) > 1:
                _raw_column(table, path)["person"] = kind


def _only_known(found: Found, home: dict[str, Any]) -> None:
    """Identities that home knows nothing of (a card number) tell no rows, where no file of ours says
    which column of home they are."""
    for table, columns in list(found.identities.items()):
        left = {column: kind for column, kind in columns.items() if kind in home["identity"]}
        found.identities[table] = left


def _known_by(home: dict[str, Any], edges: Iterable[Edge], found: Found) -> None:
    """A reference to another column of home than its key is an identity: it may not be unique."""
    kinds = {column: kind for kind, column in home["identity"].items()}
    for edge in edges:
        if edge.parent == home["table"] and edge.key != home["key"] and edge.child != edge.parent:
            kind = kinds.setdefault(edge.key, edge.key)
            home["identity"].setdefault(kind, edge.key)
            if edge.many:
                _raw_column(found.tables[edge.child], edge.column)["person"] = kind
                continue
            found.identities.setdefault(edge.child, {})[edge.column] = kind
