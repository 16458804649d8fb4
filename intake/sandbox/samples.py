"""What a member may write with one click, in both languages, by both doors."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from subjectline.intake.sandbox.people import Person
from subjectline.models.errors import BadInput


@dataclass(frozen=True)
class Sample:
    subject: str
    text: str


MAIL: Mapping[str, Mapping[str, Sample]] = {
    "ko": {
        "correction": Sample(
            "배송지 변경", "제 배송지를 부산시 수영구 파도로 {n}, 3층으로 바꿔 주세요."
        ),
        "phone": Sample("전화번호 변경", "제 휴대전화번호를 010-0000-9{n}로 바꿔 주세요."),
        "access": Sample("개인정보 열람", "제가 맡긴 개인정보를 모두 보여 주세요."),
        "marketing_withdrawal": Sample("광고 수신 거부", "광고 메일 수신 동의를 철회합니다."),
        "membership_withdrawal": Sample("회원 탈퇴", "회원 탈퇴하고 싶습니다."),
    },
    "en": {
        "correction": Sample(
            "My shipping address",
            "Please change my shipping address to {n} Padoro, 3rd floor, Suyeong-gu, Busan.",
        ),
        "phone": Sample(
            "My phone number", "Please change my mobile phone number to 010-0000-9{n}."
        ),
        "access": Sample(
            "My data", "Please send me a copy of all the personal data you hold about me."
        ),
        "marketing_withdrawal": Sample(
            "No more advertising", "I withdraw my consent to marketing emails."
        ),
        "membership_withdrawal": Sample("Leaving", "I want to leave and close my account."),
    },
}
CHAT: Mapping[str, Mapping[str, Sample]] = {
    "ko": {
        "start": Sample("", "/start"),
        "correction": Sample("", "제 인스타그램 아이디를 {handle}.{n} 로 바꿔 주세요."),
        **{kind: each for kind, each in MAIL["ko"].items() if kind not in ("correction", "phone")},
    },
    "en": {
        "start": Sample("", "/start"),
        "correction": Sample("", "Please change my Instagram ID to {handle}.{n}"),
        **{kind: each for kind, each in MAIL["en"].items() if kind not in ("correction", "phone")},
    },
}


def of(door: str, language: str) -> Mapping[str, Sample]:
    """The samples of one door in one language, by kind."""
    return (CHAT if door == "chat" else MAIL)[language]


def invented(pattern: str, person: Person) -> str:
    """A text with a new value in it: `{n}` is a number, `{handle}` comes from the member's own."""
    handle = re.split(r"[._]", person.handle)[0]
    return pattern.format(n=100 + secrets.randbelow(900), handle=handle)


def sample(door: str, person: Person, kind: str) -> Sample:
    """One of them with an invented value. Raises BadInput."""
    found = of(door, person.language).get(kind)
    if found is None:
        raise BadInput("there is no such sample", field="sample")
    return Sample(found.subject, invented(found.text, person))
