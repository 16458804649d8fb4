"""Papers that come in with a request: listed when they arrive, shredded before a witness."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import agents, audit, legal_holds
from subjectline.handlers import facts as wording
from subjectline.handlers.audit import Actor
from subjectline.handlers.certificates import digest
from subjectline.models.errors import BadInput, StaleMove
from subjectline.models.tables import Certificate, Paper, Request
from subjectline.models.workflow import FINAL

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

METHOD = "shredded or burned"
LONGEST = 200  # characters of what a paper is, where it is kept, who saw it go


@dataclass(frozen=True)
class PaperRow:
    """One paper. `due`: its request is closed and nothing keeps the paper any longer.

    `held`: a legal hold keeps it. `place` says where it is kept, in words.
    """

    id: int
    reference: str
    what: str
    place: str
    received_at: datetime
    received_by: str
    due: bool
    held: bool
    shredded_on: date | None
    shredded_by: str
    witness: str


def came_in(
    session: AsyncSession,
    desk: "Desk",
    request: Request,
    agent: Actor,
    what: str,
    place: str = "",
) -> None:
    """Lists a paper of a request, in the step that looks at it."""
    paper = Paper(
        request_id=request.id or 0,
        what=what,
        place=place,
        received_at=desk.clock(),
        received_by=agent.agent_id,
    )
    session.add(paper)
    audit.note(session, desk.clock, agent, "paper_in", request=request, what=what)


async def add(desk: "Desk", reference: str, what: str, agent: Actor, place: str = "") -> None:
    """Lists a paper that came by post, and where it is kept. BadInput where there is no such request."""
    if not what.strip() or len(what) > LONGEST:
        raise BadInput("say what the paper is", field="what")
    async with desk.write() as session:
        rows = await session.exec(select(Request).where(Request.reference == reference))
        request = rows.first()
        if request is None:
            raise BadInput("there is no request with this reference", field="reference")
        came_in(session, desk, request, agent, what.strip(), place.strip()[:LONGEST])


async def move(desk: "Desk", number: int, place: str, agent: Actor) -> None:
    """Says where a paper is kept now. Raises BadInput, StaleMove where it is shredded."""
    if not place.strip() or len(place) > LONGEST:
        raise BadInput("say where the paper is kept", field="place")
    async with desk.write() as session:
        paper = await _here(session, number)
        request = await session.get_one(Request, paper.request_id)
        paper.place = place.strip()
        session.add(paper)
        audit.note(session, desk.clock, agent, "paper_moved", request=request, what=paper.what)


async def listed(desk: "Desk", *, everything: bool = False) -> list[PaperRow]:
    """The papers in the drawer; with `everything` those shredded too."""
    async with desk.db.read() as session:
        names = await agents.names(session)
        wanted = select(Paper, Request).join(Request, col(Paper.request_id) == col(Request.id))
        if not everything:
            wanted = wanted.where(col(Paper.shredded_at).is_(None))
        rows = (await session.exec(wanted.order_by(col(Paper.id)))).all()
        held = await _held(session, desk)
    return [_row(desk, paper, request, names, held) for paper, request in rows]


async def shred(
    desk: "Desk", number: int, agent: Actor, witness: str, on: date | None = None
) -> None:
    """Says that a paper was destroyed, by whom and who saw it; writes the certificate.

    `on`: the day, where it was not just now. Raises BadInput without a witness, where it is the
    agent, or for a day that cannot be; StaleMove where it is gone already, NotPermitted (by a legal
    hold).
    """
    async with desk.write() as session:
        names = await agents.names(session)
        if not witness.strip() or witness.strip() == names.get(agent.agent_id or 0):
            raise BadInput("somebody else must have seen it", field="witness")
        paper = await _here(session, number)
        request = await session.get_one(Request, paper.request_id)
        await legal_holds.forbid(session, desk, request)
        paper.shredded_at, paper.shredded_by = _when(desk, paper, on), agent.agent_id
        paper.witness = witness.strip()[:LONGEST]
        session.add(paper)
        certificate = _certificate(desk, agent)
        session.add(certificate)
        await session.flush()
        audit.note(
            session, desk.clock, agent, "paper_shredded", request=request,
            thing=f"certificate:{certificate.id}", what=paper.what, sha256=digest(certificate),
        )  # fmt: skip


async def _here(session: AsyncSession, number: int) -> Paper:
    paper = await session.get(Paper, number)
    if paper is None:
        raise BadInput("there is no paper of this number", field="number")
    if paper.shredded_at is not None:
        raise StaleMove("this paper was shredded already", field="number")
    return paper


def _when(desk: "Desk", paper: Paper, on: date | None) -> datetime:
    """Now, or the end of an earlier day; never before the paper came, never ahead."""
    now = desk.clock()
    today, came = wording.local_day(desk, now), wording.local_day(desk, paper.received_at)
    if on is None or on == today:
        return now
    if not came <= on < today:
        raise BadInput("the day lies between the paper's arrival and today", field="on")
    return datetime.combine(on, time(23, 59), desk.registry.places.zone)


def _certificate(desk: "Desk", agent: Actor) -> Certificate:
    return Certificate(
        kind="paper",
        what="paper",
        rule="",
        law="Policy Article 6",
        planned=1,
        destroyed=1,
        method=METHOD,
        state="done",
        by=agent.account,
        at=desk.clock(),
    )


def _row(
    desk: "Desk", paper: Paper, request: Request, names: dict[int, str], held: legal_holds.Held
) -> PaperRow:
    gone = paper.shredded_at
    return PaperRow(
        id=paper.id or 0,
        reference=request.reference,
        what=paper.what,
        place=paper.place,
        received_at=paper.received_at,
        received_by=names.get(paper.received_by or 0, ""),
        held=gone is None and held.keeps(request),
        due=request.state in FINAL and gone is None and not held.keeps(request),
        shredded_on=wording.local_day(desk, gone) if gone else None,
        shredded_by=names.get(paper.shredded_by or 0, ""),
        witness=paper.witness,
    )


async def _held(session: AsyncSession, desk: "Desk") -> legal_holds.Held:
    return await legal_holds.in_force(session, desk)
