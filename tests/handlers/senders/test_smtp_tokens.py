"""Letters leave with a token in place of a password."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Session
from token_desk import TokenPost, TokenServer

from subjectline.handlers.senders.smtp import SmtpSender
from subjectline.models.errors import TemporarySendError
from subjectline.models.mail_settings import SmtpSettings

DESK, MEMBER = "privacy@desk.test", "member@member.test"
LETTER = b"Subject: letter\r\n\r\nhello\r\n"


class _Session(Session):
    login_data: Any = None  # aiosmtpd warns about its own use of the property


class Line(SMTP):
    def _create_session(self) -> Session:
        return _Session(self.loop)


@asynccontextmanager
async def listening(post: TokenPost, *without: str) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    lines: list[SMTP] = []

    def line() -> SMTP:
        excluded = [*without, "LOGIN", "PLAIN"]
        lines.append(
            Line(post, hostname="smtp.test", auth_require_tls=False, loop=loop,
                 auth_exclude_mechanism=excluded)
        )  # fmt: skip
        return lines[-1]

    server = await loop.create_server(line, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for one in lines:
        if isinstance(one.transport, asyncio.Transport):
            one.transport.abort()
    tasks = [one._handler_coroutine for one in lines if one._handler_coroutine is not None]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def tokens() -> AsyncIterator[TokenServer]:
    async with TokenServer().running() as one:
        yield one


def settings(port: int, tokens: TokenServer) -> SmtpSettings:
    return SmtpSettings(host="127.0.0.1", port=port, tls="none", from_address=DESK, user=DESK,
                        oauth=tokens.settings(), command_seconds=5)  # fmt: skip


@pytest.mark.parametrize("without", ["XOAUTH2", "OAUTHBEARER"])
async def test_a_letter_leaves_by_token(tokens: TokenServer, without: str) -> None:
    post = TokenPost(DESK, tokens.good)
    async with listening(post, without) as port:
        out = SmtpSender(settings(port, tokens))
        await out.send(DESK, MEMBER, LETTER)
        assert (await out.doctor()).ok
        await out.close()
    assert len(post.mails) == 1 and post.sign_ins == ["token-1", "token-1"]


async def test_a_withdrawn_token_is_replaced_and_a_bad_one_is_said(tokens: TokenServer) -> None:
    post = TokenPost(DESK, set())
    async with listening(post) as port:
        out = SmtpSender(settings(port, tokens))
        with pytest.raises(TemporarySendError, match="refused the sign-in of privacy"):
            await out.send(DESK, MEMBER, LETTER)
        assert not out.status.connected and "may send by SMTP" in out.status.last_error
        assert post.sign_ins == ["token-1", "token-2"]
        with pytest.raises(TemporarySendError) as caught:  # the server is left alone
            await out.send(DESK, "other@other.test", LETTER)
        assert not caught.value.tried and (caught.value.after or 0) > 0
        assert len(post.sign_ins) == 2
        await out.close()


async def test_a_refused_client_is_said(tokens: TokenServer) -> None:
    tokens.refuses("invalid_client")
    async with listening(TokenPost(DESK, tokens.good)) as port:
        out = SmtpSender(settings(port, tokens))
        found = await out.doctor()
        assert not found.ok and "does not know the client" in found.sentence
        await out.close()


async def test_a_server_without_tokens_is_named(tokens: TokenServer) -> None:
    async with listening(TokenPost(DESK, tokens.good), "XOAUTH2", "OAUTHBEARER") as port:
        out = SmtpSender(settings(port, tokens))
        found = await out.doctor()
        assert "offers no sign-in" in found.sentence
        await out.close()
