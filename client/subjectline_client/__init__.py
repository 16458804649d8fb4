"""What other systems import to obey Subjectline's gate: may this field be used, now, for this?"""

from subjectline_client.core import Decision, Event, Filtered, Hold, HoldState, events_of
from subjectline_client.policy import Caller, Policy, Purpose

__all__ = [
    "Caller",
    "Decision",
    "Event",
    "Filtered",
    "Hold",
    "HoldState",
    "Policy",
    "Purpose",
    "events_of",
]
