"""Who puts letters off is left alone for a while, and keeps nobody else's letters."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from subjectline.handlers.senders.pauses import LONGEST_HINT, SERVER, Pauses, hint
from subjectline.handlers.senders.smtp import SLOW, SmtpSender
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.clock import system_clock
from subjectline.models.errors import PermanentSendError, SendError, TemporarySendError

DESK = "privacy@desk.test"
LETTER = b"Subject: letter\r\n\r\nhello\r\n"


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("4.2.0 <m@m.test>: Recipient address rejected: Greylisted, retry in 300 seconds", 300),
        ("Greylisting in action, please come back in 00:04:59", 299),
        ("4.7.0 try again after 5 minutes", 300),
        ("wait 2 hours", 7200),
        ("try again in 15s", 15),
        ("deferred for 9 days", None),
        ("in 99999 hours", LONGEST_HINT),
        ("in 0 seconds", None),
        ("try again later", None),
        ("", None),
    ],
)
def test_the_servers_hint_is_read(words: str, seconds: float | None) -> None:
    assert hint(words) == seconds


def test_pauses_grow_and_end() -> None:
    time = Time()
    pauses = Pauses((10, 20), monotonic=time)
    later = TemporarySendError("later")
    for wait in (10, 20, 20):
        pauses.put_off("slow.test", later)
        with pytest.raises(TemporarySendError, match="later") as caught:
            pauses.check(SERVER, "slow.test")
        assert (caught.value.after, caught.value.tried) == (wait, False)
        pauses.check("other.test")
        time.now += wait
        pauses.check("slow.test")
    pauses.went("slow.test")
    pauses.put_off("slow.test", TemporarySendError("hint", after=77))
    with pytest.raises(TemporarySendError) as caught:
        pauses.check("slow.test")
    assert caught.value.after == 77


class World(MailWorld):
    """Answers RCPT and the letter as a test says."""

    answers: dict[str, str] = {}  # noqa: RUF012  # by domain; set by each test
    after_data = ""
    asked: list[str] = []  # noqa: RUF012
    hold: Callable[[str], Any] | None = None

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        self.asked.append(address)
        domain = address.rpartition("@")[2]
        if self.hold is not None:
            await self.hold(domain)
        if domain in self.answers:
            return self.answers[domain]
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        return self.after_data or await super().handle_DATA(server, session, envelope)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    here = World(system_clock)
    here.answers, here.asked = {}, []
    await here.start()
    yield here
    await here.stop()


async def refused(out: SmtpSender, to: str) -> SendError:
    with pytest.raises(SendError) as caught:
        await out.send(DESK, to, LETTER)
    return caught.value


async def test_a_greylisting_domain_delays_only_its_own(world: World) -> None:
    time = Time()
    world.answers = {"grey.test": "450 4.2.0 greylisted, try again in 300 seconds"}
    out = SmtpSender(world.smtp_settings(), monotonic=time)
    first = await refused(out, "a@grey.test")
    assert isinstance(first, TemporarySendError) and (first.after, first.tried) == (300, True)
    second = await refused(out, "b@grey.test")
    assert isinstance(second, TemporarySendError) and (second.after, second.tried) == (300, False)
    await out.send(DESK, "c@quick.test", LETTER)
    assert world.asked == ["a@grey.test", "c@quick.test"]
    time.now, world.answers = 301, {}
    await out.send(DESK, "b@grey.test", LETTER)
    await out.close()


async def test_a_421_at_a_recipient_is_that_domains(world: World) -> None:
    world.answers = {"shy.test": "421 4.7.0 too many connections from you, wait 60 seconds"}
    out = SmtpSender(world.smtp_settings())
    wrong = await refused(out, "a@shy.test")
    assert isinstance(wrong, TemporarySendError) and wrong.after == 60
    await out.send(DESK, "c@quick.test", LETTER)  # over a new connection
    assert len(world.asked) == 2
    await out.close()


async def test_a_slow_domain_keeps_no_other_waiting(world: World) -> None:
    time, begun, go = Time(), asyncio.Event(), asyncio.Event()

    async def hold(domain: str) -> None:
        if domain == "slow.test":
            begun.set()
            await go.wait()

    world.hold = hold
    out = SmtpSender(world.smtp_settings(connections=2), monotonic=time)
    slow = asyncio.create_task(out.send(DESK, "a@slow.test", LETTER))
    await begun.wait()
    for number in range(3):
        await out.send(DESK, f"m{number}@quick.test", LETTER)
    time.now = SLOW + 1
    go.set()
    await slow
    wrong = await refused(out, "b@slow.test")
    assert isinstance(wrong, TemporarySendError) and not wrong.tried
    await out.send(DESK, "m9@quick.test", LETTER)
    await out.close()


async def test_one_domain_leaves_a_line_to_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subjectline.handlers.senders.smtp.SLOW", 0.2)
    begun, go = asyncio.Queue[str](), asyncio.Event()

    async def hold(domain: str) -> None:
        if domain == "slow.test":
            begun.put_nowait(domain)
            await go.wait()

    world.hold = hold
    out = SmtpSender(world.smtp_settings(connections=2))
    first, second = (
        asyncio.create_task(out.send(DESK, f"{name}@slow.test", LETTER)) for name in "ab"
    )
    await begun.get()
    await out.send(DESK, "c@quick.test", LETTER)
    with pytest.raises(TemporarySendError) as caught:
        await second  # it waited for its turn, and goes back to the outbox
    assert not caught.value.tried and world.asked == ["a@slow.test", "c@quick.test"]
    wrong = await refused(out, "d@slow.test")  # while the first still hangs
    assert isinstance(wrong, TemporarySendError) and not wrong.tried
    await out.send(DESK, "e@quick.test", LETTER)
    go.set()
    await first
    await out.close()


@pytest.mark.parametrize(
    ("at_rcpt", "after_data", "kind", "of_address"),
    [
        ("550 5.1.1 no such user", "", PermanentSendError, True),
        ("550 5.7.1 blocked", "", PermanentSendError, False),
        ("552 5.2.2 mailbox full", "", TemporarySendError, None),
        ("452 4.2.2 mailbox full", "", TemporarySendError, None),
        ("", "554 5.7.1 this looks like spam", PermanentSendError, False),
        ("", "550 5.1.1 no such user after all", PermanentSendError, False),
        ("", "552 5.3.4 too big", PermanentSendError, False),
        ("", "451 4.3.0 later", TemporarySendError, None),
    ],
)
async def test_a_refusal_is_of_the_address_or_of_the_letter(
    world: World, at_rcpt: str, after_data: str, kind: type[SendError], of_address: bool | None
) -> None:
    world.answers, world.after_data = {"m.test": at_rcpt} if at_rcpt else {}, after_data
    out = SmtpSender(world.smtp_settings())
    wrong = await refused(out, "a@m.test")
    assert isinstance(wrong, kind)
    assert getattr(wrong, "of_address", None) is of_address
    await out.close()
