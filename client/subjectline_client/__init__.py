"""What other systems import to obey Subjectline's gate: may this field be used, now, for this?

`Gate` and `AsyncGate` are loaded when they are first named, so that the core alone brings nothing
along.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from subjectline_client.core import Decision, Event, Filtered, Hold, HoldState, events_of
from subjectline_client.errors import (
    Denied,
    GateError,
    Held,
    KeyRefused,
    Stale,
    TooOld,
    Unreachable,
)
from subjectline_client.policy import Caller, Policy, Purpose

if TYPE_CHECKING:
    from subjectline_client.aio import AsyncGate
    from subjectline_client.asking import Released
    from subjectline_client.sync import Gate

__all__ = [
    "AsyncGate",
    "Caller",
    "Decision",
    "Denied",
    "Event",
    "Filtered",
    "Gate",
    "GateError",
    "Held",
    "Hold",
    "HoldState",
    "KeyRefused",
    "Policy",
    "Purpose",
    "Released",
    "Stale",
    "TooOld",
    "Unreachable",
    "events_of",
]

_LATER = {"AsyncGate": "aio", "Gate": "sync", "Released": "asking"}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = found
    return found
