"""Letters on their way to the outbox: noted by the steps, rendered and queued when the step commits.

Steps of one transaction that call for the same letter to the same conversation get one letter that
lists all their references (one acknowledgement for three rights).
"""

import base64
import json
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import facts as wording
from subjectline.handlers import page_letters
from subjectline.handlers.letters import SECURE_LINK, Letter, render
from subjectline.models.db import wake
from subjectline.models.incoming import CHATS, Contact, Door
from subjectline.models.rows import all_made, made_here, make_row, row_of
from subjectline.models.tables import Conversation, Message, Outbox, Request, SentMessage

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

TOKEN_BYTES = 10
PARENTS = 5  # as many of their mails as References names


@dataclass
class Noted:
    """A letter that a step called for. `facts` are what the letter needs beyond its requests."""

    letter: str
    conversation_id: int
    request_ids: list[int] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    to: Contact | None = None  # somewhere else than the conversation's own door
    reply_token: str = ""
    ready: Letter | None = None  # rendered and approved before
    slots: dict[str, Any] = field(default_factory=dict)
    keyboard: list[list[dict[str, str]]] | None = None
    forget: int = 0  # a chat message to delete (it carried a value or a code)


def note(session: AsyncSession, noted: Noted) -> None:
    """Remembers a letter for the end of this transaction; the same one again only adds its requests."""
    waiting: list[Noted] = session.info.setdefault("letters", [])
    for other in waiting:
        same = (other.letter, other.conversation_id) == (noted.letter, noted.conversation_id)
        same = same and other.to == noted.to
        if same and other.request_ids and noted.request_ids and other.facts == noted.facts:
            other.request_ids += [i for i in noted.request_ids if i not in other.request_ids]
            return
    waiting.append(noted)


def says_something(session: AsyncSession, conversation_id: int) -> bool:
    """Whether a line to this very conversation was noted in this step."""
    waiting: list[Noted] = session.info.get("letters", [])
    return any(
        one.conversation_id == conversation_id and one.to is None and one.letter != "forget"
        for one in waiting
    )


async def flush(desk: "Desk", session: AsyncSession) -> None:
    """Renders and queues what was noted. Called once, at the end of a step."""
    for noted in session.info.pop("letters", []):
        await _queue(desk, session, noted)


async def _queue(desk: "Desk", session: AsyncSession, noted: Noted) -> None:
    conversation = await row_of(session, Conversation, noted.conversation_id)
    requests = await _requests(session, noted.request_ids)
    language = requests[0].language if requests else conversation.language
    door = _door(conversation, noted.to)
    if requests and door is Door.MAIL and noted.ready is None and noted.to is None:
        facts, slots = page_letters.led(noted.letter, noted.facts, requests[0], SECURE_LINK)
        noted = replace(noted, facts=noted.facts | facts, slots=noted.slots | slots)
    letter = noted.ready or render(
        noted.letter, language, door, wording.gather(desk, requests, noted.facts, language)
    )
    message_id = desk.manner.new_message_id()
    kept = await _keep(desk, session, conversation, noted, letter, door, message_id, language)
    content = _content(desk, conversation, noted, letter, requests) | {"language": language}
    if door is Door.MAIL:
        content |= await _threading(session, conversation)
    session.add(
        Outbox(
            request_id=requests[0].id if requests else None,
            conversation_id=noted.conversation_id,
            message_id=kept.id,
            door=door,
            letter=noted.letter,
            recipient=_recipient(desk, conversation, noted.to),
            contact_index=_contact_index(desk, conversation, noted.to, door),
            content=desk.vault.seal(conversation.key_id, "outbox.content", json.dumps(content)),
            rfc_message_id=message_id,
            made_at=desk.clock(),
            due_at=desk.clock(),
        )
    )
    wake(session, "outbox")


def _subject(desk: "Desk", letter: Letter, requests: list[Request]) -> str:
    """Where no reply address can name the thread, the subject does (`SL-…`)."""
    if desk.manner.plus_addresses or not requests or not letter.subject:
        return letter.subject
    reference = requests[0].reference
    return letter.subject if reference in letter.subject else f"{letter.subject} ({reference})"


def _content(
    desk: "Desk", conversation: Conversation, noted: Noted, letter: Letter, requests: list[Request]
) -> dict[str, Any]:
    token = noted.reply_token or thread_token(desk, conversation)
    return {
        "subject": _subject(desk, letter, requests),
        "text": letter.text,
        "html": letter.html,
        "reply_to": desk.manner.reply_address(token)
        if noted.to is None or noted.reply_token
        else "",
        "slots": noted.slots,
        "keyboard": noted.keyboard,
        "forget": noted.forget,
        "code": str(noted.facts.get("code", "")),
    }


