"""What masking views show, and to whom."""

import asyncpg
import pytest
from masked import BOUND_SECONDS, CONNECTION, Company

from subjectline.handlers.registry import gate_sql_apply
from subjectline.handlers.registry.gate_sql_plan import ANY, audience_of, plan
from subjectline.models.datamap import DataMap
from subjectline.models.errors import BadInput, RegistryError, SettingsError

pytestmark = pytest.mark.server

MEMBER = "SELECT member_id, email, phone, nickname FROM mart.member_marketing WHERE member_id = $1"


async def test_a_held_field_is_null_and_the_others_are_not(masked: Company) -> None:
    [(_, email, phone, nickname)] = await masked.ask(MEMBER, 1001)
    assert email and phone and nickname
    await masked.hold(1001, masked.bit("email"))
    assert await masked.ask(MEMBER, 1001) == [(1001, None, phone, nickname)]
    assert (await masked.ask(MEMBER, 1002))[0][1]


async def test_every_copy_of_the_field_is_masked_with_it(masked: Company) -> None:
    words = "SELECT email, phone FROM mart.mailing_list_marketing WHERE member_id = 1001"
    assert all((await masked.ask(words))[0])
    await masked.hold(1001, masked.bit("email"))
    [(email, phone)] = await masked.ask(words)
    assert email is None and phone


async def test_a_column_of_unknown_making_goes_with_any_field(masked: Company) -> None:
    words = "SELECT added_at FROM mart.mailing_list_marketing WHERE member_id = 1001"
    assert (await masked.ask(words))[0][0]
    await masked.hold(1001, masked.bit("account_number"))  # not even one that marketing may have
    assert await masked.ask(words) == [(None,)]


async def test_a_column_made_from_fields_goes_with_them(
    company: Company, sample_map: DataMap
) -> None:
    tables = dict(sample_map.tables)
    listed = dict(tables["mailing_list"].columns)
    listed["added_at"] = listed["added_at"].model_copy(update={"depends_on": ("birth_date",)})
    tables["mailing_list"] = tables["mailing_list"].model_copy(update={"columns": listed})
    company.data_map = sample_map.model_copy(update={"tables": tables})
    await company.apply()
    await company.fresh()
    words = "SELECT added_at FROM mart.mailing_list_marketing WHERE member_id = 1001"
    await company.hold(1001, company.bit("email"))
    assert (await company.ask(words))[0][0]
    await company.admin(f"UPDATE gate.active_hold SET field_mask = {company.bit('birth_date')}")
    assert await company.ask(words) == [(None,)]


async def test_what_is_older_than_the_bound_is_null_and_says_that_it_is_stale(
    masked: Company,
) -> None:
    state = "SELECT revision, fresh FROM mart.gate_marketing"
    assert await masked.ask(state) == [(1, True)]
    for age in (BOUND_SECONDS, 3600, -5):  # the last: the server's clock was set back
        await masked.fresh(age)
        assert await masked.ask(MEMBER, 1001) == [(1001, None, None, None)]
        assert await masked.ask(state) == [(1, False)]
    await masked.admin("DELETE FROM gate.freshness")
    assert await masked.ask(MEMBER, 1001) == [(1001, None, None, None)]


async def test_new_views_show_nothing_before_the_mirror_came(company: Company) -> None:
    await company.apply()
    assert await company.ask(MEMBER, 1001) == [(1001, None, None, None)]


async def test_only_what_the_purpose_may_have_is_there(masked: Company) -> None:
    words = (
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'mart' AND table_name <> 'gate_marketing'"
    )
    found: dict[str, set[str]] = {}
    for table, column in await masked.ask(words):
        found.setdefault(table, set()).add(column)
    assert found == {
        "member_marketing": {"member_id", "email", "phone", "nickname"},
        "profile_marketing": {"member_id", "preferences"},
        "mailing_list_marketing": {"member_id", "email", "phone", "nickname", "added_at"},
    }


async def test_the_role_has_the_views_and_nothing_else(masked: Company) -> None:
    for table in ("public.member", "public.mailing_list", "gate.active_hold", "gate.freshness"):
        assert await masked.refused(f"SELECT * FROM {table}") == "42501"
    assert await masked.refused("SELECT * FROM gate.active_hold_marketing") == "42501"
    assert await masked.refused("SELECT * FROM mart.member_marketing", "bystander") == "42501"
    assert await masked.refused("UPDATE mart.member_marketing SET email = NULL") != ""


