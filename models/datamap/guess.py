"""Which table has one row a person, where datasets stand alone and nobody has said so."""

from collections.abc import Iterable, Mapping
from typing import Any

from subjectline.models.errors import DataMapError

_CONTACTS = ("email", "phone")
_Edge = tuple[str, str, str, str, str, str]  # table, column, dataset, collection, column, direction


def home(
    tables: Mapping[str, Mapping[str, Any]],
    keys: Mapping[str, list[str]],
    identities: Mapping[str, Mapping[str, str]],
    edges: Iterable[_Edge],
    names: Mapping[tuple[str, str], str],
    file: str,
) -> dict[str, str]:
    """`home` as a map would say it: of the tables with exactly one contact the one that most others
    refer to, with its key (or the column that they refer to). `file` stands in errors.

    Raises DataMapError."""
    referred = _referred(edges, names)
    found: list[tuple[tuple[int, int], str, str]] = []
    for table, columns in identities.items():
        key = _key(keys.get(table, []), referred.get(table, {}), columns)
        contacts = [kind for path, kind in columns.items() if kind in _CONTACTS and "." not in path]
        if key and contacts and len(set(contacts)) == len(contacts):
            users = {user for here in referred.get(table, {}).values() for user in here}
            found.append(((len(users), len(tables[table]["columns"])), table, key))
    if not found:
        raise DataMapError(
            "no collection has an email or phone number as identity and a key of one field",
            field=file,
            remedy="Say it in a map of yours: datasets: [FILE.yml], home: {table: NAME, key: NAME}.",
        )
    _, table, key = max(found, key=lambda weighed: weighed[0])
    return {"table": table, "key": key}


def _referred(
    edges: Iterable[_Edge], names: Mapping[tuple[str, str], str]
) -> dict[str, dict[str, set[str]]]:
    """Table -> column -> the tables that refer to it, whichever side says so."""
    referred: dict[str, dict[str, set[str]]] = {}
    for table, column, dataset, collection, there, _ in edges:
        other = names.get((dataset, collection))
        if other and other != table:
            referred.setdefault(other, {}).setdefault(there, set()).add(table)
            referred.setdefault(table, {}).setdefault(column, set()).add(other)
    return referred


def _key(
    said: list[str], referred: Mapping[str, set[str]], identities: Mapping[str, str]
) -> str | None:
    if len(said) == 1 and "." not in said[0]:
        return said[0]
    plain = {c: users for c, users in referred.items() if "." not in c and c not in identities}
    return max(plain, key=lambda c: len(plain[c])) if plain and not said else None
