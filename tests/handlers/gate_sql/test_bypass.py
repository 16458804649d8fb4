"""Ways around masking views, each tried as the role. docs/gate.md says which are closed and what stays."""

import asyncpg
import pytest
from masked import BOUND_SECONDS, Company

from subjectline.handlers.registry.gate_sql_plan import audience_of

pytestmark = pytest.mark.server

HELD = 1001
MAIL = "SELECT email FROM mart.member_marketing WHERE member_id = 1001"


@pytest.fixture
async def secret(masked: Company) -> str:
    """The address of somebody whose address is held."""
    await masked.hold(HELD, masked.bit("email"))
    rows = await masked.admin("SELECT email FROM member WHERE member_id = $1", HELD)
    return str(rows[0][0])


async def test_no_setting_of_the_session_chooses_the_audience(masked: Company, secret: str) -> None:
    """GUC spoofing: the audience is a literal in the view's text."""
    await masked.admin("INSERT INTO gate.freshness VALUES ('delivery', 1, clock_timestamp())")
    async with masked.as_role("marketing") as role:
        for words in (
            "SET gate.audience = 'delivery'",
            "SET subjectline.audience = 'delivery'",
            "SELECT set_config('app.audience', 'delivery', false)",
            "SET search_path = pg_temp, public",
            "SET timezone = 'Pacific/Kiritimati'",
            "SET DateStyle = 'German'",
        ):
            await role.execute(words)
            assert await role.fetchval(MAIL) is None
        text = await role.fetchval("SELECT pg_get_viewdef('mart.member_marketing'::regclass)")
        assert "current_setting" not in text and "current_user" not in text


async def test_nothing_of_the_same_name_is_taken_for_what_the_view_uses(
    masked: Company, secret: str
) -> None:
    """A clock and a table of one's own, first on the path, are not what the view reads."""
    await masked.admin("CREATE SCHEMA own AUTHORIZATION marketing")
    async with masked.as_role("marketing") as role:
        await role.execute(
            "CREATE FUNCTION own.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
            " AS $$ SELECT '2000-01-01'::timestamptz $$"
        )
        await role.execute("CREATE TEMP TABLE active_hold (audience text)")
        await role.execute("SET search_path = own, pg_temp, pg_catalog")
        assert await role.fetchval(MAIL) is None
        await masked.fresh(BOUND_SECONDS)
        assert await role.fetchval(MAIL.replace("1001", "1002")) is None


async def test_the_role_becomes_nobody_else(masked: Company, secret: str) -> None:
    for words in (
        "SET ROLE gate_owner",
        "SET ROLE gate_mirror",
        "SET SESSION AUTHORIZATION postgres",
        "SET session_replication_role = replica",
        "ALTER VIEW mart.member_marketing RESET (security_barrier)",
        "ALTER VIEW mart.member_marketing SET (security_invoker = true)",
        "CREATE OR REPLACE VIEW mart.member_marketing AS SELECT 1",
        "CREATE TABLE mart.mine (one int)",
        "CREATE VIEW gate.mine AS SELECT 1",
        "UPDATE gate.freshness SET fresh_at = now()",
        "DELETE FROM gate.active_hold",
        "CREATE RULE r AS ON SELECT TO mart.member_marketing DO INSTEAD SELECT 1",
        "CREATE TRIGGER t INSTEAD OF UPDATE ON mart.member_marketing"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ):  # fmt: skip
        assert await masked.refused(words) in ("42501", "42809", "0A000"), words


async def test_a_snapshot_from_before_the_hold_goes_stale(masked: Company) -> None:
    """REPEATABLE READ sees the old holds, and the old stamp with them: for the bound and no longer."""
    async with masked.as_role("marketing") as role, role.transaction(isolation="repeatable_read"):
        assert await role.fetchval(MAIL)
        await masked.hold(HELD, masked.bit("email"))
        await masked.fresh()
        assert await role.fetchval(MAIL)  # what stays: until the stamp is older than the bound
        age = await masked.ask("SELECT revision FROM mart.gate_marketing")
        assert age == [(1,)]
    await masked.fresh(BOUND_SECONDS - 0.3)
    async with masked.as_role("marketing") as role, role.transaction(isolation="repeatable_read"):
        await role.fetchval(MAIL)  # the snapshot
        await masked.fresh()  # of which it knows nothing
        await role.execute("SELECT pg_sleep(0.4)")
        assert await role.fetchval(MAIL.replace("1001", "1002")) is None
    assert (await masked.ask(MAIL.replace("1001", "1002")))[0][0]


