"""Delivery reports of every make are read for what they say: which letter, whose, why, for how long."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reported import REPORTS, Case
from returned import arf, dsn, exim, gmail, head_of, korean, qmail, raw
from spent import spent

from subjectline.intake.mail import MailPolicy, parse_mail
from subjectline.intake.mailparse.body import read_body
from subjectline.intake.mailparse.mime import read
from subjectline.intake.mailparse.reports import read_reports
from subjectline.models.delivery import CAUSES, Report, judge
from subjectline.models.incoming import Incoming

OURS = "<0123456789abcdef0123456789abcdef@moment-pick.test>"
TO = "haneul@mail.member.example"
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
POLICY = MailPolicy(("border.test",), ("privacy@moment-pick.test",))


def parsed(mail: bytes) -> Incoming:
    return parse_mail(mail, source_key="", arrived_at=NOW, policy=POLICY)


def only(mail: bytes) -> Report:
    [report] = parsed(mail).reports
    return report


@pytest.mark.parametrize("case", REPORTS, ids=lambda case: case.name)
def test_it_is_read_for_what_it_says(case: Case) -> None:
    mail = parsed(case.build(OURS, TO))
    assert (mail.rule, mail.outcome) == ("bounce", "hold")
    [report] = mail.reports
    assert (report.original_message_id, report.recipient) == (OURS, TO)
    assert (report.action, report.verdict.cause) == (case.action, case.cause)
    assert (report.permanent, report.verdict.dead) == (case.permanent, case.dead)
    if case.status is not None:
        assert report.status == case.status
    assert report.returned == (case.action == "failed")


@pytest.mark.parametrize("case", REPORTS, ids=lambda case: case.name)
def test_its_words_name_nobody(case: Case) -> None:
    words = only(case.build(OURS, TO)).words
    assert "@" not in words and len(words) <= 200 and "\n" not in words


def test_both_recipients_are_told_apart() -> None:
    report = only(dsn(OURS, "new@elsewhere.example", original=TO))
    assert (report.recipient, report.forwarded) == (TO, True)
    assert not only(dsn(OURS, TO, original=TO)).forwarded


def test_a_report_about_two_is_two() -> None:
    body = dsn(OURS, TO).decode()
    second = "Final-Recipient: rfc822; other@member.example\nAction: delayed\nStatus: 4.4.1\n\n"
    mail = body.replace(
        "--b1\nContent-Type: text/rfc822-headers",
        f"{second}--b1\nContent-Type: text/rfc822-headers",
    )
    first, other = parsed(mail.encode()).reports
    assert (first.recipient, first.action) == (TO, "failed")
    assert (other.recipient, other.action, other.permanent) == (
        "other@member.example",
        "delayed",
        False,
    )


def test_qmail_names_each_with_its_own_reason() -> None:
    mail = (
        qmail(OURS, TO)
        .decode()
        .replace("--- Below", "<full@member.example>:\nuser is over quota (#5.2.2)\n\n--- Below")
    )
    first, other = parsed(mail.encode()).reports
    assert (first.verdict.cause, first.verdict.dead) == ("no_such_address", True)
    assert (other.recipient, other.verdict.cause) == ("full@member.example", "mailbox_full")


def test_the_words_of_our_own_letter_decide_nothing() -> None:
    """The returned copy says "spam" and "존재하지 않는 계정"; the server says that the box is full."""
    mail = korean(OURS, TO, "메일함 용량 초과").decode() + "스팸 존재하지 않는 계정 550 5.1.1\n"
    assert only(mail.encode()).verdict.cause == "mailbox_full"
    assert only(qmail(OURS, TO)).verdict.cause == "no_such_address"


@pytest.mark.parametrize("charset", ["euc-kr", "cp949", "utf-8"])
def test_korean_charsets(charset: str) -> None:
    text = korean(OURS, TO, "존재하지 않는 계정입니다.").decode()
    head, _, body = text.partition("\n\n")
    head = head.replace("charset=utf-8", f"charset={charset}")
    report = only(head.encode(charset) + b"\n\n" + body.encode(charset))
    assert (report.original_message_id, report.verdict.cause) == (OURS, "no_such_address")


def test_crlf_and_cut_off_reports() -> None:
    whole = dsn(OURS, TO).replace(b"\n", b"\r\n")
    assert only(whole).original_message_id == OURS
    cut = whole[: whole.index(b"X-Subjectline")]
    assert (only(cut).original_message_id, only(cut).verdict.dead) == (OURS, True)


def test_without_the_letter_there_is_no_id() -> None:
    report = only(dsn(OURS, TO, copy=""))
    assert (report.message_ids, report.recipient) == ((), TO)


def test_a_robots_own_id_is_never_the_letters() -> None:
    mail = raw(
        "Delivery failed.\n", subject="Undeliverable", more="References: <r1@mx.member.example>\n"
    )
    assert only(mail).message_ids == ()


def test_a_status_that_is_base64() -> None:
    import base64

    body = dsn(OURS, TO).decode()
    start = body.index("Reporting-MTA")
    end = body.index("--b1\nContent-Type: text/rfc822")
    coded = base64.encodebytes(body[start:end].encode()).decode()
    mail = (
        body[:start].removesuffix("\n")
        + "Content-Transfer-Encoding: base64\n\n"
        + coded
        + body[end:]
    )
    assert only(mail.encode()).verdict.dead


def test_complaints() -> None:
    report = only(arf(OURS, TO))
    assert (report.kind, report.original_message_id, report.recipient) == ("complaint", OURS, TO)
    assert not report.returned and not report.permanent and not report.verdict.dead
    assert only(arf(OURS, TO, named=False)).recipient == TO  # from the copy
    assert parsed(arf(OURS, TO)).rule == "complaint"


@pytest.mark.parametrize(
    ("subject", "more"),
    [
        ("자동 응답: 휴가 중입니다", "Auto-Submitted: auto-replied\n"),
        ("Automatic reply: away", "X-Autoreply: yes\n"),
    ],
)
def test_out_of_office_is_no_bounce(subject: str, more: str) -> None:
    mail = raw(
        "I am away until Monday.\n", subject=subject, sender=TO, more=f"{more}In-Reply-To: {OURS}\n"
    )
    assert parsed(mail).rule in ("auto_reply", "looks_absent") and parsed(mail).reports == ()


def test_a_challenge_is_no_bounce() -> None:
    mail = raw(
        "Please confirm that you sent this message by answering to this mail.\n",
        subject="Please confirm your message",
        sender=TO,
        more=f"In-Reply-To: {OURS}\nAuto-Submitted: auto-replied\n",
    )
    assert parsed(mail).rule == "auto_reply" and parsed(mail).reports == ()


def test_a_person_who_writes_about_a_bounce_is_a_person() -> None:
    mail = raw(
        "보내주신 메일이 반송되었다고 들었습니다. 배송지를 바꿔 주세요.\n",
        subject="문의",
        sender=TO,
    )
    assert parsed(mail.replace(b"Return-Path: <>\n", b"")).reports == ()


# Hostile input

PIECES = (
    b"Message-ID: <",
    b"@",
    b">",
    b"\n\n",
    b"--b1\n",
    b"Content-Type: message/delivery-status\n",
    b"Status: 5.1.1\n",
    b"Final-Recipient: rfc822;",
    b"<a@b.example>:\n",
    b"550 5.1.1 ",
    b"\xff\xfe",
    "반송 ".encode(),
    b"Action: ",
    b":" * 50,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=40), max_size=40))
def test_no_bytes_raise(pieces: list[bytes]) -> None:
    for mail in (
        b"".join(pieces),
        dsn(OURS, TO) + b"".join(pieces),
        exim(OURS, TO)[:400] + b"".join(pieces),
    ):
        root = read(mail)
        for report in read_reports(root, read_body(root).text, ("privacy@moment-pick.test",)):
            assert report.verdict.cause in {*CAUSES, ""} and len(report.words) <= 200


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.text(max_size=300))
def test_every_answer_is_judged(status: str, words: str) -> None:
    verdict = judge("failed", status, words)
    assert verdict.cause in CAUSES and (verdict.permanent or not verdict.dead)


@pytest.mark.parametrize(
    "flood",
    [
        "user " * 60_000,
        "a@" * 120_000,
        "<a@b.example>:\n" * 20_000,
        "Message-ID: <" * 20_000,
        "550 " * 60_000,
        "5.1.1 " * 40_000,
        "mailbox " * 40_000,
        "수신자 " * 40_000,
        "To: " * 60_000,
        " " * 240_000,
        "-" * 240_000,
        "recipient " * 30_000,
        ("x" * 63 + ".") * 4000,
        "a" * 240_000,
        "delivery to " * 20_000,
        "quota exceeded over " * 12_000,
    ],
    ids=lambda flood: flood[:12],
)
def test_time_is_linear(flood: str) -> None:
    def read(text: str) -> None:
        parsed(raw(text, subject="failure notice"))
        parsed(dsn(OURS, TO, words=text.replace("\n", " "), told=text))

    quarter = spent(lambda: read(flood[: len(flood) // 4]), 3.0)
    limit = min(3.0, 12 * quarter + 0.3)
    assert spent(lambda: read(flood), limit) < limit


def test_our_letters_header_is_found_in_any_part() -> None:
    body = (
        "--b1\nContent-Type: text/plain\n\nCould not be delivered.\n\n--b1\n"
        f'Content-Type: text/plain; name="h.txt"\n\n{head_of(OURS, TO)}\n--b1--\n'
    )
    mail = raw(body, subject="Undeliverable mail", kind="multipart/mixed; boundary=b1")
    assert only(mail).original_message_id == OURS
    assert only(gmail(OURS, TO)).original_message_id == OURS


@pytest.mark.parametrize(
    ("name", "kind", "recipient"),
    [
        ("rule-bounce-post-master", "delivery", "01000000000@texts.test"),
        ("rule-bounce-no-reply-copy", "delivery", "gildong@member.test"),
        ("rule-bounce-delivery-system", "delivery", "gildong@member.test"),
        ("rule-bounce-bare-robot", "delivery", "gildong@member.test"),
        ("rule-complaint-hotmail", "complaint", "gildong@member.test"),
    ],
)
def test_machines_under_other_names(name: str, kind: str, recipient: str) -> None:
    report = only((Path(__file__).parents[2] / "mails" / f"{name}.eml").read_bytes())
    assert (report.kind, report.recipient) == (kind, recipient)
    named = "<0123456789abcdef0123456789abcdef.desk@desk.test>" in report.message_ids
    assert named == (name != "rule-bounce-bare-robot")
