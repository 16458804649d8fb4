"""The same door as a webhook: 200 only once the update is committed."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from bot_api import BOT, served
from desks import MakeDesk, Office
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from subjectline.handlers import inbox
from subjectline.handlers.desk import Desk
from subjectline.handlers.inbox import Raw
from subjectline.intake import telegram
from subjectline.intake.sandbox.telegram_emulator import Emulator
from subjectline.intake.serve import Parts, _add_telegram, public_app
from subjectline.intake.telegram import LARGEST_UPDATE, SECRET_HEADER, TelegramDoor
from subjectline.models.db import Database
from subjectline.models.incoming import Door
from subjectline.models.settings import RegistrySection, Settings, TelegramSection
from subjectline.models.tables import Message, RawInbox

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


async def test_serve_mounts_it_where_the_settings_say(
    office: Office, api: TelegramSection, emulator: Emulator, tmp_path: Path
) -> None:
    """The public application takes the posts, sets the webhook at the start, and says who may not."""
    parts = Parts(office.desk)
    app, hooked = Starlette(), api.model_copy(update={"updates": "webhook"})
    async with served(app) as root, httpx.AsyncClient(base_url=root, trust_env=False) as client:
        hooked = hooked.model_copy(update={"webhook_url": f"{root}/hooks/telegram"})
        settings = Settings(registry=RegistrySection(map=tmp_path / "map"), telegram=hooked)
        _add_telegram(parts, settings)
        app.router.routes.extend(public_app(parts).routes)
        task = asyncio.ensure_future(parts.loops[0]())
        emulator.say(HANA, "하나")
        emulator.say(HANA, "둘")
        await emulator.until(lambda: emulator.state.webhook.target and not emulator.pending())
        assert (await client.get("/hooks/telegram")).status_code == 404
        assert (await client.post("/hooks/telegram", json={"update_id": 1})).status_code == 403
        health = await client.get("/healthz")
        assert health.json()["down"] == []
        task.cancel()
        await asyncio.wait([task])
    assert [row.lane for row in await office.all(RawInbox)] == [f"telegram:{HANA}"] * 2
    assert emulator.state.webhook.target is not None  # what comes meanwhile waits at Telegram
    for close in parts.closers:
        await close()


async def test_a_webhook_that_was_taken_away_is_set_again(
    office: Office, api: TelegramSection, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram, "WATCH", 0.01)
    door = TelegramDoor(office.desk, api, hook="http://127.0.0.1:9/hook", retry_seconds=0.01)
    task = asyncio.create_task(door.run())
    for _ in range(2):
        await emulator.until(lambda: emulator.state.webhook.target is not None)
        emulator.state.webhook.set(None)
    emulator.fault("server", "getWebhookInfo")
    await emulator.until(lambda: any(call.fault for call in emulator.calls))
    await emulator.until(
        lambda: emulator.state.webhook.target is not None and door.status.connected
    )
    task.cancel()
    await asyncio.wait([task])


async def test_two_processes_behind_one_address_keep_each_chat_in_order(
    make_desk: MakeDesk, desk_url: str, api: TelegramSection, emulator: Emulator
) -> None:
    """Posts come to either, many at once; both take from the same inbox."""
    first = await make_desk(url=desk_url)
    second = replace(first.desk, db=Database(first.desk.db.url.render_as_string(False)))
    doors = [TelegramDoor(desk, api) for desk in (first.desk, second)]
    turn = itertools.cycle(doors)

    async def either(request: Request) -> Response:
        return await next(turn).webhook(request)

    app = Starlette(routes=[Route("/hook", either, methods=["POST"])])
    async with served(app) as root:
        many = api.model_copy(update={"webhook_connections": 40})
        setter = TelegramDoor(first.desk, many)
        await setter.take_webhook(f"{root}/hook")
        for number in range(5):
            for chat in range(1, 9):
                emulator.say(chat, f"/start {number}")
        await emulator.until(lambda: not emulator.pending())
        for door in (setter, *doors):
            await door.close()
        await emulator.state.webhook.close()
    parsers = {Door.TELEGRAM: telegram.parse_update}
    ends = [1, 1]
    while any(ends):
        ends = await asyncio.gather(*(inbox.once(one, parsers) for one in (first.desk, second)))
    said = [m for m in await first.all(Message) if m.direction == "in"]
    assert len(said) == 40
    for talk in {m.conversation_id for m in said}:
        words = [first.desk.vault.text(m.text) for m in said if m.conversation_id == talk]
        assert words == [f"/start {number}" for number in range(5)]
    await second.db.dispose()


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
