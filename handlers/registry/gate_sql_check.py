"""Proves as the role of an audience what must not work, and names who could read all the same.

What is tried with a hold of our own is rolled back; nothing stays of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subjectline.handlers.registry.engines import guarded
from subjectline.handlers.registry.gate_sql import (
    MART,
    OWNER,
    literal,
    meets,
    quoted,
    state_view,
    view_name,
)
from subjectline.handlers.registry.gate_sql_apply import SECONDS, Seen, Written
from subjectline.handlers.registry.gate_sql_plan import Masked
from subjectline.handlers.registry.gate_sql_ways import (
    RELATED,
    RIGHTS,
    VIEWS,
    Finding,
    warnings,
    who,
)
from subjectline.handlers.registry.live import place_of

DENIED = "42501"

_MADE = text(
    """
SELECT c.relname, r.rolname AS owner, coalesce('security_barrier=true' = ANY(c.reloptions), false) AS barrier,
  coalesce('security_invoker=true' = ANY(c.reloptions), false) AS invoker, r.rolcanlogin AS login
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
WHERE c.relnamespace = to_regnamespace('mart') AND c.relname = ANY(CAST(:ours AS text[]))
"""
)
_SAME = text(
    "SELECT pg_get_viewdef('pg_temp.gate_probe'::regclass) = pg_get_viewdef(to_regclass(:view))"
)
_APPLIED = text(
    "SELECT a.definition, a.role, f.fresh_at > clock_timestamp() - interval '2 seconds' AS fresh"
    " FROM gate.audience a LEFT JOIN gate.freshness f USING (audience) WHERE audience = :audience"
)

_FRESH = "UPDATE gate.freshness SET fresh_at = clock_timestamp() WHERE audience = {name}"
_STALE = "UPDATE gate.freshness SET fresh_at = '-infinity' WHERE audience = {name}"
_HOLD = (
    "INSERT INTO gate.active_hold SELECT {name}, CAST(n.id AS {form}), -1"
    " FROM unnest({ids}) n (id) ON CONFLICT (audience, subject_id)"
    " DO UPDATE SET field_mask = -1"
)


@dataclass(frozen=True, slots=True)
class _Row:
    """One row below a view: its persons, and the columns of the view that find it again."""

    persons: tuple[str, ...]
    where: str


async def check(what: Written, seen: Seen, engine: AsyncEngine) -> list[Finding]:
    """All findings for one audience in one connection. Needs who may SET ROLE to the audience's role
    and write holds (a superuser). Raises RegistryError."""
    connection = what.plan.connection
    async with guarded(connection, SECONDS), engine.connect() as trying:
        return await _Check(what, seen, trying).all()


class _Check:
    def __init__(self, what: Written, seen: Seen, connection: AsyncConnection) -> None:
        self._plan, self._seen, self._on = what.plan, seen, connection
        self._statements = what.statements
        self._role = what.plan.audience.role
        self._views = {m.table: view_name(what.plan, m, seen.data_map) for m in what.plan.views}
        self._ours = [*self._views.values(), state_view(what.plan.audience)]

    async def all(self) -> list[Finding]:
        await self._on.exec_driver_sql("SET LOCAL search_path = pg_catalog")  # names stand whole
        found = await self._applied()
        if any(finding.level == "error" for finding in found):
            return found
        base = await self._related(list(self._base()))
        gates = await self._related(["gate.active_hold", "gate.freshness", "gate.audience"])
        tables = [*base, *gates]
        found += await self._closed_tables([*base.values(), *gates.values()], tables)
        found += await self._values()
        found += await self._views_of_others(tables)
        found += [each async for each in warnings(self._on, self._role, tables, base)]
        found += [each async for each in who(self._on, self._role, tables)]
        await self._on.rollback()
        return found

    async def _related(self, names: list[str]) -> dict[int, str]:
        """The tables of these names with their parts and wholes, by number."""
        rows = (await self._on.execute(RELATED, {"names": names})).all()
        return {number: name for number, name in rows}

    def _base(self) -> Iterator[str]:
        for name in self._plan.base:
            yield self._place(name)

    def _place(self, name: str) -> str:
        schema, table = place_of(self._seen.data_map, name)
        return quoted(schema or self._seen.schema, table)

    async def _applied(self) -> list[Finding]:
        """Whether what is there is what the data map says, and made as it was written."""
        if not (await self._on.execute(text("SELECT to_regclass('gate.audience')"))).scalar():
            return [Finding("error", "nothing is applied here: run it with --apply")]
        audience = {"audience": self._plan.audience.name}
        row = (await self._on.execute(_APPLIED, audience)).one_or_none()
        if row is None or row.definition != self._plan.definition:
            return [Finding("error", "the views are of another data map: run it with --apply")]
        made = (await self._on.execute(_MADE, {"ours": self._ours})).all()
        right = [
            one.relname
            for one in made
            if one.owner == OWNER and one.barrier and not one.invoker and not one.login
        ]
        same = [name for name in right if await self._as_written(name)]
        wrong = sorted(set(self._ours) - set(same))
        found = [Finding("error", f"mart.{name} is not as it was made") for name in wrong]
        if not row.fresh:
            found.append(
                Finding("warning", "no mirror keeps the views current: they show nothing now")
            )
        return found

    async def _as_written(self, view: str) -> bool:
        """Whether a view means what the map says: made once more, for as long as it is looked at."""
        head = f"CREATE OR REPLACE VIEW {quoted(MART, view)} WITH (security_barrier) AS"
        text_of = next(words for words in self._statements if words.startswith(head))
        nested = await self._on.begin_nested()
        try:
            made = f"CREATE TEMP VIEW gate_probe AS{text_of.removeprefix(head)}"
            await self._on.exec_driver_sql(made)
            return bool((await self._on.execute(_SAME, {"view": quoted(MART, view)})).scalar())
        finally:
            await nested.rollback()

    async def _closed_tables(self, names: Sequence[str], oids: Sequence[int]) -> list[Finding]:
        found, closed = list[Finding](), 0
        for name in names:
            state = await self._tried(f"SELECT 1 FROM {name} LIMIT 0")
            closed += state == DENIED
            if state != DENIED:
                found.append(Finding("error", f"{self._role} can read {name}"))
        rows = await self._on.execute(RIGHTS, {"tables": oids, "role": self._role})
        found += [Finding("error", f"{self._role} has {right} on {name}") for name, right in rows]
        found.append(
            Finding("ok", f"{closed} tables refuse {self._role}: the map's and the gate's")
        )
        return found

    async def _tried(self, words: str) -> str:
        """The SQLSTATE of a statement as the audience's role; empty where it was done."""
        nested = await self._on.begin_nested()
        try:
            await self._on.exec_driver_sql(f"SET LOCAL ROLE {quoted(self._role)}")
            await self._on.exec_driver_sql(words)
        except DBAPIError as refusal:
            return str(getattr(refusal.orig, "sqlstate", "") or "unknown")
        finally:
            await nested.rollback()
        return ""

    async def _values(self) -> list[Finding]:
        """Everything is held of one person of each view, for as long as a transaction lasts."""
        found, proven = list[Finding](), list[str]()
        for masked in self._plan.views:
            shown = await self._shown(masked)
            if shown is None:
                told = f"mart.{self._views[masked.table]}: no row to try a hold on"
                found.append(Finding("warning", told))
            elif shown:
                told = f"{self._role} can read {', '.join(shown)} of somebody held"
                found.append(Finding("error", f"mart.{self._views[masked.table]}: {told}"))
            else:
                proven.append(f"mart.{self._views[masked.table]}")
        if proven:
            told = f"{self._role} reads NULL of who is held, and of everybody once it is stale: "
            found.append(Finding("ok", told + ", ".join(proven)))
        return found

    async def _shown(self, masked: Masked) -> list[str] | None:
        """The columns that are to be seen of a held person, or of anybody when stale; None where
        there is nobody."""
        columns = [s.column for s in masked.columns if s.bits]
        view = quoted(MART, self._views[masked.table])
        name = literal(self._plan.audience.name)
        nested = await self._on.begin_nested()
        try:
            row = await self._row(masked)
            if row is None:
                return None
            await self._on.exec_driver_sql(_FRESH.format(name=name))
            held = _HOLD.format(name=name, form=self._form, ids=_array(row.persons))
            await self._on.exec_driver_sql(held)
            seen = await self._seen_of(view, row.where, columns)
            await self._on.exec_driver_sql(_STALE.format(name=name))
            return sorted({*seen, *await self._seen_of(view, "true", columns)})
        finally:
            await nested.rollback()

    @property
    def _form(self) -> str:
        return {"integer": "bigint", "uuid": "uuid"}.get(self._plan.form, "text")

    async def _row(self, masked: Masked) -> _Row | None:
        """A row whose persons are known, here or through other tables; None where there is none."""
        joins, persons = list[str](), list[str]()
        for number, owner in enumerate(masked.owners):
            before, table = "t", masked.table
            for at, hop in enumerate(owner.hops):
                here = f"p{number}_{at}"
                met = meets(self._seen.data_map, self._seen.live, table, hop, before, here)
                joins.append(f"JOIN {self._place(hop.table)} {here} ON {met}")
                before, table = here, hop.table
            persons.append(f"{before}.{quoted(owner.column)}")
        known = self._known_by(masked)
        listed = ", ".join(
            f"({one})::text" for one in (*persons, *(f"t.{quoted(k)}" for k in known))
        )
        told = " AND ".join(f"{one} IS NOT NULL" for one in persons)
        words = f"SELECT {listed} FROM {self._place(masked.table)} t {' '.join(joins)} WHERE {told}"
        row = (await self._on.exec_driver_sql(f"{words} LIMIT 1")).first() if known else None
        if row is None:
            return None
        pairs = zip(known, row[len(persons) :], strict=True)
        where = " AND ".join(f"({quoted(one)})::text = {literal(value)}" for one, value in pairs)
        return _Row(tuple(row[: len(persons)]), where)

    def _known_by(self, masked: Masked) -> list[str]:
        """The columns of the view that find a person's rows again, or one row by its key."""
        plain = {s.column for s in masked.columns if not s.bits}
        if not any(owner.hops for owner in masked.owners):
            return [o.column for o in masked.owners if o.column in plain]
        return [k for k in self._seen.data_map.tables[masked.table].key if k in plain]

    async def _seen_of(self, view: str, where: str, columns: Sequence[str]) -> list[str]:
        """The columns of which the audience's role sees a value."""
        counted = ", ".join(f"count({quoted(one)})" for one in columns)
        some = f"(SELECT * FROM {view} WHERE {where} LIMIT 1000) v"
        inner = await self._on.begin_nested()
        try:
            await self._on.exec_driver_sql(f"SET LOCAL ROLE {quoted(self._role)}")
            row = (await self._on.exec_driver_sql(f"SELECT {counted} FROM {some}")).one()
        finally:
            await inner.rollback()
        return [column for column, number in zip(columns, row, strict=True) if number]

    async def _views_of_others(self, tables: Sequence[int]) -> list[Finding]:
        """Views that lead to the same rows, each tried: those that ask with the reader's own rights
        are refused."""
        given = {"tables": list(tables), "role": self._role, "ours": self._ours}
        views = (await self._on.execute(VIEWS, given)).scalars().all()
        return [
            Finding("error", f"{self._role} can read {view}, a view of the same rows")
            for view in views
            if await self._tried(f"SELECT 1 FROM {view} LIMIT 0") != DENIED
        ]


def _array(values: Sequence[str]) -> str:
    return f"ARRAY[{', '.join(literal(value) for value in values)}]::text[]"
