"""The conditions in SQL that say whose a row, and whose a column of a shared row is.

Every subquery reads an alias of its own, so that no two mentions of a table are taken for one.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union,
)

from subjectline.handlers.registry.persons import Person
from subjectline.models.datamap import Table, Value
from subjectline.models.datamap.tables import split
from subjectline.models.errors import RegistryError

if TYPE_CHECKING:
    from subjectline.handlers.registry.schema import Schema

Condition = ColumnElement[bool]


class Ownership:
    """Writes the conditions. `member` is a canonical id, or a Person, who knows more."""

    def __init__(self, schema: "Schema") -> None:
        self._schema = schema

    def owned(self, name: str, member: str, here: FromClause | None = None) -> Condition:
        """A row of `name` is the member's; never NULL. `here` is the table or an alias of it."""
        here = self._schema[name] if here is None else here
        spec = self._schema.map.tables[name]
        if name == self._schema.map.home.table:
            return self.is_member(here.c[self._schema.map.home.key], member)
        if spec.belongs != "person":
            return false()
        if name in self._schema.apart:
            return self._held(name, member, here)
        if spec.through:
            return self._through(spec, member, here)
        if spec.used_by:
            return self._used(name, spec, member, here)
        named = [self._names(spec, path, member, here) for path in spec.owners]
        named += [self.known_as(spec, p, k, member, here) for p, k in spec.identities.items()]
        mine = func.coalesce(or_(*named), false()) if len(named) > 1 else or_(*named)
        return and_(mine, not_(self.of_two(spec, member, here))) if spec.undescribed else mine

    def not_owned(self, name: str, member: str, here: FromClause | None = None) -> Condition:
        """A row of `name` is somebody else's or nobody's, also where a column is empty."""
        return not_(func.coalesce(self.owned(name, member, here), false()))

    def not_alone(self, name: str, member: str, here: FromClause | None = None) -> Condition:
        """A row of `name` is not the member's, or not theirs alone."""
        here = self._schema[name] if here is None else here
        strange = self.not_owned(name, member, here)
        return or_(strange, self._with_others(name, member, here))

    def _with_others(self, name: str, member: str, here: FromClause) -> Condition:
        """A row that is the member's may be somebody else's as well."""
        spec = self._schema.map.tables[name]
        if name == self._schema.map.home.table:
            return false()
        if spec.through and name not in self._schema.apart:
            parent, column = spec.target(spec.through)
            child = self._schema.at(here, spec.through)
            return self._others(child, parent, column, member, here, alone=True)
        if spec.used_by:
            return true() if spec.sharing == "each" else false()
        if not spec.shared:
            return true() if spec.through else false()  # another database knows, we do not
        named: list[tuple[str, str | None]] = [(path, None) for path in spec.owners]
        named += spec.identities.items()
        return or_(*(self._strange(spec, path, kind, member, here) for path, kind in named))

    def _strange(
        self, spec: Table, path: str, kind: str | None, member: str, here: FromClause
    ) -> Condition:
        """Somebody else stands at `path`: by member id, or by a `kind` of identity."""

        def test(held: ColumnElement[Any]) -> Condition:
            mine = self._is(spec, held, kind, member) if kind else self.is_member(held, member)
            return and_(held.is_not(None), not_(func.coalesce(mine, false())))

        return self._schema.some(spec.name, here, path, test)

    def _names(self, spec: Table, path: str, member: str, here: FromClause) -> Condition:
        """A member id at `path` is this one."""
        return self._schema.some(spec.name, here, path, lambda c: self.is_member(c, member))

    def also_used(self, name: str, member: str, here: FromClause | None = None) -> Condition:
        """A row that is each one's who refers to it is used by somebody else as well."""
        here = self._schema[name] if here is None else here
        spec = self._schema.map.tables[name]
        if not spec.used_by or spec.sharing != "each":
            return false()
        if name in self._schema.apart:
            return true()  # another database knows, we do not
        places = [(self._schema.at(here, key), user, c) for user, c, key in self.users(name)]
        return or_(*(self._others(*place, member, here, alone=True) for place in places))

    def is_member(self, column: ColumnElement[Any], member: str) -> Condition:
        """`column` holds this member id."""
        value = member_value(column, member)
        return false() if value is None else column == value

    def known_as(
        self, spec: Table, path: str, kind: str, member: str, here: FromClause
    ) -> Condition:
        """The column at `path` holds what the person is known by."""
        return self._schema.some(
            spec.name, here, path, lambda column: self._is(spec, column, kind, member)
        )

    def _is(self, spec: Table, column: ColumnElement[Any], kind: str, member: str) -> Condition:
        held: ColumnElement[Any] = func.lower(column) if kind == "email" else column
        if isinstance(member, Person):
            known = () if kind in member.doubtful else member.known_by.get(kind, ())
            return among(held, known) if known else false()
        return self._as_home_has(spec, held, kind, member)

    def of_two(self, spec: Table, member: str, here: FromClause) -> Condition:
        """A column of identity names another member: the row is shared, and no file says which
        column is whose."""
        found: list[Condition] = [false()]
        home_is_here = spec.connection == self._schema.connection(self._schema.map.home.table)
        for path, kind in spec.identities.items():
            held = self._schema.at(here, path)  # of an array it is not used
            mine = func.coalesce(self.known_as(spec, path, kind, member, here), false())
            column = self._schema.identity_column(kind)
            if spec.many(path):
                found.append(self._strange(spec, path, kind, member, here))
                continue
            if column is None or not home_is_here:
                found.append(and_(held.is_not(None), not_(mine)))
                continue
            other = self._schema.home.alias()
            theirs, held = _alike(other.c[column], held)
            lower = kind == "email"
            same = func.lower(theirs) == func.lower(held) if lower else theirs == held
            rows = select(literal(1)).select_from(other)
            key = self._schema.map.home.key
            rows = rows.where(same, not_(self.is_member(other.c[key], member)))
            found.append(and_(not_(mine), exists(rows.correlate(here))))
        return or_(*found)

    def _as_home_has(
        self, spec: Table, held: ColumnElement[Any], kind: str, member: str
    ) -> Condition:
        """The same by the id alone, where home stands in the same database."""
        column = self._schema.identity_column(kind)
        if column is None or spec.connection != self._schema.connection(
            self._schema.map.home.table
        ):
            raise RegistryError(
                f"whose rows of {spec.name!r} are is not told by the member id alone",
                field=spec.name,
                remedy="Draft the change anew from the request.",
            )
        home, other = self._schema.home.alias(), self._schema.home.alias()
        lower = kind == "email"
        ours = func.lower(home.c[column]) if lower else home.c[column]
        theirs = func.lower(other.c[column]) if lower else other.c[column]
        key = self._schema.map.home.key
        double = select(literal(1)).select_from(other)
        double = double.where(theirs == ours, not_(self.is_member(other.c[key], member)))
        mine = select(ours).where(self.is_member(home.c[key], member))
        return held.in_(mine.where(~exists(double.correlate(home))).correlate(None))

    def _through(self, spec: Table, member: str, here: FromClause) -> Condition:
        parent, column = spec.target(spec.through or "")
        child = self._schema.at(here, spec.through or "")
        mine = self.refers(child, parent, column, member)
        if self._schema.unique(parent, column):
            return mine
        return and_(mine, not_(self._others(child, parent, column, member, here)))

    def _used(self, name: str, spec: Table, member: str, here: FromClause) -> Condition:
        """Home's own references come first: an address that only I live at is mine, whoever else
        ships something there. What two persons refer to in the same way is nobody's."""
        first: list[tuple[ColumnElement[Any], str, str]] = []
        rest: list[tuple[ColumnElement[Any], str, str]] = []
        columns: dict[str, ColumnElement[Any]] = {}
        for user, column, key in self.users(name):
            place = (columns.setdefault(key, self._schema.at(here, key)), user, column)
            (first if user == self._schema.map.home.table else rest).append(place)
        mine = [
            or_(false(), *(self.refers(*p, member) for p in places)) for places in (first, rest)
        ]
        if spec.sharing == "each":
            return or_(*mine)
        others = [
            or_(false(), *(self._others(*p, member, here, alone=True) for p in places))
            for places in (first, rest)
        ]
        decided = and_(not_(others[0]), or_(mine[0], and_(mine[1], not_(others[1]))))
        if len({id(place[0]) for place in (*first, *rest)}) != 1:
            return decided
        if any(self._schema.map.tables[u].many(c) for _, u, c in (*first, *rest)):
            return decided  # what stands in an array need not be of this column's type
        # What the member's rows refer to at all comes first, so that an index finds those few rows.
        parts = [self._referred(*place, member) for place in (*first, *rest)]
        any_of = union(*parts) if len(parts) > 1 else parts[0]
        return and_((first or rest)[0][0].in_(any_of), decided)

    def users(self, name: str) -> Iterator[tuple[str, str, str]]:
        """Who refers to `name` and decides whose its rows are: (table, column, column of `name`)."""
        for place in self._schema.map.tables[name].used_by:
            user, column = split(place)
            for c, to, key in self._schema.map.tables[user].targets():
                if c == column and to == name:
                    yield user, column, key

    def refers(self, here: ColumnElement[Any], table: str, column: str, member: str) -> Condition:
        """`here` stands in `column` of a row of `table` that is the member's."""
        there = self._schema[table].alias()
        sources, held = self._schema.spread(table, there, column)
        here, held = _alike(here, held)
        mine = select(held).select_from(*sources).where(self.owned(table, member, there))
        return here.in_(mine.correlate(None))

    def _referred(
        self, here: ColumnElement[Any], table: str, column: str, member: str
    ) -> Select[Any]:
        there = self._schema[table].alias()
        held = self._schema.at(there, column)
        held = held if type(held.type) is type(here.type) else cast(held, here.type)
        return select(held).where(self.owned(table, member, there)).correlate(None)

    def _others(
        self,
        here: ColumnElement[Any],
        table: str,
        column: str,
        member: str,
        outer: FromClause,
        alone: bool = False,
    ) -> Condition:
        """`here` stands in `column` of a row of `table` that is not the member's (`alone`: not the
        member's alone)."""
        there = self._schema[table].alias()
        sources, held = self._schema.spread(table, there, column)
        here, held = _alike(here, held)
        rows = select(literal(1)).select_from(*sources)
        strange = self.not_alone if alone else self.not_owned
        rows = rows.where(held == here, strange(table, member, there))
        return exists(rows.correlate(outer))

    def _held(self, name: str, member: str, here: FromClause) -> Condition:
        """Another database told which values of the deciding column are the person's."""
        if not isinstance(member, Person) or name not in member.held:
            raise RegistryError(
                f"whose rows of {name!r} are is told by another database",
                field=name,
                remedy="Draft the change anew from the request.",
            )
        column = self._schema.at(here, self.deciding(name))
        return among(column, member.held[name])

    def deciding(self, name: str) -> str:
        """The column of `name` that a reference decides its owner by."""
        spec = self._schema.map.tables[name]
        return spec.through or next(key for _, _, key in self.users(name))

    def value(
        self, name: str, column: str, member: str, here: FromClause | None = None
    ) -> Condition | None:
        """The condition under which `column` is the member's own data; None where it is everybody's
        who owns the row."""
        here = self._schema[name] if here is None else here
        spec = self._schema.map.tables[name]
        if (owner := self._schema.owner_of(name, column)) is None:
            return None
        if owner in spec.identities:
            return self.known_as(spec, owner, spec.identities[owner], member, here)
        return self._names(spec, owner, member, here)


