"""Who is asking: one-time codes and reply addresses, sent only to a contact that can prove the person.

The same words leave by the same path whether the address is known or not: what a challenge proves is
looked up before, and only its answer makes a difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, challenges, duplicates, holds, post, whereto
from subjectline.handlers.challenges import (
    IDENTITY,
    Check,
    Verdict,
    is_code,
    issue,
    new_token,
    reply_counts,
)
from subjectline.handlers.identity_limits import (
    CHANNEL_LIVES,
    CODE_LIVES,
    CONTACT_LIVES,
    PROVISIONAL_LIVES,
    bombed,
    failed_often,
    may_hold,
    too_many,
)
from subjectline.handlers.requests import Facts, advance
from subjectline.models.incoming import Contact, Door, Incoming, Tier
from subjectline.models.tables import Challenge, Conversation, Request
from subjectline.models.workflow import LEVEL_NEEDED, reaches

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


__all__ = [
    "Check",
    "Known",
    "Verdict",
    "again",
    "by_token",
    "challenge",
    "challenge_sender",
    "check_code",
    "check_token",
    "contested",
    "group_of",
    "identify",
    "is_code",
    "known_of",
    "level_now",
    "new_token",
    "open_challenge",
    "prove",
    "renew",
    "reply_counts",
    "say_it_went",
    "too_many",
]

HOLD_HOURS = int(PROVISIONAL_LIVES.total_seconds() // 3600)


@dataclass(frozen=True)
class Known:
    """What the registry said about the addresses in a message, asked before any transaction."""

    members: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)

    def only(self, contact: Contact) -> str | None:
        """The one member with this registered contact; None where there is none, or two."""
        found = self.members.get((contact.kind, contact.value), ())
        return found[0] if len(found) == 1 else None


def level_now(
    desk: "Desk", conversation: Conversation, incoming: Incoming, known: Known
) -> tuple[str, str | None]:
    """How far the sender is known before any challenge, and as whom (DESIGN, Identity).

    A linked chat is `contact` for a day and `channel` for thirty; a DMARC-aligned mail from a
    registered address is `channel`; everything else is claimed.
    """
    member = conversation.subject_id
    if Door(conversation.door).is_chat and member and conversation.proven_at:
        age = desk.clock() - conversation.proven_at
        if age < CONTACT_LIVES:
            return "contact", member
        return ("channel", member) if age < CHANNEL_LIVES else ("claimed", None)
    member = known.only(incoming.sender)
    if incoming.tier is Tier.ALIGNED and member is not None:
        return "channel", member
    return "claimed", None


async def identify(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    requests: list[Request],
    incoming: Incoming,
    known: Known,
) -> list[Request]:
    """Opens the requests whose level is reached already; returns those that need a challenge."""
    level, member = level_now(desk, conversation, incoming, known)
    left = []
    by = Contact(conversation.proven_by or incoming.sender.kind, "")
    for request in requests:
        known_enough = reaches(level, LEVEL_NEEDED.get(request.kind, "document"))
        if member and known_enough and not contested(desk, request, by):
            facts = Facts(level=level, registry=desk.data_map.registry, subject=member)
            await advance(
                session, desk, request.id or 0, "prove", audit.MEMBER, request.version, facts
            )
            await duplicates.settle(session, desk, request)
        else:
            left.append(request)
    return left


def contested(desk: "Desk", request: Request, contact: Contact) -> bool:
    """Whether the request changes the very contact that would prove it."""
    return whereto.contested_kind(desk, request, contact.kind)


async def challenge(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    requests: list[Request],
    contact: Contact,
    known: Known,
    *,
    believed: bool = False,
) -> None:
    """Sends one challenge for a group of requests and moves them to `verifying`.

    `contact` is where it goes: the sender's own address by mail, or the registered address or phone
    that was named, by chat or mail. `believed` means that the message came authenticated from the
    member's own contact, so that a provisional hold may start. Whether anything goes to a named contact
    depends on the registry; nothing that the asker sees does.
    """
    member = known.only(contact)
    own = _own(desk, conversation, contact)
    asked = _who_asks(conversation, member, own=own, believed=believed)
    group = requests[0].group_id
    row, code, token = await issue(session, desk, conversation, group, contact, member, asked=asked)
    hours = HOLD_HOURS * (believed and any(_holds(desk, request) for request in requests))
    for request in requests:
        if request.state != "received":
            continue
        held = believed and member is not None and await may_hold(session, desk, request, member)
        facts = Facts(
            provisional=held,
            registry=desk.data_map.registry,
            subject=member,
            letter={"code": code, "hold_hours": hours} if own else None,
            reply_token=token if own else "",
        )
        await advance(
            session, desk, request.id or 0, "challenge", audit.SYSTEM, request.version, facts
        )
    if not own:
        await _send_code(session, desk, conversation, requests, contact, row, code)


def _own(desk: "Desk", conversation: Conversation, contact: Contact) -> bool:
    """Whether a contact is the address that a mail conversation is held with."""
    index = desk.vault.index(contact.kind, contact.value)
    return conversation.door == Door.MAIL and conversation.contact_index == index


def _who_asks(
    conversation: Conversation, member: str | None, *, own: bool, believed: bool = False
) -> str:
    """Who causes a code (`Challenge.asked`): on them its limits fall."""
    if own:
        return "aligned" if believed else "unknown"
    return "linked" if member is not None and conversation.subject_id == member else "other"


async def _send_code(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    requests: list[Request],
    contact: Contact,
    row: Challenge,
    code: str,
) -> None:
    """The code to a named contact, if it is a member's and strangers have not had too many sent.

    What is not sent proves nobody: else many chats together could guess without end at one member.
    """
    full = await bombed(session, desk, contact, row.subject_id) and row.asked != "linked"
    reached = contact.kind != "phone" or desk.manner.sms
    if row.subject_id is None or full or not reached:
        row.registry_id = row.subject_id = None
        return
    ids = [request.id or 0 for request in requests]
    post.note(session, post.Noted("code", conversation.id or 0, ids, {"code": code}, to=contact))


def say_it_went(session: AsyncSession, conversation: Conversation, requests: list[Request]) -> None:
    """By mail, in words that fit whether the named contact is registered or not."""
    minutes = int(CODE_LIVES.total_seconds() // 60)
    facts = {"question": "named_code", "expires_minutes": minutes}
    ids = [request.id or 0 for request in requests]
    post.note(session, post.Noted("question", conversation.id or 0, ids, facts))


async def challenge_sender(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    requests: list[Request],
    known: Known,
) -> None:
    """Challenges the writer of a mail conversation for a case that an agent opened from it."""
    contact = Contact(conversation.contact_kind, desk.vault.text(conversation.contact))
    if conversation.door == "mail" and requests[0].state == "received":
        await challenge(session, desk, conversation, requests, contact, known)


async def known_of(desk: "Desk", conversation_id: int) -> Known:
    """What the registry says of a conversation's own contact; asked outside of any transaction."""
    async with desk.db.read() as session:
        conversation = await session.get_one(Conversation, conversation_id)
    kind, value = conversation.contact_kind, desk.vault.text(conversation.contact)
    if kind not in ("email", "phone"):
        return Known()
    return Known({(kind, value): await desk.registry.find(kind, value)})


