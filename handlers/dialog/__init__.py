"""The conversation by chat: commands, buttons, and the questions that take a member by the hand.

It knows no messenger: it notes letters (`dialog_…`) with buttons, and the sender of the door says how
they look. What step a chat is at stands sealed in its conversation's row.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import answers, audit, choices, identity, opening, post
from subjectline.handlers.identity import Known
from subjectline.handlers.identity_limits import CODE_LIVES
from subjectline.handlers.letters import Letter, kind_label
from subjectline.handlers.requests import advance, open_of, set_kind
from subjectline.handlers.understanding import understand
from subjectline.models.incoming import Contact, Incoming
from subjectline.models.tables import Conversation, Message, Request
from subjectline.models.workflow import KINDS, NOT_DECIDED

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

FIELDS_SHOWN = 12


@dataclass
class Turn:
    """One message of a chat and what is needed to answer it."""

    session: AsyncSession
    desk: "Desk"
    conversation: Conversation
    message: Message
    incoming: Incoming
    known: Known

    def say(self, letter: str, keyboard: choices.Keyboard | None = None, **facts: Any) -> None:
        say(self.session, self.conversation, letter, keyboard, **facts)

    @property
    def language(self) -> str:
        return self.conversation.language


async def handle(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    message: Message,
    incoming: Incoming,
    known: Known,
) -> bool:
    """Whether the chat's own words were meant: a command, a button, an address that was asked for."""
    turn = Turn(session, desk, conversation, message, incoming, known)
    text = incoming.text.strip()
    if incoming.button:
        return await _pressed(turn)
    if text.startswith("/"):
        return await _commanded(turn, text)
    if not text:
        turn.say("dialog_text_please")
        message.waits = bool(incoming.attachments)
        return True
    _adopt_language(turn)
    if _state(desk, conversation).get("step") == "email" and known.members:
        return await _named_address(turn)
    return await _unclear(turn)


async def _unclear(turn: Turn) -> bool:
    """Free text without a right in it, and nothing open: the bot says what it can do."""
    if await open_of(turn.session, turn.conversation.id or 0):
        return False
    meant = understand(turn.incoming.text, turn.desk.vocabulary, turn.language)
    if meant.decision != "none":
        return False
    turn.say("dialog_unsure", choices.rights(choices.RIGHTS, turn.language))
    turn.message.waits, turn.conversation.state = True, "unsorted"
    return True


def say(
    session: AsyncSession,
    conversation: Conversation,
    letter: str,
    keyboard: choices.Keyboard | None = None,
    *,
    forget: int = 0,
    **facts: Any,
) -> None:
    """Notes one line of the conversation, with its buttons."""
    noted = post.Noted(letter, conversation.id or 0, facts=facts, keyboard=keyboard, forget=forget)
    post.note(session, noted)


def forget(session: AsyncSession, conversation: Conversation, incoming: Incoming) -> None:
    """The member's message with a value or a code is deleted from the chat once it is kept."""
    if incoming.door.is_chat and incoming.chat_message_id:
        noted = post.Noted(
            "forget",
            conversation.id or 0,
            ready=Letter("", "", ""),
            forget=incoming.chat_message_id,
        )
        post.note(session, noted)


async def ask_who(
    session: AsyncSession, desk: "Desk", conversation: Conversation, requests: list[Request]
) -> None:
    """Asks for the registered address. Every unproven request of the chat joins one group."""
    group = requests[-1].group_id
    for request in await _unproven(session, conversation):
        request.group_id = group
        session.add(request)
    _set_state(desk, conversation, {"step": "email"})
    session.add(conversation)
    say(session, conversation, "dialog_ask_email")


async def proven(
    session: AsyncSession, desk: "Desk", conversation: Conversation, incoming: Incoming
) -> None:
    """The code was right: the chat is linked, and the message with the code goes."""
    _set_state(desk, conversation, {})
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
    _set_state(desk, conversation, {} if too_many else {"step": "email"})
    if too_many:
        conversation.state = "unsorted"
    session.add(conversation)
    say(session, conversation, "dialog_code_spent", forget=forget_message)
    if not too_many:
        say(session, conversation, "dialog_ask_email")


