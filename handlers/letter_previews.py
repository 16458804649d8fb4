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
    FieldValue,
    KeptFacts,
    PolicyChange,
    StatusLine,
    Understood,
)
from subjectline.models.regimes import DEFAULT_REGIME, regime_named

Facts = Mapping[str, Any]
_TOLD, _LINK = "⟦told⟧", "⟦secure_link⟧"  # as in `letters`, which imports this
SAMPLE_TOLD = {
    "ko": "우체국 (2026년 3월 2일(월)), 주식회사 누리고 (2026년 3월 2일(월)), 주식회사 카카오 (알리는 중)",
    "en": "Post Office (Monday 2 March 2026), Nurigo (Monday 2 March 2026), Kakao (being told now)",
}
NEW_PHONE, NEW_EMAIL = "010-0000-4321", "haneul.new@member.test"
RECEIVED, DUE, DONE = date(2026, 3, 2), date(2026, 3, 12), date(2026, 3, 5)


@dataclass(frozen=True, slots=True)
class Preview:
    """One letter with its sample facts by language."""

    letter: str
    facts: Mapping[str, Facts]


def _pick(language: str, ko: str, en: str) -> str:
    return ko if language == "ko" else en


def _company(language: str) -> CompanyFacts:
    return CompanyFacts(
        name=_pick(language, "모먼트픽", "Moment Pick"),
        officer=_pick(language, "정다온", "Daon Jung"),
        phone="070-7797-0723",
        email="privacy@momentpick.test",
        policy_url="https://momentpick.test/policy",
    )


def _common(language: str, kind: str = "correction") -> Common:
    law = regime_named(DEFAULT_REGIME)
    rule = law.rule(kind)
    return Common(
        company=_company(language),
        reference="SL-7K3M9QXD4",
        kind=kind,
        received_on=RECEIVED,
        due_on=DUE,
        article=f"{rule.article.in_(language)}: {rule.words.in_(language)}",
        counting=law.counting.in_(language),
        identity_law=law.sentences["identity"].in_(language),
    )


def _bodies(language: str) -> list[BodyFacts]:
    law = regime_named(DEFAULT_REGIME)
    return [BodyFacts(name=body.name.in_(language), phone=body.phone) for body in law.bodies]


def _ground(language: str, key: str) -> dict[str, Any]:
    ground = regime_named(DEFAULT_REGIME).grounds[key]
    return {
        "ground": ground.text.in_(language),
        "ground_article": ground.article.in_(language),
        "unknown_member": ground.unknown_member,
        "bodies": _bodies(language),
    }


def _phone(language: str) -> str:
    return _pick(language, "휴대전화 번호", "mobile phone number")


def _echo(language: str) -> str:
    return f"{_phone(language)} {last_four(NEW_PHONE)}"


def _kept(language: str) -> list[KeptFacts]:
    what = _pick(language, "대금 결제와 재화 공급 기록", "payment and supply of goods")
    law = _pick(language, "전자상거래법", "E-Commerce Act")
    return [KeptFacts(what=what, law=law, until=date(2031, 3, 5))]


def _understood(language: str) -> list[Understood]:
    label = _phone(language)
    return [Understood(kind="correction", fields=[label], new_values={label: NEW_PHONE})]


def _changes(language: str) -> list[PolicyChange]:
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


def _notice(language: str) -> dict[str, Any]:
    refuse = "이 메일에 답장하시거나 고객센터로 알려 주세요."
    follows = "동의하지 않으셔도 시행일 전까지는 지금처럼 이용하실 수 있습니다."
    refuse_en = "Answer this mail or call the customer office."
    follows_en = "If you refuse, nothing changes for you until the change is in force."
    return {
        "company": _company(language),
        "reference": "PN-2026-02",
        "version": "2026-02",
        "announced_on": date(2026, 3, 2),
        "effective_on": date(2026, 4, 1),
        "changes": _changes(language),
        "how_to_refuse": _pick(language, refuse, refuse_en),
        "what_follows": _pick(language, follows, follows_en),
        "previous_url": "https://momentpick.test/policy/2026-01",
    }