@pytest.mark.parametrize("order", ["", "ORDER BY member_id DESC"])
async def test_a_cursor_opened_before_the_hold_goes_stale_row_by_row(
    masked: Company, order: str
) -> None:
    """The clock is looked at for each row, not once for the query. What stays: rows that a sort, or
    anything else that gathers, has read within the bound; they are a copy like any other."""
    await masked.fresh(BOUND_SECONDS - 0.5)
    async with masked.as_role("marketing") as role, role.transaction():
        words = f"SELECT email FROM mart.member_marketing {order}"
        await role.execute(f"DECLARE c NO SCROLL CURSOR FOR {words}")
        first = await role.fetch("FETCH 3 FROM c")
        assert len(first) == 3  # within the bound, or not on a slow machine: both are right
        await role.execute("SELECT pg_sleep(0.6)")
        rest = await role.fetch("FETCH ALL FROM c")
        assert len(rest) == 7
        assert order or not any(row[0] for row in rest)
        assert await role.fetchval(MAIL) is None


async def test_a_plan_made_before_the_hold_reads_it(masked: Company) -> None:
    async with masked.as_role("marketing") as role:
        prepared = await role.prepare(MAIL)
        for _ in range(6):  # generic by now
            assert await prepared.fetchval()
        await masked.hold(HELD, masked.bit("email"))
        assert await prepared.fetchval() is None


async def test_a_function_of_ones_own_sees_masked_rows_only(masked: Company, secret: str) -> None:
    """Function pushdown: the planner may not run it below the view, however cheap it claims to be."""
    await masked.admin("CREATE SCHEMA own AUTHORIZATION marketing")
    async with masked.as_role("marketing") as role:
        seen: list[str] = []
        role.add_log_listener(lambda _connection, message: seen.append(str(message)))
        await role.execute(
            "CREATE FUNCTION own.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001"
            " AS $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$"
        )
        await role.fetch("SELECT * FROM mart.member_marketing WHERE own.leak(email)")
        await role.fetch(
            "SELECT * FROM mart.member_marketing WHERE own.leak(phone) AND member_id = 1001"
        )
        assert seen and not any(secret in message for message in seen)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await role.execute(
                "CREATE FUNCTION own.f(text) RETURNS boolean LANGUAGE sql LEAKPROOF AS 'SELECT true'"
            )


async def test_errors_and_comparisons_tell_nothing_of_a_held_value(
    masked: Company, secret: str
) -> None:
    for words in (
        f"SELECT 1 FROM mart.member_marketing WHERE email = '{secret}'",
        f"SELECT 1 FROM mart.member_marketing WHERE email LIKE '{secret[:4]}%' AND member_id = {HELD}",
        f"SELECT 1 FROM mart.member_marketing WHERE member_id = {HELD} AND 1 / length(email) > 0",
        f"SELECT email FROM mart.member_marketing WHERE member_id = {HELD} AND email::int > 0",
    ):
        assert await masked.ask(words) == []
    ordered = "SELECT member_id FROM mart.member_marketing ORDER BY email NULLS LAST"
    assert (await masked.ask(ordered))[-1] == (HELD,)
    grouped = "SELECT count(DISTINCT email), max(email) FROM mart.member_marketing"
    [(number, most)] = await masked.ask(grouped)
    assert number == 9 and most != secret


async def test_who_is_held_can_be_told_by_null(masked: Company, secret: str) -> None:
    """What stays: `WHERE email IS NULL` names who has no address, is held, or everybody when stale."""
    words = "SELECT member_id FROM mart.member_marketing WHERE email IS NULL"
    assert await masked.ask(words) == [(HELD,)]
    await masked.admin("UPDATE member SET email = NULL WHERE member_id = 1002")
    assert await masked.ask(words + " ORDER BY 1") == [(HELD,), (1002,)]
    await masked.fresh(BOUND_SECONDS)
    assert len(await masked.ask(words)) == 10


