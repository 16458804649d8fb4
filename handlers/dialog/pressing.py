"""A button was pressed: perhaps twice, perhaps an old one. It means what it meant when it was shown."""

from collections.abc import Awaitable, Callable

from subjectline.handlers import choices
from subjectline.handlers.dialog import language, telling, values, wanting, who
from subjectline.handlers.dialog.turn import Turn

Command = Callable[[Turn, str], Awaitable[bool]]


async def pressed(turn: Turn, data: str, command: Command) -> bool:
    """Always answered; one that nobody knows, or whose question is over, is told to be old."""
    word, _, what = data.partition(":")
    if word == "right" and what in choices.CHOSEN:
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
    asked = await _asked(turn, reference, version)
    if asked is None:
        turn.say("dialog_old_button")
        return True
    if word == "stop":
        return await telling.cancel_one(turn, reference)
    if word == "papers":
        return await who.papers(turn, asked.request)
    return await _answer(turn, word, asked)


async def _answer(turn: Turn, word: str, asked: values.Asked) -> bool:
    state, yes_no = asked.request.state, word in ("yes", "no")
    if word == "page" and state == "waiting":
        turn.say("dialog_page", about=[asked.request], link="confirm")
    elif yes_no and state == "waiting":
        await values.yes_or_no(turn, word, asked)
    elif yes_no and asked.request.kind == "unclear":
        return await values.right_or_not(turn, word)
    else:
        turn.say("dialog_old_button")
    return True


async def _asked(turn: Turn, reference: str, version: str) -> values.Asked | None:
    """The question that the button stands under, if it is still the newest of its request."""
    for request in await turn.open():
        if request.reference == reference:
            asked = await values.asked(turn, request)
            return asked if str(asked.version) == version else None
    return None
