"""What a change set carries so that it can be applied again when the rows that told whose are gone.

A row of one database may be found through a table of another, or by an address that only home holds. A
withdrawal destroys those as well. So the values that decide are bound in the change set when it is
drafted; when it is applied they are looked up anew, and both count. What was the member's and is now
somebody else's stops it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import and_, func, select, true

from subjectline.handlers.registry.changes import Change
from subjectline.handlers.registry.knowing import Knowing, Reading
from subjectline.handlers.registry.persons import Person
from subjectline.handlers.registry.schema import Schema
from subjectline.models.datamap import Value
from subjectline.models.datamap.tables import split
from subjectline.models.errors import RegistryConflict


@dataclass(frozen=True, slots=True)
class Needs:
    """What it takes to tell a member's rows of a table: kinds of identity, and the tables whose owner
    another database tells."""

    kinds: tuple[str, ...]
    held: tuple[str, ...]


def needs(schema: Schema, table: str) -> Needs:
    """What the condition of ownership of `table` reads beside the member id."""
    kinds, held, seen, todo = list[str](), list[str](), {schema.map.home.table}, [table]
    while todo:
        if (name := todo.pop()) in seen:
            continue
        seen.add(name)
        spec = schema.map.tables[name]
        if name in schema.apart:
            held.append(name)
            continue
        kinds += spec.identities.values()
        todo += [spec.target(spec.through)[0]] if spec.through else []
        todo += [split(place)[0] for place in spec.used_by]
    return Needs(tuple(sorted(set(kinds))), tuple(sorted(held)))


def bound(schema: Schema, member: str, table: str) -> dict[str, Any]:
    """What a change of whole rows of `table` carries: nothing where the member id is enough."""
    wanted = needs(schema, table)
    if not isinstance(member, Person) or not (wanted.kinds or wanted.held):
        return {}
    sure = [kind for kind in wanted.kinds if kind not in member.doubtful]
    known_by = {kind: _sorted(member.known_by.get(kind, ())) for kind in sure}
    return {"known_by": known_by, "held": {t: _sorted(member.held.get(t, ())) for t in wanted.held}}


def _sorted(values: Iterable[Value]) -> list[Value]:
    """The same draft twice has the same bytes."""
    return sorted(set(values), key=lambda value: (str(type(value)), str(value)))


class Binder:
    """Says, when a change set is applied, whose rows it means."""

    def __init__(self, schema: Schema, reading: Reading) -> None:
        self._schema, self._reading = schema, reading
        self._knowing = Knowing(schema, reading)

    async def resolved(self, changes: Sequence[Change]) -> list[Change]:
        """The changes, their member a Person where it takes one.

        Raises RegistryConflict where what was bound leads to somebody else now.
        """
        fresh: dict[str, Person] = {}
        found: list[Change] = []
        for change in changes:
            if change.known:
                member = str(change.member)
                if member not in fresh:
                    fresh[member] = await self._knowing.person(member)
                change = replace(change, member=await self._person(change, fresh[member]))
            found.append(change)
        return found

    async def _person(self, change: Change, fresh: Person) -> Person:
        before = _bound_person(change)
        known_by = {
            kind: (*values, *(() if kind in fresh.doubtful else fresh.known_by.get(kind, ())))
            for kind, values in before.known_by.items()
        }
        held = {table: (*v, *fresh.held.get(table, ())) for table, v in before.held.items()}
        person = Person(before, known_by, frozenset(), held)
        if await self._strange(before, fresh) and await self._rows(change, person):
            raise RegistryConflict(
                f"what told whose rows of {change.table!r} are names somebody else now",
                field=change.connection,
                remedy="Nothing was deleted there. Propose anew.",
            )
        return person

    async def _strange(self, before: Person, fresh: Person) -> bool:
        """Whether something that was bound, and is not the member's any more, is another's."""
        for kind, values in before.known_by.items():
            lost = set(values) - set(fresh.known_by.get(kind, ()))
            if kind in fresh.doubtful or lost:
                if await self._knowing.known_to_others(before, kind, values):
                    return True
        for table, held in before.held.items():
            if lost_rows := set(held) - set(fresh.held.get(table, ())):
                if await self._knowing.held_by_others(fresh, table, lost_rows):
                    return True
        return False

    async def _rows(self, change: Change, person: Person) -> int:
        table = self._schema[change.table]
        key = and_(true(), *(table.c[column] == value for column, value in change.key.items()))
        count = select(func.count()).select_from(table)
        count = count.where(self._schema.owned(change.table, person), key)
        async with self._reading(change.connection) as connection:
            return int(await connection.scalar(count) or 0)


def _bound_person(change: Change) -> Person:
    known_by: Mapping[str, Iterable[str]] = change.known.get("known_by", {})
    held: Mapping[str, Iterable[Value]] = change.known.get("held", {})
    return Person(
        str(change.member),
        {kind: tuple(values) for kind, values in known_by.items()},
        held={table: tuple(values) for table, values in held.items()},
    )
