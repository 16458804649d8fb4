"""The parameters of a Bot API call, however they came: query, form, multipart or JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from subjectline.intake.sandbox.telegram_emulator.objects import Json
from subjectline.models.errors import BadInput

LARGEST_UPLOAD = 50 * 2**20
LARGEST_BODY = LARGEST_UPLOAD + 2**20


@dataclass(frozen=True)
class Upload:
    """A file inside a call."""

    name: str
    mime: str
    data: bytes


Raw = str | int | float | bool | list[Any] | Json | Upload | None


class Parameters:
    """Typed reading of raw values. For a malformed one, BadInput is raised with Telegram's words (400)."""

    def __init__(self, raw: Mapping[str, Raw]) -> None:
        self.raw = dict(raw)

    def __contains__(self, name: str) -> bool:
        return self.raw.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        value = self.raw.get(name)
        if isinstance(value, str):
            return value
        return default if value is None or isinstance(value, Upload) else json.dumps(value)

    def integer(self, name: str, default: int | None = None) -> int:
        value = self.raw.get(name)
        if value in (None, "") and default is not None:
            return default
        try:
            return int(str(value))
        except ValueError:
            raise BadInput(_missing(name, value)) from None

    def seconds(self, name: str) -> float:
        try:
            seconds = float(str(self.raw.get(name) or 0))
        except ValueError:
            return 0.0
        return seconds if math.isfinite(seconds) else 0.0

    def flag(self, name: str) -> bool:
        return str(self.raw.get(name, "")).lower() in ("true", "yes", "1")

    def mapping(self, name: str) -> Json:
        value = self._parsed(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise BadInput(f"Bad Request: object expected as {name.replace('_', ' ')}")
        return value

    def items(self, name: str) -> list[Any]:
        value = self._parsed(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise BadInput(f"Bad Request: expected an Array of {name.replace('_', ' ')}")
        return value

    def upload(self, name: str) -> Upload | str:
        """The file of this parameter, or the file id (or address) given instead."""
        value = self.raw.get(name)
        if isinstance(value, str) and value.startswith("attach://"):
            value = self.raw.get(value.removeprefix("attach://"))
        if isinstance(value, Upload) or (isinstance(value, str) and value):
            return value
        raise BadInput(f"Bad Request: there is no {name} in the request")

    def _parsed(self, name: str) -> object:
        value = self.raw.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        return _load(value, name.replace("_", " "))


def _load(text: str | bytes, what: str) -> object:
    """Read JSON that can be written again as UTF-8: no NaN, no lone surrogate, no bottomless nesting."""
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise BadInput(f"Bad Request: can't parse {what} JSON object") from None
    return value


def _missing(name: str, value: object) -> str:
    if name == "chat_id":
        return "Bad Request: chat_id is empty" if value in (None, "") else CHAT_NOT_FOUND
    if name == "message_id":
        return "Bad Request: message identifier is not specified"
    return f"Bad Request: invalid {name} specified"


CHAT_NOT_FOUND = "Bad Request: chat not found"


async def read_parameters(request: Request) -> Parameters:
    """Read a call. Raises BadInput (400) for a body that is not what its content type says."""
    raw: dict[str, Raw] = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        raw |= _json_object(await request.body())
    elif kind == "multipart/form-data":
        raw |= await _parts(request)
    else:
        raw |= _form(await request.body())
    return Parameters(raw)


async def _parts(request: Request) -> dict[str, Raw]:
    raw: dict[str, Raw] = {}
    try:
        async with request.form(max_part_size=LARGEST_BODY) as form:
            for name, value in form.multi_items():
                raw[name] = await _upload(value) if isinstance(value, UploadFile) else value
    except HTTPException as error:  # what Starlette makes of a broken multipart body
        raise BadInput("Bad Request: can't parse multipart/form-data") from error
    return raw


async def _upload(part: UploadFile) -> Upload:
    mime = part.content_type or "application/octet-stream"
    return Upload(part.filename or "file", mime, await part.read())


def _json_object(body: bytes) -> dict[str, Raw]:
    value = _load(body or b"{}", "request body")
    if not isinstance(value, dict):
        raise BadInput("Bad Request: can't parse request body JSON object")
    return value


def _form(body: bytes) -> dict[str, Raw]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError:
        raise BadInput("Bad Request: request body must be encoded in UTF-8") from None
