"""No bytes whatever raise or hang, and our canonical forms are dkimpy's."""

import asyncio

import dkim
import pytest
from dkim.canonicalization import Relaxed, Simple
from dkim_kit import ARRIVED, DOMAIN, PLAIN, records, signed_by_hand
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from spent import spent

from subjectline.intake.mailauth.alignment import ascii_domain, organisation
from subjectline.intake.mailauth.check import Checker
from subjectline.models.dkim import read_key_record, relaxed_body, simple_body
from subjectline.models.errors import BadInput

FROM = b"From: a@member.test\r\n"
TAGS = st.lists(
    st.tuples(
        st.sampled_from(["v", "a", "b", "bh", "c", "d", "h", "i", "l", "q", "s", "t", "x", "z"]),
        st.one_of(
            st.sampled_from(["1", "rsa-sha256", "ed25519-sha256", DOMAIN, "rsa", "ed25519"]),
            st.sampled_from(["relaxed/relaxed", "simple", "from:to", "dns/txt", "=", "AAAA"]),
            st.text(max_size=30),
        ),
    ),
    max_size=14,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=2000), st.binary(max_size=200))
async def test_no_bytes_raise(raw: bytes, extra: bytes) -> None:
    for mail in (raw, FROM + raw, b"DKIM-Signature: " + extra + b"\r\n" + FROM + b"\r\n" + raw):
        found = await Checker(records()).look(mail, ARRIVED)
        assert found is None or found.proof is None


@settings(max_examples=300, deadline=None)
@given(TAGS)
async def test_no_tags_raise(tags: list[tuple[str, str]]) -> None:
    told = "; ".join(f"{name}={value}" for name, value in tags)
    raw = b"DKIM-Signature: " + told.encode("utf-8", "replace") + b"\r\n" + PLAIN
    found = await Checker(records()).look(raw, ARRIVED)
    assert found is None or found.proof is None


@given(st.text(max_size=200))
def test_no_key_record_raises_anything_else(text: str) -> None:
    for record in (text, f"v=DKIM1; k=rsa; p={text}", f"k=ed25519; p={text}"):
        try:
            found = read_key_record(record)
        except BadInput:
            continue
        assert found.key is not None


@given(st.text(max_size=300))
@example("." * 300)
@example("x@" + "a." * 150)
def test_no_domain_raises(text: str) -> None:
    assert organisation(ascii_domain(text)) in ("", *_endings(ascii_domain(text)))


def _endings(domain: str) -> list[str]:
    labels = domain.split(".")
    return [".".join(labels[at:]) for at in range(len(labels))]


HOSTILE = {
    "blanks": PLAIN + b" " * 3_000_000,
    "blank lines": PLAIN + b" \r\n" * 1_000_000,
    "empty lines": PLAIN + b"\r\n" * 1_000_000,
    "blanks in a field": b"X: " + b" \t" * 500_000 + b"\r\n" + PLAIN,
    "folds": b"X: y\r\n" + b" z\r\n" * 300_000 + PLAIN,
    "fields": b"X: y\r\n" * 300_000 + PLAIN,
    "signatures": b"DKIM-Signature: v=1; d=a.test; s=b\r\n" * 900 + PLAIN,
    "tags": b"DKIM-Signature: " + b"a=1;" * 200_000 + b"\r\n" + PLAIN,
    "semicolons": b"DKIM-Signature: " + b";" * 15_000 + b"\r\n" + PLAIN,
    "names": signed_by_hand(PLAIN, names="from:" + "a:" * 7000 + "b"),
    "dots": PLAIN.replace(b"@member.test", b"@" + b"a." * 20_000 + b"test"),
    "carriage returns": PLAIN + b"\r" * 3_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mails_take_linear_time(name: str) -> None:
    raw = HOSTILE[name]
    hashed = (
        raw if raw.startswith(b"DKIM") else signed_by_hand(PLAIN, bh="AAAA")[: -len(PLAIN)] + raw
    )

    def look() -> None:
        found = asyncio.run(Checker(records()).look(hashed, ARRIVED))
        assert found is None or found.proof is None

    assert spent(look, 3) < 3


WIRE = st.lists(
    st.sampled_from([b"a", b" ", b"\t", b"\r\n", b"b  c", b".", "가".encode()]), max_size=30
).map(lambda pieces: b"".join(pieces) + b"x\r\n")


@given(WIRE, st.lists(st.sampled_from([b"\r\n", b" \r\n"]), max_size=4))
def test_canonical_bodies_are_dkimpys(body: bytes, end: list[bytes]) -> None:
    whole = body + b"".join(end)
    assert relaxed_body(whole) == Relaxed.canonicalize_body(whole)
    assert simple_body(whole) == Simple.canonicalize_body(whole)


@pytest.mark.parametrize(
    ("body", "relaxed", "simple"),
    [
        (b"", b"", b"\r\n"),
        (b"\r\n\r\n", b"", b"\r\n"),
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n", b" C \r\nD \t E\r\n"),
        (b"no end", b"no end\r\n", b"no end\r\n"),
        (b"a\r\r\n", b"a\r\r\n", b"a\r\r\n"),
    ],
)
def test_canonical_bodies_of_rfc_6376(body: bytes, relaxed: bytes, simple: bytes) -> None:
    assert (relaxed_body(body), simple_body(body)) == (relaxed, simple)


@settings(max_examples=100, deadline=None)
@given(WIRE, st.sampled_from(["relaxed/relaxed", "simple/simple", "relaxed/simple"]))
async def test_verdicts_are_dkimpys(body: bytes, canon: str) -> None:
    raw = signed_by_hand(PLAIN.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body, canon=canon)
    found = await Checker(records()).look(raw, ARRIVED)
    [text] = await records().txt(f"ed25519._domainkey.{DOMAIN}")
    theirs = dkim.verify(raw, dnsfunc=lambda name, timeout=5: text.encode())
    assert found is not None
    assert (found.proof is not None) is theirs is True
