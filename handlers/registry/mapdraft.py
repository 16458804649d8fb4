"""`subjectline map draft`: a first map from a live database. What is guessed says so in the file."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from subjectline.handlers.registry.live import Live, LiveColumn, LiveTable
from subjectline.models.datamap import wording
from subjectline.models.datamap.tables import split
from subjectline.models.datamap.whose import Edge, Inference
from subjectline.models.errors import SettingsError

GUESS = "  # guess"
_HOME = frozenset(
    "member members customer customers user users account accounts person persons people client"
    " clients app_user patient subscriber".split()
)
_SECRET = re.compile(r"passw|secret|token|salt|_hash$|^hash")
_FIELDS: tuple[tuple[re.Pattern[str], str, str, str], ...] = (
    (re.compile(r"(^|_)e_?mail_?(addr(ess)?)?$"), "email", "email", "user.contact.email"),
    (re.compile(r"phone|mobile|(^|_)tel($|_)"), "phone", "phone_kr", "user.contact.phone_number"),
    (re.compile(r"birth|(^|_)dob$"), "birth_date", "birth_date", "user.demographic"),
    (re.compile(r"nick"), "nickname", "nickname", "user.name"),
    (re.compile(r"(^|_)address$|street|(^|_)zip$|city$"), "", "address", "user.contact.address"),
    (re.compile(r"account_(no|number)|iban"), "", "account_number", "user.financial"),
    (re.compile(r"(^|_)name$"), "", "name", "user.name"),
    (re.compile(r"card|bank|pay"), "", "", "user.financial"),
    (re.compile(r"(^|_)ip($|_)|agent|cookie|device"), "", "", "user.device"),
    (re.compile(r"gender|(^|_)sex$|age$"), "", "", "user.demographic"),
)


# Tables that are catalogues by their name, where nothing in them looks like a person's.
_CATALOGUE = re.compile(
    r"^(product|categor|genre|media_?type|album|artist|track|song|film|movie|book|actor|language|countr"
    r"|city$|cities$|region|territor|(us_?)?states?$|currenc|brand|colou?r|model|material|size)"
)

_CONTACTS = re.compile(r"e_?mail|phone|mobile|contact")


@dataclass
class _Draft:
    live: dict[str, LiveTable]
    places: dict[str, tuple[str | None, str]]
    schema: str | None
    home: str
    key: str
    sure: set[tuple[str, str]] = field(default_factory=set)
    references: dict[str, dict[str, str]] = field(default_factory=dict)
    ways: dict[str, tuple[str, Any]] = field(default_factory=dict)


def draft(live: Live, connection: str) -> str:
    """A map in YAML of the tables in `live`, for a connection of this name; without views, and without
    the parts of a table that is split. Raises SettingsError where there is no table."""
    places = _named(live)
    tables = {name: _seen(live[place], place, places) for name, place in sorted(places.items())}
    if not tables:
        raise SettingsError("the database has no tables", remedy="Name another, or --schema NAME.")
    schemas = {schema for schema, _ in places.values()}
    schema = schemas.pop() if len(schemas) == 1 else None
    home = _home(tables)
    key = tables[home].key[0] if len(tables[home].key) == 1 else next(iter(tables[home].columns))
    made = _Draft(tables, places, schema, home, key)
    for name, seen in tables.items():
        _relate(made, name, seen)
    _belong(made)
    return "\n".join(_lines(made, connection)) + "\n"


def _named(live: Live) -> dict[str, tuple[str | None, str]]:
    """A name for each table: its own, with the schema before it where two have the same."""
    own = [place for place, seen in live.items() if not seen.derived]
    twice = {name for _, name in own if sum(other == name for _, other in own) > 1}
    return {f"{s}_{name}" if name in twice and s else name: (s, name) for s, name in own}


def _seen(
    seen: LiveTable, here: tuple[str | None, str], places: dict[str, tuple[str | None, str]]
) -> LiveTable:
    """The table with its references by our names; those into what is not drafted are left out."""
    names = {place: name for name, place in places.items()}
    foreign: dict[str, tuple[str | None, str, str]] = {}
    for column, (schema, to, there) in seen.foreign.items():
        if name := names.get((schema, to)) or names.get((here[0], to)):
            foreign[column] = (schema, name, there)
    return replace(seen, foreign=foreign)


def _home(tables: dict[str, LiveTable]) -> str:
    """The table of persons: by its name, a contact in it, and how many others refer to it."""
    referred: dict[str, int] = {}
    for seen in tables.values():
        for _, to, _ in seen.foreign.values():
            referred[to] = referred.get(to, 0) + 1

    def weight(name: str) -> tuple[int, int, int]:
        contact = any(_kind(c)[0] in ("email", "phone") for c in tables[name].columns)
        named = name.lower() in _HOME
        return (named + contact, referred.get(name, 0), len(tables[name].key) == 1)

    return max(tables, key=weight)


def _relate(made: _Draft, name: str, seen: LiveTable) -> None:
    found = made.references.setdefault(name, {})
    for column, (_, to, there) in seen.foreign.items():
        if to in made.live:
            found[column] = f"{to}.{there}"
            made.sure.add((name, column))
    for column, about in seen.columns.items():
        if column not in found and (place := _by_name(made, name, column, about)):
            found[column] = place


def _by_name(made: _Draft, name: str, column: str, about: LiveColumn) -> str | None:
    """`customer_id` refers to customer or customers, if its key has the same type."""
    stem = re.sub(r"_(id|no|key|uuid)$", "", column.lower())
    if stem == column.lower():
        return None
    for table in (stem, f"{stem}s", f"{stem}es", re.sub(r"y$", "ies", stem)):
        seen = made.live.get(table)
        if seen and table != name and len(seen.key) == 1:
            if seen.columns[seen.key[0]].kind == about.kind:
                return f"{table}.{seen.key[0]}"
    return None


def _belong(made: _Draft) -> None:
    """As for a dataset: by owner, by a contact, through a parent, by use; else unknown."""
    raw: dict[str, dict[str, Any]] = {name: {} for name in made.live}
    for name in _catalogues(made):
        raw[name]["belongs"] = "nobody"
    for name, found in made.references.items():
        raw[name]["references"] = {column: [place] for column, place in found.items()}
    edges = [
        Edge(name, column, *split(place), "both")
        for name, found in made.references.items()
        for column, place in found.items()
    ]
    contacts = {_kind(column)[0] for column in made.live[made.home].columns} & {"email", "phone"}
    known = {
        name: {c: _kind(c)[0] for c in seen.columns if _kind(c)[0] in contacts}
        for name, seen in made.live.items()
    }
    Inference(raw, edges, (made.home, made.key), known).fill()
    made.ways = {name: way for name, table in raw.items() if (way := _way(table))}


def _catalogues(made: _Draft) -> Iterator[str]:
    for name, seen in made.live.items():
        told = [c for c in seen.columns if c.lower() not in name.lower()]  # a city's city
        plain = all(_kind(column)[2] in ("", "user.name") for column in told)
        named = _CATALOGUE.match(name.lower()) and name != made.home
        if plain and named and not _leads_home(made, name, set()):
            yield name


def _leads_home(made: _Draft, name: str, above: set[str]) -> bool:
    if name == made.home:
        return True
    parents = {split(place)[0] for place in made.references[name].values()} - above
    return any(_leads_home(made, parent, above | {name, *parents}) for parent in parents)


def _way(table: dict[str, Any]) -> tuple[str, Any] | None:
    for way in ("owners", "through", "identities", "used_by"):
        if table.get(way):
            return way, table[way]
    belongs = table.get("belongs")
    return (str(belongs), table.get("why", "")) if belongs else None


def _lines(made: _Draft, connection: str) -> Iterator[str]:
    yield "# A first map, drafted from the live database. Read every line: what says guess is guessed,"
    yield "# and tables that belong to nobody known are withheld from everybody until you say whose"
    yield "# they are. Then: subjectline map check"
    yield f"registry: {_word(connection)}{GUESS}"
    yield "company:" + GUESS
    yield f"  name: {_both(wording.UNNAMED)}  # no letter leaves before it is named"
    yield "  officer: {ko: 개인정보 보호책임자, en: Privacy officer}"
    yield '  phone: ""'
    yield '  email: ""'
    yield '  policy_url: ""'
    schema = f", schema: {_word(made.schema)}" if made.schema else ""
    yield f"connections:\n  {_word(connection)}: {{labels: {_labels(connection)}{schema}}}"
    kind = made.live[made.home].columns[made.key].kind
    form = kind if kind in ("integer", "uuid") else "text"
    yield f"home: {{table: {_word(made.home)}, key: {_word(made.key)}, form: {form}}}{GUESS}"
    yield "categories:"
    for name, said in sorted(_categories(made).items()):
        yield f"  {name}: {_both(said)}"
    yield "tables:"
    for name, seen in made.live.items():
        yield from _table(made, connection, name, seen)
    yield "fields:" + GUESS
    yield from _fields(made)
    yield from _rest(made)


def _table(made: _Draft, connection: str, name: str, seen: LiveTable) -> Iterator[str]:
    yield f"  {_word(name)}:"
    yield f"    connection: {_word(connection)}"
    schema, place = made.places[name]
    if place != name:
        yield f"    table: {_word(place)}"
    if schema != made.schema:
        yield f"    schema_name: {_word(schema or 'public')}"
    yield f"    labels: {_labels(name)}{GUESS}"
    yield f"    category: {_category(seen)[0]}{GUESS}"
    yield f"    key: [{', '.join(map(_word, seen.key))}]" + ("" if seen.key else "  # none found")
    yield from _whose(made, name)
    if references := made.references[name]:
        yield "    references:"
        for column, place in references.items():
            yield f"      {_word(column)}: {_word(place)}{_mark(made, name, column)}"
    yield "    purposes: []"
    yield "    retention: membership"
    yield "    columns:"
    for column, about in seen.columns.items():
        hidden = ", hidden: true" if _SECRET.search(column.lower()) else ""
        yield f"      {_word(column)}: {{type: {about.kind}, labels: {_labels(column)}{hidden}}}"


def _whose(made: _Draft, name: str) -> Iterator[str]:
    way, value = made.ways.get(name, ("", ""))
    if way == "owners":
        yield f"    owners: [{_word(value[0])}]{_mark(made, name, value[0])}"
    elif way == "through":
        yield f"    through: {_word(value)}{_mark(made, name, value)}"
    elif way == "identities":
        told = ", ".join(f"{_word(column)}: {kind}" for column, kind in value.items())
        yield f"    identities: {{{told}}}{GUESS}"
    elif way == "used_by":
        yield f"    used_by: [{', '.join(map(_word, value))}]{GUESS}"
    elif way == "nobody":
        yield f"    belongs: nobody{GUESS}: a catalogue"
    elif way:
        yield f"    belongs: unknown  # {value}"


def _mark(made: _Draft, table: str, column: str) -> str:
    return "" if (table, column) in made.sure else GUESS


def _fields(made: _Draft) -> Iterator[str]:
    """What home says about a person; the first email and phone are the contacts. Where home has none,
    those of tables of contacts with one owner."""
    found = list(_items(made, made.home, set()))
    taken = at_home = {contact for _, _, contact in found if contact}
    for name, (way, _) in made.ways.items():
        if at_home or way != "owners" or not _CONTACTS.search(name.lower()):
            continue
        found += [item for item in _items(made, name, taken) if item[2]]
        taken = {contact for _, _, contact in found if contact}
    for table, column, contact in found:
        yield from _field(made, table, column, contact)
    if not found:
        yield "  {}"
    if not taken:
        yield "  # No column looks like an email address or a phone number: mark one with contact: email"


def _items(made: _Draft, table: str, taken: set[str]) -> Iterator[tuple[str, str, str]]:
    """(table, column, email, phone or nothing) of what a table says about a person."""
    taken = set(taken)
    for column in made.live[table].columns:
        kind, validator, category = _kind(column)
        refers = column == made.key or column in made.references[table]
        if refers or _SECRET.search(column.lower()) or not (validator and category):
            continue
        contact = kind if kind in ("email", "phone") and kind not in taken else ""
        taken.add(contact)
        yield table, column, contact


def _field(made: _Draft, table: str, column: str, contact: str) -> Iterator[str]:
    _, validator, category = _kind(column)
    length = made.live[table].columns[column].length
    limit = f", max_length: {length}" if length else ""
    yield f"  {_word(contact or column)}:"
    yield f"    table: {_word(table)}"
    yield f"    column: {_word(column)}"
    yield f"    labels: {_labels(column)}"
    yield f"    category: {wording.category(category)[0]}"
    yield f"    validator: {{kind: {validator}{limit}}}"
    if contact:
        yield f"    contact: {contact}"
        yield from _copies(made, table, column)


def _copies(made: _Draft, table: str, column: str) -> Iterator[str]:
    """Columns of the same name in rows of the same person: only where they hold the old value."""
    places = [
        f"{{table: {_word(name)}, column: {_word(column)}, same: true}}"
        for name, seen in made.live.items()
        if name not in (table, made.home)
        and column in seen.columns
        and column not in seen.key
        and made.ways[name][0] not in ("unknown", "nobody")
    ]
    if places:
        yield f"    copies: [{', '.join(places)}]{GUESS}"


def _rest(made: _Draft) -> Iterator[str]:
    rights = '{ko: "개인정보 보호법 제35조부터 제38조까지", en: "PIPA, Articles 35 to 38"}'
    yield "purposes:  # add yours, each with its basis"
    yield "  rights-handling:"
    yield "    labels: {ko: 정보주체 권리 요구의 처리, en: Handling requests about personal data}"
    yield "    basis: law"
    yield f"    law: {rights}"
    yield '    fields: ["*"]'
    yield "recipients: {}  # who else gets data"
    yield "consents: {}  # which columns hold a consent"
    yield "retention:"
    yield "  membership: {labels: {ko: 회원 탈퇴 시까지, en: Until the membership ends}}" + GUESS
    yield "leave:  # delete, keep or anonymise; ask means that an agent decides"
    for name in made.live:
        yield f"  {_word(name)}: {{action: ask}}"


def _kind(column: str) -> tuple[str, str, str]:
    """(contact or field, validator, category) of a column by its name; empty where nothing is known."""
    for pattern, name, validator, category in _FIELDS:
        if pattern.search(column.lower()):
            return name, validator, category
    return "", "", ""


def _category(seen: LiveTable) -> tuple[str, dict[str, str]]:
    return wording.main_category(path for path in map(lambda c: _kind(c)[2], seen.columns) if path)


def _categories(made: _Draft) -> dict[str, dict[str, str]]:
    found = dict(_category(seen) for seen in made.live.values())
    for column in (column for seen in made.live.values() for column in seen.columns):
        if path := _kind(column)[2]:
            name, said = wording.category(path)
            found[name] = said
    return found


def _labels(name: str) -> str:
    return _both(wording.labels(name))


def _both(said: dict[str, str]) -> str:
    return f"{{ko: {_word(said['ko'])}, en: {_word(said['en'])}}}"


def _word(text: str) -> str:
    """A scalar as YAML writes it; quoted where YAML could read something else in it."""
    plain = re.fullmatch(r"[^\W\d][\w.-]*( [\w.-]+)*", text)
    special = text.lower() in ("yes", "no", "on", "off", "true", "false", "null", "y", "n", "none")
    return text if plain and not special else json.dumps(text, ensure_ascii=False)


def connection_name(words: Iterable[str]) -> str:
    """A name for a connection: the last part of its URL that is a word."""
    for word in reversed(list(words)):
        if name := re.sub(r"\W+", "_", word).strip("_"):
            return name
    return "members"
