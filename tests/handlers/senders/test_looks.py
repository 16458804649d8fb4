"""The mail server is looked at while no letter leaves: what stands in the status, and since when."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from subjectline.handlers.senders.smtp import SmtpSender
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.clock import FrozenClock, system_clock

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
DESK, LETTER = "privacy@desk.test", b"Subject: a letter\r\n\r\nHello.\r\n"
MINUTE = timedelta(minutes=1)


class World(MailWorld):
    """Counts what is asked of it, and hangs at RCPT until `go`."""

    begun, go = asyncio.Event(), asyncio.Event()

    async def handle_NOOP(self, server: object, session: object, envelope: object, arg: str) -> str:
        self.noops = getattr(self, "noops", 0) + 1
        return "250 OK"

    async def handle_RCPT(
        self, server: object, session: object, envelope: object, address: str, options: list[str]
    ) -> str:
        self.begun.set()
        await self.go.wait()
        return await super().handle_RCPT(server, session, envelope, address, options)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    here = World(system_clock)
    here.begun, here.go = asyncio.Event(), asyncio.Event()
    await here.start()
    yield here
    await here.stop()


async def test_up_down_and_since_when(world: World) -> None:
    clock = FrozenClock(NOW)
    out = SmtpSender(world.smtp_settings(), clock=clock)
    for _ in range(3):
        await out.look()
        clock.advance(MINUTE)
    assert (out.status.connected, out.status.since) == (True, NOW)
    assert (world.noops, len(world._lines)) == (2, 1)  # over one connection that is kept
    await world.stop()
    for _ in range(2):
        await out.look()
        clock.advance(MINUTE)
    assert (out.status.connected, out.status.since) == (False, NOW + 3 * MINUTE)
    assert "cannot be reached" in out.status.last_error
    await out.close()


async def test_a_line_that_the_server_had_closed_is_no_dead_server(world: World) -> None:
    out = SmtpSender(world.smtp_settings())
    await out.look()
    for line in list(world._lines):
        await line.cut()
    await out.look()
    assert out.status.connected
    await out.close()


async def test_a_refused_sign_in_is_told_without_the_password_and_not_repeated_at_once(
    world: World,
) -> None:
    time = 0.0
    wrong = world.smtp_settings(password="not-the-password")
    out = SmtpSender(wrong, monotonic=lambda: time)
    await out.look()
    assert not out.status.connected and "sign-in" in out.status.last_error
    assert "not-the-password" not in out.status.last_error
    first = out.status.last_error
    out.status.last_error = "untouched"
    await out.look()
    assert out.status.last_error == "untouched"
    time = 31.0
    await out.look()
    assert out.status.last_error == first


async def test_letters_have_the_connections_first(world: World) -> None:
    out = SmtpSender(world.smtp_settings(connections=1))
    sending = asyncio.create_task(out.send(DESK, "member@quick.test", LETTER))
    await world.begun.wait()
    async with asyncio.timeout(30):
        await out.look()
    assert not sending.done() and getattr(world, "noops", 0) == 0
    world.go.set()
    await sending
    await out.close()


async def test_a_server_that_says_nothing_counts_as_dead(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subjectline.handlers.senders.smtp.LOOK_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        out = SmtpSender(world.smtp_settings(port=silent.getsockname()[1]))
        await out.look()
    assert not out.status.connected and "did not answer in time" in out.status.last_error
