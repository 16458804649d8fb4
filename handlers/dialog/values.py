"""The new value of a correction: checked at once, read back by its end, kept after a yes.

What was written leaves the chat. Only for a proven request; the value that stands there now is shown
covered, in the question (`proposing`).
"""

from dataclasses import replace

from subjectline.handlers import answers, choices
from subjectline.handlers import facts as wording
from subjectline.handlers.dialog import spoken, wanting
from subjectline.handlers.dialog.turn import Turn
from subjectline.handlers.requests import link_message
from subjectline.handlers.understanding import Understanding, read_answer, understand
from subjectline.handlers.wishes import wish_of
from subjectline.handlers.words import last_four
from subjectline.models.errors import BadValue
from subjectline.models.tables import Request

SHAPES = frozenset({"phone_kr", "email", "date", "birth_date"})  # nothing else looks like them


async def waiting(turn: Turn) -> tuple[Request, str, list[str]] | None:
    """The newest request that waits for an answer of the person's, its question and its fields."""
    found = [request for request in await turn.open() if request.state == "waiting"]
    if not found:
        return None
    question, fields = await answers.asked(turn.session, found[-1])
    return found[-1], question, fields


async def answered(turn: Turn, request: Request, question: str, fields: list[str]) -> bool:
    """Whether the words were an answer to a question about a value."""
    meant = understand(turn.text, turn.desk.vocabulary, request.language)
    if _asks_for_else(meant, request):
        return False
    if question in choices.VALUES and len(fields) == 1:
        return await _given(turn, request, fields[0], meant)
    if question == "which_field":
        name = spoken.field_in(turn.text, turn.desk.vocabulary)
        return bool(name) and await wanting.named_field(turn, "correction", name)
    if question not in answers.YES_QUESTIONS:
        return False
    yes = read_answer(turn.text).yes
    if yes is not None:
        await yes_or_no(turn, "yes" if yes else "no", request)
        return True
    if question == "confirm_value":
        return await _instead(turn, request, fields, meant)
    turn.say("dialog_yes_or_no", _keys(question, request))
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


async def _given(turn: Turn, request: Request, field: str, meant: Understanding) -> bool:
    """The value that was asked for: by the rules, or the whole text."""
    by_rule = [w.new_values[field] for w in meant.wishes if field in w.new_values]
    turn.forget()
    await link_message(turn.session, request.id or 0, turn.message.id or 0)
    await take(turn, request, field, by_rule[0] if by_rule else " ".join(turn.text.split()))
    return True


async def take(turn: Turn, request: Request, field: str, text: str) -> None:
    """Keeps a value that the field can take; else says what is wrong with it and asks again."""
    today = wording.local_day(turn.desk, turn.desk.clock())
    try:
        if len(text) > answers.LONGEST_VALUE:
            raise BadValue(field, "too_long", "the value is too long")
        turn.desk.data_map.fields[field].normalise(text, today)
    except BadValue as wrong:
        label = wording.labels(turn.desk, [field], request.language)[0]
        keys = _keys("bad_value", request)
        turn.say("dialog_bad_value", keys, field_label=label, reason=wrong.reason)
        return
    await answers.values_given(_came(turn), request, {field: text})


async def _instead(turn: Turn, request: Request, fields: list[str], meant: Understanding) -> bool:
    """Neither yes nor no to what was read back: perhaps the value once more, written right."""
    for field in fields:
        named = [w.new_values[field] for w in meant.wishes if field in w.new_values]
        text = named[0] if named else " ".join(turn.text.split())
        if named or _looks_like(turn, field, text):
            turn.forget()
            await link_message(turn.session, request.id or 0, turn.message.id or 0)
            await take(turn, request, field, text)
            return True
    read_back(turn, request)
    return True


def _looks_like(turn: Turn, field: str, text: str) -> bool:
    known = turn.desk.data_map.fields[field]
    if known.validator.kind not in SHAPES:
        return False
    try:
        known.normalise(text)
    except BadValue:
        return False
    return True


def read_back(turn: Turn, request: Request) -> None:
    """The values that wait for a yes, by their last four characters."""
    desk, language = turn.desk, request.language
    known = desk.data_map.fields
    said = [
        f"{known[name].labels.text(language)} {last_four(wording.display(desk, name, value, language))}"
        for name, value in wish_of(desk, request).get("new", {}).items()
        if name in known
    ]
    turn.say("dialog_confirm_value", _keys("confirm_value", request), echo=", ".join(said))


def _keys(question: str, request: Request) -> choices.Keyboard | None:
    keys = choices.keyboard(question, request.language)
    return choices.bound(keys, request.reference, request.version)


async def yes_or_no(turn: Turn, word: str, request: Request) -> None:
    """A button under a question of this very step."""
    question, _ = await answers.asked(turn.session, request)
    await link_message(turn.session, request.id or 0, turn.message.id or 0)
    await answers.confirmed(_came(turn, word), request, question)
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
