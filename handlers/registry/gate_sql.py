"""Masking views for PostgreSQL, written from a plan: schemas, roles, the table of holds, views, grants.

Every identifier comes from the data map, goes through SQLAlchemy's preparer and stands quoted; every
other word of a statement is a constant or a quoted literal. A statement is one string.
"""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy.dialects import postgresql

from subjectline.handlers.registry.gate_sql_plan import (
    ANY,
    MOST_BYTES,
    Audience,
    Hop,
    Masked,
    Owner,
    Plan,
)
from subjectline.handlers.registry.live import Live, place_of
from subjectline.models.datamap import DataMap
from subjectline.models.errors import DataMapError
from subjectline_client.core import BOUND

SCHEMA, MART = "gate", "mart"
OWNER, MIRROR = "gate_owner", "gate_mirror"
FORMS = {
    "integer": "bigint",
    "uuid": "uuid",
    "text": 'text COLLATE "C"',
}  # how a hold names its person

_dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
_preparer = _dialect.identifier_preparer
_WITHIN = f"interval '{BOUND:g} seconds'"
# Spaces that Python takes off the ends of an id, and signs that nobody can see.
_ODD = r"^[\s\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_ODD_END = r"[\s\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$"


def quoted(*names: str) -> str:
    """A name for a statement, with its schema before it. Raises DataMapError if it is too long."""
    for name in names:
        if len(name.encode()) > MOST_BYTES or "\0" in name:
            raise DataMapError(
                f"{name!r} is too long for a name in PostgreSQL", remedy="Give it a shorter one."
            )
    return ".".join(_preparer.quote_identifier(name) for name in names)


def literal(text: str) -> str:
    """A text for a statement."""
    return "'" + text.replace("'", "''") + "'"


def view_name(plan: Plan, masked: Masked, data_map: DataMap) -> str:
    """The name of a table's view for an audience, without its schema: the table's own name, or the
    map's where two schemas have a table of that name."""
    name = place_of(data_map, masked.table)[1]
    same = [one for one in plan.base if place_of(data_map, one)[1] == name]
    return f"{name if len(same) == 1 else masked.table}_{plan.audience.name}"


def state_view(audience: Audience) -> str:
    """The view that tells an audience how new what it sees is, without its schema."""
    return f"gate_{audience.name}"


def meets(data_map: DataMap, live: Live, table: str, hop: Hop, before: str, here: str) -> str:
    """The condition of a hop from `table` (as `before`) to `here`. Columns of two kinds are compared as
    they are written: what is written otherwise finds nobody, and is masked."""
    kinds = {
        live[place_of(data_map, one)].columns[column].kind
        for one, column in ((table, hop.column), (hop.table, hop.key))
    }
    cast = "::text" if len(kinds) > 1 else ""
    return f"{here}.{quoted(hop.key)}{cast} = {before}.{quoted(hop.column)}{cast}"


class Writer:
    """Writes the statements of one plan. `live` is what the plan's connection has."""

    def __init__(self, data_map: DataMap, plan: Plan, live: Live, schema: str = "public") -> None:
        """`schema`: where tables stand of which the map names none (the database's default)."""
        self._map, self._plan, self._live, self._default = data_map, plan, live, schema
        self._audience = plan.audience
        self._name = literal(plan.audience.name)
        self._role = quoted(plan.audience.role)

    def statements(self) -> list[str]:
        """All of them, in order, for one transaction of a superuser (or who may do all this)."""
        self._known()
        return [
            "SET LOCAL search_path = pg_catalog, pg_temp",
            "SET LOCAL standard_conforming_strings = on",
            *self._roles(),
            *self._tables(),
            self._alone(),
            *self._revoked(),
            *self._dropped(),
            *(words for masked in self._plan.views for words in self._view(masked)),
            *self._state(),
            *self._registered(),
        ]

    def _known(self) -> None:
        """Raises DataMapError for a table or column that the database does not have."""
        for masked in self._plan.views:
            for table, columns in self._read(masked).items():
                seen = self._live.get(place_of(self._map, table))
                missing = sorted(columns - seen.columns.keys()) if seen else []
                if seen is None or missing:
                    raise DataMapError(
                        f"the database has no {', '.join(missing) or 'such table'}",
                        field=f"tables.{table}",
                        remedy="Compare them: subjectline map check.",
                    )

    def _roles(self) -> Iterator[str]:
        for name, login in ((OWNER, ""), (MIRROR, " LOGIN"), (self._audience.role, "")):
            yield _do(
                f"IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal(name)}) THEN"
                f" CREATE ROLE {quoted(name)}{login or ' NOLOGIN'}; END IF"
            )
        for schema in (SCHEMA, MART):
            yield f"CREATE SCHEMA IF NOT EXISTS {schema}"
            yield f"ALTER SCHEMA {schema} OWNER TO {OWNER}"
            yield f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC, {self._role}"
        yield f"GRANT USAGE ON SCHEMA {MART} TO {self._role}"
        yield f"GRANT USAGE ON SCHEMA {SCHEMA} TO {MIRROR}"

    def _tables(self) -> Iterator[str]:
        part = quoted(SCHEMA, f"active_hold_{self._audience.name}")
        yield (
            "CREATE TABLE IF NOT EXISTS gate.audience (audience text PRIMARY KEY,"
            " purpose text NOT NULL, recipient text NOT NULL, role text NOT NULL,"
            " definition text NOT NULL, views text[] NOT NULL)"
        )
        yield (
            "CREATE TABLE IF NOT EXISTS gate.freshness (audience text PRIMARY KEY,"
            " revision bigint NOT NULL, fresh_at timestamptz NOT NULL) WITH (fillfactor = 50)"
        )
        yield (
            "CREATE TABLE IF NOT EXISTS gate.active_hold (audience text NOT NULL,"
            f" subject_id {FORMS[self._plan.form]} NOT NULL, field_mask bigint NOT NULL,"
            " PRIMARY KEY (audience, subject_id)) PARTITION BY LIST (audience)"
        )
        yield (
            f"CREATE TABLE IF NOT EXISTS {part} PARTITION OF gate.active_hold"
            f" FOR VALUES IN ({self._name})"
        )
        for table in ("gate.audience", "gate.freshness", "gate.active_hold", part):
            yield f"ALTER TABLE {table} OWNER TO {OWNER}"
            yield f"REVOKE ALL ON {table} FROM PUBLIC, {self._role}"
        yield f"GRANT SELECT ON gate.audience TO {MIRROR}"
        yield f"GRANT SELECT, UPDATE ON gate.freshness TO {MIRROR}"
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON gate.active_hold TO {MIRROR}"

    def _revoked(self) -> Iterator[str]:
        """Nothing is left of the tables of the map, of their parts and of the wholes that they are parts
        of, for the audience's role, nor for those to whom it passed its rights on."""
        for name in self._plan.base:
            if place_of(self._map, name) not in self._live:
                continue
            here = f"SELECT {literal(self._table(name))}::regclass::oid AS oid UNION"
            yield _do(
                f"FOR part IN WITH RECURSIVE below AS ({here}"
                " SELECT i.inhrelid FROM pg_inherits i JOIN below b ON i.inhparent = b.oid),"
                f" above AS ({here}"
                " SELECT i.inhparent FROM pg_inherits i JOIN above a ON i.inhrelid = a.oid)"
                " SELECT oid::regclass FROM (TABLE below UNION TABLE above) related LOOP EXECUTE"
                f" format('REVOKE ALL ON TABLE %s FROM PUBLIC, %I CASCADE', part,"
                f" {literal(self._audience.role)}); END LOOP",
                "part regclass",
            )

    def _alone(self) -> str:
        """Refuses where a view of another audience has a name of ours (`a_b` for `c`, `a` for `b_c`)."""
        return _do(
            "IF EXISTS (SELECT FROM gate.audience"
            f" WHERE audience <> {self._name} AND views && {self._names()}) THEN"
            " RAISE EXCEPTION 'a view of another audience has this name'"
            " USING ERRCODE = 'duplicate_table'; END IF"
        )

    def _names(self) -> str:
        """The names of all views of the audience. Raises DataMapError where two are the same."""
        names = [view_name(self._plan, masked, self._map) for masked in self._plan.views]
        names = [state_view(self._audience), *names]
        for name in names:
            quoted(MART, name)  # too long a name is told
            if names.count(name) > 1:
                raise DataMapError(
                    f"two views would have the name {name!r}",
                    remedy="Give one of the tables another name in the map.",
                )
        return f"ARRAY[{', '.join(literal(name) for name in names)}]"

    def _dropped(self) -> Iterator[str]:
        """Views of another meaning go first; where others hang on them, the database says so."""
        yield _do(
            "FOR old IN SELECT unnest(views) FROM gate.audience"
            f" WHERE audience = {self._name} AND definition <> {literal(self._plan.definition)}"
            " LOOP EXECUTE format('DROP VIEW IF EXISTS mart.%I', old); END LOOP",
            "old text",
        )

    def _view(self, masked: Masked) -> Iterator[str]:
        name = quoted(MART, view_name(self._plan, masked, self._map))
        yield f"CREATE OR REPLACE VIEW {name} WITH (security_barrier) AS\n{self._select(masked)}"
        yield f"ALTER VIEW {name} OWNER TO {OWNER}"
        yield f"REVOKE ALL ON {name} FROM PUBLIC"
        yield f"GRANT SELECT ON {name} TO {self._role}"
        for table, columns in self._read(masked).items():
            listed = ", ".join(quoted(column) for column in sorted(columns))
            yield f"GRANT USAGE ON SCHEMA {quoted(self._place(table)[0])} TO {OWNER}"
            yield f"GRANT SELECT ({listed}) ON {self._table(table)} TO {OWNER}"

    def _state(self) -> Iterator[str]:
        """What tells held from stale: the revision, and until when what is read now may be used."""
        name = quoted(MART, state_view(self._audience))
        yield (
            f"CREATE OR REPLACE VIEW {name} WITH (security_barrier) AS SELECT revision,"
            f" fresh_at + {_WITHIN} AS fresh_until,"
            f" COALESCE(clock_timestamp() >= fresh_at AND clock_timestamp() < fresh_at + {_WITHIN},"
            f" false) AS fresh FROM gate.freshness WHERE audience = {self._name}"
        )
        yield f"ALTER VIEW {name} OWNER TO {OWNER}"
        yield f"REVOKE ALL ON {name} FROM PUBLIC"
        yield f"GRANT SELECT ON {name} TO {self._role}"

    def _registered(self) -> Iterator[str]:
        """From here on nothing is shown until the mirror has read everything anew."""
        audience = self._audience
        values = (audience.name, audience.purpose, audience.recipient, audience.role)
        listed = ", ".join(literal(value) for value in (*values, self._plan.definition))
        yield f"DELETE FROM gate.active_hold WHERE audience = {self._name}"
        yield f"DELETE FROM gate.freshness WHERE audience = {self._name}"
        yield f"INSERT INTO gate.freshness VALUES ({self._name}, -1, '-infinity')"
        yield f"DELETE FROM gate.audience WHERE audience = {self._name}"
        yield f"INSERT INTO gate.audience VALUES ({listed}, {self._names()})"

    # One view

    def _select(self, masked: Masked) -> str:
        """The columns, masked; inside of it, once a row, the bits that are held of each owner.

        What is inside is volatile, so the planner leaves it a query of its own: the clock is looked at
        once a row, also in a cursor that was opened long ago.
        """
        shown = ",\n".join(f"  {self._shown(s.column, s.bits, s.owners)}" for s in masked.columns)
        inner = [f"t.{quoted(s.column)}" for s in masked.columns]
        inner += [
            f"{self._held(o, n, masked)} AS gate_held_{n}" for n, o in enumerate(masked.owners)
        ]
        lines = ",\n    ".join(inner)
        joins = "".join(self._joins(masked))
        return (
            f"SELECT\n{shown}\nFROM (SELECT\n    {lines}\n"
            f"  FROM {self._table(masked.table)} t{joins}) r"
        )

    def _shown(self, column: str, bits: int, owners: Sequence[int]) -> str:
        name = f"r.{quoted(column)}"
        if bits == 0:
            return name
        tests = " AND ".join(f"r.gate_held_{n} & {bits} = 0" for n in owners)
        return f"CASE WHEN {tests} THEN {name} END AS {quoted(column)}"

    def _held(self, owner: Owner, number: int, masked: Masked) -> str:
        column = self._owner(owner, number)
        until = (
            f"(SELECT CASE WHEN f.fresh_at <= clock_timestamp() THEN f.fresh_at + {_WITHIN} END"
            f" FROM gate.freshness f WHERE f.audience = {self._name})"
        )
        tests = [f"clock_timestamp() < {until}", *self._canonical(owner, column)]
        if owner.hops or masked.table != self._map.home.table:
            tests.append(f"{column} IS NOT NULL")
        return (
            f"CASE WHEN {' AND '.join(tests)} THEN COALESCE(h{number}.field_mask, 0) ELSE {ANY} END"
        )

    def _joins(self, masked: Masked) -> Iterator[str]:
        for number, owner in enumerate(masked.owners):
            before, table = "t", masked.table
            for at, hop in enumerate(owner.hops):
                here = f"p{number}_{at}"
                met = meets(self._map, self._live, table, hop, before, here)
                yield f"\n    LEFT JOIN {self._table(hop.table)} {here} ON {met}"
                before, table = here, hop.table
            held, column = f"h{number}.subject_id", self._owner(owner, number)
            if not self._typed(owner) and self._plan.form != "text":
                held = f"{held}::text"
            yield (
                f"\n    LEFT JOIN gate.active_hold h{number}"
                f" ON h{number}.audience = {self._name} AND {held} = {column}"
            )

    def _owner(self, owner: Owner, number: int) -> str:
        """The member id of an owner, as it is compared with a hold's."""
        here = f"p{number}_{len(owner.hops) - 1}" if owner.hops else "t"
        column = f"{here}.{quoted(owner.column)}"
        return column if self._typed(owner) else f'({column}::text COLLATE "C")'

    def _typed(self, owner: Owner) -> bool:
        """Whether the database compares the column with a hold's id by value, however it is written."""
        kind = self._live[place_of(self._map, owner.table)].columns[owner.column].kind
        return kind == self._plan.form and kind != "text"

    def _canonical(self, owner: Owner, column: str) -> Iterator[str]:
        """What is not written as the registry writes an id would find no hold: it is masked."""
        if self._typed(owner):
            return
        if self._plan.form == "integer":
            yield f"{column} ~ '^(0|-?[1-9][0-9]{{0,18}})$'"
        elif self._plan.form == "uuid":
            yield f"{column} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$'"
        elif self._plan.fold:  # PostgreSQL does not fold as we do, so only what has no other fold
            yield f"{column} = lower({column}) AND {column} ~ '^[!-~가-힣]+$'"
        else:
            yield (
                f"({column} ~ '^[!-~]+$' OR ({column} IS NFC NORMALIZED AND {column} <> ''"
                f" AND {column} !~ '{_ODD}' AND {column} !~ '{_ODD_END}'"
                f" AND {column} !~ '[[:cntrl:]]'))"
            )

    # Names

    def _read(self, masked: Masked) -> dict[str, set[str]]:
        """The columns of each table that a view reads: its owner is given these and no others."""
        found = {masked.table: {shown.column for shown in masked.columns}}
        for owner in masked.owners:
            here = masked.table
            for hop in owner.hops:
                found.setdefault(here, set()).add(hop.column)
                found.setdefault(hop.table, set()).add(hop.key)
                here = hop.table
            found.setdefault(here, set()).add(owner.column)
        return found

    def _place(self, table: str) -> tuple[str, str]:
        schema, name = place_of(self._map, table)
        return schema or self._default, name

    def _table(self, table: str) -> str:
        return quoted(*self._place(table))


def script(statements: Iterable[str]) -> str:
    """The statements as a file for psql."""
    return "\n".join(["BEGIN;", *(f"{words};" for words in statements), "COMMIT;", ""])


def _do(words: str, declared: str = "") -> str:
    """A block that does something only where it is needed."""
    tag, number = "$gate$", 0
    while tag in words:  # no name can end the block
        number += 1
        tag = f"$gate{number}$"
    head = f"DECLARE {declared}; " if declared else ""
    return f"DO {tag} {head}BEGIN {words}; END {tag}"
