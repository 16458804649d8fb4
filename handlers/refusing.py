"""What an answer says that refuses a part: which fields, on which ground, and the person's own words."""

from typing import TYPE_CHECKING, Any

from subjectline.handlers import facts as wording
from subjectline.handlers import letters
from subjectline.models.errors import BadInput
from subjectline.models.tables import Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk
    from subjectline.handlers.drafting import AgentDraft


def refused_fields(request: Request, wish: "AgentDraft") -> list[str]:
    """The fields whose value the agent emptied: they are refused, the others are corrected."""
    refused = [n for n in request.fields if n in wish.values and not wish.values[n].strip()]
    if not refused or len(refused) == len(request.fields) or not wish.ground:
        raise BadInput(
            "a partial answer corrects some fields and refuses others on a ground",
            field="values",
            remedy="Empty the value of each field that is refused, and choose the ground.",
        )
    return refused


def partly(
    desk: "Desk", request: Request, wish: "AgentDraft", done: list[str], refused: list[str]
) -> dict[str, Any]:
    """What the letter `partial` says beside the result."""
    told = letters.refusal(request.kind, wish.ground, request.language, request.regime)
    items = wording.labels(desk, refused, request.language)
    told |= {"done_items": done, "refused_items": items, "reason": wish.note}
    return told | own_words(request, wish)


def own_words(request: Request, wish: "AgentDraft") -> dict[str, str]:
    """Whether the person's statement on a refused correction is kept, or may still be written."""
    if request.kind != "correction" or request.subject_id is None:
        return {}
    return {"statement": "kept" if wish.statement else "invited"}
