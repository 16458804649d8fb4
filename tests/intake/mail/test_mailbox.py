"""The mail door on a real Dovecot and in the sandbox: kept first, moved then, never lost."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

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
from servers import Dovecot

from subjectline.intake.imap.wire import Fetched
from subjectline.intake.mailbox import BATCH_BYTES, Disposition, Mailbox, RawMail, batches
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.clock import system_clock

Reading = Callable[..., AbstractAsyncContextManager[Mailbox]]


async def in_processed(post: Post, count: int) -> None:
    async def moved() -> bool:
        return len(await post.folder("Processed")) == count

    await until(moved)


async def test_a_mail_is_moved_only_after_it_was_kept(
    post: Post, sink: Memory, reading: Reading
) -> None:
    seen: list[tuple[int, int]] = []

    async def look(mails: Sequence[RawMail]) -> None:
        seen.append((len(await post.folder("INBOX")), len(await post.folder("Processed"))))

    sink.before = look
    await post.deliver(letter(1))
    async with reading(post.settings()) as mailbox:
        await sink.holds(1)
        await in_processed(post, 1)
        assert mailbox.status.connected
        assert mailbox.status.last_error == ""
    assert seen == [(1, 0)]
    assert await post.folder("INBOX") == []
    assert not mailbox.status.connected


async def test_what_is_handed_over_is_the_mail_as_the_server_has_it(
    post: Post, sink: Memory, reading: Reading
) -> None:
    await post.deliver(letter(1, size=5_000))
    stored = (await post.folder("INBOX"))[0]
    async with reading(post.settings()):
        await sink.holds(1)
    (mail,) = sink.rows.values()
    assert mail.content == stored
    assert mail.size == len(stored)
    assert mail.mailbox == post.settings().name
    assert mail.uidvalidity > 0
    assert not mail.oversized
    assert abs(datetime.now(UTC) - mail.internal_date) < timedelta(minutes=1)
    assert mail.internal_date.utcoffset() == timedelta()


async def test_mail_that_comes_during_idle_is_seen_at_once(
    post: Post, sink: Memory, reading: Reading
) -> None:
    async with reading(post.settings(idle_seconds=600)):
        for number in range(1, 6):
            await post.deliver(letter(number))
            await sink.holds(number, seconds=5)
    assert sorted(sink.bodies()) == [b"1", b"2", b"3", b"4", b"5"]


async def test_mail_that_comes_while_others_are_kept_needs_no_second_look(
    post: Post, sink: Memory, reading: Reading
) -> None:
    """Its EXISTS comes between the search and IDLE, which does not repeat it."""

    async def another(mails: Sequence[RawMail]) -> None:
        if len(sink.rows) < 5:
            await post.deliver(letter(100 + len(sink.rows)))

    sink.before = another
    await post.deliver(letter(1))
    async with reading(post.settings(idle_seconds=600)):
        await sink.holds(6, seconds=10)


async def test_many_mails_come_in_small_batches_in_order(
    post: Post, sink: Memory, reading: Reading
) -> None:
    mails = letters(230)
    await post.deliver(*mails)
    async with reading(post.settings()):
        await sink.holds(230)
        await in_processed(post, 230)
    assert sink.bodies() == last_lines(mails)
    assert max(sink.batches) <= 50
    assert len(sink.handed_over) == 230
    assert sorted(last_lines(await post.folder("Processed"))) == sorted(last_lines(mails))


async def test_an_oversized_mail_gives_its_header_only(
    post: Post, sink: Memory, reading: Reading, bad_line: BadLine
) -> None:
    await post.deliver(letter(1, size=3_000_000), letter(2))
    settings = post.settings(max_mail_bytes=100_000, port=bad_line.port)
    bad_line.cut_after(100_000)  # as much as this would mean that the mail itself was fetched
    async with reading(settings):
        await sink.holds(2)
        await in_processed(post, 2)
    large, small = sorted(sink.rows.values(), key=lambda mail: mail.uid)
    assert large.oversized
    assert large.size > 2_900_000
    assert b"Subject: mail 1" in large.content
    assert len(large.content) < 2_000
    assert not small.oversized
    assert bad_line.cuts == 0


async def test_each_mail_goes_where_its_disposition_says(
    post: Post, sink: Memory, reading: Reading
) -> None:
    fates = {b"0": Disposition.PROCESSED, b"1": Disposition.QUARANTINE, b"2": Disposition.EXPUNGE}
    sink.fate = lambda mail: fates[last_lines([mail.content])[0]]
    await post.deliver(*letters(3))
    async with reading(post.settings()):
        await sink.holds(3)
        await in_processed(post, 1)

        async def inbox_empty() -> bool:
            return not await post.folder("INBOX")

        await until(inbox_empty)
    assert last_lines(await post.folder("Processed")) == [b"0"]
    assert last_lines(await post.folder("Quarantine")) == [b"1"]


async def test_a_sink_that_fails_leaves_the_mails_and_gets_them_again(
    post: Post, sink: Memory, reading: Reading
) -> None:
    fails = 2
    errors: list[str] = []

    async def fail(mails: Sequence[RawMail]) -> None:
        nonlocal fails
        errors.append(mailbox.status.last_error)
        if fails:
            fails -= 1
            raise RuntimeError(f"cannot keep {mails[0].content!r}")

    sink.before = fail
    await post.deliver(letter(7))
    async with reading(post.settings()) as mailbox:
        await sink.holds(1)
        await in_processed(post, 1)
    assert errors[2] == "A batch of mails could not be kept: RuntimeError in fail."
    assert sink.bodies() == [b"7"]


@pytest.mark.parametrize("heard", [True, False], ids=["after it was obeyed", "before"])
@pytest.mark.parametrize(
    "command",
    [b"LOGIN", b"SELECT", b"SEARCH", b"RFC822.SIZE", b"BODY.PEEK[]", b"MOVE", b"IDLE"],
    ids=lambda command: command.decode(),
)
async def test_a_line_cut_in_mid_command_loses_nothing(
    post: Post, sink: Memory, reading: Reading, bad_line: BadLine, command: bytes, heard: bool
) -> None:
    mails = letters(20)
    await post.deliver(*mails)
    bad_line.cut_on(command, heard=heard)
    async with reading(post.settings(port=bad_line.port)):
        await sink.holds(20)
        await in_processed(post, 20)
        await post.deliver(letter(99))
        await sink.holds(21)
        await in_processed(post, 21)
    assert bad_line.cuts == 1
    assert sink.bodies() == [*last_lines(mails), b"99"]
    assert await post.folder("INBOX") == []


@pytest.mark.parametrize("count", [300, 5_000, 40_000, 120_000])
async def test_a_line_cut_in_the_middle_of_mails_loses_nothing(
    post: Post, sink: Memory, reading: Reading, bad_line: BadLine, count: int
) -> None:
    mails = letters(120, size=2_000)
    await post.deliver(*mails)
    bad_line.cut_after(count)
    async with reading(post.settings(port=bad_line.port)):
        await sink.holds(120)
        await in_processed(post, 120)
    assert bad_line.cuts == 1
    assert sink.bodies() == last_lines(mails)


async def test_a_mail_kept_but_not_moved_is_not_fetched_again_by_the_same_door(
    post: Post, sink: Memory, reading: Reading, bad_line: BadLine
) -> None:
    await post.deliver(*letters(5))
    bad_line.cut_on(b"MOVE", heard=False)
    async with reading(post.settings(port=bad_line.port)):
        await in_processed(post, 5)
    assert len(sink.handed_over) == 5


async def test_after_a_restart_the_sink_meets_known_mails_again(
    post: Post, sink: Memory, reading: Reading, bad_line: BadLine
) -> None:
    await post.deliver(*letters(5))
    bad_line.cut_on(b"MOVE", heard=False)
    kept = asyncio.Event()

    async def stop_soon(mails: Sequence[RawMail]) -> None:
        kept.set()

    sink.before = stop_soon
    async with reading(post.settings(port=bad_line.port, retry_seconds=600, retry_max_seconds=600)):
        await kept.wait()
        await sink.holds(5)

        async def cut() -> bool:
            return bad_line.cuts == 1

        await until(cut)
    assert len(await post.folder("INBOX")) == 5
    async with reading(post.settings()):
        await in_processed(post, 5)
    assert len(sink.handed_over) == 10
    assert len(sink.rows) == 5


async def test_a_full_folder_on_the_server_does_not_stop_mail_from_coming_in(
    world: MailWorld, sink: Memory, reading: Reading
) -> None:
    post = SandboxPost(world)
    world.desk.create("Processed")._forgets = False
    world.desk.folders["Processed"]._max_mails = 2
    async with reading(post.settings()) as mailbox:
        for number in range(1, 6):
            await post.deliver(letter(number))
            await sink.holds(number)
        assert len(sink.handed_over) == 5
    assert "refused moving" in mailbox.status.last_error
    assert len(await post.folder("INBOX")) == 3


@pytest.mark.parametrize("lacking", ["MOVE", "IDLE", "UIDPLUS"])
async def test_a_plainer_server_is_served_as_well(
    sink: Memory, reading: Reading, lacking: str
) -> None:
    known = ("IMAP4rev1", "IDLE", "MOVE", "UIDPLUS")
    without = {"MOVE": known[:2], "IDLE": ("IMAP4rev1",), "UIDPLUS": known[:3]}[lacking]
    world = MailWorld(system_clock, capabilities=without)
    await world.start()
    post = SandboxPost(world)
    try:
        async with reading(post.settings(poll_seconds=0.05)):
            for number in range(1, 4):
                await post.deliver(letter(number))
                await sink.holds(number)
            await in_processed(post, 3)
        assert await post.folder("INBOX") == []
    finally:
        await world.stop()


async def test_a_new_uidvalidity_makes_old_uids_mean_nothing(
    world: MailWorld, sink: Memory, reading: Reading
) -> None:
    post = SandboxPost(world)
    async with reading(post.settings()):
        await post.deliver(letter(1))
        await in_processed(post, 1)
        world.desk.inbox.uidvalidity += 1
        world.desk.inbox.uidnext = 1
        await world.imap.drop_connections()
        await post.deliver(letter(2))
        await in_processed(post, 2)
    assert sink.bodies() == [b"1", b"2"]
    assert [uid for _, _, uid in sink.rows] == [1, 1]


async def test_idle_is_renewed_and_a_silent_end_is_noticed(
    world: MailWorld, sink: Memory, reading: Reading
) -> None:
    post = SandboxPost(world)
    async with reading(post.settings(idle_seconds=0.05)) as mailbox:
        await post.deliver(letter(1))
        await sink.holds(1)
        first = mailbox.status.last_ok

        async def renewed() -> bool:
            return mailbox.status.last_ok != first

        await until(renewed)
        assert mailbox.status.connected


@pytest.mark.server
async def test_a_cancelled_door_leaves_no_task_and_no_connection(
    dovecot: Dovecot, sink: Memory, reading: Reading
) -> None:
    post = DovecotPost(dovecot)
    await post.deliver(letter(1))
    before = asyncio.all_tasks()
    async with reading(post.settings()):
        await sink.holds(1)
    assert asyncio.all_tasks() == before

    hanging = asyncio.Event()

    async def hang(mails: Sequence[RawMail]) -> None:
        hanging.set()
        await asyncio.Event().wait()

    await post.deliver(letter(2))
    async with reading(post.settings(), Memory(before=hang)):
        await hanging.wait()
    assert asyncio.all_tasks() == before
    assert len(await post.folder("INBOX")) == 1


def test_batches_hold_bytes_in_bounds() -> None:
    megabyte = 1024 * 1024
    when = datetime(2026, 1, 1, tzinfo=UTC)
    mails = [Fetched(uid, 10 * megabyte, when) for uid in range(7)]
    mails.append(Fetched(7, 999 * megabyte, when))  # oversized: its header costs nothing
    found = batches(mails, 25 * megabyte)
    assert [mail.uid for batch in found for mail in batch] == list(range(8))
    assert all(sum(m.size or 0 for m in b if m.uid < 7) <= BATCH_BYTES for b in found)
    assert [len(batch) for batch in found] == [3, 3, 2]
