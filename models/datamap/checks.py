"""Cross-checks: every name in the map must lead somewhere."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from subjectline.models.datamap.sections import Sections
from subjectline.models.datamap.tables import Table, split


@dataclass(frozen=True)
class Problem:
    """What is wrong, at which keys of the file, and the way out."""

    where: tuple[str, ...]
    rule: str
    remedy: str = ""


def problems(m: Sections) -> Iterator[Problem]:
    """All problems of a map, parents first, so that the first one names the cause."""
    for name, table in m.tables.items():
        yield from _table(m, name, table)
    yield from _home(m)
    for check in (_ownership, _fields, _purposes, _recipients, _consents, _leave, _callers):
        yield from check(m)
    for check in (_erasing, _archive, _case_files, _sweeping):
        yield from check(m)


def _unknown(
    where: tuple[str, ...], kind: str, names: Iterable[str], known: Iterable[str]
) -> Iterator[Problem]:
    known = tuple(known)
    for name in names:
        if name not in known:
            yield Problem(where, f"there is no {kind} {name!r} in the map", _known(known))


def _known(known: tuple[str, ...]) -> str:
    return f"Known: {', '.join(known[:12])}{', …' if len(known) > 12 else ''}."


def _table(m: Sections, name: str, table: Table) -> Iterator[Problem]:
    at = ("tables", name)
    yield from _unknown((*at, "connection"), "connection", [table.connection], m.connections)
    yield from _unknown((*at, "category"), "category", [table.category], m.categories)
    yield from _unknown((*at, "purposes"), "purpose", table.purposes, m.purposes)
    yield from _unknown((*at, "recipients"), "recipient", table.recipients, m.recipients)
    yield from _unknown((*at, "retention"), "retention", [table.retention], m.retention)
    yield from _unknown((*at, "key"), "column", table.key, table.columns)
    # An empty list says that there is none: the table can be read, not written.
    left_out = "key" not in table.model_fields_set
    if left_out and all(column.type != "unknown" for column in table.columns.values()):
        yield Problem((*at, "key"), "the key 'key' is missing", "Name the columns of its key.")
    paths = table.paths()
    yield from _unknown((*at, "owners"), "column", table.owners, paths)
    yield from _unknown((*at, "identities"), "column", table.identities, paths)
    for path, spec in paths.items():
        if spec.of is not None and spec.of not in (*table.owners, *table.identities):
            yield Problem((*at, "columns", path, "of"), f"{spec.of!r} is no owner column")
        depends = (*at, "columns", path, "depends_on")
        yield from _unknown(depends, "field", spec.depends_on or (), m.fields)
    yield from _lists(m, name, table)
    for column, to_table, to_column in table.targets():
        where = (*at, "references", column)
        yield from _unknown(where, "column", [column], paths)
        yield from _place(m, where, to_table, to_column)
    for place in table.used_by:
        yield from _used_by(m, name, *split(place))


def _lists(m: Sections, name: str, table: Table) -> Iterator[Problem]:
    """Where an array cannot be followed safely."""
    at = ("tables", name)
    for path, spec in table.paths().items():
        if table.many(path) and any(sign in path for sign in '"\\'):
            yield Problem((*at, "columns", *path.split(".")), "a key in a list has no quote in it")
        if spec.many and "." not in path and spec.type not in ("json", "other", "unknown"):
            yield Problem((*at, "columns", path), f"a list stands in JSON, not in {spec.type}")
    if table.through and table.many(table.through):
        yield Problem(
            (*at, "through"), "a list leads to several rows, and a row has one owner", _USED_BY
        )
    for column, to_table, to_column in table.targets():
        if to_table in m.tables and m.tables[to_table].many(to_column):
            where = (*at, "references", column)
            yield Problem(where, "a reference leads to a column of its own, not into a list", _TURN)
    leave = m.leave.get(name)
    if table.listed and leave and leave.action != "ask":
        yield Problem(
            ("leave", name), "persons stand in a list there: one is taken out by hand", _ASK
        )


_USED_BY = "Say whose it is by owners, identities or used_by."
_TURN = "Write the reference on the table with the list."
_ASK = "Write ask: an agent sees to it and says what was done."


def _place(m: Sections, where: tuple[str, ...], table: str, column: str) -> Iterator[Problem]:
    yield from _unknown(where, "table", [table], m.tables)
    if target := m.tables.get(table):
        yield from _unknown(where, f"column of {table}", [column], target.paths())


def _used_by(m: Sections, name: str, table: str, column: str) -> Iterator[Problem]:
    at = ("tables", name, "used_by")
    yield from _place(m, at, table, column)
    user = m.tables.get(table)
    if user and not any(c == column and to == name for c, to, _ in user.targets()):
        yield Problem(at, f"{table}.{column} does not refer to {name!r}", "Add it to references.")


def _home(m: Sections) -> Iterator[Problem]:
    yield from _unknown(("home", "table"), "table", [m.home.table], m.tables)
    home = m.tables.get(m.home.table)
    if home is None:
        return
    yield from _unknown(("home", "key"), "column", [m.home.key], home.columns)
    yield from _unknown(("home", "active"), "column", m.home.active, home.columns)
    yield from _unknown(("home", "blocked"), "column", m.home.blocked, home.columns)
    if m.home.language:
        yield from _unknown(("home", "language"), "column", [m.home.language], home.columns)
    yield from _unknown(("home", "identity"), "column", m.home.identity.values(), home.columns)
    if home.owners not in ((), (m.home.key,)) or home.ways > bool(home.owners):
        yield Problem(("tables", m.home.table, "owners"), "a home row belongs to its own key alone")


def _ownership(m: Sections) -> Iterator[Problem]:
    contacts = (field.contact for field in m.fields.values() if field.contact)
    known = tuple(dict.fromkeys((*m.home.identity, *contacts)))
    for name, table in m.tables.items():
        at = ("tables", name)
        if name != m.home.table and table.ways != 1:
            yield Problem(
                at,
                "a table says whose a row is, in one way: owners, identities, through or used_by",
                "owners: columns with a member id; through: a column that refers to an owned row; "
                "belongs: nobody, where no personal data is in it.",
            )
        for kind in table.identities.values():
            if kind not in known:
                yield Problem((*at, "identities"), f"home has no identity {kind!r}", _known(known))
        if table.through and table.through not in table.references:
            yield Problem(
                (*at, "through"), f"{table.through!r} refers to no table", "Add it to references."
            )
        elif _circular(m, name):
            yield Problem((*at, "through"), "ownership runs in a circle and ends at no person")


def _circular(m: Sections, name: str, above: tuple[str, ...] = ()) -> bool:
    """Whether whose a row of `name` is hangs on itself."""
    if name in above:
        return name == above[0]
    return any(_circular(m, parent, (*above, name)) for parent in _hangs_on(m, name))


def _hangs_on(m: Sections, name: str) -> list[str]:
    if (table := m.tables.get(name)) is None:
        return []
    parents = [table.target(table.through)[0]] if table.through in table.references else []
    return parents + [split(place)[0] for place in table.used_by]


def _column(
    m: Sections, where: tuple[str, ...], table: str, columns: Iterable[str]
) -> Iterator[Problem]:
    yield from _unknown(where, "table", [table], m.tables)
    if table in m.tables:
        yield from _unknown(where, f"column of {table}", columns, m.tables[table].columns)


def _fields(m: Sections) -> Iterator[Problem]:
    contacts: dict[str, str] = {}
    for name, field in m.fields.items():
        at = ("fields", name)
        yield from _column(m, (*at, "column"), field.table, [field.column])
        yield from _unknown((*at, "category"), "category", [field.category], m.categories)
        for copy in field.copies:
            yield from _column(m, (*at, "copies"), copy.table, [copy.column, *copy.where])
        if field.contact and not _one_owner(m, field.table):
            yield Problem(
                (*at, "contact"),
                "a contact stands in the home table, or in one with one owner column",
            )
        if field.contact and contacts.setdefault(field.contact, name) != name:
            first = contacts[field.contact]
            yield Problem((*at, "contact"), f"{first!r} is the registered {field.contact} already")
    if not contacts:
        yield Problem(
            ("fields",), "no field is a contact", "Mark one with contact: email or phone."
        )


def _one_owner(m: Sections, name: str) -> bool:
    table = m.tables.get(name)
    one = table is not None and len(table.owners) == 1 and not table.listed
    return table is None or name == m.home.table or one


def _named_fields(
    m: Sections, section: str, name: str, fields: tuple[str, ...]
) -> Iterator[Problem]:
    if fields != ("*",):
        yield from _unknown((section, name, "fields"), "field", fields, m.fields)


def _purposes(m: Sections) -> Iterator[Problem]:
    for name, purpose in m.purposes.items():
        yield from _named_fields(m, "purposes", name, purpose.fields)
        if purpose.basis == "law" and purpose.law is None:
            yield Problem(
                ("purposes", name), "a purpose whose basis is a law names the law", "Add law."
            )


def _recipients(m: Sections) -> Iterator[Problem]:
    for name, recipient in m.recipients.items():
        at = ("recipients", name)
        yield from _named_fields(m, "recipients", name, recipient.fields)
        yield from _unknown((*at, "purposes"), "purpose", recipient.purposes, m.purposes)
        if recipient.known_by is None:
            continue
        yield from _unknown((*at, "known_by"), "field", [recipient.known_by], m.fields)
        known = m.fields.get(recipient.known_by)
        if known is not None and known.contact:
            yield Problem(
                (*at, "known_by"),
                f"{recipient.known_by!r} is a contact: it would stand in mails to {name!r}",
                "Leave known_by out; the member id names the member then.",
            )


def _consents(m: Sections) -> Iterator[Problem]:
    for name, consent in m.consents.items():
        at = ("consents", name)
        extra = [column for column in (consent.at, consent.version) if column]
        yield from _column(m, at, consent.table, [*consent.columns, *consent.where, *extra])
        yield from _unknown((*at, "drops"), "table", consent.drops, m.tables)
        for table in consent.drops:
            if table in m.tables and (m.tables[table].shared or table == m.home.table):
                yield Problem((*at, "drops"), f"{table!r} may not be emptied: it is shared or home")
        yield from _unknown((*at, "purposes"), "purpose", consent.purposes, m.purposes)
        for purpose in consent.purposes:
            if purpose in m.purposes and m.purposes[purpose].basis != "consent":
                yield Problem((*at, "purposes"), f"the basis of {purpose!r} is not consent")


def _leave(m: Sections) -> Iterator[Problem]:
    yield from _unknown(("leave",), "table", m.leave, m.tables)
    for name, table in m.tables.items():
        at = ("leave", name)
        if (leave := m.leave.get(name)) is None:
            yield Problem(("leave",), f"leave does not say what happens to {name!r}")
            continue
        extra = [c for c in (leave.counted_from, leave.at) if c]
        yield from _column(m, at, name, [*leave.set, *extra])
        if leave.action == "delete" and (table.shared or name == m.home.table):
            yield Problem(
                at, f"{name!r} may not be deleted: it is shared or home", "Keep or anonymise."
            )
        retention = m.retention.get(table.retention)
        if leave.action == "keep" and retention and not (retention.period and retention.law):
            yield Problem(at, f"{name!r} is kept, but its retention names no law and period")


def _callers(m: Sections) -> Iterator[Problem]:
    for name, caller in m.callers.items():
        at = ("callers", name)
        yield from _unknown((*at, "fields"), "field", caller.fields, m.fields)
        yield from _unknown((*at, "purposes"), "purpose", caller.purposes, m.purposes)
        if caller.recipient:
            yield from _unknown((*at, "recipient"), "recipient", [caller.recipient], m.recipients)


def _erasing(m: Sections) -> Iterator[Problem]:
    """A whole row is erased only where it is the member's alone."""
    for name, field in m.fields.items():
        rows = [field.table] if field.erase == "row" else []
        rows += [copy.table for copy in field.copies if copy.erase == "row"]
        for table in rows:
            if table == m.home.table or (table in m.tables and m.tables[table].shared):
                at = ("fields", name, "erase")
                yield Problem(
                    at, f"{table!r} may not lose a row by an erasure: it is shared or home"
                )


