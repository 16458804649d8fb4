"""A large mail is parsed beside the loop: the gate answers meanwhile."""

import asyncio
import threading
from typing import Any

import pytest
from desks import NOW, MakeDesk, letter

from subjectline.handlers.inbox import RawView
from subjectline.intake import mail_sink
from subjectline.intake.mail import MailPolicy, parse_mail
from subjectline.intake.mail_sink import LARGE, MailSink, mail_parser
from subjectline.intake.mailbox import Disposition, RawMail
from subjectline.models.incoming import Door, Incoming

BODY = letter("large@mail.test", "Please send me my data.\n" + "x" * LARGE)
SOON = 30.0  # seconds


@pytest.fixture
def until_the_loop_says_so(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A parser that ends only after the loop has run: in the loop itself it never would."""
    go = threading.Event()

    def waits(raw: bytes, **about: Any) -> Incoming:
        assert go.wait(SOON)
        return parse_mail(raw, **about)

    monkeypatch.setattr(mail_sink, "parse_mail", waits)
    return go


async def test_the_loop_runs_while_the_inbox_parses(
    until_the_loop_says_so: threading.Event,
) -> None:
    view = RawView(Door.MAIL, "mail:a:1:1", NOW, BODY, oversized=False)
    parsed = mail_parser(MailPolicy())(view)
    assert asyncio.iscoroutine(parsed)
    parsing = asyncio.ensure_future(parsed)
    await asyncio.sleep(0)
    until_the_loop_says_so.set()
    assert (await parsing).text.startswith("Please send me")


async def test_the_loop_runs_while_the_door_parses(
    until_the_loop_says_so: threading.Event, make_desk: MakeDesk
) -> None:
    office = await make_desk()
    mail = RawMail("a@host", 1, 1, NOW, len(BODY), BODY)
    keeping = asyncio.ensure_future(MailSink(office.desk, MailPolicy()).keep([mail]))
    await asyncio.sleep(0)
    until_the_loop_says_so.set()
    assert await keeping == [Disposition.PROCESSED]
