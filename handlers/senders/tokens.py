"""Access tokens for mail servers: had once, kept until shortly before they end, one request at a time.

RFC 6749: the account's refresh token (section 6), or the client's own credentials (4.4). What a token
server says in words stays out of logs and errors: it may name the account.
"""

import asyncio
import hashlib
import logging
import os
import re
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from subjectline.models.errors import TokenError, TokenRefused
from subjectline.models.mail_settings import OAuthSettings

log = logging.getLogger(__name__)

EARLY = 300.0  # seconds before its end a token is replaced
SHORT = 0.25  # of a token's life at most; the rest of a short one is used
UNKNOWN_LIFE = 600.0  # where the server does not say how long it lives (RFC 6749 5.1 allows that)

# What the token server's word (RFC 6749 5.2) means to an operator: what is wrong, and the way out.
_WORDS = {
    "invalid_client": (
        "the token server does not know the client, or its secret is wrong or expired",
        "Check client_id and client_secret.",
    ),
    "invalid_grant": (
        "the refresh token is expired or was withdrawn",
        "Sign in once more and set the new refresh_token.",
    ),
    "unauthorized_client": (
        "the client may not ask for tokens in this way",
        "Allow it in the provider's console: docs/mail-sign-in.md.",
    ),
    "invalid_scope": (
        "the token server does not know the scope",
        "Check scope: docs/mail-sign-in.md names those of Google and Microsoft.",
    ),
    "access_denied": (
        "nobody has allowed this client to read and send mail",
        "An administrator has to consent: docs/mail-sign-in.md.",
    ),
}
_WORDS["consent_required"] = _WORDS["interaction_required"] = _WORDS["access_denied"]
# Microsoft's own numbers, which its `error` is too coarse for.
_NUMBERS = {
    "700016": _WORDS["invalid_client"],
    "7000215": _WORDS["invalid_client"],
    "7000222": _WORDS["invalid_client"],
    "70008": _WORDS["invalid_grant"],
    "700082": _WORDS["invalid_grant"],
    "50173": _WORDS["invalid_grant"],
    "65001": _WORDS["access_denied"],
    "90002": ("there is no such tenant", "Check the tenant in token_url."),
}
_NUMBER = re.compile(r"\bAADSTS(\d{4,8})\b")


