"""A new email address or phone number is proven before it is written; the old one hears at once.

The person was proven by another contact before anything here begins. A code goes to the new contact,
and is answered where the person asked, on their page, or by a reply from the new address itself. What
is proven is that very value: another one needs a code of its own.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, challenges, post, whereto
from subjectline.handlers import facts as wording
from subjectline.handlers.challenges import NEW_CONTACT, Check, Verdict
from subjectline.handlers.drafting import Draft
from subjectline.handlers.identity_limits import bombed, too_many
from subjectline.handlers.letters import SECURE_LINK
from subjectline.handlers.requests import Facts, advance
from subjectline.handlers.understanding import read_answer
from subjectline.handlers.wishes import set_wish, wish_of
from subjectline.models.errors import BadValue
from subjectline.models.incoming import Contact, Door, Incoming, Tier
from subjectline.models.tables import Challenge, Conversation, Outbox, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

QUESTION = "new_contact_proof"
WARNING = "contact_changing"


@dataclass(frozen=True)
class Change:
    """One contact of a member that is about to become another. `old` is None where none was there."""

    field: str
    new: Contact
    old: Contact | None


async def wanted(desk: "Desk", request: Request, made: Draft) -> Change | None:
    """The change of a contact that a draft waits for; None where nothing of the kind is missing, or the
    new contact cannot be written to (then an agent calls). Raises RegistryError."""
    name = next((m.field for m in made.missing if m.what == "new_contact"), "")
    known = desk.data_map.fields.get(name)
    if known is None or known.contact is None or request.subject_id is None:
        return None
    if known.contact == "phone" and not desk.manner.sms:
        return None
    try:
        value = known.normalise(wish_of(desk, request).get("new", {}).get(name, ""))
    except BadValue:
        return None
    held = await desk.registry.contacts(request.subject_id)
    old = Contact(known.contact, held[known.contact]) if known.contact in held else None
    return Change(name, Contact(known.contact, value), old)


async def begin(
    session: AsyncSession, desk: "Desk", request: Request, version: int, change: Change
) -> None:
    """Warns the old contact, sends a code to the new one, and waits for its answer."""
    await warn_old(session, desk, request, change)
    conversation = await session.get_one(Conversation, request.conversation_id)
    if not await _send(session, desk, conversation, request, change):
        conversation.state = "unsorted"
        session.add(conversation)
        return
    facts = Facts(question=QUESTION, fields=(change.field,), letter=_asked(desk, request, change))
    if whereto.contested(desk, request, conversation):
        facts = Facts(question=QUESTION, fields=(change.field,), letter=None)
    await advance(session, desk, request.id or 0, "ask", audit.SYSTEM, version, facts)


def _asked(desk: "Desk", request: Request, change: Change) -> dict[str, object]:
    return {"field_label": wording.labels(desk, [change.field], request.language)[0]}


async def warn_old(session: AsyncSession, desk: "Desk", request: Request, change: Change) -> None:
    """The contact that is to go hears of it at once, once a request, with a link that stops it."""
    if change.old is None or change.old == change.new or await _warned(session, request):
        return
    if change.old.kind == "phone" and not desk.manner.sms:
        audit.note(session, desk.clock, audit.SYSTEM, "old_contact_not_told", request=request)
        return
    facts = _asked(desk, request, change) | {"secure_link": SECURE_LINK}
    slots = {"secure_link": {"request_id": request.id, "purpose": "stop"}}
    number = request.id or 0
    post.note(
        session,
        post.Noted(WARNING, request.conversation_id, [number], facts, to=change.old, slots=slots),
    )
    audit.note(session, desk.clock, audit.SYSTEM, "old_contact_told", request=request)


async def _warned(session: AsyncSession, request: Request) -> bool:
    rows = await session.exec(
        select(Outbox.id).where(Outbox.request_id == request.id, Outbox.letter == WARNING).limit(1)
    )
    return rows.first() is not None


async def _send(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    request: Request,
    change: Change,
) -> bool:
    """A code to the new contact; False where this asker, or the contact, has had too many."""
    if await too_many(session, desk, conversation, "linked"):
        return False
    row, code, token = await challenges.issue(
        session,
        desk,
        conversation,
        request.group_id,
        change.new,
        None,
        asked="linked",
        purpose=NEW_CONTACT,
        request=request,
        field=change.field,
    )
    if await bombed(session, desk, change.new):
        row.state = "spent"
        return False
    by_mail = change.new.kind == "email" and desk.manner.plus_addresses
    facts = {"code": code, "purpose": NEW_CONTACT, "reply_suffices": by_mail}
    ids = [request.id or 0]
    token = token if change.new.kind == "email" else ""
    noted = post.Noted("code", request.conversation_id, ids, facts, change.new, token)
    post.note(session, noted)
    return True


async def awaited(session: AsyncSession, conversation_id: int) -> Challenge | None:
    """The newest code for a new contact that a conversation's request waits for."""
    rows = await session.exec(
        select(Challenge)
        .where(Challenge.conversation_id == conversation_id, Challenge.purpose == NEW_CONTACT)
        .where(col(Challenge.state).in_(("open", "spent")))
        .order_by(col(Challenge.id).desc())
        .limit(1)
    )
    found = rows.first()
    if found is None:
        return None
    request = await session.get(Request, found.request_id)
    return found if request is not None and request.state == "waiting" else None


