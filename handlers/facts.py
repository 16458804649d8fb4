"""What letters are told: facts gathered from rows, the data map and the regime, by letter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from subjectline.handlers import holds, letters
from subjectline.handlers.gate_policy import purpose_names
from subjectline.handlers.identity_limits import CODE_LIVES
from subjectline.handlers.wishes import wish_of
from subjectline.handlers.words import word
from subjectline.models.letter_facts import CompanyFacts, ReferenceLine
from subjectline.models.regimes import regime_named
from subjectline.models.tables import Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


@dataclass(frozen=True)
class About:
    """What a letter is about: the desk, its requests (oldest first), the language, what was given."""

    desk: "Desk"
    requests: Sequence[Request]
    language: str
    given: Mapping[str, Any]


def gather(
    desk: "Desk", requests: Sequence[Request], given: Mapping[str, Any], language: str
) -> dict[str, Any]:
    """All facts of a letter: the common ones, those of its requests, and what the step brought."""
    about = About(desk, requests, language, given)
    facts: dict[str, Any] = {"company": company(desk, language), "reference": ""}
    if requests:
        facts |= common(about, requests[0]) | {"references": references(requests, language)}
        for add in _OF_REQUESTS:
            facts |= add(about)
    return facts | dict(given)


def company(desk: "Desk", language: str) -> CompanyFacts:
    """Who writes, as the data map says."""
    told = desk.data_map.company
    return CompanyFacts(
        name=told.name.text(language),
        officer=told.officer.text(language),
        phone=told.phone,
        email=told.email,
        policy_url=f"{desk.manner.public_url}/policy",
    )


def common(about: About, request: Request) -> dict[str, Any]:
    """What every letter about a request says."""
    return {
        **letters.common(
            company(about.desk, about.language),
            request.reference,
            request.kind,
            about.language,
            received_on=local_day(about.desk, request.arrived_at),
            due_on=date.fromisoformat(request.due_on),
            regime=request.regime,
        )
    }


def references(requests: Sequence[Request], language: str) -> list[ReferenceLine]:
    return [
        ReferenceLine(
            r.reference, letters.kind_label(r.kind, language), date.fromisoformat(r.due_on)
        )
        for r in requests
    ]


def labels(desk: "Desk", fields: Sequence[str], language: str) -> list[str]:
    """Labels of fields; `*` reads as all of one's data."""
    if "*" in fields:
        return [word("frame", "all_data", language)]
    known = desk.data_map.fields
    return [known[name].labels.text(language) for name in fields if name in known]


def display(desk: "Desk", name: str, value: str, language: str) -> str:
    """A value as people read it; as it was written where the field cannot take it."""
    field = desk.data_map.fields.get(name)
    return field.display(value, language) if field else value


def local_day(desk: "Desk", at: datetime) -> date:
    """The day in the regime's zone on which a moment falls."""
    return at.astimezone(regime_named(desk.manner.regime).tz).date()


def local_time(desk: "Desk", at: datetime) -> str:
    """The time of day in the regime's zone, `15:04`."""
    return f"{at.astimezone(regime_named(desk.manner.regime).tz):%H:%M}"


def _understood(about: About) -> dict[str, Any]:
    lines = []
    for request in about.requests:
        if request.kind == "unclear":
            continue
        new = wish_of(about.desk, request).get("new", {})
        known = about.desk.data_map.fields
        values = {
            known[name].labels.text(about.language): value
            for name, value in new.items()
            if name in known
        }
        fields = labels(about.desk, request.fields, about.language)
        lines.append({"kind": request.kind, "fields": fields, "new_values": values})
    return {"understood": lines, "kinds": [r.kind for r in about.requests if r.kind != "unclear"]}


def _held(about: About) -> dict[str, Any]:
    """What is held back: the fields by label and, where not all uses are, the purposes."""
    fields: list[str] = []
    purposes: list[str] = []
    for request in about.requests:
        if request.subject_id is None:
            continue
        plan = holds.holds_for(request.kind, tuple(request.fields), (), about.desk.data_map)
        if not plan:
            continue
        fields += [f for f in labels(about.desk, plan.fields, about.language) if f not in fields]
        purposes += [p for p in _purposes(about, plan.purposes) if p not in purposes]
    ended = about.given.get("released")
    return {"held": fields, "held_purposes": purposes, "released": ended or []}


def _purposes(about: About, names: Sequence[str]) -> list[str]:
    if "*" in names:
        return []
    known = about.desk.data_map.purposes
    written_out = purpose_names(names, about.desk.data_map)
    return [known[name].labels.text(about.language) for name in written_out if name in known]


def _steps(about: About) -> dict[str, Any]:
    if any(r.kind == "membership_withdrawal" for r in about.requests):
        return {"next_step": "confirm_leaving"}
    open_ended = any(_lacks_value(about.desk, request) for request in about.requests)
    return {"next_step": "value" if open_ended else "review"}


def _lacks_value(desk: "Desk", request: Request) -> bool:
    """A correction that does not say to what: it is asked for next."""
    return request.kind == "correction" and not wish_of(desk, request).get("new")


def _proof(about: About) -> dict[str, Any]:
    return {
        "expires_minutes": int(CODE_LIVES.total_seconds() // 60),
        "reply_suffices": True,
        "hold_hours": 0,
        "purpose": "identity",
        "waiting_for": "proof" if about.requests[0].state == "verifying" else "answer",
    }


def _bodies(about: About) -> dict[str, Any]:
    return {"bodies": letters.bodies(about.language, about.requests[0].regime)}


_OF_REQUESTS: tuple[Callable[[About], dict[str, Any]], ...] = (
    _understood,
    _held,
    _steps,
    _proof,
    _bodies,
)
