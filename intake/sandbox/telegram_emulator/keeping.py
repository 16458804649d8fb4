"""The emulator's memory in a file: chats, people and waiting updates survive its restart.

Written once a second at most, and when it closes. The bytes of documents are not kept, nor what is to go
wrong. After a kill the file may be a second old, so numbers go on with a leap: an update's number that the
bot has seen already would be taken for the same update.
"""

import asyncio
import os
from pathlib import Path

from pydantic import BaseModel

from subjectline.intake.sandbox.telegram_emulator.objects import Chat, Json, Message, Status, User
from subjectline.intake.sandbox.telegram_emulator.state import State
from subjectline.intake.sandbox.telegram_emulator.world import Query

MOST_MESSAGES = 5000
PAUSE = 1.0  # seconds between two writes
LEAP = 1000


class Kept(BaseModel):
    """Everything that is kept. `whole` says that the emulator was closed and nothing came after."""

    whole: bool
    users: list[User]
    chats: list[Chat]
    members: dict[int, dict[int, Status]]
    blocked: set[int]
    messages: list[Message]
    last_ids: dict[int, int]
    sequence: int
    queries: list[Query]
    pending: list[Json]
    allowed: list[str]
    last_update_id: int
    commands: list[tuple[str, str, list[Json]]]
    descriptions: dict[str, str]
    short_descriptions: dict[str, str]


def kept(state: State, *, whole: bool) -> Kept:
    """What there is to keep now."""
    world, updates, profile = state.world, state.updates, state.profile
    return Kept(
        whole=whole,
        users=list(world.users.values()),
        chats=list(world.chats.values()),
        members=dict(world.members),
        blocked=world.blocked,
        messages=world.everything()[-MOST_MESSAGES:],
        last_ids=dict(world.last_id),
        sequence=world.sequence,
        queries=world.queries(),
        pending=list(updates.pending.values()),
        allowed=sorted(updates.allowed),
        last_update_id=updates.last_id,
        commands=[(*where, menu) for where, menu in profile.commands.items()],
        descriptions=profile.descriptions,
        short_descriptions=profile.short_descriptions,
    )


def restore(state: State, old: Kept) -> None:
    """Puts what was kept into a new emulator."""
    world, updates, profile = state.world, state.updates, state.profile
    leap = 0 if old.whole else LEAP
    world.users = {user.id: user for user in old.users}
    world.chats = {chat.id: chat for chat in old.chats}
    world.members.update(old.members)
    world.blocked = set(old.blocked)
    for message in old.messages:
        world.put_message(message)
    world.last_id.update({chat: number + leap for chat, number in old.last_ids.items()})
    world.sequence = old.sequence + leap
    for query in old.queries:
        world.put_query(query)
    updates.pending = {int(update["update_id"]): update for update in old.pending}
    updates.allow(old.allowed)
    updates.last_id = old.last_update_id + leap
    profile.commands = {(scope, language): menu for scope, language, menu in old.commands}
    profile.descriptions = old.descriptions
    profile.short_descriptions = old.short_descriptions


class Memory:
    """One emulator's file."""

    def __init__(self, state: State, path: Path) -> None:
        self._state, self._path = state, path
        if path.exists():
            restore(state, Kept.model_validate_json(path.read_bytes()))

    async def run(self) -> None:
        """Writes after every change, until cancelled."""
        changes = self._state.changes
        version = changes.version
        while True:
            version = await changes.after(version)
            self.save(whole=False)
            await asyncio.sleep(PAUSE)

    def save(self, *, whole: bool) -> None:
        """The file is the old one or the new one, whenever the power goes."""
        fresh = self._path.with_suffix(".new")
        fresh.write_text(kept(self._state, whole=whole).model_dump_json())
        os.replace(fresh, self._path)
