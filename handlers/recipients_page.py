"""The page behind a recipient's link: looking acknowledges nothing, and shows no value.

Mail scanners open links, so a button shows what was corrected (each time an audit row), and another
says that it is done; from then on the link opens nothing any more.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.handlers.audit import Actor
from subjectline.handlers.recipients import later_than
from subjectline.handlers.recipients_chased import OPEN, acknowledged
from subjectline.models.errors import SpentProof
from subjectline.models.keys import token_hash
from subjectline.models.tables import Request, Telling

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

LINK_LIVES = timedelta(days=90)  # since it was due last: told once more, its link opens again


@dataclass(frozen=True)
class Told:
    """What the page shows. `state`: ask, done (acknowledged), over (a later notice says more)."""

    reference: str
    recipient: str
    kind: str
    fields: tuple[str, ...]
    state: str
    has_values: bool
    values: Mapping[str, str] = field(default_factory=dict)


async def look(desk: "Desk", token: str) -> Told:
    """The page as it opens. Raises SpentProof for no link of ours, or an old one."""
    async with desk.db.read() as session:
        row = await _by_token(session, desk, token)
        request = await session.get_one(Request, row.request_id)
        return _told(row, request, newest=await _is_newest(session, row))


async def show(desk: "Desk", token: str, place: str) -> Told:
    """The same with the corrected values, as long as it is not acknowledged. Raises SpentProof."""
    async with desk.write() as session:
        row = await _by_token(session, desk, token)
        request = await session.get_one(Request, row.request_id)
        values, newest = {}, await _is_newest(session, row)
        if row.outcome in OPEN and newest and row.content is not None:
            values = json.loads(desk.vault.text(row.content))
            _note(session, desk, row, request, "recipient_saw_values", place)
        return _told(row, request, values, newest=newest)


async def acknowledge(desk: "Desk", token: str, place: str) -> Told:
    """The recipient says that it is done: once, pressing again changes nothing. Raises SpentProof."""
    async with desk.write() as session:
        found = await _by_token(session, desk, token)
        row = await session.get_one(Telling, found.id, with_for_update=True)
        request = await session.get_one(Request, row.request_id)
        if row.outcome in OPEN:
            await acknowledged(session, desk, row, "link")
            _note(session, desk, row, request, "recipient_acknowledged", place)
        return _told(row, request, newest=await _is_newest(session, row))


async def _is_newest(session: AsyncSession, row: Telling) -> bool:
    """Not so where a later notice says more: this one must not be followed any more."""
    rows = await session.exec(select(Telling.id).where(Telling.id == row.id, ~later_than(Telling)))
    return rows.first() is not None


async def _by_token(session: AsyncSession, desk: "Desk", token: str) -> Telling:
    rows = await session.exec(select(Telling).where(Telling.token_hash == token_hash(token)))
    row = rows.first()
    if row is None or max(row.made_at, row.due_at) + LINK_LIVES < desk.clock():
        raise SpentProof("there is no such link, or it is too old", remedy="Write to us.")
    return row


def _told(
    row: Telling, request: Request, values: Mapping[str, str] | None = None, *, newest: bool
) -> Told:
    state = "ask" if row.outcome in OPEN and newest else "over"
    return Told(
        reference=request.reference,
        recipient=row.recipient,
        kind=row.kind,
        fields=tuple(row.fields),
        state="done" if row.outcome == "acknowledged" else state,
        has_values=row.content is not None,
        values=values or {},
    )


def _note(
    session: AsyncSession, desk: "Desk", row: Telling, request: Request, action: str, place: str
) -> None:
    who = Actor(f"recipient:{row.recipient}", place)
    audit.note(session, desk.clock, who, action, request=request, thing=f"telling:{row.id}")
