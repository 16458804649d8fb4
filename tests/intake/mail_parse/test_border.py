"""Which Authentication-Results is our border's word, however unusually it is written (RFC 8601, 2.2)."""

from datetime import datetime

import pytest

from subjectline.intake.mail import MailPolicy, parse_mail
from subjectline.intake.mailauth.check import Checker
from subjectline.intake.mailauth.dns import KnownRecords
from subjectline.models.incoming import Incoming, Tier

FORGED = "mx.desk.test; dmarc=pass header.from=member.test"


def mail(*results: str) -> bytes:
    fields = "".join(f"Authentication-Results: {one}\n" for one in results)
    return f"{fields}From: a@member.test\nTo: privacy@desk.test\nSubject: x\n\nwords\n".encode()


def judged(policy: MailPolicy, at: datetime, *results: str) -> Incoming:
    return parse_mail(mail(*results), source_key="k", arrived_at=at, policy=policy)


IDS = {
    "a comment": "mx.desk.test (Postfix)",
    "a comment without a blank": "mx.desk.test(amavisd-new)",
    "comments in comments": r"mx.desk.test (a (b \) c) d)",
    "a version": "mx.desk.test 1",
    "a version between comments": "mx.desk.test (a) 1 (b)",
    "in quotes": '"mx.desk.test" (c)',
    "in quotes, escaped": r'"mx\.desk.test"',
    "with a last dot": "MX.desk.test. (c)",
    "folded": "mx.desk.test\n\t(c)\n",
}


@pytest.mark.parametrize("server", IDS.values(), ids=IDS)
def test_an_unusual_id_decides(policy: MailPolicy, arrived_at: datetime, server: str) -> None:
    said = f"{server} ; dmarc=%s header.from=member.test"
    failed = judged(policy, arrived_at, said % "fail", FORGED)
    assert (failed.tier, failed.evidence["server"]) == (Tier.FAILED, "mx.desk.test")
    assert judged(policy, arrived_at, said % "pass").tier is Tier.ALIGNED


MALFORMED = {
    "no semicolon": "mx.desk.test dmarc=fail header.from=member.test",
    "a comment and no semicolon": "mx.desk.test (c) dmarc=pass header.from=member.test",
    "a version behind a slash": "mx.desk.test/1; dmarc=pass header.from=member.test",
    "another version": "mx.desk.test 2; dmarc=pass header.from=member.test",
    "a comment that does not end": "mx.desk.test (c; dmarc=pass header.from=member.test",
    "a comment that does not begin": "mx.desk.test ); dmarc=pass header.from=member.test",
    "a comment before the id": "(c) mx.desk.test; dmarc=pass header.from=member.test",
    "a comma": "mx.desk.test, dmarc=pass header.from=member.test",
    "results that are none": "mx.desk.test (c); dmarc pass",
}


@pytest.mark.parametrize("top", MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_read_ends_the_search(
    policy: MailPolicy, arrived_at: datetime, top: str
) -> None:
    seen = judged(policy, arrived_at, top, FORGED)
    assert (seen.tier, seen.evidence["why"]) == (Tier.UNKNOWN, "the result cannot be read")


@pytest.mark.parametrize("other", ["mx.other.test (c); dmarc=fail", "xmx.desk.test/1; x", "(", ""])
def test_another_servers_word_is_passed_over(
    policy: MailPolicy, arrived_at: datetime, other: str
) -> None:
    assert judged(policy, arrived_at, other, FORGED).tier is Tier.ALIGNED


async def test_our_own_look_reads_the_same_word(arrived_at: datetime) -> None:
    checker = Checker(KnownRecords({}), ("mx.desk.test",))
    said = "mx.desk.test (c); dmarc=fail header.from=member.test"
    assert await checker.look(mail(said, FORGED), arrived_at) is None
    assert await checker.look(mail(MALFORMED["no semicolon"], FORGED), arrived_at) is not None
