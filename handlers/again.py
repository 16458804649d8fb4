"""The same wish once more while its request is open: a reminder, which opens nothing new.

A first request that was not proven gets a new code, because its letter may have been lost; one that is
being worked on shows the message to its agent. A mail that nobody vouches for joins nothing: it waits.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import identity
from subjectline.handlers.belonging import link_message, open_of
from subjectline.handlers.identity import Known
from subjectline.handlers.understanding import Understanding, Wish
from subjectline.handlers.wishes import wish_of
from subjectline.models.incoming import Door, Incoming, Tier
from subjectline.models.tables import Conversation, Message, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


async def without_repeated(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    message: Message,
    incoming: Incoming,
    known: Known,
    meant: Understanding,
) -> Understanding:
    """What is left to open of a message's wishes; those that are open already take it as a reminder."""
    if meant.decision != "apply" or conversation.door != Door.MAIL:
        return meant
    open_ones = await open_of(session, conversation.id or 0)
    new: list[Wish] = []
    told: list[Request] = []
    for wish in meant.wishes:
        found = next((r for r in open_ones if same(desk, r, wish)), None)
        if found is None:
            new.append(wish)
        else:
            told.append(found)
    if told:
        await _remind(session, desk, conversation, message, incoming, known, told)
    return replace(meant, wishes=tuple(new)) if told else meant


def same(desk: "Desk", request: Request, wish: Wish) -> bool:
    """The same right, of the same fields, with no other value than was asked for before."""
    if (request.kind, set(request.fields)) != (wish.kind, set(wish.fields)):
        return False
    before = wish_of(desk, request).get("new", {})
    return all(_words(before.get(n, "")) == _words(v) for n, v in wish.new_values.items())


def _words(value: str) -> str:
    return "".join(value.split()).casefold()


async def _remind(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    message: Message,
    incoming: Incoming,
    known: Known,
    told: list[Request],
) -> None:
    verifying = [request for request in told if request.state == "verifying"]
    if verifying:
        await _code_again(session, desk, conversation, incoming, known, verifying)
    if incoming.tier is Tier.ALIGNED or len(verifying) == len(told):
        for request in told:
            await link_message(session, request.id or 0, message.id or 0)
    else:
        conversation.state = "unsorted"
    message.waits = len(verifying) < len(told)
    session.add(message)
    session.add(conversation)


async def _code_again(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    incoming: Incoming,
    known: Known,
    verifying: list[Request],
) -> None:
    group = await identity.group_of(session, verifying[0].group_id)
    waiting = [request for request in group if request.state == "verifying"]
    believed = incoming.tier is Tier.ALIGNED
    if not await identity.again(
        session, desk, conversation, waiting, incoming.sender, known, believed=believed
    ):
        conversation.state = "unsorted"
