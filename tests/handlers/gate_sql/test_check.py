"""The check proves what must not work, and names who could read all the same."""

from datetime import UTC, datetime

import pytest
from masked import CONNECTION, Company

from subjectline.handlers.registry import gate_sql_apply
from subjectline.handlers.registry.gate_sql_check import check
from subjectline.handlers.registry.gate_sql_ways import Finding

pytestmark = pytest.mark.server
THEN = datetime(2000, 1, 1, tzinfo=UTC)


async def found(company: Company) -> list[Finding]:
    seen = await gate_sql_apply.seen(company.data_map, CONNECTION, company.engine)
    what = gate_sql_apply.written(seen, company.audience, CONNECTION)
    return await check(what, seen, company.engine)


def errors(findings: list[Finding]) -> str:
    return "\n".join(one.told for one in findings if one.level == "error")


def could(findings: list[Finding]) -> dict[str, str]:
    told = (one.told.partition(": ") for one in findings if one.level == "could")
    return {name: why for name, _, why in told}


async def test_views_as_they_were_made_pass(masked: Company) -> None:
    findings = await found(masked)
    assert errors(findings) == ""
    proven = "\n".join(one.told for one in findings if one.level == "ok")
    assert "mart.member_marketing" in proven and "mart.mailing_list_marketing" in proven
    assert set(could(findings)) == {"postgres", "gate_owner", "gate_mirror"}
    assert await masked.admin("SELECT * FROM gate.active_hold WHERE field_mask <> $1", 0) == []
    fresh = await masked.admin("SELECT revision FROM gate.freshness WHERE fresh_at > $1", THEN)
    assert [row[0] for row in fresh] == [1]  # what was tried has left nothing


async def test_it_says_when_there_is_nothing_or_something_else(company: Company) -> None:
    assert "nothing is applied" in errors(await found(company))
    await company.apply()
    warnings = [one.told for one in await found(company) if one.level == "warning"]
    assert any("no mirror" in told for told in warnings)
    await company.admin("UPDATE gate.audience SET definition = 'another'")
    assert "another data map" in errors(await found(company))