async def test_what_the_role_had_before_is_taken_from_it(company: Company) -> None:
    await company.admin("GRANT SELECT ON member TO PUBLIC")
    await company.admin("GRANT SELECT (email) ON mailing_list TO marketing")
    await company.admin("GRANT ALL ON profile TO marketing")
    await company.apply()
    for words in ("SELECT email FROM member", "SELECT email FROM mailing_list"):
        assert await company.refused(words) == "42501"
    assert await company.refused("SELECT preferences FROM profile") == "42501"


async def test_applied_again_it_is_the_same_and_a_change_of_the_map_drops_old_views(
    masked: Company, sample_map: DataMap
) -> None:
    before = await masked.admin(
        "SELECT definition FROM gate.audience WHERE audience = $1", "marketing"
    )
    await masked.apply()
    after = await masked.admin(
        "SELECT definition FROM gate.audience WHERE audience = $1", "marketing"
    )
    assert before == after
    purposes = dict(sample_map.purposes)
    purposes["marketing"] = purposes["marketing"].model_copy(update={"fields": ("email",)})
    masked.data_map = sample_map.model_copy(update={"purposes": purposes})
    await masked.apply()
    assert await masked.refused("SELECT * FROM mart.profile_marketing") == "42P01"
    assert await masked.refused("SELECT phone FROM mart.member_marketing") == "42703"


async def test_rows_of_two_persons_and_rows_that_hang_on_others(company: Company) -> None:
    """A sale has a seller and a buyer; a listing is told through its content."""
    audience = audience_of(company.data_map, "third_party", "content_buyer", "marketing")
    await company.apply(audience)
    await company.fresh()
    [(seller, buyer)] = await company.admin(
        "SELECT seller_id, buyer_id FROM content_sale WHERE seller_id <> buyer_id LIMIT $1", 1
    )
    sale = (
        "SELECT seller_nickname, buyer_name, price FROM"
        ' mart."content_sale_third_party__content_buyer" WHERE seller_id = $1 AND buyer_id = $2'
    )
    assert all((await company.ask(sale, seller, buyer))[0])
    await company.hold(buyer, company.bit("gender"), audience.name)
    nickname, name, price = (await company.ask(sale, seller, buyer))[0]
    assert nickname and name is None and price is None
    listing = 'SELECT seller_nickname FROM mart."sale_listing_third_party__content_buyer"'
    shown = await company.ask(listing)
    assert shown and all(row[0] for row in shown)
    await company.admin("UPDATE gate.active_hold SET field_mask = -1")
    await company.admin(
        "INSERT INTO gate.active_hold SELECT $1, member_id, $2 FROM member ON CONFLICT DO NOTHING",
        audience.name,
        company.bit("nickname"),
    )
    assert {row[0] for row in await company.ask(listing)} == {None}


async def test_an_id_that_is_not_canonical_is_masked(company: Company) -> None:
    """The map says integer, the column is text: `07` would find no hold."""
    await company.admin(
        "ALTER TABLE mailing_list DROP CONSTRAINT mailing_list_member_id_fkey,"
        " ALTER member_id TYPE text USING member_id::text"
    )
    await company.apply()
    await company.fresh()
    words = "SELECT email FROM mart.mailing_list_marketing WHERE member_id = $1"
    assert (await company.ask(words, "1001"))[0][0]
    await company.hold(1001, company.bit("email"))
    assert await company.ask(words, "1001") == [(None,)]
    await company.admin("UPDATE mailing_list SET member_id = '01001' WHERE member_id = '1001'")
    assert await company.ask(words, "01001") == [(None,)]
    await company.admin("DELETE FROM gate.active_hold")
    assert await company.ask(words, "01001") == [(None,)]


@pytest.mark.parametrize("case", ["keep", "fold"])
async def test_ids_of_text(company: Company, sample_map: DataMap, case: str) -> None:
    home = sample_map.home.model_copy(update={"form": "text", "case": case})
    company.data_map = sample_map.model_copy(update={"home": home})
    for table in ("mailing_list", "profile"):
        await company.admin(
            f"ALTER TABLE {table} DROP CONSTRAINT {table}_member_id_fkey,"
            " ALTER member_id TYPE text USING 'm' || member_id"
        )
    await company.apply()
    await company.fresh()
    good, bad = ("m1", "회원1"), ["m 1 ", "\u3000m1", "m\u00851", "\u1112\u1161\u11ab", ""]
    bad += ["Mm", "\u00df"] if case == "fold" else []
    await company.admin("DELETE FROM mailing_list")
    for one in (*good, *bad):
        await company.admin(
            "INSERT INTO mailing_list VALUES ($1, 'a@mail.test', '', '', now())", one
        )
    words = "SELECT member_id FROM mart.mailing_list_marketing WHERE email IS NOT NULL"
    assert {row[0] for row in await company.ask(words)} == set(good)
    await company.admin("INSERT INTO gate.active_hold VALUES ('marketing', $1, -1)", good[1])
    assert {row[0] for row in await company.ask(words)} == {good[0]}