async def again(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    requests: list[Request],
    contact: Contact,
    known: Known,
    letter: str = "verify",
    *,
    believed: bool = False,
) -> bool:
    """A new code for requests that are verifying already, to where the last one went; the old one dies.
    False: too many."""
    group = requests[0].group_id
    last = await challenges.last_of(session, group)
    elsewhere = challenges.where_to(desk, last) if last is not None else None
    named = elsewhere is not None and not _own(desk, conversation, elsewhere)
    if named and elsewhere is not None and last is not None:
        contact, member = elsewhere, last.subject_id
    else:
        member = known.only(contact)
    own = _own(desk, conversation, contact)
    asked = _who_asks(conversation, member, own=own, believed=believed)
    if await too_many(session, desk, conversation, asked):
        return False
    row, code, token = await issue(session, desk, conversation, group, contact, member, asked=asked)
    if own:
        ids = [request.id or 0 for request in requests]
        noted = post.Noted(letter, conversation.id or 0, ids, {"code": code}, reply_token=token)
        post.note(session, noted)
        return True
    await _send_code(session, desk, conversation, requests, contact, row, code)
    if conversation.door == Door.MAIL:
        say_it_went(session, conversation, requests)
    return True


async def renew(
    session: AsyncSession, desk: "Desk", conversation: Conversation, group: str, contact: Contact
) -> tuple[str, str] | None:
    """A new code and reply token that prove the same as the group's last challenge did.

    None where that one went to another contact: what it proves is not said to this one.
    """
    last = await challenges.last_of(session, group)
    index = desk.vault.index(contact.kind, contact.value)
    if last is not None and last.contact_index != index:
        return None
    member = last.subject_id if last else None
    _, code, token = await issue(
        session, desk, conversation, group, contact, member, asked="unknown"
    )
    return code, token


