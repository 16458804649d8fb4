"""A member's consents as the company's own columns have them."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import and_, select, true

from subjectline.handlers.registry.moving import Places
from subjectline.models.datamap import Consent


@dataclass(frozen=True, slots=True)
class ConsentSeen:
    """One consent: whether any of its columns is given, since when, and to which text.

    `at` is aware: a time without a zone is one of the regime's. None where the column is empty or
    holds no time.
    """

    consent: str
    given: bool
    columns: tuple[str, ...]
    at: datetime | None
    version: str


async def consents_seen(places: Places, member: str) -> list[ConsentSeen]:
    """Every consent of the map that the member has a row for."""
    found: list[ConsentSeen] = []
    for name, consent in places.schema.map.consents.items():
        row = await _row(places, member, consent)
        if row is not None:
            found.append(_seen(name, consent, row, places.zone))
    return found


async def _row(places: Places, member: str, consent: Consent) -> Any:
    here = places.schema[consent.table]
    wanted = [*consent.columns, *(c for c in (consent.at, consent.version) if c)]
    narrowed = (here.c[c].is_not_distinct_from(v) for c, v in consent.where.items())
    statement = select(*(here.c[column] for column in dict.fromkeys(wanted)))
    owned = places.schema.owned(consent.table, member)
    async with places.reading(places.schema.connection(consent.table)) as connection:
        rows = await connection.execute(statement.where(and_(true(), owned, *narrowed)))
        return rows.mappings().first()


def _seen(name: str, consent: Consent, row: Any, zone: tzinfo) -> ConsentSeen:
    given = tuple(c for c, value in consent.columns.items() if row[c] == value.given)
    at = _moment(row[consent.at], zone) if consent.at else None
    version = str(row[consent.version] or "") if consent.version else ""
    return ConsentSeen(name, bool(given), given, at, version)


def _moment(value: Any, zone: tzinfo) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
