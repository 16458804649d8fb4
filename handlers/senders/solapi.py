"""A Korean gateway for text messages and KakaoTalk 알림톡: Solapi (formerly CoolSMS, by Nurigo).

One POST a message. Each is signed: HMAC-SHA256 over date and salt with the account's secret, so that
the secret never travels and a copied header dies with its date. Source: Solapi's developer guide,
"API authentication" and "Send a message" (messages/v4).
"""

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Any

import httpx

from subjectline.models.clock import Clock
from subjectline.models.errors import PermanentSendError, SendError, TemporarySendError
from subjectline.models.mail_settings import Finding
from subjectline.models.sms_settings import SmsSettings

SHORT = 90  # bytes of an SMS, in the networks' own encoding (CP949); a longer text is an LMS
CODE_VARIABLE = "#{확인번호}"  # of the 알림톡 template
_ABOUT_US = {401, 402, 403}  # our key, our money, our standing: says nothing of the recipient
_TAKEN = ("2", "4")  # of a message's own status code: taken, delivered


def authorization(key: str, secret: str, now: datetime, salt: str = "") -> str:
    """The Authorization header of one request. `now` is aware; `salt` is 32 random hex digits."""
    date, salt = now.isoformat(timespec="milliseconds"), salt or secrets.token_hex(16)
    sign = hmac.new(secret.encode(), f"{date}{salt}".encode(), hashlib.sha256).hexdigest()
    return f"HMAC-SHA256 apiKey={key}, date={date}, salt={salt}, signature={sign}"


class Solapi:
    """The gateway over one kept connection. What it answers in words stays out of logs: it may quote
    the number."""

    def __init__(
        self,
        settings: SmsSettings,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` is another line than TCP, for tests."""
        self._settings, self._clock = settings, clock
        self._client = httpx.AsyncClient(
            base_url=settings.base_url,
            timeout=settings.seconds,
            trust_env=False,
            transport=transport,
        )

    async def send(self, to: str, text: str, code: str = "") -> None:
        """One message. Raises TemporarySendError, PermanentSendError."""
        said = await self._ask(
            "POST", "/messages/v4/send", {"message": self._message(to, text, code)}
        )
        status = str(said.get("statusCode", ""))
        if not status.startswith(_TAKEN):
            raise PermanentSendError(f"the gateway did not take the message: {_plain(status)}")

    async def doctor(self) -> Finding:
        """Signs in and asks for the balance."""
        try:
            said = await self._ask("GET", "/cash/v1/balance", None)
        except SendError as wrong:
            return Finding(False, f"sms: {wrong}")
        left = float(said.get("balance") or 0) + float(said.get("point") or 0)
        if left <= 0:
            return Finding(False, "sms: the gateway knows us, and there is no balance left.")
        return Finding(True, f"sms: the gateway takes messages from {self._settings.sender}.")

    async def close(self) -> None:
        """Hangs up."""
        await self._client.aclose()

    def _message(self, to: str, text: str, code: str) -> dict[str, Any]:
        settings = self._settings
        short = len(text.encode("cp949", "replace")) <= SHORT
        message: dict[str, Any] = {"to": to, "from": settings.sender, "text": text}
        message["type"] = "SMS" if short else "LMS"
        if code and settings.alimtalk_channel and settings.alimtalk_code_template:
            # Who has no KakaoTalk gets the same words as a text message (disableSms).
            message["type"] = "ATA"
            message["kakaoOptions"] = {
                "pfId": settings.alimtalk_channel,
                "templateId": settings.alimtalk_code_template,
                "variables": {CODE_VARIABLE: code},
                "disableSms": False,
            }
        return message

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        settings = self._settings
        key, secret = (s.get_secret_value() for s in (settings.api_key, settings.api_secret))
        headers = {"Authorization": authorization(key, secret, self._clock())}
        try:
            answer = await self._client.request(method, path, json=body, headers=headers)
        except httpx.TimeoutException:
            raise TemporarySendError("the text gateway did not answer in time") from None
        except httpx.HTTPError:
            raise TemporarySendError(
                "the text gateway cannot be reached", remedy="Check sms.base_url."
            ) from None
        if answer.status_code >= 300:
            raise _sorted_out(answer)
        return _json(answer)


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise TemporarySendError("the text gateway answered with something else")
    return said


def _sorted_out(answer: httpx.Response) -> SendError:
    """Does it pay to try again? What is about the desk may be put right; a refused message is not."""
    code = answer.status_code
    rule = f"the text gateway answered {code} {_name(answer)}".rstrip()
    if code in _ABOUT_US:
        return TemporarySendError(
            rule, remedy="Check sms.api_key, sms.api_secret, the balance and this machine's clock."
        )
    if code in (408, 429) or code >= 500 or code < 400:
        return TemporarySendError(rule, after=_seconds(answer.headers.get("Retry-After", "")))
    return PermanentSendError(rule)


def _name(answer: httpx.Response) -> str:
    """The error's own short name; its sentence may quote the number."""
    try:
        return _plain(str(answer.json()["errorCode"]))
    except (ValueError, KeyError, TypeError):
        return ""


def _plain(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum() and letter.isascii())[:60]


def _seconds(text: str) -> float | None:
    return float(text) if text.isdecimal() else None
