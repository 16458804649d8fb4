"""What the desk would answer: the outcome, the changes to the company's data, the letter.

Made outside of any transaction, because it reads the registry. What is missing is named, so that the
person is asked or an agent sees to it; a whole draft becomes a proposal.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import rfc8785

from subjectline.handlers import (
    consents,
    copies,
    erasing,
    legal_holds,
    letters,
    recipients,
    refusing,
    restrictions,
    stopping,
    whereto,
)
from subjectline.handlers import facts as wording
from subjectline.handlers.done_facts import done_facts
from subjectline.handlers.export.gather import Beat, Gathered, gather, still
from subjectline.handlers.registry import BY_HAND, Change, Kept
from subjectline.handlers.wishes import wish_of
from subjectline.handlers.words import word
from subjectline.models.datamap import Field
from subjectline.models.errors import BadInput, BadValue, HeldData
from subjectline.models.incoming import Door
from subjectline.models.tables import Conversation, Proposal, Request
from subjectline.models.workflow import DECISIONS, OUTCOMES, signatures

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

WITHDRAWALS = ("marketing_withdrawal", "third_party_withdrawal", "membership_withdrawal")
LINKED = ("access", "portability")
PARTLY = ("correction", "erasure")  # may be granted in part
BY_SYSTEM = ("access", "portability", "correction", "suspension", *WITHDRAWALS)
PROOFS_OF_CONTACT = ("call", "papers")  # an agent's word; a code is kept with its value


@dataclass(frozen=True)
class AgentDraft:
    """What an agent decided: outcome, ground of a refusal, a paragraph, other values, proof of a contact,
    and by table what leaving does with it where the data map asks (`Registry.asks`)."""

    outcome: str = "fulfil"
    ground: str = ""
    note: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    new_contact_proof: str = ""
    leave: Mapping[str, str] = field(default_factory=dict)
    statement: str = ""  # what the person says against a refused correction


@dataclass(frozen=True)
class Missing:
    """What a draft lacks: `which_field`, `which_value`, `bad_value`, `paper`, `new_contact`, …

    Of `agent_choice` the field is a table.
    """

    what: str
    field: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.what}:{self.field}" if self.field else self.what


@dataclass(frozen=True)
class Draft:
    """An answer in the making. `changes` go to the registry, `facts` to the letter."""

    outcome: str
    letter: str
    facts: dict[str, Any]
    changes: tuple[Change, ...] = ()
    ground: str = ""
    note: str = ""
    missing: tuple[Missing, ...] = ()
    rows: tuple[dict[str, str], ...] = ()  # label, old, new: for the agent's eyes
    asks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # table -> what can be chosen
    export: Gathered | None = None  # what an access hands over


async def make(
    desk: "Desk", request: Request, wanted: AgentDraft | None = None, account: str = "system"
) -> Draft:
    """The draft of an answer. `account`: for whose eyes, as the gate records it.

    Raises RegistryError where the company's database does not answer, HeldData.
    """
    wish = wanted or AgentDraft()
    if wish.outcome not in OUTCOMES:
        raise BadInput(f"an outcome is one of {', '.join(OUTCOMES)}", field="outcome")
    if wish.outcome == "refuse":
        return _refusal(desk, request, wish)
    if request.subject_id is None:
        return _of_nobody(desk, request, wish)
    await ask_own_gate(desk, request, account)
    if wish.outcome == "partial" and request.kind not in PARTLY:
        raise BadInput(
            "this right is granted or refused as a whole",
            field="outcome",
            remedy="Choose to grant it, or refuse it with a ground.",
        )
    made = await _BY_KIND.get(request.kind, _plain)(desk, request, wish)
    async with desk.db.read() as session:
        held = await legal_holds.stops(session, desk, request)
    if held and not made.missing and made.outcome != "refuse":
        return replace(made, missing=(Missing("legal_hold"),))
    return made


async def with_export(desk: "Desk", request: Request, draft: Draft, beat: Beat = still) -> Draft:
    """The draft with the very export that it would hand over; as it is where it hands over none.

    Raises RegistryError, UnknownMember, StaleMove.
    """
    if request.kind not in LINKED or request.subject_id is None or draft.outcome == "refuse":
        return draft
    return replace(draft, export=await gather(desk, request, beat))


async def ask_own_gate(desk: "Desk", request: Request, account: str = "system") -> None:
    """The desk asks its gate like any system before it reads or writes a member's data.

    Raises HeldData where there is no open request of this member, or the use was not recorded.
    """
    answer = await desk.gate.decide(
        "desk",
        request.subject_id or "",
        list(request.fields) or list(desk.data_map.fields),
        "rights-handling",
        request_id=request.id,
        account=account,
    )
    if not answer.permit:
        raise HeldData(answer.reasons)


def _of_nobody(desk: "Desk", request: Request, wish: AgentDraft) -> Draft:
    """Nothing is held; but whom an agent knows by papers may stand in a member's content.

    There only the agent can say what was done, so that a note is the answer.
    """
    if request.level != "document":
        return _refusal(desk, request, AgentDraft("refuse", "nothing_held", wish.note))
    if not wish.note:
        return Draft("fulfil", "done", {}, missing=(Missing("agent"),))
    return Draft("fulfil", "done", done_facts(desk, request), note=wish.note)


def _refusal(desk: "Desk", request: Request, wish: AgentDraft) -> Draft:
    if not wish.ground:
        raise BadInput(
            "a refusal needs a ground from the regime's list",
            field="ground",
            remedy="Choose one of the grounds shown.",
        )
    told = letters.refusal(request.kind, wish.ground, request.language, request.regime)
    released = wording.labels(desk, request.fields, request.language)
    told |= {"reason": wish.note, "released": released if request.subject_id else []}
    told |= refusing.own_words(request, wish)
    return Draft("refuse", "refused", told, ground=wish.ground, note=wish.note)


async def _correction(desk: "Desk", request: Request, wish: AgentDraft) -> Draft:
    if stopping.stopped(desk, request):
        return Draft("fulfil", "done", {}, missing=(Missing("stopped"),))
    refused = refusing.refused_fields(request, wish) if wish.outcome == "partial" else []
    values, missing = check_values(desk, request, wish, without=refused)
    if missing:
        return Draft("fulfil", "done", {}, missing=tuple(missing))
    changes = await desk.registry.draft_correction(request.subject_id or "", values)
    before = await desk.registry.read(request.subject_id or "", list(values))
    rows = tuple(
        {
            "field": name,
            "label": desk.data_map.fields[name].labels.text(request.language),
            "old": wording.display(desk, name, before.get(name) or "", request.language),
            "new": wording.display(desk, name, value, request.language),
        }
        for name, value in values.items()
    )
    told = done_facts(desk, request, rows=rows)
    if refused:
        told |= refusing.partly(desk, request, wish, [row["label"] for row in rows], refused)
        return Draft("partial", "partial", told, tuple(changes), ground=wish.ground, rows=rows)
    return Draft("fulfil", "done", told, tuple(changes), note=wish.note, rows=rows)


def check_values(
    desk: "Desk", request: Request, wish: AgentDraft, without: Sequence[str] = ()
) -> tuple[dict[str, str], list[Missing]]:
    """The canonical new values, and what stands in their way; fields of `without` are left alone."""
    kept = wish_of(desk, request)
    given = {**kept.get("new", {}), **{k: v for k, v in wish.values.items() if v.strip()}}
    names = [n for n in dict.fromkeys([*request.fields, *given]) if n not in without]
    if not names:
        return {}, [Missing("which_field")]
    proof = wish.new_contact_proof or str(kept.get("new_contact_proof", ""))
    values: dict[str, str] = {}
    missing: list[Missing] = []
    for name in names:
        fault = _check(desk, request, name, given.get(name, ""), proof, values)
        missing += [fault] if fault else []
    return values, missing


def _check(
    desk: "Desk",
    request: Request,
    name: str,
    text: str,
    proof: str,
    values: dict[str, str],
) -> Missing | None:
    known: Field | None = desk.data_map.fields.get(name)
    if known is None or not known.correctable:
        return Missing("not_correctable", name)
    if not text:
        return Missing("which_value", name)
    try:
        values[name] = known.normalise(text, wording.local_day(desk, desk.clock()))
    except BadValue as wrong:
        return Missing("bad_value", name, wrong.reason)
    if known.evidence == "paper" and proof != "papers" and request.level != "document":
        return Missing("paper", name)
    coded = wish_of(desk, request).get("proven_contacts", {}).get(name) == values[name]
    if known.contact and not coded and proof not in PROOFS_OF_CONTACT:
        return Missing("new_contact", name)
    return None


async def _withdrawal(desk: "Desk", request: Request, wish: AgentDraft) -> Draft:
    leaving = request.kind == "membership_withdrawal"
    if leaving and wish_of(desk, request).get("confirmed") != "confirm_leaving":
        return Draft("fulfil", "done", {}, missing=(Missing("confirm_leaving"),))
    member = request.subject_id or ""
    if leaving and (undecided := await _undecided(desk, member, wish)):
        return undecided
    agreed = await consents.longer(desk, member) if leaving else {}
    choices = wish.leave if leaving else {}
    changes = await desk.registry.draft_withdrawal(member, request.kind, agreed, choices)
    kept: Sequence[Kept] = await desk.registry.kept(member, agreed, choices) if leaving else ()
    told = done_facts(desk, request, changes=changes, kept=kept)
    rows = _chosen(desk, request, choices)
    return Draft("fulfil", "done", told, tuple(changes), note=wish.note, rows=rows)


async def _undecided(desk: "Desk", member: str, wish: AgentDraft) -> Draft | None:
    """What an agent has to choose before a member leaves; None where nothing is open.

    Of what the agent sees to by hand only the agent can say what was done.
    """
    asks = await desk.registry.asks(member)
    missing = [Missing("agent_choice", table) for table in asks if table not in wish.leave]
    if not missing and BY_HAND in wish.leave.values() and not wish.note:
        missing = [Missing("agent")]
    return Draft("fulfil", "done", {}, missing=tuple(missing), asks=asks) if missing else None


def _chosen(
    desk: "Desk", request: Request, choices: Mapping[str, str]
) -> tuple[dict[str, str], ...]:
    """What the agent chose, table by table: both who sign see it, and the approval binds it."""
    known, language, held = desk.data_map.tables, request.language, {"old": "", "held": "rows"}
    return tuple(
        held
        | {
            "field": table,
            "label": known[table].labels.text(language),
            "new": word("leave", choice, language),
        }
        for table, choice in choices.items()
    )


async def _erasure(desk: "Desk", request: Request, wish: AgentDraft) -> Draft:
    """Single items, or all data: the membership ends with it, so the person confirms it first."""
    if request.fields:
        made = await erasing.of_fields(desk, request)
    elif wish_of(desk, request).get("confirmed") != "confirm_leaving":
        return Draft("fulfil", "done", {}, missing=(Missing("confirm_leaving"),))
    elif undecided := await _undecided(desk, request.subject_id or "", wish):
        return undecided
    else:
        made = await erasing.of_everything(desk, request, wish.leave)
        made = replace(made, rows=(*made.rows, *_chosen(desk, request, wish.leave)))
    if made.needed:
        return Draft("fulfil", "done", {}, missing=(Missing("needed", made.needed),))
    ground = erasing.GROUND if made.outcome != "fulfil" else ""
    return Draft(
        made.outcome, made.letter, made.facts, made.changes, ground, wish.note, rows=made.rows
    )


async def _decision(desk: "Desk", request: Request, wish: AgentDraft) -> Draft:
    """The company's own: a member is restricted, or free again."""
    told, changes = await restrictions.draft(desk, request)
    return Draft("fulfil", "restricted", told, tuple(changes), note=wish.note)