async def check_code(
    session: AsyncSession, desk: "Desk", conversation: Conversation, code: str
) -> tuple[Check, Challenge | None]:
    """Tries a code against the conversation's open challenge; a wrong one costs a try."""
    found = await challenges.newest(session, conversation)
    if found is None:
        return Check(Verdict.NONE), None
    check = challenges.tried(session, desk, found, code)
    if check.verdict is Verdict.SPENT and await failed_often(session, desk, found):
        conversation.state = "unsorted"
        session.add(conversation)
    return check, found if check.verdict is Verdict.PROVEN else None


async def check_token(
    session: AsyncSession, desk: "Desk", conversation: Conversation, token: str
) -> Challenge | None:
    """The open challenge whose reply address was written to, if it still counts."""
    found = await by_token(session, desk, conversation, token)
    good = found is not None and found.state == "open" and reply_counts(desk, found)
    return found if good else None


async def by_token(
    session: AsyncSession, desk: "Desk", conversation: Conversation, token: str
) -> Challenge | None:
    """The challenge of this conversation with this reply address, in whatever state."""
    rows = await session.exec(
        select(Challenge).where(
            Challenge.token_hash == desk.vault.keyed_hash("reply", token),
            Challenge.conversation_id == conversation.id,
            Challenge.purpose == IDENTITY,
        )
    )
    return rows.first()


async def prove(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    proof: Challenge,
    message_id: int | None = None,
) -> list[Request]:
    """The answer came from the contact: every request of the group is proven and opened, but for one
    that changes this very contact."""
    proof.state = "proven"
    session.add(proof)
    if proof.subject_id is not None:
        conversation.registry_id, conversation.subject_id = proof.registry_id, proof.subject_id
        conversation.proven_at, conversation.proven_by = desk.clock(), proof.contact_kind
        session.add(conversation)
    opened = []
    by = Contact(proof.contact_kind, "")
    facts = Facts(level="contact", registry=proof.registry_id, subject=proof.subject_id)
    group = await group_of(session, proof.group_id)
    for request in group:
        waits = request.state in ("received", "verifying") and request.kind != "unclear"
        if waits and not contested(desk, request, by):
            to = challenges.where_to(desk, proof)
            whereto.remember(desk, request, conversation, to, group)
            opened.append(
                await advance(
                    session, desk, request.id or 0, "prove", audit.MEMBER, request.version, facts
                )
            )
            await duplicates.settle(session, desk, request)
    return opened


async def group_of(session: AsyncSession, group_id: str) -> list[Request]:
    rows = await session.exec(
        select(Request).where(Request.group_id == group_id).order_by(col(Request.id))
    )
    return list(rows)


async def open_challenge(session: AsyncSession, conversation: Conversation) -> Challenge | None:
    """The conversation's newest challenge, if it waits for an answer."""
    found = await challenges.newest(session, conversation)
    return found if found is not None and found.state == "open" else None


def _holds(desk: "Desk", request: Request) -> bool:
    return bool(holds.holds_for(request.kind, request.fields, (), desk.data_map))
