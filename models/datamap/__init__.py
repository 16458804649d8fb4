"""The data map: where the company keeps whose data, for what, and who receives it (docs/data-map.md)."""

from subjectline.models.datamap.load import load_map, parse_map
from subjectline.models.datamap.map import DataMap, vocabulary_words
from subjectline.models.datamap.parts import (
    Archive,
    Bilingual,
    Caller,
    CaseFiles,
    Company,
    Connection,
    Consent,
    ConsentColumn,
    Copy,
    Field,
    Home,
    Leave,
    Manual,
    Purpose,
    Recipient,
    Retention,
    Value,
)
from subjectline.models.datamap.tables import Column, Table, code

__all__ = [
    "Archive",
    "Bilingual",
    "Caller",
    "CaseFiles",
    "Column",
    "Company",
    "Connection",
    "Consent",
    "ConsentColumn",
    "Copy",
    "DataMap",
    "Field",
    "Home",
    "Leave",
    "Manual",
    "Purpose",
    "Recipient",
    "Retention",
    "Table",
    "Value",
    "code",
    "load_map",
    "parse_map",
    "vocabulary_words",
]