async def _plain(desk: "Desk", request: Request, wish: AgentDraft) -> Draft:
    """Access, portability, suspension: nothing in the registry changes."""
    if wish.outcome == "fulfil" and request.kind not in BY_SYSTEM and not wish.note:
        return Draft("fulfil", "done", {}, missing=(Missing("agent"),))
    return Draft("fulfil", "done", done_facts(desk, request), note=wish.note)


_BY_KIND: dict[str, Callable[["Desk", Request, AgentDraft], Awaitable[Draft]]] = {
    "correction": _correction,
    "erasure": _erasure,
    **dict.fromkeys(WITHDRAWALS, _withdrawal),
    **dict.fromkeys(DECISIONS, _decision),
}


def envelope(
    desk: "Desk", request: Request, conversation: Conversation, draft: Draft
) -> tuple[bytes, str]:
    """The bytes that an approval binds, and their SHA-256 (canonical JSON, RFC 8785)."""
    to = whereto.elsewhere(desk, request)
    door = whereto.door_of(conversation, to)
    letter = render(desk, request, draft, door)
    body = {
        "request": request.id,
        "reference": request.reference,
        "kind": request.kind,
        "outcome": draft.outcome,
        "ground": draft.ground,
        "recipient": to.value if to else desk.vault.text(conversation.contact),
        "elsewhere": to.kind if to else "",
        "door": door.value,
        "language": request.language,
        "letter": draft.letter,
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
        "attachments": [],
        "export": draft.export.as_json() if draft.export else None,
        "changes": [change.as_json() for change in draft.changes],
        "rows": list(draft.rows),
        "manual": copies.named(desk, request, draft.outcome, draft.rows),
        "slots": list(letters.SLOTS),
        "note": draft.note,
    }
    raw = rfc8785.dumps(body)
    return raw, hashlib.sha256(raw).hexdigest()