GATE = "GRANT USAGE ON SCHEMA gate TO marketing; GRANT SELECT ON gate."
OPEN = (  # what opens it, what the check says; applying again or the third closes it
    ("GRANT SELECT (email) ON member TO marketing", "can read member", ""),
    ("GRANT SELECT ON profile TO PUBLIC", "can read profile", ""),
    ("GRANT INSERT ON member TO marketing", "marketing has INSERT on member", ""),
    ("GRANT REFERENCES ON member TO marketing", "marketing has REFERENCES", ""),
    ("GRANT UPDATE (member_id) ON profile TO marketing", "marketing has UPDATE on profile", ""),
    ("GRANT REFERENCES (email) ON member TO PUBLIC", "marketing has REFERENCES on member", ""),
    (
        "CREATE TABLE whole (LIKE profile); ALTER TABLE profile INHERIT whole;"
        " GRANT SELECT ON whole TO marketing",
        "can read whole",
        "",
    ),
    (GATE + "active_hold TO marketing", "can read gate.active_hold", ""),
    (GATE + "active_hold_marketing TO marketing", "can read gate.active_hold_marketing", ""),
    ("ALTER VIEW mart.member_marketing RESET (security_barrier)", "is not as it was made", ""),
    ("ALTER VIEW mart.member_marketing OWNER TO postgres", "is not as it was made", ""),
    (
        "CREATE OR REPLACE VIEW mart.profile_marketing WITH (security_barrier) AS"
        " SELECT member_id, preferences FROM profile",
        "mart.profile_marketing is not as it was made",
        "",
    ),
    (  # no value of somebody whose every field is held would tell it
        "DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW mart.member_marketing WITH (security_barrier) AS '"
        " || replace(pg_get_viewdef('mart.member_marketing'), '& (16)', '& (4)'); END $$",
        "mart.member_marketing is not as it was made",
        "",
    ),
    (
        "DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW mart.member_marketing WITH (security_barrier) AS '"
        " || replace(pg_get_viewdef('mart.member_marketing'), E'\\n   FROM ( SELECT',"
        " E', r.email AS mail\\n   FROM ( SELECT'); END $$",
        "mart.member_marketing is not as it was made",
        "ALTER VIEW mart.member_marketing OWNER TO gate_owner; DROP VIEW mart.member_marketing",
    ),
    (
        "CREATE VIEW others AS SELECT * FROM member; GRANT SELECT ON others TO marketing",
        "others, a view of the same rows",
        "DROP VIEW others",
    ),
    (
        "CREATE VIEW a AS SELECT * FROM member; CREATE VIEW b AS SELECT * FROM a;"
        " GRANT SELECT ON b TO marketing",
        "b, a view of the same rows",
        "DROP VIEW b, a",
    ),
    (
        "CREATE MATERIALIZED VIEW m AS SELECT * FROM mailing_list; GRANT SELECT (phone) ON m TO PUBLIC",
        "m, a view of the same rows",
        "DROP MATERIALIZED VIEW m",
    ),
    (
        "CREATE VIEW mart.copied AS SELECT email FROM member; GRANT SELECT ON mart.copied TO marketing;"
        " UPDATE gate.audience SET views = views || 'copied'::text",
        "mart.copied, a view of the same rows",
        "DROP VIEW mart.copied",
    ),
    (
        "CREATE ROLE staff; GRANT SELECT ON member TO staff; GRANT staff TO marketing",
        "can read member",
        "DROP OWNED BY staff; DROP ROLE staff",
    ),
    (
        "CREATE ROLE staff; GRANT SELECT ON member TO staff; ALTER ROLE marketing NOINHERIT;"
        " GRANT staff TO marketing",
        "marketing: member of a role that may SELECT",
        "DROP OWNED BY staff; DROP ROLE staff; ALTER ROLE marketing INHERIT",
    ),
    (
        "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO marketing",
        "marketing: files or programs of the server",
        "REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM marketing",
    ),
)


async def test_what_is_open_is_an_error_and_applying_again_closes_it(masked: Company) -> None:
    for words, told, closing in OPEN:
        await masked.admin(words)
        assert told in errors(await found(masked)).replace("public.", ""), words
        await masked.admin(closing or "SELECT 1")
        await masked.apply()
    assert errors(await found(masked)) == ""


SHUT = (  # views over the tables that open nothing to who may select from them
    "CREATE VIEW a WITH (security_invoker) AS SELECT * FROM member; GRANT SELECT ON a TO marketing",
    "CREATE SCHEMA shut; CREATE VIEW shut.a AS SELECT * FROM member;"
    " GRANT SELECT ON shut.a TO marketing",
    "CREATE SCHEMA own AUTHORIZATION marketing; CREATE VIEW own.a AS SELECT * FROM member;"
    " ALTER VIEW own.a OWNER TO marketing",
)


async def test_a_view_that_opens_nothing_is_no_finding(masked: Company) -> None:
    for words in SHUT:
        await masked.admin(words)
    assert errors(await found(masked)) == ""


async def test_the_reader_s_own_schema_is_not_taken_for_the_company_s(masked: Company) -> None:
    """`"$user"` stands first on the search path: names of the catalogue are whole."""
    await masked.admin("CREATE SCHEMA marketing AUTHORIZATION marketing")
    await masked.admin("CREATE TABLE marketing.member AS SELECT 1 AS member_id")
    await masked.admin("ALTER TABLE marketing.member OWNER TO marketing")
    assert errors(await found(masked)) == ""
    await masked.admin("GRANT SELECT ON public.member TO marketing")
    assert "marketing can read public.member" in errors(await found(masked))


