"""In which language a chat is held: the member's choice, else what they write, else their app's."""

from sqlmodel import col, select

from subjectline.handlers import choices
from subjectline.handlers.dialog.turn import Turn
from subjectline.models.tables import Request

ENOUGH = 6  # letters that tell a language
UNDECIDED = ("received", "verifying", "open", "waiting")  # whose next letter is not drafted yet


async def adopt(turn: Turn) -> None:
    """Free text shows the language better than the app's setting does; a choice stands."""
    said = "".join(word for word in turn.text.split() if "@" not in word)
    if turn.conversation.language_chosen or len(said) < ENOUGH:
        return
    spoken = turn.incoming.language
    if any(letter.isalpha() for letter in said) and spoken != turn.language:
        await _speak(turn, spoken)


async def ask(turn: Turn) -> None:
    turn.say("dialog_language", choices.tongues())


async def choose(turn: Turn, language: str) -> bool:
    """`ko` or `en` from now on, also for what is open and not answered yet."""
    if language not in choices.LANGUAGES:
        await ask(turn)
        return True
    turn.conversation.language_chosen = True
    await _speak(turn, language)
    turn.say("dialog_language_chosen", choices.menu(language))
    return True


async def _speak(turn: Turn, language: str) -> None:
    """The chat's language, and that of the letters that are still to be written in it."""
    turn.conversation.language = language
    turn.session.add(turn.conversation)
    rows = await turn.session.exec(
        select(Request)
        .where(Request.conversation_id == turn.conversation.id)
        .where(col(Request.state).in_(UNDECIDED))
    )
    for request in rows:
        request.language = language
        turn.session.add(request)
