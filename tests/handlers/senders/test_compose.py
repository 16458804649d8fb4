"""A letter's bytes: read back by another hand, and not to be broken out of."""

from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subjectline.handlers.senders.compose import build_mail, safe_address
from subjectline.models.errors import BadInput, PermanentSendError

SEOUL = timezone(timedelta(hours=9))
LETTER: dict[str, Any] = {
    "from_address": "privacy@desk.test",
    "from_name": "모먼트픽 개인정보보호팀",
    "to": "member@member.test",
    "subject": "개인정보 정정 요구를 접수했습니다 (SL-0000000X)",
    "text": "안녕하세요.\n\n.점으로 시작하는 줄\n",
    "html": "<p>안녕하세요.</p>",
    "message_id": "<0001@desk.test>",
    "sent_at": datetime(2026, 3, 2, 18, 30, tzinfo=SEOUL),
    "in_reply_to": "<question@member.test>",
    "references": ["<first@member.test>", "<question@member.test>"],
    "reply_to": "privacy+token@desk.test",
    "language": "ko",
}


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def header_names(raw: bytes) -> list[bytes]:
    lines = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return [line.partition(b":")[0] for line in lines if line[:1] not in b" \t"]


def test_a_letter_is_read_as_it_was_written() -> None:
    message = parsed(build_mail(**LETTER))
    assert message["From"].addresses[0].display_name == LETTER["from_name"]
    assert message["From"].addresses[0].addr_spec == "privacy@desk.test"
    assert message["To"] == "member@member.test"
    assert message["Subject"] == LETTER["subject"]
    assert message["Date"].datetime == LETTER["sent_at"]
    assert message["Message-ID"] == "<0001@desk.test>"
    assert message["In-Reply-To"] == "<question@member.test>"
    assert message["References"].split() == ["<first@member.test>", "<question@member.test>"]
    assert message["Reply-To"] == "privacy+token@desk.test"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["Content-Language"] == "ko"
    assert message["List-Unsubscribe"] is None
    assert message.get_content_type() == "multipart/alternative"
    parts = [part.get_content_type() for part in message.iter_parts()]
    assert parts == ["text/plain", "text/html"]
    assert body(message, "plain") == LETTER["text"]
    assert body(message, "html") == LETTER["html"] + "\n"


def test_the_same_letter_gives_the_same_bytes() -> None:
    assert build_mail(**LETTER) == build_mail(**LETTER)


def test_an_english_letter_can_be_read_without_decoding() -> None:
    raw = build_mail(**{**LETTER, "text": "Your request is here.\n", "subject": "Your request"})
    assert b"\r\nSubject: Your request\r\n" in raw
    assert b"\r\nYour request is here.\r\n" in raw


@pytest.mark.parametrize("field", ["subject", "from_name"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x00", "\x85", "\x0b"])
@pytest.mark.parametrize("before", ["Hello", "안녕"])
def test_no_header_can_be_smuggled_in(field: str, end: str, before: str) -> None:
    words = f"{before}{end}Bcc: other@member.test{end}{end}body"
    message = parsed(build_mail(**{**LETTER, field: words}))
    assert message["Bcc"] is None
    assert body(message, "plain") == LETTER["text"]


@pytest.mark.parametrize("field", ["to", "reply_to", "from_address"])
@pytest.mark.parametrize(
    "address",
    [
        "member@member.test\r\nBcc: other@member.test",
        "member@member.test, other@member.test",
        "<member@member.test>",
        "member",
        "@member.test",
        "member@",
        "member@member..test",
        "mem ber@member.test",
        "member@[127.0.0.1]",
        "member@" + "가" * 300 + ".test",
    ],
)
def test_what_is_no_address_is_refused(field: str, address: str) -> None:
    with pytest.raises(PermanentSendError) as caught:
        build_mail(**{**LETTER, field: address})
    assert "member" not in str(caught.value)


def test_our_own_addresses_are_ascii_and_a_members_need_not_be() -> None:
    raw = build_mail(**{**LETTER, "to": "회원@member.test"})
    assert "To: 회원@member.test\r\n".encode() in raw
    for field in ("reply_to", "from_address"):
        with pytest.raises(PermanentSendError):
            build_mail(**{**LETTER, field: "회원@member.test"})


def test_an_international_domain_is_written_in_ascii() -> None:
    assert safe_address(" member@한국.test ") == "member@xn--3e0b707e.test"


@pytest.mark.parametrize(
    "bad", ["", "0001@desk.test", "<0001>", "<a@b>\r\nX: y", "<a b@c>", "<é@c>"]
)
def test_a_message_id_must_be_one(bad: str) -> None:
    with pytest.raises(BadInput):
        build_mail(**{**LETTER, "message_id": bad})


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(BadInput):
        build_mail(**{**LETTER, "sent_at": datetime(2026, 3, 2)})  # noqa: DTZ001


def test_ids_of_others_are_kept_whole_or_left_out() -> None:
    long = f"<{'x' * 300}@member.test>"
    message_ids = [long, "<bad\r\nBcc: other@member.test>", "no id", "<ok@member.test>"]
    raw = build_mail(**{**LETTER, "in_reply_to": long, "references": message_ids})
    assert b"\r\nIn-Reply-To: " + long.encode() + b"\r\n" in raw
    assert b"\r\nReferences: " + long.encode() + b"\r\n <ok@member.test>\r\n" in raw
    assert b"Bcc" not in raw


def test_a_long_thread_keeps_its_first_and_its_latest() -> None:
    ids = [f"<{number}@member.test>" for number in range(500)]
    raw = build_mail(**{**LETTER, "references": ids, "in_reply_to": ids[-1]})
    assert parsed(raw)["References"].split() == [ids[0], *ids[-19:]]


@given(subject=st.text(max_size=300), text=st.text(max_size=2000), name=st.text(max_size=80))
def test_whatever_is_written_the_mail_keeps_its_form(subject: str, text: str, name: str) -> None:
    raw = build_mail(**{**LETTER, "subject": subject, "text": text, "from_name": name})
    assert raw.isascii()
    assert raw.replace(b"\r\n", b"").count(b"\n") == raw.replace(b"\r\n", b"").count(b"\r") == 0
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert header_names(raw) == header_names(build_mail(**LETTER))
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    assert body(message, "plain") == lines.encode("utf-8", "replace").decode()


def test_robots_are_told(utc: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
    raw = build_mail(**{**LETTER, "auto_submitted": "auto-generated", "sent_at": utc})
    assert parsed(raw)["Auto-Submitted"] == "auto-generated"
