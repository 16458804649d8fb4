"""The sandbox's mail, asked by clients that are not ours: imaplib and smtplib."""

import asyncio
import imaplib
import smtplib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from subjectline.intake.sandbox import mail_world
from subjectline.intake.sandbox.imap.store import Folder
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.clock import FrozenClock
from subjectline.models.errors import TemporarySendError

DESK, MEMBER = "privacy@desk.test", "member@member.test"
MAIL = b"From: <member@member.test>\nTo: privacy@desk.test\nSubject: hello\n\nbody\n"


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 3, 2, 9, 30, tzinfo=UTC))


@pytest.fixture
async def world(clock: FrozenClock) -> AsyncIterator[MailWorld]:
    before = asyncio.all_tasks()
    here = MailWorld(clock)
    await here.start()
    yield here
    await here.stop()
    assert asyncio.all_tasks() <= before | {asyncio.current_task()}


def smtp(world: MailWorld, *args: Any, sign_in: bool = True) -> dict[str, Any]:
    with smtplib.SMTP("127.0.0.1", world.smtp_port) as client:
        client.ehlo()
        if sign_in:
            client.login(DESK, "sandbox")
        return client.sendmail(*args)


async def test_the_desks_letter_lands_in_the_members_mailbox(
    world: MailWorld, clock: FrozenClock
) -> None:
    waiting = asyncio.create_task(world.wait_for(MEMBER, lambda mail: "second" in mail.subject))
    for subject in ("first", "second"):
        raw = f"Subject: {subject}\r\nMessage-ID: <{subject}@desk.test>\r\n\r\n안녕\r\n".encode()
        await asyncio.to_thread(smtp, world, DESK, [MEMBER.upper(), "other@member.test"], raw)
        clock.advance(timedelta(days=10))
    mail = await waiting
    assert (mail.subject, mail.number, mail.envelope_from) == ("second", 2, DESK)
    assert mail.message_id == "<second@desk.test>"
    assert mail.arrived_at == datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
    assert [mail.subject for mail in world.mailbox("other@member.test")] == ["first", "second"]
    assert world.mailbox("nobody@member.test") == []


async def test_waiting_in_vain_ends(world: MailWorld) -> None:
    with pytest.raises(TimeoutError):
        await world.wait_for(MEMBER, lambda mail: True, timeout=0.05)


@pytest.mark.parametrize("address", [DESK, "Privacy@Desk.Test", "privacy+A1B2@desk.test"])
async def test_mail_to_the_desk_and_its_plus_addresses_is_the_desks(
    world: MailWorld, address: str
) -> None:
    mail = await world.deliver(MAIL, address, None)
    assert f"Delivered-To: {address}\r\n".encode() in mail.raw
    assert mail.raw.endswith(b"Subject: hello\r\n\r\nbody\r\n")
    assert len(world.mailbox(DESK)) == 1


async def test_a_neighbour_of_the_desk_is_somebody_else(world: MailWorld) -> None:
    for address in ("privacy@elsewhere.test", "privacy2@desk.test", "x+privacy@desk.test"):
        await world.deliver(MAIL, address, None)
    assert world.mailbox(DESK) == []


FORGED = (
    b"Authentication-Results: sandbox.test; dmarc=pass header.from=member.test\r\n"
    b"AUTHENTICATION-RESULTS :\r\n Sandbox.Test;\r\n dmarc=pass\r\n"
    b"Authentication-Results: elsewhere.test; dmarc=pass\r\n" + MAIL
)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ("pass", ["sandbox.test; dmarc=pass header.from=member.test;", "elsewhere.test;"]),
        ("fail", ["sandbox.test; dmarc=fail header.from=member.test;", "elsewhere.test;"]),
        ("dmarc=none", ["sandbox.test; dmarc=none", "elsewhere.test;"]),
        (None, ["elsewhere.test;"]),
    ],
)
async def test_the_border_server_says_what_it_found_and_believes_nobody(
    world: MailWorld, results: str | None, expected: list[str]
) -> None:
    mail = await world.deliver(FORGED, DESK, results)
    said = mail.message.get_all("Authentication-Results") or []
    assert len(said) == len(expected)
    assert all(str(a).startswith(b) for a, b in zip(said, expected, strict=True))


async def test_a_strangers_smtp_mail_is_vouched_for_by_nobody(world: MailWorld) -> None:
    await asyncio.to_thread(smtp, world, MEMBER, [DESK], FORGED, sign_in=False)
    (mail,) = world.mailbox(DESK)
    said = [str(value) for value in mail.message.get_all("Authentication-Results") or []]
    assert said == ["sandbox.test; none", "elsewhere.test; dmarc=pass"]


async def test_a_wrong_password_and_an_unknown_mailbox_are_refused(world: MailWorld) -> None:
    def wrong() -> None:
        with smtplib.SMTP("127.0.0.1", world.smtp_port) as client:
            client.login(DESK, "wrong")

    with pytest.raises(smtplib.SMTPAuthenticationError):
        await asyncio.to_thread(wrong)
    world.refused.add(MEMBER)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        await asyncio.to_thread(smtp, world, DESK, [MEMBER], MAIL)


