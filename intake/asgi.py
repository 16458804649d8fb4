"""Bare ASGI over HTTP, as the gate's applications speak it: small JSON in, small JSON out. Pure."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import msgspec

MAX_BODY = 1 << 20  # bytes

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]
_JSON = (b"content-type", b"application/json")
_NO_STORE = (b"cache-control", b"no-store")


@dataclass(frozen=True, slots=True)
class Reply:
    """A status with a body that msgspec can write as JSON."""

    status: int
    body: object
    headers: Headers = ()


def refusal(status: int, message: str, *headers: tuple[bytes, bytes]) -> Reply:
    return Reply(status, {"error": {"status": status, "message": message}}, headers)


def stranger(key: str) -> Reply:
    """401 to who showed no key (empty) or a wrong one, with the header that says how (RFC 6750, 3)."""
    how = b'Bearer realm="gate"' + (b', error="invalid_token"' if key else b"")
    return refusal(401, "a valid key is needed", (b"www-authenticate", how))


def header(scope: Scope, name: bytes) -> bytes:
    """A header's value; empty where it is missing or stands more than once."""
    found: list[bytes] = [value for key, value in scope["headers"] if key == name]
    return found[0] if len(found) == 1 else b""


def bearer(scope: Scope) -> str:
    """The key that the caller shows (RFC 6750); empty if none."""
    scheme, _, key = header(scope, b"authorization").decode("latin-1").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


async def body_of(receive: Receive) -> bytes | None:
    """The whole body, or as much as shows that it is too long; None if the caller went away."""
    parts, size = list[bytes](), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        parts.append(part)
        if size > MAX_BODY or not message.get("more_body"):
            return part if size == len(part) else b"".join(parts)


async def answer(scope: Scope, send: Send, reply: Reply) -> None:
    """Sends the whole reply. `X-Request-ID` comes back as it was sent."""
    body = msgspec.json.encode(reply.body)
    headers = [_JSON, (b"content-length", b"%d" % len(body)), *(reply.headers or (_NO_STORE,))]
    if reply.headers and not any(name == b"cache-control" for name, _ in reply.headers):
        headers.append(_NO_STORE)
    if request_id := header(scope, b"x-request-id"):
        headers.append((b"x-request-id", request_id))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    shown = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": shown})


async def lifespan(receive: Receive, send: Send) -> None:
    """Nothing to start or stop: what an application needs is run by who built it."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
