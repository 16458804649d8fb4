"""The updates that wait for the bot.

An update stays pending until a HIGHER offset is asked for, or the webhook has answered 2xx: a bot that dies
between taking and keeping an update gets it again.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable

from subjectline.intake.sandbox.telegram_emulator.changes import Changes
from subjectline.intake.sandbox.telegram_emulator.objects import Json
from subjectline.models.errors import Refused, StaleMove

LONGEST_POLL = 50.0
LARGEST_BATCH = 100
# Sent only to a bot that names them in allowed_updates (Bot API, getUpdates).
ONLY_IF_ASKED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
FIRST_UPDATE_ID = 700_000_001


class Updates:
    """Pending updates by id, oldest first, and the one long poll that may wait for them."""

    def __init__(self, changes: Changes, capacity: int) -> None:
        self.pending: dict[int, Json] = {}
        self.allowed: frozenset[str] = frozenset()
        self.closed = False
        self.listener: Callable[[Json], None] | None = None
        self._changes, self._capacity = changes, capacity
        self.last_id = FIRST_UPDATE_ID - 1
        self._poll = 0

    def push(self, kind: str, payload: Json) -> Json:
        """Queue an update of this kind if the bot takes that kind; return it either way.

        Raises Refused when `capacity` updates are pending: dropping one looks like a bot losing them.
        """
        self.last_id += 1
        update = {"update_id": self.last_id, kind: payload}
        if kind in self.allowed or (not self.allowed and kind not in ONLY_IF_ASKED):
            self.put(update)
        return update

    def put(self, update: Json) -> None:
        """Queue a ready update as it is, even one the bot cannot read or has had before."""
        if len(self.pending) >= self._capacity:
            raise Refused(
                f"{len(self.pending)} updates wait already",
                remedy="Start the bot, or drop them with deleteWebhook(drop_pending_updates).",
            )
        self.pending[int(update["update_id"])] = update
        if self.listener:
            self.listener(update)
        self._changes.note()

    def confirm(self, update_ids: Iterable[int]) -> None:
        """Forget updates that the bot has taken for good."""
        for update_id in tuple(update_ids):
            self.pending.pop(update_id, None)

    def allow(self, kinds: Iterable[str]) -> None:
        """Set the kinds of update that are queued from now on; empty means Telegram's default."""
        self.allowed = frozenset(kinds)

    def close(self) -> None:
        """End the waiting poll with nothing, so that a server can stop at once."""
        self.closed = True
        self._changes.note()

    async def poll(self, offset: int, limit: int, timeout: float) -> list[Json]:
        """getUpdates: confirm everything below `offset`, then wait up to `timeout` seconds for something.

        Raises StaleMove when another poll starts meanwhile (Telegram's 409).
        """
        self._poll += 1
        mine = self._poll
        self._changes.note()
        self._settle(offset)
        end = asyncio.get_running_loop().time() + min(max(timeout, 0.0), LONGEST_POLL)
        while not self.pending and not self.closed:
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                break
            await self._changes.after(self._changes.version, left)
            if mine != self._poll:
                raise StaleMove(
                    "Conflict: terminated by other getUpdates request; "
                    "make sure that only one bot instance is running"
                )
        size = limit if 0 < limit <= LARGEST_BATCH else LARGEST_BATCH
        return list(itertools.islice(self.pending.values(), size))

    def _settle(self, offset: int) -> None:
        if offset < 0:  # "the last -offset updates": all earlier ones are forgotten
            self.confirm(list(self.pending)[:offset])
        elif offset:
            self.confirm([update_id for update_id in self.pending if update_id < offset])
