"""One question to the gate, and what becomes of its answer on the way."""

from collections.abc import Sequence
from dataclasses import replace

from msgspec import Struct

from subjectline_client.core import Decision


class Ask(Struct, frozen=True, gc=False):
    """One question. `request_id` and `account` (as in the audit row) go with `rights-handling`."""

    caller: str
    subject: str
    fields: Sequence[str]
    purpose: str
    recipient: str | None = None
    at_least_revision: int | None = None
    request_id: int | None = None
    account: str = ""


def opened(decision: Decision | None) -> bool:
    """Whether a law opened it, so that the use must be recorded."""
    return decision is not None and decision.permit and decision.override


def denied(decision: Decision, reason: str) -> Decision:
    """The same answer as a denial for one more reason."""
    reasons = decision.reasons or (reason,)
    return replace(
        decision, permit=False, reasons=reasons, allowed_fields=(), valid_for_ms=0, override=False
    )
