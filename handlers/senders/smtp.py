"""Letters out by SMTP: aiosmtplib over a few kept connections, each with one letter at a time."""

import asyncio
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiosmtplib

from subjectline.handlers.senders.compose import build_mail as build_mail
from subjectline.handlers.senders.compose import safe_address
from subjectline.handlers.senders.pauses import SERVER, TAKES_ITS_TIME, Lanes, Pauses, hint
from subjectline.handlers.senders.tokens import TokenSource, oauthbearer
from subjectline.models.errors import (
    PermanentSendError,
    SendError,
    TemporarySendError,
    TokenError,
    TokenRefused,
)
from subjectline.models.mail_settings import Finding, SmtpSettings

_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_TOO_LARGE = 552
SLOW = 20.0  # seconds for one letter
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
    """How the way out is: for /healthz. `connected` is false from a failure to the next success."""

    connected: bool = True
    last_error: str = ""


class SmtpSender:
    """Sends ready mails to the mail server over kept connections, `settings.connections` at once.

    `monotonic` gives seconds for the age of connections and for pauses; tests move it.
    """

    def __init__(
        self,
        settings: SmtpSettings,
        tokens: TokenSource | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings, self.status = settings, SendStatus()
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
            except _PutOff as wrong:
                self._pauses.put_off(domain, wrong)
                raise
            except _ServerSaysNo as wrong:
                self._pauses.put_off(SERVER, wrong)
                raise
            finally:
                late.cancel()
            self._pauses.went(SERVER, domain)
            if self._monotonic() - begun > SLOW:  # what else goes there must not keep the others
                self._pauses.put_off(domain, slow)

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
            return Finding(False, f"smtp: {_sorted_out(exc, settings)}")
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
            gone = isinstance(exc, aiosmtplib.SMTPServerDisconnected) or _code(exc) == 421
            if _code(exc) in (0, 421):
                client.close()
            else:
                self._keep(client)
            if gone and reused and not client.text_begun:
                raise _Stale from None
            raise self._noted(_sorted_out(exc, self.settings)) from None
        except BaseException:  # cancelled in mid-command: the answers would be out of step
            client.close()
            raise
        self._keep(client)
        self.status.connected, self.status.last_error = True, ""

    def _keep(self, client: _Client) -> None:
        client.used_at = self._monotonic()
        if client.is_connected:
            self._idle.append(client)

    async def _kept(self) -> _Client | None:
        """A connection that lives; one that was not used for long is asked first."""
        while self._idle:
            client = self._idle.pop()
            if not client.is_connected:
                client.close()
                continue
            if self._monotonic() - client.used_at < self.settings.keep_seconds:
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
            raise self._noted(_no_connection(exc, settings), down=True) from None
        except BaseException:
            client.close()
            raise
        return client

    def _noted(self, wrong: SendError, *, down: bool = False) -> SendError:
        """What is wrong with the server, and not with one letter, stands in the status."""
        if down or isinstance(wrong, _ServerSaysNo):
            self.status.connected, self.status.last_error = False, str(wrong)
        return wrong


class _PutOff(TemporarySendError):
    """The server does not take mail to this recipient now; its domain is left alone for a while."""


class _ServerSaysNo(TemporarySendError):
    """The server takes no letter of ours at all; asking often makes it worse."""


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


def _code(exc: BaseException) -> int:
    if isinstance(exc, aiosmtplib.SMTPRecipientsRefused):
        return exc.recipients[0].code
    return exc.code if isinstance(exc, aiosmtplib.SMTPResponseException) else 0


def _words(exc: BaseException) -> str:
    if isinstance(exc, aiosmtplib.SMTPRecipientsRefused):
        return exc.recipients[0].message or ""
    return getattr(exc, "message", "") or ""


def _status(exc: BaseException) -> str:
    """The enhanced status code (RFC 3463) in the server's answer, or nothing."""
    found = _ENHANCED.search(_words(exc))
    return found.group() if found else ""


def _answer(exc: BaseException) -> str:
    """The server's codes without its words, which often quote the recipient."""
    return f"{_code(exc)} {_status(exc)}".strip()


def _sorted_out(exc: BaseException, settings: SmtpSettings) -> SendError:
    """What the outbox needs to know: does it pay to try again?"""
    code = _code(exc)
    if isinstance(exc, aiosmtplib.SMTPSenderRefused) and code != _TOO_LARGE:
        return TemporarySendError(
            f"{settings.host} takes no mail from {settings.from_address}: {_answer(exc)}",
            remedy="Check from_address and the sign-in of the mail server.",
            after=hint(_words(exc)),
        )
    if isinstance(exc, aiosmtplib.SMTPNotSupported | ValueError):
        return PermanentSendError("the mail server cannot carry this letter to this address")
    if not code:
        return _no_line(exc, settings)
    said = f"the mail server answered {_answer(exc)}"
    of_recipient = isinstance(exc, aiosmtplib.SMTPRecipientsRefused)
    if of_recipient and code == _TOO_LARGE:  # no room: for now (RFC 5321, 4.5.3.1.10)
        return TemporarySendError(said)
    if code >= 500:
        about_us = _status(exc).startswith("5.7.")  # policy: the address may live
        return PermanentSendError(said, of_address=of_recipient and not about_us)
    kind = _PutOff if of_recipient else TemporarySendError
    return kind(said, after=hint(_words(exc)))


def _no_connection(exc: BaseException, settings: SmtpSettings) -> TemporarySendError:
    if isinstance(exc, TokenError):
        kind = _ServerSaysNo if isinstance(exc, TokenRefused) else TemporarySendError
        return kind(f"sign-in of {settings.user}: {exc.rule}", remedy=exc.remedy)
    if isinstance(exc, aiosmtplib.SMTPAuthenticationError):
        secret = "password" if settings.oauth is None else "scope, and that it may send by SMTP"
        return _ServerSaysNo(
            f"{settings.host} refused the sign-in of {settings.user}: {_answer(exc)}",
            remedy=f"Check user and {secret} of the mail server.",
        )
    if _code(exc):
        return _ServerSaysNo(
            f"{settings.host} turned us away: {_answer(exc)}", after=hint(_words(exc))
        )
    if isinstance(exc, aiosmtplib.SMTPException) and not isinstance(exc, OSError):
        return TemporarySendError(
            f"{settings.host} port {settings.port} offers no {_lacking(exc)}",
            remedy="Check tls, port and user of the mail server.",
        )
    return _no_line(exc, settings)


def _lacking(exc: aiosmtplib.SMTPException) -> str:
    return "STARTTLS" if "TLS" in exc.message.upper() else "sign-in"


def _no_line(exc: BaseException, settings: SmtpSettings) -> TemporarySendError:
    cause: BaseException | None = exc
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return TemporarySendError(
            f"the certificate of {settings.host} is not trusted: {cause.verify_message}",
            remedy="Set ca_file to its authority's certificate.",
        )
    if isinstance(exc, aiosmtplib.SMTPServerDisconnected):
        return TemporarySendError(f"{settings.host} hung up")
    if isinstance(exc, TimeoutError):
        return TemporarySendError(f"{settings.host} did not answer in time")
    return TemporarySendError(f"{settings.host} port {settings.port} cannot be reached")
