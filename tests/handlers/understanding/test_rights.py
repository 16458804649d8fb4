"""Which rights are found, and which are left alone."""

from collections.abc import Callable
from typing import Any

import pytest

from subjectline.handlers.understanding import KINDS, Understanding

Read = Callable[[str], Understanding]

ASKED_FOR = [
    ("제 정보 뭐 갖고 계신지 알려주세요", {"access"}),
    ("제정보뭐갖고있는지알려주세여", {"access"}),
    ("Could I get a copy of my personal information please", {"access"}),
    ("더 이상 광고 안 받고 싶어요", {"marketing_withdrawal"}),
    ("광고 메일이 자꾸 오는데 이제 안 왔으면 좋겠습니다.", {"marketing_withdrawal"}),
    ("no more ads pls", {"marketing_withdrawal"}),
    ("제 정보를 다른 회사에 넘기지 말아 주세요", {"third_party_withdrawal"}),
    ("Please don't share my info with advertisers", {"third_party_withdrawal"}),
    ("마케팅 및 제3자 제공 동의를 모두 철회합니다", {"marketing_withdrawal", "third_party_withdrawal"}),
    ("탈퇴할게요", {"membership_withdrawal"}),
    ("can you delete my account?", {"membership_withdrawal"}),
    ("제 개인정보를 모두 삭제해 주세요", {"erasure"}),
    ("제 개인정보 처리 정지를 요구합니다", {"suspension"}),
    ("Please stop processing my personal data.", {"suspension"}),
    ("제 데이터를 다른 서비스로 옮기고 싶습니다. 전송 요구합니다.", {"portability"}),
    ("열람 거절하신 것에 대해 이의신청합니다", {"objection"}),
    ("I want to appeal your decision to refuse my request", {"objection"}),
    ("제 정보 뭐 있는지 보여주시고 광고는 그만 보내주세요", {"access", "marketing_withdrawal"}),
]  # fmt: skip

# Negation, supposition, the past, other people's words, other business.
NOT_ASKED_FOR = [
    "탈퇴하고 싶은 건 아니에요. 배송이 언제 오는지 궁금해요",
    "탈퇴하면 포인트는 어떻게 되나요?",
    "탈퇴 신청한 거 취소해 주세요. 계속 쓰고 싶어요",
    "수신거부 해제해 주세요",
    "광고 수신 동의 다시 하고 싶어요",
    "주소 이미 변경했어요. 감사합니다!",
    "고객님이 개인정보 삭제해 달라고 하셨습니다 어떻게 할까요",
    '상담원이 "탈퇴하시겠습니까?"라고 물어봤는데 저는 그런 말 한 적 없어요',
    "개인정보처리방침 어디서 볼 수 있나요?",
    "문의 답변은 010-0000-1111로 부탁드립니다",
    "네 감사합니다~",
    "I don't want to close my account.",
    "Please cancel my request to delete my account",
    "What happens to my points if I delete my account?",
    "Thanks for updating my email!",
    'My friend told me "just ask them to delete your account" and I laughed.',
    "Please cancel my order #4411",
    "> Please delete my account\nThat was not from me.",
]

UNSURE = [
    ("탈퇴 어떻게 하나요?", "confirm_right", {"membership_withdrawal"}),
    ("탈퇴", "confirm_right", {"membership_withdrawal"}),
    ("수신거부 했는데 계속 문자가 와요", "confirm_right", {"marketing_withdrawal"}),
    ("어머니 계정 탈퇴 부탁드립니다", "confirm_right", {"membership_withdrawal"}),
    ("How do I delete my account?", "confirm_right", {"membership_withdrawal"}),
    ("My husband wants to cancel his membership", "confirm_right", {"membership_withdrawal"}),
    ("동의 철회할게요", "which_right", {"unclear"}),
    ("I withdraw my consent", "which_right", {"unclear"}),
    ("제 정보가 잘못되어 있어요. 고쳐 주세요.", "which_field", {"correction"}),
]


@pytest.mark.parametrize(("text", "kinds"), ASKED_FOR)
def test_a_clear_message_needs_no_question(read: Read, text: str, kinds: set[str]) -> None:
    got = read(text)
    assert (got.decision, got.question) == ("apply", "")
    assert {w.kind for w in got.wishes} == kinds


@pytest.mark.parametrize("text", NOT_ASKED_FOR)
def test_what_nobody_asked_for_is_not_applied(read: Read, text: str) -> None:
    got = read(text)
    assert (got.decision, got.wishes, got.question) == ("none", (), "")


@pytest.mark.parametrize(("text", "question", "kinds"), UNSURE)
def test_what_is_unsure_is_asked(read: Read, text: str, question: str, kinds: set[str]) -> None:
    got = read(text)
    assert (got.decision, got.question) == ("ask", question)
    assert {w.kind for w in got.wishes} == kinds


def test_no_message_of_the_development_set_gets_a_wrong_right(
    read: Read, dev_set: list[dict[str, Any]]
) -> None:
    wrong = []
    for row in dev_set:
        got = read(row["text"])
        allowed = {*row["also_ok"], *(row["kinds"] if row["expect"] == "apply" else ())}
        if got.decision == "apply" and not {w.kind for w in got.wishes} <= allowed:
            wrong.append(row["id"])
    assert wrong == []


def test_the_development_set_needs_few_questions(read: Read, dev_set: list[dict[str, Any]]) -> None:
    clear = [row for row in dev_set if row["expect"] == "apply"]
    found = [r for r in clear if {w.kind for w in read(r["text"]).wishes} >= set(r["kinds"])]
    assert len(dev_set) >= 150
    assert len(found) >= 0.97 * len(clear)


def test_every_kind_is_one_of_the_contract(read: Read, dev_set: list[dict[str, Any]]) -> None:
    kinds = {w.kind for row in dev_set for w in read(row["text"]).wishes}
    assert kinds - {"unclear"} == set(KINDS)


# What people write around their wish.
LETTERS = {
    "ko": [
        ("안녕하세요, 모먼트픽 회원 김하나입니다. ", " 감사합니다."),
        ("수고 많으십니다.\n", "\n확인 부탁드립니다.\n김하나 드림"),
    ],
    "en": [
        ("Hello, ", "\n\nBest regards,\nJane Roe"),
        ("Hi team, hope you are well.\n", "\nPlease let me know.\nSent from my phone"),
    ],
}


def test_a_letter_around_a_message_brings_no_right_into_it(
    read: Read, dev_set: list[dict[str, Any]]
) -> None:
    brought = []
    for row in dev_set:
        plain = {w.kind for w in read(row["text"]).wishes} | {*row["kinds"], *row["also_ok"]}
        for before, after in LETTERS[row["lang"]]:
            got = read(before + row["text"] + after)
            if got.decision == "apply" and not {w.kind for w in got.wishes} <= plain:
                brought.append(row["id"])
    assert brought == []
