"""Proof on the phone: a code to a registered contact, and what the caller reads back.

The agent says which member the caller claims to be; the code goes to that member's registered contact
and is shown to nobody at the desk. Only what the caller reads out is typed, and tries are counted as
everywhere. It proves the request it was sent for, with those of its message, at the level `contact`.
"""

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, challenges, identity, post, proving
from subjectline.handlers.audit import Actor
from subjectline.handlers.identity import Check, Verdict
from subjectline.handlers.identity_limits import CODE_LIVES, TRIES, bombed
from subjectline.models.errors import BadInput, IllegalMove, NotPermitted, TooManyTries
from subjectline.models.incoming import Contact
from subjectline.models.tables import Challenge, Conversation, Request
from subjectline.models.workflow import BEFORE_PROOF

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

PURPOSE = "call"


@dataclass(frozen=True)
class Waiting:
    """A code that was sent for a request and not read back yet; to which kind of contact, until when."""

    contact_kind: str
    member: str
    expires_at: datetime
    tries_left: int


def ways(desk: "Desk", kind: str, fields: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds of contact that a code for such a request can go to."""
    changed = fields if kind == "correction" else ()
    possible = ("phone", "email") if desk.manner.sms else ("email",)
    registered = [(way, desk.data_map.contact_field(way)) for way in possible]
    return tuple(way for way, field in registered if field and field.name not in changed)


async def send(desk: "Desk", request_id: int, agent: Actor, member_id: str, way: str) -> None:
    """Sends a code to the registered contact of `way` (email, phone) of the member who is claimed.

    Raises IllegalMove where the request waits for no proof, NotPermitted where this contact cannot
    prove it, BadInput where the member has none, TooManyTries, NotCanonical, UnknownMember and
    RegistryAway.
    """
    member = desk.registry.canonical(member_id)
    value = (await desk.registry.contacts(member)).get(way)
    if value is None:
        raise BadInput("this member has no such contact", field="contact")
    contact = Contact(way, value)
    async with desk.write() as session:
        request = await _waiting_request(session, request_id)
        await _allowed(session, desk, request, member, contact)
        code = await _issue(session, desk, request, member, contact)
        post.note(
            session,
            post.Noted(
                "code",
                request.conversation_id,
                [request_id],
                {"code": code, "purpose": PURPOSE},
                to=contact,
            ),
        )
        audit.note(
            session, desk.clock, agent, "call_code_sent", request=request,
            subject=(desk.data_map.registry, member), contact=way,
        )  # fmt: skip


async def check(desk: "Desk", request_id: int, agent: Actor, text: str) -> Check:
    """Tries what the caller read out; a wrong code costs a try, a typing error of the agent none.

    Raises BadInput where it is not six digits, IllegalMove where the request waits for no proof.
    """
    code = re.sub(r"[\s.\-]", "", unicodedata.normalize("NFKC", text))
    if not re.fullmatch("[0-9]{6}", code):
        raise BadInput("a code has six digits", field="code")
    async with desk.write() as session:
        request = await _waiting_request(session, request_id)
        found = await _newest(session, request_id)
        result = await _tried(session, desk, request, found, code, agent)
        subject = (found.registry_id, found.subject_id) if found is not None else None
        audit.note(
            session, desk.clock, agent, "call_code", request=request,
            subject=(subject[0], subject[1]) if subject and subject[0] and subject[1] else None,
            outcome="ok" if result.verdict is Verdict.PROVEN else "refused",
            reason=result.verdict, tries=found.tries if found else 0,
        )  # fmt: skip
    return result


async def waiting(desk: "Desk", request_id: int) -> Waiting | None:
    """The code that can still be read back; None where there is none."""
    async with desk.db.read() as session:
        found = await _newest(session, request_id)
    if found is None or not _counts(desk, found):
        return None
    return Waiting(
        found.contact_kind, found.subject_id or "", found.expires_at, TRIES - found.tries
    )


async def _waiting_request(session: AsyncSession, request_id: int) -> Request:
    request = await session.get_one(Request, request_id)
    if request.state not in BEFORE_PROOF or request.kind == "unclear":
        raise IllegalMove("this request does not wait for a proof", field="request")
    return request


async def _allowed(
    session: AsyncSession, desk: "Desk", request: Request, member: str, contact: Contact
) -> None:
    if contact.kind not in ways(desk, request.kind, tuple(request.fields)):
        raise NotPermitted(
            "this contact cannot prove the request",
            field="contact",
            remedy="Take another one, or look at papers.",
        )
    if await proving.changing(session, desk, member, contact.kind):
        raise NotPermitted("this contact is about to be corrected", field="contact")
    if await bombed(session, desk, contact):
        raise TooManyTries("this contact has had the codes of an hour", field="contact")


async def _issue(
    session: AsyncSession, desk: "Desk", request: Request, member: str, contact: Contact
) -> str:
    """A new code; the one before ends. The reply token leads nowhere: nobody gets it."""
    await session.exec(
        update(Challenge)
        .where(col(Challenge.request_id) == request.id, col(Challenge.state) == "open")
        .where(col(Challenge.purpose) == PURPOSE)
        .values(state="replaced")
    )
    talk = await session.get_one(Conversation, request.conversation_id)
    code, now, group = f"{secrets.randbelow(10**6):06d}", desk.clock(), _group(request.id or 0)
    session.add(
        Challenge(
            group_id=group,
            conversation_id=request.conversation_id,
            code_hash=desk.vault.keyed_hash("code", f"{group}:{code}"),
            token_hash=desk.vault.keyed_hash("reply", identity.new_token()),
            contact_kind=contact.kind,
            contact_index=desk.vault.index(contact.kind, contact.value),
            registry_id=desk.data_map.registry,
            subject_id=member,
            made_at=now,
            expires_at=now + CODE_LIVES,
            purpose=PURPOSE,
            asked="agent",
            contact=desk.vault.seal(talk.key_id, "challenge.contact", contact.value),
            request_id=request.id,
        )
    )
    return code


async def _tried(
    session: AsyncSession,
    desk: "Desk",
    request: Request,
    found: Challenge | None,
    code: str,
    agent: Actor,
) -> Check:
    if found is None:
        return Check(Verdict.NONE)
    if not _counts(desk, found):
        return Check(Verdict.SPENT)
    session.add(found)
    if not identity.is_code(desk, found, code):
        found.tries += 1
        found.state = "open" if found.tries < TRIES else "spent"
        left = TRIES - found.tries
        return Check(Verdict.WRONG if left else Verdict.SPENT, tries_left=left)
    found.state = "proven"
    group = await identity.group_of(session, request.group_id)
    await proving.open_as(
        session,
        desk,
        group,
        found.subject_id or "",
        found.contact_kind,
        agent,
        "phone_code",
        challenges.where_to(desk, found),
    )
    return Check(Verdict.PROVEN)


def _counts(desk: "Desk", found: Challenge) -> bool:
    return found.state == "open" and desk.clock() <= found.expires_at


async def _newest(session: AsyncSession, request_id: int) -> Challenge | None:
    rows = await session.exec(
        select(Challenge)
        .where(Challenge.request_id == request_id, Challenge.purpose == PURPOSE)
        .order_by(col(Challenge.id).desc())
        .limit(1)
        .with_for_update()
    )
    return rows.first()


def _group(request_id: int) -> str:
    """A group of its own: what is typed in the mail or the chat is not tried against this code."""
    return f"call:{request_id}"
