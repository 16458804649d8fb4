"""What the bot tells and takes back without a new request: how things stand, the policy, a cancellation."""

from datetime import date

from subjectline.handlers import audit, choices
from subjectline.handlers.dialog.turn import Turn
from subjectline.handlers.requests import advance
from subjectline.handlers.words import kind_label
from subjectline.models.tables import Request
from subjectline.models.workflow import NOT_DECIDED


async def start(turn: Turn) -> None:
    turn.at("")
    turn.say("dialog_start", choices.menu(turn.language))


async def help_(turn: Turn) -> None:
    turn.say("dialog_help", choices.menu(turn.language))


async def privacy(turn: Turn) -> None:
    turn.say("dialog_privacy")


async def person(turn: Turn) -> None:
    """Somebody wants to talk to a human being: the number to call, and an agent sees it."""
    turn.for_agent()
    turn.say("dialog_person")


async def thanks(turn: Turn) -> None:
    turn.say("dialog_thanks")


async def status(turn: Turn) -> None:
    requests = await turn.open()
    if not requests:
        turn.say("dialog_nothing_open", choices.menu(turn.language))
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


async def cancel(turn: Turn) -> None:
    """Takes one's own request back; where there are several, the one that is chosen."""
    requests = await _cancellable(turn)
    named = [r for r in requests if r.reference in turn.incoming.text.upper().split()]
    if not requests:
        stopped = "dialog_cancelled" if turn.step else "dialog_nothing_open"
        turn.at("")
        turn.say(stopped, choices.menu(turn.language))
    elif len(requests) == 1 or named:
        await _withdraw(turn, (named or requests)[0])
    else:
        rows = [[choices.button(_line(turn, r), f"cancel:{r.reference}")] for r in requests]
        turn.say("dialog_choose_request", rows)


def _line(turn: Turn, request: Request) -> str:
    return f"{request.reference} {kind_label(request.kind, turn.language)}"


async def cancel_one(turn: Turn, reference: str) -> bool:
    """The request that a button names."""
    for request in await _cancellable(turn):
        if request.reference == reference:
            await _withdraw(turn, request)
            return True
    turn.say("dialog_old_button")
    return True


async def _withdraw(turn: Turn, request: Request) -> None:
    turn.at("")
    await advance(
        turn.session, turn.desk, request.id or 0, "withdraw", audit.MEMBER, request.version
    )


async def _cancellable(turn: Turn) -> list[Request]:
    return [request for request in await turn.open() if request.state in NOT_DECIDED]
