"""Signatures of others: known answers, dkimpy's, and everything that must not count."""

import dkim
import pytest
from dkim_kit import (
    ARRIVED,
    DOMAIN,
    PLAIN,
    pem,
    records,
    rsa_key,
    signed_by_hand,
    signer,
)

from subjectline.intake.mailauth.check import Checker
from subjectline.intake.mailauth.dns import KnownRecords
from subjectline.intake.mailauth.evidence import OwnCheck, Result, Signature

RFC8463 = b"""\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""
RFC8463_KEYS = KnownRecords(
    {
        "brisbane._domainkey.football.example.com": (
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        ),
        "test._domainkey.football.example.com": (
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3id"
            "Y6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lx"
            "j+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
        ),
    }
)


async def looked(raw: bytes, known: object = None) -> OwnCheck:
    found = await Checker(known or records()).look(raw, ARRIVED)  # type: ignore[arg-type]
    assert found is not None
    return found


async def first(raw: bytes, known: object = None) -> Signature:
    return (await looked(raw, known)).signatures[0]


async def test_the_mail_of_rfc_8463_holds_in_both_its_signatures() -> None:
    found = await looked(RFC8463, RFC8463_KEYS)
    assert [(one.selector, one.result, one.aligned) for one in found.signatures] == [
        ("brisbane", Result.PASS, True),
        ("test", Result.PASS, True),
    ]


@pytest.mark.parametrize("canon", ["relaxed/relaxed", "simple/simple", "relaxed/simple", "simple"])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
async def test_what_dkimpy_signs_holds(canon: str, end: bytes) -> None:
    parts = [part.encode() for part in canon.split("/")]
    signature = dkim.sign(
        PLAIN, b"rsa", DOMAIN.encode(), pem(rsa_key()), canonicalize=(parts[0], parts[-1])
    )
    found = await first((signature + PLAIN).replace(b"\r\n", end))
    assert (found.result, found.domain, found.selector) == (Result.PASS, DOMAIN, "rsa")


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize("canon", ["relaxed/relaxed", "simple/simple"])
async def test_our_hand_made_ones_hold(kind: str, canon: str) -> None:
    assert (await first(signed_by_hand(PLAIN, kind=kind, canon=canon))).result is Result.PASS


@pytest.mark.parametrize(
    ("tags", "result", "word"),
    [
        ({"v": "2"}, Result.PERMERROR, "version"),
        ({"v": None}, Result.PERMERROR, "lacks v="),
        ({"bh": None}, Result.PERMERROR, "lacks bh="),
        ({"bh": "AAAA"}, Result.FAIL, "body"),
        ({"bh": "?"}, Result.PERMERROR, "base64"),
        ({"a": "rsa-sha1"}, Result.PERMERROR, "algorithm"),
        ({"a": "rsa-sha256"}, Result.PERMERROR, "another kind"),
        ({"q": "http"}, Result.PERMERROR, "not in the DNS"),
        ({"c": "nofws"}, Result.PERMERROR, "c="),
        ({"i": "x@other.test"}, Result.PERMERROR, "i="),
        ({"i": "x@notmember.test"}, Result.PERMERROR, "i="),
        ({"i": "x@sub.member.test"}, Result.PASS, ""),
        ({"x": "1"}, Result.FAIL, "expired"),
        ({"t": "20", "x": "10"}, Result.PERMERROR, "x="),
        ({"x": "9" * 5000}, Result.PERMERROR, "no time"),
        ({"t": "1", "x": "99999999999"}, Result.PASS, ""),
        ({"l": "0"}, Result.POLICY, "l="),
        ({"l": "99999"}, Result.POLICY, "l="),
        ({"s": "gone"}, Result.PERMERROR, "no key"),
        ({"unknown": "tag"}, Result.PASS, ""),
    ],
)
async def test_tags(tags: dict[str, str | None], result: Result, word: str) -> None:
    found = await first(signed_by_hand(PLAIN, **tags))  # type: ignore[arg-type]
    assert found.result is result
    assert word in found.why


@pytest.mark.parametrize(
    ("names", "result", "word"),
    [
        ("to:subject:date", Result.PERMERROR, "From"),
        ("from:date", Result.POLICY, "Subject"),
        ("from:from:subject:subject", Result.PASS, ""),
        (" From : Subject ", Result.PASS, ""),
        (":".join(["from", "subject", *["x"] * 600]), Result.PERMERROR, "h="),
    ],
)
async def test_signed_fields(names: str, result: Result, word: str) -> None:
    found = await first(signed_by_hand(PLAIN, names=names))
    assert found.result is result
    assert word in found.why


@pytest.mark.parametrize(
    "extra",
    [
        b"Subject: another\r\n",
        b"Reply-To: a@x.test\r\nReply-To: b@x.test\r\n",
        b"Content-Type: text/html\r\n",
        b"To: other@desk.test\r\n",
    ],
)
async def test_a_field_that_stands_there_twice_proves_nothing(extra: bytes) -> None:
    """The last one is what was signed, the first one is what is read."""
    raw = signed_by_hand(PLAIN, names="from:subject")
    found = await first(extra + raw)
    assert found.result is Result.POLICY
    assert "twice" in found.why


async def test_an_oversigned_field_cannot_be_added() -> None:
    raw = signer("ed25519")(_seven_bits(), ARRIVED)
    for extra in (b"Reply-To: x@x.test\r\n", b"List-Unsubscribe: <mailto:x@x.test>\r\n"):
        assert (await first(raw)).result is Result.PASS
        assert (await first(extra + raw)).result is Result.FAIL


def _seven_bits() -> bytes:
    return PLAIN.partition(b"\r\n\r\n")[0] + b"\r\n\r\nplease\r\n"


@pytest.mark.parametrize(
    ("record", "result", "word"),
    [
        ("v=DKIM1; k=ed25519; p=", Result.PERMERROR, "revoked"),
        ("v=DKIM1; k=ed25519; p=AAAA", Result.PERMERROR, "cannot be read"),
        ("v=DKIM1; k=rsa; p=AAAA", Result.PERMERROR, "cannot be read"),
        ("v=DKIM1; k=dsa; p=AAAA", Result.PERMERROR, "kind"),
        ("v=DKIM2; p=AAAA", Result.PERMERROR, "version"),
        ("p=AAAA; p=AAAA", Result.PERMERROR, "tags"),
        ("{right}; t=y", Result.POLICY, "tries"),
        ("{right}; t=s", Result.PASS, ""),
        ("{right}; s=tlsrpt", Result.PERMERROR, "not for mail"),
        ("{right}; s=email:tlsrpt", Result.PASS, ""),
        ("{right}; h=sha1", Result.PERMERROR, "SHA-256"),
        ("{right}; h=sha1:sha256; n=a note; g=*", Result.PASS, ""),
    ],
)
async def test_key_records(record: str, result: Result, word: str) -> None:
    name = f"ed25519._domainkey.{DOMAIN}"
    right = (await records().txt(name))[0]
    found = await first(signed_by_hand(PLAIN), records({name: (record.format(right=right),)}))
    assert found.result is result
    assert word in found.why


async def test_a_key_for_the_very_domain_does_not_serve_its_subdomains() -> None:
    name = f"ed25519._domainkey.{DOMAIN}"
    strict = (await records().txt(name))[0] + "; t=s"
    raw = signed_by_hand(PLAIN, i="@sub.member.test")
    assert (await first(raw, records({name: (strict,)}))).result is Result.PERMERROR


@pytest.mark.parametrize(("bits", "result"), [(1024, Result.PASS), (2048, Result.PASS)])
async def test_rsa_keys_of_1024_bits_or_more(bits: int, result: Result) -> None:
    from subjectline.handlers.senders.dkim import record_text

    key = rsa_key(bits)
    known = records({f"rsa._domainkey.{DOMAIN}": (record_text(key),)})
    assert (await first(signed_by_hand(PLAIN, kind="rsa", key=key), known)).result is result


SHORT = (  # 512 bits: `cryptography` makes none any more
    "v=DKIM1; k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL6VvoRQKgGLW3hIzmMD0hfwvIpFzwXq3V8WvVqZL7Rs"
    "9qzXkUn1HqAFnUB9zBzQXLkRGFzIjtXKFM6pK6vXYoUCAwEAAQ=="
)


async def test_a_short_rsa_key_counts_as_none() -> None:
    known = records({f"rsa._domainkey.{DOMAIN}": (SHORT,)})
    found = await first(signed_by_hand(PLAIN, kind="rsa"), known)
    assert found.result is Result.PERMERROR
    assert "512 bits" in found.why


async def test_two_keys_at_one_name_are_none() -> None:
    name = f"ed25519._domainkey.{DOMAIN}"
    right = (await records().txt(name))[0]
    two = records({name: (right, right + "; n=2")})
    assert (await first(signed_by_hand(PLAIN), two)).result is Result.PERMERROR
    beside = records({name: ("v=spf1 -all", right)})
    assert (await first(signed_by_hand(PLAIN), beside)).result is Result.PASS


async def test_every_signature_is_looked_at_those_of_the_sender_first() -> None:
    raw = signed_by_hand(PLAIN)
    for number in range(20):
        raw = f"DKIM-Signature: v=1; d=l{number}.test; s=s\r\n".encode() + raw
    found = await looked(raw)
    assert found.proof is not None and found.proof.selector == "ed25519"
    assert len(found.signatures) == 1
    broken = await looked(raw.replace(b"privacy@desk", b"other@desk"))
    assert [one.aligned for one in broken.signatures] == [True, False, False, False, False]
    assert broken.proof is None
