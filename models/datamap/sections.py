"""The sections of a data map, before they are checked against one another."""

import pydantic

from subjectline.models.datamap.parts import (
    Archive,
    Bilingual,
    Caller,
    CaseFiles,
    Company,
    Connection,
    Consent,
    Field,
    Home,
    Leave,
    Purpose,
    Recipient,
    Retention,
    Strict,
)
from subjectline.models.datamap.tables import Table


class Sections(Strict):
    """The keys at the top of the file."""

    version: int = 1
    registry: str
    company: Company
    connections: dict[str, Connection]
    home: Home
    categories: dict[str, Bilingual]
    tables: dict[str, Table]
    fields: dict[str, Field]
    purposes: dict[str, Purpose]
    recipients: dict[str, Recipient]
    consents: dict[str, Consent]
    retention: dict[str, Retention]
    leave: dict[str, Leave]
    callers: dict[str, Caller] = pydantic.Field(default_factory=dict)
    archive: Archive | None = None
    case_files: CaseFiles | None = None
