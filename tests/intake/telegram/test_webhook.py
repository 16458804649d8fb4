"""The same door as a webhook: 200 only once the update is committed."""

import json
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from bot_api import BOT, served
from desks import Office
from starlette.applications import Starlette
from starlette.routing import Route

from subjectline.handlers import inbox
from subjectline.handlers.desk import Desk
from subjectline.handlers.inbox import Raw
from subjectline.intake import telegram
from subjectline.intake.sandbox.telegram_emulator import Emulator
from subjectline.intake.telegram import LARGEST_UPDATE, SECRET_HEADER, TelegramDoor
from subjectline.models.tables import RawInbox

HANA = 11


@pytest.fixture
async def hook(door: TelegramDoor) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route("/hook", door.webhook, methods=["POST"])])
    async with served(app) as root, httpx.AsyncClient(base_url=root, trust_env=False) as client:
        yield client


async def test_telegram_posts_and_the_desk_answers(
    hook: httpx.AsyncClient, door: TelegramDoor, emulator: Emulator, office: Office
) -> None:
    await door.take_webhook(f"{hook.base_url}/hook")
    for number in range(3):
        emulator.say(HANA, f"말 {number}")
    await emulator.until(lambda: not emulator.pending())
    keys = [row.source_key for row in await office.all(RawInbox)]
    assert keys == [f"telegram:{BOT}:{700000001 + number}" for number in range(3)]
    assert door.status.connected


@pytest.mark.parametrize("secret", ["", "wrong", "\u00e4", None])
async def test_a_stranger_is_turned_away(
    hook: httpx.AsyncClient, office: Office, secret: str | None
) -> None:
    headers = [] if secret is None else [(SECRET_HEADER.encode(), secret.encode())]
    answer = await hook.post("/hook", json={"update_id": 1}, headers=headers)
    assert answer.status_code == 403 and await office.all(RawInbox) == []


async def test_what_could_not_be_kept_is_not_confirmed(
    hook: httpx.AsyncClient,
    door: TelegramDoor,
    emulator: Emulator,
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = [OSError("disk"), OSError("disk")]

    async def failing(desk: Desk, raws: Sequence[Raw]) -> None:
        if tries:
            raise tries.pop()
        await inbox.keep(desk, raws)

    monkeypatch.setattr(telegram, "keep", failing)
    await door.take_webhook(f"{hook.base_url}/hook")
    emulator.say(HANA, "하나")
    await emulator.until(lambda: not emulator.pending())
    assert not tries and len(await office.all(RawInbox)) == 1
    assert door.status.connected and door.status.last_error == ""


@pytest.mark.parametrize("body", [b"{", b"null", b"[]", b"[" * 100_000, b"\xff", b"3"])
async def test_a_body_that_is_no_update_is_a_dead_letter(
    hook: httpx.AsyncClient, door: TelegramDoor, office: Office, body: bytes
) -> None:
    for _ in range(2):
        answer = await hook.post("/hook", content=body, headers={SECRET_HEADER: door.secret})
        assert answer.status_code == 200
    await office.work()
    (row,) = await office.all(RawInbox)
    assert row.state == "dead" and row.body is not None
    assert office.desk.vault.open(row.body) == body


async def test_a_body_beyond_any_update(
    hook: httpx.AsyncClient, door: TelegramDoor, office: Office
) -> None:
    body = json.dumps({"update_id": 1, "message": "x" * LARGEST_UPDATE})
    answer = await hook.post("/hook", content=body, headers={SECRET_HEADER: door.secret})
    assert answer.status_code == 413 and await office.all(RawInbox) == []


async def test_a_press_is_answered(
    hook: httpx.AsyncClient, door: TelegramDoor, emulator: Emulator, office: Office
) -> None:
    update = {"update_id": 1, "callback_query": {"id": "4711", "from": {"id": HANA}}}
    answer = await hook.post("/hook", json=update, headers={SECRET_HEADER: door.secret})
    assert answer.status_code == 200
    await emulator.until(lambda: emulator.calls)
    (call,) = emulator.calls
    assert (call.method, call.parameters["callback_query_id"]) == ("answerCallbackQuery", "4711")
    assert call.error == 400  # too old: nobody minds