def _reason(language: str) -> str:
    ko = "보내 주신 자료와 가입 기록을 비교해 보았습니다."
    return _pick(language, ko, "We compared what you sent with the registration.")


Maker = Callable[[str], Mapping[str, Any]]


def _about(kind: str, **facts: Any) -> Maker:
    """Facts of a request of a kind; a callable among them is asked for the language."""

    def make(language: str) -> Mapping[str, Any]:
        told = {k: v(language) if callable(v) else v for k, v in facts.items()}
        return {**_common(language, kind), **told}

    return make


def _chat(**facts: Any) -> Maker:
    def make(language: str) -> Mapping[str, Any]:
        told = {k: v(language) if callable(v) else v for k, v in facts.items()}
        return {"company": _company(language), **told}

    return make


def _labels(ko: str, en: str) -> Callable[[str], list[str]]:
    return lambda language: _pick(language, ko, en).split(", ")


def _refused(kind: str, ground: str, **facts: Any) -> Maker:
    make = _about(kind, **facts)
    return lambda language: {**make(language), **_ground(language, ground)}


def _postponing(language: str) -> str:
    words = regime_named(DEFAULT_REGIME).rule("access").postpone
    return words.in_(language) if words else ""


_CODE = {"code": "482913", "expires_minutes": 10}
_RIGHTS = _labels("개인정보 열람, 개인정보 정정", "see my data, correct my data")
_PROXY: dict[str, Any] = {
    "proxy_name": lambda language: _pick(language, "문보라", "Bora Moon"),
    "rights": _labels("개인정보 열람, 개인정보 정정", "see my data, correct my data"),
    "fields": _labels("휴대전화 번호", "mobile phone number"),
    "expires_on": date(2026, 12, 31),
    "secure_link": "⟦secure_link⟧",
}
_WAITS: dict[str, object] = {"hours": 24, "until": date(2026, 3, 6), "until_time": "15:04"}
_WAITS["secure_link"] = "⟦secure_link⟧"


def _to_recipient(notice: str, *, values: bool = False, reminded: bool = False) -> Maker:
    def make(language: str) -> Mapping[str, Any]:
        law = regime_named(DEFAULT_REGIME).sentences["recipients"]
        return {
            "company": _company(language),
            "reference": "SL-7K3M9QXD4",
            "recipient": _pick(language, "우체국", "Post Office"),
            "notice": notice,
            "member": "1001",
            "items": [_phone(language)],
            "has_values": values,
            "reminded": reminded,
            "law": law.in_(language),
            "secure_link": _LINK,
        }

    return make


