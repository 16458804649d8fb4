"""Sample facts for every letter, in both languages: for `subjectline letter preview` and the tests.

Everybody in here is invented. A name is a letter's, with `-variant` where it has several forms.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from subjectline.handlers.words import last_four
from subjectline.models.letter_facts import (
    BodyFacts,
    Common,
    CompanyFacts,
    KeptFacts,
    PolicyChange,
    Understood,
)
from subjectline.models.regimes import DEFAULT_REGIME, regime_named

Facts = Mapping[str, Any]
TOLD, LINK = "⟦told⟧", "⟦secure_link⟧"  # as in `letters`, which imports this
SAMPLE_TOLD = {
    "ko": "우체국 · 주식회사 누리고 (2026년 3월 2일(월)), 주식회사 카카오 (알리는 중)",
    "en": "Post Office · Nurigo (Monday 2 March 2026), Kakao (being told now)",
}
NEW_PHONE, NEW_EMAIL = "010-0000-4321", "haneul.new@member.test"
RECEIVED, DUE, DONE = date(2026, 3, 2), date(2026, 3, 12), date(2026, 3, 5)


@dataclass(frozen=True, slots=True)
class Preview:
    """One letter with its sample facts by language."""

    letter: str
    facts: Mapping[str, Facts]


def pick(language: str, ko: str, en: str) -> str:
    return ko if language == "ko" else en


def company(language: str) -> CompanyFacts:
    return CompanyFacts(
        name=pick(language, "모먼트픽", "Moment Pick"),
        officer=pick(language, "정다온", "Daon Jung"),
        phone="070-7797-0723",
        email="privacy@momentpick.test",
        policy_url="https://momentpick.test/policy",
    )


def common(language: str, kind: str = "correction") -> Common:
    law = regime_named(DEFAULT_REGIME)
    rule = law.rule(kind)
    return Common(
        company=company(language),
        reference="SL-7K3M9QXD4",
        kind=kind,
        received_on=RECEIVED,
        due_on=DUE,
        article=f"{rule.article.in_(language)}: {rule.words.in_(language)}",
        counting=law.counting.in_(language),
        identity_law=law.sentences["identity"].in_(language),
    )


def bodies(language: str) -> list[BodyFacts]:
    law = regime_named(DEFAULT_REGIME)
    return [BodyFacts(name=body.name.in_(language), phone=body.phone) for body in law.bodies]


def ground(language: str, key: str) -> dict[str, Any]:
    ground = regime_named(DEFAULT_REGIME).grounds[key]
    return {
        "ground": ground.text.in_(language),
        "ground_article": ground.article.in_(language),
        "unknown_member": ground.unknown_member,
        "bodies": bodies(language),
    }


def phone(language: str) -> str:
    return pick(language, "휴대전화 번호", "mobile phone number")


def echo(language: str) -> str:
    return f"{phone(language)} {last_four(NEW_PHONE)}"


def kept(language: str) -> list[KeptFacts]:
    what = pick(language, "대금 결제와 재화 공급 기록", "payment and supply of goods")
    law = pick(language, "전자상거래법", "E-Commerce Act")
    return [KeptFacts(what=what, law=law, until=date(2031, 3, 5))]


def understood(language: str) -> list[Understood]:
    label = phone(language)
    return [Understood(kind="correction", fields=[label], new_values={label: NEW_PHONE})]


def changes(language: str) -> list[PolicyChange]:
    if language == "ko":
        return [
            PolicyChange(
                clause="제8조(처리 위탁)",
                before="문자 발송: 누리고",
                after="문자 발송: 누리고, 채널코퍼레이션",
                reason="안내 메시지를 보내는 곳을 하나 더 두었습니다.",
            ),
            PolicyChange(
                clause="제10조(문의처)",
                before="고객센터 평일 10시부터 17시",
                after="고객센터 평일 9시부터 18시",
                reason="문의를 받는 시간을 늘렸습니다.",
            ),
        ]
    return [
        PolicyChange(
            clause="Article 8 (processors)",
            before="Text messages: Nurigo",
            after="Text messages: Nurigo, Channel Corporation",
            reason="One more company delivers our messages.",
        ),
        PolicyChange(
            clause="Article 10 (contact)",
            before="Customer office on weekdays, 10 to 17",
            after="Customer office on weekdays, 9 to 18",
            reason="We are there for longer.",
        ),
    ]


def notice(language: str) -> dict[str, Any]:
    refuse = "이 메일에 답장하시거나 고객센터로 알려 주세요."
    follows = "동의하지 않으셔도 시행일 전까지는 지금처럼 이용하실 수 있습니다."
    refuse_en = "Answer this mail or call the customer office."
    follows_en = "If you refuse, nothing changes for you until the change is in force."
    return {
        "company": company(language),
        "reference": "PN-2026-02",
        "version": "2026-02",
        "announced_on": date(2026, 3, 2),
        "effective_on": date(2026, 4, 1),
        "changes": changes(language),
        "how_to_refuse": pick(language, refuse, refuse_en),
        "what_follows": pick(language, follows, follows_en),
        "previous_url": "https://momentpick.test/policy/2026-01",
    }


def reason(language: str) -> str:
    ko = "보내 주신 자료와 가입 기록을 비교해 보았습니다."
    return pick(language, ko, "We compared what you sent with the registration.")


Maker = Callable[[str], Mapping[str, Any]]


def about(kind: str, **facts: Any) -> Maker:
    """Facts of a request of a kind; a callable among them is asked for the language."""

    def make(language: str) -> Mapping[str, Any]:
        told = {k: v(language) if callable(v) else v for k, v in facts.items()}
        return {**common(language, kind), **told}

    return make


def chat(**facts: Any) -> Maker:
    def make(language: str) -> Mapping[str, Any]:
        told = {k: v(language) if callable(v) else v for k, v in facts.items()}
        return {"company": company(language), **told}

    return make


def labels(ko: str, en: str) -> Callable[[str], list[str]]:
    return lambda language: pick(language, ko, en).split(", ")


def refused(kind: str, named: str, **facts: Any) -> Maker:
    make = about(kind, **facts)
    return lambda language: {**make(language), **ground(language, named)}


def postponing(language: str) -> str:
    words = regime_named(DEFAULT_REGIME).rule("access").postpone
    return words.in_(language) if words else ""


CODE = {"code": "482913", "expires_minutes": 10}
RIGHTS = labels("개인정보 열람, 개인정보 정정", "see my data, correct my data")
PROXY: dict[str, Any] = {
    "proxy_name": lambda language: pick(language, "문보라", "Bora Moon"),
    "rights": labels("개인정보 열람, 개인정보 정정", "see my data, correct my data"),
    "fields": labels("휴대전화 번호", "mobile phone number"),
    "expires_on": date(2026, 12, 31),
    "secure_link": "⟦secure_link⟧",
}
WAITS: dict[str, object] = {"hours": 24, "until": date(2026, 3, 6), "until_time": "15:04"}
WAITS["secure_link"] = "⟦secure_link⟧"


def to_recipient(notice: str, *, values: bool = False, reminded: bool = False) -> Maker:
    def make(language: str) -> Mapping[str, Any]:
        law = regime_named(DEFAULT_REGIME).sentences["recipients"]
        return {
            "company": company(language),
            "reference": "SL-7K3M9QXD4",
            "recipient": pick(language, "우체국", "Post Office"),
            "notice": notice,
            "member": "1001",
            "items": [phone(language)],
            "has_values": values,
            "reminded": reminded,
            "law": law.in_(language),
            "secure_link": LINK,
        }

    return make
