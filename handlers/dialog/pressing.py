"""A button was pressed: perhaps twice, perhaps an old one. It means what it meant when it was shown."""

from collections.abc import Awaitable, Callable

from subjectline.handlers.dialog import language, telling, values, wanting, who
from subjectline.handlers.dialog.turn import Turn
from subjectline.models.tables import Request
from subjectline.models.workflow import KINDS

Command = Callable[[Turn, str], Awaitable[bool]]


async def pressed(turn: Turn, data: str, command: Command) -> bool:
    """Always answered; one that nobody knows, or whose question is over, is told to be old."""
    word, _, what = data.partition(":")
    if word == "right" and what in KINDS:
        return await wanting.wants(turn, what)
    if word == "field":
        kind, _, name = what.partition(":")
        return await wanting.named_field(turn, kind, name)
    if word == "do":
        return await command(turn, what)
    if word == "language":
        return await language.choose(turn, what)
    if word == "who":
        return await who.pressed(turn, what)
    if word == "cancel":
        return await telling.cancel_one(turn, what)
    return await _of_a_question(turn, word, what)


async def _of_a_question(turn: Turn, word: str, what: str) -> bool:
    """`yes`, `no`, `page`, `papers`, `stop`, bound to one request at one step."""
    reference, _, version = what.partition(":")
    request = await _asked(turn, reference, version)
    if request is None:
        turn.say("dialog_old_button")
    elif word == "stop":
        await telling.cancel_one(turn, reference)
    elif word == "papers":
        return await who.papers(turn, request)
    elif word == "page" and request.state == "waiting":
        turn.say("dialog_page", about=[request], link="confirm")
    elif word in ("yes", "no") and request.state == "waiting":
        await values.yes_or_no(turn, word, request)
    elif word in ("yes", "no") and request.kind == "unclear":
        return await values.right_or_not(turn, word)
    else:
        turn.say("dialog_old_button")
    return True


async def _asked(turn: Turn, reference: str, version: str) -> Request | None:
    """The request that the button names, if it has not moved on since."""
    for request in await turn.open():
        if (request.reference, str(request.version)) == (reference, version):
            return request
    return None
