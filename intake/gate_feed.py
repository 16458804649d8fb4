"""The gate's feed over HTTP, for replicas: a bare ASGI application beside the AuthZEN one.

`GET /gate/v1/snapshot`, `GET /gate/v1/changes?since=R`, `GET /gate/v1/stream` (server-sent events:
wake-ups only), `POST /gate/v1/uses`. Callers show the same Bearer keys as for a question.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

import msgspec

from subjectline.handlers.gate_feed import Feed
from subjectline.intake.asgi import (
    MAX_BODY,
    App,
    Receive,
    Reply,
    Scope,
    Send,
    answer,
    bearer,
    body_of,
    lifespan,
    refusal,
    stranger,
)
from subjectline.models.errors import FeedBroken, SubjectlineError
from subjectline_client import wire

HEARTBEAT_SECONDS = 15.0
METHODS = {wire.SNAPSHOT: "GET", wire.CHANGES: "GET", wire.STREAM: "GET", wire.USES: "POST"}
MOST_USES = 10_000  # in one report
LONGEST = 64  # characters of what a question carries to be said again

Query = Mapping[str, str]
Ask = Callable[["_FeedApp", str, Scope, Receive], Awaitable[Reply | None]]


def create_feed_app(feed: Feed) -> App:
    """The application over `feed`. Somebody has to run the feed, or streams tell nothing new."""
    return _FeedApp(feed)


class _FeedApp:
    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await lifespan(receive, send)
        if scope["type"] != "http":
            return
        refused = await self._refused(scope)
        if isinstance(refused, Reply):
            return await answer(scope, send, refused)
        if scope["path"] == wire.STREAM:
            return await self._stream(scope, receive, send)
        reply = await self._reply(refused, scope, receive)
        if reply is not None:
            await answer(scope, send, reply)

    async def _refused(self, scope: Scope) -> Reply | str:
        """Who asks; or why that is not answered."""
        method = METHODS.get(scope["path"])
        if method is None:
            return refusal(404, "there is nothing here")
        if scope["method"] != method:
            return refusal(405, "this is asked in another way", (b"allow", method.encode()))
        try:
            caller = await self._caller(scope)
        except SubjectlineError as error:
            return refusal(503, str(error), (b"retry-after", b"1"))
        return caller or stranger(bearer(scope))

    async def _caller(self, scope: Scope) -> str | None:
        key = bearer(scope)
        return await self._feed.authenticate(key) if key else None

    async def _reply(self, caller: str, scope: Scope, receive: Receive) -> Reply | None:
        try:
            return await _ASKS[scope["path"]](self, caller, scope, receive)
        except FeedBroken as error:
            told = {"status": 410, "message": f"{error} Take a new snapshot.", "snapshot": True}
            return Reply(410, {"error": told})
        except SubjectlineError as error:
            return refusal(503, str(error), (b"retry-after", b"1"))

    async def _snapshot(self, caller: str, scope: Scope, receive: Receive) -> Reply:
        return Reply(200, await self._feed.snapshot(caller, _query(scope).get("ask", "")[:LONGEST]))

    async def _changes(self, caller: str, scope: Scope, receive: Receive) -> Reply:
        query = _query(scope)
        since = query.get("since", "")
        if not since.isdecimal() or not since.isascii() or len(since) > 18:
            return refusal(400, "since must be a revision: a whole number, 0 or more")
        told = (query.get(name, "")[:LONGEST] for name in ("mark", "policy", "ask"))
        return Reply(200, await self._feed.changes(caller, int(since), *told))

    async def _uses(self, caller: str, scope: Scope, receive: Receive) -> Reply | None:
        body = await body_of(receive)
        if body is None:
            return None
        if len(body) > MAX_BODY:
            return refusal(413, f"the body is longer than {MAX_BODY} bytes")
        try:
            told = msgspec.json.decode(body, type=wire.Uses)
        except (msgspec.DecodeError, RecursionError) as error:
            return refusal(400, str(error))
        if len(told.uses) > MOST_USES:
            return refusal(413, f"more than {MOST_USES} uses in one report")
        await self._feed.report(caller, told.uses, told.enforced)
        return Reply(200, {"counted": len(told.uses)})

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Says the newest revision whenever it moved, until the caller goes or the feed ends.

        The key is looked at again with each heartbeat.
        """
        gone = asyncio.create_task(_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _EVENTS})
            await _say(send, b": here\n\n")
            await self._wakes(scope, send, gone)
            if not gone.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()

    async def _wakes(self, scope: Scope, send: Send, gone: "asyncio.Task[None]") -> None:
        known = 0
        while True:
            newer = asyncio.create_task(self._feed.newer(known))
            try:
                await asyncio.wait(
                    {newer, gone}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                moved = newer.result() if newer.done() else known
                newer.cancel()
            if gone.done() or moved is None:
                return
            if moved != known:
                known = moved
                await _say(send, b"event: revision\ndata: %d\n\n" % known)
            elif not await self._still(scope):
                return
            else:
                await _say(send, b": still here\n\n")

    async def _still(self, scope: Scope) -> bool:
        """Whether the key is still good; as long as nobody can tell, it is: nothing is told by it."""
        try:
            return await self._caller(scope) is not None
        except SubjectlineError:
            return True


_ASKS: Mapping[str, Ask] = {
    wire.SNAPSHOT: _FeedApp._snapshot,
    wire.CHANGES: _FeedApp._changes,
    wire.USES: _FeedApp._uses,
}
_EVENTS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx holds events back otherwise
]


def _query(scope: Scope) -> Query:
    return dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))


async def _gone(receive: Receive) -> None:
    """Until the caller has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(send: Send, words: bytes) -> None:
    await send({"type": "http.response.body", "body": words, "more_body": True})
