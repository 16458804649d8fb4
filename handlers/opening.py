"""From a wish to a request that somebody is asked to prove. What doors, answers and chat share."""

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, choices, dialog, identity, objecting
from subjectline.handlers import facts as wording
from subjectline.handlers.identity import Known
from subjectline.handlers.requests import Facts, advance, open_request, set_kind
from subjectline.handlers.understanding import Understanding, Wish
from subjectline.handlers.wishes import set_wish, wish_of
from subjectline.handlers.words import kind_label
from subjectline.models.incoming import Contact, Door, Incoming, Tier
from subjectline.models.tables import Conversation, Message, Request
from subjectline.models.workflow import MAX_CLARIFY

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

PHONE = Contact("phone", "")


async def open_requests(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    message: Message,
    meant: Understanding,
) -> list[Request]:
    """One request a wish, all of one group: one challenge will prove them all.

    Where the right itself is unsure, one request of kind `unclear` holds the clock until it is known.
    """
    group = secrets.token_hex(8)
    wishes = meant.wishes if _sure_of_right(meant) else (Wish("unclear"),)
    return [await _open(session, desk, conversation, message, wish, group) for wish in wishes]


async def open_one(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    message: Message,
    kind: str,
    fields: tuple[str, ...] = (),
) -> Request:
    """One request of a kind that was chosen by a button or an agent."""
    wish = Wish(kind, fields)
    return await _open(session, desk, conversation, message, wish, secrets.token_hex(8))


async def _open(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    message: Message,
    wish: Wish,
    group: str,
) -> Request:
    against = await _refused_before(session, conversation) if wish.kind == "objection" else None
    return await open_request(
        session,
        desk,
        conversation,
        wish.kind,
        follows_id=against,
        arrived_at=message.at,
        group_id=group,
        message_id=message.id,
        fields=wish.fields,
        wish={"new": dict(wish.new_values), "old": dict(wish.old_values)},
    )


async def _refused_before(session: AsyncSession, conversation: Conversation) -> int | None:
    """What an objection is about: the conversation's newest refusal, or restriction of the member."""
    rows = await session.exec(
        select(Request.id)
        .where(Request.conversation_id == conversation.id, objecting.refused())
        .order_by(col(Request.id).desc())
        .limit(1)
    )
    return rows.first()


def _sure_of_right(meant: Understanding) -> bool:
    """A question about the field or the value can wait until the person is known."""
    if not meant.wishes:
        return False
    return meant.decision == "apply" or meant.question in ("which_field", "which_value")


async def become(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    request: Request,
    message: Message,
    wishes: Sequence[Wish],
) -> list[Request]:
    """An unclear request gets its right; further rights of the same answer become requests beside it."""
    first, *more = wishes
    await set_kind(session, desk, request, first.kind, first.fields, first.new_values)
    others = [
        await _open(session, desk, conversation, message, wish, request.group_id) for wish in more
    ]
    return [request, *others]


async def identify(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    requests: list[Request],
    incoming: Incoming,
    known: Known,
) -> None:
    """Opens what is proven already and challenges the sender for the rest."""
    left = await identity.identify(session, desk, conversation, requests, incoming, known)
    if not left:
        return
    if conversation.door != Door.MAIL:
        await dialog.ask_who(session, desk, conversation, left)
        return
    contested = [r for r in left if identity.contested(desk, r, incoming.sender)]
    if contested:
        await other_proof(session, desk, conversation, contested)
    left = [request for request in left if request not in contested]
    if not left:
        return
    believed = incoming.tier is Tier.ALIGNED
    asked = "aligned" if believed else "unknown"
    if await identity.too_many(session, desk, conversation, asked):
        conversation.state = "unsorted"
        return
    await identity.challenge(
        session, desk, conversation, left, incoming.sender, known, believed=believed
    )


async def clarify(
    session: AsyncSession, desk: "Desk", request: Request, meant: Understanding
) -> bool:
    """Asks what was meant, at most twice. False: it was asked often enough, an agent sorts it.

    Where there is a guess the question is whether it is right, and a yes makes it so.
    """
    if request.clarified >= MAX_CLARIFY:
        return False
    guess = meant.wishes if meant.question == "confirm_right" else ()
    asked = "confirm_right" if guess else "which_right"
    set_wish(desk, request, {"guess": [_written(wish) for wish in guess]})
    session.add(request)
    language = request.language
    named = [_said(desk, wish, language) for wish in guess]
    facts = Facts(
        question=asked,
        letter={"choices": named or choices.labels(asked, language)},
        keyboard=choices.keyboard(asked, language),
    )
    await advance(session, desk, request.id or 0, "clarify", audit.SYSTEM, request.version, facts)
    return True


def _said(desk: "Desk", wish: Wish, language: str) -> str:
    """The right and its fields: who confirms a guess sees all of it."""
    kind, fields = kind_label(wish.kind, language), wording.labels(desk, wish.fields, language)
    return f"{kind}: {', '.join(fields)}" if fields else kind


def guess_of(desk: "Desk", request: Request) -> tuple[Wish, ...]:
    """What the desk asked to have confirmed; empty where it asked something else."""
    kept = wish_of(desk, request).get("guess", [])
    return tuple(Wish(w["kind"], tuple(w["fields"]), w["new"], w["old"]) for w in kept)


def _written(wish: Wish) -> dict[str, Any]:
    return {
        "kind": wish.kind,
        "fields": list(wish.fields),
        "new": dict(wish.new_values),
        "old": dict(wish.old_values),
    }


async def other_proof(
    session: AsyncSession, desk: "Desk", conversation: Conversation, requests: list[Request]
) -> None:
    """The contact that is to be changed proves nothing: papers or a call, which an agent sees to."""
    conversation.state = "unsorted"
    session.add(conversation)
    for request in requests:
        if request.clarified < MAX_CLARIFY:
            by_phone = desk.manner.sms and not identity.contested(desk, request, PHONE)
            facts = Facts(
                question="other_proof",
                fields=tuple(request.fields),
                letter={"phone_proves": by_phone},
                keyboard=choices.keyboard("other_proof", request.language),
            )
            await advance(
                session, desk, request.id or 0, "clarify", audit.SYSTEM, request.version, facts
            )
