"""The clock: first day not counted, rolls over Korean holidays, the regime's own zone."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subjectline.handlers.deadlines import (
    due,
    extended,
    half_time,
    is_working_day,
    may_extend,
    may_postpone,
    outside_bodies,
    refusal_grounds,
)
from subjectline.models.errors import BadInput, IllegalMove, SettingsError
from subjectline.models.regimes import load_extra_days, load_regime, regime_named

SEOUL = ZoneInfo("Asia/Seoul")
KINDS = (
    "access portability correction erasure suspension marketing_withdrawal third_party_withdrawal "
    "membership_withdrawal objection unclear"
).split()


def seoul(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("arrived", "expected", "rolled"),
    [
        ("2026-03-02T09:00", "2026-03-12", ""),
        ("2026-03-04T09:00", "2026-03-16", "Saturday"),
        ("2026-03-05T09:00", "2026-03-16", "Sunday"),
        ("2026-02-06T09:00", "2026-02-19", "New Year"),  # Seollal 16-18 February
        ("2026-09-14T09:00", "2026-09-28", "Chuseok"),  # 24-26 September, then Sunday
        ("2026-04-21T09:00", "2026-05-04", "Labor Day"),  # Friday 1 May, then the weekend
        ("2026-07-07T09:00", "2026-07-20", "Constitution Day"),
        ("2026-02-19T09:00", "2026-03-03", "Alternative holiday"),  # 1 March is a Sunday
        ("2026-08-05T09:00", "2026-08-18", "Liberation Day"),  # 15 August Saturday, 17 substitute
        ("2027-04-21T09:00", "2027-05-04", "Labor Day"),  # Labour Day on a Saturday, 3 May
        ("2027-07-07T09:00", "2027-07-20", "Constitution Day"),  # on a Saturday, 19 July
        ("2026-12-22T09:00", "2027-01-04", "New Year"),  # over the year's end
    ],
)
def test_ten_days_roll_over_korean_days_off(arrived: str, expected: str, rolled: str) -> None:
    answer = due("kr-pipa", "correction", seoul(arrived))
    assert str(answer.date) == expected
    assert rolled in answer.derivation[3]
    assert (answer.derivation[3] == "rolls: none") == (rolled == "")


@pytest.mark.parametrize(
    ("arrived_utc", "expected"),
    [
        ("2026-03-02T14:59:59", "2026-03-12"),  # 23:59:59 in Seoul
        ("2026-03-02T15:00:00", "2026-03-13"),  # midnight: the next day in Seoul
        ("2026-03-01T15:00:00", "2026-03-12"),
    ],
)
def test_the_day_is_that_of_seoul(arrived_utc: str, expected: str) -> None:
    arrived = datetime.fromisoformat(arrived_utc).replace(tzinfo=UTC)
    assert str(due("kr-pipa", "access", arrived).date) == expected


def test_due_at_is_the_last_moment_of_the_day_in_seoul() -> None:
    answer = due("kr-pipa", "access", seoul("2026-03-02T09:00"))
    assert answer.at.tzinfo is UTC
    assert answer.at.astimezone(SEOUL).isoformat() == "2026-03-12T23:59:59.999999+09:00"


def test_the_derivation_says_start_rule_article_and_rolls() -> None:
    start, rule, article, rolls = due("kr-pipa", "correction", seoul("2026-03-04T23:50")).derivation
    assert "2026-03-04 23:50 Asia/Seoul" in start
    assert "10 calendar days -> 2026-03-14" in rule
    assert article == "article: PIPA Article 36(2) and Decree Article 43(3)"
    expected = "rolls: 2026-03-14 is a Saturday; 2026-03-15 is a Sunday; ends 2026-03-16"
    assert rolls == expected


@pytest.mark.parametrize("kind", ["third_party_withdrawal", "membership_withdrawal"])
def test_a_withdrawal_has_no_ten_days(kind: str) -> None:
    answer = due("kr-pipa", kind, seoul("2026-03-02T09:00"))
    assert not answer.statutory and "not the law's" in answer.derivation[1]
    assert answer.warn_on == date(2026, 3, 5)


def test_marketing_withdrawal_is_told_within_fourteen_days_and_pressed_on_the_third() -> None:
    answer = due("kr-pipa", "marketing_withdrawal", seoul("2026-03-02T09:00"))
    assert (answer.date, answer.warn_on) == (date(2026, 3, 16), date(2026, 3, 5))
    assert answer.statutory and "Network Act" in answer.derivation[2]


@pytest.mark.parametrize(
    ("arrived", "expected"),
    [
        ("2026-03-05T10:00", "2026-04-07"),  # 5 April Easter Sunday, 6 Easter Monday
        ("2026-01-31T10:00", "2026-03-02"),  # 28 February is a Saturday
        ("2027-01-29T10:00", "2027-03-01"),  # 28 February is a Sunday
        ("2028-01-31T10:00", "2028-02-29"),
        ("2026-06-10T10:00", "2026-07-10"),
    ],
)
def test_gdpr_month_ends_on_the_same_date_or_the_months_last(arrived: str, expected: str) -> None:
    at = datetime.fromisoformat(arrived).replace(tzinfo=UTC)
    assert str(due("eu-gdpr", "access", at).date) == expected


def test_gdpr_extension_is_two_months_more_from_the_same_receipt() -> None:
    at = datetime(2026, 6, 10, 10, tzinfo=UTC)
    assert extended("eu-gdpr", "access", at).date == date(2026, 9, 10)
    with pytest.raises(IllegalMove):
        extended("eu-gdpr", "access", at, times=2)


def test_a_korean_correction_cannot_be_extended_and_only_access_postponed() -> None:
    assert [kind for kind in KINDS if may_extend("kr-pipa", kind)] == []
    assert [kind for kind in KINDS if may_postpone("kr-pipa", kind)] == ["access"]
    with pytest.raises(IllegalMove):
        extended("kr-pipa", "correction", seoul("2026-03-02T09:00"))


def test_automated_decisions_have_thirty_days_and_twice_thirty_more() -> None:
    at = seoul("2026-03-02T09:00")
    kind = "automated_decision"
    assert due("kr-pipa", kind, at).date == date(2026, 4, 1)
    assert extended("kr-pipa", kind, at, 2).date == date(2026, 6, 1)  # 31 May is a Sunday


def test_half_time_lies_between_arrival_and_due() -> None:
    at = seoul("2026-03-02T00:00")
    assert half_time("kr-pipa", "access", at).astimezone(SEOUL).date() == date(2026, 3, 7)


def test_an_operators_day_off_moves_the_end(tmp_path: Path) -> None:
    (tmp_path / "days.yaml").write_text("- 2026-03-12\n- 2026-03-13\n")
    law = regime_named("kr-pipa").with_extra_days(load_extra_days(tmp_path / "days.yaml"))
    answer = due(law, "access", seoul("2026-03-02T09:00"))
    assert answer.date == date(2026, 3, 16)
    assert "set by the operator" in answer.derivation[3]


@pytest.mark.parametrize("text", ["2026-03-12", "- tomorrow", "- [1, 2", "a: 1"])
def test_a_wrong_list_of_days_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "days.yaml").write_text(text)
    with pytest.raises(SettingsError, match=r"days\.yaml"):
        load_extra_days(tmp_path / "days.yaml")


@pytest.mark.parametrize("regime", ["kr-pipa", "eu-gdpr"])
def test_every_kind_has_a_clock_grounds_and_texts_in_both_languages(regime: str) -> None:
    law = regime_named(regime)
    assert set(KINDS) <= set(law.rules)
    for kind in KINDS:
        for ground in refusal_grounds(law, kind).values():
            assert ground.text.ko.endswith("다.") and ground.text.en.endswith(".")
            assert ground.article.ko and ground.article.en
    assert all(body.name.ko and body.name.en for body in outside_bodies(law))


def test_the_korean_bodies_have_their_numbers() -> None:
    phones = [body.phone for body in outside_bodies("kr-pipa")]
    assert phones == ["1833-6972", "118", "1301", "182"]


def test_a_ground_of_another_right_is_refused() -> None:
    with pytest.raises(BadInput, match="erasure_by_law"):
        regime_named("kr-pipa").ground("correction", "erasure_by_law")


def test_unknown_regime_kind_and_naive_time_are_refused() -> None:
    with pytest.raises(SettingsError, match="kr-pipa"):
        due("us-none", "access", seoul("2026-03-02T09:00"))
    with pytest.raises(BadInput):
        due("kr-pipa", "lunch", seoul("2026-03-02T09:00"))
    with pytest.raises(BadInput, match="time zone"):
        due("kr-pipa", "access", datetime(2026, 3, 2, 9))  # noqa: DTZ001


def test_a_regime_file_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("name: own\nspeed: 3\n")
    with pytest.raises(SettingsError, match=r"own\.yaml"):
        load_regime(path)


@settings(max_examples=200)
@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
    st.sampled_from(KINDS),
    st.sampled_from(["kr-pipa", "eu-gdpr"]),
)
def test_a_period_never_ends_on_a_day_off_nor_before_its_days(
    naive: datetime, kind: str, regime: str
) -> None:
    arrived = naive.replace(tzinfo=UTC)
    answer = due(regime, kind, arrived)
    law = regime_named(regime)
    assert is_working_day(law, answer.date)
    days = law.rule(kind).days
    if days is not None:
        start = arrived.astimezone(law.tz).date()
        assert answer.date - start >= timedelta(days=days)
