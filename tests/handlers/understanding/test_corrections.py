# ruff: noqa: E501 (a case is read on one line)
"""Fields and values of a correction, as the person wrote them."""

from collections.abc import Callable
from typing import Any

import pytest

from subjectline.handlers.understanding import Understanding, Vocabulary, Wish, understand

Read = Callable[[str], Understanding]

VALUES: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("배송지를 서울시 마포구 월드컵북로 12, 101동 202호로 바꿔 주세요.", {"shipping_address": "서울시 마포구 월드컵북로 12, 101동 202호"}, {}),
    ("이름이 김철슈로 되어 있는데 김철수입니다. 고쳐주세요", {"name": "김철수"}, {"name": "김철슈"}),
    ("개명해서 이름을 이서윤으로 바꾸고 싶습니다", {"name": "이서윤"}, {}),
    ("제 이름이 '박서준'인데 '박서전'으로 등록돼 있네요. 바로잡아 주세요", {"name": "박서준"}, {"name": "박서전"}),
    ("번호 바꼈어요 010 0000 3333 이에요", {"phone": "010 0000 3333"}, {}),
    ("+82 10-0000-6666 으로 연락처 업데이트 부탁드려요", {"phone": "+82 10-0000-6666"}, {}),
    ("주소는 그대로 두고 전화번호만 010.0000.5555로 바꿔주세요", {"phone": "010.0000.5555"}, {}),
    ("제 전화번호를 ０１０-００００-１２３４로 변경해 주세요", {"phone": "010-0000-1234"}, {}),
    ("메일주소 old@x.test 말고 new@y.test 로 해주세요", {"email": "new@y.test"}, {"email": "old@x.test"}),
    ("계좌번호를 국민은행 000-11-222333으로 변경해 주실 수 있을까요?", {"account_number": "000-11-222333", "bank_name": "국민은행"}, {}),
    ("성함 김하나, 연락처 010-0000-1234 입니다. 배송지를 강원도 춘천시 중앙로 1로 변경해주세요", {"shipping_address": "강원도 춘천시 중앙로 1"}, {}),
    ("닉네임: 별사탕 -> 솜사탕 변경요청", {"nickname": "솜사탕"}, {"nickname": "별사탕"}),
    ("I've moved. My new address is 12 Example St., Apt 4, Springfield.", {"shipping_address": "12 Example St., Apt 4, Springfield"}, {}),
    ("My date of birth is listed as 1990-01-02 but it should be 1990-02-01", {"birth_date": "1990-02-01"}, {"birth_date": "1990-01-02"}),
    ("The account holder name should be Jane Q. Doe, not Jane Doe.", {"account_holder": "Jane Q. Doe"}, {"account_holder": "Jane Doe"}),
    ("Replace a@old.test with b@new.test as my email.", {"email": "b@new.test"}, {"email": "a@old.test"}),
    ("My Instagram ID is now @foo.bar", {"instagram_id": "@foo.bar"}, {}),
    ("Please change my shipping address to 서울특별시 강남구 테헤란로 10, 202호", {"shipping_address": "서울특별시 강남구 테헤란로 10, 202호"}, {}),
]  # fmt: skip


def _correction(got: Understanding) -> Wish:
    (wish,) = (w for w in got.wishes if w.kind == "correction")
    return wish


@pytest.mark.parametrize(("text", "new", "old"), VALUES)
def test_values_are_read_as_written(
    read: Read, text: str, new: dict[str, str], old: dict[str, str]
) -> None:
    got = read(text)
    wish = _correction(got)
    assert (got.decision, got.question) == ("apply", "")
    assert (dict(wish.new_values), dict(wish.old_values)) == (new, old)
    assert set(wish.fields) == {*new, *old}


@pytest.mark.parametrize(
    "text", ["전화번호가 틀려요", "주소 변경하고 싶은데요", "my adress is wrong"]
)
def test_a_field_without_a_value_is_asked_for(read: Read, text: str) -> None:
    got = read(text)
    assert (got.decision, got.question) == ("apply", "which_value")
    assert _correction(got).fields and not _correction(got).new_values


def test_a_password_or_an_order_is_no_field(read: Read) -> None:
    for text in (
        "비밀번호 변경해 주세요",
        "주문번호 수정해 주세요",
        "Please change my order to size L",
    ):
        assert read(text).decision == "none"


def test_words_come_from_the_data_map() -> None:
    words = Vocabulary({"tax_no": ("세금 번호", "tax number")}, {"tax_no": "account"})
    got = understand("세금번호를 123-45-67890으로 변경해 주세요", words)
    assert dict(_correction(got).new_values) == {"tax_no": "123-45-67890"}
    assert understand("전화번호 변경해 주세요", words).decision == "none"


def test_a_veto_turns_sure_into_a_question(words: Vocabulary) -> None:
    got = understand("탈퇴할게요", words, veto=lambda text, kind: kind == "membership_withdrawal")
    assert (got.decision, got.question) == ("ask", "confirm_right")


def test_most_values_of_the_development_set_are_read(
    read: Read, dev_set: list[dict[str, Any]]
) -> None:
    right = total = 0
    for row in dev_set:
        new = {k: v for w in read(row["text"]).wishes for k, v in w.new_values.items()}
        total += len(row["new_values"])
        right += sum(new.get(k) == v for k, v in row["new_values"].items())
    assert right >= 0.95 * total
