"""What is shown of mandates: to agents on the request's page, to the member who can stop one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import agents, attachments, links, opaque, proxies
from subjectline.handlers import facts as wording
from subjectline.handlers.audit import MEMBER, Actor
from subjectline.handlers.thread import opened
from subjectline.handlers.views import FileView
from subjectline.models.errors import IllegalMove
from subjectline.models.tables import Mandate, MandateUse, Message, MessageFile, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

PURPOSE = "proxy"  # of the member's link


@dataclass(frozen=True)
class MandateView:
    """One mandate. `state` is also `expired`; `paper` is None where it came by post or is gone."""

    handle: str
    kind: str
    proxy: str
    member: str
    rights: tuple[str, ...]
    fields: tuple[str, ...]
    expires_on: date
    state: str
    recorded_by: str
    recorded_at: datetime
    decided_by: str
    decided_at: datetime | None
    stopped_at: datetime | None
    stopped_by: str
    reason: str
    consent_by: str
    consent_how: str
    consent_on: str
    contact_checked: str
    told: str
    paper: FileView | None
    paper_gone_at: datetime | None
    here: bool  # recorded at the request that is shown

    @property
    def in_force(self) -> bool:
        return self.state == "accepted"


async def of_request(desk: "Desk", request_id: int) -> list[MandateView]:
    """The mandates of the conversation that a request belongs to, the newest first."""
    async with desk.db.read() as session:
        request = await session.get_one(Request, request_id)
        return await _views(
            session, desk, Mandate.conversation_id == request.conversation_id, request_id
        )


async def of_link(desk: "Desk", token: str, cookie: str) -> list[MandateView]:
    """What the member's opened link is about. Raises SpentProof, IllegalMove for another page's."""
    link, _ = await links.inside(desk, token, cookie)
    if link.purpose != PURPOSE:
        raise IllegalMove("this link is for another page", field="purpose")
    used = select(MandateUse.mandate_id).where(MandateUse.request_id == link.request_id)
    async with desk.db.read() as session:
        return await _views(session, desk, col(Mandate.id).in_(used), link.request_id)


async def stop_by_link(desk: "Desk", token: str, cookie: str, place: str) -> int:
    """The member stops what their link is about; returns how many requests were taken back."""
    who = Actor(MEMBER.account, place)
    found = await of_link(desk, token, cookie)
    numbers = [opaque.show(desk.vault, "mandate", one.handle) for one in found]
    return sum([await proxies.stop(desk, number, who) for number in numbers])


async def papers_of(desk: "Desk", request_id: int) -> list[FileView]:
    """The files that came in the conversation of a request, from which a paper is chosen."""
    async with desk.db.read() as session:
        request = await session.get_one(Request, request_id)
        rows = await session.exec(
            select(MessageFile)
            .join(Message, col(MessageFile.message_id) == col(Message.id))
            .where(Message.conversation_id == request.conversation_id, Message.direction == "in")
            .where(col(MessageFile.content).is_not(None))
            .order_by(col(MessageFile.id).desc())
        )
        return [attachments.view(desk, row, opened(desk, row.name)[0]) for row in rows]


async def _views(
    session: AsyncSession, desk: "Desk", which: ColumnElement[bool] | bool, request_id: int
) -> list[MandateView]:
    rows: Sequence[Mandate] = (
        await session.exec(select(Mandate).where(which).order_by(col(Mandate.id).desc()))
    ).all()
    names = await agents.names(session)
    return [await _view(session, desk, row, names, request_id) for row in rows]


async def _view(
    session: AsyncSession, desk: "Desk", row: Mandate, names: dict[int, str], request_id: int
) -> MandateView:
    file = await session.get(MessageFile, row.file_id) if row.file_id else None
    shown = file is not None and file.content is not None
    stopper = Actor(row.stopped_by).agent_id if row.stopped_by else None
    today = wording.local_day(desk, desk.clock()).isoformat()
    over = row.state == "accepted" and row.expires_on < today
    return MandateView(
        handle=opaque.hide(desk.vault, "mandate", row.id or 0),
        kind=row.kind,
        proxy=opened(desk, row.proxy)[0],
        member=row.subject_id,
        rights=tuple(row.rights),
        fields=tuple(row.fields),
        expires_on=date.fromisoformat(row.expires_on),
        state="expired" if over else row.state,
        recorded_by=names.get(row.recorded_by, ""),
        recorded_at=row.recorded_at,
        decided_by=names.get(row.decided_by or 0, ""),
        decided_at=row.decided_at,
        stopped_at=row.stopped_at,
        stopped_by=names.get(stopper or 0, row.stopped_by),
        reason=opened(desk, row.reason)[0],
        consent_by=opened(desk, row.consent_by)[0],
        consent_how=row.consent_how,
        consent_on=row.consent_on,
        contact_checked=row.contact_checked,
        told=row.told,
        paper=attachments.view(desk, file, opened(desk, file.name)[0]) if shown and file else None,
        paper_gone_at=row.paper_gone_at,
        here=row.request_id == request_id,
    )
