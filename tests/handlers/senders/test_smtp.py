"""Letters out: to Postfix's smtp-sink, to TLS servers of the test's own, and to the sandbox."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from servers import SmtpSink, SmtpSinks, certificate, free_port

from subjectline.handlers.senders.smtp import SmtpSender
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.clock import system_clock
from subjectline.models.errors import (
    PermanentSendError,
    SendError,
    SettingsError,
    TemporarySendError,
)
from subjectline.models.mail_settings import SmtpSettings

DESK, MEMBER = "privacy@desk.test", "member@member.test"


def letter(number: int = 1) -> bytes:
    return b"Subject: letter %d\r\n\r\n.a dot first\r\n..two\r\nend\r\n" % number


def settings(port: int, **more: Any) -> SmtpSettings:
    known: dict[str, Any] = {"host": "127.0.0.1", "port": port, "tls": "none"}
    return SmtpSettings(**{**known, "from_address": DESK, "command_seconds": 5, **more})


@asynccontextmanager
async def sender(to: SmtpSettings) -> AsyncIterator[SmtpSender]:
    one = SmtpSender(to)
    try:
        yield one
    finally:
        await one.close()


@pytest.fixture
async def world() -> AsyncIterator[MailWorld]:
    here = MailWorld(system_clock)
    await here.start()
    yield here
    await here.stop()


@pytest.mark.server
async def test_letters_arrive_byte_for_byte(smtp_sink: SmtpSink) -> None:
    async with sender(settings(smtp_sink.port)) as out:
        for number in range(3):
            await out.send(DESK, MEMBER, letter(number))
    dumps = [dump.replace(b"\r\n", b"\n") for dump in smtp_sink.mails()]
    assert all(b"X-Mail-Args: <privacy@desk.test>" in dump for dump in dumps)
    assert all(b"X-Rcpt-Args: <member@member.test>" in dump for dump in dumps)
    texts = {dump[dump.index(b"Subject:") :].rstrip() for dump in dumps}
    assert texts == {letter(n).replace(b"\r\n", b"\n").rstrip() for n in range(3)}


REFUSALS: list[tuple[list[str], type[SendError], str]] = [
    (["-r", "RCPT"], TemporarySendError, "answered 450 4.3.0"),
    (["-r", "DATA"], TemporarySendError, "answered 450 4.3.0"),
    (["-r", "."], TemporarySendError, "answered 450 4.3.0"),
    (["-r", "MAIL"], TemporarySendError, "takes no mail from privacy@desk.test: 450"),
    (["-f", "RCPT"], PermanentSendError, "answered 500 5.3.0"),
    (["-f", "DATA"], PermanentSendError, "answered 500 5.3.0"),
    (["-f", "."], PermanentSendError, "answered 500 5.3.0"),
    (["-f", "MAIL"], TemporarySendError, "takes no mail from privacy@desk.test: 500"),
    (["-f", "CONNECT"], TemporarySendError, "turned us away: 5"),
    (["-q", "CONNECT"], TemporarySendError, "cannot be reached"),
    (["-q", "MAIL"], TemporarySendError, "hung up"),
    (["-q", "RCPT"], TemporarySendError, "hung up"),
    (["-q", "DATA"], TemporarySendError, "hung up"),
    (["-q", "."], TemporarySendError, "hung up"),
    (["-Q", "RCPT"], TemporarySendError, "answered 421"),
]


@pytest.mark.server
@pytest.mark.parametrize(
    ("options", "kind", "words"), REFUSALS, ids=[" ".join(options) for options, _, _ in REFUSALS]
)
async def test_a_refusal_says_whether_to_try_again(
    smtp_sinks: SmtpSinks, options: list[str], kind: type[SendError], words: str
) -> None:
    sink = smtp_sinks.start(*options)
    async with sender(settings(sink.port)) as out:
        for number in range(2):  # the second finds the connection in order again
            with pytest.raises(SendError) as caught:
                await out.send(DESK, f"member@member{number}.test", letter())
            assert isinstance(caught.value, kind)
            assert words in str(caught.value)


@pytest.mark.server
async def test_the_servers_words_stay_out_of_the_error(smtp_sinks: SmtpSinks) -> None:
    sink = smtp_sinks.start("-B", f"550 5.1.1 <{MEMBER}> is unknown here", "-f", "RCPT")
    async with sender(settings(sink.port)) as out:
        with pytest.raises(PermanentSendError) as caught:
            await out.send(DESK, MEMBER, letter())
    assert str(caught.value) == "the mail server answered 550 5.1.1."


async def test_no_server_is_for_later() -> None:
    port = free_port()
    async with sender(settings(port)) as out:
        with pytest.raises(TemporarySendError, match=f"port {port} cannot be reached"):
            await out.send(DESK, MEMBER, letter())


@pytest.mark.parametrize("most", [1, 3])
async def test_letters_share_so_many_connections(world: MailWorld, most: int) -> None:
    async with sender(world.smtp_settings(connections=most)) as out:
        to = [f"member@shop{n % 5}.test" for n in range(20)]
        await asyncio.gather(*(out.send(DESK, to[n], letter(n)) for n in range(20)))
        assert len(world._lines) == most
    subjects = [mail.subject for one in set(to) for mail in world.mailbox(one)]
    assert sorted(subjects) == sorted(f"letter {n}" for n in range(20))


async def test_a_connection_that_the_server_closed_is_made_anew(world: MailWorld) -> None:
    async with sender(world.smtp_settings()) as out:
        await out.send(DESK, MEMBER, letter(1))
        await asyncio.gather(*(line.cut() for line in tuple(world._lines)))
        await out.send(DESK, MEMBER, letter(2))
    assert [mail.subject for mail in world.mailbox(MEMBER)] == ["letter 1", "letter 2"]


class Closing(SMTP):
    """A server that bids farewell to whoever comes with a second letter, as some do."""

    letters = 0

    async def smtp_MAIL(self, arg: str) -> None:
        if self.letters:
            await self.push("421 4.4.2 that was enough for one connection")
            assert self.transport is not None
            self.transport.close()
            return
        self.letters += 1
        await super().smtp_MAIL(arg)


class Kept:
    """A handler for aiosmtpd that keeps what comes."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.over_tls: list[bool] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(bytes(envelope.content))
        self.over_tls.append(session.ssl is not None)
        return "250 OK"


