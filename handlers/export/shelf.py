"""Reads an export that was gathered: its head, a few rows of a table, or everything part by part."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from subjectline.models.errors import BadInput, SealError, SpentProof
from subjectline.models.tables import Export, ExportPart
from subjectline.models.types import Sealed

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

Row = dict[str, Any]  # by column name; numbers with a point are Decimal


@dataclass(frozen=True)
class Head:
    """The five items of one export, in both languages; rows are asked for by the table's place."""

    export_id: int
    made_at: datetime
    expires_at: datetime
    body: dict[str, Any]

    @property
    def tables(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.body["tables"]
        return found

    def table(self, place: int) -> dict[str, Any]:
        """The table at a place. BadInput where there is none."""
        if not 0 <= place < len(self.tables):
            raise BadInput("there is no such page", field="address")
        return self.tables[place]


async def head(desk: "Desk", request_id: int, state: str = "ready") -> Head | None:
    """The newest export of a request that can be opened now; None where it is over or destroyed.

    With the state `proposed` the one that an agent decides about, which no member sees.
    """
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Export)
            .where(Export.request_id == request_id, Export.state == state)
            .where(col(Export.expires_at) > desk.clock())
            .order_by(col(Export.id).desc())
            .limit(1)
        )
        row = rows.first()
    return None if row is None else read_head(desk, row)


def read_head(desk: "Desk", row: Export) -> Head | None:
    """The head of one export; None where it was emptied, or its key destroyed."""
    if row.content is None:
        return None
    try:
        body: dict[str, Any] = json.loads(desk.vault.open(row.content))
    except SealError:  # the key was destroyed: what it held is gone, and that is the answer
        return None
    return Head(row.id or 0, row.made_at, row.expires_at, body)


async def rows(desk: "Desk", export: Head, place: int, first: int, limit: int) -> list[Row]:
    """At most `limit` rows of the table at `place`, from row number `first` on (from 0)."""
    async with desk.db.read() as session:
        found = await session.exec(
            select(ExportPart)
            .where(ExportPart.export_id == export.export_id, ExportPart.table == place)
            .where(col(ExportPart.first) < first + limit)
            .where(col(ExportPart.first) + col(ExportPart.rows) > first)
            .order_by(col(ExportPart.first))
        )
        parts = list(found)
    if not parts:
        return []
    lines = b"".join(_opened(desk, part.content) for part in parts).splitlines()
    begin = first - parts[0].first
    return [read(line) for line in lines[begin : begin + limit]]


async def parts(desk: "Desk", export: Head, place: int) -> AsyncIterator[bytes]:
    """The lines (JSON objects) of the table at `place`, a part at a time. Raises SpentProof where it
    is over."""
    at = 0
    while at < export.table(place)["count"]:
        async with desk.db.read() as session:
            found = await session.exec(
                select(ExportPart).where(
                    ExportPart.export_id == export.export_id,
                    ExportPart.table == place,
                    ExportPart.first == at,
                )
            )
            part = found.first()
        if part is None:  # emptied while it was being read
            raise SpentProof("the export is over", remedy="Answer our mail and ask for a new link.")
        yield _opened(desk, part.content)
        at += part.rows


def read(line: bytes) -> Row:
    """One line as a row; no digit of a decimal is lost."""
    row: Row = json.loads(line, parse_float=Decimal)
    return row


def _opened(desk: "Desk", content: Sealed | None) -> bytes:
    return b"" if content is None else desk.vault.open(content)
