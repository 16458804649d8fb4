"""Letters that have left are written down together: one commit for all that landed meanwhile."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.tables import Conversation, Message, Outbox

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

FORGOTTEN = ("verify", "code", "reminder", "forget")


class AsItLeft(Protocol):
    """What is looked at of a letter that has left."""

    @property
    def text(self) -> str: ...

    @property
    def as_queued(self) -> bool: ...


class Landing:
    """Where letters under way come down. Whoever comes while others are written down waits, and is
    then written down with all that came meanwhile."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._came: list[tuple[Outbox, AsItLeft]] = []
        self._turn = asyncio.Lock()

    async def sent(self, row: Outbox, letter: AsItLeft) -> None:
        """The letter has left; returns once that is committed. Raises what its commit raised."""
        mine = (row, letter)
        self._came.append(mine)
        async with self._turn:
            if mine not in self._came:
                return
            together, self._came = self._came, []
            try:
                await _write_down(self._desk, together)
            except BaseException:
                if len(together) > 1:  # each by itself: one at fault takes none with it
                    self._came = [one for one in together if one is not mine] + self._came
                raise


async def _write_down(desk: "Desk", landed: Sequence[tuple[Outbox, AsItLeft]]) -> None:
    numbers = [row.id for row, _ in landed]
    async with desk.db.write() as session:
        due = col(Outbox.id).in_(numbers), col(Outbox.outcome) == "due"
        # What is not due any more another desk has sent too, and written down.
        still = set(await session.exec(select(Outbox.id).where(*due).with_for_update()))
        await session.exec(
            update(Outbox)
            .where(col(Outbox.id).in_(still))
            .values(outcome="sent", sent_at=desk.clock(), leased_until=None, content=None)
        )
        for row, letter in landed:
            if row.id in still:
                await _what_left(session, desk, row, letter)


async def _what_left(session: AsyncSession, desk: "Desk", row: Outbox, letter: AsItLeft) -> None:
    """The code and the link of a letter are not kept once it has left; the rest is, as it left.

    What left word for word as it was queued is kept already.
    """
    forgotten = row.message_id is None or row.letter in FORGOTTEN
    if forgotten or (letter.as_queued and "/m/" not in letter.text):
        return
    conversation = await session.get_one(Conversation, row.conversation_id)
    message = await session.get_one(Message, row.message_id)
    text = letter.text
    for word in text.split():
        if "/m/" in word:
            text = text.replace(word, "[one-time link]")
    message.text = desk.vault.seal(conversation.key_id, "message.text", text)
    session.add(message)
