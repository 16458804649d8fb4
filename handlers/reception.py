"""What happens to a message that came in: kept, joined to its conversation, and turned into steps.

`receive` runs in one transaction (or one savepoint of a batch). Whatever it needs from the company's
database was asked before, by `lookups`: no transaction of the desk waits for somebody else's.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import (
    again,
    answers,
    attachments,
    bounces,
    dialog,
    floods,
    naming,
    new_contact,
    objecting,
    opening,
    post,
    reachable,
    replies,
    shared_contact,
    spam_folder,
    statements,
)
from subjectline.handlers.belonging import link_message, open_of
from subjectline.handlers.identity import Known
from subjectline.handlers.replies import Thread
from subjectline.handlers.understanding import Notes, Understanding, understand
from subjectline.models.db import hold_on
from subjectline.models.files import Apart
from subjectline.models.incoming import Contact, Door, Incoming, Outcome
from subjectline.models.masking import MASK
from subjectline.models.rows import make_row, settled
from subjectline.models.tables import Conversation, Message

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

TALKS = "talks"  # the conversations that this transaction has looked for


async def lookups(desk: "Desk", batch: Sequence[Incoming]) -> list[Known]:
    """What the registry says of each message's sender and of the addresses named in chats.

    One query a kind of contact; always asked the same way, whether anybody is known or not. Raises
    RegistryAway. Who writes from an address at which our letters bounced is reached there again.
    """
    await reachable.heard_from(desk, batch)
    asked = [_asked_about(desk, incoming) for incoming in batch]
    members: dict[str, dict[str, list[str]]] = {}
    for kind in ("email", "phone"):
        values = dict.fromkeys(c.value for each in asked for c in each if c.kind == kind)
        members[kind] = await desk.registry.find_all(kind, values) if values else {}
    return [
        Known({(c.kind, c.value): members[c.kind].get(c.value, []) for c in each}) for each in asked
    ]


def _asked_about(desk: "Desk", incoming: Incoming) -> list[Contact]:
    asked = [incoming.sender] if incoming.sender.kind == "email" else []
    if incoming.door.is_chat:
        asked += naming.named_in(desk, incoming)
    elif incoming.door is Door.MAIL:
        asked += naming.answered_with(desk, incoming)
    if shared := shared_contact.contact_of(incoming):
        asked = [shared]
    return list(dict.fromkeys(asked))


async def receive(session: AsyncSession, desk: "Desk", incoming: Incoming, known: Known) -> Message:
    """Keeps one message and does what it asks for. Returns the row that was kept."""
    conversation, new = await _conversation(session, desk, incoming)
    if not new:
        incoming = await _by_what_came_before(session, desk, conversation, incoming)
    incoming = await spam_folder.judged(session, desk, incoming, known)
    message = await _keep(session, desk, conversation, incoming)
    if incoming.outcome is not Outcome.HANDLE:
        if not await bounces.take(session, desk, message, incoming):
            _leave_to_agent(session, conversation, message, incoming)
        return message
    await _tell_about_resident_number(session, conversation, incoming)
    if await shared_contact.take(
        session, desk, conversation, incoming, known
    ) or await new_contact.by_reply(session, desk, incoming):
        return message
    if incoming.door.is_chat and await dialog.handle(
        session, desk, conversation, message, incoming, known
    ):
        return message
    thread = await replies.find(session, desk, incoming)
    if thread is not None and thread.conversation_id != conversation.id:
        await _stand_beside(session, message, thread)
    if new or not await answers.handle(
        session, desk, conversation, message, incoming, known, thread
    ):
        await _new_wishes(session, desk, conversation, message, incoming, known, thread, new=new)
    return message


async def _by_what_came_before(
    session: AsyncSession, desk: "Desk", conversation: Conversation, incoming: Incoming
) -> Incoming:
    """The intake rules that a mail alone cannot tell: `duplicate`, `flood` and `answered_enough`."""
    if await _duplicate(session, conversation, incoming):
        reason = "the same Message-ID, sender and body were kept before"
        return replace(incoming, rule="duplicate", outcome=Outcome.ATTACH, reason=reason)
    if (too_much := await floods.judged(session, desk, conversation, incoming)) is not None:
        rule, reason = too_much
        return replace(incoming, rule=rule, outcome=Outcome.HOLD, reason=reason)
    return incoming


async def _stand_beside(session: AsyncSession, message: Message, thread: Thread) -> None:
    """It answers a letter to somebody else: an agent sees it at that thread, which it never joins."""
    message.beside_id, message.waits = thread.conversation_id, True
    session.add(message)


async def _conversation(
    session: AsyncSession, desk: "Desk", incoming: Incoming
) -> tuple[Conversation, bool]:
    """The sender's conversation on this door, and whether it begins with this message."""
    await look_ahead(session, desk, [incoming])
    key = _who(desk, incoming)
    known = session.info[TALKS][key]
    found = known or await make_row(session, _new_conversation(desk, incoming, key[1]))
    session.info[TALKS][key] = found
    if known is not None and incoming.door is Door.MAIL:
        found.language = incoming.language
    found.last_at = max(found.last_at, incoming.arrived_at)
    session.add(found)
    hold_on(session, found)
    return found, known is None


def _who(desk: "Desk", incoming: Incoming) -> tuple[Door, bytes]:
    return incoming.door, desk.vault.index(incoming.sender.kind, incoming.sender.value)


async def look_ahead(session: AsyncSession, desk: "Desk", batch: Sequence[Incoming]) -> None:
    """Reads the conversations of a batch's senders at once; None is kept where there is none yet."""
    talks = session.info.setdefault(TALKS, {})
    unread = dict.fromkeys(who for who in (_who(desk, one) for one in batch) if who not in talks)
    if not unread:
        return
    talks.update(unread)
    indices = {index for _, index in unread}
    found = await session.exec(
        select(Conversation).where(col(Conversation.contact_index).in_(indices))
    )
    talks.update(
        {key: talk for talk in found if (key := (Door(talk.door), talk.contact_index)) in unread}
    )


