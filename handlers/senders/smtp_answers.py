"""What the answers of a mail server mean for the outbox: does it pay to try again? Never its own words,
which often quote the recipient."""

import re
import ssl

import aiosmtplib

from subjectline.handlers.senders.pauses import hint
from subjectline.models.errors import (
    PermanentSendError,
    SendError,
    TemporarySendError,
    TokenError,
    TokenRefused,
)
from subjectline.models.mail_settings import SmtpSettings

_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_TOO_LARGE = 552


class PutOff(TemporarySendError):
    """The server does not take mail to this recipient now; its domain is left alone for a while."""


class ServerSaysNo(TemporarySendError):
    """The server takes no letter of ours at all; asking often makes it worse."""


def code_of(exc: BaseException) -> int:
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
    return f"{code_of(exc)} {_status(exc)}".strip()


def sorted_out(exc: BaseException, settings: SmtpSettings) -> SendError:
    """What the outbox needs to know: does it pay to try again?"""
    code = code_of(exc)
    if isinstance(exc, aiosmtplib.SMTPSenderRefused) and code != _TOO_LARGE:
        return TemporarySendError(
            f"{settings.host} takes no mail from {settings.from_address}: {_answer(exc)}",
            remedy="Check from_address and the sign-in of the mail server.",
            after=hint(_words(exc)),
        )
    if isinstance(exc, aiosmtplib.SMTPNotSupported | ValueError):
        return PermanentSendError("the mail server cannot carry this letter to this address")
    if not code:
        return no_line(exc, settings)
    said = f"the mail server answered {_answer(exc)}"
    of_recipient = isinstance(exc, aiosmtplib.SMTPRecipientsRefused)
    if of_recipient and code == _TOO_LARGE:  # no room: for now (RFC 5321, 4.5.3.1.10)
        return TemporarySendError(said)
    if code >= 500:
        about_us = _status(exc).startswith("5.7.")  # policy: the address may live
        return PermanentSendError(said, of_address=of_recipient and not about_us)
    kind = PutOff if of_recipient else TemporarySendError
    return kind(said, after=hint(_words(exc)))


def no_connection(exc: BaseException, settings: SmtpSettings) -> TemporarySendError:
    if isinstance(exc, TokenError):
        kind = ServerSaysNo if isinstance(exc, TokenRefused) else TemporarySendError
        return kind(f"sign-in of {settings.user}: {exc.rule}", remedy=exc.remedy)
    if isinstance(exc, aiosmtplib.SMTPAuthenticationError):
        secret = "password" if settings.oauth is None else "scope, and that it may send by SMTP"
        return ServerSaysNo(
            f"{settings.host} refused the sign-in of {settings.user}: {_answer(exc)}",
            remedy=f"Check user and {secret} of the mail server.",
        )
    if code_of(exc):
        return ServerSaysNo(
            f"{settings.host} turned us away: {_answer(exc)}", after=hint(_words(exc))
        )
    if isinstance(exc, aiosmtplib.SMTPException) and not isinstance(exc, OSError):
        return TemporarySendError(
            f"{settings.host} port {settings.port} offers no {_lacking(exc)}",
            remedy="Check tls, port and user of the mail server.",
        )
    return no_line(exc, settings)


def _lacking(exc: aiosmtplib.SMTPException) -> str:
    return "STARTTLS" if "TLS" in exc.message.upper() else "sign-in"


def no_line(exc: BaseException, settings: SmtpSettings) -> TemporarySendError:
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
