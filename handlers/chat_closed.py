"""A chat that its person has closed to us: they are reached by the address that proved them.

Telegram says so with 403, and tells of a block and of its end (`my_chat_member`). The mark only tells
agents; whether a line arrives is asked of Telegram each time. What the chat was to be told of a request
goes by mail to the registered address that proved the chat, asked of the gate first like every other
use; where there is none, an agent finds another way (`returned`).
"""

import json
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, post, reachable, recipients_told, resending, words
from subjectline.handlers import facts as wording
from subjectline.handlers.audit import MEMBER, SYSTEM, Actor
from subjectline.handlers.letters import SECURE_LINK, SENT_ON, TOLD
from subjectline.models.errors import RegistryError
from subjectline.models.incoming import Contact, Incoming
from subjectline.models.tables import Challenge, Conversation, DeadAddress, Outbox, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

KIND = "telegram"
BLOCKED, UNBLOCKED = "blocked", "unblocked"
PURPOSE = "notice"


async def is_closed(session: AsyncSession, index: bytes) -> bool:
    """Whether the chat with this index was closed when we last heard."""
    row = await _row(session, index)
    return row is not None and row.cleared_at is None


async def happened(session: AsyncSession, desk: "Desk", incoming: Incoming) -> None:
    """The person blocked the bot, or took it back: both are noted, the request goes on."""
    index = desk.vault.index(incoming.sender.kind, incoming.sender.value)
    if incoming.happened == BLOCKED:
        await close(session, desk, index, MEMBER)
    else:
        await heard(session, desk, index)


async def close(session: AsyncSession, desk: "Desk", index: bytes, by: Actor) -> None:
    """Marks a chat as closed to us; once."""
    row = await _row(session, index)
    if row is not None and row.cleared_at is None:
        return
    row = row or DeadAddress(contact_kind=KIND, contact_index=index, cause=BLOCKED)
    row.cause, row.since, row.cleared_at, row.cleared_by = BLOCKED, desk.clock(), None, ""
    session.add(row)
    audit.note(session, desk.clock, by, "chat_closed", thing="dead_address")


async def heard(session: AsyncSession, desk: "Desk", index: bytes) -> None:
    """The bot was taken back: the chat is open to us again."""
    row = await _row(session, index)
    if row is None or row.cleared_at is not None:
        return
    row.cleared_at, row.cleared_by = desk.clock(), KIND
    session.add(row)
    audit.note(session, desk.clock, MEMBER, "chat_open", thing=f"dead_address:{row.id}")


async def elsewhere(desk: "Desk", row: Outbox) -> bool:
    """The chat did not take this letter: notes it and finds the person another way.

    True where nothing is left for an agent: the words go by mail, or were only the chat's own (a menu,
    a question of the conversation), which say nothing once it is closed.
    """
    told = row.request_id is not None and resending.by_mail_name(row.letter)
    to = await _address(desk, row) if told else None
    async with desk.write() as session:
        conversation = await session.get_one(Conversation, row.conversation_id)
        await close(session, desk, conversation.contact_index, SYSTEM)
        kept = await session.get_one(Outbox, row.id, with_for_update=True)
        if kept.outcome != "due" or (told and to is None):
            return kept.outcome != "due"
        if to is not None:
            await _by_mail(session, desk, kept, to)
        kept.outcome, kept.reason, kept.leased_until = "unreachable", "chat_closed", None
        kept.content = None
        session.add(kept)
    return True


async def _by_mail(session: AsyncSession, desk: "Desk", row: Outbox, to: Contact) -> None:
    content = json.loads(desk.vault.text(row.content))
    today = words.day(wording.local_day(desk, desk.clock()), content["language"])
    said = str(content["text"]).replace(SENT_ON, today)
    if TOLD in said:
        told = await recipients_told.told(session, desk, row.request_id or 0, content["language"])
        said = said.replace(TOLD, told)
    facts = {"said": said.replace(SECURE_LINK, "").strip()}
    if SECURE_LINK in said:
        facts["secure_link"] = SECURE_LINK
    post.note(
        session,
        post.Noted(
            "chat_closed",
            row.conversation_id,
            [row.request_id or 0],
            facts,
            to=to,
            slots=content.get("slots", {}),
        ),
    )


async def _address(desk: "Desk", row: Outbox) -> Contact | None:
    """The registered address that proved this chat, unless it is held or takes no mail."""
    async with desk.db.read() as session:
        conversation = await session.get_one(Conversation, row.conversation_id)
        request = await session.get_one(Request, row.request_id)
        proofs = await _proofs(session, conversation)
    member = request.subject_id
    if member is None or member != conversation.subject_id or not proofs:
        return None
    try:
        value = (await desk.registry.contacts(member)).get("email", "")
    except RegistryError:
        return None  # an agent finds a way
    index = desk.vault.index("email", value) if value else b""
    return Contact("email", value) if await _usable(desk, member, index, proofs) else None


async def _usable(desk: "Desk", member: str, index: bytes, proofs: set[bytes]) -> bool:
    field = desk.data_map.contact_field("email")
    if index not in proofs or field is None:
        return False
    async with desk.db.read() as session:
        if await reachable.is_dead(session, index):
            return False
    permitted = await desk.gate.decide("desk", member, [field.name], PURPOSE)
    return permitted.permit


async def _proofs(session: AsyncSession, conversation: Conversation) -> set[bytes]:
    """The addresses from which somebody proved that this chat is theirs, by index."""
    rows = await session.exec(
        select(Challenge.contact_index).where(
            Challenge.conversation_id == conversation.id,
            Challenge.contact_kind == "email",
            Challenge.state == "proven",
            Challenge.subject_id == conversation.subject_id,
        )
    )
    return set(rows)


async def _row(session: AsyncSession, index: bytes) -> DeadAddress | None:
    rows = await session.exec(
        select(DeadAddress)
        .where(DeadAddress.contact_kind == KIND, col(DeadAddress.contact_index) == index)
        .with_for_update()
    )
    return rows.first()
