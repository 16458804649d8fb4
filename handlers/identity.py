"""Who is asking: one-time codes and reply addresses, sent only to a contact that can prove the person.

The same words leave by the same path whether the address is known or not: what a challenge proves is
looked up before, and only its answer makes a difference.
"""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, holds, post
from subjectline.handlers.identity_limits import (
    CHANNEL_LIVES,
    CODE_LIVES,
    CODES_A_DAY,
    CODES_AN_HOUR,
    CONTACT_LIVES,
    PROVISIONAL_LIVES,
    REPLY_LIVES,
    TRIES,
    bombed,
    may_hold,
)
from subjectline.handlers.requests import Facts, advance
from subjectline.models.incoming import Contact, Door, Incoming, Tier
from subjectline.models.rows import all_made, made_here, make_row, settled
from subjectline.models.tables import Challenge, Conversation, Request
from subjectline.models.workflow import LEVEL_NEEDED, reaches

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


HOLD_HOURS = int(PROVISIONAL_LIVES.total_seconds() // 3600)


@dataclass(frozen=True)
class Known:
    """What the registry said about the addresses in a message, asked before any transaction."""

    members: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)

    def only(self, contact: Contact) -> str | None:
        """The one member with this registered contact; None where there is none, or two."""
        found = self.members.get((contact.kind, contact.value), ())
        return found[0] if len(found) == 1 else None


class Verdict(StrEnum):
    PROVEN = "proven"
    WRONG = "wrong"
    SPENT = "spent"  # too old, replaced or five tries
    NONE = "none"  # there is no challenge here


@dataclass(frozen=True)
class Check:
    verdict: Verdict
    group_id: str = ""
    tries_left: int = 0


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
        else:
            left.append(request)
    return left


def contested(desk: "Desk", request: Request, contact: Contact) -> bool:
    """Whether the request changes the very contact that would prove it."""
    if request.kind != "correction":
        return False
    fields = desk.data_map.fields
    return any(name in fields and fields[name].contact == contact.kind for name in request.fields)


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

    `contact` is where it goes: the sender's own address by mail; by chat the registered address that
    was named. `believed` means that the message came authenticated from the member's own contact, so
    that a provisional hold may start.
    """
    member = known.only(contact)
    code, token = await _issue(session, desk, conversation, requests[0].group_id, contact, member)
    by_mail = conversation.door == "mail"
    hours = HOLD_HOURS * (believed and any(_holds(desk, request) for request in requests))
    for request in requests:
        if request.state != "received":
            continue
        held = believed and member is not None and await may_hold(session, desk, request, member)
        facts = Facts(
            provisional=held,
            registry=desk.data_map.registry,
            subject=member,
            letter={"code": code, "hold_hours": hours} if by_mail else None,
            reply_token=token if by_mail else "",
        )
        await advance(
            session, desk, request.id or 0, "challenge", audit.SYSTEM, request.version, facts
        )
    if not by_mail and member is not None and not await bombed(session, desk, contact):
        ids = [request.id or 0 for request in requests]
        post.note(
            session,
            post.Noted("code", conversation.id or 0, ids, {"code": code}, to=contact),
        )


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
) -> bool:
    """A new code for requests that are verifying already; the old one dies. False: too many."""
    if await too_many(session, desk, conversation):
        return False
    member = known.only(contact)
    code, token = await _issue(session, desk, conversation, requests[0].group_id, contact, member)
    ids = [request.id or 0 for request in requests]
    noted = post.Noted(letter, conversation.id or 0, ids, {"code": code}, reply_token=token)
    if conversation.door != "mail":
        noted = post.Noted("code", conversation.id or 0, ids, {"code": code}, to=contact)
    if conversation.door == "mail" or member is not None:
        post.note(session, noted)
    return True


async def _issue(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    group: str,
    contact: Contact,
    member: str | None,
) -> tuple[str, str]:
    """A new code and reply token for a group; the ones before die."""
    code, token, now = f"{secrets.randbelow(10**6):06d}", new_token(), desk.clock()
    await _replace(session, group)
    await make_row(
        session,
        Challenge(
            group_id=group,
            conversation_id=conversation.id or 0,
            code_hash=_code_hash(desk, group, code),
            token_hash=desk.vault.keyed_hash("reply", token),
            contact_kind=contact.kind,
            contact_index=desk.vault.index(contact.kind, contact.value),
            registry_id=desk.data_map.registry if member else None,
            subject_id=member,
            made_at=now,
            expires_at=now + CODE_LIVES,
        ),
    )
    return code, token


async def renew(
    session: AsyncSession, desk: "Desk", conversation: Conversation, group: str, contact: Contact
) -> tuple[str, str]:
    """A new code and reply token that prove the same as the group's last challenge did."""
    rows = await session.exec(
        select(Challenge).where(Challenge.group_id == group).order_by(col(Challenge.id).desc())
    )
    last = rows.first()
    member = last.subject_id if last else None
    return await _issue(session, desk, conversation, group, contact, member)


