"""One DKIM-Signature: read, and held against the mail and the key (RFC 6376, 6.1). Pure."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from subjectline.intake.mailauth.evidence import Result
from subjectline.models.dkim import (
    DOMAIN,
    SELECTOR,
    Field,
    KeyRecord,
    Letter,
    base64_tag,
    holds,
    parse_tags,
    relaxed_body,
    signed_bytes,
    simple_body,
    value_of,
)
from subjectline.models.errors import BadInput

ALGORITHMS = ("rsa-sha256", "ed25519-sha256")  # RFC 8301: SHA-1 proves nothing any more
# A second one of these would be read by some and not by others.
ONCE = (
    b"from",
    b"sender",
    b"reply-to",
    b"to",
    b"cc",
    b"subject",
    b"date",
    b"message-id",
    b"in-reply-to",
    b"references",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
)
_SECONDS = re.compile(r"\d{1,12}\Z")
_CANON = {"simple": False, "relaxed": True}
_MAX_FIELD = 16_384
_MAX_NAMES = 500


@dataclass(frozen=True, slots=True)
class Claim:
    """What a signature says of itself, well formed."""

    field: bytes
    domain: str
    selector: str
    algorithm: str
    relaxed_head: bool
    relaxed_body: bool
    names: tuple[bytes, ...]
    body_hash: bytes
    value: bytes
    identity: str  # the domain of i=
    expires: int | None  # seconds since 1970
    partial: bool  # it has an l=


@dataclass(frozen=True, slots=True)
class Place:
    """Where its key is said to be; `""` where it does not say."""

    domain: str
    selector: str
    algorithm: str


def place_of(field: bytes) -> Place:
    """What can be read of a signature, well formed or not."""
    try:
        tags = _tags(field)
    except BadInput:
        return Place("", "", "")
    domain, selector = tags.get("d", "").lower(), tags.get("s", "").lower()
    if not DOMAIN.match(domain) or not SELECTOR.match(selector):
        return Place("", "", "")
    algorithm = tags.get("a", "").lower()
    return Place(domain, selector, algorithm if algorithm in ALGORITHMS else "other")


def read_claim(field: bytes) -> Claim:
    """Raises BadInput, in words, for a signature that RFC 6376, 6.1.1 has us leave aside."""
    tags = _tags(field)
    missing = [tag for tag in ("v", "a", "b", "bh", "d", "h", "s") if not tags.get(tag)]
    if missing or tags["v"] != "1":
        raise BadInput(f"it lacks {missing[0]}=" if missing else "its version is not known")
    place = place_of(field)
    if not place.domain:
        raise BadInput("d= or s= is no name")
    if place.algorithm not in ALGORITHMS:
        raise BadInput("its algorithm is not taken")
    if "dns/txt" not in tags.get("q", "dns/txt").lower():
        raise BadInput("its key is not in the DNS")
    head, body = _canon(tags.get("c", "simple/simple"))
    return Claim(
        field=field,
        domain=place.domain,
        selector=place.selector,
        algorithm=place.algorithm,
        relaxed_head=head,
        relaxed_body=body,
        names=_names(tags["h"]),
        body_hash=base64_tag(tags["bh"]),
        value=base64_tag(tags["b"]),
        identity=_identity(tags, place.domain),
        expires=_expiry(tags),
        partial="l" in tags,
    )


def _tags(field: bytes) -> dict[str, str]:
    if len(field) > _MAX_FIELD:
        raise BadInput("it is too long")
    try:
        return parse_tags(value_of(field).decode("ascii"))
    except UnicodeDecodeError:
        raise BadInput("it is not ASCII") from None


def _canon(value: str) -> tuple[bool, bool]:
    head, _, body = value.lower().partition("/")
    if head not in _CANON or (body or "simple") not in _CANON:
        raise BadInput("c= is not known")
    return _CANON[head], _CANON[body or "simple"]


def _names(value: str) -> tuple[bytes, ...]:
    names = tuple(name.strip().lower().encode() for name in value.split(":"))
    if b"from" not in names:
        raise BadInput("it does not sign From")
    if len(names) > _MAX_NAMES:
        raise BadInput("h= is too long")
    return names


def _identity(tags: dict[str, str], domain: str) -> str:
    identity = tags.get("i", f"@{domain}").rpartition("@")[2].lower()
    if identity != domain and not identity.endswith(f".{domain}"):
        raise BadInput("i= is not of the domain d=")
    return identity


def _expiry(tags: dict[str, str]) -> int | None:
    times = [tags[tag] for tag in ("t", "x") if tag in tags]
    if not all(_SECONDS.match(time) for time in times):
        raise BadInput("t= or x= is no time")
    if len(times) == 2 and int(tags["x"]) <= int(tags["t"]):
        raise BadInput("x= is not after t=")
    return int(tags["x"]) if "x" in tags else None


class Body:
    """The body's hashes, each made once."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._hashes: dict[bool, bytes] = {}

    def hash(self, *, relaxed: bool) -> bytes:
        """SHA-256 of the canonical body."""
        if relaxed not in self._hashes:
            canonical = (relaxed_body if relaxed else simple_body)(self._body)
            self._hashes[relaxed] = hashlib.sha256(canonical).digest()
        return self._hashes[relaxed]


def verify(
    claim: Claim, key: KeyRecord, letter: Letter, body: Body, arrived_at: datetime
) -> tuple[Result, str]:
    """The result with its reason. `arrived_at` (aware) is the time that x= is held against."""
    wrong = _unfit(claim, key)
    if wrong:
        return Result.PERMERROR, wrong
    if claim.expires is not None and claim.expires < arrived_at.timestamp():
        return Result.FAIL, "it had expired"
    if claim.partial:
        return Result.POLICY, "l= leaves the end of the body unsigned"
    if body.hash(relaxed=claim.relaxed_body) != claim.body_hash:
        return Result.FAIL, "the body was changed"
    if not holds(key.key, claim.value, _digest(claim, letter)):
        return Result.FAIL, "the header was changed, or it was not made with this key"
    weak = "the domain only tries its key" if key.testing else _unsigned(claim, letter)
    return (Result.POLICY, weak) if weak else (Result.PASS, "")


def _unfit(claim: Claim, key: KeyRecord) -> str:
    if isinstance(key.key, Ed25519PublicKey) != claim.algorithm.startswith("ed25519"):
        return "the key is of another kind than the signature"
    if key.strict and claim.identity != claim.domain:
        return "the key is not for subdomains"
    return ""


def _digest(claim: Claim, letter: Letter) -> bytes:
    others: list[Field] = [one for one in letter.fields if one[1] is not claim.field]
    text = signed_bytes(others, claim.names, claim.field, relaxed=claim.relaxed_head)
    return hashlib.sha256(text).digest()


def _unsigned(claim: Claim, letter: Letter) -> str:
    """What the signature leaves open for somebody to send it again with other words."""
    standing = [name for name, _ in letter.fields]
    for name in ONCE:
        if standing.count(name) > 1:
            return f"{name.decode()} stands there twice"
    if b"subject" in standing and b"subject" not in claim.names:
        return "it does not sign Subject"
    return ""
