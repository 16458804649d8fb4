"""Article 5 of the sample policy against the sample data map, line by line, in both languages."""

import re

import pytest

from subjectline.intake.sandbox.company import MAP, POLICIES
from subjectline.models.datamap import load_map
from subjectline.models.periods import Period

# Each line of the article, in its order: the rule of the map, and whose records stand under it.
LINES = {
    "misuse": {"misuse_record"},
    "contracts": {"content_sale", "member_consent"},
    "supply": {"shipping"},
    "disputes": {"inquiry"},
    "identification": {"identity_check"},
    "visits": {"access_log"},
    "transactions": {"payment_request"},
    "vat": {"vat_record"},
}
LAWS = {
    "misuse": ("내부 방침", "Internal policy"),
    "contracts": ("전자상거래", "Electronic Commerce"),
    "supply": ("전자상거래", "Electronic Commerce"),
    "disputes": ("전자상거래", "Electronic Commerce"),
    "identification": ("정보통신망", "Network Act"),
    "visits": ("통신비밀보호법", "Communications Secrets"),
    "transactions": ("전자금융거래법", "Electronic Financial Transactions"),
    "vat": ("부가가치세법", "Value-Added Tax"),
}
NOT_SAID = {"membership", "marketing", "access_records"}  # until you leave; Article 13
DATA_MAP = load_map(MAP)


def article(version: str, language: str) -> list[str]:
    """The list of Article 5."""
    text = (POLICIES / f"{version}.{language}.md").read_text(encoding="utf-8")
    chapter = re.split(r"^## ", text, flags=re.MULTILINE)[5]
    return [line for line in chapter.splitlines() if line.startswith("- ")]


def written(period: Period | None, language: str) -> str:
    return period.text(language) if period else ""


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_each_line_is_a_rule_with_its_period_and_law(version: str, language: str) -> None:
    lines = article(version, language)
    assert len(lines) == len(LINES)
    law = ""
    for line, name in zip(lines, LINES, strict=True):
        rule = DATA_MAP.retention[name]
        assert written(rule.period, language) in line, line
        assert rule.law is not None
        named = LAWS[name][0 if language == "ko" else 1]
        assert named in rule.law.text(language)
        if "같은 법" in line or "same Act" in line:
            assert named == law, line
        else:
            assert named.casefold() in line.casefold(), line
        law = named


def test_each_rule_has_records_and_no_rule_is_unsaid() -> None:
    assert set(DATA_MAP.retention) == set(LINES) | NOT_SAID
    for name, tables in LINES.items():
        assert {t for t, spec in DATA_MAP.tables.items() if spec.retention == name} == tables
        for table in tables:
            assert DATA_MAP.leave[table].action == "keep", table


def test_what_no_law_keeps_goes_when_a_member_leaves() -> None:
    for name, spec in DATA_MAP.tables.items():
        if spec.retention in ("membership", "marketing"):
            assert DATA_MAP.leave[name].action in ("delete", "anonymise"), name


def test_the_tax_records_are_counted_from_the_final_filing_period() -> None:
    assert DATA_MAP.leave["vat_record"].counted_from == "final_filing_on"
