"""Every letter in each of its forms with sample facts: for `subjectline letter preview` and the tests.

A name is a letter's, with `-variant` where it has several forms.
"""

from collections.abc import Mapping
from datetime import date

from subjectline.handlers import preview_facts as made
from subjectline.models.letter_facts import FieldValue, StatusLine, Understood

_MAKERS: dict[str, made.Maker] = {
    "recipient": made.to_recipient("hold"),
    "recipient-corrected": made.to_recipient("corrected", values=True),
    "recipient-released": made.to_recipient("released"),
    "recipient-stop": made.to_recipient("stop", reminded=True),
    "recipient-erase": made.to_recipient("erase"),
    "verify": made.about("correction", **made.CODE, reply_suffices=True, kinds=["correction"]),
    "verify-held": made.about(
        "correction", **made.CODE, reply_suffices=True, kinds=["correction"], hold_hours=72
    ),
    "verify-code": made.about(
        "access", **made.CODE, reply_suffices=False, kinds=["access", "erasure"]
    ),
    "verify-leaving": made.about(
        "membership_withdrawal", **made.CODE, reply_suffices=True, kinds=["membership_withdrawal"]
    ),
    "ack": made.about(
        "correction",
        understood=made.understood,
        held=lambda language: [made.phone(language)],
        next_step="review",
    ),
    "ack-withdrawal": made.about(
        "marketing_withdrawal",
        understood=[Understood(kind="marketing_withdrawal", fields=[], new_values={})],
        held=made.labels("이메일 주소", "email address"),
        held_purposes=made.labels("광고", "marketing"),
        next_step="review",
    ),
    "question": made.about("unclear", question="which_right", choices=made.RIGHTS),
    "question-which_field": made.about(
        "correction", question="which_field", choices=made.labels("이름, 이메일", "name, email")
    ),
    "question-which_value": made.about(
        "correction", question="which_value", field_label=made.phone
    ),
    "question-bad_value": made.about(
        "correction", question="bad_value", field_label=made.phone, reason="phone_letters"
    ),
    "question-confirm_leaving": made.about(
        "membership_withdrawal", question="confirm_leaving", kept=made.kept
    ),
    "question-confirm_right": made.about(
        "access", question="confirm_right", choices=made.labels("개인정보 열람", "see my data")
    ),
    "question-confirm_value": made.about(
        "correction", question="confirm_value", echo=made.NEW_PHONE
    ),
    "question-new_contact_proof": made.about(
        "correction",
        question="new_contact_proof",
        field_label=lambda language: made.pick(language, "이메일", "email"),
    ),
    "question-wrong_code": made.about("correction", question="wrong_code", tries_left=3),
    "question-paper": made.about("correction", question="paper", field_label=made.phone),
    "question-other_proof": made.about("correction", question="other_proof"),
    "question-free": made.about("access", question="free", note=made.reason),
    "reminder": made.about("correction", waiting_for="proof"),
    "reminder-answer": made.about("correction", waiting_for="answer"),
    "refused_identity": made.about("correction", bodies=made.bodies),
    "lapsed": made.about("correction", released=lambda language: [made.phone(language)]),
    "withdrawn": made.about("correction", released=lambda language: [made.phone(language)]),
    "moved": made.about("correction", moved_to="SL-2B8TN4WZ7"),
    "chat_closed": made.about(
        "access",
        said=lambda language: made.pick(
            language, "개인정보를 보실 수 있습니다.", "Your data is ready for you to see."
        ),
        secure_link="⟦secure_link⟧",
    ),
    "done": made.about(
        "correction",
        done_on=made.DONE,
        fields=lambda language: [FieldValue(label=made.phone(language), new_value=made.NEW_PHONE)],
        echo=made.NEW_PHONE,
        told=made.TOLD,
    ),
    "done-access": made.about(
        "access",
        done_on=made.DONE,
        expires_on=date(2026, 3, 12),
        secure_link="⟦secure_link⟧",
    ),
    "done-portability": made.about(
        "portability",
        done_on=made.DONE,
        expires_on=date(2026, 3, 12),
        secure_link="⟦secure_link⟧",
    ),
    "done-marketing": made.about(
        "marketing_withdrawal",
        done_on=made.DONE,
        withdrawn_on=made.RECEIVED,
        sender=lambda language: made.company(language)["name"],
        channels=made.labels("문자, 이메일", "text message, email"),
    ),
    "done-third_party": made.about(
        "third_party_withdrawal",
        done_on=made.DONE,
        recipients=made.labels("콘텐츠를 산 회원", "buyers of content"),
        fields=made.labels("닉네임, 인스타그램 ID", "nickname, Instagram ID"),
    ),
    "done-leaving": made.about(
        "membership_withdrawal",
        done_on=made.DONE,
        destroyed=made.labels("회원 정보, 배송지", "membership data, shipping addresses"),
        kept=made.kept,
    ),
    "done-erasure": made.about(
        "erasure", done_on=made.DONE, destroyed=made.labels("카카오톡 ID", "KakaoTalk ID"), kept=[]
    ),
    "done-suspension": made.about(
        "suspension",
        done_on=made.DONE,
        fields=made.labels("접속 기록", "access log"),
        purposes=made.labels("통계", "statistics"),
    ),
    "done-objection": made.about("objection", done_on=made.DONE, note=made.reason),
    "partial": made.refused(
        "access",
        "access_others",
        done_on=made.DONE,
        done_items=made.labels("회원 정보, 주문 내역", "membership data, orders"),
        refused_items=made.labels("다른 회원과 나눈 대화", "conversations with other members"),
        reason=made.reason,
    ),
    "refused": made.refused(
        "correction", "not_incorrect", reason=made.reason, released=lambda lang: [made.phone(lang)]
    ),
    "refused-unknown_member": made.refused("access", "nothing_held", reason=""),
    "restricted": made.about(
        "false_information",
        done_on=made.DONE,
        reason=made.reason,
        purposes=made.labels("서비스 제공, 대금 정산", "the service, paying out sales"),
        bodies=made.bodies,
    ),
    "restricted-lifted": made.about(
        "restriction_end",
        done_on=made.DONE,
        lifted=True,
        remedy=made.reason,
        purposes=[],
        bodies=made.bodies,
    ),
    "extended": made.about(
        "access",
        new_due_on=date(2026, 4, 13),
        reason=made.reason,
        ground_article=lambda language: made.pick(
            language, "GDPR 제12조제3항", "GDPR Article 12(3)"
        ),
        bodies=made.bodies,
    ),
    "postponed": made.about(
        "access",
        until=date(2026, 3, 20),
        reason=made.reason,
        ground_article=made.postponing,
        bodies=made.bodies,
    ),
    "code": made.about("access", **made.CODE, purpose="identity"),
    "code-new_contact": made.about("correction", **made.CODE, purpose="new_contact"),
    "contact_changing": made.about(
        "correction",
        field_label=lambda language: made.pick(language, "이메일 주소", "email address"),
        secure_link="⟦secure_link⟧",
    ),
    "proxy_named": made.about("access", **made.PROXY),
    "guardian_acts": made.about("correction", **made.PROXY),
    "change_waits": made.about(
        "correction", field_labels=lambda lang: [made.phone(lang)], **made.WAITS
    ),
    "resident_number": made.about("correction"),
    "too_large": made.about("correction"),
    "files_left_out": made.about("correction", max_file_mb=10, max_all_mb=25, max_files=20),
    "notice": made.notice,
    "dialog_start": made.chat(),
    "dialog_help": made.chat(),
    "dialog_privacy": made.chat(),
    "dialog_choose_right": made.chat(),
    "dialog_choose_field": made.chat(right="correction"),
    "dialog_choose_field-erasure": made.chat(right="erasure"),
    "dialog_choose_field-suspension": made.chat(right="suspension"),
    "dialog_choose_request": made.chat(),
    "dialog_welcome": made.chat(),
    "dialog_waiting_code": made.chat(),
    "dialog_too_many": made.chat(),
    "dialog_no_mail": made.chat(),
    "dialog_lost": made.chat(),
    "dialog_share": made.chat(),
    "dialog_papers": made.about("correction", secure_link="⟦secure_link⟧"),
    "dialog_page": made.about("correction", secure_link="⟦secure_link⟧"),
    "dialog_yes_or_no": made.chat(),
    "dialog_passed_on": made.about("correction"),
    "dialog_already": made.about("correction", state="verifying"),
    "dialog_halfway": made.about("correction"),
    "dialog_person": made.chat(),
    "dialog_thanks": made.chat(),
    "dialog_old_button": made.chat(),
    "dialog_language": made.chat(),
    "dialog_language_chosen": made.chat(),
    "dialog_forwarded": made.chat(),
    "dialog_edited": made.chat(),
    "dialog_ask_email": made.chat(),
    "dialog_ask_code": made.chat(expires_minutes=10),
    "dialog_code_wrong": made.chat(tries_left=3),
    "dialog_code_spent": made.chat(),
    "dialog_bad_value": made.chat(field_label=made.phone, reason="phone_letters"),
    "dialog_confirm_value": made.chat(echo=made.echo),
    "dialog_status": made.chat(
        requests=[
            StatusLine(reference="SL-7K3M9QXD4", kind="correction", state="open", due_on=made.DUE),
            StatusLine(reference="SL-2B8TN4WZ7", kind="access", state="waiting", due_on=made.DUE),
        ]
    ),
    "dialog_nothing_open": made.chat(),
    "dialog_cancelled": made.chat(),
    "dialog_unsure": made.chat(),
    "dialog_text_please": made.chat(),
    "dialog_linked": made.chat(),
    "dialog_contact_unknown": made.chat(),
    "dialog_returned": made.chat(
        reference="SL-7K3M9QXD4", secure_link="https://privacy.example.com/m/one-time"
    ),
}

PREVIEWS: Mapping[str, made.Preview] = {
    name: made.Preview(
        name.partition("-")[0], {language: make(language) for language in ("ko", "en")}
    )
    for name, make in _MAKERS.items()
}
