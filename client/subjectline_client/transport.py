"""The gate over HTTP. httpx is imported when the first question leaves, not with the library."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from subjectline_client import wire
from subjectline_client.asking import Ask
from subjectline_client.errors import KeyRefused, TooOld, Unreachable
from subjectline_client.questions import Answer

if TYPE_CHECKING:
    import httpx

EVALUATION = "/access/v1/evaluation"
SNAPSHOT_SECONDS = 30.0
SILENCE = 45.0  # seconds without a heartbeat, after which a stream is opened anew
REPORT_SECONDS = 5.0

Shape = TypeVar("Shape", wire.Snapshot, wire.Changes)
MakeHttp = Callable[[], "httpx.AsyncClient"]


class Http:
    """One gate at `url`, asked with `key`. Every call has a time-out over all of it."""

    def __init__(self, url: str, key: str, make: MakeHttp | None = None) -> None:
        self._url, self._key, self._make = url.rstrip("/"), key, make or _plain
        self._http: httpx.AsyncClient | None = None

    async def snapshot(self) -> wire.Snapshot:
        return await self._fed(wire.Snapshot, wire.SNAPSHOT, {}, SNAPSHOT_SECONDS)

    async def changes(self, since: int, mark: str, version: str, seconds: float) -> wire.Changes:
        """What happened since. Raises TooOld where only a snapshot helps, Unreachable otherwise."""
        query = {"since": str(since), "mark": mark, "policy": version}
        return await self._fed(wire.Changes, wire.CHANGES, query, seconds)

    async def evaluate(self, caller: str, ask: Ask, seconds: float) -> Answer:
        """The gate's own answer, recorded there if a law opened it."""
        context = {"recipient": ask.recipient, "at_least_revision": ask.at_least_revision}
        properties = {"fields": list(ask.fields)}
        question = {
            "subject": {"type": "system", "id": caller},
            "action": {"name": ask.purpose},
            "resource": {"type": "member", "id": ask.subject, "properties": properties},
            "context": {name: value for name, value in context.items() if value is not None},
        }
        body = await self._ask("POST", EVALUATION, seconds, json=question)
        return _decoded(body, Answer)

    async def report(self, uses: tuple[wire.Use, ...], enforced: bool) -> None:
        body = msgspec.json.encode(wire.Uses(uses, enforced))
        kind = {"content-type": "application/json"}
        await self._ask("POST", wire.USES, REPORT_SECONDS, content=body, headers=kind)

    async def wakes(self) -> AsyncIterator[int]:
        """Revisions as the stream says them; ends when the gate ends it. Raises Unreachable."""
        import httpx

        limits = httpx.Timeout(REPORT_SECONDS, read=SILENCE)
        with _reachable():
            async with self._client().stream(
                "GET", self._url + wire.STREAM, headers=self._headers(), timeout=limits
            ) as response:
                _looked(response)
                async for line in response.aiter_lines():
                    if line.startswith("data:") and line[5:].strip().isdecimal():
                        yield int(line[5:])

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def _fed(
        self, shape: type[Shape], path: str, query: dict[str, str], seconds: float
    ) -> Shape:
        """An answer to this very question: one that was kept somewhere on the way proves nothing."""
        ask = secrets.token_hex(8)
        told = _decoded(await self._ask("GET", path, seconds, params={**query, "ask": ask}), shape)
        if told.ask != ask:
            raise Unreachable("that is the answer to another question")
        return told

    async def _ask(self, method: str, path: str, seconds: float, **given: Any) -> bytes:
        headers = {**self._headers(), **given.pop("headers", {})}
        with _reachable():
            async with asyncio.timeout(seconds):
                response = await self._client().request(
                    method, self._url + path, headers=headers, timeout=seconds, **given
                )
        _looked(response)
        return response.content

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key}"}

    def _client(self) -> "httpx.AsyncClient":
        if self._http is None:
            logging.getLogger("httpx").addFilter(_of_others)
            self._http = self._make()
        return self._http


def _of_others(record: logging.LogRecord) -> bool:
    """httpx says every request at INFO; those to the feed, some each second, would be all one reads."""
    return wire.FEED not in str(record.args)


def _plain() -> "httpx.AsyncClient":
    import httpx

    return httpx.AsyncClient(limits=httpx.Limits(max_connections=16))


def _looked(response: "httpx.Response") -> None:
    status = response.status_code
    if status == 410:
        raise TooOld("the gate cannot go on from that revision")
    if status in (401, 403):
        raise KeyRefused("the gate does not know this key")
    if status != 200:
        raise Unreachable(f"the gate answered {status}")


Read = TypeVar("Read")


def _decoded(body: bytes, shape: type[Read]) -> Read:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreachable("the gate's answer cannot be read") from error


class _reachable:
    """Whatever goes wrong on the way is Unreachable, named without the address or the key."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        import httpx

        if kind and issubclass(kind, httpx.HTTPError | httpx.StreamError | OSError):
            raise Unreachable(kind.__name__) from None
