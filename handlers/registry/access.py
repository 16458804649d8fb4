"""An access request over every connection: all rows in memory, or streamed into files."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from subjectline.handlers.registry.collect import Walk, far_places
from subjectline.handlers.registry.collected import Collected, CollectedTable, Withheld
from subjectline.handlers.registry.knowing import Knowing, Reading
from subjectline.handlers.registry.nested import Pruner
from subjectline.handlers.registry.persons import Person
from subjectline.handlers.registry.schema import Schema
from subjectline.handlers.registry.streams import Form, copy_out, stream_out
from subjectline.models.datamap import Value
from subjectline.models.errors import UnknownMember

_A = TypeVar("_A")
_B = TypeVar("_B")

__all__ = ["Access", "Form"]


class Access:
    """Reads for one schema. `reading` opens a connection within its time."""

    def __init__(self, schema: Schema, reading: Reading) -> None:
        self._schema, self._reading = schema, reading
        self._knowing = Knowing(schema, reading)

    async def person(self, member: str) -> Person:
        """The person with this id, knowing all that it takes to find their rows."""
        return await self._knowing.person(member)

    async def collect(self, member: str) -> Collected:
        """Everything that is the member's: one query a table, and one a table with references.

        Raises UnknownMember.
        """
        found = await self._collected(await self._walk(await self._knowing.person(member)))
        return self._all(member, found)

    async def collect_stranger(self, kind: str, value: str) -> Collected:
        """The same of somebody who is no member, but whom rows name by this contact."""
        person = await self._knowing.stranger(kind, value)
        return self._all("", await self._collected(await self._walk(person)))

    async def _collected(self, walk: Walk) -> dict[str, CollectedTable]:
        found: dict[str, CollectedTable] = {}
        for name, tables in self._by_connection():
            async with self._reading(name) as connection:
                for table in tables:
                    found[table] = await walk.table(connection, table)
                    if walk.member:
                        self._must_be(found[table])
        for name, tables in self._by_connection():
            async with self._reading(name) as connection:
                for table in tables:
                    aside = await walk.aside(connection, table)
                    told = (*aside, *found[table].withheld)
                    found[table] = replace(found[table], withheld=told)
        return found

    async def export(
        self, member: str, open_file: Callable[[str], BinaryIO], form: Form
    ) -> Collected:
        """The same, each table's rows written into `open_file(table)` as they come, which is closed
        afterwards: `csv` (RFC 4180, UTF-8, with a head line) or `jsonl`. The tables that come back
        have no rows, but their number. Raises UnknownMember.
        """
        walk = await self._walk(await self._knowing.person(member))
        found: dict[str, CollectedTable] = {}
        for name, tables in self._by_connection():
            totals, aside = await _both(
                self._written(walk, name, tables, open_file, form),
                self._asides(walk, name, tables),
            )
            for table in tables:
                total, pruner = totals[table]
                blanked, withheld = aside[table]
                told = withheld + walk.blanks(table, blanked, pruner)
                found[table] = walk.described(table, (), told, total, tuple(blanked))
                self._must_be(found[table])
        return self._all(member, found)

    async def _walk(self, person: Person) -> Walk:
        far: dict[tuple[str, str], set[Value]] = {}
        for table, column in far_places(self._schema):
            far[table, column] = await self._knowing.values(person, table, column)
        return Walk(self._schema, person, far)

    async def _written(
        self,
        walk: Walk,
        name: str,
        tables: Sequence[str],
        open_file: Callable[[str], BinaryIO],
        form: Form,
    ) -> dict[str, tuple[int, Pruner]]:
        """The rows of one connection's tables into their files: how many, and what was cut."""
        done: dict[str, tuple[int, Pruner]] = {}
        async with self._reading(name) as connection:
            for table in tables:
                statement = walk.statement(table, walk.shown(table), flags=False)
                pruner = Pruner(self._schema, table, walk.member)
                with open_file(table) as file:
                    if connection.dialect.name == "postgresql" and pruner.idle:
                        total = await copy_out(connection, statement.order_by(None), file, form)
                    else:
                        spec = self._schema.map.tables[table]
                        total = await stream_out(connection, statement, file, form, pruner, spec)
                done[table] = (total, pruner)
        return done

    async def _asides(
        self, walk: Walk, name: str, tables: Sequence[str]
    ) -> dict[str, tuple[Mapping[str, int], list[Withheld]]]:
        """What of each table was blanked and withheld, counted while the rows are on their way."""
        done: dict[str, tuple[Mapping[str, int], list[Withheld]]] = {}
        async with self._reading(name) as connection:
            for table in tables:
                blanked = await self._blanked(walk, connection, table, walk.shown(table))
                done[table] = (blanked, await walk.aside(connection, table))
        return done

    async def _blanked(
        self, walk: Walk, connection: AsyncConnection, table: str, shown: Sequence[str]
    ) -> Mapping[str, int]:
        """How often a column was blanked, of the columns that may be."""
        if (statement := walk.blanked(table, shown)) is None:
            return {}
        counted = (await connection.execute(statement)).mappings().one()
        return {column: rows for column, rows in counted.items() if rows}

    def _by_connection(self) -> list[tuple[str, list[str]]]:
        """Connections with their tables, home first, so that an unknown id ends it at once."""
        tables, home = self._schema.map.tables, self._schema.map.home.table
        names = list(self._schema.map.connections)
        names.sort(key=lambda name: name != tables[home].connection)
        ordered = sorted(tables, key=lambda table: table != home)
        return [(n, [t for t in ordered if tables[t].connection == n]) for n in names]

    def _must_be(self, table: CollectedTable) -> None:
        if table.table == self._schema.map.home.table and not table.total:
            raise UnknownMember("the registry has no such member", field="member")

    def _all(self, member: str, found: Mapping[str, CollectedTable]) -> Collected:
        tables = tuple(found[table] for table in self._schema.map.tables)
        return Collected(self._schema.map.registry, str(member), tables)


async def _both(first: Coroutine[Any, Any, _A], second: Coroutine[Any, Any, _B]) -> tuple[_A, _B]:
    """Both at once; where one fails the other is ended, and the first failure told."""
    try:
        async with asyncio.TaskGroup() as group:
            one, two = group.create_task(first), group.create_task(second)
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return one.result(), two.result()
