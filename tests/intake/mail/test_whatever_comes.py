"""Whatever bytes are delivered, in whatever order and however often: each ends as a message or as a
dead letter, or waits; nothing raises, hangs or disappears."""

import asyncio
from itertools import count
from typing import Any

import pytest
from desks import DESK, NOW, POLICY, MakeDesk, Office
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mail_support import Post, until
from sqlmodel import col

from subjectline.handlers import inbox
from subjectline.intake.mail_sink import MailSink, Recent, mail_parser
from subjectline.intake.mailbox import Disposition, Mailbox, RawMail
from subjectline.models.clock import system_clock
from subjectline.models.incoming import Door
from subjectline.models.tables import Message, RawInbox

FEW = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SCRAPS = [
    b"From: a@b.test\n",
    b"From: =?euc-kr?Q?=B0=A1?= <\xb0\xa1@b.test>\n",
    f"From: {DESK}\nTo: {DESK}\n".encode(),
    b"Subject: =?utf-8?B?7ZWc6\n",
    b"Message-ID: <1@b.test>\n",
    b"Message-ID: \x00<\xff>\n",
    b"In-Reply-To: <1@b.test>\n",
    f"To: privacy+tzzzzzzzzzzzzzzzz@{DESK.partition('@')[2]}\n".encode(),
    b"Auto-Submitted: auto-replied\n",
    b"Content-Type: multipart/mixed; boundary=x\n\n--x\n",
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=y\n\n--y\n",
    b"Content-Type: message/rfc822\n\n",
    b"Content-Type: text/plain; charset=utf-16\n\n\xff\xfe",
    b"Content-Disposition: attachment; filename*0*=utf-8''%EA\n\n",
    b"Content-Transfer-Encoding: base64\n\n=====",
    b"Authentication-Results: border.test; dmarc=pass header.from=b.test\n",
    b"\n",
    b"\r",
    b"\x00",
    b"\x1b$)C\x0e",
    b" 910203-1234567 ",
    "\n회원 탈퇴하겠습니다.\n".encode(),
    b"\nPlease send me a copy of all personal data you hold about me.\n",
    "\n광고 메일 수신 동의를 철회합니다.\n".encode("cp949"),
    b"\n>\n> I want to close my account.\n",
]
MAIL = st.one_of(
    st.binary(max_size=300), st.lists(st.sampled_from(SCRAPS), max_size=12).map(b"".join)
)
# Each number is one place in the mailbox; the same may be handed over again, with others around it.
BATCH = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=6)
HANDED = st.lists(BATCH, min_size=1, max_size=5)
RECENT = Recent()
PARSERS = {Door.MAIL: mail_parser(POLICY, recent=RECENT)}
_mailboxes = count(1)


def raw_mail(validity: int, uid: int, content: bytes, *, oversized: bool) -> RawMail:
    return RawMail("any@mail.test", validity, uid, NOW, len(content), content, oversized)


async def emptied(office: Office) -> None:
    """Works until nothing is left that is new: what fails does so at most five times."""
    async with asyncio.timeout(30):
        for _ in range(100):
            if not await inbox.once(office.desk, PARSERS) and not await new(office):
                return
    raise AssertionError("the inbox is never empty")


async def new(office: Office) -> list[RawInbox]:
    return await office.all(RawInbox, RawInbox.state == "new")


async def each_has_its_end(office: Office, where: str, expected: set[str] | int) -> None:
    """One row for each that was delivered: with its own message and no body, or dead with its body."""
    rows = await office.all(RawInbox, col(RawInbox.source_key).contains(where))
    keys = [row.source_key for row in rows]
    if isinstance(expected, int):
        assert len(keys) == expected
    else:
        assert sorted(keys) == sorted(expected)
    done = [row for row in rows if row.state == "done"]
    messages = await office.all(Message, col(Message.id).in_([row.message_id for row in done]))
    assert len(messages) == len(done) and all(row.body is None for row in done)
    dead = [row for row in rows if row.state != "done"]
    assert all(row.state == "dead" and row.body is not None and row.reason for row in dead)
    faults = [row.reason for row in dead if row.attempts]
    faults += [message.reason for message in messages if message.rule == "unparsed"]
    assert faults == []  # the last nets must not hide a fault


@FEW
@given(mails=st.lists(MAIL, min_size=6, max_size=6), handed=HANDED, large=st.integers(0, 9))
async def test_whatever_is_handed_to_the_sink(
    office: Office, mails: list[bytes], handed: list[list[tuple[int, bool]]], large: int
) -> None:
    validity, sink = next(_mailboxes), MailSink(office.desk, POLICY, RECENT)
    given_over = set[str]()
    for batch in handed:
        some = [raw_mail(validity, n, mails[n], oversized=n == large) for n, _ in batch]
        fates = await sink.keep(some)
        assert len(fates) == len(some) and all(fate in Disposition for fate in fates)
        given_over |= {f"mail:any@mail.test:{validity}:{mail.uid}" for mail in some}
        if any(work for _, work in batch):
            await inbox.once(office.desk, PARSERS)
    await emptied(office)
    await each_has_its_end(office, f"mail:any@mail.test:{validity}:", given_over)


@pytest.fixture
async def plain_office(make_desk: MakeDesk) -> Office:
    return await make_desk()


@settings(FEW, max_examples=6)
@given(mails=st.lists(MAIL, min_size=1, max_size=5), twice=st.booleans())
async def test_whatever_is_delivered_to_the_mailbox(
    plain_office: Office, post: Post, mails: list[bytes], twice: bool
) -> None:
    """Over LMTP into Dovecot, or into the sandbox, and by IMAP into the desk."""
    office = plain_office
    before = len(await office.all(RawInbox))
    delivered = mails * (1 + twice)
    await post.deliver(*delivered)
    mailbox = Mailbox(post.settings(), MailSink(office.desk, POLICY, RECENT), system_clock)
    reading = asyncio.create_task(mailbox.run())
    try:
        await until(lambda: all_taken(office, post, before + len(delivered)))
        assert not mailbox.status.last_error
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    await emptied(office)
    await each_has_its_end(office, "mail:", before + len(delivered))


async def all_taken(office: Office, post: Any, rows: int) -> bool:
    return len(await office.all(RawInbox)) >= rows and not await post.folder("INBOX")
