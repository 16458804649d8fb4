"""Who is asking: the address is named, a code goes there, and there is a way on for each who has none.

The words are the same whether the address is registered or not.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import choices, identity, opening
from subjectline.handlers.belonging import open_of
from subjectline.handlers.dialog import spoken
from subjectline.handlers.dialog.turn import Turn, forget, say, set_state
from subjectline.handlers.identity_limits import CODE_LIVES
from subjectline.models.incoming import SHARES, Contact, Door, Incoming
from subjectline.models.tables import Conversation, Request
from subjectline.models.workflow import BEFORE_PROOF

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

EMAIL = "email"  # the step at which an address is awaited


async def ask_who(
    session: AsyncSession, desk: "Desk", conversation: Conversation, requests: list[Request]
) -> None:
    """Asks for the registered address. Every unproven request of the chat joins one group."""
    group = requests[-1].group_id
    for request in await open_of(session, conversation.id or 0):
        if request.state in BEFORE_PROOF and request.kind != "unclear":
            request.group_id = group
            session.add(request)
    _ask(session, desk, conversation, requests)


def _ask(
    session: AsyncSession, desk: "Desk", conversation: Conversation, requests: Sequence[Request]
) -> None:
    """The address is asked for, or the number where the app can tell it and it is not what changes.

    Where the address is what changes the registered phone is asked for, if text messages can be sent.
    """
    set_state(desk, conversation, {"step": EMAIL})
    session.add(conversation)
    number = Contact("phone", "")
    share = Door(conversation.door) in SHARES and not any(
        identity.contested(desk, request, number) for request in requests
    )
    keys = choices.without_address(conversation.language, share=share)
    changes = any(identity.contested(desk, each, Contact("email", "")) for each in requests)
    say(session, conversation, "dialog_ask_email", keys, by_phone=changes and desk.manner.sms)


async def proven(
    session: AsyncSession, desk: "Desk", conversation: Conversation, incoming: Incoming
) -> None:
    """The code was right: the chat is linked, and the message with the code goes."""
    set_state(desk, conversation, {})
    session.add(conversation)
    forget(session, conversation, incoming)


async def code_spent(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    requests: list[Request],
    forget_message: int,
) -> None:
    """Five tries or ten minutes are over: the address may be named again, within the limits."""
    too_many = await identity.too_many(session, desk, conversation)
    if too_many:
        set_state(desk, conversation, {})
        conversation.state = "unsorted"
        session.add(conversation)
        keys = choices.without_address(conversation.language)
        say(session, conversation, "dialog_too_many", keys, forget=forget_message)
        return
    say(session, conversation, "dialog_code_spent", forget=forget_message)
    _ask(session, desk, conversation, requests)


async def answered(turn: Turn) -> bool:
    """Whether the message was about who is asking, while a request waits for proof."""
    requests = await turn.unproven()
    if not requests or turn.answer.code:
        return False  # a code is checked with the answers
    if turn.known.members:
        return await _named_address(turn, requests)
    if turn.meant.decision == "apply":
        return False  # one right more
    if spoken.without_contact(turn.text):
        return await pressed(turn, "lost")
    if spoken.no_mail(turn.text):
        return await pressed(turn, "no_mail")
    if turn.answer.yes is False:
        return False  # it is called off
    await _once_more(turn, requests)
    return True


async def _once_more(turn: Turn, requests: list[Request]) -> None:
    """Neither an address nor a code: what is awaited is said again."""
    waiting = await identity.open_challenge(turn.session, turn.conversation)
    if waiting is not None and turn.desk.clock() <= waiting.expires_at:
        turn.at(EMAIL)
        turn.say("dialog_waiting_code", choices.proof(turn.language))
        return
    _ask(turn.session, turn.desk, turn.conversation, requests)


async def _named_address(turn: Turn, requests: list[Request]) -> bool:
    """An address was named: the same words whether it is registered or not, a code only if it is."""
    contact = Contact(*next(iter(turn.known.members)))
    turn.forget()
    contested = [r for r in requests if identity.contested(turn.desk, r, contact)]
    if contested:
        await opening.other_proof(turn.session, turn.desk, turn.conversation, contested)
    left = [request for request in requests if request not in contested]
    if left:
        await _challenge(turn, left, contact)
    return True


async def _challenge(turn: Turn, requests: list[Request], contact: Contact) -> None:
    if await identity.too_many(turn.session, turn.desk, turn.conversation):
        turn.conversation.state = "unsorted"
        turn.say("dialog_too_many", choices.without_address(turn.language))
        return
    await identity.challenge(
        turn.session, turn.desk, turn.conversation, requests, contact, turn.known
    )
    turn.at(EMAIL)
    minutes = int(CODE_LIVES.total_seconds() // 60)
    keys, by_phone = choices.proof(turn.language), contact.kind == "phone"
    turn.say("dialog_ask_code", keys, expires_minutes=minutes, by_phone=by_phone)


async def pressed(turn: Turn, what: str) -> bool:
    """A way on: another address, no mail came, no contact is left, papers on the secure page."""
    requests = await turn.unproven()
    if not requests:
        turn.say("dialog_old_button")
    elif what == "no_mail":
        turn.at(EMAIL)
        turn.say("dialog_no_mail", choices.other_ways(turn.language))
    elif what == "share_contact":
        turn.say("dialog_share", choices.sharing(turn.language))
    elif what == "lost":
        turn.say("dialog_lost", choices.papers(turn.language))
    elif what == "papers":
        return await papers(turn, requests[0])
    else:
        _ask(turn.session, turn.desk, turn.conversation, requests)
    return True


async def papers(turn: Turn, request: Request) -> bool:
    """A page for papers, which an agent then looks at: none of them goes through the chat."""
    turn.for_agent()
    turn.say("dialog_papers", about=[request], link="upload")
    return True
