"""The line to the mailbox is cut everywhere: every mail is kept once, moved once, and nothing hangs."""

import asyncio
from contextlib import suppress

import pytest
from cutting import CutLine, settled
from mail_support import QUICK, Memory, SandboxPost, last_lines, letters

from subjectline.intake.mailbox import Disposition, Mailbox, RawMail
from subjectline.intake.sandbox.imap.server import CAPABILITIES
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.clock import system_clock

WHOLE = 10**9
MAILS = letters(3, size=150)
BARE = ("IMAP4rev1", "IDLE")


def fate(mail: RawMail) -> Disposition:
    return Disposition.EXPUNGE if mail.content.endswith(b"\r\n1\r\n") else Disposition.PROCESSED


async def cut_at(count: int, *, there: bool, capabilities: tuple[str, ...]) -> tuple[int, int]:
    """Three mails, one to be expunged, over a line that is cut once; (bytes there, bytes back)."""
    before = asyncio.all_tasks()
    world = MailWorld(system_clock, capabilities=capabilities)
    await world.start()
    line = CutLine(world.imap_port)
    await line.start()
    line.cut_after(count, there=there)
    post, sink = SandboxPost(world), Memory(fate=fate)
    await post.deliver(*MAILS)
    settings = world.mailbox_settings(
        **{**QUICK, "port": line.port, "command_seconds": 5, "retry_seconds": 0.001}
    )
    door = asyncio.create_task(Mailbox(settings, sink, system_clock).run())
    async with asyncio.timeout(20):
        await sink.holds(3)
        changes = world.changes.count
        while world.desk.inbox.mails:
            changes = await world.changes.after(changes)
        await idling(line)
    door.cancel()
    with suppress(asyncio.CancelledError):
        await door
    await line.quiet()
    where = (count, there, line.cuts)
    assert sink.bodies() == last_lines(MAILS), where
    kept = [mail.raw for mail in world.desk_folder("Processed")]
    assert set(last_lines(kept)) == {b"0", b"2"}, where
    # What the server had copied when its answer was cut off cannot be known: one more copy of it.
    assert len(kept) <= (2 if "MOVE" in capabilities else 4), where
    await line.stop()
    await world.stop()
    await settled(before)
    return line.went, line.came


async def idling(line: CutLine) -> None:
    """Until nothing more is said: the door waits for mail."""
    seen = -1
    while seen != line.came:
        seen = line.came
        await asyncio.sleep(0.02)  # silence is what is waited for; no event tells of it


async def everywhere(step: int, capabilities: tuple[str, ...]) -> None:
    went, came = await cut_at(WHOLE, there=True, capabilities=capabilities)
    for there, total in ((True, went), (False, came)):
        for count in range(0, total, step):
            await cut_at(count, there=there, capabilities=capabilities)


@pytest.mark.parametrize("capabilities", [CAPABILITIES, BARE], ids=["full", "bare"])
async def test_a_cut_anywhere_loses_no_mail(capabilities: tuple[str, ...]) -> None:
    await everywhere(61, capabilities)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("capabilities", [CAPABILITIES, BARE], ids=["full", "bare"])
async def test_a_cut_after_every_byte_loses_no_mail(capabilities: tuple[str, ...]) -> None:
    await everywhere(1, capabilities)