async def _keep(
    desk: "Desk",
    session: AsyncSession,
    conversation: Conversation,
    noted: Noted,
    letter: Letter,
    door: Door,
    message_id: str,
    language: str,
) -> Message:
    """The letter in the conversation, as agents see it; a code is never kept in it."""
    shown = "" if noted.letter in ("verify", "code") else letter.text
    key = conversation.key_id
    kept = Message(
        conversation_id=noted.conversation_id,
        direction="out",
        door=door,
        at=desk.clock(),
        rfc_message_id=message_id,
        subject=desk.vault.seal(key, "message.subject", letter.subject),
        text=desk.vault.seal(key, "message.text", shown),
        letter=noted.letter,
        language=language,
    )
    await make_row(session, kept)
    sent = SentMessage(
        rfc_message_id=message_id, conversation_id=noted.conversation_id, at=desk.clock()
    )
    session.add(sent)
    return kept


async def _threading(session: AsyncSession, conversation: Conversation) -> dict[str, Any]:
    """In-Reply-To and References (RFC 5322 3.6.4): the member's client shows one thread."""
    known = await _newest_ids(session, conversation.id or 0)
    return {"in_reply_to": known[0] if known else "", "references": known[::-1]}


async def _newest_ids(session: AsyncSession, conversation_id: int) -> list[str]:
    """The Message-IDs of the person's last mails, the newest first."""
    theirs = [m for m in all_made(session, Message) if m.conversation_id == conversation_id]
    newest = [m.rfc_message_id for m in reversed(theirs) if m.direction == "in"]
    if made_here(session, Conversation, conversation_id) is None:
        newest += await _ids_before(session, conversation_id)
    return list(dict.fromkeys(one for one in newest if one))[:PARENTS]


async def _ids_before(session: AsyncSession, conversation_id: int) -> list[str | None]:
    wanted = (
        select(Message.rfc_message_id)
        .where(Message.conversation_id == conversation_id, Message.direction == "in")
        .where(col(Message.rfc_message_id).is_not(None))
        .order_by(col(Message.id).desc())
        .limit(PARENTS)
    )
    with session.no_autoflush:  # what waits to be written was made here, and is known
        return list(await session.exec(wanted))


async def _requests(session: AsyncSession, ids: list[int]) -> list[Request]:
    """In the order of their ids; the step that called for the letter has them at hand."""
    return [await row_of(session, Request, number) for number in sorted(set(ids))]


def _door(conversation: Conversation, to: Contact | None) -> Door:
    if to is None:
        return Door(conversation.door)
    if to.kind == "phone":
        return Door.SMS
    return Door(to.kind) if to.kind in CHATS else Door.MAIL


def _recipient(desk: "Desk", conversation: Conversation, to: Contact | None) -> Any:
    value = to.value if to else desk.vault.text(conversation.contact)
    return desk.vault.seal(conversation.key_id, "outbox.recipient", value)


def _contact_index(
    desk: "Desk", conversation: Conversation, to: Contact | None, door: Door
) -> bytes | None:
    """Under which index its address would be known if the letter came back."""
    if door is not Door.MAIL:
        return None
    return desk.vault.index(to.kind, to.value) if to else conversation.contact_index


def thread_token(desk: "Desk", conversation: Conversation) -> str:
    """The signed part of our Reply-To address: which conversation an answer belongs to."""
    number = (conversation.id or 0).to_bytes(8, "big")
    sign = desk.vault.keyed_hash("thread", number.hex())[:TOKEN_BYTES]
    return "t" + base64.b32encode(number + sign).decode().rstrip("=").lower()


def read_thread_token(desk: "Desk", token: str) -> int | None:
    """The conversation's id, or None where the token is not ours."""
    if not token.startswith("t"):
        return None
    body = token[1:].upper()
    try:
        raw = base64.b32decode(body + "=" * (-len(body) % 8))
    except ValueError:
        return None
    sign = desk.vault.keyed_hash("thread", raw[:8].hex())[:TOKEN_BYTES]
    good = len(raw) == 8 + TOKEN_BYTES and secrets.compare_digest(raw[8:], sign)
    return int.from_bytes(raw[:8], "big") if good else None
