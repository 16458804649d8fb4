"""The new value of a correction: checked at once, read back by its end, kept after a yes.

What was written leaves the chat. Only for a proven request; the value that stands there now is shown
covered, in the question (`proposing`).
"""

from dataclasses import dataclass, replace

from subjectline.handlers import (
    answers,
    choices,
    last_question,
    proposing,
)
from subjectline.handlers import facts as wording
from subjectline.handlers.belonging import link_message
from subjectline.handlers.dialog import spoken, wanting
from subjectline.handlers.dialog.turn import Turn
from subjectline.handlers.understanding import Understanding, read_answer
from subjectline.models.errors import BadValue
from subjectline.models.tables import Request

SHAPES = frozenset({"phone_kr", "email", "date", "birth_date"})  # nothing else looks like them


@dataclass(frozen=True)
class Asked:
    """The newest question about a request, the fields it is about, and the step at which it was put."""

    request: Request
    question: str
    fields: list[str]
    version: int

    def keys(self, question: str = "") -> choices.Keyboard | None:
        """The buttons of the question, or of another one about the same."""
        keys = choices.keyboard(question or self.question, self.request.language)
        return choices.bound(keys, self.request.reference, self.version)


async def waiting(turn: Turn) -> Asked | None:
    """What the newest request that waits for an answer was asked."""
    found = [request for request in await turn.open() if request.state == "waiting"]
    return await asked(turn, found[-1]) if found else None


async def asked(turn: Turn, request: Request) -> Asked:
    """The newest question about a request; an empty one where it was asked nothing."""
    last = await last_question.last_asked(turn.session, request)
    if last is None:
        return Asked(request, "", [], 0)
    question, fields = str(last.facts.get("question", "")), list(last.facts.get("fields", []))
    return Asked(request, question, fields, last.version)


async def answered(turn: Turn, asked: Asked) -> bool:
    """Whether the words were an answer to a question about a value."""
    if _asks_for_else(turn.meant, asked.request):
        return False
    if asked.question in choices.VALUES and len(asked.fields) == 1:
        return await _given(turn, asked, asked.fields[0])
    if asked.question == "which_field":
        name = spoken.field_in(turn.text, turn.desk.vocabulary)
        return bool(name) and await wanting.named_field(turn, "correction", name)
    if asked.question not in answers.YES_QUESTIONS:
        return False
    if turn.answer.yes is not None:
        await yes_or_no(turn, "yes" if turn.answer.yes else "no", asked)
    elif asked.question == "confirm_value":
        await _instead(turn, asked)
    else:
        turn.say("dialog_yes_or_no", asked.keys())
    return True


def _asks_for_else(meant: Understanding, request: Request) -> bool:
    """A right in it that the open question is not about."""
    if meant.decision != "apply" or not meant.wishes:
        return False
    return all(
        wish.kind != request.kind or _elsewhere(wish.fields, request) for wish in meant.wishes
    )


def _elsewhere(fields: tuple[str, ...], request: Request) -> bool:
    return bool(fields) and bool(request.fields) and not set(fields) & set(request.fields)


async def _given(turn: Turn, asked: Asked, field: str) -> bool:
    """The value that was asked for: by the rules, or the whole text."""
    turn.forget()
    await link_message(turn.session, asked.request.id or 0, turn.message.id or 0)
    await take(turn, asked, field, _named(turn, field) or " ".join(turn.text.split()))
    return True


def _named(turn: Turn, field: str) -> str:
    """The value of a field that the words name by the rules."""
    found = [w.new_values[field] for w in turn.meant.wishes if field in w.new_values]
    return found[0] if found else ""


async def take(turn: Turn, asked: Asked, field: str, text: str) -> None:
    """Keeps a value that the field can take; else says what is wrong with it and asks again."""
    today = wording.local_day(turn.desk, turn.desk.clock())
    request = asked.request
    try:
        if len(text) > answers.LONGEST_VALUE:
            raise BadValue(field, "too_long", "the value is too long")
        turn.desk.data_map.fields[field].normalise(text, today)
    except BadValue as wrong:
        label = wording.labels(turn.desk, [field], request.language)[0]
        keys = asked.keys("bad_value")
        turn.say("dialog_bad_value", keys, field_label=label, reason=wrong.reason)
        return
    await answers.values_given(_came(turn), request, {field: text})


async def _instead(turn: Turn, asked: Asked) -> None:
    """Neither yes nor no to what was read back: perhaps the value once more, written right."""
    for field in asked.fields:
        named = _named(turn, field)
        text = named or " ".join(turn.text.split())
        if named or _looks_like(turn, field, text):
            await _given(turn, asked, field)
            return
    read_back(turn, asked)


def _looks_like(turn: Turn, field: str, text: str) -> bool:
    known = turn.desk.data_map.fields[field]
    if known.validator.kind not in SHAPES:
        return False
    try:
        known.normalise(text)
    except BadValue:
        return False
    return True


def read_back(turn: Turn, asked: Asked) -> None:
    """The values that wait for a yes, by their last four characters."""
    echo = proposing.read_back(turn.desk, asked.request)
    turn.say("dialog_confirm_value", asked.keys(), echo=echo)


async def yes_or_no(turn: Turn, word: str, asked: Asked) -> None:
    """A yes or a no to a question of this very step."""
    request = asked.request
    await link_message(turn.session, request.id or 0, turn.message.id or 0)
    await answers.confirmed(_came(turn, word), request, asked.question)
    if word == "yes":
        turn.say("dialog_passed_on", about=[request])


async def right_or_not(turn: Turn, word: str) -> bool:
    """A button under `is this the right that you mean?`."""
    came = _came(turn, word)
    return await answers.handle(
        turn.session, turn.desk, turn.conversation, turn.message, came.incoming, turn.known
    )


def _came(turn: Turn, word: str = "") -> "answers.Came":
    """The turn as the answers know it; `word` is a yes or no that was pressed."""
    spoken = replace(turn.incoming, text=word, button="") if word else turn.incoming
    return answers.Came(
        turn.session,
        turn.desk,
        turn.conversation,
        turn.message,
        spoken,
        turn.known,
        read_answer(spoken.text),
    )
