"""Access: all that is the member's, nothing that is another person's."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from subjectline.handlers.registry import Registry, open_engine, open_engines
from subjectline.handlers.registry.collect import Walk
from subjectline.handlers.registry.schema import Schema
from subjectline.intake.sandbox.people import KNOWN, KO_MEMBER, OTHER_MEMBER
from subjectline.models.datamap import DataMap
from subjectline.models.validators import national

Query = Callable[..., Any]


async def test_a_known_member_has_rows_in_every_table(company: Registry) -> None:
    for person in KNOWN:
        counts = (await company.collect(person.member)).counts
        assert set(counts) == set(company.data_map.tables)
        assert all(counts.values()), counts


async def test_each_table_says_why_how_long_and_for_whom(company: Registry) -> None:
    found = {t.table: t for t in (await company.collect("1001")).tables}
    korean = found["shipping"].as_json("ko")
    assert korean["label"] == "배송 내역"
    assert "물품과 경품 배송" in korean["purposes"]
    assert "우체국" in korean["recipients"]
    assert korean["retention_law"] == "전자상거래 등에서의 소비자보호에 관한 법률"
    assert korean["retention_period"] == "5년"
    english = found["shipping"].as_json("en")
    assert english["columns"]["address"] == "Address"
    assert "Post Office" in english["recipients"]


async def test_hidden_columns_are_shown_to_nobody(company: Registry) -> None:
    export = json.dumps((await company.collect("1001")).as_json("ko"), ensure_ascii=False)
    assert "password_hash" not in export and "scrypt" not in export


async def test_a_shared_row_shows_the_member_s_half_only(company: Registry) -> None:
    tables = {t.table: t for t in (await company.collect(KO_MEMBER.member)).tables}
    sold = next(r for r in tables["content_sale"].rows if r.get("seller_id") == 1001)
    bought = next(r for r in tables["content_sale"].rows if r.get("buyer_id") == 1001)
    assert not {"buyer_id", "buyer_name", "buyer_email"} & set(sold)
    assert not {"seller_id", "seller_nickname", "seller_instagram"} & set(bought)
    assert bought["buyer_email"] == KO_MEMBER.email
    assert sold["price"] and bought["price"]
    assert "buyer_email" in tables["content_sale"].withheld_columns


async def test_no_export_holds_another_member_s_contact(company: Registry) -> None:
    members = await company.members(None, 100)
    contacts = await company.contacts_of(members)
    names = {m: (await company.read(m, ["nickname"]))["nickname"] for m in members}
    for member in members:
        export = json.dumps((await company.collect(member)).as_json("en"), ensure_ascii=False)
        assert contacts[member]["email"] in export and national(contacts[member]["phone"]) in export
        for other in members:
            if other != member:
                assert contacts[other]["email"] not in export
                assert national(contacts[other]["phone"]) not in export
                assert json.dumps(names[other], ensure_ascii=False) not in export


async def test_a_card_of_another_customer_is_withheld_and_counted(shop: Registry) -> None:
    collected = await shop.collect("ann")
    tables = {table.table: table for table in collected.tables}
    assert [row["digits"] for row in tables["card"].rows] == ["card-of-ann"]
    assert tables["card"].withheld_rows == 2  # bob's card and the orphan, both behind ann's orders
    assert [row["id"] for row in tables["purchase"].rows] == [10, 12]
    assert [row["words"] for row in tables["note"].rows] == ["note-of-ann"]
    export = json.dumps(collected.as_json("en"))
    assert "bob" not in export and "orphan" not in export
    assert collected.withheld == 3  # and bob's own row, as he recommended her
    assert tables["customer"].withheld_columns == ("friend_id",)


@pytest.mark.parametrize("table", ["card", "customer"])
async def test_the_database_itself_blanks_what_is_not_the_member_s(
    shop_map: DataMap, shop_urls: dict[str, str], table: str
) -> None:
    engine = open_engine(shop_urls["shop"])
    statement = Walk(Schema(shop_map), "ann").statement(table, list(shop_map.tables[table].columns))
    async with engine.connect() as connection:
        fetched = str((await connection.execute(statement)).all())
    await engine.dispose()
    assert "ann" in fetched and "bob" not in fetched and "orphan" not in fetched


async def test_every_connection_is_walked(shop: Registry) -> None:
    tables = {table.table: table for table in (await shop.collect("ann")).tables}
    assert [row["reader_id"] for row in tables["reader"].rows] == [1, 2]
    assert tables["purchase"].rows[0]["total"] in ("12.50", "12.5")
    assert str(tables["customer"].rows[0]["born"]) == "1980-02-03"


async def test_an_id_is_found_in_its_canonical_form_alone(shop: Registry) -> None:
    assert (await shop.collect(" ANN ")).member == "ann"


async def test_one_statement_a_table(sample: DataMap, company_url: str) -> None:
    engines = open_engines(sample, {"members": company_url})
    statements: list[str] = []

    @event.listens_for(engines["members"].sync_engine, "before_cursor_execute")
    def seen(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    registry = Registry(sample, engines)
    await registry.collect(OTHER_MEMBER.member)
    assert len(statements) <= len(sample.tables) + 1
    await registry.close()


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_the_export_is_json(company: Registry, language: str) -> None:
    export = (await company.collect("1002")).as_json(language)
    assert json.loads(json.dumps(export, ensure_ascii=False)) == export
