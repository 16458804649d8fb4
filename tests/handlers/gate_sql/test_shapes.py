"""Masking views over databases that are not like the sample: names, keys and ways to the person."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from masked import Company

from subjectline.handlers.registry import open_engine
from subjectline.handlers.registry.gate_sql_apply import seen, written
from subjectline.handlers.registry.gate_sql_check import check
from subjectline.handlers.registry.gate_sql_plan import ANY, audience_of, plan
from subjectline.models.datamap import DataMap
from subjectline.models.datamap.plain import LABEL
from subjectline.models.errors import DataMapError, RegistryError

pytestmark = pytest.mark.server

HOME = "회원 Members"
PLACE = 'CRM "데이터"'
QUOTED = '"CRM ""데이터"""'
Table = dict[str, Any]
Open = Callable[[DataMap, str], Awaitable[Company]]


def table(columns: str, **said: Any) -> Table:
    """A table used for marketing; columns are names separated by `; `."""
    listed = {name: {"labels": LABEL} for name in columns.split("; ")}
    base = {"connection": "members", "labels": LABEL, "category": "c", "purposes": ["marketing"]}
    return base | {"retention": "r", "columns": listed} | said


def mapped(
    tables: dict[str, Table], home: dict[str, Any], copies: dict[str, str], email: str = "E-Mail"
) -> DataMap:
    """A map with the fields email (with these copies, table: column) and phone."""
    said = {"labels": LABEL, "category": "c"}
    listed = [{"table": name, "column": column} for name, column in copies.items()]
    basis = {"labels": LABEL, "basis": "consent", "fields": ["email", "phone"]}
    field = {"table": home["table"], "column": email, "validator": "email", "contact": "email"}
    return DataMap.model_validate(
        {
            "registry": "shapes",
            "company": {
                "name": LABEL,
                "officer": LABEL,
                "phone": "",
                "email": "",
                "policy_url": "",
            },
            "connections": {"members": {"labels": LABEL, "schema": PLACE}},
            "home": home,
            "categories": {"c": LABEL},
            "tables": tables,
            "fields": {
                "email": field | {"copies": listed} | said,
                "phone": {"table": home["table"], "column": "Phone", "validator": "text"} | said,
            },
            "purposes": {"marketing": basis},
            "recipients": {},
            "consents": {},
            "retention": {"r": {"labels": LABEL}},
            "leave": {name: {"action": "ask"} for name in tables},
        }
    )


@pytest.fixture
async def opened(
    postgres: str, postgres_database: str, masked_template: str
) -> AsyncIterator[Open]:
    """Makes the tables, then the views of `marketing`, fresh for now."""
    made: list[Company] = []

    async def open_(data_map: DataMap, statements: str) -> Company:
        name, audience = postgres_database.rpartition("/")[2], audience_of(data_map, "marketing")
        engine = open_engine(postgres_database)
        made.append(Company(postgres, name, data_map, engine, audience))
        await made[-1].admin(statements)
        await made[-1].apply()
        await made[-1].fresh()
        return made[-1]

    yield open_
    for company in made:
        await company.close()


CHAIN = """
CREATE SCHEMA {place};
SET search_path = {place};
CREATE TABLE "회원 Members" ("회원 번호" {kind} PRIMARY KEY, "E-Mail" text, "Phone" text);
CREATE TABLE "주문 Lines" ("Order No" int, line int, "회원 번호" {kind}, "받는 메일" text,
  PRIMARY KEY ("Order No", line));
CREATE TABLE purchase (id int PRIMARY KEY, "Buyer" {kind}, "메모" text);
CREATE TABLE shipment (id int PRIMARY KEY, "Purchase" int);
CREATE TABLE "Parcel 표" (id int PRIMARY KEY, "shipment Id" {hop}, "Label" text);
INSERT INTO "회원 Members" VALUES ('{one}', 'one@mail.test', '1'), ('{two}', 'two@mail.test', '2');
INSERT INTO "주문 Lines" VALUES (1, 1, '{one}', 'one@mail.test'), (1, 2, '{two}', 'two@mail.test');
INSERT INTO purchase VALUES (1, '{one}', 'note'), (2, '{two}', 'note');
INSERT INTO shipment VALUES (1, 1), (2, 2), (3, NULL);
INSERT INTO "Parcel 표" VALUES (1, 1, 'one@mail.test'), (2, 2, 'two@mail.test'),
  (3, 3, 'nobody@mail.test'), (4, NULL, 'nobody@mail.test');
"""
COPIES = {"주문 Lines": "받는 메일", "parcel": "Label"}


