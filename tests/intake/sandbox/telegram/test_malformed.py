"""Calls that no library would make get Telegram's error shape, never a 500."""

import asyncio
import json

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message

from subjectline.intake.sandbox.telegram_emulator import Emulator, create_emulator
from subjectline.intake.sandbox.telegram_emulator.server import NAMES
from subjectline.models.clock import system_clock

TOKEN = "7000000002:test-token"
BOT = f"/bot{TOKEN}"


@pytest.mark.parametrize(
    ("path", "code", "description"),
    [
        ("/bot7000000002:wrong/getMe", 401, "Unauthorized"),
        ("/botwrong/getMe", 404, "Not Found"),
        (f"{BOT}/noSuchMethod", 404, "Not Found"),
        (f"{BOT}/sendMessage", 400, "Bad Request: chat_id is empty"),
        (f"{BOT}/sendMessage?chat_id=x", 400, "Bad Request: chat not found"),
        (f"{BOT}/sendMessage?chat_id=11", 400, "Bad Request: message text is empty"),
        (
            f"{BOT}/deleteMessage?chat_id=11",
            400,
            "Bad Request: message identifier is not specified",
        ),
        (f"{BOT}/sendDocument?chat_id=11", 400, "Bad Request: there is no document in the request"),
        (f"{BOT}/sendChatAction?chat_id=11", 400, "Bad Request: wrong parameter action in request"),
        (
            f"{BOT}/sendMessage?chat_id=11&text=x&reply_markup=[1",
            400,
            "Bad Request: can't parse reply markup JSON object",
        ),
        (
            f"{BOT}/sendMessage?chat_id=11&text=x&reply_markup=[]",
            400,
            "Bad Request: object expected as reply markup",
        ),
        ("/file/bot7000000002:wrong/documents/file_1.pdf", 401, "Unauthorized"),
        (f"/file{BOT}/documents/file_1.pdf", 404, "Not Found"),
    ],
)
async def test_the_error_shape(
    http: httpx.AsyncClient, emulator: Emulator, path: str, code: int, description: str
) -> None:
    emulator.say(11, "hello")
    answer = await http.get(f"{http.base_url}{path.lstrip('/')}")
    assert answer.status_code == code
    assert answer.json() == {"ok": False, "error_code": code, "description": description}


async def test_every_way_of_passing_parameters(http: httpx.AsyncClient, emulator: Emulator) -> None:
    emulator.say(11, "hello")
    values = {"chat_id": "11", "text": "[1] true", "protect_content": "true"}
    url = f"{BOT}/SENDMESSAGE"
    answers = [
        await http.get(url, params=values),
        await http.post(url, data=values),
        await http.post(url, json=values | {"chat_id": 11, "protect_content": True}),
        await http.post(url, files={name: (None, value) for name, value in values.items()}),
    ]
    assert [each.json()["result"]["text"] for each in answers] == ["[1] true"] * 4
    assert all(each.json()["result"]["has_protected_content"] for each in answers)


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"text": "\\ud800"}', b'{"x": NaN}', b"[" * 100_000, b"\xff"]
)
async def test_a_body_that_is_no_json_object(http: httpx.AsyncClient, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = await http.post(f"{BOT}/sendMessage", content=body, headers=headers)
    assert (answer.status_code, answer.json()["ok"]) == (400, False)


async def test_a_form_that_is_no_form(http: httpx.AsyncClient) -> None:
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await http.post(
            f"{BOT}/sendMessage", content=b"\xff\xfe", headers={"content-type": kind}
        )
        assert (answer.status_code, answer.json()["error_code"]) == (400, 400)


PARAMETERS = (
    "chat_id message_id message_ids text parse_mode entities reply_markup reply_parameters document caption "
    "commands scope language_code offset limit allowed_updates url secret_token max_connections user_id "
    "callback_query_id file_id action description"
).split()
NASTY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from([1, 11, "11", "HTML", "inline_keyboard"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["inline_keyboard", "keyboard", "text", "callback_data", "message_id", "type", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    method=st.sampled_from(sorted(NAMES)),
    values=st.dictionaries(st.sampled_from(PARAMETERS), NASTY, max_size=5),
    known_chat=st.booleans(),
)
def test_no_call_is_answered_500(method: str, values: dict[str, object], known_chat: bool) -> None:
    if known_chat:
        values["chat_id"] = 11
    answer = asyncio.run(_call(method, values))
    body = answer.json()
    assert body["ok"] is (answer.status_code == 200)
    if not body["ok"]:
        assert answer.status_code in (400, 403, 409) and body["error_code"] == answer.status_code


async def _call(method: str, values: dict[str, object]) -> httpx.Response:
    emulator = create_emulator(system_clock, TOKEN)
    emulator.say(11, "hello")
    transport = httpx.ASGITransport(app=emulator.app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.post(
                f"{BOT}/{method}",
                content=json.dumps(values),
                headers={"content-type": "application/json"},
            )
    finally:
        await emulator.close()


async def test_a_call_that_is_cut_off_is_no_fault_of_the_emulator() -> None:
    """The desk that ends while it asks: the body never comes."""

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    emulator = create_emulator(system_clock, TOKEN)
    kind = (b"content-type", b"application/x-www-form-urlencoded")
    call = {"method": "POST", "path": f"{BOT}/getUpdates", "query_string": b"", "headers": [kind]}
    scope = {"type": "http", **call}
    try:
        await emulator.app(scope, gone, send)
    finally:
        await emulator.close()
    assert sent[0]["status"] == 400