@asynccontextmanager
async def serving(
    handler: Kept, *, kind: type[SMTP] = SMTP, implicit: ssl.SSLContext | None = None, **more: Any
) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    lines: list[SMTP] = []

    def line() -> SMTP:
        lines.append(kind(handler, hostname="smtp.test", loop=loop, **more))
        return lines[-1]

    server = await loop.create_server(line, "127.0.0.1", 0, ssl=implicit)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for one in lines:
        if isinstance(one.transport, asyncio.Transport) and not one.transport.is_closing():
            one.transport.abort()
    tasks = [one._handler_coroutine for one in lines if one._handler_coroutine is not None]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_farewell_before_the_letter_left_is_answered_by_coming_again() -> None:
    handler = Kept()
    async with serving(handler, kind=Closing) as port, sender(settings(port)) as out:
        for number in range(3):
            await out.send(DESK, MEMBER, letter(number))
    assert len(handler.mails) == 3


@pytest.fixture
def tls_files(tmp_path: Path) -> Path:
    certificate(tmp_path)
    return tmp_path


def server_context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_tls_from_the_first_byte(tls_files: Path) -> None:
    handler, context = Kept(), server_context(tls_files)
    async with serving(handler, implicit=context) as port:
        to = settings(port, tls="tls", ca_file=tls_files / "cert.pem")
        async with sender(to) as out:
            await out.send(DESK, MEMBER, letter())
            assert (await out.doctor()).ok
    assert len(handler.mails) == 1


async def test_starttls(tls_files: Path) -> None:
    handler, context = Kept(), server_context(tls_files)
    async with serving(handler, tls_context=context, require_starttls=True) as port:
        to = settings(port, tls="starttls", ca_file=tls_files / "cert.pem")
        async with sender(to) as out:
            await out.send(DESK, MEMBER, letter())
    assert handler.over_tls == [True]