def chain(**home: str) -> DataMap:
    tables = {
        HOME: table("회원 번호; E-Mail; Phone", key=["회원 번호"]),
        "주문 Lines": table(
            "Order No; line; 회원 번호; 받는 메일", key=["Order No", "line"], owners=["회원 번호"]
        ),
        "purchase": table("id; Buyer; 메모", key=["id"], owners=["Buyer"]),
        "shipment": table(
            "id; Purchase", key=["id"], through="Purchase", references={"Purchase": "purchase.id"}
        ),
        "parcel": table(
            "id; shipment Id; Label",
            table="Parcel 표",
            key=["id"],
            through="shipment Id",
            references={"shipment Id": "shipment.id"},
        ),
    }
    return mapped(tables, {"table": HOME, "key": "회원 번호", **home}, COPIES)


UUIDS = ("0b4d29bc-7f02-4b0e-9d0f-6a5f0a2f0c01", "0b4d29bc-7f02-4b0e-9d0f-6a5f0a2f0c02")
KEYS = (
    ("uuid", {"form": "uuid"}, UUIDS),
    ("text", {"form": "uuid"}, UUIDS),
    ("bigint", {"form": "integer"}, ("7", "70")),
    ("varchar(20)", {"form": "integer"}, ("7", "70")),
    ("numeric(12)", {"form": "integer"}, ("7", "70")),
    ("varchar(20)", {"form": "text", "case": "fold"}, ("kim7", "김하늘")),
    ("char(8)", {"form": "text", "case": "keep"}, ("Kim7", "kim7")),
)


@pytest.mark.parametrize(("kind", "home", "ids"), KEYS)
async def test_every_row_of_who_is_held_is_masked_whatever_names_and_keys_there_are(
    opened: Open, kind: str, home: dict[str, str], ids: tuple[str, str]
) -> None:
    hop = "varchar(9)" if kind == "uuid" else "int"  # a reference need not be of its target's type
    made = CHAIN.format(place=QUOTED, kind=kind, hop=hop, one=ids[0], two=ids[1])
    company = await opened(chain(**home), made)
    members = 'SELECT "E-Mail" FROM mart."회원 Members_marketing" ORDER BY 1'
    lines = 'SELECT "받는 메일" FROM mart."주문 Lines_marketing" ORDER BY 1'
    parcels = 'SELECT "Label" FROM mart."Parcel 표_marketing" ORDER BY id'
    one, two = ("one@mail.test",), ("two@mail.test",)
    assert await company.ask(members) == await company.ask(lines) == [one, two]
    assert await company.ask(parcels) == [one, two, (None,), (None,)]
    form = {"integer": "bigint", "uuid": "uuid"}.get(home["form"], "text")
    await company.admin(
        f"INSERT INTO gate.active_hold VALUES ('marketing', $1::text::{form}, $2)",
        ids[0],
        company.bit("email"),
    )
    assert await company.ask(members) == await company.ask(lines) == [two, (None,)]
    assert await company.ask(parcels) == [(None,), two, (None,), (None,)]
    assert (await company.ask('SELECT "Phone" FROM mart."회원 Members_marketing"')).count(("1",))


async def test_a_table_on_the_way_that_is_not_there_is_told(opened: Open) -> None:
    made = CHAIN.format(place=QUOTED, kind="uuid", hop="int", one=UUIDS[0], two=UUIDS[1])
    with pytest.raises(DataMapError, match="no such table"):
        await opened(chain(form="uuid"), made + "DROP TABLE purchase")


async def test_the_check_finds_its_way_through_strange_names(opened: Open) -> None:
    """Also where the role has a schema of its own name with the same tables in it."""
    made = CHAIN.format(place=QUOTED, kind="uuid", hop="int", one=UUIDS[0], two=UUIDS[1])
    company = await opened(chain(form="uuid"), made)
    await company.admin("CREATE SCHEMA marketing AUTHORIZATION marketing")
    async with company.as_role("marketing") as role:
        await role.execute("CREATE TABLE marketing.purchase AS SELECT 1 AS id")
    found = await seen(company.data_map, "members", company.engine)
    findings = await check(written(found, company.audience, "members"), found, company.engine)
    assert [f.told for f in findings if f.level == "error"] == []
    assert any("Parcel 표_marketing" in f.told for f in findings if f.level == "ok")


