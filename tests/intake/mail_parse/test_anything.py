"""No bytes whatsoever raise, hang or disappear."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spent import spent

from subjectline.intake import mail
from subjectline.intake.mailparse.html import html_to_text
from subjectline.intake.mailparse.quotes import split
from subjectline.models.errors import UnreadableMail
from subjectline.models.incoming import Incoming, Outcome
from subjectline.models.masking import has_resident_number

POLICY = mail.MailPolicy(("mx.desk.test",), ("privacy@desk.test",), 1_000_000)
ARRIVED = datetime(2026, 5, 12, tzinfo=UTC)
HEAD = b"From: a@member.test\nTo: privacy@desk.test\nSubject: x\n"
LENGTH = 1_000_000

SCRAPS = [
    b"From: ",
    b"a@b.test",
    b"\n",
    b"\r\n",
    b"\r",
    b"\n\n",
    b"Content-Type: ",
    b"; charset=iso-2022-kr",
    b"multipart/mixed; boundary=x",
    b"multipart/report; report-type=delivery-status; boundary=y",
    b"message/rfc822\n\n",
    b"text/html; charset=utf-7",
    b"text/plain; charset=utf-16",
    b"text/calendar",
    b"; format=flowed",
    b"\n--x\n",
    b"\n--x--\n",
    b"\n--y\n",
    b"=?utf-8?B?",
    b"=?euc-kr?Q?=B0=A1?=",
    b"?=",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Transfer-Encoding: x-uuencode\n",
    b"7ZWc6",
    b"\x0e",
    b"Content-Transfer-Encoding: quoted-printable\n",
    b"<div",
    b">",
    b"<",
    b"<blockquote>",
    b"<!--",
    b"&#55555;",
    "가나다".encode(),
    "가나다".encode("cp949"),
    b"\x1b$)C",
    b" 910203-1234567 ",
    b"On 2026, a wrote:\n",
    b"> q\n",
    b"-----Original Message-----\n",
    b"\x00",
    b"\xff\xfe",
    b"Content-Disposition: attachment; filename*0*=utf-8''%EA",
    b"Authentication-Results: mx.desk.test; dmarc=pass header.from=b.test\n",
    b'"',
    b"+2AA-",
    b"-- \n",
    b"Content-Type: application/ms-tnef\n\n\x78\x9f\x3e\x22\x01\x00\x02\x0f\x80\x06\x00\x03\x00\x00\x00",
    b"Content-Type: application/pkcs7-mime\n\n\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80\x24\x80\x04\x03",
    b"begin 644 a\n#86)C\n",
    b"=ybegin line=1 name=a\n",
    b"\x1b$B",
    b"; charset=iso-2022-jp",
    "доброе утро".encode("koi8-r"),
    b"Am 1.1.2026 10:10 schrieb a@b.test:\n",
    b"-----BEGIN PGP SIGNED MESSAGE-----\n",
]


def _read(raw: bytes) -> Incoming | None:
    """What was read; the last net must have caught nothing, so that it cannot hide a fault."""
    try:
        read = mail.parse_mail(raw, source_key="key", arrived_at=ARRIVED, policy=POLICY)
    except UnreadableMail:
        return None
    assert read.rule != "unparsed", read.reason
    return read


def _check(raw: bytes) -> None:
    read = _read(raw)
    if read is None:
        return
    words = [read.text, read.rest, read.subject, read.sender_name]
    words += [one.name for one in read.attachments]
    for text in words:
        text.encode("utf-8")  # no lone surrogates
        assert "\x00" not in text
        assert not has_resident_number(text)


@given(st.binary(max_size=2000))
def test_any_bytes(raw: bytes) -> None:
    _check(raw)


@given(st.binary(max_size=1000))
def test_any_body(raw: bytes) -> None:
    assert _read(HEAD + b"\n" + raw) is not None
    _check(HEAD + b"\n" + raw)


@settings(max_examples=400)
@given(st.lists(st.sampled_from(SCRAPS), max_size=40).map(b"".join))
def test_scraps_of_mail(raw: bytes) -> None:
    _check(raw)


@given(st.text(alphabet="<>/abdiv p\"'=!-&;#x", max_size=300))
def test_any_html(text: str) -> None:
    html_to_text(text)


@given(
    st.lists(
        st.sampled_from(["> a", "b", "", "-- ", "On 2026 9:00 a@b wrote:", "From: x", "To: y"])
    )
)
def test_quotes_keep_every_word(lines: list[str]) -> None:
    text = "\n".join(lines)
    cut = split(text)
    assert sorted(f"{cut.new} {cut.rest}".split()) == sorted(text.split())


HOSTILE = {
    "on": HEAD + b"\nOn " + b"a " * (LENGTH // 2),
    "wrote": HEAD + b"\n" + b"On x wrote:\n" * (LENGTH // 12),
    "signatures": HEAD + b"\n" + b"a\n--\n" * (LENGTH // 5),
    "less-than": HEAD + b"Content-Type: text/html\n\n" + b"<" * LENGTH,
    "open tags": HEAD + b"Content-Type: text/html\n\n" + b'<a x="' * (LENGTH // 6),
    "comments": HEAD + b"Content-Type: text/html\n\n" + b"<!--" * (LENGTH // 4),
    "nested": HEAD
    + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(9000)
    ),
    "nested mails": HEAD + b"Content-Type: message/rfc822\n\n" * (LENGTH // 30),
    "parts": HEAD
    + b"Content-Type: multipart/mixed; boundary=x\n\n"
    + b"--x\n\na\n" * (LENGTH // 7),
    "headers": HEAD + b"bad\nX-a: b\n" * (LENGTH // 11),
    "folds": HEAD + b" a\n" * (LENGTH // 3),
    "words": b"Subject: " + b"=?a?b?" * (LENGTH // 6) + b"\n\nx",
    "brackets": b"From: " + b"(" * LENGTH + b"\n\nx",
    "results": HEAD + b"Authentication-Results: mx.desk.test; " + b"(" * LENGTH + b"\n\nx",
    "parameters": HEAD + b"Content-Type: text/plain" + b';a="' * (LENGTH // 4) + b"\n\nx",
    "flowed": HEAD + b"Content-Type: text/plain; format=flowed\n\n" + b"a \n" * (LENGTH // 3),
    "numbers": HEAD + b"\n" + b"910203-" * (LENGTH // 7),
    "uuencoded": HEAD + b"\n" + b"begin 644 a\nM" * (LENGTH // 14),
    "yenc": HEAD + b"\nbegin \n" + b"=ybegin line=1 size=1 name=a\n" * (LENGTH // 29),
    "winmail": HEAD
    + b"Content-Type: application/ms-tnef\n\n\x78\x9f\x3e\x22\x01\x00"
    + b"\x02\x0f\x80\x06\x00\x00\x00\x00\x00\x00\x00" * (LENGTH // 11),
    "signed": HEAD
    + b"Content-Type: application/pkcs7-mime\n\n"
    + bytes.fromhex("06092a864886f70d01070206092a864886f70d010701a0802480")
    + b"\x04\x00" * (LENGTH // 2),
    "unknown letters": HEAD
    + b"Content-Type: multipart/mixed; boundary=x\n\n"
    + (b"--x\n\n" + bytes(range(128, 256)) * 15 + b"\n") * (LENGTH // 2000),
    "schrieb": HEAD + b"\n" + b"Am 1. schrieb a@b 2020 10:10:\n" * (LENGTH // 30),
    "von": HEAD + b"\n" + b"von: x\n" * (LENGTH // 7),
    "escapes": HEAD + b"\n" + b"\x1b$B" * (LENGTH // 3),
    "base64": HEAD + b"Content-Transfer-Encoding: base64\n\n" + b"=a" * (LENGTH // 2),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_mail_of_a_megabyte(raw: bytes) -> None:
    assert spent(lambda: _read(raw), 3) < 3  # 0.5 s is the usual worst


def test_a_fault_of_ours_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(mail, "_parse", broken)
    raw = HEAD + "\n주소를 바꿔 주세요. 910203-1234567".encode()
    read = mail.parse_mail(raw, source_key="key", arrived_at=ARRIVED, policy=POLICY)
    assert (read.rule, read.outcome) == ("unparsed", Outcome.HOLD)
    assert "주소를 바꿔 주세요. ●●●●●●-●●●●●●●" in read.text


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"\x00\x00\x00", b" \r\n\t"])
def test_nothing_to_read(raw: bytes) -> None:
    with pytest.raises(UnreadableMail):
        mail.parse_mail(raw, source_key="key", arrived_at=ARRIVED, policy=POLICY)
    assert mail.explain(raw, POLICY)["outcome"] == "dead"


def test_too_large_a_mail_is_held_with_its_beginning() -> None:
    raw = HEAD + "\n주소를 바꿔 주세요.\n".encode() + b"x" * 2_000_000
    read = _read(raw)
    assert read is not None
    assert (read.rule, read.outcome) == ("oversized", Outcome.HOLD)
    assert "주소를 바꿔 주세요." in read.text


def test_the_same_words_make_the_same_hash() -> None:
    one = _read(HEAD + b"\nplease  correct\nmy data\n")
    other = _read(HEAD.replace(b"x", b"y") + b"X-Hop: 2\n\nplease correct my\r\n data")
    assert one is not None and other is not None and one.body_hash == other.body_hash
