"""Charsets by name and by letters; files without MIME; kinds by content; what `explain` tells."""

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subjectline.intake.mail import MailPolicy, explain
from subjectline.intake.mailauth.evidence import OwnCheck, Result, Signature
from subjectline.intake.mailparse.charsets import decode, reading
from subjectline.intake.mailparse.codecs import codec_of
from subjectline.intake.mailparse.kinds import kind_of
from subjectline.intake.mailparse.unpack import inline_files, signed_content, tnef

SENTENCES = {
    "cp949": "안녕하세요. 회원 홍길동입니다. 제 주소를 정정해 주세요.",
    "gb18030": "您好，请更正我的地址和电话号码。谢谢",
    "cp950": "您好，請更正我的地址和電話號碼。謝謝",
    "cp932": "こんにちは。私の住所を訂正してください。",
    "euc_jp": "こんにちは。私の住所を訂正してください。",
    "iso2022_jp": "こんにちは。私の住所を訂正してください。",
    "cp1251": "Здравствуйте, пожалуйста исправьте мой адрес и телефон.",
    "koi8-r": "Здравствуйте, пожалуйста исправьте мой адрес и телефон.",
    "cp866": "Здравствуйте, пожалуйста исправьте мой адрес и телефон.",
    "cp1253": "Καλημέρα, παρακαλώ διορθώστε τη διεύθυνσή μου.",
    "cp1255": "שלום, אנא תקנו את הכתובת שלי",
    "cp1256": "مرحبا، يرجى تصحيح عنواني",
    "cp874": "สวัสดีครับ กรุณาแก้ไขที่อยู่ของฉัน",
    "cp1254": "Lütfen adresimi düzeltiniz, teşekkürler. Sayın yetkili, işlem için",
    "cp1252": "La città è sbagliata; veuillez corriger, s’il vous plaît. Schöne Grüße",
}


@pytest.mark.parametrize("codec", SENTENCES)
@pytest.mark.parametrize("declared", ["", "x-nobody-knows", "us-ascii", "iso-8859-1", "utf-8"])
def test_a_sentence_is_read_whatever_the_name_says(codec: str, declared: str) -> None:
    text = SENTENCES[codec]
    assert decode(text.encode(codec), declared) == text


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("KS_C_5601-1987", "cp949"),
        ("ks-c56011987", "cp949"),
        ("x-windows-949", "cp949"),
        ("Windows-1251", "cp1251"),
        ("win1251", "cp1251"),
        ("x-cp1250", "cp1250"),
        ("cp-850", "cp850"),
        ("ISO8859_1", "cp1252"),
        ("unicode-1-1-utf-7", "utf-7"),
        ("charset=utf-8", "utf-8"),
        ("idna", ""),
        ("punycode", ""),
        ("cp037", ""),
        ("nobody-knows", ""),
        ("", ""),
    ],
)
def test_names_of_charsets(name: str, codec: str) -> None:
    assert codec_of(name) == codec


@given(st.text(max_size=200))
def test_every_name_has_a_codec_that_python_knows_or_none(name: str) -> None:
    assert b"abc".decode(codec_of(name) or "ascii", "replace") is not None


def test_a_reading_tells_what_was_wrong() -> None:
    korean = "주소를 정정해 주세요".encode("cp949")
    assert reading(korean, "euc-kr").note == ""
    assert reading(korean, "us-ascii").note == "not in the declared charset"
    assert reading(korean, "nobody-knows").note == "unknown charset"
    assert reading(korean).note == "no charset declared"
    broken = "주소를 \ud800 정정해 주세요, 부탁드립니다".encode("utf-8", "surrogatepass")
    for name in ("utf-8", ""):  # three bytes that are no letter do not make the rest Russian
        assert (reading(broken, name).codec, reading(broken, name).lost) == ("utf-8", 3)


@given(st.binary(max_size=600))
def test_no_bytes_break_what_unpacks(data: bytes) -> None:
    left, files = inline_files(b"begin 644 x\n" + data + b"=ybegin line=1 name=y\n" + data)
    assert len(left) + sum(len(one.content) for one in files) <= 4 * len(data) + 100
    tnef(b"\x78\x9f\x3e\x22\x01\x00" + data)
    signed = bytes.fromhex("06092a864886f70d010702") + bytes.fromhex("06092a864886f70d010701")
    assert len(signed_content(signed + data)) <= len(data)
    assert kind_of(data, "a/b")


