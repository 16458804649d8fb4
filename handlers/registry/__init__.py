"""The only SQL against company databases, built from the data map and never from input."""

from subjectline.handlers.registry.archive import Archive, Archived, OpenedRecord
from subjectline.handlers.registry.changes import (
    Applied,
    Change,
    ChangeResult,
    ConnectionResult,
    whereabouts,
)
from subjectline.handlers.registry.collected import Collected, CollectedTable, Withheld
from subjectline.handlers.registry.consents import ConsentSeen
from subjectline.handlers.registry.engines import open_engine, open_engines, open_writers
from subjectline.handlers.registry.erasure import Erasure
from subjectline.handlers.registry.leaving import BY_HAND
from subjectline.handlers.registry.registry import Registry
from subjectline.handlers.registry.withdrawal import Kept

__all__ = [
    "BY_HAND",
    "Applied",
    "Archive",
    "Archived",
    "Change",
    "ChangeResult",
    "Collected",
    "CollectedTable",
    "ConnectionResult",
    "ConsentSeen",
    "Erasure",
    "Kept",
    "OpenedRecord",
    "Registry",
    "Withheld",
    "open_engine",
    "open_engines",
    "open_writers",
    "whereabouts",
]