async def test_what_is_made_from_a_held_field_is_held(masked: Company) -> None:
    """Derived columns: closed where the map says it, or says nothing; `[]` is the map's word."""
    await masked.hold(HELD, masked.bit("birth_date"))  # marketing may not even have that
    words = "SELECT added_at, email FROM mart.mailing_list_marketing WHERE member_id = 1001"
    [(made, email)] = await masked.ask(words)
    assert made is None and email


async def test_views_of_views_stay_masked(masked: Company, secret: str) -> None:
    await masked.admin("CREATE SCHEMA own AUTHORIZATION marketing")
    async with masked.as_role("marketing") as role:
        await role.execute("CREATE VIEW own.v AS SELECT * FROM mart.member_marketing")
        await role.execute(
            "CREATE VIEW own.w WITH (security_invoker) AS SELECT upper(email) AS email FROM own.v"
        )
        await role.execute("GRANT USAGE ON SCHEMA own TO bystander")
        await role.execute("GRANT SELECT ON own.v TO bystander")
        assert secret.upper() not in [row[0] for row in await role.fetch("SELECT email FROM own.w")]
    others = await masked.ask("SELECT email FROM own.v WHERE member_id = 1001", role="bystander")
    assert others == [(None,)]


async def test_a_copy_made_before_the_hold_stays(masked: Company) -> None:
    """What stays: copying is a use. Nobody takes a table of one's own back."""
    await masked.admin("CREATE SCHEMA own AUTHORIZATION marketing")
    async with masked.as_role("marketing") as role:
        await role.execute("CREATE MATERIALIZED VIEW own.m AS SELECT * FROM mart.member_marketing")
        await masked.hold(HELD, masked.bit("email"))
        kept = "SELECT email FROM own.m WHERE member_id = 1001"
        assert await role.fetchval(kept)
        await role.execute("REFRESH MATERIALIZED VIEW own.m")
        assert await role.fetchval(kept) is None


async def test_copy_goes_through_the_view_or_not_at_all(masked: Company, secret: str) -> None:
    for words in ("COPY member TO STDOUT", "COPY gate.active_hold TO STDOUT",
                  "COPY (SELECT * FROM member) TO STDOUT", "COPY mart.member_marketing TO '/tmp/x'",
                  "COPY mart.member_marketing FROM STDIN"):  # fmt: skip
        assert await masked.refused(words) in ("42501", "42809"), words
    lines = bytearray()

    async def taken(data: bytes) -> None:
        lines.extend(data)

    async with masked.as_role("marketing") as role:
        await role.copy_from_query("SELECT * FROM mart.member_marketing", output=taken)
    assert len(lines.splitlines()) == 10 and secret.encode() not in lines


async def test_explain_shows_tables_and_counts_and_no_value(masked: Company, secret: str) -> None:
    """What stays: the plan names the tables, and ANALYZE counts who is held."""
    await masked.admin("ANALYZE")
    words = f"SELECT * FROM mart.member_marketing WHERE email = '{secret}'"
    plan = "\n".join(row[0] for row in await masked.ask(f"EXPLAIN (ANALYZE, VERBOSE) {words}"))
    assert "active_hold_marketing" in plan and "rows=1" in plan
    held = await masked.admin("SELECT email FROM member WHERE member_id <> $1", HELD)
    assert not any(row[0] in plan for row in held)
    nobody = words.replace(secret, "nobody@mail.test")
    estimates = [
        (await masked.ask(f"EXPLAIN {one}"))[0][0].partition("rows=")[2] for one in (words, nobody)
    ]
    assert estimates[0] == estimates[1]  # the statistics of the table are not asked
    assert await masked.refused("EXPLAIN SELECT * FROM member") == "42501"


