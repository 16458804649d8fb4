"""Opening what a conversation waits with, once somebody is known by another way than a code.

A shared contact, a mobile identity proof and a code read back on the phone all end here: the level is
`contact`, and no request is opened by the contact that it changes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import duplicates, identity, whereto
from subjectline.handlers.audit import Actor
from subjectline.handlers.belonging import open_of
from subjectline.handlers.requests import Facts, advance
from subjectline.models.incoming import Contact
from subjectline.models.tables import Challenge, Conversation, Request
from subjectline.models.workflow import BEFORE_PROOF, FINAL

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


async def unproven(session: AsyncSession, conversation_id: int) -> list[Request]:
    """The requests of a conversation that wait for proof, oldest first; `unclear` ones do not."""
    return [
        request
        for request in await open_of(session, conversation_id)
        if request.state in BEFORE_PROOF and request.kind != "unclear"
    ]


async def changing(session: AsyncSession, desk: "Desk", member: str, kind: str) -> bool:
    """Whether this member has an open, proven correction of the registered contact of `kind`.

    Only proven ones count: otherwise a stranger who asks could take a way of proof from somebody.
    """
    rows = await session.exec(
        select(Request)
        .where(Request.registry_id == desk.data_map.registry, Request.subject_id == member)
        .where(Request.kind == "correction", col(Request.state).not_in(FINAL))
    )
    return any(identity.contested(desk, request, Contact(kind, "")) for request in rows)


async def open_as(
    session: AsyncSession,
    desk: "Desk",
    requests: Sequence[Request],
    member: str,
    by: str,
    actor: Actor,
    reason: str,
    contact: Contact | None = None,
) -> list[Request]:
    """Opens the requests that wait for proof as this member's; returns those that were opened.

    `by` is the kind of contact that proved it: what changes it stays closed. `reason` (shared_contact,
    mobile_identity, phone_code) stands in the history. Codes that were sent before end. `contact` is
    the one that proved it, where it is known: a correction of the conversation's own contact has its
    letters there.
    """
    facts = Facts(level="contact", registry=desk.data_map.registry, subject=member, reason=reason)
    opened = []
    for request in requests:
        waits = request.state in BEFORE_PROOF and request.kind != "unclear"
        if waits and not identity.contested(desk, request, Contact(by, "")):
            conversation = await session.get_one(Conversation, request.conversation_id)
            whereto.remember(desk, request, conversation, contact, requests)
            opened.append(
                await advance(
                    session, desk, request.id or 0, "prove", actor, request.version, facts
                )
            )
            await duplicates.settle(session, desk, request)
    await _end_codes(session, {request.group_id for request in opened})
    return opened


def link(
    desk: "Desk", session: AsyncSession, conversation: Conversation, member: str, by: str
) -> None:
    """From now on the conversation is this member's, for as long as `identity.level_now` says."""
    conversation.registry_id, conversation.subject_id = desk.data_map.registry, member
    conversation.proven_at, conversation.proven_by = desk.clock(), by
    session.add(conversation)


async def _end_codes(session: AsyncSession, groups: set[str]) -> None:
    if groups:
        await session.exec(
            update(Challenge)
            .where(col(Challenge.group_id).in_(groups), col(Challenge.state) == "open")
            .values(state="replaced")
        )
