"""Updates by webhook: the secret, the order, the retries."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp
from telegram import Bot, Update
from telegram.error import BadRequest, Conflict

from subjectline.intake.sandbox.telegram_emulator import Emulator

SECRET = "test_secret-1"


@dataclass
class Hook:
    """A webhook that keeps what it got and answers as told."""

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        self.got.append(await request.json())
        self.secrets.append(request.headers.get("x-telegram-bot-api-secret-token"))
        return Response(status_code=self.answers.pop(0) if self.answers else 200)


@pytest.fixture
async def hook(serve: Callable[[ASGIApp], Awaitable[str]]) -> Hook:
    hook = Hook()
    hook.url = await serve(Starlette(routes=[Route("/hook", hook.take, methods=["POST"])]))
    hook.url += "/hook"
    return hook


async def drained(emulator: Emulator) -> None:
    await emulator.until(lambda: not emulator.pending())


async def test_updates_come_with_the_secret(bot: Bot, emulator: Emulator, hook: Hook) -> None:
    emulator.say(11, "before")
    await bot.set_webhook(hook.url, secret_token=SECRET)
    await drained(emulator)
    emulator.say(11, "after")
    await drained(emulator)
    updates = [Update.de_json(each, bot) for each in hook.got]
    assert [each.message.text for each in updates if each.message] == ["before", "after"]
    assert hook.secrets == [SECRET, SECRET]


async def test_an_update_comes_again_until_2xx(bot: Bot, emulator: Emulator, hook: Hook) -> None:
    hook.answers = [500, 403, 204]
    await bot.set_webhook(hook.url)
    emulator.say(11, "hello")
    await emulator.until(lambda: hook.answers == [403, 204])
    info = await bot.get_webhook_info()
    assert info.last_error_message == "Wrong response from the webhook: 500"
    await drained(emulator)
    assert len(hook.got) == 3 and len({each["update_id"] for each in hook.got}) == 1
    assert hook.secrets == [None, None, None]


async def test_order_is_kept_in_each_chat(bot: Bot, emulator: Emulator, hook: Hook) -> None:
    hook.answers = [200, 500] * 20
    await bot.set_webhook(hook.url, max_connections=8)
    for number in range(10):
        for person in range(11, 16):
            emulator.say(person, str(number))
    await drained(emulator)
    for person in range(11, 16):
        texts = [
            each["message"]["text"] for each in hook.got if each["message"]["chat"]["id"] == person
        ]
        assert list(dict.fromkeys(texts)) == [str(number) for number in range(10)]


async def test_a_hook_that_is_away_loses_nothing(bot: Bot, emulator: Emulator, hook: Hook) -> None:
    await bot.set_webhook("http://127.0.0.1:9/hook")
    emulator.say(11, "hello")
    await emulator.until(lambda: emulator.state.webhook.last_error)
    info = await bot.get_webhook_info()
    assert info.pending_update_count == 1
    assert info.last_error_message == "Connection failed: ConnectError"
    await bot.set_webhook(hook.url)
    await drained(emulator)
    assert len(hook.got) == 1


async def test_polling_and_webhook_exclude_each_other(
    bot: Bot, emulator: Emulator, hook: Hook
) -> None:
    await bot.set_webhook(hook.url, max_connections=3, allowed_updates=["message"])
    info = await bot.get_webhook_info()
    assert (info.url, info.max_connections, info.allowed_updates) == (hook.url, 3, ("message",))
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    emulator.say(11, "hello")
    assert len(await bot.get_updates()) == 1
    assert (await bot.get_webhook_info()).url == ""
    assert hook.got == []


async def test_pending_updates_are_dropped_on_request(bot: Bot, emulator: Emulator) -> None:
    emulator.say(11, "hello")
    await bot.delete_webhook(drop_pending_updates=True)
    assert emulator.pending() == []


async def test_a_malformed_update_is_delivered_too(
    bot: Bot, emulator: Emulator, hook: Hook
) -> None:
    await bot.set_webhook(hook.url)
    emulator.push({"update_id": 9, "message": {"chat": "nowhere"}})
    await drained(emulator)
    assert hook.got[0]["message"] == {"chat": "nowhere"}


@pytest.mark.parametrize(
    "url", ["http://desk.example/hook", "http://192.0.2.1/hook", "ftp://127.0.0.1/hook", "hook"]
)
async def test_nothing_leaves_this_machine(bot: Bot, url: str) -> None:
    with pytest.raises(BadRequest, match="this machine only"):
        await bot.set_webhook(url)


@pytest.mark.parametrize("secret", ["no spaces", "비밀", "x" * 257])
async def test_the_secrets_letters(bot: Bot, hook: Hook, secret: str) -> None:
    with pytest.raises(BadRequest, match="Secret token contains unallowed characters"):
        await bot.set_webhook(hook.url, secret_token=secret)
