"""The check proves what must not work, and names who could read all the same."""

from datetime import UTC, datetime

import pytest
from masked import CONNECTION, Company

from subjectline.handlers.registry import gate_sql_apply
from subjectline.handlers.registry.gate_sql_check import Finding, check

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
    (GATE + "active_hold TO marketing", "can read gate.active_hold", ""),
    (GATE + "active_hold_marketing TO marketing", "can read gate.active_hold_marketing", ""),
    ("ALTER VIEW mart.member_marketing RESET (security_barrier)", "is not as it was made", ""),
    ("ALTER VIEW mart.member_marketing OWNER TO postgres", "is not as it was made", ""),
    (
        "CREATE OR REPLACE VIEW mart.profile_marketing WITH (security_barrier) AS"
        " SELECT member_id, preferences FROM profile",
        "profile_marketing: marketing can read",
        "",
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
)


async def test_what_is_open_is_an_error_and_applying_again_closes_it(masked: Company) -> None:
    for words, told, closing in OPEN:
        await masked.admin(words)
        assert told in errors(await found(masked)).replace("public.", ""), words
        await masked.admin(closing or "SELECT 1")
        await masked.apply()
    assert errors(await found(masked)) == ""


async def test_a_function_that_runs_as_its_owner_is_named(masked: Company) -> None:
    await masked.admin(
        "CREATE FUNCTION mail_of(bigint) RETURNS text LANGUAGE sql SECURITY DEFINER"
        " AS 'SELECT email FROM public.member WHERE member_id = $1'"
    )
    warnings = [one.told for one in await found(masked) if one.level == "warning"]
    assert any("mail_of(bigint)" in told for told in warnings)


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
    }
    try:
        for name, words in roles.items():
            await masked.admin(f"CREATE ROLE {name} {words}")
        await masked.admin("GRANT SELECT (email) ON member TO reader")
        named = could(await found(masked))
    finally:
        await masked.admin("REVOKE ALL ON member FROM reader")
        for name in reversed(roles):
            await masked.admin(f"DROP ROLE {name}")
    assert set(roles) <= set(named) and "bystander" not in named and "marketing" not in named
    assert named["boss"] == "a superuser" and named["under_boss"] == "member of a superuser"
    assert named["analyst"] == named["below_analyst"] == "pg_read_all_data"
    assert "gate_owner" in named["owner_too"] and "member" in named["reader"]
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
