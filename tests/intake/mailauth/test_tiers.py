"""From signatures, policies and silence to a tier."""

import pytest
from dkim_kit import ARRIVED, DOMAIN, PLAIN, records, signed_by_hand, signer

from subjectline.intake.mail import MailPolicy, parse_mail
from subjectline.intake.mailauth.check import Checker
from subjectline.intake.mailauth.dns import KnownRecords
from subjectline.models.incoming import Incoming, Tier

BORDER = "mx.desk.test"
REJECT = {f"_dmarc.{DOMAIN}": ("v=DMARC1; p=reject",)}


async def judged(raw: bytes, known: KnownRecords | None = None) -> Incoming:
    check = await Checker(known or records(), (BORDER,)).look(raw, ARRIVED)
    policy = MailPolicy((BORDER,), ("privacy@desk.test",))
    return parse_mail(raw, source_key="k", arrived_at=ARRIVED, policy=policy, own_check=check)


def by(domain: str, raw: bytes = PLAIN) -> tuple[bytes, KnownRecords]:
    """`raw` signed by `domain`, with the records under which that holds."""
    return signed_by_hand(raw, d=domain), records(domain=domain)


async def test_an_own_signature_raises_the_tier_and_says_why() -> None:
    seen = await judged(signed_by_hand(PLAIN))
    assert seen.tier is Tier.ALIGNED
    assert seen.evidence == {
        "why": "a DKIM signature of the domain of From",
        "dkim": "pass",
        "domain": DOMAIN,
        "selector": "ed25519",
    }


@pytest.mark.parametrize(
    ("sender", "signer_domain", "tier"),
    [
        ("member.test", "member.test", Tier.ALIGNED),
        ("mail.member.test", "member.test", Tier.ALIGNED),
        ("member.test", "mail.member.test", Tier.ALIGNED),
        ("a.shop.co.kr", "b.shop.co.kr", Tier.ALIGNED),
        ("one.co.kr", "two.co.kr", Tier.UNKNOWN),
        ("one.co.kr", "co.kr", Tier.UNKNOWN),
        ("member.test", "notmember.test", Tier.UNKNOWN),
        ("member.test", "member.test.evil.test", Tier.UNKNOWN),
        ("one.github.io", "two.github.io", Tier.UNKNOWN),
    ],
)
async def test_alignment_by_organisation(sender: str, signer_domain: str, tier: Tier) -> None:
    raw, known = by(
        signer_domain, PLAIN.replace(b"@member.test>\r\nTo", f"@{sender}>\r\nTo".encode())
    )
    assert (await judged(raw, known)).tier is tier


async def test_a_domain_that_asks_for_strict_alignment_gets_it() -> None:
    raw = signed_by_hand(PLAIN, d="mail.member.test")
    keys = records(domain="mail.member.test")._records
    strict = {f"_dmarc.{DOMAIN}": ("v=DMARC1; p=none; adkim=s",)}
    assert (await judged(raw, KnownRecords({**keys, **strict}))).tier is Tier.UNKNOWN
    away = {f"_dmarc.{DOMAIN}": None}
    seen = await judged(raw, KnownRecords({**keys, **away}))
    assert (seen.tier, seen.evidence["why"]) == (Tier.UNKNOWN, "the DNS did not answer in time")


