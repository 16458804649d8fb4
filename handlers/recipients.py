"""Recipients of the data hear of a hold and of its end (GDPR 19; PIPA 36, 37).

What is held, and for which purposes, decides who hears: those that the data map gives the field, and
nobody else. The notices of a step commit with it, so that none is lost; they leave later
(`recipients_outbox`), and no release and no letter to the member waits for one of them.
"""

import base64
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, exists, update
from sqlalchemy.orm import aliased
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers.gate_policy import purpose_names
from subjectline.handlers.holds import ALL, STANDING_KINDS, head, holds_for
from subjectline.handlers.recipients_heard import Heard, Scope, heard_of, joined, told_of
from subjectline.models.datamap import DataMap
from subjectline.models.db import wake
from subjectline.models.keys import token_hash
from subjectline.models.tables import Hold, Proposal, Request, Telling
from subjectline.models.workflow import DECISIONS, Move

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

SIGNAL = "telling"
DESTROYED = ("erasure", "membership_withdrawal")


@dataclass(frozen=True)
class Held:
    """What another request keeps held at a recipient, under the reference that it knows."""

    reference: str
    scope: Scope


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
    if request.kind in DECISIONS:
        return False
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
    if request.kind in DECISIONS:
        return  # what the company itself suspects of a member is nobody else's business
    if move.hold == "move":
        await _hand_over(session, request, facts.successor)
        return
    step = _Step(session, desk, request, await heard_of(session, request.id or 0))
    if move.hold == "firm" and request.subject_id:
        await step.held()
    elif move.hold == "finish":
        await step.finished(facts.proposal_id)
    elif move.hold == "end":
        await step.released()
    await step.queue()


async def end_lasting(session: AsyncSession, desk: "Desk", request_id: int) -> None:
    """Queues the word that a lasting hold of a request that is done is over, once it has ended.

    Whoever was told to stop, or to destroy, hears of it as of any other end.
    """
    if not desk.data_map.recipients:
        return
    request = await session.get_one(Request, request_id)
    step = _Step(session, desk, request, await heard_of(session, request_id))
    await step.free_again()
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
    """What one step of a request tells. `heard`: recipient -> what it was told before."""

    session: AsyncSession
    desk: "Desk"
    request: Request
    heard: dict[str, Heard]
    made: list[Telling] = field(default_factory=list)

    async def held(self) -> None:
        for name, scope in (await self._live()).items():
            self._tell(name, "hold", scope)

    async def finished(self, proposal_id: int | None) -> None:
        """A standing hold: stop, or destroy. Else what was corrected, or that the hold ended."""
        if self.request.kind in STANDING_KINDS:
            await self._stands()
        else:
            self._corrected(await _corrected(self.session, self.desk, proposal_id))
        await self.released()

    def _corrected(self, values: Mapping[str, str]) -> None:
        """Whoever holds what was corrected. Its whole hold ends: other fields of it are free again."""
        found = concerned(self.desk.data_map, tuple(values), ALL) if values else {}
        for name, scope in found.items():
            held = self.heard[name].scope if name in self.heard else None
            new = {one: values[one] for one in scope.fields}
            self._tell(name, "corrected", joined(scope, held) if held else scope, new)

    async def released(self) -> None:
        """Who was told of a hold and of no end hears of it. Who was never tried hears of neither."""
        for name, heard in list(self.heard.items()):
            if heard.scope and not await _spared(self.session, heard.holds):
                self._tell(name, "released", heard.scope)

    async def free_again(self) -> None:
        """As `released`, for those who heard that the hold was to last."""
        for name, heard in list(self.heard.items()):
            rows = (*heard.lasting, *heard.holds)
            scope = told_of(rows)
            if scope and not await _spared(self.session, rows):
                self._tell(name, "released", scope)

    async def queue(self) -> None:
        if self.made:
            revision = await head(self.session)
            for row in self.made:
                row.revision = revision
            self.session.add_all(self.made)
            wake(self.session, SIGNAL)

    async def _stands(self) -> None:
        """An erasure that names fields keeps only these held (`consequences`); the rest is free."""
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
                found[name] = joined(found[name], scope) if name in found else scope
        return found

    def _tell(
        self, name: str, kind: str, scope: Scope, values: Mapping[str, str] | None = None
    ) -> None:
        """One row, to be added when the step is over. Values go to those who receive them only."""
        desk, before, number = self.desk, self.heard.get(name), secrets.token_hex(16)
        reach = desk.recipients.reach.get(name)
        row = Telling(
            notice_id=number,
            request_id=self.request.id or 0,
            recipient=name,
            kind=kind,
            fields=list(scope.fields),
            corrected=list(values or ()),
            purposes=list(scope.purposes),
            known_as=self._known_as(kind, before),
            sequence=before.last.sequence + 1 if before else 1,
            revision=0,
            way=reach.way if reach else "hand",
            outcome="due" if reach else "hand",
            member=before.last.member if before else None,
            token_hash=token_hash(token_of(desk, number)),
            made_at=desk.clock(),
            due_at=desk.clock() if reach else desk.clock() + by_hand(desk),
        )
        if values and desk.data_map.recipients[name].receives_corrected:
            said = json.dumps(dict(values), ensure_ascii=False)
            row.content = desk.vault.seal(self.request.key_id, "telling.content", said)
        self.made.append(row)
        self.heard[name] = before.then(row) if before else Heard(row)

    def _known_as(self, kind: str, before: Heard | None) -> list[str]:
        """The references that the recipient knows the holds by, those that were taken over first."""
        told = (*before.lasting, *before.holds) if before and kind != "hold" else ()
        earlier = (one for row in told for one in row.known_as)
        return list(dict.fromkeys((*earlier, self.request.reference)))


