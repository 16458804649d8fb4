"""DKIM signatures on our own letters (RFC 6376, RFC 8463), over `cryptography`.

A letter is signed as it leaves: after its slots are filled and its parts are encoded, all in seven
bits and with CRLF, so that no server on the way has a reason to rewrite it.
"""

import base64
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from subjectline.models.dkim import Letter, PublicKey, read_letter, relaxed_body, signed_bytes
from subjectline.models.errors import BadInput, SettingsError
from subjectline.models.mail_settings import DkimSettings

KeyType = Literal["rsa", "ed25519"]
PrivateKey = RSAPrivateKey | Ed25519PrivateKey

RSA_BITS = 2048
MIN_RSA_BITS = 2048  # of our own keys; what others sign with may be shorter

# Each is named once more than it stands in the letter, so that nobody can add another one.
OVERSIGNED = (
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "reply-to",
    "sender",
    "in-reply-to",
    "references",
    "auto-submitted",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
)
SIGNED = ("content-language",)  # where they stand, and no more

_HEADERS = {name.encode() for name in (*OVERSIGNED, *SIGNED)}
_FOLD = 72
_TXT = 255  # bytes in one string of a TXT record


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A private key with the place of its public half in the DNS."""

    domain: str
    selector: str
    key: PrivateKey

    @property
    def algorithm(self) -> str:
        """The `a=` of its signatures."""
        return "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"

    @property
    def record_name(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"

    def sign(self, digest: bytes) -> bytes:
        """The signature of a SHA-256 digest."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(digest, PKCS1v15(), Prehashed(SHA256()))
        return self.key.sign(digest)


def load_key(settings: DkimSettings) -> DkimKey:
    """The key that the settings name. Raises SettingsError where it cannot be read or is too short."""
    where, remedy = "smtp.dkim.key_file", "Make one with: subjectline mail dkim-key"
    try:
        key = load_pem_private_key(settings.key_file.read_bytes(), password=None)
    except OSError as wrong:
        raise SettingsError(
            f"{settings.key_file} cannot be read: {wrong.strerror}", field=where, remedy=remedy
        ) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(
            f"{settings.key_file} holds no private key in PEM without a password",
            field=where,
            remedy=remedy,
        ) from None
    if isinstance(key, RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
        raise SettingsError(
            f"{settings.key_file} has {key.key_size} bits, less than {MIN_RSA_BITS}",
            field=where,
            remedy=remedy,
        )
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise SettingsError(
            f"{settings.key_file} is neither an RSA nor an Ed25519 key", field=where, remedy=remedy
        )
    return DkimKey(settings.domain, settings.selector, key)


class DkimSigner:
    """Signs letters with every key that it was given: RSA and Ed25519 where there are both."""

    def __init__(self, keys: Iterable[DkimKey]) -> None:
        # Each signature goes on top; verifiers that know one only look at the top-most and at RSA.
        self._keys = sorted(keys, key=lambda one: isinstance(one.key, RSAPrivateKey))

    @classmethod
    def from_settings(cls, settings: Sequence[DkimSettings]) -> "DkimSigner":
        """Raises SettingsError for a key that cannot be used."""
        return cls([load_key(one) for one in settings])

    def __call__(self, raw: bytes, signed_at: datetime) -> bytes:
        """`raw` in its final form, with a signature on top for each key; `signed_at` is aware.

        The same letter and time give the same bytes. Raises BadInput for what is no mail, has no
        From or two, or holds an octet of more than seven bits or a bare line end.
        """
        if not self._keys:
            return raw
        letter = _final(raw)
        body = base64.b64encode(hashlib.sha256(relaxed_body(letter.body)).digest()).decode()
        names = _names(letter)
        time = int(signed_at.timestamp())
        signatures = [_signature(key, letter, names, body, time) for key in reversed(self._keys)]
        return b"".join([*signatures, raw])


def _final(raw: bytes) -> Letter:
    if not raw.isascii() or raw.count(b"\n") != raw.count(b"\r\n") or raw.count(b"\r\n") == 0:
        raise BadInput("a letter is signed in seven bits with CRLF line ends", field="dkim")
    if raw.count(b"\r") != raw.count(b"\n"):
        raise BadInput("a letter with a bare CR cannot be signed", field="dkim")
    letter = read_letter(raw)
    if sum(name == b"from" for name, _ in letter.fields) != 1:
        raise BadInput("a letter has one From", field="dkim")
    return letter


def _names(letter: Letter) -> list[bytes]:
    """The names of `h=`: what stands in the letter, then each of OVERSIGNED once more."""
    standing = [name for name, _ in letter.fields if name in _HEADERS]
    return standing + [name.encode() for name in OVERSIGNED]


def _signature(key: DkimKey, letter: Letter, names: list[bytes], body: str, time: int) -> bytes:
    """The DKIM-Signature field with its CRLF."""
    field = (
        f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;\r\n"
        f" d={key.domain}; s={key.selector}; t={time};\r\n"
        f" h={_folded([name.decode() for name in names])};\r\n"
        f" bh={body};\r\n"
        f" b="
    ).encode("ascii")
    digest = hashlib.sha256(signed_bytes(letter.fields, names, field, relaxed=True)).digest()
    value = base64.b64encode(key.sign(digest))
    lines = [value[at : at + _FOLD] for at in range(0, len(value), _FOLD)]
    return field + b"\r\n ".join(lines) + b"\r\n"


def _folded(names: list[str]) -> str:
    lines, line = [], ""
    for name in names:
        if len(line) + len(name) > _FOLD:
            lines.append(line)
            line = ""
        line += f"{name}:"
    return "\r\n ".join([*lines, line]).removesuffix(":")


def make_key(kind: KeyType) -> PrivateKey:
    """A new key: RSA of 2048 bits, or Ed25519."""
    if kind == "ed25519":
        return Ed25519PrivateKey.generate()
    return generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def write_key(key: PrivateKey, path: Path) -> None:
    """Writes PKCS #8 PEM that only its owner can read (0600). Raises SettingsError; never overwrites."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as wrong:
        raise SettingsError(
            f"{path} cannot be written: {wrong.strerror}",
            field="dkim",
            remedy="Choose another file with --out.",
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(pem)


def public_bytes(key: PublicKey) -> bytes:
    """The public half as it stands in `p=`, before base64."""
    if isinstance(key, Ed25519PublicKey):
        return key.public_bytes_raw()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def record_text(key: PrivateKey) -> str:
    """The TXT record of `key`, in one piece (RFC 6376, 3.6.1)."""
    kind = "rsa" if isinstance(key, RSAPrivateKey) else "ed25519"
    return f"v=DKIM1; k={kind}; p={base64.b64encode(public_bytes(key.public_key())).decode()}"


def record_line(key: DkimKey) -> str:
    """The record as a line of a zone file: strings of 255 bytes at most (RFC 1035, 3.3)."""
    text = record_text(key.key)
    strings = " ".join(f'"{text[at : at + _TXT]}"' for at in range(0, len(text), _TXT))
    return f"{key.record_name}. IN TXT ( {strings} )"
