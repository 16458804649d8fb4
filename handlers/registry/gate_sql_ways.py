"""Ways to the same rows that lead around masking views, as the database's own catalogue tells them.

Each look says what is open to the audience's role, or to another role; `gate_sql_check` tries what can
be tried. `:tables` are the tables of the map and of the gate with their parts and wholes, `:base` those
of the map alone.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Finding:
    """`error`: the audience can do what it must not. `could`: a role that can read, with the reason.
    `warning`: to be looked at. `ok`: what was proven."""

    level: Literal["error", "could", "warning", "ok"]
    told: str


# The tables of these names, their parts, and the wholes that they are parts of: who may read the whole
# need not be allowed the part.
RELATED = text(
    """
WITH RECURSIVE named AS (
  SELECT to_regclass(n)::oid AS oid FROM unnest(CAST(:names AS text[])) n WHERE to_regclass(n) IS NOT NULL),
above AS (SELECT oid FROM named
  UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN above a ON i.inhrelid = a.oid),
below AS (SELECT oid FROM named
  UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN below b ON i.inhparent = b.oid)
SELECT oid::bigint, oid::regclass::text FROM (TABLE above UNION TABLE below) all_of_them ORDER BY 2
"""
)
RIGHTS = text(
    """
SELECT t.oid::regclass::text, p.right FROM unnest(CAST(:tables AS oid[])) t (oid),
  unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p ("right")
WHERE has_table_privilege(CAST(:role AS name), t.oid, p.right)
  OR CASE WHEN p.right IN ('INSERT', 'UPDATE', 'REFERENCES')
    THEN has_any_column_privilege(CAST(:role AS name), t.oid, p.right) END ORDER BY 1, 2
