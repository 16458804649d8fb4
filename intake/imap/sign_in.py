"""Signing in to an IMAP server, and what its refusal means. The server's words are never passed on."""

import base64
import binascii
import re

from aioimaplib import aioimaplib as lib

from subjectline.handlers.senders.tokens import TokenSource, oauthbearer, xoauth2
from subjectline.intake.imap.protocol import DeskProtocol
from subjectline.intake.imap.wire import quoted
from subjectline.models.errors import DoorAway, DoorShut, TokenError, TokenRefused
from subjectline.models.mail_settings import MailboxSettings

# RFC 5530, and what Gmail, Microsoft 365 and Naver write where the RFC has a code for it.
_NO_ROOM = re.compile(
    rb"\[(?:UNAVAILABLE|INUSE|LIMIT|OVERQUOTA|THROTTLED|SERVERBUG)\]|too many|simultaneous"
    rb"|bandwidth|rate limit|throttl|temporar",
    re.IGNORECASE,
)
_NOT_ALLOWED = re.compile(
    rb"\[AUTHORIZATIONFAILED\]|authenticated but not connected|enabled? (?:for )?imap"
    rb"|imap (?:access )?is (?:disabled|not enabled)",
    re.IGNORECASE,
)
_APP_PASSWORD = re.compile(
    rb"app(?:lication)?[- ](?:specific )?password|web browser", re.IGNORECASE
)
_OLD = re.compile(rb"\[EXPIRED\]", re.IGNORECASE)


async def sign_in(
    protocol: DeskProtocol, settings: MailboxSettings, tokens: TokenSource | None
) -> None:
    """By password, or by token where the settings have oauth. Raises DoorAway; DoorShut for a no."""
    if protocol.state == lib.AUTH:  # PREAUTH
        return
    if tokens is None:
        await _by_password(protocol, settings)
    else:
        await _by_token(protocol, settings, tokens)
    await protocol.capability()


async def _by_password(protocol: DeskProtocol, settings: MailboxSettings) -> None:
    if "LOGINDISABLED" in protocol.capabilities:
        raise DoorShut(
            f"{settings.host} takes no password on this line", remedy='Set tls = "tls", or oauth.'
        )
    password = settings.password.get_secret_value()
    answer = await protocol.login(quoted(settings.user), password)
    if answer.result != "OK":
        raise refusal(settings, bytes(answer.lines[-1]))


async def _by_token(protocol: DeskProtocol, settings: MailboxSettings, tokens: TokenSource) -> None:
    """A token that was kept may have been withdrawn meanwhile: a new one is tried once."""
    for last in (False, True):
        token = await _token(settings, tokens)
        answer = await _authenticate(protocol, settings, token)
        if answer.result == "OK":
            return
        tokens.spent(token)
        if last or _NO_ROOM.search(bytes(answer.lines[-1])):
            said = bytes(answer.lines[-1]) + b" " + protocol.challenge
            raise refusal(settings, said)


async def _token(settings: MailboxSettings, tokens: TokenSource) -> str:
    try:
        return await tokens.token()
    except TokenRefused as no:
        raise DoorShut(f"sign-in of {settings.user}: {no.rule}", remedy=no.remedy) from None
    except TokenError as away:
        raise DoorAway(f"sign-in of {settings.user}: {away.rule}", remedy=away.remedy) from None


async def _authenticate(
    protocol: DeskProtocol, settings: MailboxSettings, token: str
) -> lib.Response:
    if "AUTH=XOAUTH2" in protocol.capabilities:
        return await protocol.authenticate("XOAUTH2", xoauth2(settings.user, token), b"")
    if "AUTH=OAUTHBEARER" in protocol.capabilities:
        first = oauthbearer(settings.user, token, settings.host, settings.port)
        return await protocol.authenticate("OAUTHBEARER", first, b"AQ==")  # RFC 7628, 3.2.3
    raise DoorShut(
        f"{settings.host} takes no sign-in by token (neither XOAUTH2 nor OAUTHBEARER)",
        remedy="Check host, or set a password in place of oauth.",
    )


def refusal(settings: MailboxSettings, said: bytes) -> DoorShut:
    """What a refused sign-in means: no room now, no permission, or not this password or token."""
    host, user = settings.host, settings.user
    if _NO_ROOM.search(said):
        return DoorShut(
            f"{host} has no room for us now: too many connections, or too much was read",
            remedy="The door waits. Close other programs that read this mailbox.",
        )
    if _NOT_ALLOWED.search(said):
        return DoorShut(
            f"{host} knows {user}, who may not read by IMAP",
            remedy="Switch IMAP on for the mailbox and give the client its permission: "
            "docs/mail-sign-in.md.",
        )
    if settings.oauth is not None:
        return DoorShut(
            f"{host} refused the token of {user}{_status(said)}",
            remedy="Check user and scope, that IMAP is on for the mailbox, and that the client may "
            "open it: docs/mail-sign-in.md.",
        )
    if _APP_PASSWORD.search(said):
        return DoorShut(
            f"{host} wants another password of {user} than that of its web pages",
            remedy="Make an app password for IMAP in the account's settings.",
        )
    old = " (the password is expired)" if _OLD.search(said) else ""
    return DoorShut(
        f"{host} refused the sign-in of {user}{old}",
        remedy="Check user and password of the mailbox.",
    )


def _status(said: bytes) -> str:
    """The status in the JSON that stood in the challenge (RFC 7628, 3.2.2), where there is one."""
    for word in said.split():
        try:
            found = re.search(rb'"status"\s*:\s*"([a-z0-9_]{1,30})"', base64.b64decode(word))
        except (ValueError, binascii.Error):
            continue
        if found:
            return f" ({found[1].decode()})"
    return ""
