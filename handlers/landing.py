"""Letters that have left are written down together: one commit for all that landed meanwhile."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import lifting
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


@dataclass(eq=False)
class _Landed:
    """One letter that has left. `wrong` is why it could not be written down."""

    row: Outbox
    letter: AsItLeft
    noted: bool = False
    wrong: Exception | None = None


class Landing:
    """Where letters under way come down. Whoever comes while others are written down waits, and is
    then written down with all that came meanwhile."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._came: list[_Landed] = []
        self._turn = asyncio.Lock()

    async def sent(self, row: Outbox, letter: AsItLeft) -> None:
        """The letter has left; returns once that is committed. Raises what kept it from that."""
        mine = _Landed(row, letter)
        self._came.append(mine)
        async with self._turn:
            if not mine.noted and mine.wrong is None:
                together, self._came = self._came, []
                await self._note(together)
        if mine.wrong is not None:
            raise mine.wrong

    async def _note(self, together: list[_Landed]) -> None:
        """All at once; where that fails each by itself, so that one at fault keeps none of the others:
        what is not noted would leave again."""
        try:
            await _write_down(self._desk, together)
        except Exception as wrong:
            if len(together) == 1:
                together[0].wrong = wrong
                return
            for one in together:
                await self._note([one])
        else:
            for one in together:
                one.noted = True


async def _write_down(desk: "Desk", landed: Sequence[_Landed]) -> None:
    numbers = [one.row.id for one in landed]
    async with desk.db.write() as session:
        due = col(Outbox.id).in_(numbers), col(Outbox.outcome) == "due"
        # What is not due any more another desk has sent too, and written down.
        still = set(await session.exec(select(Outbox.id).where(*due).with_for_update()))
        await session.exec(
            update(Outbox)
            .where(col(Outbox.id).in_(still))
            .values(outcome="sent", sent_at=desk.clock(), leased_until=None, content=None)
        )
        for one in landed:
            if one.row.id in still:
                await _what_left(session, desk, one.row, one.letter)
        await lifting.has_left(session, desk, [one.row for one in landed])


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