async def _named_address(turn: Turn) -> bool:
    """An address was named: the same words whether it is registered or not, a code only if it is."""
    requests = await _unproven(turn.session, turn.conversation)
    if not requests:
        return False
    contact = Contact(*next(iter(turn.known.members)))
    forget(turn.session, turn.conversation, turn.incoming)
    contested = [r for r in requests if identity.contested(turn.desk, r, contact)]
    if contested:
        await opening.other_proof(turn.session, turn.desk, turn.conversation, contested)
    left = [request for request in requests if request not in contested]
    if not left:
        return True
    if await identity.too_many(turn.session, turn.desk, turn.conversation):
        turn.conversation.state = "unsorted"
        turn.say("dialog_code_spent")
    else:
        await identity.challenge(
            turn.session, turn.desk, turn.conversation, left, contact, turn.known
        )
        minutes = int(CODE_LIVES.total_seconds() // 60)
        turn.say("dialog_ask_code", expires_minutes=minutes)
    return True


async def _unproven(session: AsyncSession, conversation: Conversation) -> list[Request]:
    return [
        request
        for request in await open_of(session, conversation.id or 0)
        if request.state in ("received", "verifying") and request.kind != "unclear"
    ]


async def _pressed(turn: Turn) -> bool:
    word, _, what = turn.incoming.button.partition(":")
    if word == "right" and what in KINDS:
        return await _wants(turn, what)
    if word == "field" and what in turn.desk.data_map.fields:
        return await _open(turn, "correction", (what,))
    if word == "cancel":
        return await _cancel_one(turn, what)
    if word in ("yes", "no"):
        spoken = replace(turn.incoming, text=word, button="")
        await answers.handle(
            turn.session, turn.desk, turn.conversation, turn.message, spoken, turn.known
        )
    return True


async def _commanded(turn: Turn, text: str) -> bool:
    name = text.split()[0].lstrip("/").split("@")[0].lower()
    do = COMMANDS.get(name)
    if do is None:
        turn.say("dialog_help", choices.rights(choices.RIGHTS, turn.language))
    else:
        await do(turn)
    return True


async def _start(turn: Turn) -> None:
    turn.say("dialog_start", choices.rights(choices.RIGHTS, turn.language))


async def _privacy(turn: Turn) -> None:
    turn.say("dialog_privacy")


async def _help(turn: Turn) -> None:
    turn.say("dialog_help", choices.rights(choices.RIGHTS, turn.language))


async def _access(turn: Turn) -> None:
    await _wants(turn, "access")


async def _correct(turn: Turn) -> None:
    await _wants(turn, "correction")


async def _withdraw(turn: Turn) -> None:
    turn.say("dialog_choose_right", choices.rights(choices.WITHDRAWALS, turn.language))


async def _wants(turn: Turn, kind: str) -> bool:
    """A right was named: an unclear request becomes it, a correction first asks for the field."""
    if kind == "correction":
        fields = _correctable(turn)
        rows = [[choices.button(label, f"field:{name}")] for name, label in fields[:FIELDS_SHOWN]]
        turn.say("dialog_choose_field", rows, choices=[label for _, label in fields])
        return True
    return await _open(turn, kind, ())


def _correctable(turn: Turn) -> list[tuple[str, str]]:
    known = turn.desk.data_map.fields
    return [(n, f.labels.text(turn.language)) for n, f in known.items() if f.correctable]


async def _open(turn: Turn, kind: str, fields: tuple[str, ...]) -> bool:
    request = await _unclear_one(turn)
    if request is not None:
        await set_kind(turn.session, turn.desk, request, kind, fields, {})
    else:
        request = await opening.open_one(
            turn.session, turn.desk, turn.conversation, turn.message, kind, fields
        )
    await opening.identify(
        turn.session, turn.desk, turn.conversation, [request], turn.incoming, turn.known
    )
    return True


async def _unclear_one(turn: Turn) -> Request | None:
    requests = await open_of(turn.session, turn.conversation.id or 0)
    return next((request for request in requests if request.kind == "unclear"), None)


async def _status(turn: Turn) -> None:
    requests = await open_of(turn.session, turn.conversation.id or 0)
    if not requests:
        turn.say("dialog_nothing_open")
        return
    lines = [
        {
            "reference": r.reference,
            "kind": r.kind,
            "state": r.state,
            "due_on": date.fromisoformat(r.due_on),
        }
        for r in requests
    ]
    turn.say("dialog_status", requests=lines)


async def _cancel(turn: Turn) -> None:
    requests = await _cancellable(turn)
    if not requests:
        turn.say("dialog_nothing_open")
    elif len(requests) == 1:
        await _cancel_one(turn, requests[0].reference)
    else:
        rows = [
            [
                choices.button(
                    f"{r.reference} {kind_label(r.kind, turn.language)}", f"cancel:{r.reference}"
                )
            ]
            for r in requests
        ]
        turn.say("dialog_choose_right", rows)


async def _cancel_one(turn: Turn, reference: str) -> bool:
    for request in await _cancellable(turn):
        if request.reference == reference:
            await advance(
                turn.session,
                turn.desk,
                request.id or 0,
                "withdraw",
                audit.MEMBER,
                request.version,
            )
            return True
    turn.say("dialog_nothing_open")
    return True


async def _cancellable(turn: Turn) -> list[Request]:
    requests = await open_of(turn.session, turn.conversation.id or 0)
    return [request for request in requests if request.state in NOT_DECIDED]


def _adopt_language(turn: Turn) -> None:
    """Free text shows the language better than the app's setting does."""
    words = [word for word in turn.incoming.text.split() if "@" not in word]
    if len("".join(words)) >= 6 and any(c.isalpha() for c in "".join(words)):
        turn.conversation.language = turn.incoming.language
        turn.session.add(turn.conversation)


def _state(desk: "Desk", conversation: Conversation) -> dict[str, str]:
    state: dict[str, str] = json.loads(desk.vault.text(conversation.dialog) or "{}")
    return state


def _set_state(desk: "Desk", conversation: Conversation, state: dict[str, str]) -> None:
    sealed = desk.vault.seal(conversation.key_id, "conversation.dialog", json.dumps(state))
    conversation.dialog = sealed


COMMANDS: dict[str, Callable[[Turn], Awaitable[None]]] = {
    "start": _start,
    "privacy": _privacy,
    "help": _help,
    "access": _access,
    "correct": _correct,
    "withdraw": _withdraw,
    "status": _status,
    "cancel": _cancel,
}