def among(column: ColumnElement[Any], values: Sequence[Value]) -> Condition:
    """`column` holds one of `values`, in chunks that every database takes."""
    if isinstance(column.type, BigInteger):
        known: list[Any] = [int(str(v)) for v in values if _whole(v)]
    elif isinstance(column.type, Text):
        known = [str(v) for v in values if v is not None]
    else:
        known = [v for v in values if v is not None]
    chunks = [known[start : start + CHUNK] for start in range(0, len(known), CHUNK)]
    return or_(false(), *(column.in_(chunk) for chunk in chunks))


CHUNK = 1000
MOST_HELD = 20_000  # values in one statement; PostgreSQL and SQLite take some 32,000 parameters


def _alike(
    here: ColumnElement[Any], there: ColumnElement[Any]
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Both as text where their types differ: a database does not compare a number with a text."""
    if type(here.type) is type(there.type):
        return here, there
    return cast(here, Text()), cast(there, Text())


def _whole(value: object) -> bool:
    text = str(value)
    return text.lstrip("-").isdigit() and text.isascii()


def member_value(column: ColumnElement[Any], member: str) -> int | str | None:
    """The canonical member id as `column` holds it; None where it can hold no such id, and for a
    person who is no member."""
    if not member:
        return None
    if isinstance(column.type, BigInteger):
        return int(member) if _whole(member) else None
    return str(member)


def always(condition: Condition | None) -> Condition:
    return true() if condition is None else condition
