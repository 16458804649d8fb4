"""Letters out by SMTP: aiosmtplib over a few kept connections, each with one letter at a time."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiosmtplib

from subjectline.handlers.senders.compose import build_mail as build_mail
from subjectline.handlers.senders.compose import safe_address
from subjectline.handlers.senders.pauses import SERVER, TAKES_ITS_TIME, Lanes, Pauses
from subjectline.handlers.senders.smtp_answers import (
    PutOff,
    ServerSaysNo,
    code_of,
    no_connection,
    no_line,
    sorted_out,
)
from subjectline.handlers.senders.tokens import TokenSource, oauthbearer
from subjectline.models.clock import Clock, system_clock
from subjectline.models.errors import SendError, TemporarySendError, TokenError
from subjectline.models.mail_settings import Finding, SmtpSettings

SLOW = 20.0  # seconds for one letter
LOOK_EVERY = 60.0  # seconds between two looks at the server
LOOK_SECONDS = 20.0  # for one of them
_LINE_ERRORS = (aiosmtplib.SMTPException, OSError, TimeoutError)


class _Client(aiosmtplib.SMTP):
    """Remembers whether the text of a letter has begun to leave."""

    text_begun = False
    used_at = 0.0

    async def data(self, *args: Any, **kwargs: Any) -> aiosmtplib.SMTPResponse:
        self.text_begun = True
        return await super().data(*args, **kwargs)


@dataclass(slots=True)
class SendStatus:
    """How the way out is: for /healthz. `connected` is false from a failure to the next success.

    `since` is when it came to be so; None until it was tried.
    """

    connected: bool = True
    last_error: str = ""
    since: datetime | None = None

    def is_now(self, connected: bool, error: str, at: datetime) -> None:
        """What was found at this moment."""
        if self.since is None or connected is not self.connected:
            self.since = at
        self.connected, self.last_error = connected, error


class SmtpSender:
    """Sends ready mails to the mail server over kept connections, `settings.connections` at once.

    `monotonic` gives seconds for the age of connections and for pauses, `clock` the status its time;
    tests move them.
    """

    def __init__(
        self,
        settings: SmtpSettings,
        tokens: TokenSource | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Clock = system_clock,
    ) -> None:
        self.settings, self.status = settings, SendStatus()
        self._clock = clock
        self._tokens = tokens or (TokenSource(settings.oauth) if settings.oauth else None)
        self._monotonic = monotonic
        self._pauses = Pauses(monotonic=monotonic)
        self._lanes = Lanes(max(1, settings.connections - 1), SLOW)
        self._slots = asyncio.Semaphore(settings.connections)
        self._idle: list[_Client] = []

    async def send(self, envelope_from: str, recipient: str, raw: bytes) -> None:
        """Hand one mail to the server; returns when the server has taken it.

        Raises PermanentSendError when this letter will never reach this address, and
        TemporarySendError when it may leave later: 4xx, no connection, a pause that the server or
        the recipient's domain asked for, and refusals that are about the desk and not the recipient.
        """
        sender = envelope_from and safe_address(envelope_from)
        to = safe_address(recipient, abroad=True)
        domain = to.rpartition("@")[2].lower()
        self._pauses.check(SERVER, domain)
        async with self._lanes.turn(domain), self._slots:
            self._pauses.check(SERVER, domain)  # it may have been said while this one waited
            begun, slow = self._monotonic(), TemporarySendError(TAKES_ITS_TIME)
            loop = asyncio.get_running_loop()
            late = loop.call_later(SLOW, self._pauses.put_off, domain, slow)
            try:
                await self._hand_over(sender, to, raw)
            except PutOff as wrong:
                self._pauses.put_off(domain, wrong)
                raise
            except ServerSaysNo as wrong:
                self._pauses.put_off(SERVER, wrong)
                raise
            finally:
                late.cancel()
            self._pauses.went(SERVER, domain)
            if self._monotonic() - begun > SLOW:  # what else goes there must not keep the others
                self._pauses.put_off(domain, slow)

    async def watch(self, every: float = LOOK_EVERY) -> None:
        """Looks at the server every so many seconds until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(every)

    async def look(self) -> None:
        """Ask whether the server lives, over a kept connection or a new one; `status` has the answer.

        Nothing is asked while every connection is in use (letters tell), nor of a server that wants
        to be left alone.
        """
        if self._slots.locked() or self._pauses.wanted(SERVER):
            return
        async with self._slots:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    client = await self._kept(sure=True) or await self._connect()
            except ServerSaysNo as wrong:
                self._pauses.put_off(SERVER, wrong)
            except TimeoutError as wrong:
                self._noted(no_line(wrong, self.settings), down=True)
            except SendError:
                pass  # it stands in the status
            else:
                self._keep(client)
                self.status.is_now(True, "", self._clock())

    async def close(self) -> None:
        """Take leave of the server."""
        idle, self._idle = self._idle, []
        for client in idle:
            await _quit(client)

    async def doctor(self) -> Finding:
        """Connect, sign in and name our sender address to the server. Sends nothing."""
        settings = self.settings
        try:
            client = await self._connect()
        except SendError as exc:
            return Finding(False, f"smtp: {exc}")
        try:
            await client.ehlo()
            await client.mail(safe_address(settings.from_address))
        except _LINE_ERRORS as exc:
            return Finding(False, f"smtp: {sorted_out(exc, settings)}")
        finally:
            await _quit(client)
        return Finding(True, f"smtp: {settings.host} takes letters from {settings.from_address}.")

    async def _hand_over(self, sender: str, to: str, raw: bytes) -> None:
        kept = await self._kept()
        try:
            await self._transact(kept or await self._connect(), sender, to, raw, kept is not None)
        except _Stale:  # the server had closed the kept connection; nothing has left yet
            await self._transact(await self._connect(), sender, to, raw, reused=False)

    async def _transact(
        self, client: _Client, sender: str, to: str, raw: bytes, reused: bool
    ) -> None:
        client.text_begun = False
        options = [] if to.isascii() else ["SMTPUTF8", "BODY=8BITMIME"]
        try:
            await client.sendmail(sender, [to], raw, mail_options=options)
        except (*_LINE_ERRORS, ValueError) as exc:
            gone = isinstance(exc, aiosmtplib.SMTPServerDisconnected) or code_of(exc) == 421
            if code_of(exc) in (0, 421):
                client.close()
            else:
                self._keep(client)
            if gone and reused and not client.text_begun:
                raise _Stale from None
            raise self._noted(sorted_out(exc, self.settings)) from None
        except BaseException:  # cancelled in mid-command: the answers would be out of step
            client.close()
            raise
        self._keep(client)
        self.status.is_now(True, "", self._clock())

    def _keep(self, client: _Client) -> None:
        client.used_at = self._monotonic()
        if client.is_connected:
            self._idle.append(client)

    async def _kept(self, *, sure: bool = False) -> _Client | None:
        """A connection that lives; one that was not used for long, or where it must be sure, is asked."""
        while self._idle:
            client = self._idle.pop()
            if not client.is_connected:
                client.close()
                continue
            if not sure and self._monotonic() - client.used_at < self.settings.keep_seconds:
                return client
            try:
                await client.noop()
            except _LINE_ERRORS:
                client.close()
            except BaseException:
                client.close()
                raise
            else:
                return client
        return None

    async def _connect(self) -> _Client:
        settings = self.settings
        client = _Client(**_connection(settings))
        try:
            await client.connect()
            if self._tokens is not None:
                await _by_token(client, settings, self._tokens)
        except (*_LINE_ERRORS, TokenError) as exc:  # whatever it is, it is not about one letter
            client.close()
            raise self._noted(no_connection(exc, settings), down=True) from None
        except BaseException:
            client.close()
            raise
        return client

    def _noted(self, wrong: SendError, *, down: bool = False) -> SendError:
        """What is wrong with the server, and not with one letter, stands in the status."""
        if down or isinstance(wrong, ServerSaysNo):
            self.status.is_now(False, str(wrong), self._clock())
        return wrong


