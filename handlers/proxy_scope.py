"""What a mandate covers: its days, its rights, its fields, its writer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from subjectline.handlers import age
from subjectline.handlers import facts as wording
from subjectline.models.errors import NotPermitted
from subjectline.models.tables import Mandate, Request
from subjectline.models.workflow import KINDS

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

EVERYTHING = "*"
RIGHTS = frozenset(KINDS) - {"unclear", "objection"}
OF_FIELDS = frozenset({"correction", "erasure", "suspension"})  # may name fields
WHOLE = frozenset({"access", "portability", "membership_withdrawal"})  # about everything at once


def known_fields(desk: "Desk", fields: Sequence[str]) -> bool:
    """Whether these are fields of the data map, or everything."""
    return bool(fields) and (
        tuple(fields) == (EVERYTHING,) or set(fields) <= set(desk.data_map.fields)
    )


def covers(desk: "Desk", mandate: Mandate, request: Request) -> None:
    """Raises NotPermitted, with the reason in `field`, where a request is not covered: state,
    expires_on, conversation, subject, rights, fields."""
    today = wording.local_day(desk, desk.clock()).isoformat()
    reasons = {
        "state": mandate.state == "accepted",
        "expires_on": today <= mandate.expires_on,
        "conversation": request.conversation_id == mandate.conversation_id,
        "subject": request.subject_id is None,
        "rights": request.kind in mandate.rights,
        "fields": _fields_covered(mandate, request),
    }
    against = next((name for name, good in reasons.items() if not good), "")
    if against:
        raise NotPermitted(
            f"the mandate does not cover this request ({against})",
            field=against,
            remedy="Ask for a paper that covers it, or answer without it.",
        )


def _fields_covered(mandate: Mandate, request: Request) -> bool:
    """A right over everything needs a mandate over everything; one over fields needs those fields."""
    if EVERYTHING in mandate.fields:
        return True
    if request.kind in WHOLE:
        return False
    if request.kind in OF_FIELDS:
        return bool(request.fields) and set(request.fields) <= set(mandate.fields)
    return True


async def still_of_age(desk: "Desk", mandate: Mandate) -> None:
    """Raises NotPermitted where the member's age has come to forbid it since it was recorded."""
    young = await age.is_child(desk, mandate.subject_id)
    if young != (mandate.kind == "guardian"):
        raise NotPermitted("the member's age does not allow this mandate", field="kind")
