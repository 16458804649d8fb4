"""The sandbox's gateway for text messages: takes what Solapi takes, and every phone is read here.

It checks each signature by itself, refuses a date that is more than 15 minutes off and a salt that was
used before. Nothing leaves the machine.
"""

import hashlib
import hmac
import re
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from subjectline.intake.sandbox.imap.store import Changes
from subjectline.models.clock import Clock
from subjectline.models.sms_settings import SmsSettings

SENDER = "0200000000"
KEPT = 200  # messages of one phone
_SIGNED = re.compile(
    r"HMAC-SHA256 apiKey=(?P<key>[^,\s]+), date=(?P<date>[^,\s]+),"
    r" salt=(?P<salt>[^,\s]{12,64}), signature=(?P<sign>[0-9a-f]{64})"
)
_OFF = timedelta(minutes=15)


@dataclass(frozen=True)
class TextMessage:
    """One message as its phone shows it. `kind` is SMS, LMS or ATA (알림톡)."""

    number: int
    to: str
    text: str
    kind: str
    at: datetime


class TextGateway:
    """The gateway and everybody's phones. `trouble`: answers that are given next, each once."""

    def __init__(
        self, clock: Clock, key: str = "sandbox-key", secret: str = "sandbox-secret"
    ) -> None:
        self.key, self.secret, self._clock = key, secret, clock
        self.changes = Changes()
        self.trouble: deque[Response] = deque()
        self.balance = 1000.0
        self._phones: dict[str, deque[TextMessage]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._salts: deque[str] = deque(maxlen=10_000)
        self._taken = 0
        self.app = Starlette(
            routes=[
                Route("/messages/v4/send", self._send, methods=["POST"]),
                Route("/cash/v1/balance", self._money),
            ]
        )

    def settings(self, base_url: str, **more: Any) -> SmsSettings:
        """Settings with which the desk sends its text messages here."""
        known = {"api_key": self.key, "api_secret": self.secret, "sender": SENDER}
        return SmsSettings(**{**known, "base_url": base_url, **more})

    def phone(self, number: str) -> list[TextMessage]:
        """The messages of a phone, oldest first; the number in digits, or as people write it."""
        return list(self._phones.get(re.sub(r"\D", "", number), ()))

    def all(self) -> list[TextMessage]:
        """Every message of every phone, oldest first."""
        return sorted((m for phone in self._phones.values() for m in phone), key=lambda m: m.number)

    async def _send(self, request: Request) -> Response:
        if refusal := self._turned_away(request):
            return refusal
        message = (await request.json())["message"]
        if not re.fullmatch(r"\d{8,15}", message.get("to", "")) or message.get("from") != SENDER:
            return _no(400, "ValidationError")
        self._taken += 1
        to, kind = message["to"], message.get("type", "SMS")
        self._phones[to].append(TextMessage(self._taken, to, message["text"], kind, self._clock()))
        self.changes.happened()
        return JSONResponse({"messageId": f"M{self._taken}", "statusCode": "2000", "to": to})

    async def _money(self, request: Request) -> Response:
        if refusal := self._turned_away(request):
            return refusal
        return JSONResponse({"balance": self.balance, "point": 0.0})

    def _turned_away(self, request: Request) -> Response | None:
        if self.trouble:
            return self.trouble.popleft()
        found = _SIGNED.fullmatch(request.headers.get("authorization", ""))
        if found is None or found["key"] != self.key:
            return _no(403, "InvalidAPIKey")
        signed = f"{found['date']}{found['salt']}".encode()
        wanted = hmac.digest(self.secret.encode(), signed, hashlib.sha256).hex()
        if not hmac.compare_digest(wanted, found["sign"]):
            return _no(403, "SignatureDoesNotMatch")
        if abs(self._clock() - datetime.fromisoformat(found["date"])) > _OFF:
            return _no(403, "RequestTimeTooSkewed")
        if found["salt"] in self._salts:
            return _no(403, "DuplicatedSignature")
        self._salts.append(found["salt"])
        return None


def _no(status: int, name: str) -> Response:
    return JSONResponse({"errorCode": name, "errorMessage": "refused"}, status)