async def check(
    session: AsyncSession, desk: "Desk", conversation: Conversation, code: str
) -> Check:
    """A code that was typed where the person asked (a chat, a mail, their page).

    PROVEN: the request is open again and its answer is drafted. WRONG names the tries left. SPENT: ask
    for a new one with `again`. NONE: no code is waited for here.
    """
    found = await awaited(session, conversation.id or 0)
    if found is None:
        return Check(Verdict.NONE)
    verdict = challenges.tried(session, desk, found, code)
    if verdict.verdict is Verdict.PROVEN:
        await _proven(session, desk, found)
    return verdict


async def again(session: AsyncSession, desk: "Desk", request: Request) -> bool:
    """A new code to the same new contact; the old one dies. False where there were too many."""
    conversation = await session.get_one(Conversation, request.conversation_id)
    found = await awaited(session, conversation.id or 0)
    if found is None or found.contact is None:
        return False
    new = Contact(found.contact_kind, desk.vault.text(found.contact))
    return await _send(session, desk, conversation, request, Change(found.field, new, None))


async def by_reply(session: AsyncSession, desk: "Desk", incoming: Incoming) -> bool:
    """Whether a mail answers a code that was sent to its own sender as a new contact.

    The reply address (256 random bits) and the sender must both fit; a yes or the code proves it, a no
    ends the code and shows it to an agent.
    """
    if incoming.door is not Door.MAIL or not incoming.reply_token.startswith("v"):
        return False
    rows = await session.exec(
        select(Challenge).where(
            Challenge.token_hash == desk.vault.keyed_hash("reply", incoming.reply_token),
            Challenge.purpose == NEW_CONTACT,
        )
    )
    found = rows.first()
    index = desk.vault.index(incoming.sender.kind, incoming.sender.value)
    if found is None or found.contact_index != index or incoming.tier is Tier.FAILED:
        return False
    return await _replied(session, desk, found, incoming)


async def _replied(
    session: AsyncSession, desk: "Desk", found: Challenge, incoming: Incoming
) -> bool:
    request = await session.get(Request, found.request_id)
    live = found.state == "open" and challenges.reply_counts(desk, found)
    if request is None or request.state != "waiting" or not live:
        return False
    answer = read_answer(incoming.text)
    if answer.code:
        good = challenges.tried(session, desk, found, answer.code).verdict is Verdict.PROVEN
        good = good or challenges.is_code(desk, found, answer.code)
    else:
        good = bool(answer.yes)
    if good:
        await _proven(session, desk, found)
    elif answer.yes is False:
        found.state = "spent"
        await _not_theirs(session, desk, request)
    return good or answer.yes is False


async def _not_theirs(session: AsyncSession, desk: "Desk", request: Request) -> None:
    """Whoever reads the new address says that it is not the member's: an agent looks."""
    audit.note(
        session, desk.clock, audit.MEMBER, "new_contact_denied", request=request, outcome="refused"
    )
    conversation = await session.get_one(Conversation, request.conversation_id)
    conversation.state = "unsorted"
    session.add(conversation)


async def _proven(session: AsyncSession, desk: "Desk", found: Challenge) -> None:
    """The very value is noted as proven, and the request goes on."""
    request = await session.get_one(Request, found.request_id)
    found.state = "proven"
    session.add(found)
    value = desk.vault.text(found.contact)
    wish = wish_of(desk, request)
    wish.setdefault("proven_contacts", {})[found.field] = value
    conversation = await session.get_one(Conversation, request.conversation_id)
    if found.contact_kind == "email" and whereto.contested(desk, request, conversation):
        wish["letters_to"] = {"kind": "email", "value": value}
    set_wish(desk, request, wish)
    session.add(request)
    audit.note(session, desk.clock, audit.MEMBER, "new_contact_proven", request=request)
    await advance(session, desk, request.id or 0, "answer", audit.MEMBER, request.version)


async def end_codes(session: AsyncSession, request_id: int) -> None:
    """Codes for a request's new contact are worth nothing any more."""
    await session.exec(
        update(Challenge)
        .where(col(Challenge.request_id) == request_id, col(Challenge.state) == "open")
        .values(state="replaced")
    )
