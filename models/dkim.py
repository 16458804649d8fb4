"""DKIM as bytes (RFC 6376, RFC 8463): what signing and verifying must agree on. Pure, linear in time.

Ours and not dkimpy's: its relaxed body is a regular expression that takes the square of the time on
a long run of blanks, and its RSA signing is Python's own arithmetic.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from subjectline.models.errors import BadInput

PublicKey = RSAPublicKey | Ed25519PublicKey

MIN_RSA_BITS = 1024  # RFC 8301, 3.2
MAX_RSA_BITS = 8192  # a larger one only costs us time
DOMAIN = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{1,63}\Z"
)
SELECTOR = re.compile(
    r"(?=.{1,190}\Z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
    r"(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\Z"
)

_MAX_FIELDS = 1000
_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_BLANKS = re.compile(rb"[ \t]+")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}\Z")
_B_VALUE = re.compile(rb"((?:^|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_SPACE = re.compile(r"[ \t\r\n]+")

Field = tuple[bytes, bytes]  # the name in lower case, the whole field without its last CRLF


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail cut into its header fields and its body; line ends are CRLF."""

    fields: tuple[Field, ...]
    body: bytes


def read_letter(raw: bytes) -> Letter:
    """The fields and the body of `raw`; lone LF counts as CRLF, a leading mbox line as nothing.

    Raises BadInput where a header line is neither a field nor its continuation: what two readers
    could read in two ways is proof of nothing.
    """
    raw = raw.replace(b"\r\n", b"\n")
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    if raw.startswith(b"\n"):
        return Letter((), raw[1:].replace(b"\n", b"\r\n"))
    head, _, body = raw.partition(b"\n\n")
    if not _:
        head = head.removesuffix(b"\n")
    return Letter(tuple(_fields(head)), body.replace(b"\n", b"\r\n"))


def head_of(raw: bytes) -> bytes:
    """`raw` up to and with the empty line, without a copy of what may be a large body."""
    ends = [at for at in (raw.find(b"\n\r\n"), raw.find(b"\n\n")) if at >= 0]
    return raw[: min(ends) + 3] if ends else raw


def _fields(head: bytes) -> list[Field]:
    lines: list[list[bytes]] = []
    for line in head.split(b"\n"):
        if line[:1] in (b" ", b"\t") and lines and line.strip():
            lines[-1].append(line)
        elif _FIELD.match(line):
            lines.append([line])
        else:
            raise BadInput("the header holds a line that is no field", field="mail")
        if len(lines) > _MAX_FIELDS:
            raise BadInput("the header has too many fields", field="mail")
    return [(_name(first), b"\r\n".join([first, *rest])) for first, *rest in lines]


def _name(line: bytes) -> bytes:
    return line.partition(b":")[0].rstrip(b" \t").lower()


def value_of(field: bytes) -> bytes:
    """What stands behind the name, unfolded, without blanks at its ends."""
    return b" ".join(line.strip() for line in field.partition(b":")[2].split(b"\r\n")).strip()


def relaxed_field(field: bytes) -> bytes:
    """RFC 6376, 3.4.2, without the CRLF at its end."""
    name, _, value = field.partition(b":")
    value = _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.rstrip(b" \t").lower() + b":" + value


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376, 3.4.4. `body` has CRLF line ends."""
    body = _BLANKS.sub(b" ", body).replace(b" \r\n", b"\r\n").removesuffix(b" ")
    kept = _without_empty_lines(body)
    return kept + b"\r\n" if kept else b""


def simple_body(body: bytes) -> bytes:
    """RFC 6376, 3.4.3. `body` has CRLF line ends."""
    return _without_empty_lines(body) + b"\r\n"


def _without_empty_lines(body: bytes) -> bytes:
    end = len(body)
    while end >= 2 and body[end - 2 : end] == b"\r\n":
        end -= 2
    return body[:end]


def signed_bytes(
    fields: Sequence[Field], names: Sequence[bytes], signature: bytes, *, relaxed: bool
) -> bytes:
    """What the signature is over: the fields of `names`, the last of a name first, then its own.

    A name with no field left stands for nothing (that is what oversigning is). `signature` is the
    DKIM-Signature field; its `b=` is emptied here (RFC 6376, 3.7 and 5.4.2).
    """
    left: dict[bytes, list[bytes]] = {}
    for name, field in fields:
        left.setdefault(name, []).append(field)
    chosen = [left[name].pop() for name in names if left.get(name)]
    unsigned = _without_b(signature)
    if relaxed:
        return b"\r\n".join(relaxed_field(field) for field in [*chosen, unsigned])
    return b"\r\n".join([*chosen, unsigned])


def _without_b(signature: bytes) -> bytes:
    name, colon, value = signature.partition(b":")
    return name + colon + _B_VALUE.sub(rb"\1", value)


def parse_tags(text: str) -> dict[str, str]:
    """A tag list, `a=1; b=2` (RFC 6376, 3.2). Raises BadInput for what is none or names one twice."""
    tags: dict[str, str] = {}
    for piece in text.strip().removesuffix(";").split(";")[:100]:
        name, equals, value = piece.partition("=")
        name = name.strip()
        if not equals or not _TAG.match(name) or name in tags:
            raise BadInput("this is no list of tags", field="dkim")
        tags[name] = value.strip()
    return tags


def base64_tag(value: str) -> bytes:
    """The bytes of a base64 tag, which may be folded. Raises BadInput."""
    try:
        return base64.b64decode(_SPACE.sub("", value), validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("this is no base64", field="dkim") from None


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What stands at `<selector>._domainkey.<domain>` (RFC 6376, 3.6.1)."""

    key: PublicKey
    testing: bool = False  # t=y: the domain only tries
    strict: bool = False  # t=s: i= must be of the very domain


def read_key_record(text: str) -> KeyRecord:
    """Raises BadInput, in words, for a record that is malformed, revoked, for another use or weak."""
    tags = parse_tags(text)
    if tags.get("v", "DKIM1") != "DKIM1":
        raise BadInput("the key record has a version that is not known", field="dkim")
    if not {"*", "email"} & _words(tags.get("s", "*")):
        raise BadInput("the key is not for mail", field="dkim")
    if "sha256" not in _words(tags.get("h", "sha256")):
        raise BadInput("the key does not allow SHA-256", field="dkim")
    if not tags.get("p"):
        raise BadInput("the key was revoked", field="dkim")
    flags = _words(tags.get("t", ""))
    key = _public_key(tags.get("k", "rsa").lower(), base64_tag(tags["p"]))
    return KeyRecord(key, testing="y" in flags, strict="s" in flags)


def _words(value: str) -> set[str]:
    return {word.strip().lower() for word in value.split(":")}


def _public_key(kind: str, der: bytes) -> PublicKey:
    try:
        if kind == "ed25519":
            return Ed25519PublicKey.from_public_bytes(der)
        key = load_der_public_key(der) if kind == "rsa" else None
    except (ValueError, UnsupportedAlgorithm):
        raise BadInput("the key cannot be read", field="dkim") from None
    if not isinstance(key, RSAPublicKey):
        raise BadInput("the key is of a kind that is not known", field="dkim")
    if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise BadInput(f"the key has {key.key_size} bits", field="dkim")
    return key


def holds(key: PublicKey, signature: bytes, digest: bytes) -> bool:
    """Whether `signature` is that of `digest` (SHA-256) by the owner of `key`."""
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, digest)  # RFC 8463, 3: Ed25519 over the hash
        else:
            key.verify(signature, digest, PKCS1v15(), Prehashed(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