def _new_conversation(desk: "Desk", incoming: Incoming, index: bytes) -> Conversation:
    key_id = desk.vault.fresh_key("conversation", desk.clock())
    return Conversation(
        door=incoming.door,
        contact_kind=incoming.sender.kind,
        contact_index=index,
        contact=desk.vault.seal(key_id, "conversation.contact", incoming.sender.value),
        key_id=key_id,
        language=incoming.language,
        made_at=desk.clock(),
        last_at=incoming.arrived_at,
    )


async def _duplicate(session: AsyncSession, conversation: Conversation, incoming: Incoming) -> bool:
    """The same mail seen elsewhere: same Message-ID, same From, same body.

    A copy that only waits for an agent (in Junk, say) does not swallow one that would be handled.
    """
    if incoming.door is not Door.MAIL or not incoming.message_id:
        return False
    wanted = select(Message.outcome).where(
        Message.conversation_id == conversation.id,
        Message.rfc_message_id == incoming.message_id,
        Message.body_hash == incoming.body_hash,
    )
    with settled(session, Message, conversation.id or 0):
        outcomes = set(await session.exec(wanted))
    if incoming.outcome is Outcome.HANDLE:
        outcomes -= {Outcome.HOLD, Outcome.DEAD}
    return bool(outcomes)


async def _keep(
    session: AsyncSession, desk: "Desk", conversation: Conversation, incoming: Incoming
) -> Message:
    key, seal = conversation.key_id, desk.vault.seal
    message = Message(
        conversation_id=conversation.id or 0,
        direction="in",
        door=incoming.door,
        at=incoming.arrived_at,
        rfc_message_id=incoming.message_id or None,
        subject=seal(key, "message.subject", incoming.subject),
        text=seal(key, "message.text", incoming.text),
        rest=seal(key, "message.rest", incoming.rest),
        tier=incoming.tier,
        rule=incoming.rule,
        outcome=incoming.outcome,
        reason=incoming.reason,
        language=incoming.language,
        body_hash=incoming.body_hash,
        evidence=dict(incoming.evidence),
        chat_message_id=incoming.chat_message_id or None,
    )
    await make_row(session, message)
    await attachments.keep(session, desk, conversation, message, incoming)
    return message


def _leave_to_agent(
    session: AsyncSession, conversation: Conversation, message: Message, incoming: Incoming
) -> None:
    """Held for an agent; who sent more than can be read is told so."""
    if incoming.outcome in (Outcome.HOLD, Outcome.DEAD):
        message.waits = True
        conversation.state = "unsorted"
    if incoming.rule == "oversized" and incoming.sender.value:
        post.note(session, post.Noted("too_large", conversation.id or 0))


async def _tell_about_resident_number(
    session: AsyncSession, conversation: Conversation, incoming: Incoming
) -> None:
    """Kindly, and once a conversation."""
    if incoming.resident_number_found and not conversation.told_resident_number:
        conversation.told_resident_number = True
        forget = incoming.chat_message_id
        in_file = any(Apart.RESIDENT_NUMBER in one.apart for one in incoming.attachments)
        in_words = any(MASK in said for said in (incoming.subject, incoming.text, incoming.rest))
        facts = {"in_file": in_file and not in_words}
        post.note(
            session,
            post.Noted("resident_number", conversation.id or 0, forget=forget, facts=facts),
        )


async def _new_wishes(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    message: Message,
    incoming: Incoming,
    known: Known,
    thread: Thread | None,
    *,
    new: bool,
) -> None:
    meant = _meaning(desk, conversation, incoming)
    if meant.decision == "none":
        if await statements.take(session, desk, conversation, message, incoming):
            return
    if not any(wish.new_values or wish.kind != "correction" for wish in meant.wishes):
        said = incoming.text
        meant = await objecting.objection_in(session, conversation, thread, said) or meant
    if meant.decision == "none":
        await _nothing_asked(session, conversation, message, new=new)
        return
    if not new:
        meant = await again.without_repeated(
            session, desk, conversation, message, incoming, known, meant
        )
    if not meant.wishes and meant.decision == "apply":
        return
    requests = await opening.open_requests(session, desk, conversation, message, meant)
    unclear = [request for request in requests if request.kind == "unclear"]
    if unclear:
        await opening.clarify(session, desk, unclear[0], meant)
        return
    await opening.identify(session, desk, conversation, requests, incoming, known)


def _meaning(desk: "Desk", conversation: Conversation, incoming: Incoming) -> Understanding:
    """What the words ask for; the subject of a new mail is read with them where they alone do not say
    it, for subjects cut off what the words say whole. That of an answer is our own."""
    notes = Notes()
    meant = understand(incoming.text, desk.vocabulary, conversation.language, notes=notes)
    answer = incoming.in_reply_to or incoming.reply_token
    if meant.decision == "apply" or answer or not incoming.subject:
        return meant
    both = f"{incoming.subject}\n{incoming.text}".strip()
    return understand(both, desk.vocabulary, conversation.language, notes=notes)


async def _nothing_asked(
    session: AsyncSession, conversation: Conversation, message: Message, *, new: bool
) -> None:
    """No right in it: it belongs to what is open, or waits for an agent to sort."""
    requests = [] if new else await open_of(session, conversation.id or 0)
    message.waits = True
    session.add(message)
    if requests:
        await link_message(session, requests[-1].id or 0, message.id or 0)
    else:
        conversation.state = "unsorted"
        session.add(conversation)
