"""Proves as the role of an audience what must not work, and names who could read all the same.

What is tried with a hold of our own is rolled back; nothing stays of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subjectline.handlers.registry.engines import guarded
from subjectline.handlers.registry.gate_sql import (
    MART,
    OWNER,
    literal,
    quoted,
    state_view,
    view_name,
)
from subjectline.handlers.registry.gate_sql_apply import SECONDS, Seen, Written
from subjectline.handlers.registry.gate_sql_plan import Masked
from subjectline.handlers.registry.live import place_of

DENIED = "42501"

# The tables that nobody but the desk, the views' owner and the mirror may read, with their parts.
_TABLES = """
WITH RECURSIVE below AS (
  SELECT to_regclass(n)::oid AS oid FROM unnest(CAST(:names AS text[])) n WHERE to_regclass(n) IS NOT NULL
  UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN below b ON i.inhparent = b.oid)
"""
_PARTS = text(_TABLES + "SELECT oid::bigint, oid::regclass::text FROM below ORDER BY 2")
_RIGHTS = text(
    """
SELECT t.oid::regclass::text, p.right FROM unnest(CAST(:tables AS oid[])) t (oid),
  unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p ("right")
WHERE has_table_privilege(CAST(:role AS name), t.oid, p.right) ORDER BY 1, 2
"""
)
# Why a role could read, the strongest reason first; of those that can sign in, or become one.
_WHO = text(
    """
WITH tables AS (SELECT c.oid, c.relowner FROM pg_catalog.pg_class c WHERE c.oid = ANY(CAST(:tables AS oid[])))
SELECT r.rolname,
  CASE WHEN r.rolsuper THEN 'a superuser'
    WHEN EXISTS (SELECT FROM pg_roles s WHERE s.rolsuper AND pg_has_role(r.oid, s.oid, 'MEMBER'))
      THEN 'member of a superuser'
    WHEN pg_has_role(r.oid, 'pg_read_all_data', 'MEMBER') THEN 'pg_read_all_data'
    WHEN pg_has_role(r.oid, 'pg_write_all_data', 'MEMBER') THEN 'pg_write_all_data: it can change holds'
    WHEN pg_has_role(r.oid, 'pg_read_server_files', 'MEMBER')
      OR pg_has_role(r.oid, 'pg_write_server_files', 'MEMBER')
      OR pg_has_role(r.oid, 'pg_execute_server_program', 'MEMBER') THEN 'files or programs of the server'
    WHEN r.rolreplication THEN 'replication: it can copy the whole server'
    WHEN EXISTS (SELECT FROM tables t WHERE t.relowner = r.oid) THEN 'owner of a table'
    WHEN EXISTS (SELECT FROM tables t WHERE pg_has_role(r.oid, t.relowner, 'MEMBER'))
      THEN 'member of an owner: ' || (SELECT string_agg(DISTINCT o.rolname, ', ') FROM tables t
        JOIN pg_roles o ON o.oid = t.relowner WHERE pg_has_role(r.oid, t.relowner, 'MEMBER'))
    WHEN EXISTS (SELECT FROM tables t WHERE has_any_column_privilege(r.oid, t.oid, 'SELECT'))
      THEN 'SELECT on ' || (SELECT string_agg(t.oid::regclass::text, ', ' ORDER BY 1) FROM tables t
        WHERE has_any_column_privilege(r.oid, t.oid, 'SELECT'))
    WHEN EXISTS (SELECT FROM tables t, pg_roles o WHERE pg_has_role(r.oid, o.oid, 'MEMBER')
        AND has_any_column_privilege(o.oid, t.oid, 'SELECT')) THEN 'member of a role that may SELECT'
    WHEN r.rolcreaterole AND current_setting('server_version_num')::int < 160000
      THEN 'CREATEROLE: it can make itself a member of the owners'
  END AS why
FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY 1
"""
)
# Other ways to the same rows: views over them, and functions that run as somebody else.
_VIEWS = text(
    """