@pytest.mark.parametrize(
    ("policies", "tier"),
    [
        ({}, Tier.UNKNOWN),
        ({"_dmarc.member.test": ("v=DMARC1; p=none",)}, Tier.UNKNOWN),
        ({"_dmarc.member.test": ("v=DMARC1; p=quarantine",)}, Tier.FAILED),
        (
            {"_dmarc.member.test": ("v=DMARC1; p=reject; pct=100; rua=mailto:x@x.test",)},
            Tier.FAILED,
        ),
        ({"_dmarc.member.test": ("v=DMARC1; p=reject; pct=10",)}, Tier.UNKNOWN),
        ({"_dmarc.member.test": ("v=DMARC1; p=reject", "v=DMARC1; p=reject")}, Tier.UNKNOWN),
        ({"_dmarc.member.test": ("v=spf1 -all", "v=DMARC1; p=reject")}, Tier.FAILED),
        ({"_dmarc.member.test": ("p=reject",)}, Tier.UNKNOWN),
        ({"_dmarc.member.test": ("v=DMARC1; p=nonsense",)}, Tier.UNKNOWN),
        ({"_dmarc.member.test": None}, Tier.UNKNOWN),
    ],
)
@pytest.mark.parametrize("broken", [False, True])
async def test_failed_only_where_the_domain_asks_for_it(
    policies: dict[str, tuple[str, ...] | None], tier: Tier, broken: bool
) -> None:
    raw = signed_by_hand(PLAIN).replace(b"privacy@desk", b"other@desk") if broken else PLAIN
    assert (await judged(raw, records(policies))).tier is tier


@pytest.mark.parametrize(
    ("record", "tier"),
    [
        ("v=DMARC1; p=reject", Tier.FAILED),
        ("v=DMARC1; p=reject; sp=none", Tier.UNKNOWN),
        ("v=DMARC1; p=none; sp=quarantine", Tier.FAILED),
    ],
)
async def test_a_subdomain_goes_by_its_organisation(record: str, tier: Tier) -> None:
    raw = PLAIN.replace(b"@member.test>\r\nTo", b"@mail.member.test>\r\nTo")
    assert (await judged(raw, records({"_dmarc.member.test": (record,)}))).tier is tier
    own = {"_dmarc.member.test": (record,), "_dmarc.mail.member.test": ("v=DMARC1; p=none",)}
    assert (await judged(raw, records(own))).tier is Tier.UNKNOWN


async def test_a_silent_dns_is_no_failure() -> None:
    raw = signed_by_hand(PLAIN)
    silent = records({f"ed25519._domainkey.{DOMAIN}": None, **REJECT})
    seen = await judged(raw, silent)
    assert (seen.tier, seen.evidence["dkim"]) == (Tier.UNKNOWN, "temperror")


@pytest.mark.parametrize(
    "mark",
    [b"List-Id: <friends.lists.test>", b"ARC-Seal: i=1; a=rsa-sha256", b"Resent-From: a@b.test"],
)
async def test_a_list_or_forwarder_that_rewrote_breaks_nobody(mark: bytes) -> None:
    signed = signed_by_hand(PLAIN)
    rewritten = mark + b"\r\n" + signed + b"-- \r\nsent to friends\r\n"
    seen = await judged(rewritten, records(REJECT))
    assert seen.tier is Tier.UNKNOWN
    assert "list or forwarder" in seen.evidence["why"]
    untouched = mark + b"\r\n" + signed
    assert (await judged(untouched, records(REJECT))).tier is Tier.ALIGNED


async def test_a_signature_that_leaves_the_end_open_proves_nothing_and_breaks_nothing() -> None:
    raw = signed_by_hand(PLAIN, l="10")
    seen = await judged(raw + b"and more\r\n", records(REJECT))
    assert (seen.tier, seen.evidence["dkim"]) == (Tier.UNKNOWN, "policy")


@pytest.mark.parametrize("where", ["above", "below"])
async def test_two_from_fields_never_align(where: str) -> None:
    raw, other = signed_by_hand(PLAIN, names="from:subject"), b"From: boss@company.test\r\n"
    head, _, body = raw.partition(b"\r\n\r\n")
    two = other + raw if where == "above" else head + b"\r\n" + other + b"\r\n" + body
    assert (await judged(two)).tier is Tier.FAILED
    both = signed_by_hand(other + PLAIN, names="from:from:subject")
    assert (await judged(both)).tier is Tier.FAILED


async def test_two_addresses_in_from_never_align() -> None:
    raw = PLAIN.replace(b"<gildong@member.test>\r\n", b"<gildong@member.test>, a@other.test\r\n")
    assert (await judged(signed_by_hand(raw))).tier is Tier.FAILED