async def test_statistics_of_the_tables_are_not_shown(masked: Company, secret: str) -> None:
    """What stays: how many rows the table of holds has."""
    await masked.admin("ANALYZE")
    words = "SELECT tablename, attname FROM pg_stats WHERE tablename IN ('member', 'active_hold_marketing')"
    assert await masked.ask(words) == []
    assert len(await masked.ask(words, role="postgres")) > 5
    assert await masked.refused("SELECT starelid FROM pg_statistic") == "42501"
    counted = "SELECT reltuples FROM pg_class WHERE relname = 'active_hold_marketing'"
    assert await masked.ask(counted) == [(1.0,)]


async def test_the_server_s_own_ways_to_the_rows_are_refused(masked: Company, secret: str) -> None:
    for words in (
        "SELECT * FROM member TABLESAMPLE SYSTEM (100)",
        "SELECT * FROM mart.member_marketing TABLESAMPLE SYSTEM (100)",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT lo_import('/etc/hostname')",
        "SELECT 1 FROM pg_statistic_ext_data",
        "CREATE PUBLICATION p FOR TABLE member",
        "CREATE PUBLICATION p FOR ALL TABLES",
        "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)",
        "SELECT pg_create_logical_replication_slot('s', 'pgoutput')",
        "ALTER TABLE member DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE member ADD copied text GENERATED ALWAYS AS (email) STORED",
        "CREATE STATISTICS s ON email, phone FROM member",
        "CREATE EXTENSION file_fdw",
        "CREATE FUNCTION f() RETURNS text LANGUAGE internal AS 'x'",
    ):
        assert await masked.refused(words) in ("42501", "0A000"), words


async def test_the_statements_of_others_are_not_shown(masked: Company, secret: str) -> None:
    """Their texts hold values; `--check` names members of pg_read_all_stats, who see them."""
    await masked.admin(f"SELECT 1 /* {secret} */")
    words = "SELECT query FROM pg_stat_activity WHERE usename = 'postgres'"
    assert {row[0] for row in await masked.ask(words)} == {"<insufficient privilege>"}
    await masked.admin("CREATE STATISTICS both_of_them ON email, phone FROM member")
    await masked.admin("ANALYZE member")
    assert await masked.ask("SELECT statistics_name FROM pg_stats_ext") == []


async def test_foreign_keys_answer_no_questions(masked: Company, secret: str) -> None:
    """A table of one's own that refers to the members would tell who is one, or what a value is."""
    await masked.admin("CREATE SCHEMA own AUTHORIZATION marketing")
    for words in (
        "CREATE TABLE own.probe (email text REFERENCES public.member (email))",
        "CREATE TABLE own.probe (id bigint REFERENCES public.member)",
        "CREATE TABLE own.probe (id bigint, a text DEFAULT 'marketing',"
        " FOREIGN KEY (a, id) REFERENCES gate.active_hold)",
        "CREATE TABLE own.child () INHERITS (public.member)",
        "CREATE TABLE own.like_it (LIKE public.member INCLUDING ALL)",
        "DO $$ BEGIN LOCK TABLE public.member; END $$",
        "SELECT * FROM mart.member_marketing FOR UPDATE",
        "CREATE INDEX ON public.member (email)",
    ):
        assert await masked.refused(words) in ("42501", "42809"), words


async def test_parts_of_a_table_are_closed_with_it(company: Company) -> None:
    await company.admin(
        "CREATE TABLE parts (member_id integer, email text, phone text, nickname text,"
        " added_at timestamptz, PRIMARY KEY (member_id)) PARTITION BY RANGE (member_id);"
        "CREATE TABLE parts_one PARTITION OF parts FOR VALUES FROM (0) TO (9999);"
        "INSERT INTO parts SELECT * FROM mailing_list;"
        "DROP TABLE mailing_list; ALTER TABLE parts RENAME TO mailing_list;"
        "GRANT SELECT ON parts_one TO marketing"
    )
    await company.apply()
    await company.fresh()
    assert await company.refused("SELECT * FROM parts_one") == "42501"
    assert await company.refused("SELECT * FROM mart.mailing_list_marketing") == ""


async def test_one_audience_has_no_view_of_another(masked: Company) -> None:
    await masked.apply(audience_of(masked.data_map, "delivery"))
    assert await masked.refused("SELECT * FROM mart.member_delivery") == "42501"
    assert await masked.refused("SELECT * FROM mart.member_delivery", "delivery") in (
        "28000",
        "42501",
    )
