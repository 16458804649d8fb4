"""The gate over HTTP: OpenID AuthZEN 1.0 as a bare ASGI application.

`POST /access/v1/evaluation`, `POST /access/v1/evaluations`, `GET /.well-known/authzen-configuration`,
`GET /openapi.json`. Callers show a Bearer key (RFC 6750). There is no search: it would list who is
held.
"""

from urllib.parse import urlsplit

from msgspec import Raw

from subjectline.handlers.gate import Gate
from subjectline.intake import authzen
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
    header,
    lifespan,
    refusal,
    stranger,
)
from subjectline.intake.authzen import Batch, Json, Question
from subjectline.intake.gate_limits import Limits
from subjectline.intake.gate_openapi import document
from subjectline.models.errors import BadInput, SubjectlineError
from subjectline_client import core
from subjectline_client.core import Decision

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
DISCOVERY = "/.well-known/authzen-configuration"
OPENAPI = "/openapi.json"
READ = ("GET", "HEAD")
METHODS = {EVALUATION: ("POST",), EVALUATIONS: ("POST",), DISCOVERY: READ, OPENAPI: READ}
FOR_A_WHILE = (b"cache-control", b"public, max-age=300")  # AuthZEN, Metadata Caching


def create_gate_app(gate: Gate, base_url: str = "", limits: Limits | None = None) -> App:
    """The application over `gate`, to be mounted or served alone.

    `base_url` is what the discovery document calls the gate, with https and without a query; empty:
    what the caller asked. With a path (`https://pdp.example/gate`) the document is at
    `/.well-known/authzen-configuration/gate`, and the rest below `/gate` too.
    """
    return GateApp(gate, base_url.rstrip("/"), limits or Limits())


class GateApp:
    """See `create_gate_app`."""

    def __init__(self, gate: Gate, base_url: str, limits: Limits) -> None:
        self._gate, self._base_url, self._limits = gate, base_url, limits
        self._prefix = urlsplit(base_url).path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await lifespan(receive, send)
        if scope["type"] == "http":
            reply = await self._reply(scope, receive)
            if reply is not None:
                await answer(scope, send, reply)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply | None:
        """The answer; None if the caller went away before the end of the question."""
        prefix, path = self._place(scope)
        methods = METHODS.get(path)
        if methods is None:
            return refusal(404, "there is nothing here")
        if scope["method"] not in methods:
            allowed = ", ".join(methods).encode()
            return refusal(405, "this is asked in another way", (b"allow", allowed))
        if methods is READ:
            base = self._base_url or _asked_at(scope) + prefix
            told = _discovery(base) if path == DISCOVERY else document(base)
            return Reply(200, told, (FOR_A_WHILE,))
        key = bearer(scope)
        try:
            caller = await self._gate.authenticate(key) if key else None
        except SubjectlineError as error:
            return refusal(503, str(error), (b"retry-after", b"1"))
        if caller is None:
            return self._stranger(scope, key)
        return await self._asked(path, caller, scope, receive)

    def _stranger(self, scope: Scope, key: str) -> Reply:
        """A wrong key costs its address; who has a good one is answered from there all the same."""
        address = (scope.get("client") or ("",))[0]
        if key and (wait := self._limits.stranger(address)):
            return later(wait, "too many wrong keys from this address")
        return stranger(key)

    async def _asked(self, path: str, caller: str, scope: Scope, receive: Receive) -> Reply | None:
        kind = header(scope, b"content-type").split(b";")[0].strip().lower()
        if kind != b"application/json":
            return refusal(400, "the content type must be application/json")
        body = await body_of(receive)
        if body is None:
            return None
        if len(body) > MAX_BODY:
            return refusal(413, f"the body is longer than {MAX_BODY} bytes")
        try:
            return await self._evaluated(path, caller, body)
        except BadInput as error:
            late = self._limits.caller(caller, 1)
            return later(late, "too many questions") if late else refusal(400, str(error))

    async def _evaluated(self, path: str, caller: str, body: bytes) -> Reply:
        """Raises BadInput for what is no question."""
        batch = path == EVALUATIONS
        found = authzen.plain(body, batch) or authzen.read_long(body, batch)
        number = 1 if isinstance(found, Question) else len(found.evaluations)
        if late := self._limits.caller(caller, number):
            return later(late, "too many questions")
        if isinstance(found, Question):
            return Reply(200, await self._one(caller, found))
        return Reply(200, {"evaluations": await self._many(caller, found)})

    async def _one(self, caller: str, question: Question) -> Json:
        ask = authzen.asked(question, caller)
        if ask is None:
            return self._refused(question, caller)
        await self._gate.ready(ask.at_least_revision)
        return authzen.told(await self._gate.answer(ask))

    async def _many(self, caller: str, batch: Batch) -> list[Json | Raw]:
        """The answers in order, as many as the semantic asks for."""
        asks = authzen.asks(batch, caller)
        tokens = [ask.at_least_revision for ask in asks if ask and ask.at_least_revision]
        await self._gate.ready(max(tokens, default=None))
        stop = authzen.STOPS_AT[batch.options.evaluations_semantic]
        told = authzen.all_told(await self._gate.answers(asks, stop))
        again = authzen.questions(batch) if None in told else []
        return [
            self._refused(again[at], caller) if answer is None else answer
            for at, answer in enumerate(told)
        ]

    def _refused(self, question: Question | BadInput, caller: str) -> Json:
        """Who asks is known by the key; a body that names another asks for nobody."""
        if isinstance(question, BadInput):
            return authzen.not_understood(question)
        ours = question.subject.id == caller
        reason = authzen.UNKNOWN_RESOURCE_TYPE if ours else core.UNKNOWN_CALLER
        return authzen.told(
            Decision(False, (reason,), (), (), self._gate.state.revision, self._gate.age_ms, 0)
        )

    def _place(self, scope: Scope) -> tuple[str, str]:
        """Where the application is mounted, and what of the path is ours.

        Mounted at `/access` or the root, the whole path is; at `/gate`, what comes after it.
        """
        path: str = scope["path"]
        if path in METHODS:
            return "", path
        if self._prefix:
            if path == DISCOVERY + self._prefix:
                return "", DISCOVERY
            path = path.removeprefix(self._prefix)
        prefix = scope.get("root_path", "")
        return prefix, path.removeprefix(prefix)


def later(seconds: int, why: str) -> Reply:
    return refusal(429, why, (b"retry-after", str(seconds).encode()))


def _discovery(base: str) -> Json:
    return {
        "policy_decision_point": base,
        "access_evaluation_endpoint": base + EVALUATION,
        "access_evaluations_endpoint": base + EVALUATIONS,
    }


def _asked_at(scope: Scope) -> str:
    host = header(scope, b"host").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host}"
