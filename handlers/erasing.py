"""What an erasure would do: what may go, and what a statute keeps (PIPA 36(1), proviso)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subjectline.handlers import consents, letters
from subjectline.handlers import facts as wording
from subjectline.handlers.done_facts import done_facts, kept_facts
from subjectline.handlers.registry import Change, Kept
from subjectline.handlers.words import until, word
from subjectline.models.tables import Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

GROUND = "erasure_by_law"


@dataclass(frozen=True)
class Outcome:
    """The answer to an erasure. `needed`: the first item that goes only with the membership."""

    outcome: str
    letter: str
    facts: dict[str, Any]
    changes: tuple[Change, ...] = ()
    rows: tuple[dict[str, str], ...] = ()
    needed: str = ""


async def of_fields(desk: "Desk", request: Request) -> Outcome:
    """The erasure of named items. Raises RegistryError."""
    plan = await desk.registry.draft_erasure(request.subject_id or "", request.fields)
    if plan.needed:
        return Outcome("fulfil", "done", {}, needed=plan.needed[0])
    done = wording.labels(desk, plan.erased, request.language)
    if plan.kept:
        told = _refused(desk, request, done, plan.kept)
        outcome, letter = ("partial", "partial") if plan.changes else ("refuse", "refused")
    else:
        told = done_facts(desk, request) | {"destroyed": done or _all_of(desk, request)}
        outcome, letter = "fulfil", "done"
    return Outcome(outcome, letter, told, plan.changes, _rows(desk, request, plan.erased))


async def of_everything(desk: "Desk", request: Request, choices: Mapping[str, str]) -> Outcome:
    """The erasure of all data ends the membership: what a law keeps goes into the archive. `choices`:
    an agent's, by table, where the data map asks."""
    member = request.subject_id or ""
    agreed = await consents.longer(desk, member)
    leaving = "membership_withdrawal"
    changes = await desk.registry.draft_withdrawal(member, leaving, agreed, choices)
    kept = await desk.registry.kept(member, agreed, choices)
    told = done_facts(desk, request, changes=changes, kept=kept)
    if not kept:
        return Outcome("fulfil", "done", told, tuple(changes))
    told = _refused(desk, request, told["destroyed"], kept)
    return Outcome("partial", "partial", told, tuple(changes))


def _all_of(desk: "Desk", request: Request) -> list[str]:
    """Nothing of it was held: the answer names what was asked for all the same."""
    return wording.labels(desk, request.fields, request.language)


def _refused(
    desk: "Desk", request: Request, done: Sequence[str], kept: Sequence[Kept]
) -> dict[str, Any]:
    """Facts of `partial` and `refused`: exactly the records that a law keeps, each with its last day."""
    language = request.language
    lines = [
        f"{line['what']} ({line['law']}, {until(line['until'], language)})"
        for line in kept_facts(kept, language)
    ]
    told = letters.refusal(request.kind, GROUND, language, request.regime)
    return told | {
        "done_on": letters.DONE_ON,
        "done_items": list(done),
        "refused_items": lines,
        "reason": "" if done else "\n".join(lines),
        "released": [],
    }


def _rows(desk: "Desk", request: Request, erased: Sequence[str]) -> tuple[dict[str, str], ...]:
    """For the agent's eyes: what goes. That there is a value is told, which one need not be."""
    gone = word("frame", "erased", request.language)
    known = desk.data_map.fields
    return tuple(
        {
            "field": f,
            "label": known[f].labels.text(request.language),
            "old": "",
            "held": "value",
            "new": gone,
        }
        for f in erased
    )
