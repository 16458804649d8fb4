"""The conversation by chat: commands, buttons, and the questions that take a member by the hand.

It knows no messenger: it notes letters (`dialog_…`) with choices and links, and the sender of the door
says how they look. Every message of a person gets an answer.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import choices, identity
from subjectline.handlers.dialog import language, pressing, spoken, telling, values, wanting, who
from subjectline.handlers.dialog.turn import Turn, forget, say
from subjectline.handlers.dialog.who import ask_who, code_spent, proven
from subjectline.handlers.identity import Known
from subjectline.models.incoming import Incoming
from subjectline.models.tables import Conversation, Message

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

__all__ = ["COMMANDS", "Turn", "ask_who", "code_spent", "forget", "handle", "proven", "say"]

AT_A_VALUE = frozenset({"cancel", "person", "status"})  # words that are no value


async def handle(
    session: AsyncSession,
    desk: "Desk",
    conversation: Conversation,
    message: Message,
    incoming: Incoming,
    known: Known,
) -> bool:
    """Whether the chat's own words were meant: a command, a button, an answer to a step of it."""
    turn = Turn(session, desk, conversation, message, incoming, known)
    _greet(turn)
    if incoming.button:
        return await pressing.pressed(turn, incoming.button, _command)
    if turn.text.startswith("/"):
        return await _command(turn, turn.text.split()[0].lstrip("/").split("@")[0].lower())
    if _not_said_here(turn):
        return True
    return await _said(turn)


def _greet(turn: Turn) -> None:
    """Where chats are kept, before anything else is said in a new one."""
    if turn.conversation.dialog is None:
        turn.at("")
        if not turn.text.startswith("/start"):
            turn.say("dialog_welcome")


def _not_said_here(turn: Turn) -> bool:
    """A file, a sticker, a voice; what somebody else wrote; an old message that was changed."""
    if not turn.text:
        turn.message.waits = bool(turn.incoming.attachments)
        turn.say("dialog_text_please")
    elif turn.incoming.evidence.get("forwarded"):
        turn.say("dialog_forwarded")
    elif turn.incoming.evidence.get("edited") and not turn.answer.code:
        turn.say("dialog_edited")
    else:
        return False
    return True


async def _said(turn: Turn) -> bool:
    """Free text, read by what was asked last."""
    if turn.answer.code and await identity.open_challenge(turn.session, turn.conversation):
        return False
    command = spoken.command_in(turn.text)
    if await _of_the_question(turn, command):
        return True
    await language.adopt(turn)
    if command and not (command == "cancel" and await _called_off(turn)):
        return await _command(turn, command)
    for step in (wanting.answered, who.answered, wanting.repeated, _unclear):
        if await step(turn):
            return True
    if any(wish.new_values for wish in turn.meant.wishes):
        turn.forget()  # a value is in it; what is kept is sealed at the desk
    return False


async def _of_the_question(turn: Turn, command: str) -> bool:
    """Whether the words were for the question that waits: its answer, or a way out of it."""
    asked = await values.waiting(turn)
    if asked is None:
        return False
    is_no = command == "cancel" and asked.question in choices.YES_NO
    if command in AT_A_VALUE and not is_no:
        return await _command(turn, command)
    return await values.answered(turn, asked)


async def _called_off(turn: Turn) -> bool:
    """A no to something that is asked: the answers know what it takes back."""
    waits = any(r.state == "waiting" or r.kind == "unclear" for r in await turn.open())
    return waits and turn.answer.yes is False


async def _unclear(turn: Turn) -> bool:
    """Free text without a right in it, and nothing open: the bot says what it can do."""
    if await turn.open():
        return False
    if turn.meant.decision != "none":
        return False
    turn.say("dialog_unsure", choices.menu(turn.language))
    turn.for_agent()
    return True


async def _command(turn: Turn, name: str) -> bool:
    word, _, what = name.partition(":")
    if word == "language" and what:
        return await language.choose(turn, what)
    if word == "right" and what in choices.CHOSEN:
        return await wanting.wants(turn, what)
    await COMMANDS.get(word, telling.help_)(turn)
    return True


async def _withdrawals(turn: Turn) -> None:
    turn.say("dialog_choose_right", choices.rights(choices.WITHDRAWALS, turn.language))


async def _access(turn: Turn) -> None:
    await wanting.wants(turn, "access")


async def _correct(turn: Turn) -> None:
    await wanting.wants(turn, "correction")


COMMANDS: dict[str, Callable[[Turn], Awaitable[None]]] = {
    "start": telling.start,
    "privacy": telling.privacy,
    "help": telling.help_,
    "access": _access,
    "correct": _correct,
    "withdraw": _withdrawals,
    "status": telling.status,
    "cancel": telling.cancel,
    "language": language.ask,
    "person": telling.person,
    "thanks": telling.thanks,
}
