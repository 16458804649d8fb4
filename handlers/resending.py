"""A letter once more: the approved bytes where it was approved, else what left; never a spent code."""

import json
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import bounces, decisions, opaque, page_letters, post
from subjectline.handlers.letters import SECURE_LINK, Letter
from subjectline.models.errors import BadInput, KeyDestroyed, NotPermitted
from subjectline.models.incoming import CHATS, Contact, Door
from subjectline.models.tables import (
    Conversation,
    History,
    Message,
    NoticeRecipient,
    Outbox,
    Proposal,
    Request,
    ReturnedLetter,
)

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

ONCE = frozenset({"verify", "code", "reminder", "forget", "contact_changing", "change_waits"})
LINK_LEFT = "[one-time link]"  # as `outbox` keeps a letter that had one


def by_mail(row: ReturnedLetter) -> bool:
    """Whether this letter can be repeated: one with a code in it cannot."""
    return by_mail_name(row.letter)


def by_mail_name(letter: str) -> bool:
    return letter not in ONCE and not letter.startswith("dialog_")


def by_chat(row: ReturnedLetter) -> bool:
    """Whether the linked chat can be told: of a letter about a request, by a link to its page."""
    return by_mail(row) and row.request_id is not None


async def send(
    session: AsyncSession, desk: "Desk", row: ReturnedLetter, way: str, address: str
) -> int | None:
    """Queues it again; returns the new outbox row's id (None for a notice, which has its own line).

    Raises BadInput where the letter is gone, NotPermitted where the person is not proven.
    """
    if row.notice_recipient_id is not None:
        letter = await session.get_one(NoticeRecipient, row.notice_recipient_id)
        bounces.notice_again(desk, letter)
        session.add(letter)
        return None
    request = await session.get(Request, row.request_id) if row.request_id else None
    if request is None or request.subject_id is None or request.subject_id != row.subject_id:
        raise NotPermitted("nobody is proven to be its person", field="member")
    noted = (
        await _for_chat(session, row, request)
        if way == "telegram"
        else await _for_mail(session, desk, row, request, Contact("email", address))
    )
    post.note(session, noted)
    await post.flush(desk, session)
    newest = (
        select(Outbox.id).where(Outbox.request_id == request.id).order_by(col(Outbox.id).desc())
    )
    return (await session.exec(newest.limit(1))).first()


async def _for_chat(session: AsyncSession, row: ReturnedLetter, request: Request) -> post.Noted:
    """No personal data in a chat: a line that says a letter came back, and a one-time link."""
    chat = await linked_chat(session, row)
    if chat is None:
        raise NotPermitted("this person has linked no chat", field="way")
    return post.Noted(
        "dialog_returned",
        chat.id or 0,
        [request.id or 0],
        facts={"secure_link": SECURE_LINK},
        slots={"secure_link": {"request_id": request.id}},
    )


async def _for_mail(
    session: AsyncSession, desk: "Desk", row: ReturnedLetter, request: Request, to: Contact
) -> post.Noted:
    noted = await _approved(session, desk, row, request) or await _as_it_left(
        session, desk, row, request
    )
    noted.to = to
    return noted


async def _approved(
    session: AsyncSession, desk: "Desk", row: ReturnedLetter, request: Request
) -> post.Noted | None:
    """The bytes that were signed; None where this letter was none of those that are."""
    rows = await session.exec(
        select(Proposal)
        .where(Proposal.request_id == request.id)
        .where(col(Proposal.state).in_(("approved", "spent")))
        .order_by(col(Proposal.id).desc())
    )
    for proposal in rows:
        if proposal.envelope is None:
            continue
        said = json.loads(desk.vault.open(proposal.envelope))
        if (said["letter"], said["door"]) == (row.letter, Door.MAIL):
            done_at = await _done_at(session, request)
            return decisions.letter_of(desk, proposal, request, done_at)
    return None


async def _done_at(session: AsyncSession, request: Request) -> datetime | None:
    """When the answer was carried out; None of a refusal."""
    rows = await session.exec(
        select(History.at)
        .where(History.request_id == request.id, History.event == "apply")
        .order_by(col(History.version).desc())
    )
    return rows.first()


async def _as_it_left(
    session: AsyncSession, desk: "Desk", row: ReturnedLetter, request: Request
) -> post.Noted:
    rows = await session.exec(
        select(Message).where(
            Message.rfc_message_id == row.rfc_message_id, Message.direction == "out"
        )
    )
    kept = rows.first()
    try:
        subject, text = (
            (desk.vault.text(kept.subject), desk.vault.text(kept.text)) if kept else ("", "")
        )
    except KeyDestroyed:
        text = ""
    if not text:
        raise BadInput("the letter is not kept any more", field="way")
    purpose = page_letters.purpose_of(row.letter, "", request.state) or "result"
    slot = {"secure_link": {"request_id": request.id, "purpose": purpose}}
    slots = slot if LINK_LEFT in text else {}
    text = text.replace(LINK_LEFT, SECURE_LINK)
    letter = Letter(subject, text, _plain_html(text))
    return post.Noted(
        row.letter, row.conversation_id or 0, [request.id or 0], ready=letter, slots=slots
    )


def _plain_html(text: str) -> str:
    paragraphs = (escape(one).replace("\n", "<br>") for one in text.split("\n\n"))
    return "".join(f"<p>{one}</p>\n" for one in paragraphs)


async def linked_chat(session: AsyncSession, row: ReturnedLetter) -> Conversation | None:
    """The chat that the letter's member proved to be theirs, the newest proof first."""
    rows = await session.exec(
        select(Conversation)
        .where(col(Conversation.door).in_(CHATS), Conversation.subject_id == row.subject_id)
        .where(Conversation.registry_id == row.registry_id)
        .where(col(Conversation.proven_at).is_not(None))
        .order_by(col(Conversation.proven_at).desc())
        .limit(1)
    )
    return rows.first()


async def report_handle(session: AsyncSession, desk: "Desk", message_id: int | None) -> str:
    """The handle of the conversation that a report stands in; "" where there is none."""
    message = await session.get(Message, message_id) if message_id else None
    return opaque.hide(desk.vault, "conversation", message.conversation_id) if message else ""
