"""The sandbox's recipients of the data: processors and buyers that hear of holds and of their end.

Each checks the signature by itself, refuses a time that is more than five minutes off, and answers a
notice that it has seen as it did then. One of them takes every notice and acknowledges none.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from subjectline.models.clock import Clock
from subjectline.models.datamap import DataMap
from subjectline.models.recipient_settings import Reach, RecipientSettings

PATH = "/partners"
SILENT = "nurigo"  # sends text messages, and answers nobody
KEPT = 200
OFF = 300  # seconds


@dataclass(frozen=True)
class Heard:
    """One notice as a recipient took it. `times` counts how often it came."""

    recipient: str
    notice: str
    kind: str
    member: str
    fields: tuple[str, ...]
    corrected: bool
    at: datetime
    acknowledged: bool
    times: int = 1


class Partners:
    """All recipients of the sample company."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._secret = clock, secrets.token_urlsafe(32)
        self._heard: dict[str, Heard] = {}
        self._order: deque[str] = deque(maxlen=KEPT)
        self.count = 0
        self.app = Starlette(routes=[Route("/{name}", self._take, methods=["POST"])])

    def settings(self, base: str, data_map: DataMap) -> RecipientSettings:
        """Settings with which the desk tells them all."""
        secret = SecretStr(self._secret)
        told = [name for name, one in data_map.recipients.items() if one.told]
        reach = {name: Reach(webhook=f"{base}{PATH}/{name}", secret=secret) for name in told}
        return RecipientSettings(reach=reach)

    def of(self, member: str) -> list[Heard]:
        """What recipients have heard of a member, of each the last, oldest first."""
        mine = [self._heard[one] for one in self._order if self._heard[one].member == member]
        last = {one.recipient: one for one in mine}
        return list(last.values())

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        if not self._genuine(request, body):
            return Response("not signed by the company", 401)
        said, name = json.loads(body), request.path_params["name"]
        if said["type"] == "ping":
            return Response(status_code=204)
        answer = self._keep(name, said)
        self.count += 1
        if not answer.acknowledged:
            return Response(status_code=202)
        return JSONResponse({"acknowledged": answer.notice})

    def _keep(self, name: str, said: dict[str, Any]) -> Heard:
        known = self._heard.get(said["id"])
        data = said["data"]
        heard = Heard(
            name,
            said["id"],
            said["type"].removeprefix("recipient."),
            data["member"],
            tuple(data["fields"]),
            "values" in data,
            known.at if known else self._clock(),
            name != SILENT,
            known.times + 1 if known else 1,
        )
        if known is None:
            if len(self._order) == KEPT:
                del self._heard[self._order[0]]
            self._order.append(heard.notice)
        self._heard[heard.notice] = heard
        return heard

    def _genuine(self, request: Request, body: bytes) -> bool:
        number, at = (request.headers.get(f"webhook-{one}", "") for one in ("id", "timestamp"))
        if not at.isdecimal() or abs(self._clock().timestamp() - int(at)) > OFF:
            return False
        signed = hmac.digest(
            self._secret.encode(), f"{number}.{at}.".encode() + body, hashlib.sha256
        )
        wanted = f"v1,{base64.b64encode(signed).decode()}"
        given = request.headers.get("webhook-signature", "").split(" ")
        return any(hmac.compare_digest(wanted, one) for one in given)