async def _spared(session: AsyncSession, holds: Sequence[Telling]) -> bool:
    """Whether no notice of these holds was ever tried; then none ever is."""
    done = await session.exec(
        update(Telling)
        .where(col(Telling.id).in_([row.id for row in holds]), _never_tried())
        .values(outcome="overtaken", leased_until=None)
    )
    return int(done.rowcount) == len(holds)


def _never_tried() -> ColumnElement[bool]:
    """Neither by us (a reminder counts its tries anew), nor given to an agent, who may have called."""
    by_us = (col(Telling.attempts) > 0) | col(Telling.sent_at).is_not(None) | (Telling.reason != "")
    waits = col(Telling.outcome).in_(("due", "hand"))
    return waits & ~by_us & col(Telling.task_at).is_(None)


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


async def freed(session: AsyncSession, row: Telling, request: Request) -> tuple[str, ...]:
    """Fields that a notice frees: its own at an end; of an erasure of some what else its hold named."""
    if row.kind in ("corrected", "released"):
        return tuple(row.fields)
    if row.kind != "erase" or request.kind != "erasure" or not request.fields:
        return ()
    heard = (await heard_of(session, row.request_id))[row.recipient]
    scope = told_of([one for one in heard.lasting if one.kind == "hold"])
    return tuple(one for one in scope.fields if one not in row.fields) if scope else ()


async def still_held(
    session: AsyncSession, desk: "Desk", row: Telling, request: Request, free: Sequence[str]
) -> tuple[Held, ...]:
    """What stays held of the fields that a notice frees (`freed`): under other requests of the member,
    and under its own where that has another lasting hold.

    Of a hold that the recipient was not told of yet it hears next.
    """
    if not free:
        return ()
    told = exists().where(
        col(Telling.request_id) == col(Hold.request_id),
        col(Telling.recipient) == row.recipient,
        ~_never_tried(),
    )
    another = col(Hold.request_id) != row.request_id
    rows = await session.exec(
        select(Hold, Request.reference)
        .join(Request, col(Request.id) == col(Hold.request_id))
        .where(Hold.registry_id == request.registry_id, Hold.subject_id == request.subject_id)
        .where(or_(Hold.kind == "standing", (col(Hold.kind) == "firm") & told & another))
        .where(col(Hold.ended_revision).is_(None))
        .order_by(col(Hold.id))
    )
    return tuple(_overlaps(desk, row.recipient, free, [(hold, name) for hold, name in rows]))


def _overlaps(
    desk: "Desk", recipient: str, free: Sequence[str], holds: Iterable[tuple[Hold, str]]
) -> Iterator[Held]:
    for hold, reference in holds:
        scope = concerned(desk.data_map, hold.fields, hold.purposes).get(recipient)
        fields = tuple(one for one in scope.fields if one in free) if scope else ()
        if scope and fields:
            yield Held(reference, Scope(fields, scope.purposes))


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