def render(desk: "Desk", request: Request, draft: Draft, door: Door) -> letters.Letter:
    """The exact letter of a draft, its slots still open."""
    told = wording.gather(desk, [request], draft.facts, request.language)
    told |= {"note": draft.note if draft.outcome != "refuse" else ""}
    told["secure_link"] = letters.SECURE_LINK if has_link(request, door) else ""
    if draft.letter in ("done", "partial") and recipients.foreseen(desk, request):
        told["told"] = letters.TOLD
    return letters.render(draft.letter, request.language, door, told)


def has_link(request: Request, door: Door) -> bool:
    """Whether the result stands on a secure page: access always, everything in a chat."""
    return request.kind in LINKED and request.subject_id is not None


def open_envelope(desk: "Desk", proposal: Proposal) -> dict[str, Any]:
    opened: dict[str, Any] = json.loads(desk.vault.text(proposal.envelope))
    return opened


def touched(plain: Draft | None, made: Draft) -> bool:
    """Whether a person changed the text or the changes of what the system would propose."""
    if plain is None or plain.missing:
        return True
    same_changes = [c.as_json() for c in plain.changes] == [c.as_json() for c in made.changes]
    return not (same_changes and plain.outcome == made.outcome and plain.note == made.note)


def needed(request: Request, *, by_person: bool) -> int:
    return signatures(request.kind, touched=by_person)
