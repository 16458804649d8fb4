"""The company's member database, as the desk sees it."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, tzinfo
from typing import Any, BinaryIO

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subjectline.handlers.registry.access import Access, Form
from subjectline.handlers.registry.apply import Writer
from subjectline.handlers.registry.archive import Archive
from subjectline.handlers.registry.bound import Binder
from subjectline.handlers.registry.changes import Applied, Change
from subjectline.handlers.registry.collected import Collected
from subjectline.handlers.registry.consents import ConsentSeen, consents_seen
from subjectline.handlers.registry.drafts import Drafter, normalised
from subjectline.handlers.registry.engines import guarded
from subjectline.handlers.registry.erasure import Erasure, Erasures
from subjectline.handlers.registry.leaving import asked, decided
from subjectline.handlers.registry.live import fitted, live_of
from subjectline.handlers.registry.moving import Leaving, Longer, Mover, Places
from subjectline.handlers.registry.persons import Person
from subjectline.handlers.registry.schema import Schema, member_value
from subjectline.handlers.registry.withdrawal import Kept, Withdrawals, consent_of, kept_after
from subjectline.models.clock import Clock, system_clock
from subjectline.models.datamap import DataMap, Field, Manual, Value
from subjectline.models.errors import BadValue, RegistryError, UnknownMember

EXPORT_SECONDS = 3600.0


class Registry:
    """Reads and writes through the data map.

    `engines` has one engine a connection of the map (`open_engines`). Every call takes at most
    `seconds` a connection and raises RegistryAway where a database does not answer, RegistryError
    where it does not fit the map. Days are days in `zone`, the regime's. With an `archive`, what a law
    keeps of somebody who leaves is moved there; without one it stays where it is.
    """

    def __init__(
        self,
        data_map: DataMap,
        engines: Mapping[str, AsyncEngine],
        *,
        clock: Clock = system_clock,
        seconds: float = 5.0,
        zone: tzinfo = UTC,
        archive: Archive | None = None,
        writers: Mapping[str, AsyncEngine] | None = None,
    ) -> None:
        self.data_map = data_map
        self._schema = Schema(data_map)
        self._engines, self._clock, self._seconds, self._zone = engines, clock, seconds, zone
        self.archive = archive
        self._writers = dict(writers or {})
        writing = {**engines, **self._writers}
        self.places = Places(self._schema, engines, writing, seconds, clock, zone)
        self._leaving = Leaving(self.places)
        self._mover = Mover(self.places, archive) if archive else None
        self._access, self._fitted = Access(self._schema, self._reading), False
        binder = Binder(self._schema, self._reading)
        self._writer = Writer(self._schema, writing, seconds, binder, self._mover)

    def canonical(self, member: object) -> str:
        """The one way in which a member id is written. Raises NotCanonical."""
        return self.data_map.canonical(member)

    async def find(self, kind: str, value: str) -> list[str]:
        """Ids of the members whose registered contact of `kind` (email, phone) is `value`.

        Compared in canonical form; a value that is no such contact finds nobody.
        """
        return (await self.find_all(kind, [value])).get(value, [])

    async def find_all(self, kind: str, values: Iterable[str]) -> dict[str, list[str]]:
        """The same for many values, in one query; of what nobody has there is no key."""
        await self._ready()
        field = self.data_map.contact_field(kind)
        if field is None:
            return {}
        spelled: dict[str, list[str]] = {}
        for value in values:
            for way in _spellings(field, value):
                spelled.setdefault(way, []).append(value)
        column = self._schema[field.table].c[field.column]
        held: ColumnElement[Any] = func.lower(column) if kind == "email" else column
        owner = self._schema[field.table].c[self._owner(field.table)]
        wanted = select(owner, held).where(owner.is_not(None), held.in_(list(spelled)))
        found: dict[str, list[str]] = {}
        async with self._reading(self._schema.connection(field.table)) as connection:
            for member, way in await connection.execute(wanted.order_by(owner)):
                for value in spelled.get(str(way), ()):
                    found.setdefault(value, []).append(self.canonical(member))
        return {value: list(dict.fromkeys(ids)) for value, ids in found.items()}

    async def contacts(self, member: str) -> dict[str, str]:
        """The member's registered contacts, {"email": …, "phone": …}, canonical; without the empty
        ones. Raises UnknownMember."""
        by_field = {f.name: f.contact for f in self.data_map.fields.values() if f.contact}
        held = await self.read(member, by_field)
        return {str(by_field[name]): value for name, value in held.items() if value}

    async def contacts_of(self, members: Sequence[str]) -> dict[str, dict[str, str]]:
        """The contacts of many members, one query a table; `language` stands beside them."""
        await self._ready()
        found: dict[str, dict[str, str]] = {member: {} for member in members}
        for field in self.data_map.fields.values():
            if field.contact:
                for member, value in await self._column_of(field.table, field.column, members):
                    if (canonical := field.from_column(value)) and member in found:
                        found[member][field.contact] = canonical
        if column := self.data_map.home.language:
            for member, value in await self._column_of(self.data_map.home.table, column, members):
                if language := _language(value):
                    found[member]["language"] = language
        return found

    async def read(self, member: str, fields: Iterable[str]) -> dict[str, str | None]:
        """The canonical values of `fields`; None where a column or its row is empty.

        Raises UnknownMember, and BadValue for a field that the map does not have.
        """
        wanted = [self._field(name) for name in fields]
        values: dict[str, str | None] = {}
        member = await self._person(member)
        for table in dict.fromkeys(field.table for field in wanted):
            here = [field for field in wanted if field.table == table]
            columns = (self._schema[table].c[field.column] for field in here)
            statement = select(*columns).where(self._schema.owned(table, member)).limit(1)
            async with self._reading(self._schema.connection(table)) as connection:
                row = (await connection.execute(statement)).first()
            for position, field in enumerate(here):
                values[field.name] = field.from_column(row[position]) if row else None
        return {field.name: values[field.name] for field in wanted}

    async def language(self, member: str) -> str | None:
        """The member's language, ko or en, or None. Raises UnknownMember."""
        return _language(await self._known(self.canonical(member)))

    async def collect(self, member: str) -> Collected:
        """Everything that is the member's, one statement a table. Raises UnknownMember."""
        await self._ready()
        return await self._access.collect(self.canonical(member))

    async def collect_stranger(self, kind: str, value: str) -> Collected:
        """What is of somebody who is no member, by tables that know people by a contact of `kind`
        (email, phone). Raises BadValue for a value that is no such contact, and UnknownMember for one
        that members have."""
        await self._ready()
        field = self.data_map.contact_field(kind)
        wanted = field.normalise(value) if field else value
        if await self.find(kind, wanted):
            raise UnknownMember(f"a member has this {kind}", field="identity")
        return await self._access.collect_stranger(kind, wanted)

    async def export(
        self, member: str, open_file: Callable[[str], BinaryIO], form: Form = "csv"
    ) -> Collected:
        """The same as files, one a table, streamed; see `Access.export`. Raises UnknownMember."""
        await self._ready()
        access = Access(self._schema, lambda name: self._reading(name, EXPORT_SECONDS))
        return await access.export(self.canonical(member), open_file, form)

    async def draft_correction(self, member: str, new_values: Mapping[str, str]) -> list[Change]:
        """What would have to change so that every column of the fields holds the new values.

        Nothing is written. Raises BadValue, UnknownMember, RegistryError (no row to correct).
        """
        today = self._clock().astimezone(self._zone).date()
        values = normalised(self.data_map, new_values, today)
        member = await self._person(member)
        before = await self._before(member, values)
        changes: list[Change] = []
        for name in self.data_map.connections:
            async with self._reading(name) as connection:
                drafter = Drafter(self._schema, connection, member)
                for field_name, value in values.items():
                    field = self.data_map.fields[field_name]
                    if self._schema.connection(field.table) == name:
                        changes += await drafter.correction(field, value)
                    held = before.get(field_name)
                    changes += await drafter.copies(field, value, name, held)
        return changes

    async def _before(self, member: str, fields: Iterable[str]) -> dict[str, str | None]:
        """What those fields hold now whose copies are told by it."""
        named = [f for f in fields if any(copy.same for copy in self.data_map.fields[f].copies)]
        return await self.read(member, named) if named else {}

    def manual(self, fields: Iterable[str]) -> list[tuple[str, Manual]]:
        """The copies of `fields` that a person must correct, (field, copy): the desk cannot reach
        them, and a correction is not done before they are."""
        return [(name, copy) for name in fields for copy in self._field(name).manual]

    async def draft_withdrawal(
        self,
        member: str,
        kind: str,
        longer: Longer | None = None,
        choices: Mapping[str, str] | None = None,
    ) -> list[Change]:
        """What marketing_withdrawal, third_party_withdrawal or membership_withdrawal changes.

        `longer` says until when the member agreed to keep records, by retention rule, `choices` what an
        agent chose where the map asks (`asks`). Nothing is written; an empty list says that it was
        withdrawn before. Raises UnknownMember, BadInput for a choice that cannot be made, and
        RegistryError where the map has no such consent or a choice is missing.
        """
        consent = None if kind == "membership_withdrawal" else consent_of(self._schema, kind)
        member = await self._person(member)
        leave = decided(self._schema, choices or {})
        changes: list[Change] = []
        for name in self.data_map.connections:
            async with self._reading(name) as connection:
                drafts = Withdrawals(self._schema, connection, member, leave)
                changes += await (
                    drafts.consent(consent, name)
                    if consent
                    else drafts.membership(name, moving=self._mover is not None)
                )
        if self._mover is not None and consent is None:
            changes += await self._mover.draft(member, longer or {}, leave)
        return changes

    async def asks(self, member: str) -> dict[str, tuple[str, ...]]:
        """The tables with something of the member's of which the map does not say what leaving does,
        each with what an agent can choose. Raises UnknownMember."""
        return await asked(self.places, await self._person(member))

    async def draft_erasure(self, member: str, fields: Iterable[str]) -> Erasure:
        """What an erasure of these fields changes, and which records a law keeps all the same.

        Nothing is written. Raises BadValue, UnknownMember.
        """
        member = await self._person(member)
        return await Erasures(self.places).draft(member, [self._field(name) for name in fields])

    async def draft_status(self, member: str, *, blocked: bool) -> list[Change]:
        """The home row as the map has it for a member who is blocked, or active again."""
        member, home = self.canonical(member), self.data_map.home
        await self._known(member)
        wanted = home.blocked if blocked else {c: home.active.get(c) for c in home.blocked}
        async with self._reading(self._schema.connection(home.table)) as connection:
            return await Drafter(self._schema, connection, member).setting(home.table, wanted, {})

    async def consents(self, member: str) -> list[ConsentSeen]:
        """The member's consents as the company's columns have them. Raises UnknownMember."""
        member = await self._person(member)
        return await consents_seen(self.places, member)

    async def kept(
        self,
        member: str,
        longer: Longer | None = None,
        choices: Mapping[str, str] | None = None,
    ) -> list[Kept]:
        """What a law keeps after a membership withdrawal of today. Raises UnknownMember, BadInput."""
        leaves, person = decided(self._schema, choices or {}), await self._person(member)
        return await kept_after(self._leaving, self._schema, person, leaves, longer or {})

    async def apply(self, changes: Sequence[Change], at: datetime | None = None) -> Applied:
        """Writes a change set: one transaction a connection, already applied counts as done, read
        back after the commit. Safe to repeat with the same `at`, the time of timed ones (or now).
        Raises RegistryConflict (a row is not as seen; rolled back), RegistryAway or RegistryError;
        `results` of the error lists what each connection has.
        """
        await self._ready()
        return await self._writer.apply([change.at(at or self._clock()) for change in changes])

    async def has_left(self, member: str) -> bool:
        """Whether nothing but an emptied home row is left of a member, or not even that."""
        return await self._leaving.is_gone(self.canonical(member))

    async def still_live(self, member: str, table: str) -> list[dict[str, Value]]:
        """The keys of the rows of a kept table that still hold something of the member's."""
        await self._ready()
        person = await self._access.person(self.canonical(member))
        return [row.key for row in await self._leaving.rows(table, person)]

    async def members(self, after: str | None, limit: int) -> list[str]:
        """Ids of those who are members now, restricted ones as well, in the order of the key, from
        behind `after`."""
        await self._ready()
        key = self._schema.home_key
        statement = select(key).where(self._here()).order_by(key).limit(limit)
        if after is not None:
            statement = statement.where(key > member_value(key, self.canonical(after)))
        async with self._reading(self._schema.connection(self.data_map.home.table)) as connection:
            return [self.canonical(m) for m in (await connection.scalars(statement)).all()]

    async def count(self) -> int:
        """How many members there are now, restricted ones as well."""
        await self._ready()
        statement = select(func.count()).select_from(self._schema.home).where(self._here())
        async with self._reading(self._schema.connection(self.data_map.home.table)) as connection:
            return int(await connection.scalar(statement) or 0)

    async def check(self) -> list[str]:
        """Tries every table and column of the map; what does not work, one sentence each."""
        told: list[str] = []
        for table, spec in self.data_map.tables.items():
            try:
                async with self._reading(spec.connection) as connection:
                    await connection.execute(select(self._schema[table]).limit(1))
            except RegistryError as error:
                told.append(f"{table}: {error}")
        return told

    async def close(self) -> None:
        """Closes every engine."""
        for engine in (*self._engines.values(), *self._writers.values()):
            await engine.dispose()
        if self.archive is not None:
            await self.archive.close()

    @asynccontextmanager
    async def _reading(
        self, name: str, seconds: float | None = None
    ) -> AsyncIterator[AsyncConnection]:
        if name not in self._engines:
            raise RegistryError(
                "the connection has no engine", field=name, remedy="Give it a URL in the settings."
            )
        seconds = seconds or self._seconds
        async with guarded(name, seconds), self._engines[name].connect() as connection:
            yield connection

    async def _ready(self) -> None:
        """Asks the databases, once, for the types and keys that the map leaves to them."""
        if self.data_map.unfitted and not self._fitted:
            live = await live_of(self.data_map, self._reading)
            self.data_map = fitted(self.data_map, live)
            self._schema.fit(self.data_map)
        self._fitted = True

    async def _person(self, member: str) -> Person:
        """The member with all that it takes to find their rows. Raises UnknownMember."""
        await self._ready()
        member = self.canonical(member)
        await self._known(member)
        return await self._access.person(member)

    async def _known(self, member: str) -> Any:
        """The value of the member's language column. Raises UnknownMember."""
        await self._ready()
        language = self.data_map.home.language or self.data_map.home.key
        statement = select(self._schema.home.c[language]).where(
            self._schema.is_member(self._schema.home_key, member)
        )
        async with self._reading(self._schema.connection(self.data_map.home.table)) as connection:
            row = (await connection.execute(statement)).first()
        if row is None:
            raise UnknownMember("the registry has no such member", field="member")
        return row[0] if self.data_map.home.language else None

    async def _column_of(
        self, table: str, column: str, members: Sequence[str]
    ) -> list[tuple[str, Any]]:
        here = self._schema[table]
        owner = here.c[self._owner(table)]
        values = [member_value(owner, self.canonical(member)) for member in members]
        statement = select(owner, here.c[column]).where(owner.in_(values))
        async with self._reading(self._schema.connection(table)) as connection:
            return [(self.canonical(m), v) for m, v in await connection.execute(statement)]

    def _owner(self, table: str) -> str:
        """The one owner column of a table that holds contacts (the map's checks see to it)."""
        return self._schema.owner_columns(table)[0]

    def _here(self) -> ColumnElement[bool]:
        """Who is a member: active, or restricted. Of a restricted one only `blocked` is asked for."""
        home = self._schema.home
        active, blocked = self.data_map.home.active, self.data_map.home.blocked
        ways = [and_(true(), *(home.c[c] == v for c, v in active.items()))]
        if blocked:
            rest = {c: v for c, v in active.items() if c not in blocked}
            ways.append(and_(*(home.c[c] == v for c, v in (blocked | rest).items())))
        return or_(*ways)

    def _field(self, name: str) -> Field:
        if (field := self.data_map.fields.get(name)) is None:
            raise BadValue(name, "unknown_field", "the data map has no such field")
        return field


def _language(value: object) -> str | None:
    short = str(value or "").strip().lower()[:2]
    return short if short in ("ko", "en") else None


def _spellings(field: Field, value: str) -> tuple[str, ...]:
    """Every way in which the column may write a contact; none where it is no such contact."""
    try:
        return field.in_columns(field.normalise(value))
    except BadValue:
        return ()
