"""Notices to recipients as signed POSTs, in the form of Standard Webhooks 1.0 (standardwebhooks.com).

The signature is HMAC-SHA256 over id, time and body, so that neither can be exchanged; a receiver
refuses an old time and drops an id that it has seen. Nothing that is answered goes into a log.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from subjectline.models.clock import Clock
from subjectline.models.errors import PermanentSendError, SendError, TemporarySendError
from subjectline.models.mail_settings import Finding
from subjectline.models.recipient_settings import Reach

ENCODED = "whsec_"  # of a secret that is written in base64
AGAIN = (408, 425, 429)  # of 4xx, those that say "later" (RFC 9110; RFC 8470; RFC 6585)
LARGEST_ANSWER = 4096  # bytes that are looked at
LONGEST_WAIT = 24 * 3600.0  # seconds; whoever asks for more would never become an agent's task


def key_of(secret: str) -> bytes:
    """The key of a secret: what base64 after `whsec_` says, else its own bytes."""
    if secret.startswith(ENCODED):
        try:
            return base64.b64decode(secret.removeprefix(ENCODED), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def sign(secret: str, notice_id: str, at: int, body: bytes) -> str:
    """One signature (`v1,…`) over id, seconds since 1970 and body."""
    content = f"{notice_id}.{at}.".encode() + body
    digest = hmac.digest(key_of(secret), content, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def headers_of(reach: Reach, notice_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers; two signatures while the secret is being changed."""
    at = int(now.timestamp())
    secrets = (one.get_secret_value() for one in (reach.secret, reach.secret_before) if one)
    return {
        "Content-Type": "application/json",
        "User-Agent": "Subjectline",
        "Accept-Encoding": "identity",
        "webhook-id": notice_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(sign(one, notice_id, at, body) for one in secrets),
    }


class Webhooks:
    """The way out to recipients' systems. Redirects are not followed: the address is what was agreed."""

    def __init__(
        self, seconds: float, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """`seconds` is the most that one call may take; `transport` another line than TCP, for tests."""
        self._seconds, self._clock = seconds, clock
        self._client = httpx.AsyncClient(timeout=seconds, trust_env=False, transport=transport)

    async def post(self, reach: Reach, notice_id: str, notice: Mapping[str, Any]) -> bool:
        """Posts one notice; True where the answer acknowledges it (`{"acknowledged": id}`).

        Raises TemporarySendError; PermanentSendError for a redirect and for a 4xx that stays.
        """
        body = json.dumps(notice, ensure_ascii=False, separators=(",", ":")).encode()
        headers = headers_of(reach, notice_id, self._clock(), body)
        try:
            # httpx counts anew with each byte: a partner that sends one a second would never be late.
            async with asyncio.timeout(self._seconds):
                return _acknowledged(await self._answer(reach.webhook, headers, body), notice_id)
        except (TimeoutError, httpx.TimeoutException):
            raise TemporarySendError("the webhook did not answer in time") from None
        except httpx.HTTPError as wrong:
            raise TemporarySendError(
                f"the webhook cannot be reached ({type(wrong).__name__})",
                remedy="Check the address, its certificate and the way there.",
            ) from None

    async def _answer(self, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """The beginning of an answer that took the notice; none where it is too large to be one."""
        async with self._client.stream("POST", url, content=body, headers=headers) as answer:
            if not answer.is_success:
                raise _sorted_out(answer)
            if "Content-Encoding" in answer.headers:
                return b""  # packed all the same: it may unpack to anything
            read = b""
            async for piece in answer.aiter_bytes():
                read += piece
                if len(read) > LARGEST_ANSWER:
                    return b""
            return read

    async def doctor(self, name: str, reach: Reach) -> Finding:
        """Posts a signed `ping` with nobody's data."""
        try:
            await self.post(reach, "ping", {"type": "ping", "id": "ping", "data": {}})
        except SendError as wrong:
            return Finding(False, f"recipients: {name}: {wrong}")
        return Finding(True, f"recipients: {name}: the webhook takes what we sign.")

    async def close(self) -> None:
        """Hangs up."""
        await self._client.aclose()


def _acknowledged(body: bytes, notice_id: str) -> bool:
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("acknowledged") == notice_id


def _sorted_out(answer: httpx.Response) -> SendError:
    code = answer.status_code
    rule = f"the webhook answered {code}"
    if code >= 500 or code in AGAIN:
        asked = answer.headers.get("Retry-After", "")
        after = min(float(asked), LONGEST_WAIT) if asked.isdecimal() else None
        return TemporarySendError(rule, after=after)
    return PermanentSendError(rule, remedy="Ask the recipient; then tell it again on the page.")
