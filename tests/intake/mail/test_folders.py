"""Folders: several of one mailbox, under servers' own names and separators, moved without MOVE."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from mail_support import (
    BadLine,
    DovecotPost,
    Memory,
    Post,
    SandboxPost,
    last_lines,
    letter,
    letters,
    until,
)
from servers import PASSWORD, Dovecot, running_dovecot

from subjectline.intake.imap.connection import Connection
from subjectline.intake.imap.wire import namespace
from subjectline.intake.mailbox import Disposition, Mailbox
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.clock import system_clock
from subjectline.models.mail_settings import MailboxSettings, is_spam_folder

Reading = Callable[..., AbstractAsyncContextManager[Mailbox]]
BARE = ("IMAP4rev1", "IDLE")  # neither MOVE nor UIDPLUS


async def append(settings: MailboxSettings, folder: str, *mails: bytes, flags: str = "") -> None:
    """Puts mails into a folder as another mail program does."""
    connection = await Connection.open(settings)
    try:
        await connection.ensure_folder(folder)
        for raw in mails:
            await connection._client.protocol.append(
                raw, mailbox=f'"{folder}"', flags=flags or None
            )
    finally:
        await connection.close(politely=True)


async def holds_in(post: Post, folder: str, count: int) -> None:
    async def there() -> bool:
        return len(await post.folder(folder)) == count

    await until(there)


async def test_other_folders_are_read_over_the_same_connection(
    post: Post, sink: Memory, reading: Reading
) -> None:
    settings = post.settings(folders=["Junk", "Wünsche"], poll_seconds=0.05)
    await append(settings, "Junk", letter(1), letter(2))
    await post.deliver(letter(3))
    sink.fate = lambda mail: Disposition.QUARANTINE if mail.spam else Disposition.PROCESSED
    async with reading(settings) as mailbox:
        await sink.holds(3)
        await append(settings, "Junk", letter(4))
        await sink.holds(4)
        await post.deliver(letter(5))  # while it waits on the main folder
        await sink.holds(5)
        await holds_in(post, "Quarantine", 3)
        await holds_in(post, "Processed", 2)
        assert 'no folder "Wünsche"' in mailbox.status.last_error and mailbox.status.connected
    names = {mail.mailbox.rpartition("/")[2]: mail.spam for mail in sink.rows.values()}
    assert names == {"Junk": True, "INBOX": False}
    assert len({(m.mailbox, m.uidvalidity, m.uid) for m in sink.rows.values()}) == 5
    assert await post.folder("Junk") == []


async def test_a_folder_that_is_missing_is_named_by_the_doctor(world: MailWorld) -> None:
    post = SandboxPost(world)
    found = await Mailbox(post.settings(folders=["Spam"]), Memory(), system_clock).doctor()
    assert not found.ok and 'no folder "Spam". Check folders' in found.sentence


async def test_mail_comes_at_once_while_other_folders_are_polled(
    world: MailWorld, sink: Memory, reading: Reading
) -> None:
    post = SandboxPost(world)
    world.desk.create("Junk")
    async with reading(post.settings(folders=["Junk"], poll_seconds=600)):
        for number in range(1, 4):
            await post.deliver(letter(number))
            await sink.holds(number, seconds=5)


@pytest.mark.parametrize(
    ("name", "spam"),
    [
        ("Junk", True),
        ("[Gmail]/Spam", True),
        ("[Gmail]/스팸함", True),
        ("INBOX.Junk", True),
        ("정크 메일", True),
        ("Junk E-mail", True),
        ("INBOX", False),
        ("Junk/Sorted", False),
        ("Spammers anonymous", False),
    ],
)
def test_folders_of_spam_are_known_by_name(name: str, spam: bool) -> None:
    assert is_spam_folder(name) is spam


def test_a_folder_is_not_read_and_filled_at_once() -> None:
    with pytest.raises(ValueError, match="read and filled at once"):
        MailboxSettings(host="h.test", user="u", folders=("Processed",))
    with pytest.raises(ValueError, match="1740"):
        MailboxSettings(host="h.test", user="u", idle_seconds=1800)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (rb'(("INBOX." ".")) NIL NIL', ("INBOX.", ".")),
        (rb'(("" "/")) (("~" "/")) (("#shared/" "/"))', ("", "/")),
        (rb'(("" "\\")) NIL NIL', ("", "\\")),
        (rb'(("" NIL)) NIL NIL', ("", "")),
        (rb"NIL NIL NIL", ("", "")),
        (rb'(\Noselect) "." ""', ("", ".")),
        (rb'(\Noselect) NIL ""', ("", "")),
    ],
)
def test_prefix_and_separator_are_read(line: bytes, found: tuple[str, str]) -> None:
    assert namespace([line, b"done"]) == found


@pytest.fixture(scope="module")
def prefixed() -> Iterator[Dovecot]:
    with running_dovecot("prefix = INBOX.\n  separator = .") as server:
        yield server


@pytest.mark.server
async def test_folders_below_a_prefix_are_found_and_made(
    prefixed: Dovecot, sink: Memory, reading: Reading
) -> None:
    post = DovecotPost(prefixed)
    settings = post.settings(
        processed="처리됨", quarantine="Desk/Q&A", folders=["Junk"], poll_seconds=0.05
    )
    await append(settings, "INBOX.Junk", letter(9))
    await post.deliver(*letters(3))
    for _ in range(2):
        assert (await Mailbox(settings, Memory(), system_clock).doctor()).ok
    sink.fate = lambda mail: Disposition.QUARANTINE if mail.spam else Disposition.PROCESSED
    async with reading(settings):
        await sink.holds(4)
        await holds_in(post, "INBOX.&zJi5rLQo-", 3)
        await holds_in(post, "INBOX.Desk.Q&-A", 1)


# A server without MOVE and UIDPLUS.


@pytest.fixture
def bare() -> Iterator[MailWorld]:
    yield MailWorld(system_clock, capabilities=BARE)


async def test_without_uidplus_nobody_elses_mail_is_expunged(bare: MailWorld) -> None:
    await bare.start()
    post = SandboxPost(bare)
    try:
        await post.deliver(letter(1), letter(2), letter(3))
        bare.desk.inbox.mails[3].flags.add(r"\Deleted")  # by another program, not yet expunged
        connection = await Connection.open(post.settings())
        await connection.select("INBOX")
        await connection.move([1], await connection.ensure_folder("Processed"))
        await connection.expunge([2])
        assert last_lines(await post.folder("INBOX")) == [b"3"]
        assert bare.desk.inbox.mails[3].flags == {r"\Deleted"}
        assert last_lines(await post.folder("Processed")) == [b"1"]
        await connection.close(politely=True)
    finally:
        await bare.stop()


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("command", [b"COPY", b"STORE", b"SEARCH DELETED", b"EXPUNGE"])
async def test_a_line_cut_while_moving_by_hand_loses_nothing(
    bare: MailWorld, sink: Memory, reading: Reading, command: bytes, heard: bool
) -> None:
    await bare.start()
    post, line = SandboxPost(bare), BadLine(bare.imap_port)
    await line.start()
    try:
        await post.deliver(*letters(4))
        line.cut_on(command, heard=heard)
        async with reading(post.settings(port=line.port)):
            await sink.holds(4)

            async def gone() -> bool:
                return not await post.folder("INBOX")

            await until(gone)
        assert line.cuts == 1 and len(sink.handed_over) == 4
        copies = sorted(last_lines(await post.folder("Processed")))
        obeyed_unheard = command == b"COPY" and heard  # nobody can know that it was obeyed
        assert copies == sorted(last_lines(letters(4)) * (2 if obeyed_unheard else 1))
    finally:
        await line.stop()
        await bare.stop()


@pytest.mark.server
async def test_dovecot_is_served_without_move(
    dovecot: Dovecot, sink: Memory, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    less: Any = lambda self, word: word == "IDLE"  # noqa: E731
    monkeypatch.setattr(Connection, "can", less)
    post = DovecotPost(dovecot)
    await post.deliver(*letters(5))
    async with reading(post.settings(user=post.user, password=PASSWORD)):
        await holds_in(post, "Processed", 5)
    assert await post.folder("INBOX") == []
