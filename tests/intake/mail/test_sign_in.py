"""The mailbox and the letters sign in by token; what the server refuses is said, and asked seldom."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from aioimaplib import aioimaplib as lib
from mail_support import QUICK, Memory, SandboxPost, letter, until
from token_desk import TokenServer

from subjectline.handlers.senders.tokens import TokenSource
from subjectline.intake.imap.protocol import DeskClient
from subjectline.intake.imap.sign_in import refusal
from subjectline.intake.mailbox import Mailbox
from subjectline.intake.sandbox.mail_world import MailWorld
from subjectline.models.clock import system_clock
from subjectline.models.errors import DoorShut
from subjectline.models.mail_settings import MailboxSettings

Reading = Callable[..., AbstractAsyncContextManager[Mailbox]]
PLAIN = ("IMAP4rev1", "IDLE", "MOVE", "UIDPLUS")


@pytest.fixture
async def tokens() -> AsyncIterator[TokenServer]:
    async with TokenServer().running() as one:
        yield one


async def by_token(tokens: TokenServer, *capabilities: str) -> MailWorld:
    world = MailWorld(system_clock, capabilities=(*PLAIN, *capabilities))
    world.desk.tokens = tokens.good
    await world.start()
    return world


@pytest.fixture(params=["XOAUTH2", "XOAUTH2 SASL-IR", "OAUTHBEARER", "OAUTHBEARER SASL-IR"])
async def world(request: pytest.FixtureRequest, tokens: TokenServer) -> AsyncIterator[MailWorld]:
    here = await by_token(tokens, *f"AUTH={request.param}".split())
    yield here
    await here.stop()


def settings(world: MailWorld, tokens: TokenServer, **more: Any) -> MailboxSettings:
    return world.mailbox_settings(**{**QUICK, "password": "", "oauth": tokens.settings(), **more})


async def test_a_mailbox_is_read_with_a_token(
    world: MailWorld, tokens: TokenServer, sink: Memory, reading: Reading
) -> None:
    async with reading(settings(world, tokens)) as mailbox:
        await SandboxPost(world).deliver(letter(1))
        await sink.holds(1)
        assert mailbox.status.connected
        await world.imap.drop_connections()
        await SandboxPost(world).deliver(letter(2))
        await sink.holds(2)
    assert len(tokens.asked) == 1


async def test_a_withdrawn_token_is_replaced_in_the_same_sign_in(
    world: MailWorld, tokens: TokenServer, sink: Memory, reading: Reading
) -> None:
    source = TokenSource(tokens.settings())
    tokens.good.discard(await source.token())
    mailbox = Mailbox(settings(world, tokens), sink, system_clock, source)
    assert (await mailbox.doctor()).ok
    assert len(tokens.asked) == 2


async def test_a_refused_token_is_said_at_once_and_asked_seldom(
    world: MailWorld, tokens: TokenServer, reading: Reading
) -> None:
    tokens.answer = lambda form: (200, {"access_token": "of-somebody-else"})
    slow = settings(world, tokens, retry_seconds=0.01, retry_max_seconds=600)
    async with reading(slow) as mailbox:

        async def told() -> bool:
            return bool(mailbox.status.last_error)

        await until(told, 5)
        assert not mailbox.status.connected
        assert "refused the token of privacy@desk.test (invalid_token)" in mailbox.status.last_error
        assert "of-somebody-else" not in mailbox.status.last_error
        asked = len(tokens.asked)
        await asyncio.sleep(0.1)  # ten times the ordinary wait: nothing comes that could be awaited
        assert len(tokens.asked) == asked == 2


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("invalid_client", "does not know the client"),
        ("invalid_grant", "refresh token is expired or was withdrawn"),
    ],
)
async def test_the_doctor_tells_what_the_token_server_said(
    tokens: TokenServer, error: str, words: str
) -> None:
    world = await by_token(tokens, "AUTH=XOAUTH2")
    tokens.refuses(error)
    found = await Mailbox(settings(world, tokens), Memory(), system_clock).doctor()
    await world.stop()
    assert not found.ok and words in found.sentence and "privacy@desk.test" in found.sentence


async def test_a_server_without_tokens_is_named(tokens: TokenServer) -> None:
    world = await by_token(tokens)
    found = await Mailbox(settings(world, tokens), Memory(), system_clock).doctor()
    await world.stop()
    assert "takes no sign-in by token" in found.sentence


# Trap 8


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(DeskClient, id="ours"),
        pytest.param(
            lib.IMAP4, id="stock", marks=pytest.mark.xfail(raises=TimeoutError, strict=True)
        ),
    ],
)
async def test_a_refused_token_gets_its_empty_line(tokens: TokenServer, kind: Any) -> None:
    world = await by_token(tokens, "AUTH=XOAUTH2", "SASL-IR")
    client = kind("127.0.0.1", world.imap_port, timeout=5)
    await client.wait_hello_from_server()
    try:
        if kind is DeskClient:
            command = client.protocol.authenticate("XOAUTH2", b"dXNlcj14", b"")
        else:
            command = client.protocol.xoauth2("x", "wrong")
        assert (await asyncio.wait_for(command, 30 if kind is DeskClient else 0.3)).result == "NO"
    finally:
        client.protocol.transport.abort()
        await asyncio.gather(*client.protocol.tasks, return_exceptions=True)
        await world.stop()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"[AUTHENTICATIONFAILED] Invalid credentials (Failure)", "refused the sign-in"),
        (b"[ALERT] Application-specific password required", "app password"),
        (b"[ALERT] Please log in via your web browser", "app password"),
        (b"[ALERT] Too many simultaneous connections. (Failure)", "no room for us"),
        (b"[UNAVAILABLE] Temporary authentication failure", "no room for us"),
        (b"[OVERQUOTA] Account exceeded command or bandwidth limits.", "no room for us"),
        (b"[THROTTLED] slow down", "no room for us"),
        (b"User is authenticated but not connected.", "may not read by IMAP"),
        (b"[ALERT] Your account is not enabled for IMAP use.", "may not read by IMAP"),
        (b"[EXPIRED] change it", "(the password is expired)"),
    ],
)
def test_a_refused_sign_in_means_one_thing(said: bytes, words: str) -> None:
    box = MailboxSettings(host="imap.desk.test", user="privacy@desk.test")
    wrong = refusal(box, said)
    assert isinstance(wrong, DoorShut) and words in str(wrong)
    assert "imap.desk.test" in str(wrong)
