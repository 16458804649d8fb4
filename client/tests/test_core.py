"""What is permitted and what is denied, and for which reason."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from subjectline_client.core import Hold, HoldState
from subjectline_client.policy import ID_FORMS, QUICK_FORMS, Caller, Purpose

Make = Callable[..., HoldState]
CORRECTION = Hold(1, "7", ("email",))
WITHDRAWAL = Hold(
    2, "7", ("*",), ("consent:marketing", "consent:third_party"), ("*",), "marketing_withdrawal"
)


def test_a_member_without_a_hold_is_free(make_state: Make) -> None:
    answer = make_state().decide("all", "7", ("email",), "order", now=100.5)
    assert answer.permit and answer
    assert (answer.allowed_fields, answer.held_fields, answer.reasons) == (("email",), (), ())
    assert (answer.revision, answer.age_ms, answer.valid_for_ms) == (1, 500, 1500)


def test_a_contested_field_is_denied_for_every_purpose(make_state: Make) -> None:
    state = make_state(CORRECTION)
    for purpose in ("order", "marketing", "sale"):
        answer = state.decide("all", "7", ("name", "email"), purpose, now=100)
        assert not answer.permit and not answer
        assert answer.reasons == ("held",)
        assert (answer.held_fields, answer.allowed_fields) == (("email",), ("name",))
        assert answer.valid_for_ms == 0


def test_other_fields_and_other_members_stay_free(make_state: Make) -> None:
    state = make_state(CORRECTION)
    assert state.decide("all", "7", ("name",), "order", now=100)
    assert state.decide("all", "8", ("email",), "order", now=100)


def test_a_list_is_answered_like_a_tuple(make_state: Make) -> None:
    assert make_state(CORRECTION).decide("all", "7", ["email"], "order", now=100).reasons == (
        "held",
    )


def test_a_withdrawn_consent_shuts_its_purposes_only(make_state: Make) -> None:
    state = make_state(WITHDRAWAL)
    assert state.decide("mailer", "7", ("email",), "marketing", now=100).reasons == (
        "consent_withdrawn",
    )
    assert state.decide("all", "7", ("email",), "order", now=100)


def test_a_purpose_that_joins_the_consent_later_is_shut_too(make_state: Make) -> None:
    state = make_state(WITHDRAWAL)
    wider = {**state.policy.purposes, "sms": Purpose("consent", ("marketing",))}
    state.set_policy(replace(state.policy, purposes=wider))
    assert state.decide("all", "7", ("phone",), "sms", now=100).reasons == ("consent_withdrawn",)


def test_a_partner_is_not_told_why(make_state: Make) -> None:
    state = make_state(CORRECTION, WITHDRAWAL)
    told = state.decide("buyer-api", "7", ("email", "name"), "sale", "buyer", now=100)
    assert told.reasons == ("held",)
    inside = state.decide("all", "7", ("email", "name"), "sale", "buyer", now=100)
    assert inside.reasons == ("held", "consent_withdrawn")


def test_a_law_overrides_where_it_reaches(make_state: Make) -> None:
    state = make_state(Hold(1, "7"))
    answer = state.decide("books", "7", ("name", "address"), "tax", now=100)
    assert answer.permit and answer.override
    assert answer.held_fields == answer.allowed_fields == ("name", "address")
    beyond = state.decide("books", "7", ("name", "email"), "tax", now=100)
    assert not beyond.permit and not beyond.override
    assert (beyond.held_fields, beyond.reasons) == (("email",), ("held",))
    assert state.decide("books", "7", ("email",), "audit", now=100).override


def test_nothing_is_overridden_where_nothing_is_held(make_state: Make) -> None:
    assert not make_state().decide("books", "7", ("name",), "tax", now=100).override


def test_a_hold_on_bases_leaves_the_law_free_without_override(make_state: Make) -> None:
    bases = ("basis:consent", "basis:contract", "basis:legitimate")
    state = make_state(Hold(1, "7", ("*",), bases, cause="erasure"))
    answer = state.decide("books", "7", ("name",), "tax", now=100)
    assert answer.permit and not answer.override
    assert not state.decide("all", "7", ("name",), "order", now=100)


def test_a_hold_for_one_recipient_leaves_the_others(make_state: Make) -> None:
    state = make_state(Hold(1, "7", ("email",), ("*",), ("buyer",)))
    assert not state.decide("all", "7", ("email",), "sale", "buyer", now=100)
    assert state.decide("all", "7", ("email",), "sale", "printer", now=100)
    assert state.decide("all", "7", ("email",), "sale", now=100)


@pytest.mark.parametrize(
    ("caller", "subject", "fields", "purpose", "recipient", "reasons"),
    [
        ("nobody", "7", ("email",), "order", None, ("unknown_caller",)),
        ("all", "7", ("shoe",), "order", None, ("unknown_field",)),
        ("all", "7", ("*",), "order", None, ("unknown_field",)),
        ("all", "7", ("email",), "spying", None, ("unknown_purpose",)),
        ("all", "7", ("email",), "order", "stranger", ("unknown_recipient",)),
        ("all", "7", ("email",), "order", "", ("unknown_recipient",)),
        ("mailer", "7", ("email",), "order", None, ("caller_not_scoped",)),
        ("mailer", "7", ("email",), "marketing", "buyer", ("caller_not_scoped",)),
        ("buyer-api", "7", ("email",), "sale", None, ("caller_not_scoped",)),
        ("buyer-api", "7", ("email",), "sale", "printer", ("caller_not_scoped",)),
        ("all", "7", (), "order", None, ("missing_fields",)),
        ("all", "7", None, "order", None, ("missing_fields",)),
        ("all", "7", "email", "order", None, ("missing_fields",)),
        ("all", "7", (1,), "order", None, ("missing_fields",)),
        ("all", "7", ([],), "order", None, ("missing_fields",)),
        ("all", 7, ("email",), "order", None, ("subject_not_canonical",)),
        ("all", "07", ("email",), "order", None, ("subject_not_canonical",)),
        ("all", " 7", ("email",), "order", None, ("subject_not_canonical",)),
        ("all", "７", ("email",), "order", None, ("subject_not_canonical",)),
        ("all", "", ("email",), "order", None, ("subject_not_canonical",)),
        ("all", [], ("email",), "order", None, ("subject_not_canonical",)),
        ([], "7", ("email",), "order", None, ("unknown_caller",)),
        ("all", "7", ("email",), [], None, ("unknown_purpose",)),
        ("all", "7", ("email",), "order", [], ("unknown_recipient",)),
        ("all", "7", ("shoe",), "spying", "x", ("unknown_purpose", "unknown_recipient", "unknown_field")),
    ],
)  # fmt: skip
def test_what_is_not_known_is_denied(
    make_state: Make,
    caller: str,
    subject: str,
    fields: tuple[str, ...],
    purpose: str,
    recipient: str | None,
    reasons: tuple[str, ...],
) -> None:
    state = make_state(CORRECTION)
    for _ in range(2):  # the second time from what was remembered of the first
        answer = state.decide(caller, subject, fields, purpose, recipient, now=100)
        assert not answer.permit
        assert answer.reasons == reasons
        assert answer.held_fields == answer.allowed_fields == ()


def test_an_uncanonical_id_is_denied_on_a_warm_road_too(make_state: Make) -> None:
    state = make_state(CORRECTION)
    assert state.decide("all", "8", ("email",), "order", now=100)
    for subject in (7, "7 ", "+7", "7.0", None):
        answer = state.decide("all", subject, ("email",), "order", now=100)  # type: ignore[arg-type]
        assert answer.reasons == ("subject_not_canonical",)


def test_an_unknown_field_among_known_ones(make_state: Make) -> None:
    answer = make_state(CORRECTION).decide("all", "7", ("shoe", "name", "email"), "order", now=100)
    assert answer.reasons == ("unknown_field", "held")
    assert (answer.held_fields, answer.allowed_fields) == (("email",), ("name",))


@pytest.mark.parametrize("now", [102.0, 103.0, 99.9, float("nan"), float("inf")])
def test_no_permit_from_a_state_older_than_its_bound(make_state: Make, now: float) -> None:
    state = make_state(CORRECTION)
    for subject in ("7", "8"):
        answer = state.decide("all", subject, ("email",), "order", now=now)
        assert answer.reasons == ("stale",)
        assert answer.held_fields == ()


def test_never_synced(policy: object) -> None:
    state = HoldState(policy)  # type: ignore[arg-type]
    answer = state.decide("all", "8", ("email",), "order")
    assert (answer.reasons, answer.age_ms) == (("never_synced",), -1)
    assert not state.touch(0, 100.0)
    assert state.decide("all", "8", ("email",), "order", now=100).reasons == ("never_synced",)


def test_a_token_asks_for_that_state_or_newer(make_state: Make) -> None:
    state = make_state(revision=5)
    assert state.decide("all", "8", ("email",), "order", at_least_revision=5, now=100)
    behind = state.decide("all", "8", ("email",), "order", at_least_revision=6, now=100)
    assert behind.reasons == ("replica_behind_token",)


def test_callers_can_change_without_touching_holds(make_state: Make) -> None:
    state = make_state(CORRECTION)
    assert state.decide("mailer", "7", ("name",), "marketing", now=100)
    state.set_callers({"mailer": Caller(("sale",))})
    assert state.decide("mailer", "7", ("name",), "marketing", now=100).reasons == (
        "caller_not_scoped",
    )
    assert state.decide("mailer", "7", ("email",), "sale", now=100).reasons == ("held",)


def test_filter_sorts_many(make_state: Make) -> None:
    state = make_state(CORRECTION, WITHDRAWAL)
    answer = state.filter("all", ["7", "8", "09", "10"], ("email",), "marketing", now=100.5)
    assert (answer.allowed, answer.held, answer.unknown) == (["8", "10"], ["7"], ["09"])
    assert answer and answer.valid_for_ms == 1500


@pytest.mark.parametrize(
    ("fields", "purpose", "now", "reason"),
    [
        (("email",), "order", 102.0, "stale"),
        (("shoe",), "order", 100.0, "unknown_field"),
        ((), "order", 100.0, "missing_fields"),
        (("email",), "spying", 100.0, "unknown_purpose"),
    ],
)
def test_filter_decides_nothing_when_it_may_not(
    make_state: Make, fields: tuple[str, ...], purpose: str, now: float, reason: str
) -> None:
    answer = make_state().filter("all", ["8"], fields, purpose, now=now)
    assert (answer.reasons, answer.allowed, answer.valid_for_ms) == ((reason,), [], 0)
    assert not answer


def test_filter_never_overrides(make_state: Make) -> None:
    answer = make_state(Hold(1, "7")).filter("books", ["7"], ("name",), "tax", now=100)
    assert (answer.allowed, answer.held) == ([], ["7"])


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("integer", ["0", "7", "-3"], ["00", "-0", "+1", "1 ", "1.0", "１", 7, None, True]),
        ("uuid", ["0b0e8a7c-0000-4000-8000-00000000000a"],
         ["0B0E8A7C-0000-4000-8000-00000000000A", "{0b0e8a7c-0000-4000-8000-00000000000a}",
          "0b0e8a7c00004000800000000000000a"]),
        ("text", ["Kim", "한글", "a b"],
         ["", " a", "a\n", "\u1112\u1161\u11ab", "a\u200b", "a\x00"]),
        ("text-folded", ["kim", "strasse"], ["Kim", "straße", " kim"]),
    ],
)  # fmt: skip
def test_the_forms_of_an_id(form: str, good: list[object], bad: list[object]) -> None:
    assert all(ID_FORMS[form](member) for member in good)
    assert not any(ID_FORMS[form](member) for member in bad)
    quick = QUICK_FORMS[form]
    assert all(quick(member) for member in good if isinstance(member, str))
    assert not any(quick(member) for member in bad if isinstance(member, str))


def test_the_core_starts_fast_and_brings_nothing_along() -> None:
    code = (
        "import sys, time; a = time.process_time(); import subjectline_client.core;"
        "print(time.process_time() - a);"
        "print(*{'httpx', 'msgspec', 'sqlalchemy', 'asyncio'} & set(sys.modules))"
    )
    outs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for _ in range(3)
    ]
    assert min(float(out[0]) for out in outs) < 0.1  # a busy machine only adds
    assert {out[1] for out in outs} == {""}