@pytest.mark.parametrize(
    ("results", "tier", "asked"),
    [
        (f"{BORDER}; dmarc=pass header.from=member.test", Tier.ALIGNED, False),
        (f"{BORDER}; dmarc=fail header.from=member.test", Tier.FAILED, False),
        (f"{BORDER}; dmarc=temperror header.from=member.test", Tier.ALIGNED, True),
        (f"{BORDER}; spf=pass smtp.mailfrom=member.test", Tier.ALIGNED, True),
        ("other.test; dmarc=fail header.from=member.test", Tier.ALIGNED, True),
    ],
)
async def test_the_border_goes_before_our_own_look(results: str, tier: Tier, asked: bool) -> None:
    raw = f"Authentication-Results: {results}\r\n".encode() + signed_by_hand(PLAIN)
    check = await Checker(records(), (BORDER,)).look(raw, ARRIVED)
    assert (check is not None) is asked
    assert (await judged(raw)).tier is tier


async def test_where_the_border_spoke_our_look_lowers_nothing() -> None:
    raw = f"Authentication-Results: {BORDER}; spf=pass smtp.mailfrom=x.test\r\n".encode() + PLAIN
    assert (await judged(raw, records(REJECT))).tier is Tier.UNKNOWN
    assert (await judged(PLAIN, records(REJECT))).tier is Tier.FAILED


PROOF = (
    f"Authentication-Results: {BORDER}; dmarc=pass header.from=member.test\r\n".encode()
    + signed_by_hand(PLAIN)
)
MULTIPART = PLAIN.replace(
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n",
).partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + PROOF,
        MULTIPART
        + b"\r\n\r\n--b\r\n\r\nMy headers prove it.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        + PROOF
        + b"\r\n--b--\r\n",
        MULTIPART
        + b"\r\n\r\n--b\r\n\r\nAttached.\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        + PROOF
        + b"\r\n--b--\r\n",
        PLAIN.replace(b"Subject: ", b"Subject: Authentication-Results: mx.desk.test; dmarc=pass "),
    ],
    ids=["body", "attached", "headers", "subject"],
)
async def test_headers_sent_as_proof_of_identity_prove_nothing(raw: bytes) -> None:
    assert (await judged(raw)).tier is Tier.UNKNOWN
    assert (await judged(raw, records(REJECT))).tier is Tier.FAILED


async def test_what_was_verified_is_what_is_read() -> None:
    """A blank line between two fields ends the header for the parser, and not for relaxed DKIM."""
    raw = signed_by_hand(PLAIN, names="from:subject")
    torn = raw.replace(b"Subject: ", b"Subject:\r\n \r\n ")
    assert (await judged(torn)).tier is Tier.UNKNOWN
    check = await Checker(records()).look(raw, ARRIVED)
    other = raw.replace(b"gildong@member.test", b"other@member.test")
    seen = parse_mail(
        other, source_key="k", arrived_at=ARRIVED, policy=MailPolicy(), own_check=check
    )
    assert (seen.tier, "another header" in seen.evidence["why"]) == (Tier.UNKNOWN, True)


@pytest.mark.parametrize(
    "domain", ["faß.test", "xn--fa-hia.test", "한국.test", "x", "a..test", "[127.0.0.1]"]
)
async def test_strange_domains_of_from_are_looked_up_as_themselves_or_not(domain: str) -> None:
    raw = PLAIN.replace(b"@member.test>\r\nTo", f"@{domain}>\r\nTo".encode())
    for signed_as in ("fass.test", "xn--3e0b707e.test"):
        seen = await judged(*by(signed_as, raw))
        assert (seen.tier is Tier.ALIGNED) is (domain == "한국.test" and signed_as[0] == "x")


async def test_our_own_letters_hold_when_they_come_back() -> None:
    raw = PLAIN.partition(b"\r\n\r\n")[0] + b"\r\n\r\nplease\r\n"
    assert (await judged(signer("rsa", "ed25519")(raw, ARRIVED))).tier is Tier.ALIGNED
