"""The people's side over HTTP, for a bot under test in another process and for the sandbox page.

POST /control/<action> with a JSON object of the Emulator method's arguments; GET /control/messages and
/control/state. Only application/json is taken, so that a foreign web page cannot press these keys unasked.
"""

import dataclasses
from typing import Annotated, Literal

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from subjectline.intake.sandbox.telegram_emulator.emulator import Emulator
from subjectline.intake.sandbox.telegram_emulator.faults import FaultKind
from subjectline.intake.sandbox.telegram_emulator.objects import Json, Message, Status
from subjectline.models.errors import SubjectlineError

LONGEST_WAIT = 60.0


class Body(BaseModel):
    """The arguments of one action; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")


class UserBody(Body):
    user: int
    first_name: str = ""
    language: str = "en"
    username: str = ""


class GroupBody(Body):
    chat: int
    title: str
    members: list[int] = []
    bot: Status = "member"


class JoinBody(Body):
    chat: int
    user: int
    status: Status = "member"


class BlockBody(Body):
    chat: int
    by: int | None = None


class SayBody(Body):
    user: int
    text: str
    chat: int | None = None
    reply_to: int | None = None
    forwarded_from: int | None = None


class ContactBody(Body):
    user: int
    phone_number: str
    whose: Literal["own", "nobody"] | int = "own"
    chat: int | None = None
    forwarded_from: int | None = None


class DocumentBody(Body):
    user: int
    name: str
    data: Base64Bytes
    mime: str = "application/pdf"
    caption: str = ""
    chat: int | None = None


class EditBody(Body):
    user: int
    message_id: int
    text: str
    chat: int | None = None


class ClickBody(Body):
    user: int
    chat: int
    message_id: int
    data: str | None = None
    label: str | None = None


class PushBody(Body):
    update: Json


class FaultBody(Body):
    kind: FaultKind
    method: str = "*"
    chat: int | None = None
    times: Annotated[int, Field(ge=1)] | None = 1
    retry_after: int = 1
    status: int = 502
    seconds: float = 0.0
    new_chat: int | None = None


ACTIONS: dict[str, type[Body]] = {
    "user": UserBody,
    "group": GroupBody,
    "join": JoinBody,
    "block": BlockBody,
    "unblock": BlockBody,
    "say": SayBody,
    "share_contact": ContactBody,
    "send_document": DocumentBody,
    "edit": EditBody,
    "click": ClickBody,
    "push": PushBody,
    "fault": FaultBody,
    "clear_faults": Body,
}


def routes(emulator: Emulator) -> list[Route]:
    """The routes of the control plane."""

    async def act(request: Request) -> Response:
        return await _act(emulator, request)

    async def messages(request: Request) -> Response:
        return await _messages(emulator, request)

    async def state(_request: Request) -> Response:
        return JSONResponse(_state(emulator))

    return [
        Route("/control/messages", messages, methods=["GET"]),
        Route("/control/state", state, methods=["GET"]),
        Route("/control/{action}", act, methods=["POST"]),
    ]


async def _act(emulator: Emulator, request: Request) -> Response:
    name = request.path_params["action"]
    if name not in ACTIONS:
        return _error(404, f"No such action. There are: {', '.join(sorted(ACTIONS))}.")
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return _error(415, "The body must be application/json.")
    try:
        body = ACTIONS[name].model_validate_json(await request.body())
        result = getattr(emulator, name)(**body.model_dump())
    except ValidationError as error:
        return _error(422, str(error))
    except SubjectlineError as error:
        return _error(409, str(error))
    return JSONResponse({"result": _shown(result)})


async def _messages(emulator: Emulator, request: Request) -> Response:
    """?chat=&after=&wait=: the bot's messages above an id; waits up to `wait` seconds for the first."""
    query = request.query_params
    try:
        chat, after = int(query["chat"]), int(query.get("after", 0))
        wait = min(float(query.get("wait", 0)), LONGEST_WAIT)
    except (KeyError, ValueError):
        return _error(422, "chat and after are whole numbers, wait is in seconds.")
    try:
        found = await emulator.until(lambda: emulator.from_bot(chat, after), wait)
    except TimeoutError:
        found = []
    return JSONResponse({"result": [_shown(each) for each in found]})


def _state(emulator: Emulator) -> Json:
    return {
        "version": emulator.version,
        "pending": [update["update_id"] for update in emulator.pending()],
        "calls": [dataclasses.asdict(call) for call in emulator.calls[-100:]],
        "webhook": emulator.state.webhook.target.url if emulator.state.webhook.target else "",
    }


def _shown(result: object) -> object:
    if isinstance(result, Message):
        return result.telegram() | ({"keyboard": result.keyboard} if result.keyboard else {})
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return dataclasses.asdict(result)
    return result


def _error(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status_code=status)
