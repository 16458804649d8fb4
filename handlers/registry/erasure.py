"""Change sets for an erasure of single items: what may go, and the records that a law keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, select

from subjectline.handlers.registry.bound import bound
from subjectline.handlers.registry.changes import Change
from subjectline.handlers.registry.drafts import Drafter
from subjectline.handlers.registry.moving import Leaving, LeavingRow, Places
from subjectline.handlers.registry.withdrawal import Kept, kept_of
from subjectline.models.datamap import Copy, Field, Value


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure would do. `erased`: fields that lose a value; `needed`: fields that go only
    with the membership; `kept`: records with these items that a law keeps."""

    changes: tuple[Change, ...]
    erased: tuple[str, ...]
    needed: tuple[str, ...]
    kept: tuple[Kept, ...]


class Erasures:
    """Drafts erasures. Writes nothing."""

    def __init__(self, places: Places) -> None:
        self._places, self._schema = places, places.schema
        self._leaving = Leaving(places)

    async def draft(self, member: str, fields: Sequence[Field]) -> Erasure:
        """The changes for every place of the fields that the map knows."""
        needed = tuple(field.name for field in fields if field.erase == "leave")
        changes: list[Change] = []
        erased: list[str] = []
        kept: dict[str, Kept] = {}
        for field in fields:
            if field.name in needed:
                continue
            own, found = await self._field(member, field)
            erased += [field.name] if own else []
            changes += [change for change in own if change not in changes]
            kept |= {one.table: one for one in found}
        return Erasure(_without_doubles(changes), tuple(erased), needed, tuple(kept.values()))

    async def _field(self, member: str, field: Field) -> tuple[list[Change], list[Kept]]:
        changes: list[Change] = []
        kept: list[Kept] = []
        at_home = Copy(
            table=field.table,
            column=field.column,
            erase="row" if field.erase == "row" else "column",
        )
        for place in (at_home, *field.copies):
            if self._schema.map.leave[place.table].action == "keep":
                gone, held = await self._by_law(member, place)
                changes, kept = changes + gone, kept + held
            elif place.erase == "row":
                changes += await self._rows(member, place.table)
            else:
                changes += await self._column(member, place)
        return changes, kept

    async def _by_law(self, member: str, place: Copy) -> tuple[list[Change], list[Kept]]:
        """A record that a law keeps stays whole; one whose time is over goes whole."""
        here = self._schema[place.table]
        owned = self._schema.owned_value(place.table, place.column, member)
        statement = select(here).where(and_(owned, here.c[place.column].is_not(None)))
        async with self._places.reading(self._schema.connection(place.table)) as connection:
            found = await connection.execute(statement.order_by(*here.primary_key.columns))
            columns = self._schema.map.tables[place.table].columns
            raw = [dict(zip(columns, row, strict=True)) for row in found]
        key = self._schema.map.tables[place.table].key
        rows = [
            LeavingRow(
                place.table,
                {column: values[column] for column in key},
                {},
                (),
                self._leaving.until(place.table, values, None),
                undated=self._leaving.undated(place.table, values),
            )
            for values in raw
        ]
        over = [row for row in rows if row.until is None]
        if self._schema.map.tables[place.table].shared:
            over = []  # another person's as well: the daily run sees to it
        return [self._drop(member, row) for row in over], kept_of(self._schema, place.table, rows)

    def _drop(self, member: str, row: LeavingRow) -> Change:
        return self._delete(member, row.table, row.key, 1)

    def _delete(self, member: str, table: str, key: Mapping[str, Value], rows: int) -> Change:
        name, known = self._schema.connection(table), bound(self._schema, member, table)
        return Change(name, table, key, "", rows, None, "delete", str(member), known)

    async def _rows(self, member: str, table: str) -> list[Change]:
        name = self._schema.connection(table)
        owned = self._schema.owned(table, member)
        count = select(func.count()).select_from(self._schema[table]).where(owned)
        async with self._places.reading(name) as connection:
            rows = await connection.scalar(count)
        return [self._delete(member, table, {}, rows)] if rows else []

    async def _column(self, member: str, place: Copy) -> list[Change]:
        async with self._places.reading(self._schema.connection(place.table)) as connection:
            drafter = Drafter(self._schema, connection, member)
            return await drafter.setting(place.table, {place.column: None}, {})


def _without_doubles(changes: Sequence[Change]) -> tuple[Change, ...]:
    """A row that goes needs no column emptied before."""
    emptied = {c.table for c in changes if c.op == "delete" and not c.key}
    return tuple(c for c in changes if c.table not in emptied or (c.op == "delete" and not c.key))
