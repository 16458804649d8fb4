"""A map of tables alone, every other section at its least: for measurements and for drawn schemas."""

from collections.abc import Iterable, Mapping
from typing import Any

from subjectline.models.datamap.map import DataMap

LABEL = {"ko": "말", "en": "Word"}
KEPT = {"labels": LABEL, "law": LABEL, "period": "5 years"}


def plain_table(columns: Mapping[str, str], connection: str = "one", **said: Any) -> dict[str, Any]:
    """A table with the key `id`; `columns` are names with their types, `said` more keys of a table."""
    listed = {name: {"type": kind, "labels": LABEL} for name, kind in columns.items()}
    base = {"connection": connection, "labels": LABEL, "category": "c", "key": ["id"]}
    return base | {"columns": listed, "purposes": [], "retention": "r"} | said


def plain_map(
    tables: Mapping[str, Mapping[str, Any]],
    home: str,
    *,
    mail: str = "mail",
    fields: Mapping[str, Mapping[str, Any]] | None = None,
    leave: Mapping[str, Mapping[str, Any]] | None = None,
    connections: Iterable[str] = ("one",),
) -> DataMap:
    """The map of `tables`, of which `home` has the key `id` and the address in `mail`.

    The retention rule `r` ends with the membership, `law` after five years; `leave` is `ask` where it is
    not said. Raises ValidationError where the tables do not fit together.
    """
    said: dict[str, Any] = {"labels": LABEL, "category": "c"}
    email: dict[str, Any] = {
        "table": home,
        "column": mail,
        "validator": "email",
        "contact": "email",
    } | said
    company = {"name": LABEL, "officer": LABEL, "phone": "", "email": "", "policy_url": ""}
    return DataMap.model_validate(
        {
            "registry": "plain",
            "company": company,
            "connections": {name: {"labels": LABEL} for name in connections},
            "home": {"table": home, "key": "id"},
            "categories": {"c": LABEL},
            "tables": tables,
            "fields": {"email": email} | {n: said | dict(f) for n, f in (fields or {}).items()},
            "purposes": {},
            "recipients": {},
            "consents": {},
            "retention": {"r": {"labels": LABEL}, "law": KEPT},
            "leave": {name: {"action": "ask"} for name in tables} | dict(leave or {}),
        }
    )