class TokenSource:
    """The access tokens of one account. `monotonic` gives seconds; tests move it."""

    def __init__(
        self, settings: OAuthSettings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings = settings
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._token, self._until = "", 0.0
        self._refresh = _kept(settings)
        self._refused: TokenRefused | None = None
        self._refusals, self._ask_again = 0, 0.0

    async def token(self) -> str:
        """A token that lives for a while yet.

        Raises TokenRefused where the server says no, and again without asking it until its pause
        (`retry_seconds`, doubling) is over; TokenError where it does not answer.
        """
        async with self._lock:
            if self._token and self._monotonic() < self._until:
                return self._token
            if self._refused is not None and self._monotonic() < self._ask_again:
                raise TokenRefused(self._refused.rule, remedy=self._refused.remedy)
            return await self._ask()

    def spent(self, token: str) -> None:
        """A mail server did not take this token: the next question goes to the token server."""
        if token == self._token:
            self._token = ""

    async def _ask(self) -> str:
        answer = await self._answer()
        found = answer.get("access_token")
        if not isinstance(found, str) or not found or re.search(r"[^\x21-\x7e]", found):
            raise TokenError("the token server's answer holds no token")
        life = _seconds(answer.get("expires_in"))
        self._token = found
        self._until = self._monotonic() + life - min(EARLY, SHORT * life)
        self._refused, self._refusals = None, 0
        self._remember(answer.get("refresh_token"))
        return found

    async def _answer(self) -> dict[str, Any]:
        settings = self.settings
        try:
            async with (
                asyncio.timeout(settings.seconds),
                httpx.AsyncClient(timeout=settings.seconds, follow_redirects=False) as line,
            ):
                response = await line.post(settings.token_url, data=self._form())
        except (httpx.HTTPError, TimeoutError, OSError) as wrong:
            raise TokenError(
                f"the token server {_host(settings)} cannot be reached ({type(wrong).__name__})",
                remedy="Check token_url and the way out to the internet.",
            ) from None
        answer = _json(response)
        if response.status_code == 429 or response.status_code >= 500:
            raise TokenError(f"the token server answered {response.status_code}")
        if response.status_code != 200:
            raise self._refusal(response.status_code, answer)
        return answer

    def _form(self) -> dict[str, str]:
        settings = self.settings
        form = {"client_id": settings.client_id}
        if secret := settings.client_secret.get_secret_value():
            form["client_secret"] = secret
        if self._refresh:
            form |= {"grant_type": "refresh_token", "refresh_token": self._refresh}
        else:
            form["grant_type"] = "client_credentials"
        return form | ({"scope": settings.scope} if settings.scope else {})

    def _refusal(self, status: int, answer: dict[str, Any]) -> TokenRefused:
        settings = self.settings
        pause = settings.retry_seconds * 2.0 ** min(self._refusals, 16)
        self._refusals += 1
        self._ask_again = self._monotonic() + min(pause, settings.retry_max_seconds)
        self._token = ""
        self._refused = _told(status, answer)
        return self._refused

    def _remember(self, refresh: object) -> None:
        """A server may give a new refresh token for the old one (RFC 6749 section 6)."""
        if not isinstance(refresh, str) or not refresh or not self._refresh:
            return
        if refresh != self._refresh and self.settings.keep is not None:
            _write(self.settings, self.settings.keep, refresh)
        self._refresh = refresh


class TokenSources:
    """One source for all doors that sign in with the same settings."""

    def __init__(self) -> None:
        self._known: dict[OAuthSettings, TokenSource] = {}

    def of(self, settings: OAuthSettings | None) -> TokenSource | None:
        """The source of these settings; None for those who sign in with a password."""
        if settings is None:
            return None
        return self._known.setdefault(settings, TokenSource(settings))


def xoauth2(user: str, token: str) -> bytes:
    """The initial response of XOAUTH2, in base64 (Google's and Microsoft's own mechanism)."""
    return b64encode(f"user={user}\1auth=Bearer {token}\1\1".encode())


def oauthbearer(user: str, token: str, host: str, port: int) -> bytes:
    """The initial response of OAUTHBEARER, in base64 (RFC 7628 section 3.1, RFC 5801 names)."""
    name = user.replace("=", "=3D").replace(",", "=2C")
    words = f"n,a={name},\1host={host}\1port={port}\1auth=Bearer {token}\1\1"
    return b64encode(words.encode())


def _told(status: int, answer: dict[str, Any]) -> TokenRefused:
    """The refusal in words of ours: theirs may name the account."""
    word = str(answer.get("error", ""))
    number = _NUMBER.search(str(answer.get("error_description", "")))
    known = _NUMBERS.get(number[1], None) if number else None
    rule, remedy = known or _WORDS.get(word, ("the token server gave no token", "Check oauth."))
    code = number[0] if number else word if re.fullmatch(r"[a-z_]{1,40}", word) else str(status)
    return TokenRefused(f"{rule} ({code})", remedy=remedy)


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _seconds(value: object) -> float:
    try:
        return max(float(str(value)), 1.0)
    except ValueError:
        return UNKNOWN_LIFE


def _host(settings: OAuthSettings) -> str:
    return httpx.URL(settings.token_url).host


def _kept(settings: OAuthSettings) -> str:
    """The newest refresh token: what the server gave for that of the settings, else that itself."""
    given = settings.refresh_token.get_secret_value()
    if not given or settings.keep is None:
        return given
    try:
        of, _, newer = settings.keep.read_text().strip().partition(" ")
    except (OSError, UnicodeDecodeError):
        return given
    return newer if newer and of == _mark(given) else given


def _mark(given: str) -> str:
    """By which a kept token is known to come from this one: an operator may have set another."""
    return hashlib.sha256(given.encode()).hexdigest()


def _write(settings: OAuthSettings, path: Path, refresh: str) -> None:
    """Whole or not at all, for its owner's eyes only."""
    new = path.with_name(f"{path.name}.new")
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(f"{_mark(settings.refresh_token.get_secret_value())} {refresh}\n")
        new.replace(path)
    except OSError as wrong:  # this token is good all the same
        log.error("a new refresh token cannot be kept in %s: %s", path, wrong.strerror)
