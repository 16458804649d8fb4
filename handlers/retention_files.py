"""The desk's own records whose time is over, table by table, as `models.desk_files` says.

Finding changes nothing. What a legal hold keeps, by member or by request, is counted and left.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, null, or_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import consents, destroying
from subjectline.handlers.gate_policy import OUR_OWN
from subjectline.handlers.inbox import INTAKE_KEYS_LIVE
from subjectline.handlers.legal_holds import Held
from subjectline.handlers.registry.sweeping import last_start
from subjectline.handlers.retention_kinds import BY_KEYS, BY_ROWS, Due
from subjectline.models.desk_files import PARTS
from subjectline.models.periods import Period
from subjectline.models.tables import (
    AgentSession,
    Audit,
    Challenge,
    ConsentEntry,
    DeadAddress,
    GateUse,
    Hold,
    LegalHold,
    Notice,
    NoticeRecipient,
    Paper,
    RawInbox,
    Request,
    Restriction,
    ReturnedLetter,
    Task,
)

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

EMPTIED = "the person taken out of the row"
DONE = ("done", "failed", "dead")


@dataclass(frozen=True)
class Over:
    """The rule of a part: its name, its law, and the moment and day before which its time is over."""

    name: str
    law: str
    before: datetime

    @property
    def day(self) -> str:
        return self.before.date().isoformat()


def over(desk: "Desk", part: str) -> Over:
    """By the data map's `case_files`, or by the settings' period where it names none."""
    language = desk.manner.language
    files = desk.data_map.case_files
    if (name := getattr(files, part, None)) is not None:
        rule = desk.data_map.retention[name]
        assert rule.period is not None  # the map's checks
        law = (rule.law or rule.labels).text(language)
        return Over(name, law, _before(desk, rule.period))
    period: Period = getattr(desk.keeps, part)
    return Over(f"desk.{part}", PARTS[part].labels.text(language), _before(desk, period))


def _before(desk: "Desk", period: Period) -> datetime:
    places = desk.registry.places
    last: date = last_start(period, places.today())
    return datetime.combine(last + timedelta(days=1), time(), places.zone)


@dataclass(frozen=True)
class _Table:
    """One table: its part, what of it is over, and how it is destroyed."""

    part: str
    table: type[Any]
    wanted: Callable[["Desk", Over], Select[Any]]
    destroy: Callable[["Desk", Sequence[int]], Awaitable[int]]
    method: str = BY_ROWS


def _of(table: type[Any], *where: ColumnElement[bool]) -> Select[Any]:
    """id, member and request of the rows wanted."""
    member = getattr(table, "subject_id", None)
    request = getattr(table, "request_id", None)
    columns = [
        table.id,
        member if member is not None else _null("member"),
        request if request is not None else _null("request"),
    ]
    wanted: Select[Any] = select(*columns).where(*where).order_by(table.id)
    return wanted


def _null(name: str) -> Any:
    return null().label(name)


def _holds(desk: "Desk", over: Over) -> Select[Any]:
    return _of(Hold, col(Hold.ended_at) < over.before, col(Hold.subject_id) != "")


def _restrictions(desk: "Desk", over: Over) -> Select[Any]:
    ended = func.coalesce(Restriction.lifted_at, Restriction.decided_at)
    return _of(Restriction, col(Restriction.state).in_(("lifted", "dropped")), ended < over.before)


def _legal_holds(desk: "Desk", over: Over) -> Select[Any]:
    lifted = col(LegalHold.lifted_at) < over.before
    return _of(LegalHold, or_(lifted, col(LegalHold.ends_on) < over.day))


def _papers(desk: "Desk", over: Over) -> Select[Any]:
    columns: list[Any] = [Paper.id, Request.subject_id, Paper.request_id]
    return (
        select(*columns)
        .join(Request, col(Paper.request_id) == col(Request.id))
        .where(col(Paper.shredded_at) < over.before)
        .order_by(col(Paper.id))
    )


def _notices(desk: "Desk", over: Over) -> Select[Any]:
    done = select(col(Notice.id)).where(col(Notice.state) == "done")
    mine = col(NoticeRecipient.notice_id).in_(done)
    return _of(NoticeRecipient, mine, col(NoticeRecipient.due_at) < over.before)


def _returned(desk: "Desk", over: Over) -> Select[Any]:
    """What an agent closed, or what nobody had to look at; an open one stays, however old."""
    ended = func.coalesce(ReturnedLetter.closed_at, ReturnedLetter.at)
    return _of(ReturnedLetter, col(ReturnedLetter.state) != "waits", ended < over.before)


def _dead_addresses(desk: "Desk", over: Over) -> Select[Any]:
    return _of(DeadAddress, func.coalesce(DeadAddress.cleared_at, DeadAddress.since) < over.before)


def _codes(desk: "Desk", over: Over) -> Select[Any]:
    return _of(Challenge, col(Challenge.expires_at) < over.before)


def _inbox(desk: "Desk", over: Over) -> Select[Any]:
    """A dead letter can be retried as long as its key lives, however short the period is."""
    before = min(over.before, desk.clock() - INTAKE_KEYS_LIVE)
    return _of(RawInbox, col(RawInbox.state).in_(DONE), col(RawInbox.kept_at) < before)


def _tasks(desk: "Desk", over: Over) -> Select[Any]:
    return _of(Task, col(Task.outcome).in_(DONE), col(Task.due_at) < over.before)


def _sessions(desk: "Desk", over: Over) -> Select[Any]:
    return _of(AgentSession, col(AgentSession.expires_at) < over.before)


def _audit(desk: "Desk", over: Over) -> Select[Any]:
    return _of(Audit, col(Audit.at) < over.before)


def _uses(desk: "Desk", over: Over) -> Select[Any]:
    """Of a member whose ended hold is still on record they are that hold's evidence: the request's page
    would say "asked 0 times" where it was asked."""
    evidence = exists().where(
        col(Hold.registry_id) == col(GateUse.registry_id),
        col(Hold.subject_id) == col(GateUse.subject_id),
        col(Hold.subject_id) != "",
        col(Hold.ended_at).is_not(None),
        col(GateUse.purpose).not_in(OUR_OWN),
    )
    return _of(GateUse, col(GateUse.day) < over.day, ~evidence)


def _consents(desk: "Desk", over: Over) -> Select[Any]:
    """Lines of members who left so long ago; who came back since keeps the lines since then."""
    left = (
        select(col(ConsentEntry.subject_id), func.max(ConsentEntry.at).label("at"))
        .where(
            col(ConsentEntry.consent) == consents.MEMBERSHIP,
            col(ConsentEntry.state) == consents.WITHDRAWN,
            col(ConsentEntry.at) < over.before,
        )
        .group_by(col(ConsentEntry.subject_id))
        .subquery()
    )
    today = desk.registry.places.today().isoformat()
    standing = and_(col(ConsentEntry.until).is_not(None), col(ConsentEntry.until) >= today)
    return _of(
        ConsentEntry,
        col(ConsentEntry.subject_id) == left.c.subject_id,
        col(ConsentEntry.at) <= left.c.at,
        ~standing,
    )


def _rows(table: type[Any]) -> Callable[["Desk", Sequence[int]], Awaitable[int]]:
    return partial(_destroyed, table)


async def _destroyed(table: type[Any], desk: "Desk", ids: Sequence[int]) -> int:
    return await destroying.rows(desk, table, ids)


_TABLES: tuple[_Table, ...] = (
    _Table("holds", Hold, _holds, destroying.holds, EMPTIED),
    _Table("decisions", Restriction, _restrictions, _rows(Restriction)),
    _Table("decisions", LegalHold, _legal_holds, _rows(LegalHold)),
    _Table("decisions", Paper, _papers, _rows(Paper)),
    _Table("notices", NoticeRecipient, _notices, _rows(NoticeRecipient)),
    _Table("notices", ReturnedLetter, _returned, destroying.returned_letters, BY_KEYS),
    _Table("notices", DeadAddress, _dead_addresses, _rows(DeadAddress)),
    _Table("codes", Challenge, _codes, _rows(Challenge)),
    _Table("traces", RawInbox, _inbox, _rows(RawInbox)),
    _Table("traces", Task, _tasks, _rows(Task)),
    _Table("traces", AgentSession, _sessions, _rows(AgentSession)),
    _Table("audit", Audit, _audit, _rows(Audit)),
    _Table("audit", GateUse, _uses, _rows(GateUse)),
    _Table("consents", ConsentEntry, _consents, _rows(ConsentEntry)),
)
SWEPT = frozenset(one.table.__tablename__ for one in _TABLES)


async def files(desk: "Desk", held: Held) -> list[Due]:
    """Every table of the desk that has a period of its own."""
    found = []
    async with desk.db.read() as session:
        for one in _TABLES:
            found.append(await _due(session, desk, held, one))
    return found


async def _due(session: AsyncSession, desk: "Desk", held: Held, one: _Table) -> Due:
    rule = over(desk, one.part)
    rows = (await (await session.connection()).execute(one.wanted(desk, rule))).all()
    free = [number for number, member, request in rows if not _kept(held, member, request)]
    spared = len(rows) - len(free)
    what = str(one.table.__tablename__)
    work = partial(one.destroy, desk, free)
    return Due(one.part, what, rule.name, rule.law, len(free), spared, one.method, work)


def _kept(held: Held, member: str | None, request: int | None) -> bool:
    return held.keeps_member(member) or request in held.requests
