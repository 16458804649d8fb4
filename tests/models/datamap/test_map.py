"""The data map: what it says, and what it refuses, with the line."""

from pathlib import Path

import pytest

from subjectline.models.datamap import DataMap, load_map, parse_map, vocabulary_words
from subjectline.models.errors import BadValue, DataMapError


def test_the_sample_map_says_what_the_policy_says(sample: DataMap) -> None:
    required = {"name", "birth_date", "phone", "gender", "email"}
    optional = {"preferences", "activity_area", "shipping_address", "kakao_id", "instagram_id"}
    payment = {"bank_name", "account_number", "account_holder"}
    assert required | optional | payment | {"facebook_id", "nickname"} == set(sample.fields)
    assert set(sample.recipients["content_buyer"].fields) == {"nickname", "instagram_id"}
    assert sample.recipients["content_buyer"].kind == "third_party"
    assert sample.purposes_with_basis("consent") == ("marketing", "third_party")
    assert sample.purposes_with_basis("law") == ("rights-handling", "legal-retention")


def test_a_field_knows_its_purposes_and_recipients(sample: DataMap) -> None:
    assert set(sample.fields["instagram_id"].recipients) == {"content_buyer", "aws"}
    assert "delivery" in sample.fields["phone"].purposes
    assert "marketing" not in sample.fields["account_number"].purposes
    assert set(sample.purposes["rights-handling"].fields) == set(sample.fields)


def test_papers_are_asked_for_a_name_and_a_birth_date(sample: DataMap) -> None:
    asking = {name for name, field in sample.fields.items() if field.evidence == "paper"}
    assert asking == {"name", "birth_date"}


def test_contacts_have_one_field_each(sample: DataMap) -> None:
    for kind in ("email", "phone"):
        field = sample.contact_field(kind)
        assert field is not None and field.contact == kind
    assert sample.contact_field("fax") is None


def test_every_word_means_one_field(sample: DataMap) -> None:
    words = vocabulary_words(sample)
    assert words["phone"][:2] == ("휴대전화번호", "phone number")
    listed = [word.casefold() for field in words.values() for word in field]
    assert len(listed) == len(set(listed))


def test_a_field_refuses_with_its_own_name(sample: DataMap) -> None:
    with pytest.raises(BadValue) as told:
        sample.fields["birth_date"].normalise("1991년 2월 31일")
    assert (told.value.field, told.value.reason) == ("birth_date", "date_impossible")


def test_a_phone_is_stored_as_the_company_stores_it(sample: DataMap) -> None:
    phone = sample.fields["phone"]
    assert phone.to_column("+821000001001") == "010-0000-1001"
    assert phone.from_column("010-0000-1001") == "+821000001001"
    assert phone.from_column("call me") == "call me"
    assert phone.from_column(None) is None
    assert set(phone.in_columns("+821000001001")) == {
        "+821000001001",
        "010-0000-1001",
        "01000001001",
    }


@pytest.mark.parametrize(
    ("line", "broken", "where", "told"),
    [
        ("    contact: phone\n", "    contactt: phone\n", "fields.phone.contactt", "no key"),
        ("    column: kakao_id\n", "    column: kako\n", "fields.kakao_id.column", "no column"),
        ("registry: moment-pick\n", "", "registry", "missing"),
        ("    period: 3 years\n", "    period: soon\n", "retention.disputes.period", "5 years"),
        ("    drops: [mailing_list]\n", "    drops: [letters]\n", "consents.marketing", "no table"),
        ("    drops: [mailing_list]\n", "    drops: [member]\n", "consents.marketing", "emptied"),
        (
            "    purposes: [third_party]\n    t",
            "    purposes: [service]\n    t",
            "consents",
            "basis",
        ),
        ("    through: content_id\n", "", "tables.sale_listing", "whose a row is"),
        ("  profile: {action: delete}\n", "", "leave", "'profile'"),
        ("  content_sale: {action: keep,", "  content_sale: {action: delete,", "leave", "shared"),
        ("  content: {action: delete}", "  content: {action: keep}", "leave.content", "law and"),
        ("    contact: email\n", "    contact: phone\n", "fields.email.contact", "already"),
        ("    validator: email\n", "    validator: mail\n", "fields.email.validator", "Input"),
        ("    recipient: post_office", "    recipient: post", "callers.nightly", "no recipient"),
        ("version: 1\n", "version: 1\nversion: 2\n", ":3", "twice"),
        ("home:\n", "home: [\n", "map.yaml:", "YAML"),
        ("{content_id: content.content_id}", "{content_id: x.y}", "references.content_id", "table"),
    ],
)
def test_a_broken_map_is_told_with_line_and_rule(
    sample_text: str, line: str, broken: str, where: str, told: str
) -> None:
    assert line in sample_text
    with pytest.raises(DataMapError) as error:
        parse_map(sample_text.replace(line, broken, 1))
    assert where in error.value.field
    assert error.value.field.startswith("map.yaml:")
    assert told in str(error.value)


def test_the_line_is_the_line(sample_text: str) -> None:
    broken = sample_text.replace("    column: kakao_id\n", "    column: kako\n")
    line = broken.splitlines().index("    column: kako") + 1
    with pytest.raises(DataMapError, match=f"map.yaml:{line} "):
        parse_map(broken)


@pytest.mark.parametrize(
    "text", ["", "- a\n- b\n", "just words", "a: 2021-13-45\n", "? [a]\n: b\n"]
)
def test_what_is_no_map_is_refused(text: str) -> None:
    with pytest.raises(DataMapError):
        parse_map(text)


def test_no_value_of_the_file_stands_in_the_error(sample_text: str) -> None:
    broken = sample_text.replace("version: 1", "version: secret-words")
    with pytest.raises(DataMapError) as error:
        parse_map(broken)
    assert "secret-words" not in str(error.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataMapError, match="cannot be read"):
        load_map(tmp_path / "none.yaml")


def test_ownership_may_not_run_in_a_circle(sample_text: str) -> None:
    circle = sample_text.replace(
        "    through: content_id\n    references: {content_id: content.content_id}",
        "    through: content_id\n    references: {content_id: sale_listing.listing_id}",
    )
    with pytest.raises(DataMapError, match="circle"):
        parse_map(circle)