"""
)
# Views over the tables, of any depth, that the role has a right to; whether they open is tried.
VIEWS = text(
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
  AND NOT EXISTS (SELECT FROM gate.audience a, pg_catalog.pg_roles r WHERE r.oid = c.relowner
    AND r.rolname = 'gate_owner' AND n.nspname = 'mart' AND c.relname = ANY(a.views)) ORDER BY 1
"""
)
_FUNCTIONS = text(
    """
SELECT p.oid::regprocedure::text || ' with the rights of ' || r.rolname || CASE WHEN EXISTS (
    SELECT FROM unnest(CAST(:tables AS oid[])) t (oid) WHERE has_any_column_privilege(r.oid, t.oid, 'SELECT'))
    THEN ', who can read the tables' ELSE '' END
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT pg_has_role(CAST(:role AS name), p.proowner, 'MEMBER')
  AND has_function_privilege(CAST(:role AS name), p.oid, 'EXECUTE')
  AND has_schema_privilege(CAST(:role AS name), n.oid, 'USAGE') ORDER BY 1
"""
)
# A table made tomorrow, in place of one of today or as a part of it, would be open from the start.
_DEFAULTS = text(
    """
SELECT DISTINCT coalesce(g.rolname, 'PUBLIC') || ' may read each new table of ' || o.rolname
  || coalesce(' in ' || quote_ident(n.nspname), '')
FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_roles o ON o.oid = d.defaclrole
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace,
  aclexplode(d.defaclacl) a LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee
WHERE d.defaclobjtype = 'r' AND a.privilege_type = 'SELECT'
  AND (a.grantee = 0 OR pg_has_role(CAST(:role AS name), a.grantee, 'MEMBER')) ORDER BY 1
"""
)
# Other servers, which may be this one under another name.
_FOREIGN = text(
    """
SELECT 'the foreign server ' || quote_ident(s.srvname) || ', signed in there as somebody else'
FROM pg_catalog.pg_foreign_server s WHERE has_server_privilege(CAST(:role AS name), s.oid, 'USAGE')
  AND EXISTS (SELECT FROM pg_catalog.pg_user_mappings u WHERE u.srvid = s.oid AND (u.umuser = 0
    OR pg_has_role(CAST(:role AS name), CASE WHEN u.umuser <> 0 THEN u.umuser END, 'MEMBER')))
UNION SELECT 'the foreign table ' || c.oid::regclass FROM pg_catalog.pg_class c
WHERE c.relkind = 'f' AND has_any_column_privilege(CAST(:role AS name), c.oid, 'SELECT') ORDER BY 1
"""
)
_SENT = text(
    """
SELECT DISTINCT quote_ident(p.pubname) FROM pg_catalog.pg_publication_tables p
  JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
WHERE c.oid = ANY(CAST(:base AS oid[])) ORDER BY 1
"""
)
_ROW_SECURITY = text(
    "SELECT c.oid::regclass::text FROM pg_catalog.pg_class c WHERE c.relrowsecurity"
    " AND c.oid = ANY(CAST(:base AS oid[])) ORDER BY 1"
)
_TRUST = text(
    "SELECT count(*) FROM pg_catalog.pg_hba_file_rules WHERE auth_method = 'trust' AND error IS NULL"
)
# Why a role could read, the strongest reason first; of those that can sign in, or become one.
_WHO = text(
    """
WITH tables AS (
  SELECT c.oid, c.relowner FROM pg_catalog.pg_class c WHERE c.oid = ANY(CAST(:tables AS oid[]))),
files AS (SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace
  AND p.proname IN ('pg_read_file', 'pg_read_binary_file', 'lo_import'))
SELECT r.rolname,
  CASE WHEN r.rolsuper THEN 'a superuser'
    WHEN EXISTS (SELECT FROM pg_roles s WHERE s.rolsuper AND pg_has_role(r.oid, s.oid, 'MEMBER'))
      THEN 'member of a superuser'
    WHEN pg_has_role(r.oid, 'pg_read_all_data', 'MEMBER') THEN 'pg_read_all_data'
    WHEN pg_has_role(r.oid, 'pg_write_all_data', 'MEMBER') THEN 'pg_write_all_data: it can change holds'
    WHEN pg_has_role(r.oid, 'pg_read_server_files', 'MEMBER')
      OR pg_has_role(r.oid, 'pg_write_server_files', 'MEMBER')
      OR pg_has_role(r.oid, 'pg_execute_server_program', 'MEMBER')
      OR EXISTS (SELECT FROM files f WHERE has_function_privilege(r.oid, f.oid, 'EXECUTE'))
      THEN 'files or programs of the server'
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
    WHEN EXISTS (SELECT FROM tables t WHERE has_table_privilege(r.oid, t.oid, 'TRIGGER'))
      THEN 'TRIGGER: it can see each row that is written'
    WHEN EXISTS (SELECT FROM tables t, pg_catalog.pg_class c WHERE c.oid = t.oid
        AND c.relnamespace = to_regnamespace('gate')
        AND (has_table_privilege(r.oid, t.oid, 'DELETE, TRUNCATE')
          OR has_any_column_privilege(r.oid, t.oid, 'INSERT, UPDATE'))) THEN 'it can change holds'
    WHEN pg_has_role(r.oid, 'pg_read_all_stats', 'MEMBER')
      THEN 'pg_read_all_stats: it sees the values that stand in others'' statements'
    WHEN r.rolcreaterole AND current_setting('server_version_num')::int < 160000
      THEN 'CREATEROLE: it can make itself a member of the owners'
  END AS why
FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY 1
"""
)
_PLAIN: tuple[tuple[TextClause, str], ...] = (
    (_FUNCTIONS, "{role} can run {0}"),
    (_DEFAULTS, "{0}: a table that is made anew would be open"),
    (_FOREIGN, "{role} can read through {0}"),
    (_SENT, "the publication {0} sends the rows as they are to whoever subscribes to it"),
    (_ROW_SECURITY, "{0} has row-level security: the views show what it lets gate_owner see"),
)


async def warnings(
    on: AsyncConnection, role: str, tables: Sequence[int], base: Iterable[int]
) -> AsyncIterator[Finding]:
    """What nobody can try from here, to be looked at."""
    given: dict[str, Any] = {"role": role, "tables": list(tables), "base": list(base)}
    for look, words in _PLAIN:
        known = {name: given[name] for name in look._bindparams}
        for found in (await on.execute(look, known)).scalars():
            yield Finding("warning", words.format(found, role=role))
    if await _trusted(on):
        told = "pg_hba.conf trusts somebody (`trust`): whoever comes that way signs in as any role"
        yield Finding("warning", told)


async def _trusted(on: AsyncConnection) -> bool:
    """Whether anybody signs in without a proof; False as well where we may not look."""
    nested = await on.begin_nested()
    try:
        return bool((await on.execute(_TRUST)).scalar())
    except DBAPIError:
        return False
    finally:
        await nested.rollback()


async def who(on: AsyncConnection, role: str, tables: Sequence[int]) -> AsyncIterator[Finding]:
    """Each role that can read, or find out, all the same; an error where it is the audience's own."""
    rows: Any = (await on.execute(_WHO, {"tables": list(tables)})).all()
    for name, why in rows:
        if why:
            yield Finding("error" if name == role else "could", f"{name}: {why}")