_MAKERS: dict[str, Maker] = {
    "recipient": _to_recipient("hold"),
    "recipient-corrected": _to_recipient("corrected", values=True),
    "recipient-released": _to_recipient("released"),
    "recipient-stop": _to_recipient("stop", reminded=True),
    "recipient-erase": _to_recipient("erase"),
    "verify": _about("correction", **_CODE, reply_suffices=True, kinds=["correction"]),
    "verify-held": _about(
        "correction", **_CODE, reply_suffices=True, kinds=["correction"], hold_hours=72
    ),
    "verify-code": _about("access", **_CODE, reply_suffices=False, kinds=["access", "erasure"]),
    "verify-leaving": _about(
        "membership_withdrawal", **_CODE, reply_suffices=True, kinds=["membership_withdrawal"]
    ),
    "ack": _about(
        "correction",
        understood=_understood,
        held=lambda language: [_phone(language)],
        next_step="review",
    ),
    "ack-withdrawal": _about(
        "marketing_withdrawal",
        understood=[Understood(kind="marketing_withdrawal", fields=[], new_values={})],
        held=_labels("이메일 주소", "email address"),
        held_purposes=_labels("광고", "marketing"),
        next_step="review",
    ),
    "question": _about("unclear", question="which_right", choices=_RIGHTS),
    "question-which_field": _about(
        "correction", question="which_field", choices=_labels("이름, 이메일", "name, email")
    ),
    "question-which_value": _about("correction", question="which_value", field_label=_phone),
    "question-bad_value": _about(
        "correction", question="bad_value", field_label=_phone, reason="phone_letters"
    ),
    "question-confirm_leaving": _about(
        "membership_withdrawal", question="confirm_leaving", kept=_kept
    ),
    "question-confirm_right": _about(
        "access", question="confirm_right", choices=_labels("개인정보 열람", "see my data")
    ),
    "question-confirm_value": _about("correction", question="confirm_value", echo=NEW_PHONE),
    "question-new_contact_proof": _about(
        "correction",
        question="new_contact_proof",
        field_label=lambda language: _pick(language, "이메일", "email"),
    ),
    "question-wrong_code": _about("correction", question="wrong_code", tries_left=3),
    "question-paper": _about("correction", question="paper", field_label=_phone),
    "question-other_proof": _about("correction", question="other_proof"),
    "question-free": _about("access", question="free", note=_reason),
    "reminder": _about("correction", waiting_for="proof"),
    "reminder-answer": _about("correction", waiting_for="answer"),
    "refused_identity": _about("correction", bodies=_bodies),
    "lapsed": _about("correction", released=lambda language: [_phone(language)]),
    "withdrawn": _about("correction", released=lambda language: [_phone(language)]),
    "moved": _about("correction", moved_to="SL-2B8TN4WZ7"),
    "chat_closed": _about(
        "access",
        said=lambda language: _pick(
            language, "개인정보를 보실 수 있습니다.", "Your data is ready for you to see."
        ),
        secure_link="⟦secure_link⟧",
    ),
    "done": _about(
        "correction",
        done_on=DONE,
        fields=lambda language: [FieldValue(label=_phone(language), new_value=NEW_PHONE)],
        echo=NEW_PHONE,
        told=_TOLD,
    ),
    "done-access": _about(
        "access",
        done_on=DONE,
        expires_on=date(2026, 3, 12),
        secure_link="⟦secure_link⟧",
    ),
    "done-portability": _about(
        "portability",
        done_on=DONE,
        expires_on=date(2026, 3, 12),
        secure_link="⟦secure_link⟧",
    ),
    "done-marketing": _about(
        "marketing_withdrawal",
        done_on=DONE,
        withdrawn_on=RECEIVED,
        sender=lambda language: _company(language)["name"],
        channels=_labels("문자, 이메일", "text message, email"),
    ),
    "done-third_party": _about(
        "third_party_withdrawal",
        done_on=DONE,
        recipients=_labels("콘텐츠를 산 회원", "buyers of content"),
        fields=_labels("닉네임, 인스타그램 ID", "nickname, Instagram ID"),
    ),
    "done-leaving": _about(
        "membership_withdrawal",
        done_on=DONE,
        destroyed=_labels("회원 정보, 배송지", "membership data, shipping addresses"),
        kept=_kept,
    ),
    "done-erasure": _about(
        "erasure", done_on=DONE, destroyed=_labels("카카오톡 ID", "KakaoTalk ID"), kept=[]
    ),
    "done-suspension": _about(
        "suspension",
        done_on=DONE,
        fields=_labels("접속 기록", "access log"),
        purposes=_labels("통계", "statistics"),
    ),
    "done-objection": _about("objection", done_on=DONE, note=_reason),
    "partial": _refused(
        "access",
        "access_others",
        done_on=DONE,
        done_items=_labels("회원 정보, 주문 내역", "membership data, orders"),
        refused_items=_labels("다른 회원과 나눈 대화", "conversations with other members"),
        reason=_reason,
    ),
    "refused": _refused(
        "correction", "not_incorrect", reason=_reason, released=lambda lang: [_phone(lang)]
    ),
    "refused-unknown_member": _refused("access", "nothing_held", reason=""),
    "restricted": _about(
        "false_information",
        done_on=DONE,
        reason=_reason,
        purposes=_labels("서비스 제공, 대금 정산", "the service, paying out sales"),
        bodies=_bodies,
    ),
    "restricted-lifted": _about(
        "restriction_end",
        done_on=DONE,
        lifted=True,
        remedy=_reason,
        purposes=[],
        bodies=_bodies,
    ),
    "extended": _about(
        "access",
        new_due_on=date(2026, 4, 13),
        reason=_reason,
        ground_article=lambda language: _pick(language, "GDPR 제12조제3항", "GDPR Article 12(3)"),
        bodies=_bodies,
    ),
    "postponed": _about(
        "access",
        until=date(2026, 3, 20),
        reason=_reason,
        ground_article=_postponing,
        bodies=_bodies,
    ),
    "code": _about("access", **_CODE, purpose="identity"),
    "code-new_contact": _about("correction", **_CODE, purpose="new_contact"),
    "contact_changing": _about(
        "correction",
        field_label=lambda language: _pick(language, "이메일 주소", "email address"),
        secure_link="⟦secure_link⟧",
    ),
    "proxy_named": _about("access", **_PROXY),
    "guardian_acts": _about("correction", **_PROXY),
    "change_waits": _about("correction", field_labels=lambda lang: [_phone(lang)], **_WAITS),
    "resident_number": _about("correction"),
    "too_large": _about("correction"),
    "files_left_out": _about("correction", max_file_mb=10, max_all_mb=25, max_files=20),
    "notice": _notice,
    "dialog_start": _chat(),
    "dialog_help": _chat(),
    "dialog_privacy": _chat(),
    "dialog_choose_right": _chat(),
    "dialog_choose_field": _chat(right="correction"),
    "dialog_choose_field-erasure": _chat(right="erasure"),
    "dialog_choose_field-suspension": _chat(right="suspension"),
    "dialog_choose_request": _chat(),
    "dialog_welcome": _chat(),
    "dialog_waiting_code": _chat(),
    "dialog_too_many": _chat(),
    "dialog_no_mail": _chat(),
    "dialog_lost": _chat(),
    "dialog_share": _chat(),
    "dialog_papers": _about("correction", secure_link="⟦secure_link⟧"),
    "dialog_page": _about("correction", secure_link="⟦secure_link⟧"),
    "dialog_yes_or_no": _chat(),
    "dialog_passed_on": _about("correction"),
    "dialog_already": _about("correction", state="verifying"),
    "dialog_halfway": _about("correction"),
    "dialog_person": _chat(),
    "dialog_thanks": _chat(),
    "dialog_old_button": _chat(),
    "dialog_language": _chat(),
    "dialog_language_chosen": _chat(),
    "dialog_forwarded": _chat(),
    "dialog_edited": _chat(),
    "dialog_ask_email": _chat(),
    "dialog_ask_code": _chat(expires_minutes=10),
    "dialog_code_wrong": _chat(tries_left=3),
    "dialog_code_spent": _chat(),
    "dialog_bad_value": _chat(field_label=_phone, reason="phone_letters"),
    "dialog_confirm_value": _chat(echo=_echo),
    "dialog_status": _chat(
        requests=[
            StatusLine(reference="SL-7K3M9QXD4", kind="correction", state="open", due_on=DUE),
            StatusLine(reference="SL-2B8TN4WZ7", kind="access", state="waiting", due_on=DUE),
        ]
    ),
    "dialog_nothing_open": _chat(),
    "dialog_cancelled": _chat(),
    "dialog_unsure": _chat(),
    "dialog_text_please": _chat(),
    "dialog_linked": _chat(),
    "dialog_contact_unknown": _chat(),
    "dialog_returned": _chat(
        reference="SL-7K3M9QXD4", secure_link="https://privacy.example.com/m/one-time"
    ),
}

PREVIEWS: Mapping[str, Preview] = {
    name: Preview(name.partition("-")[0], {language: make(language) for language in ("ko", "en")})
    for name, make in _MAKERS.items()
}
