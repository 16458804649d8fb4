"""What stands in front of both applications: headers, a limit on bodies, a log without addresses.

Forms are guarded three times: the session cookie is SameSite=Strict, a browser that says where a form
came from (Sec-Fetch-Site, else Origin) is believed, and a form carries a token of its session.
"""

import logging
import re
import secrets
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("subjectline.web")

LARGEST_BODY = 2_000_000  # bytes; a policy in two languages is the largest form
GONE = 499  # for the log only: nobody is there who could be answered
STATIC_LIVES = "public, max-age=31536000, immutable"

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A letter is somebody else's layout: it may bring its own styles and nothing more, in a frame of ours.
LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'; sandbox"
)
HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cache-Control": "no-store",
}
LETTER_HEADERS = {"Content-Security-Policy": LETTER_POLICY, "X-Frame-Options": "SAMEORIGIN"}


class Shield:
    """ASGI middleware: our headers on every answer, no body above the limit, one line of log.

    The log names the route's template, never the path: a path may hold a one-time token.
    """

    def __init__(self, app: ASGIApp, uploads: Mapping[re.Pattern[str], int] | None = None) -> None:
        """`uploads`: paths that take a larger body, and how many bytes."""
        self.app, self._uploads = app, dict(uploads or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(scope, MutableHeaders(scope=message))
            await send(message)

        try:
            if _too_large(Headers(scope=scope), self._largest(scope["path"])):
                await PlainTextResponse("Too large", 413)(scope, receive, answer)
            else:
                await self.app(scope, receive, answer)
        except ClientDisconnect:  # a browser that was closed before its form was here
            status = GONE
        finally:
            _log(scope, status, time.perf_counter() - started)

    def _largest(self, path: str) -> int:
        found = (most for pattern, most in self._uploads.items() if pattern.fullmatch(path))
        return next(found, LARGEST_BODY)


def _add_headers(scope: Scope, headers: MutableHeaders) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if scope["path"].startswith("/static/"):
        headers["Cache-Control"] = STATIC_LIVES


def covered(response: Response) -> Response:
    """The page for an unforeseen error: Starlette writes it outside of all middleware."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _too_large(headers: Headers, largest: int) -> bool:
    """A body without a length is refused too: our own forms always tell theirs."""
    length = headers.get("content-length")
    if length is None:
        return "transfer-encoding" in headers
    return not length.isdecimal() or int(length) > largest


def _log(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "(none)")
    logger.info("%s %s %d %.0f ms", scope["method"], route, status, seconds * 1000)


def from_here(request: Request) -> bool:
    """Whether a form was sent from a page of ours, as far as the browser says.

    Our own `no-referrer` makes browsers write `Origin: null`, so that alone says nothing.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin", "null")
    return origin == "null" or urlsplit(origin).netloc == request.headers.get("host")


def same(given: object, expected: str) -> bool:
    """Whether a form's token is the expected one, in constant time."""
    return bool(expected) and secrets.compare_digest(str(given).encode(), expected.encode())