@given(st.binary(min_size=1, max_size=300))
def test_a_uuencoded_file_comes_out_as_it_went_in(data: bytes) -> None:
    lines = b"".join(binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45))
    text = b"before\nbegin 644 proof.bin\n" + lines + b"`\nend\nafter\n"
    left, files = inline_files(text)
    assert left == b"before\nafter\n"
    assert [(one.name, one.content) for one in files] == [(b"proof.bin", data)]


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"MZ\x90\x00", "application/vnd.microsoft.portable-executable"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"PK\x03\x04" + b"\x00" * 26 + b"word/document.xml", "application/vnd.openxmlformats-"
         "officedocument.wordprocessingml.document"),
        (b"PK\x03\x04" + b"\x00" * 26 + b"a.txt", "application/zip"),
        (b"\xd0\xcf\x11\xe0" + "HwpSummaryInformation".encode("utf-16-le"), "application/x-hwp"),
        (b"  <!DOCTYPE html><p>", "text/html"),
        (b'<?xml version="1.0"?><svg>', "image/svg+xml"),
        (b"plain words", "image/png"),
    ],
)  # fmt: skip
def test_kinds_by_content(start: bytes, kind: str) -> None:
    assert kind_of(start, "image/png") == kind


KEYS = {
    "sender", "sender_name", "subject", "text", "rest", "rule", "outcome", "reason", "tier", "evidence",
    "signatures", "attachments", "troubles", "parts", "language", "resident_number_found", "reply_token",
}  # fmt: skip


def test_explain_has_the_keys_that_its_document_names(policy: MailPolicy) -> None:
    raw = (
        b"From: a@member.test\nSubject: x\nContent-Type: multipart/mixed; boundary=gone\n\n--b\n"
        b"Content-Type: text/plain; charset=nobody-knows\n\n\xc1\xd6\xbc\xd2\xb8\xa6 910203-1234567\n"
        b"--b\nContent-Type: image/png; name=910203-1234567.png\n\n%PDF-1.4\n--b--\n"
    )
    told = explain(raw, policy)
    assert set(told) >= KEYS
    assert told["troubles"] == [
        "boundary missing or wrong",
        "unknown charset (nobody-knows), read as cp949",
    ]
    assert told["parts"] == ["multipart/mixed", "text/plain", "image/png"]
    assert told["attachments"] == [
        {
            "name": "●●●●●●-●●●●●●●.png",
            "type": "application/pdf",
            "declared": "image/png",
            "size": 8,
            "apart": [],
        }
    ]
    assert "910203" not in str(told)
    assert told["resident_number_found"] is True


NUMBER = b"910203-1234567"
HEAD = b"From: a@member.test\nSubject: x\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"From: " + NUMBER + b"@member.test\nSubject: x\n\nwords\n",
        b"From: kim." + NUMBER + b"@member.test\nSubject: x\n\nwords\n",
        HEAD + b"Content-Type: text/plain; charset=" + NUMBER + b"\n\n\xc1\xd6\xbc\xd2\n",
        HEAD + b"Content-Type: application/x-" + NUMBER + b"; name=a.txt\n\nwords\n",
        HEAD + b"Authentication-Results: mx.desk.test; dkim=pass\n"
        b"Content-Type: multipart/x-" + NUMBER + b"; boundary=b\n\n--b\n\nwords\n--b--\n",
    ],
    ids=["sender", "sender with a name", "charset", "type of a file", "type of the whole"],
)
def test_explain_masks_every_value(policy: MailPolicy, raw: bytes) -> None:
    told = explain(raw, policy)
    assert NUMBER.decode() not in str(told)
    assert told["resident_number_found"] is True


def test_explain_masks_what_our_own_look_found(policy: MailPolicy) -> None:
    look = OwnCheck(
        signatures=(Signature("member.test", NUMBER.decode(), "rsa-sha256", Result.FAIL, "x"),)
    )
    told = explain(HEAD + b"\nwords\n", policy, look)
    assert told["signatures"] and NUMBER.decode() not in str(told)


@pytest.mark.parametrize("word", ["auto_reply", "Auto-Reply", "autoreply", " AUTO_REPLY (x)"])
def test_precedence_tells_a_robots_answer(policy: MailPolicy, word: str) -> None:
    told = explain(HEAD + f"Precedence: {word}\n\nwords\n".encode(), policy)
    assert (told["rule"], told["reason"]) == ("auto_reply", "Precedence: auto_reply")


@pytest.mark.parametrize(
    "line",
    [
        "삼성 휴대전화에서 전송했습니다.",
        "나의 Samsung Galaxy 스마트폰에서 전송했습니다.",
        "나의 갤럭시 S23에서 발송하였습니다",
        "내 휴대전화에서 보냄",
        "모바일에서 작성된 메일입니다.",
    ],
)
def test_korean_signatures_of_phones_are_cut(policy: MailPolicy, line: str) -> None:
    told = explain(HEAD + f"\n주소를 정정해 주세요.\n\n{line}\n".encode(), policy)
    assert (told["text"], told["rest"]) == ("주소를 정정해 주세요.", line)


@pytest.mark.parametrize(
    "line", ["철회서를 제 휴대전화에서 전송했습니다.", "제 휴대전화 번호를 정정해 주세요."]
)
def test_a_sentence_about_a_phone_stays(policy: MailPolicy, line: str) -> None:
    assert explain(HEAD + f"\n확인해 주세요.\n\n{line}\n".encode(), policy)["rest"] == ""
