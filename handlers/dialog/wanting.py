"""A right is chosen by a button, a command or a word; then its field, where it has one; then it is opened."""

from subjectline.handlers import again, audit, choices, opening
from subjectline.handlers.dialog import spoken
from subjectline.handlers.dialog.turn import Turn
from subjectline.handlers.requests import advance, set_kind
from subjectline.models.tables import Request
from subjectline.models.workflow import BEFORE_PROOF

FIELD = "field:"  # the step at which the field of a right is chosen
EVERYTHING = "*"


async def wants(turn: Turn, kind: str) -> bool:
    """A right was named: an unclear request becomes it; one about single fields first asks for them."""
    if kind in choices.BY_FIELD:
        turn.at(FIELD + kind)
        keys = choices.fields(turn.desk.data_map, kind, turn.language)
        turn.say("dialog_choose_field", keys, right=kind)
        return True
    return await open_(turn, kind, ())


async def named_field(turn: Turn, kind: str, name: str) -> bool:
    """A field was chosen; `*` is all of one's data."""
    if name == EVERYTHING and kind in ("erasure", "suspension"):
        return await open_(turn, kind, ())
    known = turn.desk.data_map.fields.get(name)
    if known is None or kind not in choices.BY_FIELD:
        turn.say("dialog_old_button")
        return True
    if kind == "correction" and await _asked_which(turn, name):
        return True
    return await open_(turn, kind, (name,))


async def answered(turn: Turn) -> bool:
    """Whether a field was typed where one is chosen."""
    if not turn.step.startswith(FIELD):
        return False
    kind = turn.step.removeprefix(FIELD)
    if turn.text.casefold() in {"전부", "모두", "모든 정보", "전체", "everything", "all"}:
        return await named_field(turn, kind, EVERYTHING)
    name = spoken.field_in(turn.text, turn.desk.vocabulary)
    return bool(name) and await named_field(turn, kind, name)


async def repeated(turn: Turn) -> bool:
    """Whether the words ask for nothing but what is open already."""
    if turn.meant.decision != "apply":
        return False
    open_ones = await turn.open()
    same = [
        next((r for r in open_ones if again.same(turn.desk, r, wish)), None)
        for wish in turn.meant.wishes
    ]
    found = [request for request in same if request is not None]
    return bool(found) and len(found) == len(same) and await _already(turn, found[0])


async def _asked_which(turn: Turn, name: str) -> bool:
    """A proven correction without a field gets it."""
    for request in await turn.open():
        if request.state == "waiting" and request.kind == "correction" and not request.fields:
            request.fields = [name]
            turn.session.add(request)
            await advance(
                turn.session, turn.desk, request.id or 0, "answer", audit.MEMBER, request.version
            )
            turn.at("")
            return True
    return False


async def open_(turn: Turn, kind: str, fields: tuple[str, ...]) -> bool:
    """Opens what was chosen, unless it is open already: a button may be pressed twice."""
    turn.at("")
    same = await _same(turn, kind, fields)
    if same is not None:
        return await _already(turn, same)
    unclear = await _unclear_one(turn)
    if unclear is not None:
        await set_kind(turn.session, turn.desk, unclear, kind, fields, {})
    request = unclear or await opening.open_one(
        turn.session, turn.desk, turn.conversation, turn.message, kind, fields
    )
    await opening.identify(
        turn.session, turn.desk, turn.conversation, [request], turn.incoming, turn.known
    )
    return True


async def _same(turn: Turn, kind: str, fields: tuple[str, ...]) -> Request | None:
    found = [r for r in await turn.open() if (r.kind, tuple(r.fields)) == (kind, fields)]
    return found[-1] if found else None


async def _already(turn: Turn, request: Request) -> bool:
    turn.say("dialog_already", about=[request], state=request.state)
    if request.state in BEFORE_PROOF:
        await opening.identify(
            turn.session, turn.desk, turn.conversation, [request], turn.incoming, turn.known
        )
    return True


async def _unclear_one(turn: Turn) -> Request | None:
    return next((request for request in await turn.open() if request.kind == "unclear"), None)