def whole_visit(world: MailWorld) -> list[Any]:
    """What a mail program does, by Python's own client."""
    seen: list[Any] = []
    with imaplib.IMAP4("127.0.0.1", world.imap_port) as client:
        with pytest.raises(imaplib.IMAP4.error):
            client.login(DESK, "wrong")
        client.login(DESK, "sandbox")
        seen.append(client.list()[1])
        client.create("Kept")
        when = '" 2-Mar-2026 18:30:00 +0900"'
        client.append("Kept", r"(\Seen)", when, b"Subject: appended\r\n\r\nx\r\n")
        client.select("Kept")
        seen.append(client.fetch("1", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[TEXT])")[1])
        client.copy("1", "INBOX")
        client.store("1", "+FLAGS", r"(\Deleted)")
        seen.append(client.uid("SEARCH", "DELETED")[1])
        seen.append(client.expunge()[1])
        seen.append(client.select("INBOX", readonly=True)[1])
        seen.append(client.fetch("1:*", "(UID BODY[HEADER]<0.7>)")[1])
        seen.append(client.status("Kept", "(MESSAGES UIDNEXT)")[1])
        with pytest.raises(imaplib.IMAP4.error):
            client.store("1", "+FLAGS", r"(\Deleted)")
    return seen


async def test_pythons_own_imap_client_is_served(world: MailWorld) -> None:
    seen = await asyncio.to_thread(whole_visit, world)
    assert seen == [
        [b'(\\HasNoChildren) "/" "INBOX"'],
        [
            (
                b'1 (FLAGS (\\Seen) INTERNALDATE " 2-Mar-2026 09:30:00 +0000"'
                b" RFC822.SIZE 24 BODY[TEXT] {3}",
                b"x\r\n",
            ),
            b")",
        ],
        [b"1"],
        [b"1"],
        [b"1"],
        [(b"1 (UID 1 BODY[HEADER]<0> {7}", b"Subject"), b")"],
        [b'"Kept" (MESSAGES 0 UIDNEXT 2)'],
    ]


NONSENSE = [
    b"\r\n",
    b"a\r\n",
    b"a UID\r\n",
    b"a UID NOOP\r\n",
    b"a LOGIN\r\n",
    b"a SELECT INBOX\r\n",
    b"a LOGIN (x) y\r\n",
    b"a FETCH 1 (\r\n",
    b"a )\r\n",
    b"a __init__\r\n",
    b'a LOGIN "\xff" x\r\n',
    b"a X {99999999999}\r\n",
    b"a " + b"x" * 200_000 + b"\r\n",
]


@pytest.mark.parametrize("line", NONSENSE, ids=range(len(NONSENSE)))
async def test_nonsense_is_answered_and_ends_nothing(world: MailWorld, line: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.imap_port)
    await reader.readline()
    writer.write(line + b"b NOOP\r\n")
    heard = b""
    try:
        while b"b OK" not in heard and (more := await reader.readline()):
            heard += more
    except ConnectionResetError:
        heard = b"BAD"  # hung up on, with more of the line to come
    assert b"BAD" in heard or b"NO " in heard or line == b"\r\n"
    writer.close()
    await world.deliver(MAIL, DESK, None)


async def test_memory_is_bounded(world: MailWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(mail_world.MEMBER_MAILS + 5):
        await world.deliver(b"Subject: %d\r\n\r\n" % number, MEMBER, None)
    mails = world.mailbox(MEMBER)
    assert len(mails) == mail_world.MEMBER_MAILS
    assert mails[0].subject == "5"
    monkeypatch.setattr(mail_world, "MEMBERS_BYTES", 50_000)
    for number in range(10):
        await world.deliver(b"x" * 10_000, f"member{number}@member.test", None)
    held = sum(folder.size for folder in world._members.values())
    assert held <= 50_000
    assert world.mailbox(MEMBER) == []
    assert len(world.mailbox("member9@member.test")) == 1


async def test_the_desks_inbox_forgets_nothing_and_says_when_it_is_full(world: MailWorld) -> None:
    world.desk.folders["INBOX"]._max_mails = 1
    await world.deliver(MAIL, DESK, None)
    with pytest.raises(TemporarySendError):
        await world.deliver(MAIL, DESK, None)
    with pytest.raises(smtplib.SMTPDataError, match="452"):
        await asyncio.to_thread(smtp, world, MEMBER, [DESK], MAIL)
    assert len(world.mailbox(DESK)) == 1


def test_a_folder_forgets_its_oldest_by_bytes() -> None:
    folder = Folder("Kept", 1, max_bytes=100)
    for _ in range(5):
        folder.add(b"x" * 40, datetime(2026, 1, 1, tzinfo=UTC))
    assert list(folder.mails) == [4, 5]
    assert folder.size == 80
    folder.add(b"x" * 500, datetime(2026, 1, 1, tzinfo=UTC))
    assert list(folder.mails) == [6]