async def test_a_key_that_is_a_field_is_masked_wherever_it_stands(opened: Open) -> None:
    """Members known by their address: the owner column of another table is that address."""
    tables = {
        HOME: table("E-Mail; Phone", key=["E-Mail"]),
        "visit": table("id; who", key=["id"], owners=["who"]),
    }
    home = {"table": HOME, "key": "E-Mail", "form": "text", "case": "fold"}
    company = await opened(
        mapped(tables, home, {}),
        f"CREATE SCHEMA {QUOTED}; SET search_path = {QUOTED};"
        'CREATE TABLE "회원 Members" ("E-Mail" text PRIMARY KEY, "Phone" text);'
        "CREATE TABLE visit (id int PRIMARY KEY, who text);"
        "INSERT INTO \"회원 Members\" VALUES ('one@mail.test', '1');"
        "INSERT INTO visit VALUES (1, 'one@mail.test')",
    )
    words = "SELECT who FROM mart.visit_marketing"
    assert await company.ask(words) == [("one@mail.test",)]
    mask = f"VALUES ('marketing', 'one@mail.test', {company.bit('email')})"
    await company.admin(f"INSERT INTO gate.active_hold {mask}")
    assert await company.ask(words) == [(None,)]
    assert await company.ask('SELECT * FROM mart."회원 Members_marketing"') == [(None, "1")]


def test_part_of_a_key_is_a_column_like_any_other() -> None:
    """What somebody follows (person, topic) is theirs, though it stands in the key."""
    tables = {
        HOME: table("회원 번호; E-Mail; Phone", key=["회원 번호"]),
        "follow": table("person; topic", key=["person", "topic"], owners=["person"]),
        "seen": table(
            "person; topic; mail", key=["person", "topic"], owners=["person"], purposes=[]
        ),
    }
    home = {"table": HOME, "key": "회원 번호", "form": "integer"}
    data_map = mapped(tables, home, {})
    made = plan(data_map, audience_of(data_map, "marketing"), "members")
    shown = {view.table: {c.column: c.bits for c in view.columns} for view in made.views}
    assert shown["follow"] == {"person": 0, "topic": ANY} and "seen" not in shown


def test_a_table_with_a_person_known_by_a_contact_has_no_view() -> None:
    """A gift's giver is told by member id, its taker by address: whose hold is it?"""
    tables = {
        HOME: table("회원 번호; E-Mail; Phone", key=["회원 번호"]),
        "gift": table(
            "id; giver; taker", key=["id"], owners=["giver"], identities={"taker": "email"}
        ),
    }
    data_map = mapped(tables, {"table": HOME, "key": "회원 번호", "form": "integer"}, {})
    made = plan(data_map, audience_of(data_map, "marketing"), "members")
    assert [view.table for view in made.views] == [HOME]
    assert made.unmade == (("gift", "a contact tells one of its persons, not a member id"),)


TWO = f"""
CREATE SCHEMA {QUOTED}; CREATE TABLE {QUOTED}.member (id int PRIMARY KEY, "E-Mail" text, "Phone" text);
CREATE TABLE public.member (id int PRIMARY KEY, mail text);
INSERT INTO {QUOTED}.member VALUES (1, 'one@mail.test', '1');
INSERT INTO public.member VALUES (1, 'one@mail.test');
"""


async def test_two_tables_of_one_name_have_two_views(opened: Open) -> None:
    tables = {
        "member": table("id; E-Mail; Phone", key=["id"]),
        "club": table("id; mail", table="member", schema_name="public", key=["id"], owners=["id"]),
    }
    home = {"table": "member", "key": "id", "form": "integer"}
    company = await opened(mapped(tables, home, {"club": "mail"}), TWO)
    assert await company.ask('SELECT "E-Mail" FROM mart.member_marketing') == [("one@mail.test",)]
    assert await company.ask("SELECT mail FROM mart.club_marketing") == [("one@mail.test",)]
    for place in (f"{QUOTED}.member", "public.member"):
        assert await company.refused(f"SELECT 1 FROM {place}") == "42501"


async def test_no_audience_takes_the_view_of_another(masked: Company) -> None:
    """`member` for `marketing` and a table `member_x` for `x` may make one name of two."""
    await masked.admin("UPDATE gate.audience SET audience = 'x', views = '{member_marketing}'")
    with pytest.raises(RegistryError, match="Nothing was changed"):
        await masked.apply()


async def test_rights_that_the_role_passed_on_go_with_its_own(masked: Company) -> None:
    await masked.admin("GRANT SELECT ON member TO marketing WITH GRANT OPTION")
    async with masked.as_role("marketing") as role:
        await role.execute("GRANT SELECT ON member TO bystander")
    await masked.apply()
    for role_name in ("marketing", "bystander"):
        assert await masked.refused("SELECT 1 FROM member", role_name) == "42501"
