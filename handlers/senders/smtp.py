"""Letters out by SMTP: aiosmtplib over one kept connection, one letter at a time."""

import asyncio
import re
import ssl
import time
from collections.abc import Callable
from typing import Any

import aiosmtplib

from subjectline.handlers.senders.compose import build_mail as build_mail
from subjectline.handlers.senders.compose import safe_address
from subjectline.models.errors import PermanentSendError, SendError, TemporarySendError
from subjectline.models.mail_settings import Finding, SmtpSettings

_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_TOO_LARGE = 552
_LINE_ERRORS = (aiosmtplib.SMTPException, OSError, TimeoutError)


class _Client(aiosmtplib.SMTP):
    """Remembers whether the text of a letter has begun to leave."""

    text_begun = False

    async def data(self, *args: Any, **kwargs: Any) -> aiosmtplib.SMTPResponse:
        self.text_begun = True
        return await super().data(*args, **kwargs)


class SmtpSender:
    """Sends ready mails to the mail server, serialised over one connection that is kept.

    `monotonic` gives seconds for the age of the connection; tests move it.
    """

    def __init__(
        self, settings: SmtpSettings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings = settings
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._client: _Client | None = None
        self._used_at = 0.0

    async def send(self, envelope_from: str, recipient: str, raw: bytes) -> None:
        """Hand one mail to the server; returns when the server has taken it.

        Raises PermanentSendError when this letter will never reach this address, and
        TemporarySendError when it may leave later: 4xx, no connection, and refusals that are about
        the desk and not the recipient (sign-in, sender address).
        """
        sender, to = envelope_from and safe_address(envelope_from), safe_address(recipient)
        async with self._lock:
            kept = await self._kept()
            try:
                await self._transact(kept or await self._connect(), sender, to, raw)
            except _Stale:  # the server had closed the kept connection; nothing has left yet
                await self._transact(await self._connect(), sender, to, raw)

    async def close(self) -> None:
        """Take leave of the server."""
        async with self._lock:
            client, self._client = self._client, None
            if client is not None:
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

    async def _transact(self, client: _Client, sender: str, to: str, raw: bytes) -> None:
        reused, client.text_begun = client is self._client, False
        self._client = client
        try:
            await client.sendmail(sender, [to], raw)
        except (*_LINE_ERRORS, ValueError) as exc:
            if _code(exc) in (0, 421):
                self._drop()
            gone = isinstance(exc, aiosmtplib.SMTPServerDisconnected) or _code(exc) == 421
            if gone and reused and not client.text_begun:
                raise _Stale from None
            raise _sorted_out(exc, self.settings) from None
        except BaseException:  # cancelled in mid-command: the answers would be out of step
            self._drop()
            raise
        self._used_at = self._monotonic()

    async def _kept(self) -> _Client | None:
        client = self._client
        if client is None or not client.is_connected:
            return None
        if self._monotonic() - self._used_at < self.settings.keep_seconds:
            return client
        try:
            await client.noop()
        except _LINE_ERRORS:
            self._drop()
            return None
        return client

    async def _connect(self) -> _Client:
        settings = self.settings
        try:
            client = _Client(**_connection(settings))
            await client.connect()
        except _LINE_ERRORS as exc:  # whatever it is, it is not about one letter
            raise _no_connection(exc, settings) from None
        return client

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


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
        **(signed_in if settings.user else {}),
    }


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


def _answer(exc: BaseException) -> str:
    """The server's codes without its words, which often quote the recipient."""
    words = exc
    if isinstance(exc, aiosmtplib.SMTPRecipientsRefused):
        words = exc.recipients[0]
    enhanced = _ENHANCED.search(getattr(words, "message", "") or "")
    return f"{_code(exc)} {enhanced.group()}" if enhanced else str(_code(exc))


def _sorted_out(exc: BaseException, settings: SmtpSettings) -> SendError:
    """What the outbox needs to know: does it pay to try again?"""
    code = _code(exc)
    if isinstance(exc, aiosmtplib.SMTPSenderRefused) and code != _TOO_LARGE:
        return TemporarySendError(
            f"{settings.host} takes no mail from {settings.from_address}: {_answer(exc)}",
            remedy="Check from_address and the sign-in of the mail server.",
        )
    if code >= 500:
        return PermanentSendError(f"the mail server answered {_answer(exc)}")
    if isinstance(exc, aiosmtplib.SMTPNotSupported | ValueError):
        return PermanentSendError("the mail server cannot carry this letter to this address")
    if code:
        return TemporarySendError(f"the mail server answered {_answer(exc)}")
    return _no_line(exc, settings)


def _no_connection(exc: BaseException, settings: SmtpSettings) -> TemporarySendError:
    if isinstance(exc, aiosmtplib.SMTPAuthenticationError):
        return TemporarySendError(
            f"{settings.host} refused the sign-in of {settings.user}: {_answer(exc)}",
            remedy="Check user and password of the mail server.",
        )
    if _code(exc):
        return TemporarySendError(f"{settings.host} turned us away: {_answer(exc)}")
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
