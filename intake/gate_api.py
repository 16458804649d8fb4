"""The gate over HTTP: OpenID AuthZEN 1.0 as a bare ASGI application.

`POST /access/v1/evaluation`, `POST /access/v1/evaluations`, `GET /.well-known/authzen-configuration`.
Callers show a Bearer key (RFC 6750). There is no search: it would list who is held.
"""

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
)
from subjectline.intake.authzen import Batch, Json, Question
from subjectline.models.errors import BadInput, SubjectlineError
from subjectline_client import core
from subjectline_client.core import Decision

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
DISCOVERY = "/.well-known/authzen-configuration"
METHODS = {EVALUATION: ("POST",), EVALUATIONS: ("POST",), DISCOVERY: ("GET", "HEAD")}


def create_gate_app(gate: Gate, base_url: str = "") -> App:
    """The application over `gate`, to be mounted or served alone.

    `base_url` is what the discovery document calls itself; empty: what the caller asked.
    """
    return _GateApp(gate, base_url.rstrip("/"))


class _GateApp:
    def __init__(self, gate: Gate, base_url: str) -> None:
        self._gate, self._base_url = gate, base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await lifespan(receive, send)
        if scope["type"] == "http":
            reply = await self._reply(scope, receive)
            if reply is not None:
                await answer(scope, send, reply)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply | None:
        """The answer; None if the caller went away before the end of the question."""
        prefix, path = _place(scope)
        methods = METHODS.get(path)
        if methods is None:
            return refusal(404, "there is nothing here")
        if scope["method"] not in methods:
            allowed = ", ".join(methods).encode()
            return refusal(405, "this is asked in another way", (b"allow", allowed))
        if path == DISCOVERY:
            return Reply(200, _discovery(self._base_url or _asked_at(scope) + prefix))
        try:
            caller = await self._caller(scope)
        except SubjectlineError as error:
            return refusal(503, str(error), (b"retry-after", b"1"))
        if caller is None:
            return refusal(401, "a valid key is needed", (b"www-authenticate", b"Bearer"))
        return await self._evaluate(path, caller, scope, receive)

    async def _caller(self, scope: Scope) -> str | None:
        """Who asks. Raises SubjectlineError if nobody can tell now."""
        key = bearer(scope)
        return await self._gate.authenticate(key) if key else None

    async def _evaluate(
        self, path: str, caller: str, scope: Scope, receive: Receive
    ) -> Reply | None:
        kind = header(scope, b"content-type").split(b";")[0].strip().lower()
        if kind != b"application/json":
            return refusal(400, "the content type must be application/json")
        body = await body_of(receive)
        if body is None:
            return None
        if len(body) > MAX_BODY:
            return refusal(413, f"the body is longer than {MAX_BODY} bytes")
        try:
            raw = authzen.read(body)
            if path == EVALUATIONS:
                batch = authzen.batch_of(raw)
                if batch.evaluations:
                    return Reply(200, await self._each(caller, raw, batch))
            question = authzen.shaped(raw, Question)
        except BadInput as error:
            return refusal(400, str(error))
        await self._gate.refresh()
        return Reply(200, authzen.told(await self._decide(caller, question)))

    async def _each(self, caller: str, raw: Json, batch: Batch) -> Json:
        """The answers in order, as many as the semantic asks for."""
        await self._gate.refresh()
        stop, answers = authzen.STOPS_AT[batch.options.evaluations_semantic], list[Json]()
        for question in authzen.questions(raw, batch):
            if isinstance(question, BadInput):
                told = authzen.not_understood(question)
            else:
                told = authzen.told(await self._decide(caller, question))
            answers.append(told)
            if told["decision"] is stop:
                break
        return {"evaluations": answers}

    async def _decide(self, caller: str, question: Question) -> Decision:
        """Who asks is known by the key; a body that names another asks for nobody."""
        if question.subject.id != caller:
            return self._no(core.UNKNOWN_CALLER)
        if question.resource.type != authzen.MEMBER:
            return self._no(authzen.UNKNOWN_RESOURCE_TYPE)
        return await self._gate.answer(question.ask(caller))

    def _no(self, reason: str) -> Decision:
        return Decision(False, (reason,), (), (), self._gate.state.revision, 0, 0)


def _place(scope: Scope) -> tuple[str, str]:
    """Where the application is mounted, and what of the path is ours.

    Mounted at `/access` or the root, the whole path is; at `/gate`, what comes after it.
    """
    path: str = scope["path"]
    prefix = scope.get("root_path", "")
    return ("", path) if path in METHODS else (prefix, path.removeprefix(prefix))


def _discovery(base: str) -> Json:
    return {
        "policy_decision_point": base,
        "access_evaluation_endpoint": base + EVALUATION,
        "access_evaluations_endpoint": base + EVALUATIONS,
    }


def _asked_at(scope: Scope) -> str:
    host = header(scope, b"host").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host}"