def _archive(m: Sections) -> Iterator[Problem]:
    if m.archive is not None and m.archive.connection in m.connections:
        yield Problem(
            ("archive", "connection"),
            f"{m.archive.connection!r} is a connection of live data",
            "What only a law keeps is stored apart: name another one.",
        )


def _case_files(m: Sections) -> Iterator[Problem]:
    for part, rule in (m.case_files.model_dump() if m.case_files else {}).items():
        yield from _unknown(("case_files", part), "retention", [rule], m.retention)
        if rule in m.retention and m.retention[rule].period is None:
            yield Problem(("case_files", part), f"the retention {rule!r} has no period")


def _sweeping(m: Sections) -> Iterator[Problem]:
    swept = {name for name, rule in m.retention.items() if rule.sweep}
    for name in sorted(swept):
        if m.retention[name].period is None or m.retention[name].law is None:
            yield Problem(("retention", name, "sweep"), "what is swept names its period and law")
    for name, table in m.tables.items():
        leave = m.leave[name]
        if _goes_with(m, name, swept):
            continue
        if table.retention in swept and not (
            leave.counted_from and table.owners and not table.listed
        ):
            yield Problem(
                ("leave", name),
                f"rows of {name!r} are swept by age, so `from` says since when, and they have owners",
            )


def _goes_with(m: Sections, name: str, swept: set[str]) -> bool:
    """Whether rows of `name` hang on rows of a swept table, and are swept together with them."""
    table = m.tables[name]
    if not table.through or table.through not in table.references:
        return False
    above = table.target(table.through)[0]
    return above in m.tables and above != name and m.tables[above].retention in swept
