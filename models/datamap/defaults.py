"""What a second file need not say: sensible defaults, each of which it may say otherwise."""

from collections.abc import Iterable, Mapping
from typing import Any

from subjectline.models.datamap import wording
from subjectline.models.datamap.fides import FidesField
from subjectline.models.datamap.lines import Lines
from subjectline.models.errors import DataMapError

_FORMS = {"integer": "integer", "string": "text"}
_CONTACTS = {"email": "email", "phone": "phone_kr"}
_RIGHTS = {
    "labels": {
        "ko": "정보주체 권리 요구의 처리",
        "en": "Handling requests about personal data",
    },
    "basis": "law",
    "law": {
        "ko": "개인정보 보호법 제35조부터 제38조까지",
        "en": "Personal Information Protection Act, Articles 35 to 38",
    },
    "fields": ["*"],
}
_MEMBERSHIP = {"labels": {"ko": "회원 탈퇴 시까지", "en": "Until the membership ends"}}


def home(
    made: dict[str, Any],
    keys: Mapping[str, list[str]],
    identities: Mapping[str, Mapping[str, str]],
    plain: Mapping[str, Mapping[str, FidesField]],
    lines: Lines,
) -> dict[str, Any]:
    """`home` with its key, form and identity columns filled in. Raises DataMapError."""
    said = made.get("home")
    said = {"table": said} if isinstance(said, str) else said
    if not isinstance(said, dict) or said.get("table") not in made["tables"]:
        raise DataMapError(
            "home names the table where a person is one row",
            field=f"{lines.place(('home',))} home",
            remedy=f"Write home: {{table: NAME}}. Known: {', '.join(list(made['tables'])[:12])}.",
        )
    table = said["table"]
    key = said.get("key") or (keys[table][0] if len(keys.get(table, ())) == 1 else None)
    if key is None:
        raise DataMapError(
            f"the key of {table!r} is not known",
            field=f"{lines.place(('home',))} home.key",
            remedy="Name the column of the member id: home: {key: NAME}.",
        )
    field = plain.get(table, {}).get(key)
    known = {kind: column for column, kind in identities.get(table, {}).items()}
    filled = {"form": _FORMS.get(field.data_type if field else "", "text"), **said, "key": key}
    filled["identity"] = {**known, **(said.get("identity") or {})}
    made["home"] = filled
    return filled


def connections(made: dict[str, Any], names: Iterable[str]) -> None:
    """A connection for every dataset, with labels."""
    listed = dict(made.get("connections") or {})
    for name in (*listed, *names):
        listed[name] = {"labels": wording.labels(name), **(listed.get(name) or {})}
    made["connections"] = listed


def sections(made: dict[str, Any], categories: Mapping[str, Any], name: str) -> None:
    """Every section that the second file leaves out."""
    said = wording.labels(name)
    company = {"name": said, "officer": said, "phone": "", "email": "", "policy_url": ""}
    made.setdefault("registry", name)
    made.setdefault("company", company)
    made["categories"] = {**categories, **(made.get("categories") or {})}
    made["retention"] = {"membership": _MEMBERSHIP, **(made.get("retention") or {})}
    made["purposes"] = {"rights-handling": _RIGHTS, **(made.get("purposes") or {})}
    for section in ("recipients", "consents"):
        made.setdefault(section, {})
    leave = {table: {"action": "ask"} for table in made["tables"]}
    made["leave"] = {**leave, **(made.get("leave") or {})}


def fields(
    made: dict[str, Any],
    home: Mapping[str, Any],
    plain: Mapping[str, FidesField],
    identities: Mapping[str, Mapping[str, str]],
) -> None:
    """A field for what home says about a person; the contacts with their copies elsewhere."""
    said = made.get("fields") or {}
    table = made["tables"][home["table"]]
    taken = {f.get("column", name) for name, f in said.items() if isinstance(f, dict)}
    kinds = {column: kind for kind, column in home["identity"].items() if kind in _CONTACTS}
    filled = dict[str, Any]()
    for name, column in plain.items():
        kind = kinds.get(name)
        personal = any(path.startswith("user") for path in column.categories)
        free = name != home["key"] and name not in table["references"] and not column.fields
        if name not in taken and free and (personal or kind):
            filled[kind or name] = _field(home["table"], name, column, table)
    for name, field in said.items():
        column_name = field.get("column", name) if isinstance(field, dict) else name
        below = _field(home["table"], column_name, plain.get(column_name), table)
        filled[name] = {**below, **field} if isinstance(field, dict) else field
    for name, field in filled.items():
        if kind := kinds.get(field.get("column", "")):
            _contact(field, kind, made["tables"], home["table"], identities)
        if name not in filled or field.get("category") not in made["categories"]:
            key, words = wording.category(str(field.get("category") or "user"))
            made["categories"].setdefault(key, words)
            field["category"] = key
    made["fields"] = filled


def _field(
    home: str, name: str, column: FidesField | None, table: Mapping[str, Any]
) -> dict[str, Any]:
    length = column.length if column else None
    paths = column.categories if column else ()
    said = (table["columns"].get(name) or {}).get("labels") or wording.labels(name)
    return {
        "table": home,
        "column": name,
        "labels": said,
        "category": next((p for p in paths if p.startswith("user")), "user"),
        "validator": {"kind": "text", "max_length": length} if length else {"kind": "text"},
        "correctable": not (column and column.read_only),
    }


def _contact(
    field: dict[str, Any],
    kind: str,
    tables: Mapping[str, Any],
    home: str,
    identities: Mapping[str, Mapping[str, str]],
) -> None:
    """A contact, and where other tables know the person by it: those copies are corrected too."""
    field.setdefault("contact", kind)
    if field["validator"] in ({"kind": "text"}, {}) or "max_length" in field["validator"]:
        field["validator"] = _CONTACTS[kind]
    if "copies" in field:
        return
    field["copies"], manual = [], list(field.get("manual") or ())
    for table, columns in identities.items():
        for column, known_by in columns.items():
            if table == home or known_by != kind:
                continue
            if "." in column or column in tables[table]["key"] or _unowned(tables[table]):
                words = tables[table]["labels"]
                manual.append({"labels": words, "place": f"{table}.{column}"})
            else:
                field["copies"].append({"table": table, "column": column, "same": True})
    field["manual"] = manual


def _unowned(table: Mapping[str, Any]) -> bool:
    return bool(table.get("belongs", "person") != "person")