LOOKED_AT = (  # what nobody can try from here
    (
        "CREATE FUNCTION mail_of(bigint) RETURNS text LANGUAGE sql SECURITY DEFINER"
        " AS 'SELECT email FROM public.member WHERE member_id = $1'",
        "public.mail_of(bigint) with the rights of postgres, who can read the tables",
    ),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC",
        "PUBLIC may read each new table of postgres in public",
    ),
    (
        "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;"
        " CREATE FOREIGN TABLE dump (line text) SERVER files OPTIONS (filename '/dev/null');"
        " GRANT SELECT ON dump TO marketing",
        "read through the foreign table public.dump",
    ),
    (
        "GRANT USAGE ON FOREIGN SERVER files TO marketing;"
        " CREATE USER MAPPING FOR PUBLIC SERVER files",
        "the foreign server files, signed in there as somebody else",
    ),
    ("CREATE PUBLICATION away FOR TABLE member", "the publication away sends the rows"),
    ("ALTER TABLE profile ENABLE ROW LEVEL SECURITY", "public.profile has row-level security"),
    ("SELECT 1", "pg_hba.conf trusts somebody"),  # the tests' own server does
)


async def test_what_cannot_be_tried_is_named(masked: Company) -> None:
    for words, _ in LOOKED_AT:
        await masked.admin(words)
    findings = await found(masked)
    warnings = "\n".join(one.told for one in findings if one.level == "warning")
    for _, told in LOOKED_AT:
        assert told in warnings
    assert errors(findings) == ""


async def test_roles_that_could_are_named_with_the_reason(masked: Company) -> None:
    roles = {
        "boss": "SUPERUSER LOGIN",
        "under_boss": "LOGIN IN ROLE boss",
        "analyst": "LOGIN IN ROLE pg_read_all_data",
        "below_analyst": "LOGIN NOINHERIT IN ROLE analyst",
        "backup": "LOGIN REPLICATION",
        "filer": "LOGIN IN ROLE pg_read_server_files",
        "maker": "LOGIN CREATEROLE",
        "owner_too": "LOGIN IN ROLE gate_owner",
        "reader": "LOGIN",
        "below_reader": "LOGIN IN ROLE reader",
        "watcher": "LOGIN IN ROLE pg_monitor",
        "trapper": "LOGIN",
        "meddler": "LOGIN",
    }
    try:
        for name, words in roles.items():
            await masked.admin(f"CREATE ROLE {name} {words}")
        await masked.admin("GRANT SELECT (email) ON member TO reader")
        await masked.admin("GRANT TRIGGER ON member TO trapper")
        await masked.admin("GRANT UPDATE (fresh_at) ON gate.freshness TO meddler")
        named = could(await found(masked))
    finally:
        await masked.admin("REVOKE ALL ON member FROM reader, trapper")
        await masked.admin("REVOKE ALL ON gate.freshness FROM meddler")
        for name in reversed(roles):
            await masked.admin(f"DROP ROLE {name}")
    assert set(roles) <= set(named) and "bystander" not in named and "marketing" not in named
    assert named["boss"] == "a superuser" and named["under_boss"] == "member of a superuser"
    assert named["analyst"] == named["below_analyst"] == "pg_read_all_data"
    assert "gate_owner" in named["owner_too"] and "member" in named["reader"]
    assert "statements" in named["watcher"] and "TRIGGER" in named["trapper"]
    assert named["meddler"] == "it can change holds"
    assert "replication" in named["backup"] and "CREATEROLE" in named["maker"]


async def test_an_audience_that_is_a_superuser_is_an_error(masked: Company) -> None:
    await masked.admin("GRANT pg_read_all_data TO marketing")
    try:
        told = errors(await found(masked))
    finally:
        await masked.admin("REVOKE pg_read_all_data FROM marketing")
    assert "marketing: pg_read_all_data" in told and "can read public.member" in told.replace(
        "read member", "read public.member"
    )
