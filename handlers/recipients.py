"""Recipients of the data hear of a hold and of its end (GDPR 19; PIPA 36, 37).

What is held, and for which purposes, decides who hears: those that the data map gives the field, and
nobody else. The notices of a step commit with it, so that none is lost; they leave later
(`recipients_outbox`), and no release and no letter to the member waits for one of them.
"""

import base64
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, exists, update
from sqlalchemy.orm import aliased
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers.gate_policy import purpose_names
from subjectline.handlers.holds import ALL, STANDING_KINDS, head, holds_for
from subjectline.models.datamap import DataMap
from subjectline.models.db import wake
from subjectline.models.keys import token_hash
from subjectline.models.tables import Hold, Proposal, Request, Telling
from subjectline.models.workflow import Move

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

SIGNAL = "telling"
DESTROYED = ("erasure", "membership_withdrawal")


@dataclass(frozen=True)
class Scope:
    """What one recipient is told about: fields that it holds, purposes (`*`: all) that are held."""

    fields: tuple[str, ...]
    purposes: tuple[str, ...]


def concerned(
    data_map: DataMap, fields: Sequence[str], purposes: Sequence[str]
) -> dict[str, Scope]:
    """Who holds any of the fields for any of the purposes (each `*`: all), by name.

    Purposes may be written as a hold writes them (`consent:marketing`). A purpose that is held for some
    fields only concerns those who hold one that it uses.
    """
    held = ALL if "*" in purposes else purpose_names(purposes, data_map)
    used = set(data_map.fields) if held == ALL else _used(data_map, held)
    if "*" not in fields:
        used &= set(fields)
    found = {}
    for name, recipient in data_map.recipients.items():
        mine = held
        if recipient.purposes and held != ALL:
            mine = tuple(one for one in held if one in recipient.purposes)
        theirs = tuple(one for one in recipient.fields if one in used)
        if recipient.told and mine and theirs:
            found[name] = Scope(theirs, mine)
    return found


def _used(data_map: DataMap, purposes: Iterable[str]) -> set[str]:
    known = data_map.purposes
    return {one for name in purposes if name in known for one in known[name].fields}


def foreseen(desk: "Desk", request: Request) -> bool:
    """Whether anybody is told about what a request of this kind holds."""
    plan = holds_for(request.kind, tuple(request.fields), (), desk.data_map)
    return bool(plan) and bool(concerned(desk.data_map, plan.fields, plan.purposes))


async def follow(
    session: AsyncSession, desk: "Desk", request: Request, move: Move, facts: Any
) -> None:
    """Queues what recipients hear of a step, after its holds have moved.

    A provisional hold is told to nobody: nothing is proven yet. `facts` are those of the step; of a
    finished one `proposal_id` says what was changed.
    """
    if not desk.data_map.recipients or move.hold not in ("firm", "finish", "end", "move"):
        return
    if move.hold == "move":
        await _hand_over(session, request, facts.successor)
        return
    step = _Step(session, desk, request, await newest(session, request.id or 0))
    if move.hold == "firm" and request.subject_id:
        await step.held()
    elif move.hold == "finish":
        await step.finished(facts.proposal_id)
    elif move.hold == "end":
        await step.released()
    await step.queue()


async def _hand_over(session: AsyncSession, request: Request, successor: int | None) -> None:
    """Whoever takes the holds over tells their end."""
    if successor is not None:
        await session.exec(
            update(Telling)
            .where(col(Telling.request_id) == request.id)
            .values(request_id=successor)
        )