@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_an_untrusted_certificate_gets_no_letter(tls_files: Path, tls: str) -> None:
    handler, context = Kept(), server_context(tls_files)
    more: dict[str, Any] = {"implicit": context} if tls == "tls" else {"tls_context": context}
    async with serving(handler, **more) as port, sender(settings(port, tls=tls)) as out:
        with pytest.raises(TemporarySendError, match=r"certificate of 127\.0\.0\.1 is not trusted"):
            await out.send(DESK, MEMBER, letter())
    assert handler.mails == []


async def test_a_server_without_starttls_gets_no_letter() -> None:
    handler = Kept()
    async with serving(handler) as port, sender(settings(port, tls="starttls")) as out:
        with pytest.raises(TemporarySendError, match="offers no STARTTLS"):
            await out.send(DESK, MEMBER, letter())
    assert handler.mails == []


class Slow(Kept):
    """Takes its time over the first letter."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if not self.begun.is_set():
            self.begun.set()
            await asyncio.Event().wait()
        return await super().handle_DATA(server, session, envelope)


async def test_a_cancelled_letter_leaves_no_half_spoken_connection() -> None:
    handler = Slow()
    async with serving(handler) as port, sender(settings(port)) as out:
        task = asyncio.create_task(out.send(DESK, MEMBER, letter(1)))
        await handler.begun.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await out.send(DESK, MEMBER, letter(2))
    assert [b"letter 2" in mail for mail in handler.mails] == [True]


async def test_a_silent_server_is_given_up() -> None:
    handler = Slow()
    async with serving(handler) as port, sender(settings(port, command_seconds=0.2)) as out:
        with pytest.raises(TemporarySendError, match="did not answer in time"):
            await out.send(DESK, MEMBER, letter(1))
        await out.send(DESK, MEMBER, letter(2))
    assert len(handler.mails) == 1


async def test_a_connection_long_unused_is_asked_first(world: MailWorld) -> None:
    now = 0.0
    out = SmtpSender(world.smtp_settings(keep_seconds=30), monotonic=lambda: now)
    await out.send(DESK, MEMBER, letter(1))
    now = 3600.0
    await out.send(DESK, MEMBER, letter(2))
    assert len(world._lines) == 1
    await out.close()
    assert len(world.mailbox(MEMBER)) == 2


async def test_an_address_that_cannot_be_is_refused_for_good(world: MailWorld) -> None:
    async with sender(world.smtp_settings()) as out:
        with pytest.raises(PermanentSendError):
            await out.send(DESK, "member@member.test>\r\nRCPT TO:<x@y.test", letter())
    assert world.mailbox("x@y.test") == []


async def test_an_address_in_korean_letters_needs_a_server_that_takes_them(
    world: MailWorld,
) -> None:
    async with sender(world.smtp_settings()) as out:
        await out.send(DESK, "회원@member.test", letter())
    assert len(world.mailbox("회원@member.test")) == 1
    handler = Kept()
    async with serving(handler) as port, sender(settings(port)) as out:
        with pytest.raises(PermanentSendError, match="cannot carry this letter"):
            await out.send(DESK, "회원@member.test", letter())
        await out.send(DESK, MEMBER, letter(2))
    assert len(handler.mails) == 1


async def test_an_unknown_mailbox_is_refused_for_good(world: MailWorld) -> None:
    world.refused.add(MEMBER)
    async with sender(world.smtp_settings()) as out:
        with pytest.raises(PermanentSendError, match=r"550 5\.1\.1"):
            await out.send(DESK, MEMBER, letter())


async def test_the_doctor_says_what_is_wrong(world: MailWorld) -> None:
    well = await SmtpSender(world.smtp_settings()).doctor()
    assert well.ok
    assert well.sentence == "smtp: 127.0.0.1 takes letters from privacy@desk.test."
    wrong = await SmtpSender(world.smtp_settings(password="wrong-one")).doctor()
    assert not wrong.ok
    assert "refused the sign-in of privacy@desk.test: 535" in wrong.sentence
    assert "wrong-one" not in wrong.sentence
    away = await SmtpSender(settings(free_port())).doctor()
    assert "cannot be reached" in away.sentence


def test_a_password_never_travels_in_the_clear() -> None:
    with pytest.raises(SettingsError, match="in the clear"):
        settings(25, host="smtp.desk.test")
    assert settings(25).reply_domain == "desk.test"
