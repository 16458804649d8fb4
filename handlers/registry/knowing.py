"""From a member id to a Person: what other tables know them by, and what other databases say."""

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

from sqlalchemy import ColumnElement, func, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from subjectline.handlers.registry.ownership import MOST_HELD, among
from subjectline.handlers.registry.persons import Person
from subjectline.handlers.registry.schema import Schema
from subjectline.models.datamap import Value
from subjectline.models.errors import BadValue, RegistryError

Reading = Callable[[str], AbstractAsyncContextManager[AsyncConnection]]


class Knowing:
    """Asks the databases, and only what the map needs: most maps need nothing."""

    def __init__(self, schema: Schema, reading: Reading) -> None:
        self._schema, self._reading = schema, reading

    async def person(self, member: str) -> Person:
        """The person with this canonical member id; also an id that nobody has makes a Person."""
        kinds = {k for spec in self._schema.map.tables.values() for k in spec.identities.values()}
        known, doubtful = await self._identities(member, sorted(kinds)) if kinds else ({}, set())
        person = Person(member, known, frozenset(doubtful))
        for name in self._schema.apart:
            await self._hold(person, name)
        return person

    async def stranger(self, kind: str, value: str) -> Person:
        """Somebody who is no member, known by `value` alone."""
        person = Person("", {kind: self._spellings(kind, value)})
        for name in self._schema.apart:
            await self._hold(person, name)
        return person

    async def _identities(
        self, member: str, kinds: Iterable[str]
    ) -> tuple[dict[str, tuple[str, ...]], set[str]]:
        """One query: the values, and how many members have each."""
        home, other = self._schema.home, self._schema.home.alias()
        columns: dict[str, ColumnElement[Any]] = {}
        for kind in kinds:
            if column := self._schema.identity_column(kind):
                ours, theirs = _compared(home.c[column], kind), _compared(other.c[column], kind)
                double = select(func.count()).select_from(other).where(ours == theirs)
                columns[kind] = home.c[column].label(f"value_{kind}")
                columns[f"of {kind}"] = double.correlate(home).scalar_subquery()
        if not columns:
            return {}, set()
        statement = select(*columns.values()).where(
            self._schema.is_member(self._schema.home_key, member)
        )
        async with self._reading(
            self._schema.connection(self._schema.map.home.table)
        ) as connection:
            row = (await connection.execute(statement)).first()
        held = dict(zip(columns, row or (), strict=False))
        doubtful = {k for k in kinds if (held.get(f"of {k}") or 0) > 1}
        return {k: self._spellings(k, held[k]) for k in kinds if held.get(k) is not None}, doubtful

    def _spellings(self, kind: str, value: Value) -> tuple[str, ...]:
        """Every way in which a column may write it; emails are compared in small letters."""
        written = str(value)
        field = self._schema.map.contact_field(kind)
        if kind == "email":
            return (written.lower(),) if written else ()
        try:
            ways = field.in_columns(field.normalise(written)) if field else ()
        except BadValue:
            ways = ()
        return tuple(dict.fromkeys((written, *ways))) if written else ()

    async def _hold(self, person: Person, name: str) -> None:
        """The values of the deciding column that are the person's, of a table told elsewhere."""
        if name in person.held:
            return
        person.held[name] = ()  # cut here, should whose a row is run in a circle
        spec = self._schema.map.tables[name]
        if spec.through:
            parent, column = spec.target(spec.through)
            first, rest = [(parent, column)], list[tuple[str, str]]()
        else:
            users = list(self._schema.ownership.users(name))
            if len({key for _, _, key in users}) > 1:
                return  # referred to by different columns from another database: nobody's
            home = self._schema.map.home.table
            first = [(table, column) for table, column, _ in users if table == home]
            rest = [(table, column) for table, column, _ in users if table != home]
        if spec.through:
            mine = await self._mine(person, first)
            if not self._schema.unique(*first[0]):
                mine -= await self._theirs(person, first, mine, alone=False)
            person.held[name] = _limited(mine)
            return
        person.held[name] = await self._decide(person, first, rest, spec.sharing == "each")

    async def _decide(
        self,
        person: Person,
        first: list[tuple[str, str]],
        rest: list[tuple[str, str]],
        each: bool,
    ) -> tuple[Value, ...]:
        mine = [await self._mine(person, places) for places in (first, rest)]
        if each:
            return _limited(mine[0] | mine[1])
        found = mine[0] | mine[1]
        theirs = await self._theirs(person, first, found)
        shared = await self._theirs(person, rest, mine[1] - mine[0])
        return _limited((mine[0] | (mine[1] - shared)) - theirs)

    async def values(self, person: Person, table: str, column: str) -> set[Value]:
        """The values of `column` in the person's rows of `table`."""
        if table in self._schema.apart:
            await self._hold(person, table)
        sources, held = self._schema.spread(table, self._schema[table], column)
        owned = self._schema.owned(table, person)
        statement = select(held).select_from(*sources).where(owned, held.is_not(None))
        async with self._reading(self._schema.connection(table)) as connection:
            found = await connection.scalars(statement.distinct().limit(MOST_HELD + 1))
            return _written(found.all())

    async def known_to_others(self, member: str, kind: str, values: Iterable[str]) -> bool:
        """Whether another member than this one is known by one of `values`."""
        if (name := self._schema.identity_column(kind)) is None:
            return False
        home = self._schema.home
        held = among(_compared(home.c[name], kind), list(values))
        other = not_(self._schema.is_member(self._schema.home_key, member))
        statement = select(func.count()).select_from(home).where(held, other)
        async with self._reading(
            self._schema.connection(self._schema.map.home.table)
        ) as connection:
            return bool(await connection.scalar(statement))

    async def held_by_others(self, person: Person, table: str, values: set[Value]) -> bool:
        """Whether one of `values` of the deciding column of `table` leads to somebody else."""
        spec = self._schema.map.tables[table]
        if spec.through:
            return bool(await self._theirs(person, [spec.target(spec.through)], values, False))
        if spec.sharing == "each":
            return False
        places = [(user, column) for user, column, _ in self._schema.ownership.users(table)]
        return bool(await self._theirs(person, places, values))

    async def _mine(self, person: Person, places: Iterable[tuple[str, str]]) -> set[Value]:
        found = set[Value]()
        for table, column in places:
            found |= await self.values(person, table, column)
        return found

    async def _theirs(
        self,
        person: Person,
        places: Iterable[tuple[str, str]],
        values: set[Value],
        alone: bool = True,
    ) -> set[Value]:
        """Those of `values` that rows of others hold as well (`alone`: or rows not only theirs)."""
        found = set[Value]()
        for table, column in places:
            if not values:
                break
            if table in self._schema.apart:
                await self._hold(person, table)
            sources, held = self._schema.spread(table, self._schema[table], column)
            own = self._schema.ownership
            strange = (own.not_alone if alone else own.not_owned)(table, person)
            statement = select(held).select_from(*sources).distinct()
            statement = statement.where(among(held, _limited(values)), strange)
            async with self._reading(self._schema.connection(table)) as connection:
                found |= _written((await connection.scalars(statement)).all())
        return found


def _compared(column: ColumnElement[Any], kind: str) -> ColumnElement[Any]:
    return func.lower(column) if kind == "email" else column


def _written(values: Iterable[Value]) -> set[Value]:
    """As text: two columns, or an array, may write the same key in two types."""
    return {str(value) for value in values if value is not None}


def _limited(values: set[Value]) -> tuple[Value, ...]:
    if len(values) > MOST_HELD:
        raise RegistryError(
            f"more than {MOST_HELD} rows of this member lead into another database",
            remedy="Let that table name the member id itself, under `owners`.",
        )
    return tuple(values)
