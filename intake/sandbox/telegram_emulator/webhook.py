"""Delivers updates to the bot's webhook, on this machine only.

As Telegram does: in order within a chat, up to `max_connections` at once over chats, again and again (with
growing pauses) until a 2xx, with the secret token in its header.
"""

import asyncio
import re
from collections import deque
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from subjectline.intake.sandbox.telegram_emulator.objects import Json
from subjectline.intake.sandbox.telegram_emulator.parameters import Parameters
from subjectline.intake.sandbox.telegram_emulator.updates import Updates
from subjectline.intake.sandbox.telegram_emulator.world import World
from subjectline.models.errors import BadInput

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
ANSWER_WITHIN = 60.0
MOST_CONNECTIONS = 40
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0


@dataclass(frozen=True)
class Target:
    """Where updates go."""

    url: str
    secret: str
    connections: int


class Webhook:
    """The webhook as the bot set it, and the deliveries under way."""

    def __init__(self, world: World, updates: Updates) -> None:
        self.target: Target | None = None
        self.last_error: tuple[int, str] | None = None
        self._world, self._updates = world, updates
        self._task: asyncio.Task[None] | None = None

    def set(self, target: Target | None) -> None:
        """Deliver to `target` from now on, or to nobody. The same target again changes nothing."""
        if target == self.target:
            return
        self.stop()
        self.target, self.last_error = target, None
        if target:
            self._task = asyncio.create_task(self._run(target), name="telegram webhook")

    def stop(self) -> None:
        """End the deliveries under way; what was not answered stays pending."""
        self._updates.listener = None
        if self._task:
            self._task.cancel()
            self._task = None

    async def close(self) -> None:
        """Stop, and wait until the connections are closed."""
        task = self._task
        self.stop()
        if task:
            await asyncio.wait([task])

    async def _run(self, target: Target) -> None:
        limits = httpx.Limits(max_connections=target.connections)
        client = httpx.AsyncClient(timeout=ANSWER_WITHIN, trust_env=False, limits=limits)
        async with client, asyncio.TaskGroup() as group:
            lanes = _Lanes(self, client, target, group)
            for update in self._updates.pending.values():
                lanes.put(update)
            self._updates.listener = lanes.put
            await asyncio.Event().wait()  # until stop() cancels

    async def deliver(self, client: httpx.AsyncClient, target: Target, update: Json) -> bool:
        """Post one update once; whether nothing is left to do about it."""
        if update["update_id"] not in self._updates.pending:
            return True
        headers = {SECRET_HEADER: target.secret} if target.secret else {}
        try:
            answer = await client.post(target.url, json=update, headers=headers)
        except httpx.HTTPError as error:
            self._failed(f"Connection failed: {type(error).__name__}")
            return False
        if not answer.is_success:
            self._failed(f"Wrong response from the webhook: {answer.status_code}")
            return False
        self._updates.confirm([update["update_id"]])
        self._world.changes.note()
        return True

    def _failed(self, why: str) -> None:
        self.last_error = (self._world.now(), why)
        self._world.changes.note()


class _Lanes:
    """One queue and one task for each chat that has updates, so that a chat's order is kept."""

    def __init__(
        self,
        webhook: Webhook,
        client: httpx.AsyncClient,
        target: Target,
        group: asyncio.TaskGroup,
    ) -> None:
        self._webhook, self._client, self._target, self._group = webhook, client, target, group
        self._room = asyncio.Semaphore(target.connections)
        self._lanes: dict[int, deque[Json]] = {}

    def put(self, update: Json) -> None:
        chat = _chat_of(update)
        if chat in self._lanes:
            self._lanes[chat].append(update)
            return
        self._lanes[chat] = deque([update])
        self._group.create_task(self._drain(chat))

    async def _drain(self, chat: int) -> None:
        lane, pause = self._lanes[chat], FIRST_PAUSE
        while lane:
            async with self._room:
                done = await self._webhook.deliver(self._client, self._target, lane[0])
            if done:
                lane.popleft()
                pause = FIRST_PAUSE
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        del self._lanes[chat]


def _chat_of(update: Json) -> int:
    """The chat an update belongs to; 0 for updates without one (or that are not as they should be)."""
    for payload in update.values():
        if isinstance(payload, dict):
            holder = payload.get("message") if "data" in payload else payload
            chat = holder.get("chat") if isinstance(holder, dict) else None
            if isinstance(chat, dict) and isinstance(chat.get("id"), int):
                return int(chat["id"])
    return 0


def read_target(call: Parameters) -> Target | None:
    """The target that a setWebhook call names; None for an empty address. Raises BadInput (400)."""
    url, secret = call.text("url"), call.text("secret_token")
    if not url:
        return None
    if secret and not SECRET.fullmatch(secret):
        raise BadInput("Bad Request: secret token contains unallowed characters")
    _check_loopback(url)
    connections = call.integer("max_connections", MOST_CONNECTIONS)
    return Target(url, secret, min(max(connections, 1), 100))


def _check_loopback(url: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        near = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        near = False
    if not near or parts.scheme not in ("http", "https"):
        raise BadInput("Bad Request: bad webhook: the emulator calls this machine only")
