"""Our signatures: believed by dkimpy and by ourselves, and broken by any change."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from dkim_kit import ARRIVED, DOMAIN, holds_for_dkimpy, pem, records, rsa_key, signer
from hypothesis import given, settings
from hypothesis import strategies as st

from subjectline.handlers.senders.compose import build_mail
from subjectline.handlers.senders.dkim import OVERSIGNED, DkimSigner, load_key
from subjectline.intake.mailauth.check import Checker
from subjectline.models.errors import BadInput, SettingsError
from subjectline.models.mail_settings import DkimSettings

LETTER: dict[str, Any] = {
    "from_address": f"privacy@{DOMAIN}",
    "from_name": "모먼트픽 개인정보보호팀",
    "to": "someone@other.test",
    "subject": "개인정보 정정 요구를 접수했습니다 (SL-0000000X): 처리 기한과 다음 순서를 알려 드립니다",
    "text": "안녕하세요.\n\n  두 칸   들여 쓴 줄 \n.점으로 시작하는 줄\n"
    + "긴 줄" * 2000
    + "\n\n\n\n",
    "html": "<p>안녕하세요.</p>" + "x" * 5000 + "   \n\n\n",
    "message_id": "<0001@member.test>",
    "sent_at": datetime(2026, 3, 2, 18, 30, tzinfo=UTC),
    "in_reply_to": f"<{'q' * 120}@member.test>",
    "references": [f"<{number}{'r' * 60}@member.test>" for number in range(20)],
    "reply_to": f"privacy+token@{DOMAIN}",
}
BOTH = signer("ed25519", "rsa")


async def holds(raw: bytes) -> list[bool]:
    found = await Checker(records()).look(raw, ARRIVED)
    assert found is not None
    return [one.result == "pass" for one in found.signatures]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {
            "subject": "Your request",
            "text": "It is here.\n\n\n",
            "html": "<p>x</p>",
            "from_name": "",
        },
        {"text": "\n\n \n", "html": " "},
        {"text": "From here\nFrom there\n.\n..\n", "html": "\t\t\n \n"},
        {"text": "é" * 4000, "html": "a" * 20_000},
    ],
)
async def test_both_signatures_hold_for_both_verifiers(more: dict[str, Any]) -> None:
    raw = BOTH(build_mail(**{**LETTER, **more}), ARRIVED)
    assert raw.isascii()
    assert max(map(len, raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))) < 200
    assert raw.startswith(b"DKIM-Signature: v=1; a=rsa-sha256;")
    assert [holds_for_dkimpy(raw, index) for index in (0, 1)] == [True, True]
    assert await holds(raw) == [True, True]


async def test_the_bytes_that_leave_over_smtp_still_hold() -> None:
    """aiosmtplib mends line ends and stuffs dots; the server takes the dots out again."""
    raw = BOTH(build_mail(**LETTER), ARRIVED)
    wire = re.sub(rb"(?:\r\n|\n|\r(?!\n))", b"\r\n", raw)
    assert wire == raw
    assert await holds(raw.replace(b"\r\n", b"\n")) == [True, True]


def test_what_stands_in_a_letter_is_signed_and_cannot_be_added_to() -> None:
    raw = BOTH(build_mail(**LETTER), ARRIVED)
    [listed, other] = re.findall(rb" h=([^;]*);", raw)
    names = [name.strip().decode() for name in listed.split(b":")]
    assert listed == other
    for name in ("from", "reply-to", "auto-submitted", "message-id", "date", "mime-version"):
        assert names.count(name) == 2
    assert set(OVERSIGNED) <= set(names)
    assert names.count("list-unsubscribe") == 1


def test_the_same_letter_and_time_give_the_same_bytes() -> None:
    raw = build_mail(**LETTER)
    assert BOTH(raw, ARRIVED) == BOTH(raw, ARRIVED)
    assert BOTH(raw, ARRIVED).endswith(raw)
    assert DkimSigner([])(raw, ARRIVED) == raw


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"From: a@member.test\n\nx\n",
        b"From: a@member.test\r\n\r\nx\ry\r\n",
        "From: a@member.test\r\n\r\n가\r\n".encode(),
        b"To: a@member.test\r\n\r\nx\r\n",
        b"From: a@member.test\r\nFrom: b@member.test\r\n\r\nx\r\n",
        b"From: a@member.test\r\nno field\r\n\r\nx\r\n",
    ],
)
def test_what_might_be_rewritten_on_the_way_is_not_signed(raw: bytes) -> None:
    with pytest.raises(BadInput):
        BOTH(raw, ARRIVED)


SIGNED = BOTH(build_mail(**{**LETTER, "text": "짧은 글\n", "html": "<p>x</p>"}), ARRIVED)
UNSIGNED = (b"content-language", b"x-subjectline")


def _matters(raw: bytes, at: int) -> bool:
    """Whether a byte is under both signatures."""
    start = raw.index(b"From: ")
    return at >= start and not any(
        found.start() <= at < found.end()
        for found in re.finditer(rb"(?im)^(?:x-subjectline):.*\r\n", raw)
    )


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
async def test_any_change_of_a_signed_byte_breaks_both(at: int, by: int) -> None:
    if not _matters(SIGNED, at):
        return
    changed = SIGNED[:at] + bytes([SIGNED[at] ^ by]) + SIGNED[at + 1 :]
    if _means_the_same(SIGNED, changed):
        return
    found = await Checker(records()).look(changed, ARRIVED)
    assert found is None or found.proof is None


def _means_the_same(one: bytes, other: bytes) -> bool:
    """Relaxed canonicalization forgives blanks and the case of names, and nothing else."""
    return _skeleton(one) == _skeleton(other)


def _skeleton(raw: bytes) -> bytes:
    head, _, body = raw[raw.index(b"\n", raw.rindex(b" b=")) :].partition(b"\r\n\r\n")
    names = re.sub(rb"(?m)^[!-9;-~]+[ \t]*:[ \t]*", lambda found: found[0].strip().lower(), head)
    return re.sub(rb"[ \t]+", b" ", re.sub(rb"\r?\n[ \t]", b" ", names)) + re.sub(
        rb"[ \t]*\r?\n", b"\n", re.sub(rb"[ \t]+", b" ", body)
    )


@given(st.text(max_size=400), st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=60, deadline=None)
async def test_whatever_a_letter_says_it_holds(text: str, subject: str, name: str) -> None:
    letter = {**LETTER, "text": text, "html": text, "subject": subject, "from_name": name}
    raw = BOTH(build_mail(**letter), ARRIVED)
    assert await holds(raw) == [True, True]
    assert holds_for_dkimpy(raw)


def _settings(file: Path) -> DkimSettings:
    return DkimSettings(domain=DOMAIN, selector="2026a", key_file=file)


def test_a_key_is_loaded_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(rsa_key()))
    key = load_key(_settings(file))
    assert (key.record_name, key.algorithm) == (f"2026a._domainkey.{DOMAIN}", "rsa-sha256")


@pytest.mark.parametrize("content", [None, b"", b"no key", "short"])
def test_a_key_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | str | None) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(pem(rsa_key(1024)) if isinstance(content, str) else content)
    with pytest.raises(SettingsError, match=re.escape("key.pem")):
        load_key(_settings(file))
