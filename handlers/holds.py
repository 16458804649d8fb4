"""Holds placed and ended, inside the step that calls for it.

Called by `handlers.requests`, by what belongs to the same step (`consequences`, `restrictions`), and by
`given_anew`, which ends standing ones. Nobody else ends a hold.

Whatever changes what is held takes the gate's head last, so call it last in a transaction: the head
stays locked to the commit, and that is what makes revisions gap-free and in commit order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.datamap import DataMap
from subjectline.models.db import wake
from subjectline.models.errors import IllegalMove
from subjectline.models.rows import row_of
from subjectline.models.tables import GateHead, Hold, Request

_TAKEN = "gate head taken"
MOVED = "gate moved"  # the signal after a commit that moved the head
CHANNEL = "subjectline_gate"  # the same between processes, on PostgreSQL
ALL = ("*",)
NOT_BY_LAW = ("basis:consent", "basis:contract", "basis:legitimate")
# Of a member suspected of false information. A change of the policy is told to them too (PIPA 30).
BLOCKED = ("basis:consent", "basis:contract", "!notice")

# On `done` these holds stay, until a later request of the person or a new consent (DESIGN, note 3).
STANDING_KINDS = frozenset(
    {
        "suspension",
        "marketing_withdrawal",
        "third_party_withdrawal",
        "erasure",
        "membership_withdrawal",
        "false_information",
    }
)

# Both dialects speak it; the first hold of a desk makes the row.
_NEXT = text(
    "INSERT INTO gate_head (id, revision) VALUES (1, 1)"
    " ON CONFLICT (id) DO UPDATE SET revision = gate_head.revision + 1 RETURNING revision"
)

_PRIMARY = text("SELECT pg_is_in_recovery(), (SELECT revision FROM gate_head WHERE id = 1)")
# Delivered with the commit, and only then. A wake-up: whoever hears it looks for itself.
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', '')")


@dataclass(frozen=True, slots=True)
class HoldPlan:
    """What a request of kind `cause` holds; falsy if nothing.

    Purposes may be written as `basis:<basis>` and `consent:<name>`, so that a purpose that joins the
    data map later is held too (`gate_policy.purpose_names` writes them out).
    """

    cause: str
    fields: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ALL
    recipients: tuple[str, ...] = ALL

    def __bool__(self) -> bool:
        return bool(self.fields)


def holds_for(
    kind: str, fields: Sequence[str], scope: Sequence[str], data_map: DataMap
) -> HoldPlan:
    """What a kind of right holds (DESIGN, note 2). `scope`: the purposes that a suspension names.

    A correction or suspension that names no field holds them all: until somebody knows which is
    wrong, none may be used.
    """
    contested = tuple(fields) or ALL
    if kind == "correction" or (kind == "objection" and fields):
        return HoldPlan(kind, contested)
    if kind == "suspension":
        return HoldPlan(kind, contested, tuple(scope) or ALL)
    if kind in ("erasure", "membership_withdrawal"):
        return HoldPlan(kind, ALL, NOT_BY_LAW)
    if kind == "false_information":
        return HoldPlan(kind, ALL, BLOCKED)
    consent = kind.removesuffix("_withdrawal")
    if consent != kind and consent in data_map.consents:
        return HoldPlan(kind, ALL, (f"consent:{consent}",))
    return HoldPlan(kind)


async def place(
    session: AsyncSession,
    request_id: int,
    registry: str,
    subject_id: str,
    plan: HoldPlan,
    kind: str,
    now: datetime,
) -> int:
    """Holds what the plan says. Returns the revision from which it is in force.

    What the same request held before and the plan no longer says ends in the same revision; a hold
    that says just this stays, and only becomes `kind` (provisional, firm or standing).
    """
    live = await _live(session, request_id)
    same = [hold for hold in live if plan and _says(hold, plan, registry, subject_id)]
    for hold in same:
        hold.kind = kind
    rest = [hold for hold in live if hold not in same]
    if not rest and (same or not plan):
        return await head(session)
    revision = await _next(session)
    _end(rest, revision, now, "replaced")
    if plan and not same:
        session.add(_hold(request_id, (registry, subject_id), plan, kind, (revision, now)))
    await session.flush()
    return revision


async def end(session: AsyncSession, request_id: int, now: datetime, cause: str = "") -> int | None:
    """Ends whatever the request holds. Returns the revision, or None if it held nothing."""
    return await _release(session, await _live(session, request_id), now, cause)


async def end_standing(
    session: AsyncSession, registry: str, subject_id: str, causes: Sequence[str], now: datetime
) -> int | None:
    """Ends a member's standing holds of these causes: they consented anew, or asked for it."""
    rows = await session.exec(
        select(Hold).where(
            Hold.registry_id == registry,
            Hold.subject_id == subject_id,
            Hold.kind == "standing",
            col(Hold.cause).in_(causes),
            col(Hold.ended_revision).is_(None),
        )
    )
    return await _release(session, list(rows), now, "given anew")


async def make_firm(session: AsyncSession, request_id: int) -> int:
    """A provisional hold becomes firm. Returns how many did; nothing else that the gate sees changes."""
    done = await session.exec(
        update(Hold)
        .where(
            col(Hold.request_id) == request_id,
            col(Hold.kind) == "provisional",
            col(Hold.ended_revision).is_(None),
        )
        .values(kind="firm")
    )
    return int(done.rowcount)