@dataclass
class _Step:
    """What one step of a request tells. `last`: recipient -> the last notice to it."""

    session: AsyncSession
    desk: "Desk"
    request: Request
    last: dict[str, Telling]
    made: list[Telling] = field(default_factory=list)

    async def held(self) -> None:
        for name, scope in (await self._live()).items():
            self._tell(name, "hold", scope)

    async def finished(self, proposal_id: int | None) -> None:
        """A standing hold: stop, or destroy. Else what was corrected, or that the hold ended."""
        if self.request.kind in STANDING_KINDS:
            await self._stands()
        else:
            values = await _corrected(self.session, self.desk, proposal_id)
            for name, scope in self._who_holds(tuple(values)).items():
                self._tell(name, "corrected", scope, {one: values[one] for one in scope.fields})
        await self.released()

    async def released(self) -> None:
        """Who was told of a hold and of no end hears of it. Who was never tried hears of neither."""
        for name, last in list(self.last.items()):
            if last.kind == "hold" and not await _spared(self.session, last):
                self._tell(name, "released", Scope(tuple(last.fields), tuple(last.purposes)))

    async def queue(self) -> None:
        if self.made:
            revision = await head(self.session)
            for row in self.made:
                row.revision = revision
            self.session.add_all(self.made)
            wake(self.session, SIGNAL)

    async def _stands(self) -> None:
        named = tuple(self.request.fields) if self.request.kind == "erasure" else ()
        for name, scope in (await self._live()).items():
            theirs = tuple(one for one in scope.fields if one in named) if named else scope.fields
            if theirs:
                kind = "erase" if self._destroys(name, scope) else "stop"
                self._tell(name, kind, Scope(theirs, scope.purposes))

    def _destroys(self, name: str, scope: Scope) -> bool:
        """An erasure does; so does a withdrawn consent where the data is held for nothing else."""
        if self.request.kind in DESTROYED:
            return True
        purposes = self.desk.data_map.recipients[name].purposes
        withdrawn = self.request.kind.endswith("_withdrawal")
        return withdrawn and bool(purposes) and set(purposes) <= set(scope.purposes)

    def _who_holds(self, fields: tuple[str, ...]) -> dict[str, Scope]:
        return concerned(self.desk.data_map, fields, ALL) if fields else {}

    async def _live(self) -> dict[str, Scope]:
        """Recipient -> what is held of it under the request now."""
        rows = await self.session.exec(
            select(Hold).where(
                Hold.request_id == self.request.id,
                Hold.kind != "provisional",
                col(Hold.ended_revision).is_(None),
            )
        )
        found: dict[str, Scope] = {}
        for hold in rows:
            for name, scope in concerned(self.desk.data_map, hold.fields, hold.purposes).items():
                found[name] = _joined(found[name], scope) if name in found else scope
        return found

    def _tell(
        self, name: str, kind: str, scope: Scope, values: Mapping[str, str] | None = None
    ) -> None:
        """One row, to be added when the step is over. Values go to those who receive them only."""
        desk, last, number = self.desk, self.last.get(name), secrets.token_hex(16)
        reach = desk.recipients.reach.get(name)
        row = Telling(
            notice_id=number,
            request_id=self.request.id or 0,
            recipient=name,
            kind=kind,
            fields=list(scope.fields),
            purposes=list(scope.purposes),
            revision=0,
            way=reach.way if reach else "hand",
            outcome="due" if reach else "hand",
            member=last.member if last else None,
            token_hash=token_hash(token_of(desk, number)),
            made_at=desk.clock(),
            due_at=desk.clock() if reach else desk.clock() + by_hand(desk),
        )
        if values and desk.data_map.recipients[name].receives_corrected:
            said = json.dumps(dict(values), ensure_ascii=False)
            row.content = desk.vault.seal(self.request.key_id, "telling.content", said)
        self.made.append(row)
        self.last[name] = row


async def _spared(session: AsyncSession, last: Telling) -> bool:
    """Whether the notice of the hold was never tried; then it never is."""
    done = await session.exec(
        update(Telling)
        .where(col(Telling.id) == last.id)
        .where(or_(_never_tried(), col(Telling.outcome) == "unknown"))
        .values(outcome="overtaken", leased_until=None)
    )
    return bool(done.rowcount)


def _never_tried() -> ColumnElement[bool]:
    return col(Telling.outcome).in_(("due", "hand")) & (col(Telling.attempts) == 0)


def _joined(one: Scope, other: Scope) -> Scope:
    purposes = tuple(dict.fromkeys(one.purposes + other.purposes))
    fields = tuple(dict.fromkeys(one.fields + other.fields))
    return Scope(fields, ALL if "*" in purposes else purposes)


async def _corrected(
    session: AsyncSession, desk: "Desk", proposal_id: int | None
) -> dict[str, str]:
    """Field -> its new value in canonical form, of the approved changes."""
    if proposal_id is None:
        return {}
    proposal = await session.get_one(Proposal, proposal_id)
    if proposal.envelope is None:
        return {}
    said = json.loads(desk.vault.text(proposal.envelope))
    written = {(one["table"], one["column"]): one["new"] for one in said["changes"]}
    fields = desk.data_map.fields.items()
    fit = {name: one.from_column(written.get((one.table, one.column))) for name, one in fields}
    return {name: value for name, value in fit.items() if value is not None}


async def newest(session: AsyncSession, request_id: int) -> dict[str, Telling]:
    """Recipient -> the last notice to it about a request."""
    rows = await session.exec(
        select(Telling).where(Telling.request_id == request_id).order_by(col(Telling.id))
    )
    return {row.recipient: row for row in rows}


def by_hand(desk: "Desk") -> timedelta:
    """How long an agent has to tell somebody whom the desk does not reach, before it is a task."""
    return timedelta(days=min((*desk.recipients.remind_days, desk.recipients.task_days)))


def beside(row: type[Telling], other: type[Telling]) -> ColumnElement[bool]:
    """Whether both are notices of one request to one recipient."""
    same = col(other.request_id) == col(row.request_id)
    return same & (col(other.recipient) == col(row.recipient))


def later_than(row: type[Telling]) -> ColumnElement[bool]:
    """Whether the recipient is told something newer about the request."""
    later = aliased(Telling)
    return exists().where(beside(row, later), col(later.id) > col(row.id))


def token_of(desk: "Desk", notice_id: str) -> str:
    """The secret of a notice's acknowledgement link: the same at every try, and kept nowhere."""
    raw = desk.vault.keyed_hash("telling", notice_id)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def link_of(desk: "Desk", notice_id: str) -> str:
    """The page on which the recipient acknowledges."""
    return f"{desk.manner.public_url}/m/told/{token_of(desk, notice_id)}"
