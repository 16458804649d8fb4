"""Telegram as its people see it: they write, click, share, block; they see what the bot sent.

This is the side of the sandbox page and of tests. The bot's side is HTTP (server.py).
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

from starlette.applications import Starlette

from subjectline.intake.sandbox.telegram_emulator import server
from subjectline.intake.sandbox.telegram_emulator.faults import Fault, FaultKind
from subjectline.intake.sandbox.telegram_emulator.formatting import (
    LONGEST_TEXT,
    check_length,
    commands_in,
)
from subjectline.intake.sandbox.telegram_emulator.keeping import Memory
from subjectline.intake.sandbox.telegram_emulator.objects import (
    Button,
    Chat,
    Contact,
    Json,
    Message,
    Rows,
    Status,
    User,
    member_json,
    rows_of,
)
from subjectline.intake.sandbox.telegram_emulator.state import Call, State
from subjectline.intake.sandbox.telegram_emulator.world import Query
from subjectline.models.errors import BadInput, IllegalMove, NotPermitted

Found = TypeVar("Found")


class Emulator:
    """One bot's Telegram. `app` is the ASGI app; mount it anywhere and give the bot that address.

    All calls belong to the thread and event loop that serve `app`. People are made up when they first act.
    """

    def __init__(self, state: State, memory: Memory | None = None) -> None:
        self.state, self._memory = state, memory
        self.token = state.token
        self.app = Starlette(routes=server.routes(state))

    # people and groups

    def user(
        self, user: int, first_name: str = "", language: str = "en", username: str = ""
    ) -> User:
        """Add or change a person."""
        name = first_name or f"Person {user}"
        return self.state.world.put_user(User(user, name, language, username))

    def group(
        self, chat: int, title: str, members: Iterable[int] = (), bot: Status = "member"
    ) -> Chat:
        """Make a group (negative id) of these people with the bot in it; the bot is told."""
        if chat >= 0:
            raise BadInput("A group's id is below zero", field="chat")
        world = self.state.world
        group = world.put_group(Chat(chat, title))
        people = [world.user(member) for member in members]
        world.members[chat] |= dict.fromkeys((person.id for person in people), "member")
        adder = people[0] if people else world.bot
        self._bot_becomes(group, adder, bot)
        return group

    def join(self, chat: int, user: int, status: Status = "member") -> None:
        """Give a person a place in a group; status "left" takes it away."""
        self._chat(chat)
        self.state.world.members[chat][self.state.world.user(user).id] = status

    def block(self, chat: int, by: int | None = None) -> None:
        """A person blocks the bot, or `by` removes it from the group."""
        actor = self._actor(chat, by)
        self.state.world.blocked.add(chat)
        self._bot_becomes(self._chat(chat), actor, "kicked")

    def unblock(self, chat: int, by: int | None = None) -> None:
        """Take the bot back."""
        actor = self._actor(chat, by)
        self.state.world.blocked.discard(chat)
        self._bot_becomes(self._chat(chat), actor, "member")

    # what people do

    def say(
        self,
        user: int,
        text: str,
        *,
        chat: int | None = None,
        reply_to: int | None = None,
        forwarded_from: int | None = None,
    ) -> Message:
        """A person writes, to the bot or in a group. Raises NotPermitted when they cannot write there."""
        if not text.strip():
            raise BadInput("A message has some text", field="text")
        check_length(text, LONGEST_TEXT, "message")
        content: Json = {"text": text.strip(), "entities": commands_in(text.strip())}
        if forwarded_from is not None:
            content["forwarded_from"] = self.state.world.user(forwarded_from)
        return self._write(user, chat, reply_to, content)

    def share_contact(
        self,
        user: int,
        phone_number: str,
        *,
        whose: Literal["own", "nobody"] | int = "own",
        chat: int | None = None,
        forwarded_from: int | None = None,
    ) -> Message:
        """A person shares a number: their own, one of no account ("nobody"), or that of user `whose`."""
        person = self.state.world.user(user)
        owner = {"own": user, "nobody": None}.get(whose) if isinstance(whose, str) else whose
        content: Json = {"contact": Contact(phone_number, person.first_name, owner)}
        if forwarded_from is not None:
            content["forwarded_from"] = self.state.world.user(forwarded_from)
        return self._write(user, chat, None, content)

    def send_document(
        self,
        user: int,
        name: str,
        data: bytes,
        *,
        mime: str = "application/pdf",
        caption: str = "",
        chat: int | None = None,
    ) -> Message:
        """A person sends a file."""
        self._sender_chat(user, chat)
        document = self.state.world.store(name, mime, data)
        return self._write(user, chat, None, {"document": document, "caption": caption})

    def edit(self, user: int, message_id: int, text: str, *, chat: int | None = None) -> Message:
        """A person changes their own message; the bot gets edited_message."""
        old = self._message(user if chat is None else chat, message_id)
        if old.sender.id != user:
            raise NotPermitted("Only its writer changes a message")
        world = self.state.world
        new = world.edit(old, text=text, entities=commands_in(text), edited_at=world.now())
        self._tell("edited_message", new)
        return new

    def click(
        self,
        user: int,
        chat: int,
        message_id: int,
        data: str | None = None,
        *,
        label: str | None = None,
    ) -> Query:
        """A person presses the callback button with this data or label.

        Raises IllegalMove when the message has no such button, NotPermitted for somebody not in the chat.
        """
        self._sender_chat(user, chat)
        message = self._message(chat, message_id)
        button = _button(message, data, label)
        query = self.state.world.ask(user)
        payload = {
            "id": query.id,
            "from": self.state.world.user(user).telegram(),
            "message": message.telegram(),
            "chat_instance": str(-7_000_000_000 - abs(chat)),
            "data": button.data,
        }
        self.state.updates.push("callback_query", payload)
        return query

    def push(self, update: Json) -> None:
        """Queue a ready update as it is: a malformed one, or one the bot has had before."""
        if not isinstance(update.get("update_id"), int):
            raise BadInput("An update has a whole number as update_id", field="update_id")
        self.state.updates.put(update)

    # what people see

    def messages(self, chat: int, after: int = 0) -> list[Message]:
        """What stands in a chat now, oldest first, above message id `after`; deleted messages are gone."""
        return [each for each in self.state.world.messages(chat) if each.message_id > after]

    def from_bot(self, chat: int, after: int = 0) -> list[Message]:
        """The bot's messages that stand in a chat now, oldest first, above message id `after`."""
        bot = self.state.world.bot.id
        return [each for each in self.messages(chat, after) if each.sender.id == bot]

    def keyboard(self, chat: int) -> Rows:
        """The keys that stand below a chat now (the bot's last reply keyboard), empty when taken away."""
        markups = (each.keyboard for each in reversed(self.messages(chat)) if each.keyboard)
        return rows_of(next(markups, {}).get("keyboard"))

    def commands(self, language: str = "") -> list[Json]:
        """The command menu that a person with this language sees."""
        known = self.state.profile.commands
        keys = [(s, lang) for lang in (language, "") for s in ("all_private_chats", "default")]
        return next((known[key] for key in keys if known.get(key)), [])

    def pending(self) -> list[Json]:
        """The updates that the bot has not confirmed, oldest first."""
        return list(self.state.updates.pending.values())

    @property
    def calls(self) -> list[Call]:
        """What the bot called (idle polls left out), oldest first, bounded."""
        return list(self.state.calls)

    # trouble

    def fault(
        self,
        kind: FaultKind,
        method: str = "*",
        *,
        chat: int | None = None,
        times: int | None = 1,
        retry_after: int = 1,
        status: int = 502,
        seconds: float = 0.0,
        new_chat: int | None = None,
    ) -> Fault:
        """Let the next calls go wrong; see Fault for the kinds."""
        fault = Fault(kind, method, chat, times, retry_after, status, seconds, new_chat)
        self.state.faults.add(fault)
        return fault

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        self.state.faults.clear()

    # waiting

    @property
    def version(self) -> int:
        """Grows with every change of anything; `changed` waits for it."""
        return self.state.changes.version

    async def changed(self, version: int, timeout: float | None = None) -> int:
        """Wait until something changed since `version`, at most `timeout` seconds; return the version now."""
        return await self.state.changes.after(version, timeout)

    async def until(self, look: Callable[[], Found], timeout: float = 10.0) -> Found:
        """Look now and after every change until something is found (is true), and return it.

        Raises TimeoutError after `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while True:
                version = self.version
                if found := look():
                    return found
                await self.changed(version)

    async def wait_for(
        self, chat: int, after_message_id: int = 0, timeout: float = 10.0
    ) -> Message:
        """The bot's first message in a chat above this id. Raises TimeoutError after `timeout` seconds."""
        found = await self.until(lambda: self.from_bot(chat, after_message_id), timeout)
        return found[0]

    async def close(self) -> None:
        """End waiting polls and deliveries. Call it before the server that serves `app` stops."""
        self.state.closing.set()
        self.state.updates.close()
        await self.state.webhook.close()
        if self._memory:
            self._memory.save(whole=True)

    async def keep(self) -> None:
        """Keeps its memory in its file, where it has one, until cancelled."""
        if self._memory:
            await self._memory.run()

    # inside

    def _write(self, user: int, chat: int | None, reply_to: int | None, content: Json) -> Message:
        place = self._sender_chat(user, chat)
        if reply_to is not None:
            content["reply_to"] = self._message(place.id, reply_to)
        message = self.state.world.add(place, self.state.world.user(user), **content)
        self._tell("message", message)
        return message

    def _tell(self, kind: str, message: Message) -> None:
        if message.chat.private or self._seen_in_group(message):
            self.state.updates.push(kind, message.telegram())

    def _seen_in_group(self, message: Message) -> bool:
        """A bot in privacy mode gets commands, replies to it and mentions, unless it is an administrator."""
        world, chat = self.state.world, message.chat.id
        if chat in world.blocked:
            return False
        answered = message.reply_to is not None and message.reply_to.sender.id == world.bot.id
        spoken_to = message.text.startswith("/") or f"@{world.bot.username}" in message.text
        return answered or spoken_to or world.status(chat, world.bot.id) == "administrator"

    def _sender_chat(self, user: int, chat: int | None) -> Chat:
        world = self.state.world
        if chat is None or chat == user:
            if user in world.blocked:
                raise NotPermitted("This person has blocked the bot", remedy="Unblock it first.")
            return world.open_chat(user)
        if world.status(chat, user) in ("left", "kicked"):
            raise NotPermitted("This person is not in that chat", field="chat")
        return self._chat(chat)

    def _actor(self, chat: int, by: int | None) -> User:
        world = self.state.world
        if chat > 0:
            world.open_chat(chat)
            return world.user(chat)
        return world.bot if by is None else world.user(by)

    def _bot_becomes(self, chat: Chat, actor: User, status: Status) -> None:
        world = self.state.world
        before: Status = world.members[chat.id].get(world.bot.id, "left")
        if chat.private:
            before = "member" if status == "kicked" else "kicked"
        else:
            world.members[chat.id][world.bot.id] = status
        update = {
            "chat": chat.telegram(),
            "from": actor.telegram(),
            "date": world.now(),
            "old_chat_member": member_json(world.bot, before),
            "new_chat_member": member_json(world.bot, status),
        }
        self.state.updates.push("my_chat_member", update)
        self.state.changes.note()

    def _chat(self, chat: int) -> Chat:
        if chat not in self.state.world.chats:
            raise BadInput("No such chat", field="chat")
        return self.state.world.chats[chat]

    def _message(self, chat: int, message_id: int) -> Message:
        message = self.state.world.message(chat, message_id)
        if message is None:
            raise IllegalMove("The message is not there (any more)", field="message_id")
        return message


def _button(message: Message, data: str | None, label: str | None) -> Button:
    keys = [key for row in message.buttons for key in row if key.data]
    for key in keys:
        if key.data == data or (data is None and key.text == label):
            return key
    raise IllegalMove(
        "The message has no such button",
        remedy=f"It has: {', '.join(key.text for key in keys) or 'none'}.",
    )
