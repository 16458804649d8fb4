"""What stands in the archive, counted: by law, table and last day, without opening anything."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select

from subjectline.handlers.registry.archive import Archive, _kept
from subjectline.models.datamap import Bilingual


@dataclass(frozen=True, slots=True)
class KeptCount:
    """Records of one table under one rule. `first` and `last` are the nearest and farthest last day."""

    table: str
    rule: str
    law: Bilingual
    members: int
    records: int
    pending: int
    first: date
    last: date


async def standing(archive: Archive) -> list[KeptCount]:
    """Everything in the archive, by law. Raises RegistryAway, RegistryError."""
    return await _counted(archive, _counts().where(archive._mine))


async def of_member(archive: Archive, member: str) -> list[KeptCount]:
    """What is kept of one member (a canonical id). Raises RegistryAway, RegistryError."""
    return await _counted(archive, _counts().where(archive._of(member)))


def _counts() -> Select[Any]:
    by = (_kept.c.law_ko, _kept.c.law_en, _kept.c.rule, _kept.c.table_name)
    until = _kept.c.kept_until
    return (
        select(
            *by,
            func.count(_kept.c.subject_id.distinct()),
            func.count(),
            func.count().filter(_kept.c.state == "pending"),
            func.min(until),
            func.max(until),
        )
        .group_by(*by)
        .order_by(*by)
    )


async def _counted(archive: Archive, wanted: Select[Any]) -> list[KeptCount]:
    async with archive._reading() as connection:
        rows = await connection.execute(wanted)
        return [_count(tuple(row)) for row in rows]


def _count(row: tuple[Any, ...]) -> KeptCount:
    law_ko, law_en, rule, table, members, records, pending, first, last = row
    return KeptCount(
        table=table,
        rule=rule,
        law=Bilingual(ko=law_ko, en=law_en),
        members=members,
        records=records,
        pending=pending,
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
    )
