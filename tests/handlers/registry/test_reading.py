"""Finding members and reading their fields."""

from collections.abc import Callable
from typing import Any

import pytest

from subjectline.handlers.registry import Registry, open_engine, open_engines
from subjectline.intake.sandbox.people import EN_MEMBER, KNOWN, KO_MEMBER, OTHER_MEMBER
from subjectline.models.datamap import DataMap
from subjectline.models.errors import (
    BadValue,
    NotCanonical,
    RegistryAway,
    RegistryError,
    SettingsError,
    UnknownMember,
)

Query = Callable[..., Any]


async def test_the_map_fits_the_database(company: Registry, shop: Registry) -> None:
    assert await company.check() == []
    assert await shop.check() == []


@pytest.mark.parametrize("spelled", ["010-0000-1001", "+82 10 0000 1001", "01000001001"])
async def test_a_phone_is_found_however_it_is_written(company: Registry, spelled: str) -> None:
    assert await company.find("phone", spelled) == [KO_MEMBER.member]


@pytest.mark.parametrize("held", ["+821000001001", "01000001001", "010-0000-1001"])
async def test_a_phone_is_found_however_it_is_stored(
    company: Registry, company_url: str, query: Query, held: str
) -> None:
    await query(company_url, "UPDATE member SET phone = :held WHERE member_id = 1001", held=held)
    assert await company.find("phone", "010-0000-1001") == ["1001"]
    assert (await company.contacts("1001"))["phone"] == "+821000001001"


async def test_an_address_is_found_in_any_case(
    company: Registry, company_url: str, query: Query
) -> None:
    address = "Haneul.KIM@mail.test"
    await query(company_url, "UPDATE member SET email = :a WHERE member_id = 1001", a=address)
    assert await company.find("email", "haneul.kim@MAIL.test") == ["1001"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "nobody@mail.test"),
        ("email", "%@mail.test"),
        ("email", "x' OR '1'='1"),
        ("phone", "not a phone"),
        ("telegram", "1001"),
    ],
)
async def test_nobody_is_found_by_what_is_no_contact(
    company: Registry, kind: str, value: str
) -> None:
    assert await company.find(kind, value) == []


async def test_two_members_with_one_phone_are_both_found(
    company: Registry, company_url: str, query: Query
) -> None:
    await query(company_url, "UPDATE member SET phone = '010-0000-1001' WHERE member_id = 1002")
    assert await company.find("phone", "010-0000-1001") == ["1001", "1002"]


async def test_fields_are_read_from_every_table(company: Registry) -> None:
    held = await company.read(EN_MEMBER.member, ["name", "instagram_id", "account_holder"])
    assert held == {
        "name": "Dana Whitfield",
        "instagram_id": "dana.frames",
        "account_holder": "Dana Whitfield",
    }
    assert await company.language(EN_MEMBER.member) == "en"
    assert await company.language(KO_MEMBER.member) == "ko"


async def test_a_missing_row_reads_as_empty(
    company: Registry, company_url: str, query: Query
) -> None:
    await query(company_url, "DELETE FROM profile WHERE member_id = 1001")
    assert await company.read("1001", ["kakao_id", "name"]) == {"kakao_id": None, "name": "김하늘"}


async def test_unknown_members_and_fields_are_refused(company: Registry) -> None:
    with pytest.raises(UnknownMember):
        await company.read("4", ["name"])
    with pytest.raises(UnknownMember):
        await company.contacts("4")
    with pytest.raises(UnknownMember):
        await company.collect("4")
    with pytest.raises(BadValue):
        await company.read("1001", ["shoe_size"])
    with pytest.raises(NotCanonical):
        await company.read("1001 OR 1=1", ["name"])


async def test_contacts_of_many_come_at_once(company: Registry) -> None:
    found = await company.contacts_of([person.member for person in KNOWN] + ["4"])
    assert found.pop("4") == {}
    for person in KNOWN:
        assert found[person.member]["email"] == person.email
        assert found[person.member]["language"] == person.language
        alone = await company.contacts(person.member)
        assert {**alone, "language": person.language} == found[person.member]


async def test_members_come_in_pages_without_those_who_left(
    company: Registry, company_url: str, query: Query
) -> None:
    await query(company_url, "UPDATE member SET status = 'left' WHERE member_id = 1004")
    pages, after = list[str](), None
    while page := await company.members(after, 7):
        pages += page
        after = page[-1]
    assert pages == [str(number) for number in range(1001, 1031) if number != 1004]
    assert await company.count() == 29


async def test_a_database_that_is_not_there_is_away(
    sample: DataMap, backend: str, tmp_path: Any
) -> None:
    closed = "postgresql://nobody@127.0.0.1:1/none"
    url = closed if backend == "postgresql" else f"sqlite:///{tmp_path}/no/such/folder.db"
    registry = Registry(sample, {"members": open_engine(url)})
    with pytest.raises(RegistryAway) as told:
        await registry.find("email", OTHER_MEMBER.email)
    assert told.value.field == "members"
    assert str(tmp_path) not in str(told.value)
    await registry.close()


async def test_a_changed_schema_is_told(company: Registry, company_url: str, query: Query) -> None:
    await query(company_url, "ALTER TABLE profile RENAME COLUMN kakao_id TO talk_id")
    await query(company_url, "DROP TABLE device")
    with pytest.raises(RegistryError, match="not in the database"):
        await company.read("1001", ["kakao_id"])
    assert [told.partition(":")[0] for told in await company.check()] == ["profile", "device"]


@pytest.mark.parametrize("url", ["", "mysql://u:pw-secret@h/x", "not a url", "postgresql"])
def test_an_unknown_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SettingsError) as told:
        open_engine(url)
    assert "pw-secret" not in str(told.value)


def test_every_connection_of_the_map_has_a_url(shop_map: DataMap) -> None:
    with pytest.raises(SettingsError, match="news"):
        open_engines(shop_map, {"shop": "sqlite://"})
