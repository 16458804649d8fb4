"""A phone number that its owner shared by Telegram's contact button, as a proof.

The door hands a number over only where `contact.user_id` is the sender's own, the chat is private and
the message is not forwarded (Bot API, Contact; `intake.telegram_update`). Here it proves a person if it
is the registered number of exactly one member, who is not about to have it corrected: a number that is
said to be wrong proves nobody. What is told to the chat depends on its owner's own number only.
"""

from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, dialog, identity, opening, post, proving
from subjectline.handlers.identity import Known
from subjectline.models.incoming import Contact, Incoming
from subjectline.models.tables import Conversation, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

KIND = "phone"


def contact_of(incoming: Incoming) -> Contact | None:
    """The contact that the registry is to be asked about; None where none was shared."""
    return Contact(KIND, incoming.shared_phone) if incoming.shared_phone else None


async def take(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    incoming: Incoming,
    known: Known,
) -> bool:
    """Whether the message was a shared contact; then it is answered and deleted from the chat.

    `known` must hold what the registry says of `contact_of`.
    """
    contact = contact_of(incoming)
    if contact is None:
        return False
    waiting = await proving.unproven(session, conversation.id or 0)
    member, why = await _who(session, desk, known, contact, waiting)
    audit.note(
        session,
        desk.clock,
        audit.MEMBER,
        "shared_contact",
        subject=(desk.data_map.registry, member) if member else None,
        thing=f"conversation:{conversation.id}",
        reason=why,
        outcome="refused" if why else "ok",
    )
    if why or not member:
        await _not_proven(session, desk, conversation, incoming, waiting)
        return True
    proving.link(desk, session, conversation, member, KIND)
    opened = await proving.open_as(
        session, desk, waiting, member, KIND, audit.MEMBER, "shared_contact"
    )
    await dialog.proven(session, desk, conversation, incoming)
    if not opened:
        dialog.say(session, conversation, "dialog_linked")
    return True


async def _who(
    session: AsyncSession, desk: "Desk", known: Known, contact: Contact, waiting: list[Request]
) -> tuple[str | None, str]:
    """The member whose number it is, or why it proves nobody: unknown, several, changing."""
    found = known.members.get((contact.kind, contact.value), ())
    if len(found) != 1:
        return None, "several" if found else "unknown"
    here = any(identity.contested(desk, request, contact) for request in waiting)
    if here or await proving.changing(session, desk, found[0], KIND):
        return found[0], "changing"
    return found[0], ""


async def _not_proven(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    incoming: Incoming,
    waiting: list[Request],
) -> None:
    """The same words whichever reason it was; a correction of the number itself goes to an agent."""
    contested = [r for r in waiting if identity.contested(desk, r, Contact(KIND, ""))]
    if contested:
        await opening.other_proof(session, desk, conversation, contested)
    forget = incoming.chat_message_id
    post.note(session, post.Noted("dialog_contact_unknown", conversation.id or 0, forget=forget))
