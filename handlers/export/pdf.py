"""The PDF of an export, for people. A large member's PDF ends early and says so; files have it all."""

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from subjectline.handlers.export import fiveitems, shelf, showing
from subjectline.handlers.export.fiveitems import FiveItems, Item
from subjectline.handlers.export.shelf import Head
from subjectline.models.errors import SubjectlineError

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

ROWS_A_TABLE = 500
ROWS = 2000  # some 250 pages
SECONDS = 60.0

_turns = asyncio.Semaphore(2)  # a typesetter takes up to 200 MB


async def make(desk: "Desk", export: Head, language: str) -> bytes:
    """The PDF in one language. Raises SubjectlineError where it cannot be made now."""
    data = json.dumps(await payload(desk, export, language), ensure_ascii=False)
    async with _turns:
        return await _typeset(data.encode())


async def payload(desk: "Desk", export: Head, language: str) -> dict[str, Any]:
    """Everything that the template says, as plain text."""
    told = fiveitems.in_words(desk, export, language)
    return {
        "lang": language,
        "title": told.title,
        "author": export.body["controller"]["name"][language],
        "reference": export.body["reference"],
        "intro": told.intro,
        "facts": told.facts,
        "items": [
            _item(item) | {"tables": await _tables(desk, export, told) if place == 0 else []}
            for place, item in enumerate(told.items)
        ],
    }


def _item(item: Item) -> dict[str, Any]:
    grids = [
        {"title": g.title, "columns": g.columns, "rows": g.rows, "none": g.none} for g in item.grids
    ]
    return {"number": item.number, "title": item.title, "text": item.text, "grids": grids}


async def _tables(desk: "Desk", export: Head, told: FiveItems) -> list[dict[str, Any]]:
    left, made = ROWS, list[dict[str, Any]]()
    for place, table in enumerate(export.tables):
        limit = min(ROWS_A_TABLE, left)
        rows = await shelf.rows(desk, export, place, 0, limit) if limit else []
        left -= len(rows)
        made.append(
            {
                "label": told.tables[place]["label"],
                "count": fiveitems.count(told, place),
                "facts": fiveitems.table_facts(told, place),
                "records": showing.records(desk, table, rows, told.language),
                "withheld": fiveitems.withheld(told, place),
                "more": _more(told, len(rows), table["count"]),
            }
        )
    return made


def _more(told: FiveItems, shown: int, count: int) -> str:
    if shown >= count:
        return ""
    return told.words["table.more"].format(rows=f"{count:,}", shown=f"{shown:,}")


async def _typeset(data: bytes) -> bytes:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "subjectline.handlers.export.typeset",
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,  # a complaint would quote what it cannot set
    )
    try:
        async with asyncio.timeout(SECONDS):
            made, _ = await process.communicate(data)
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode or not made.startswith(b"%PDF"):
        raise SubjectlineError("the PDF could not be made", remedy="Try again in a moment.")
    return made