async def make_standing(
    session: AsyncSession, request_id: int, now: datetime | None = None
) -> int | None:
    """What a fulfilled request held stays for good.

    A hold that it took over from a request whose right is fulfilled by it as well (a correction
    that an erasure overtook) ends, if `now` says when. Returns that revision, if there was one.
    """
    live = await _live(session, request_id)
    for hold in live:
        if hold.cause in STANDING_KINDS:
            hold.kind = "standing"
    await session.flush()
    if now is None:
        return None
    rest = [hold for hold in live if hold.cause not in STANDING_KINDS]
    return await _release(session, rest, now, "done")


async def holds_firm(session: AsyncSession, request_id: int) -> bool:
    """Whether the request has a firm hold in force."""
    return any(hold.kind == "firm" for hold in await _live(session, request_id))


async def take_over(
    session: AsyncSession, from_request: int, to_request: int, now: datetime
) -> int:
    """Another request of the same person goes on with these holds, without a moment between.

    Returns how many. What is moved changes nothing that the gate sees, and makes no new revision. A
    provisional hold of somebody else (a proxy's own, from their first mail) ends; a firm one makes it an
    IllegalMove, for its person's end would not come any more.
    """
    whose = await _person_of(session, to_request)
    live = await _live(session, from_request)
    others = [hold for hold in live if (hold.registry_id, hold.subject_id) != whose]
    if any(hold.kind != "provisional" for hold in others):
        raise IllegalMove("holds are taken over by a request of the same person", field="successor")
    mine = [hold for hold in live if hold not in others]
    for hold in mine:
        hold.request_id = to_request
    await session.flush()
    await _release(session, others, now, "another person's")
    return len(mine)


async def _person_of(session: AsyncSession, request_id: int) -> tuple[str | None, str | None]:
    request = await row_of(session, Request, request_id)
    return request.registry_id, request.subject_id


async def hold_again(
    session: AsyncSession, from_request: int, to_request: int, now: datetime
) -> int | None:
    """Holds for an objection what the refused request held when it ended, or holds still. Returns
    the revision, if there is a new one. What another person was refused it holds nothing of."""
    if await _person_of(session, from_request) != await _person_of(session, to_request):
        return None
    if await take_over(session, from_request, to_request, now):
        return None
    rows = list(await session.exec(select(Hold).where(Hold.request_id == from_request)))
    last = max((hold.ended_revision or 0 for hold in rows), default=0)
    once = [hold for hold in rows if hold.ended_revision == last]
    if not once:
        return None
    revision = await _next(session)
    for hold in once:
        plan = HoldPlan(
            hold.cause, tuple(hold.fields), tuple(hold.purposes), tuple(hold.recipients)
        )
        whose = (hold.registry_id, hold.subject_id)
        session.add(_hold(to_request, whose, plan, "firm", (revision, now)))
    await session.flush()
    return revision


async def head(session: AsyncSession) -> int:
    """The newest revision that this transaction sees; 0 before the first hold."""
    return (await session.exec(select(GateHead.revision))).one_or_none() or 0


async def head_of_primary(session: AsyncSession) -> int:
    """As `head`, from a database that knows: raises OSError on a PostgreSQL standby, which cannot
    prove how new it is."""
    connection = await session.connection()
    if connection.dialect.name != "postgresql":
        return await head(session)
    standby, revision = (await connection.execute(_PRIMARY)).one()
    if standby:
        raise OSError("this PostgreSQL is a standby")
    return revision or 0


def head_taken(session: AsyncSession) -> bool:
    """Whether this transaction has the gate's head: it must lock nothing more, and end."""
    return bool(session.info.get(_TAKEN))


async def _next(session: AsyncSession) -> int:
    await session.flush()  # every other lock first
    session.info[_TAKEN] = True
    connection = await session.connection()
    revision: int = (await connection.execute(_NEXT)).scalar_one()
    wake(session, MOVED)
    if connection.dialect.name == "postgresql":
        await connection.execute(_NOTIFY)
    return revision


async def _live(session: AsyncSession, request_id: int) -> list[Hold]:
    rows = await session.exec(
        select(Hold)
        .where(Hold.request_id == request_id, col(Hold.ended_revision).is_(None))
        .execution_options(populate_existing=True)
    )
    return list(rows)


async def _release(
    session: AsyncSession, live: list[Hold], now: datetime, cause: str
) -> int | None:
    if not live:
        return None
    revision = await _next(session)
    _end(live, revision, now, cause)
    await session.flush()
    return revision


def _end(live: list[Hold], revision: int, now: datetime, cause: str) -> None:
    for hold in live:
        hold.ended_revision, hold.ended_at, hold.end_cause = revision, now, cause


def _says(hold: Hold, plan: HoldPlan, registry: str, subject_id: str) -> bool:
    ours = (hold.registry_id, hold.subject_id, hold.cause)
    lists = (tuple(hold.fields), tuple(hold.purposes), tuple(hold.recipients))
    return (*ours, *lists) == (
        registry, subject_id, plan.cause, plan.fields, plan.purposes, plan.recipients
    )  # fmt: skip


def _hold(
    request_id: int,
    whose: tuple[str, str],
    plan: HoldPlan,
    kind: str,
    since: tuple[int, datetime],
) -> Hold:
    return Hold(
        request_id=request_id,
        registry_id=whose[0],
        subject_id=whose[1],
        fields=list(plan.fields),
        purposes=list(plan.purposes),
        recipients=list(plan.recipients),
        kind=kind,
        cause=plan.cause,
        revision=since[0],
        started_at=since[1],
    )
