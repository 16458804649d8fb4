"""What a reader of masking views may see, from the data map alone: which tables, columns and bits.

A bit stands for a field, in the map's order, as in `subjectline_client`. No SQL is written here.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from subjectline.models.datamap import DataMap
from subjectline.models.datamap.tables import Table
from subjectline.models.errors import BadInput, DataMapError

ANY = -1  # bits of a column that is shown only while nothing at all of its person is held
MOST_FIELDS = 62  # bits of a bigint that can be set apart
MOST_BYTES = 63  # of a name; PostgreSQL cuts longer ones off without a word
RIGHTS_HANDLING = "rights-handling"
_ROLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Audience:
    """Who reads: for a purpose of the map, for the company (recipient empty) or one recipient, as the
    database role `role`. `name` stands in the views' names and, as a literal, in their text."""

    name: str
    purpose: str
    recipient: str
    role: str


@dataclass(frozen=True, slots=True)
class Hop:
    """From a row to the one row of `table` that its `column` refers to by `key`."""

    column: str
    table: str
    key: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The column that holds the member id of whom a row belongs to, after these hops."""

    hops: tuple[Hop, ...]
    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A column of a view. `bits` 0: as it is. `owners` are the numbers of those whose data it is."""

    column: str
    bits: int
    owners: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Masked:
    """A table (by the map's name) with the columns that its view shows."""

    table: str
    columns: tuple[Shown, ...]
    owners: tuple[Owner, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The views of one audience in one connection. `base` are all the tables that it may not read
    itself; `unmade` says why a table with something for it has no view; `guessed` are the columns of
    which the map does not say what they are made from (table.column)."""

    audience: Audience
    connection: str
    form: str
    fold: bool
    fields: tuple[str, ...]
    views: tuple[Masked, ...]
    base: tuple[str, ...]
    unmade: tuple[tuple[str, str], ...] = ()
    guessed: tuple[str, ...] = ()

    @property
    def definition(self) -> str:
        """Names what the views mean: another data map with another meaning has another one."""
        said = replace(self, unmade=(), guessed=())
        return hashlib.sha256(repr(said).encode()).hexdigest()


def audience_of(data_map: DataMap, purpose: str, recipient: str = "", role: str = "") -> Audience:
    """The audience of a purpose. Raises BadInput for what the map does not have or no role can be."""
    if purpose not in data_map.purposes or purpose == RIGHTS_HANDLING:
        known = ", ".join(name for name in data_map.purposes if name != RIGHTS_HANDLING)
        raise BadInput(
            f"the data map has no purpose {purpose!r} that others may have",
            field="--audience",
            remedy=f"Known: {known}.",
        )
    if recipient and recipient not in data_map.recipients:
        raise BadInput(
            f"the data map has no recipient {recipient!r}",
            field="--recipient",
            remedy=f"Known: {', '.join(data_map.recipients)}.",
        )
    if data_map.purposes[purpose].basis == "law":
        # A law opens held fields, and each such use is recorded before; a SELECT cannot do that. With a
        # mask whoever must report would report too little, and nobody would notice.
        raise BadInput(
            f"{purpose!r} stands on a law, which opens held data; a view cannot record each such use",
            field="--audience",
            remedy="Ask over HTTP or with subjectline-client, which record it first: docs/gate.md.",
        )
    name = f"{purpose}__{recipient}" if recipient else purpose
    if recipient and name in data_map.purposes:
        raise BadInput(
            f"the map has a purpose {name!r}, whose views have this name", field="--audience"
        )
    return Audience(name, purpose, recipient, checked_role(role or name))


def checked_role(role: str) -> str:
    """The name of a role as it was given. Raises BadInput if it can be none of a reader."""
    own = role.startswith("pg_") or role in ("gate_owner", "gate_mirror", "public")
    if own or not _ROLE.fullmatch(role) or len(role.encode()) > MOST_BYTES:
        raise BadInput(
            f"{role!r} cannot be the role of a reader",
            field="--role",
            remedy="Name the database role of the system that reads: letters, digits, _ and -.",
        )
    return role


def plan(data_map: DataMap, audience: Audience, connection: str) -> Plan:
    """The views of an audience. Raises BadInput where the map has more fields than bits."""
    if len(data_map.fields) > MOST_FIELDS:
        raise BadInput(f"a view masks at most {MOST_FIELDS} fields", field="fields")
    whole = Plan(
        audience,
        connection,
        data_map.home.form,
        data_map.home.case == "fold",
        tuple(data_map.fields),
        (),
        tuple(
            name
            for name, table in data_map.tables.items()
            if table.connection == connection and table.belongs != "nobody"
        ),
    )
    return _with_views(whole, _Columns(data_map, audience))


def _with_views(whole: Plan, columns: "_Columns") -> Plan:
    views, unmade, guessed = list[Masked](), list[tuple[str, str]](), list[str]()
    for name in whole.base:
        if not columns.something(name):
            continue
        try:
            view = columns.masked(name)
        except DataMapError as why:
            unmade.append((name, why.rule))
            continue
        views.append(view)
        guessed += [f"{name}.{c.column}" for c in view.columns if c.bits == ANY]
    return replace(whole, views=tuple(views), unmade=tuple(unmade), guessed=tuple(guessed))


class _Columns:
    """The columns of the map's tables as one audience may see them."""

    def __init__(self, data_map: DataMap, audience: Audience) -> None:
        self._map = data_map
        self._bit = {name: 1 << at for at, name in enumerate(data_map.fields)}
        self._fields = set(data_map.purposes[audience.purpose].fields)
        self._purpose, self._recipient = audience.purpose, audience.recipient
        if self._recipient:
            self._fields &= set(data_map.recipients[self._recipient].fields)

    def something(self, name: str) -> bool:
        """Whether the audience may have anything of the table but its ids."""
        return any(bits for _, bits in self._visible(self._map.tables[name]))

    def masked(self, name: str) -> Masked:
        """The view of a table. Raises DataMapError."""
        table = self._map.tables[name]
        owners = self.owners(name)
        everybody = tuple(range(len(owners)))
        of = {path: number for number, path in enumerate(table.owners)}
        shown = []
        for column, bits in self._visible(table):
            told = table.columns[column].of
            whose = (of[told],) if told in of else everybody
            shown.append(Shown(column, bits, whose if bits else ()))
        return Masked(name, tuple(shown), owners)

    def owners(self, name: str, seen: tuple[str, ...] = ()) -> tuple[Owner, ...]:
        """Whose a row of the table is. Raises DataMapError."""
        table = self._map.tables[name]
        if name == self._map.home.table:
            return (Owner((), name, self._map.home.key),)
        if table.listed or any("." in path for path in table.owners):
            raise DataMapError("its persons stand inside of a JSON column")
        if table.identities:
            raise DataMapError("a contact tells one of its persons, not a member id")
        if table.owners:
            return tuple(Owner((), name, column) for column in table.owners)
        if table.through is None or name in seen or len(seen) > 4:
            raise DataMapError("whose a row is, no member id beside it says")
        return self._through(table, table.through, (*seen, name))

    def _through(self, table: Table, column: str, seen: tuple[str, ...]) -> tuple[Owner, ...]:
        parent, key = table.target(column)
        above = self._map.tables[parent]
        if "." in column or "." in key or above.connection != table.connection:
            raise DataMapError("whose a row is, another database or a JSON column says")
        if above.key != (key,):
            raise DataMapError(f"{parent}.{key} is not the key of {parent}")
        hop = Hop(column, parent, key)
        found = self.owners(parent, seen)
        return tuple(Owner((hop, *one.hops), one.table, one.column) for one in found)

    def _visible(self, table: Table) -> Iterator[tuple[str, int]]:
        for name, column in table.columns.items():
            bits = None if column.hidden else self._bits(table, name)
            if bits is not None:
                yield name, bits

    def _bits(self, table: Table, column: str) -> int | None:
        """Under which bits a column is masked; None where the audience may not have it."""
        fields, inside = self._held_by(table.name, column)
        used = self._uses(table)
        if fields:
            own = all(self._map.fields[name].table == table.name for name in fields)
            if not fields <= self._fields or not (used or (own and not inside)):
                return None  # a copy elsewhere is there for what its table is used for
            return ANY if inside else self._mask(fields)
        # A part of a key is an ordinary column (a topic, a day); a key of its own is only a number.
        ids = {*table.owners, *(table.key if len(table.key) == 1 else ())}
        if table.name == self._map.home.table:
            ids.add(self._map.home.key)
        if column in ids:
            return 0
        if not used:
            return None
        if column in table.references:
            return 0
        depends = table.columns[column].depends_on
        return ANY if depends is None else self._mask(set(depends))

    def _uses(self, table: Table) -> bool:
        """Whether the map says that the table is there for this purpose (and recipient)."""
        known = not self._recipient or self._recipient in table.recipients
        return self._purpose in table.purposes and known

    def _mask(self, fields: set[str]) -> int:
        return sum(self._bit[name] for name in fields)

    def _held_by(self, table: str, column: str) -> tuple[set[str], bool]:
        """The fields whose value, or a copy of it, stands there; whether it stands deeper, in JSON."""
        found, inside = set[str](), False
        meant = {(table, column), *self._same(self._map.tables[table], column)}
        for field in self._map.fields.values():
            places = [(field.table, field.column), *((c.table, c.column) for c in field.copies)]
            for where, path in places:
                if (where, path.partition(".")[0]) in meant:
                    found.add(field.name)
                    inside = inside or "." in path
        return found, inside

    def _same(self, table: Table, column: str) -> Iterator[tuple[str, str]]:
        """Where the same value stands: what it refers to, or what the person is known by at home."""
        for path, where, key in table.targets():
            if path == column:
                yield where, key
        kind, home = table.identities.get(column), self._map.home
        if column in table.owners:
            yield home.table, home.key
        if kind in home.identity:
            yield home.table, home.identity[kind]
        contact = self._map.contact_field(kind) if kind else None
        if contact:
            yield contact.table, contact.column
