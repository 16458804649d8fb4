"""What the result letter of each right says."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from subjectline.handlers import facts as wording
from subjectline.handlers.letters import DONE_ON, EXPIRES_ON
from subjectline.handlers.registry import Change, Kept
from subjectline.handlers.words import last_four
from subjectline.models.tables import Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

Rows = Sequence[Mapping[str, str]]


def done_facts(
    desk: "Desk",
    request: Request,
    *,
    rows: Rows = (),
    changes: Sequence[Change] = (),
    kept: Sequence[Kept] = (),
) -> dict[str, Any]:
    """The facts of `done` for one request, dates in the regime's zone; days of the deed stay slots."""
    make = _BY_KIND.get(request.kind)
    told: dict[str, Any] = {"done_on": DONE_ON}
    return told | (make(desk, request, rows, changes, kept) if make else {})


def _correction(
    desk: "Desk", request: Request, rows: Rows, changes: Sequence[Change], kept: Sequence[Kept]
) -> dict[str, Any]:
    fields = [{"label": row["label"], "new_value": row["new"]} for row in rows]
    return {"fields": fields, "echo": last_four(rows[0]["new"]) if len(rows) == 1 else ""}


def _access(
    desk: "Desk", request: Request, rows: Rows, changes: Sequence[Change], kept: Sequence[Kept]
) -> dict[str, Any]:
    return {"expires_on": EXPIRES_ON}


def _marketing(
    desk: "Desk", request: Request, rows: Rows, changes: Sequence[Change], kept: Sequence[Kept]
) -> dict[str, Any]:
    company = desk.data_map.company.name.text(request.language)
    withdrawn = wording.local_day(desk, request.arrived_at)
    return {"sender": company, "withdrawn_on": withdrawn, "channels": []}


def _third_party(
    desk: "Desk", request: Request, rows: Rows, changes: Sequence[Change], kept: Sequence[Kept]
) -> dict[str, Any]:
    told = [r for r in desk.data_map.recipients.values() if r.kind == "third_party"]
    fields = dict.fromkeys(name for recipient in told for name in recipient.fields)
    return {
        "recipients": [recipient.labels.text(request.language) for recipient in told],
        "fields": wording.labels(desk, list(fields), request.language),
    }


def _leaving(
    desk: "Desk", request: Request, rows: Rows, changes: Sequence[Change], kept: Sequence[Kept]
) -> dict[str, Any]:
    held = {item.table for item in kept}
    known = desk.data_map.tables
    gone = dict.fromkeys(c.table for c in changes if c.table not in held and c.table in known)
    return {
        "destroyed": [known[name].labels.text(request.language) for name in gone],
        "kept": kept_facts(kept, request.language),
    }


def kept_facts(kept: Sequence[Kept], language: str) -> list[dict[str, Any]]:
    """What a law keeps, in the letter's language: one line a kind of record, until its last day."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for one in kept:
        what, law = one.record.text(language), one.law.text(language)
        line = lines.setdefault((what, law), {"what": what, "law": law, "until": one.until})
        line["until"] = max(line["until"], one.until)
    return list(lines.values())


def _suspension(
    desk: "Desk", request: Request, rows: Rows, changes: Sequence[Change], kept: Sequence[Kept]
) -> dict[str, Any]:
    return {"fields": wording.labels(desk, request.fields, request.language), "purposes": []}


_BY_KIND: dict[str, Callable[..., dict[str, Any]]] = {
    "correction": _correction,
    "access": _access,
    "portability": _access,
    "marketing_withdrawal": _marketing,
    "third_party_withdrawal": _third_party,
    "membership_withdrawal": _leaving,
    "erasure": _leaving,
    "suspension": _suspension,
}