class _Stale(TemporarySendError):
    """The kept connection was gone before anything had left."""

    def __init__(self) -> None:
        super().__init__("the mail server had closed the connection")


def _connection(settings: SmtpSettings) -> dict[str, Any]:
    context = None
    if settings.tls != "none":
        context = ssl.create_default_context(cafile=settings.ca_file)
    signed_in = {"username": settings.user, "password": settings.password.get_secret_value()}
    return {
        "hostname": settings.host,
        "port": settings.port,
        "use_tls": settings.tls == "tls",
        "start_tls": settings.tls == "starttls",
        "tls_context": context,
        "timeout": settings.command_seconds,
        "local_hostname": safe_address(f"x@{settings.from_domain}").removeprefix("x@"),
        **(signed_in if settings.user and settings.oauth is None else {}),
    }


async def _by_token(client: _Client, settings: SmtpSettings, tokens: TokenSource) -> None:
    """A token that was kept may have been withdrawn meanwhile: a new one is tried once."""
    await client.ehlo()
    for last in (False, True):
        token = await tokens.token()
        try:
            await _authenticate(client, settings, token)
        except aiosmtplib.SMTPAuthenticationError as no:
            tokens.spent(token)
            if last or no.code < 500:
                raise
        else:
            return


async def _authenticate(client: _Client, settings: SmtpSettings, token: str) -> None:
    if "xoauth2" in client.server_auth_methods:
        await client.auth_xoauth2(settings.user, token)
        return
    if "oauthbearer" not in client.server_auth_methods:
        raise aiosmtplib.SMTPException("AUTH")
    first = oauthbearer(settings.user, token, settings.host, settings.port)
    answer = await client.execute_command(b"AUTH", b"OAUTHBEARER", first)
    if answer.code == aiosmtplib.SMTPStatus.auth_continue:  # the reason; it waits for our word
        answer = await client.execute_command(b"AQ==")
    if answer.code != aiosmtplib.SMTPStatus.auth_successful:
        raise aiosmtplib.SMTPAuthenticationError(answer.code, answer.message)


async def _quit(client: _Client) -> None:
    try:
        await client.quit(timeout=2)
    except _LINE_ERRORS:
        pass
    finally:
        client.close()
