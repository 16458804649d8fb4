"""Mails to sign and to verify, keys made once, and dkimpy as the other hand."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from subjectline.handlers.senders.dkim import DkimKey, DkimSigner, PrivateKey, record_text
from subjectline.intake.mailauth.dns import KnownRecords
from subjectline.models.dkim import read_letter as read_letter
from subjectline.models.dkim import relaxed_body, signed_bytes, simple_body

ARRIVED = datetime(2026, 5, 12, 6, 4, 5, tzinfo=UTC)
DOMAIN = "member.test"
PLAIN = (
    b"From: Hong Gildong <gildong@member.test>\r\n"
    b"To: privacy@desk.test\r\n"
    b"Subject: =?utf-8?b?6rCc7J247KCV67O0IOygleyglSDsmpTssq0=?=\r\n"
    b"Date: Tue, 12 May 2026 15:04:00 +0900\r\n"
    b"Message-ID: <m1@member.test>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
    b"\r\n" + "안녕하세요.  회원 홍길동입니다.\r\n\r\n주소를 고쳐 주세요. \r\n\r\n\r\n".encode()
)


@cache
def rsa_key(bits: int = 2048) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ed25519_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def key_of(kind: str) -> PrivateKey:
    return ed25519_key() if kind == "ed25519" else rsa_key()


def pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signer(*kinds: str, domain: str = DOMAIN) -> DkimSigner:
    """A selector is named as its kind."""
    return DkimSigner([DkimKey(domain, kind, key_of(kind)) for kind in kinds])


def records(more: Mapping[str, tuple[str, ...] | None] | None = None, domain: str = DOMAIN) -> Any:
    """The keys of `signer`, and `more`; everything else is not there."""
    keys: dict[str, tuple[str, ...] | None] = {
        f"{kind}._domainkey.{domain}": (record_text(key_of(kind)),) for kind in ("rsa", "ed25519")
    }
    return KnownRecords({**keys, **(more or {})})


def signed_by_hand(
    raw: bytes,
    *,
    kind: str = "ed25519",
    canon: str = "relaxed/relaxed",
    names: str = "from:to:subject:date:message-id",
    key: PrivateKey | None = None,
    **tags: str | None,
) -> bytes:
    """`raw` under a signature with these tags, right or wrong; None leaves one out."""
    letter = read_letter(raw)
    head, _, body = canon.partition("/")
    hashed = (relaxed_body if body == "relaxed" else simple_body)(letter.body)
    all_tags: dict[str, str | None] = {
        "v": "1",
        "a": f"{kind}-sha256",
        "c": canon,
        "d": DOMAIN,
        "s": kind,
        "h": names,
        "bh": base64.b64encode(hashlib.sha256(hashed).digest()).decode(),
        **tags,
    }
    told = "; ".join(f"{tag}={value}" for tag, value in all_tags.items() if value is not None)
    field = f"DKIM-Signature: {told}; b=".encode()
    chosen = [name.strip().encode().lower() for name in names.split(":")]
    data = signed_bytes(letter.fields, chosen, field, relaxed=head == "relaxed")
    maker = DkimKey(DOMAIN, kind, key or key_of(kind))
    value = base64.b64encode(maker.sign(hashlib.sha256(data).digest()))
    return field + value + b"\r\n" + raw


def holds_for_dkimpy(raw: bytes, index: int = 0, domain: str = DOMAIN) -> bool:
    """What dkimpy says of one signature of `signer`."""
    known = {
        f"{kind}._domainkey.{domain}.".encode(): record_text(key_of(kind)).encode()
        for kind in ("rsa", "ed25519")
    }
    return bool(
        dkim.DKIM(raw).verify(index, dnsfunc=lambda name, timeout=5: known.get(bytes(name)))
    )
