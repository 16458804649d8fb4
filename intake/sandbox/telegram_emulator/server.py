"""The Bot API over HTTP: /bot<token>/<method> and /file/bot<token>/<path>."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from subjectline.intake.sandbox.telegram_emulator import asking, sending
from subjectline.intake.sandbox.telegram_emulator.faults import Fault
from subjectline.intake.sandbox.telegram_emulator.objects import Json
from subjectline.intake.sandbox.telegram_emulator.parameters import (
    LARGEST_BODY,
    Parameters,
    Upload,
    read_parameters,
)
from subjectline.intake.sandbox.telegram_emulator.state import Call, State
from subjectline.models.errors import BadInput, NotPermitted, StaleMove, SubjectlineError

METHODS = sending.METHODS | asking.METHODS
NAMES = {name.lower(): name for name in (*METHODS, "getUpdates")}
STATUS: tuple[tuple[type[SubjectlineError], int], ...] = (
    (NotPermitted, 403),
    (StaleMove, 409),
    (BadInput, 400),
)
PAGE = "<html><body><h1>{status}</h1></body></html>"


def routes(state: State) -> list[Route]:
    """The routes of the Bot API for one bot."""

    async def call(request: Request) -> Response:
        return await _call(state, request)

    async def download(request: Request) -> Response:
        return _download(state, request)

    return [
        Route("/bot{token}/{method}", call, methods=["GET", "POST"]),
        Route("/file/bot{token}/{path:path}", download),
    ]


async def _call(state: State, request: Request) -> Response:
    refused = _check_token(state, request)
    method = NAMES.get(request.path_params["method"].lower())
    if refused or method is None:
        return refused or _refusal(404, "Not Found")
    if int(request.headers.get("content-length") or 0) > LARGEST_BODY:
        return _refusal(413, sending.TOO_LARGE)
    try:
        parameters = await read_parameters(request)
    except BadInput as error:
        return _refusal(400, error.rule)
    except ClientDisconnect:  # the desk ends in the middle of a call: nobody reads this
        return _refusal(400, "Bad Request: cut off")
    chat = _chat_of(parameters)
    fault = state.faults.take(method, chat)
    if fault:
        return await _suffer(state, request, method, parameters, fault)
    return await _perform(state, method, parameters, chat)


async def _perform(
    state: State, method: str, parameters: Parameters, chat: int | None, fault: str = ""
) -> Response:
    """Do what was asked, and answer as Telegram does."""
    counted = state.flood_limits and method in sending.COUNTED and chat is not None
    wait = state.limits.retry_after(chat) if counted and chat else 0
    if wait:
        answer = _too_many(wait)
    else:
        answer = await _run(state, method, parameters)
    if counted and chat and answer.status_code == 200:
        state.limits.count(chat)
    _note(state, method, parameters, answer.status_code, fault)
    return answer


async def _run(state: State, method: str, parameters: Parameters) -> Response:
    try:
        if method == "getUpdates":
            result = await asking.get_updates(state, parameters)
        else:
            result = METHODS[method](state, parameters)
    except SubjectlineError as error:
        return _refusal(_status(error), error.rule)
    return JSONResponse({"ok": True, "result": result})


def _status(error: SubjectlineError) -> int:
    if error.rule == sending.TOO_LARGE:
        return 413
    return next((code for kind, code in STATUS if isinstance(error, kind)), 500)


async def _suffer(
    state: State, request: Request, method: str, parameters: Parameters, fault: Fault
) -> Response:
    """Let the fault happen to this call."""
    if fault.kind == "lost":
        await _perform(state, method, parameters, _chat_of(parameters), fault.kind)
        await _hold(state, request, fault.seconds)
        return _page(504)
    answer = ANSWERS[fault.kind](fault)
    _note(state, method, parameters, answer.status_code, fault.kind)
    if fault.kind == "timeout":
        await _hold(state, request, fault.seconds)
    return answer


def _too_many(seconds: int) -> Response:
    return _refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def _migrated(fault: Fault) -> Response:
    description = "Bad Request: group chat was upgraded to a supergroup chat"
    return _refusal(400, description, migrate_to_chat_id=fault.new_chat)


ANSWERS: dict[str, Callable[[Fault], Response]] = {
    "flood": lambda fault: _too_many(fault.retry_after),
    "blocked": lambda fault: _refusal(403, "Forbidden: bot was blocked by the user"),
    "server": lambda fault: _page(fault.status),
    "timeout": lambda fault: _page(504),
    "unauthorized": lambda fault: _refusal(401, "Unauthorized"),
    "migrated": _migrated,
}


async def _hold(state: State, request: Request, seconds: float) -> None:
    """Keep the caller waiting: until `seconds` are over, it hangs up, or the emulator closes."""
    waits: tuple[Awaitable[object], ...] = (_hung_up(request), state.closing.wait())
    tasks = [asyncio.ensure_future(each) for each in waits]
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _download(state: State, request: Request) -> Response:
    refused = _check_token(state, request)
    kept = state.world.file_at(request.path_params["path"])
    if refused or kept is None:
        return refused or _refusal(404, "Not Found")
    return Response(kept.data, media_type="application/octet-stream")


def _check_token(state: State, request: Request) -> Response | None:
    token = request.path_params["token"]
    if token == state.token:
        return None
    number, colon, _ = token.partition(":")
    well_formed = colon and number.isdigit()
    return _refusal(401, "Unauthorized") if well_formed else _refusal(404, "Not Found")


def _chat_of(parameters: Parameters) -> int | None:
    try:
        return parameters.integer("chat_id")
    except BadInput:
        return None


def _note(state: State, method: str, parameters: Parameters, status: int, fault: str) -> None:
    if method == "getUpdates" and not fault:
        return  # idle polls would push everything else out
    shown: Json = {
        name: f"<file {value.name}, {len(value.data)} bytes>"
        if isinstance(value, Upload)
        else value
        for name, value in parameters.raw.items()
    }
    error = 0 if status == 200 else status
    state.calls.append(Call(method, state.world.now(), shown, error, fault))
    state.changes.note()


def _refusal(code: int, description: str, **parameters: object) -> Response:
    body: Json = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return JSONResponse(body, status_code=code)


def _page(status: int) -> Response:
    """What a proxy in front of Telegram answers: no JSON."""
    return Response(PAGE.format(status=status), status_code=status, media_type="text/html")
