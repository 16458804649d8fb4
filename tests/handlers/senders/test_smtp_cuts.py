"""The line to the mail server is cut everywhere: nothing is lost, and what comes twice is one mail."""

import asyncio
from collections.abc import Iterable

import pytest
from cutting import CutLine, settled

from subjectline.handlers.senders.smtp import SmtpSender
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.clock import system_clock
from subjectline.models.errors import TemporarySendError

DESK = "privacy@desk.test"


def letter(number: int) -> bytes:
    return b"Message-ID: <%d@desk.test>\r\nSubject: letter\r\n\r\nhello\r\n" % number


async def sent(world: MailWorld, out: SmtpSender, number: int) -> None:
    """As the outbox does: again until the server has taken it."""
    for _ in range(3):
        try:
            await out.send(DESK, f"m{number}@member{number}.test", letter(number))
        except TemporarySendError:
            continue
        return
    raise AssertionError("the letter did not leave over a whole line")


async def cut_at(count: int, *, there: bool) -> tuple[int, int]:
    """Two letters over a line that is cut after so many bytes; (bytes there, bytes back)."""
    before = asyncio.all_tasks()
    world = MailWorld(system_clock)
    await world.start()
    line = CutLine(world.smtp_port)
    await line.start()
    line.cut_after(count, there=there)
    out = SmtpSender(world.smtp_settings(port=line.port, command_seconds=5))
    async with asyncio.timeout(20):
        for number in (1, 2):
            await sent(world, out, number)
    await out.close()
    await line.quiet()
    for number in (1, 2):
        ids = {mail.message_id for mail in world.mailbox(f"m{number}@member{number}.test")}
        assert ids == {f"<{number}@desk.test>"}, (count, there)
        assert len(world.mailbox(f"m{number}@member{number}.test")) <= 2
    assert line.cuts == (count < 10**9), (count, there)
    await line.stop()
    await world.stop()
    await settled(before)
    return line.went, line.came


async def everywhere(step: int) -> None:
    went, came = await cut_at(10**9, there=True)
    for there, total in ((True, went), (False, came)):
        for count in _steps(total, step):
            await cut_at(count, there=there)


def _steps(total: int, step: int) -> Iterable[int]:
    return range(0, total, step)


async def test_a_cut_anywhere_loses_no_letter() -> None:
    await everywhere(37)


@pytest.mark.long
async def test_a_cut_after_every_byte_loses_no_letter() -> None:
    await everywhere(1)