async def too_many(session: AsyncSession, desk: "Desk", conversation: Conversation) -> bool:
    """Whether this asker has had the codes of an hour or a day (limits fall on the asker)."""
    now = desk.clock()
    times = await _asked_at(session, conversation.id or 0, now - timedelta(days=1))
    lately = sum(1 for at in times if at > now - timedelta(hours=1))
    return lately >= CODES_AN_HOUR or len(times) >= CODES_A_DAY


async def _asked_at(session: AsyncSession, conversation_id: int, since: datetime) -> list[datetime]:
    if made_here(session, Conversation, conversation_id):
        made = all_made(session, Challenge)
        return [one.made_at for one in made if one.conversation_id == conversation_id]
    wanted = (
        select(Challenge.made_at)
        .where(Challenge.conversation_id == conversation_id)
        .where(col(Challenge.made_at) > since)
    )
    with settled(session, Challenge, conversation_id):
        return list(await session.exec(wanted))


async def check_code(
    session: AsyncSession, desk: "Desk", conversation: Conversation, code: str
) -> tuple[Check, Challenge | None]:
    """Tries a code against the conversation's open challenge; a wrong one costs a try."""
    found = await _newest(session, conversation)
    if found is None:
        return Check(Verdict.NONE), None
    if found.state != "open" or found.tries >= TRIES or desk.clock() > found.expires_at:
        return Check(Verdict.SPENT, found.group_id), None
    if is_code(desk, found, code):
        return Check(Verdict.PROVEN, found.group_id), found
    found.tries += 1
    audit.note(
        session,
        desk.clock,
        audit.MEMBER,
        "wrong_code",
        thing=f"challenge:{found.id}",
        outcome="refused",
        tries=found.tries,
    )
    if found.tries >= TRIES:
        found.state = "spent"
        return Check(Verdict.SPENT, found.group_id), None
    return Check(Verdict.WRONG, found.group_id, TRIES - found.tries), None


def is_code(desk: "Desk", proof: Challenge, code: str) -> bool:
    """Whether this is the code that was sent, in constant time; says nothing of its age or tries."""
    return secrets.compare_digest(proof.code_hash, _code_hash(desk, proof.group_id, code))


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
        )
    )
    return rows.first()


def reply_counts(desk: "Desk", found: Challenge) -> bool:
    """Whether an answer to the challenge's letter is not too late."""
    return desk.clock() <= found.made_at + REPLY_LIVES


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
    for request in await group_of(session, proof.group_id):
        waits = request.state in ("received", "verifying") and request.kind != "unclear"
        if waits and not contested(desk, request, by):
            opened.append(
                await advance(
                    session, desk, request.id or 0, "prove", audit.MEMBER, request.version, facts
                )
            )
    return opened


async def group_of(session: AsyncSession, group_id: str) -> list[Request]:
    rows = await session.exec(
        select(Request).where(Request.group_id == group_id).order_by(col(Request.id))
    )
    return list(rows)


async def open_challenge(session: AsyncSession, conversation: Conversation) -> Challenge | None:
    """The conversation's newest challenge, if it waits for an answer."""
    found = await _newest(session, conversation)
    return found if found is not None and found.state == "open" else None


def new_token() -> str:
    """256 random bits as it may stand in a mail address: lower-case base 32."""
    return "v" + base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=").lower()


async def _newest(session: AsyncSession, conversation: Conversation) -> Challenge | None:
    wanted = (
        select(Challenge)
        .where(Challenge.conversation_id == conversation.id)
        .where(col(Challenge.state).in_(("open", "spent")), Challenge.purpose != "call")
        .order_by(col(Challenge.id).desc())
        .limit(1)
    )
    with settled(session, Challenge, conversation.id or 0):
        return (await session.exec(wanted)).first()


async def _replace(session: AsyncSession, group_id: str) -> None:
    """A new code kills the old one."""
    for one in all_made(session, Challenge):
        if one.group_id == group_id and one.state == "open":
            one.state = "replaced"
    if any(one.group_id == group_id for one in all_made(session, Request)):
        return  # the group began in this transaction, and so did all its codes
    await session.exec(
        update(Challenge)
        .where(col(Challenge.group_id) == group_id, col(Challenge.state) == "open")
        .values(state="replaced")
    )


def _holds(desk: "Desk", request: Request) -> bool:
    return bool(holds.holds_for(request.kind, request.fields, (), desk.data_map))


def _code_hash(desk: "Desk", group_id: str, code: str) -> bytes:
    return desk.vault.keyed_hash("code", f"{group_id}:{code}")