WITH RECURSIVE over AS (
  SELECT unnest(CAST(:tables AS oid[])) AS oid
  UNION SELECT w.ev_class FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
    JOIN over o ON d.refclassid = 'pg_class'::regclass AND d.refobjid = o.oid)
SELECT c.oid::regclass::text FROM over o JOIN pg_catalog.pg_class c USING (oid)
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND NOT (n.nspname = 'mart' AND c.relname = ANY(CAST(:ours AS text[])))
  AND has_any_column_privilege(CAST(:role AS name), c.oid, 'SELECT')
  AND NOT EXISTS (SELECT FROM gate.audience a WHERE n.nspname = 'mart' AND c.relname = ANY(a.views))
  ORDER BY 1
"""
)
_FUNCTIONS = text(
    """
SELECT p.oid::regprocedure::text FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT pg_has_role(CAST(:role AS name), p.proowner, 'MEMBER')
  AND has_function_privilege(CAST(:role AS name), p.oid, 'EXECUTE')
  AND has_schema_privilege(CAST(:role AS name), n.oid, 'USAGE') ORDER BY 1
"""
)
_MADE = text(
    """
SELECT c.relname, r.rolname AS owner, coalesce('security_barrier=true' = ANY(c.reloptions), false) AS barrier,
  coalesce('security_invoker=true' = ANY(c.reloptions), false) AS invoker, r.rolcanlogin AS login
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
WHERE c.relnamespace = to_regnamespace('mart') AND c.relname = ANY(CAST(:ours AS text[]))
"""
)
_APPLIED = text(
    "SELECT a.definition, a.role, f.fresh_at > clock_timestamp() - interval '2 seconds' AS fresh"
    " FROM gate.audience a LEFT JOIN gate.freshness f USING (audience) WHERE audience = :audience"
)

_FRESH = "UPDATE gate.freshness SET fresh_at = clock_timestamp() WHERE audience = {name}"
_STALE = "UPDATE gate.freshness SET fresh_at = '-infinity' WHERE audience = {name}"
_HOLD = (
    "INSERT INTO gate.active_hold SELECT {name}, CAST(n.id AS {form}), -1"
    " FROM unnest(CAST(:ids AS text[])) n (id) ON CONFLICT (audience, subject_id)"
    " DO UPDATE SET field_mask = -1"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """`error`: the audience can do what it must not. `could`: a role that can read, with the reason.
    `warning`: to be looked at. `ok`: what was proven."""

    level: Literal["error", "could", "warning", "ok"]
    told: str


async def check(what: Written, seen: Seen, engine: AsyncEngine) -> list[Finding]:
    """All findings for one audience in one connection. Needs who may SET ROLE to the audience's role
    and write holds (a superuser). Raises RegistryError."""
    connection = what.plan.connection
    async with guarded(connection, SECONDS), engine.connect() as trying:
        return await _Check(what, seen, trying).all()


class _Check:
    def __init__(self, what: Written, seen: Seen, connection: AsyncConnection) -> None:
        self._plan, self._seen, self._on = what.plan, seen, connection
        self._role = what.plan.audience.role
        self._views = {m.table: view_name(what.plan, m, seen.data_map) for m in what.plan.views}
        self._ours = [*self._views.values(), state_view(what.plan.audience)]

    async def all(self) -> list[Finding]:
        found = await self._applied()
        if any(finding.level == "error" for finding in found):
            return found
        names = [*self._base(), "gate.active_hold", "gate.freshness", "gate.audience"]
        rows = (await self._on.execute(_PARTS, {"names": names})).all()
        tables = [row[0] for row in rows]
        found += await self._closed_tables([row[1] for row in rows], tables)
        found += await self._values()
        found += await self._around(tables)
        found += await self._who(tables)
        await self._on.rollback()
        return found

    def _base(self) -> Iterator[str]:
        for name in self._plan.base:
            schema, table = place_of(self._seen.data_map, name)
            yield quoted(schema or self._seen.schema, table)

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
        wrong = sorted(set(self._ours) - set(right))
        found = [Finding("error", f"mart.{name} is not as it was made") for name in wrong]
        if not row.fresh:
            found.append(
                Finding("warning", "no mirror keeps the views current: they show nothing now")
            )
        return found

    async def _closed_tables(self, names: Sequence[str], oids: Sequence[int]) -> list[Finding]:
        found, closed = list[Finding](), 0
        for name in names:
            state = await self._tried(f"SELECT 1 FROM {name} LIMIT 0")
            closed += state == DENIED
            if state != DENIED:
                found.append(Finding("error", f"{self._role} can read {name}"))
        rows = await self._on.execute(_RIGHTS, {"tables": oids, "role": self._role})
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
        ids = [o.column for o in masked.owners if not o.hops and o.table == masked.table]
        view = quoted(MART, self._views[masked.table])
        name = literal(self._plan.audience.name)
        nested = await self._on.begin_nested()
        try:
            person = await self._person(masked, ids)
            if person is None:
                return None
            await self._on.exec_driver_sql(_FRESH.format(name=name))
            await self._on.execute(
                text(_HOLD.format(name=name, form=self._form)), {"ids": [str(p) for p in person]}
            )
            seen = await self._seen_of(view, ids, columns, person)
            await self._on.exec_driver_sql(_STALE.format(name=name))
            return sorted({*seen, *await self._seen_of(view, [], columns, ())})
        finally:
            await nested.rollback()

    @property
    def _form(self) -> str:
        return {"integer": "bigint", "uuid": "uuid"}.get(self._plan.form, "text")

    async def _person(self, masked: Masked, ids: Sequence[str]) -> tuple[Any, ...] | None:
        """The owners of one row; nobody where only other tables tell them."""
        if not ids:
            return None
        schema, table = place_of(self._seen.data_map, masked.table)
        listed = ", ".join(quoted(one) for one in ids)
        told = " AND ".join(f"{quoted(one)} IS NOT NULL" for one in ids)
        place = quoted(schema or self._seen.schema, table)
        row = (
            await self._on.exec_driver_sql(f"SELECT {listed} FROM {place} WHERE {told} LIMIT 1")
        ).first()
        return tuple(row) if row else None

    async def _seen_of(
        self, view: str, ids: Sequence[str], columns: Sequence[str], person: Sequence[Any]
    ) -> list[str]:
        """The columns of which the audience's role sees a value (of everybody without ids)."""
        pairs = zip(ids, person, strict=False)
        where = " AND ".join(f"{quoted(one)}::text = {literal(str(p))}" for one, p in pairs)
        counted = ", ".join(f"count({quoted(one)})" for one in columns)
        some = f"(SELECT * FROM {view} WHERE {where or 'true'} LIMIT 1000) v"
        inner = await self._on.begin_nested()
        try:
            await self._on.exec_driver_sql(f"SET LOCAL ROLE {quoted(self._role)}")
            row = (await self._on.exec_driver_sql(f"SELECT {counted} FROM {some}")).one()
        finally:
            await inner.rollback()
        return [column for column, number in zip(columns, row, strict=True) if number]

    async def _around(self, tables: Sequence[int]) -> list[Finding]:
        given = {"tables": list(tables), "role": self._role, "ours": self._ours}
        views = (await self._on.execute(_VIEWS, given)).scalars()
        found = [
            Finding("error", f"{self._role} can read {v}, a view of the same rows") for v in views
        ]
        functions = (await self._on.execute(_FUNCTIONS, {"role": self._role})).scalars()
        return found + [
            Finding("warning", f"{self._role} can run {f} with the rights of its owner")
            for f in functions
        ]

    async def _who(self, tables: Sequence[int]) -> list[Finding]:
        rows = (await self._on.execute(_WHO, {"tables": list(tables)})).all()
        return [
            Finding("error" if name == self._role else "could", f"{name}: {why}")
            for name, why in rows
            if why
        ]
