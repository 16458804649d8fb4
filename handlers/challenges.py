"""One-time codes and reply addresses as rows: issued, tried, replaced. What they prove is said by
`identity` (who asks) and `new_contact` (that a contact can be reached)."""

import base64
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.handlers.identity_limits import CODE_LIVES, REPLY_LIVES, TRIES
from subjectline.models.incoming import Contact
from subjectline.models.rows import all_made, make_row, settled
from subjectline.models.tables import Challenge, Conversation, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

IDENTITY, NEW_CONTACT = "identity", "new_contact"


class Verdict(StrEnum):
    PROVEN = "proven"
    WRONG = "wrong"
    SPENT = "spent"  # too old, replaced or five tries
    NONE = "none"  # there is no challenge here


@dataclass(frozen=True)
class Check:
    """What came of a code. `tries_left` counts down from five."""

    verdict: Verdict
    group_id: str = ""
    tries_left: int = 0


async def issue(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    group: str,
    contact: Contact,
    member: str | None,
    *,
    asked: str,
    purpose: str = IDENTITY,
    request: Request | None = None,
    field: str = "",
) -> tuple[Challenge, str, str]:
    """A new code and reply token for a group; those before, of the same purpose, die.

    Returns the row, the code and the token. Every one leaves an audit row.
    """
    code, token, now = f"{secrets.randbelow(10**6):06d}", new_token(), desk.clock()
    await _replace(session, group, purpose)
    row = Challenge(
        group_id=group,
        conversation_id=conversation.id or 0,
        code_hash=_code_hash(desk, group, code),
        token_hash=desk.vault.keyed_hash("reply", token),
        contact_kind=contact.kind,
        contact_index=desk.vault.index(contact.kind, contact.value),
        contact=desk.vault.seal(conversation.key_id, "challenge.contact", contact.value),
        registry_id=desk.data_map.registry if member else None,
        subject_id=member,
        made_at=now,
        expires_at=now + CODE_LIVES,
        purpose=purpose,
        asked=asked,
        request_id=request.id if request else None,
        field=field,
    )
    await make_row(session, row)
    whose = (desk.data_map.registry, member) if member else None
    note(session, desk, row, "code_made", whose=whose, asked=asked, purpose=purpose)
    return row, code, token


def note(
    session: AsyncSession,
    desk: "Desk",
    row: Challenge,
    action: str,
    outcome: str = "ok",
    whose: tuple[str, str] | None = None,
    **facts: Any,
) -> None:
    """The audit row of one attempt: names and numbers, never the contact or the code."""
    thing = f"challenge:{row.id}"
    audit.note(
        session,
        desk.clock,
        audit.MEMBER,
        action,
        subject=whose,
        thing=thing,
        outcome=outcome,
        **facts,
    )


def tried(session: AsyncSession, desk: "Desk", found: Challenge, code: str) -> Check:
    """Tries a code against a challenge; a wrong one costs a try. Its state is not changed to proven."""
    if found.state != "open" or found.tries >= TRIES or desk.clock() > found.expires_at:
        note(session, desk, found, "late_code", "refused", tries=found.tries)
        return Check(Verdict.SPENT, found.group_id)
    if is_code(desk, found, code):
        return Check(Verdict.PROVEN, found.group_id)
    found.tries += 1
    note(session, desk, found, "wrong_code", "refused", tries=found.tries)
    if found.tries >= TRIES:
        found.state = "spent"
        return Check(Verdict.SPENT, found.group_id)
    return Check(Verdict.WRONG, found.group_id, TRIES - found.tries)


def is_code(desk: "Desk", proof: Challenge, code: str) -> bool:
    """Whether this is the code that was sent, in constant time; says nothing of its age or tries."""
    return secrets.compare_digest(proof.code_hash, _code_hash(desk, proof.group_id, code))


def reply_counts(desk: "Desk", found: Challenge) -> bool:
    """Whether an answer to the challenge's letter is not too late."""
    return desk.clock() <= found.made_at + REPLY_LIVES


async def last_of(session: AsyncSession, group_id: str) -> Challenge | None:
    """The newest challenge of a group that asked who somebody is, in whatever state."""
    rows = await session.exec(
        select(Challenge)
        .where(Challenge.group_id == group_id, Challenge.purpose == IDENTITY)
        .order_by(col(Challenge.id).desc())
        .limit(1)
    )
    return rows.first()


async def newest(session: AsyncSession, conversation: Conversation) -> Challenge | None:
    """The conversation's newest challenge of who asks that was not replaced or proven."""
    wanted = (
        select(Challenge)
        .where(Challenge.conversation_id == conversation.id, Challenge.purpose == IDENTITY)
        .where(col(Challenge.state).in_(("open", "spent")))
        .order_by(col(Challenge.id).desc())
        .limit(1)
    )
    with settled(session, Challenge, conversation.id or 0):
        return (await session.exec(wanted)).first()


def where_to(desk: "Desk", row: Challenge) -> Contact | None:
    """The contact that a challenge went to; None of one from before that was kept."""
    return Contact(row.contact_kind, desk.vault.text(row.contact)) if row.contact else None


def new_token() -> str:
    """256 random bits as it may stand in a mail address: lower-case base 32."""
    return "v" + base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=").lower()


async def _replace(session: AsyncSession, group_id: str, purpose: str) -> None:
    """A new code kills the old one."""
    for one in all_made(session, Challenge):
        if (one.group_id, one.purpose, one.state) == (group_id, purpose, "open"):
            one.state = "replaced"
    if any(one.group_id == group_id for one in all_made(session, Request)):
        return  # the group began in this transaction, and so did all its codes
    await session.exec(
        update(Challenge)
        .where(col(Challenge.group_id) == group_id, col(Challenge.state) == "open")
        .where(col(Challenge.purpose) == purpose)
        .values(state="replaced")
    )


def _code_hash(desk: "Desk", group_id: str, code: str) -> bytes:
    return desk.vault.keyed_hash("code", f"{group_id}:{code}")