async def test_names_are_quoted(company: Company, sample_map: DataMap) -> None:
    odd = 'odd "name"; DROP TABLE member; --'
    await company.admin(f'ALTER TABLE profile ADD "{odd.replace(chr(34), chr(34) * 2)}" text')
    tables = dict(sample_map.tables)
    label = tables["profile"].columns["preferences"]
    columns = {**tables["profile"].columns, odd: label.model_copy(update={"depends_on": ()})}
    update = {"columns": columns, "purposes": ("marketing",)}
    tables["profile"] = tables["profile"].model_copy(update=update)
    purposes = {**sample_map.purposes, "it's $gate$": sample_map.purposes["marketing"]}
    company.data_map = sample_map.model_copy(update={"tables": tables, "purposes": purposes})
    await company.apply()
    assert await company.ask("SELECT count(*) FROM mart.profile_marketing") == [(10,)]
    strange = audience_of(company.data_map, "it's $gate$", role="marketing")
    await company.apply(strange)
    assert await company.ask('SELECT fresh FROM mart."gate_it\'s $gate$"') == [(False,)]


async def test_a_script_that_cannot_be_run_changes_nothing(company: Company) -> None:
    await company.admin("CREATE VIEW watching AS SELECT 1 AS one")
    await company.apply()
    await company.admin("CREATE VIEW hanging AS SELECT email FROM mart.member_marketing")
    before = await company.admin("SELECT * FROM gate.audience WHERE audience = $1", "marketing")
    purposes = dict(company.data_map.purposes)
    purposes["marketing"] = purposes["marketing"].model_copy(update={"fields": ("phone",)})
    company.data_map = company.data_map.model_copy(update={"purposes": purposes})
    with pytest.raises(RegistryError, match="Nothing was changed"):
        await company.apply()
    after = await company.admin("SELECT * FROM gate.audience WHERE audience = $1", "marketing")
    assert before == after
    assert isinstance(before[0], asyncpg.Record)


async def test_the_bound_is_the_gates_own(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    written = await company.apply()
    assert "fresh_at + interval '2 seconds'" in "\n".join(written.statements)


def test_who_can_be_an_audience(sample_map: DataMap) -> None:
    for purpose in ("rights-handling", "marketing'; --", "nothing"):
        with pytest.raises(BadInput, match="purpose"):
            audience_of(sample_map, purpose)
    for role in ("gate_owner", "pg_read_all_data", 'a"b', "x" * 64):
        with pytest.raises(BadInput, match="role"):
            audience_of(sample_map, "marketing", role=role)
    with pytest.raises(BadInput, match="recipient"):
        audience_of(sample_map, "third_party", "nobody")


def test_what_a_law_opens_is_not_read_through_a_view(sample_map: DataMap) -> None:
    """A use by a law is recorded first, and a SELECT records nothing."""
    with pytest.raises(BadInput, match=r"stands on a law.*over HTTP or with subjectline-client"):
        audience_of(sample_map, "legal-retention")


def test_a_copy_is_shown_only_where_its_table_is_for_the_purpose(sample_map: DataMap) -> None:
    """Whoever packs parcels does not learn who is on the mailing list."""
    made = plan(sample_map, audience_of(sample_map, "delivery"), CONNECTION)
    shown = {view.table: {c.column: c.bits for c in view.columns} for view in made.views}
    assert set(shown) == {"member", "profile", "shipping"}
    assert shown["shipping"]["item"] == ANY and shown["shipping"]["shipping_id"] == 0
    assert "shipping.item" in made.guessed


async def test_sqlite_can_keep_nobody_out(sample_map: DataMap, tmp_path: object) -> None:
    from subjectline.handlers.registry import open_engine

    engine = open_engine("sqlite:///:memory:")
    with pytest.raises(SettingsError, match="a convenience and no lock"):
        await gate_sql_apply.seen(sample_map, CONNECTION, engine)
    await engine.dispose()
