"""How the desk is: /healthz for those who watch it, /metrics for those who draw it. No personal data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import func
from sqlmodel import select
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from subjectline.handlers import recipients_chased
from subjectline.handlers.desk import Desk
from subjectline.handlers.senders.smtp import SendStatus
from subjectline.intake.mailbox import MailboxStatus
from subjectline.models.tables import NoticeRecipient, Outbox, RawInbox, Task, Telling
from subjectline.models.tables import Request as PrivacyRequest


class Status(Protocol):
    """What a door says of itself."""

    connected: bool
    last_error: str


@dataclass(frozen=True)
class Watched:
    """A door with its name, for /healthz."""

    name: str
    status: Status


COUNTED: Mapping[str, tuple[Any, Any]] = {
    "subjectline_raw_inbox": (RawInbox, RawInbox.state),
    "subjectline_requests": (PrivacyRequest, PrivacyRequest.state),
    "subjectline_outbox": (Outbox, Outbox.outcome),
    "subjectline_tasks": (Task, Task.outcome),
    "subjectline_notice_recipients": (NoticeRecipient, NoticeRecipient.outcome),
    "subjectline_recipient_notices": (Telling, Telling.outcome),
}


def health_routes(desk: Desk, doors: Sequence[Watched], *, figures: bool = True) -> list[Route]:
    """/healthz over these doors and the mirrors and, for the internal application, /metrics."""
    mirrors = desk.mirrors.all
    doors = [*doors, *(Watched(f"views of {mirror.name}", mirror.status) for mirror in mirrors)]

    async def healthz(request: Request) -> Response:
        down = [door.name for door in doors if not door.status.connected]
        body: dict[str, Any] = {
            "ok": not down,
            "down": down,
            "doors": [door.name for door in doors],
        }
        if figures:  # what is wrong is for those inside
            body["why"] = {d.name: d.status.last_error for d in doors if d.status.last_error}
            body["since"] = {d.name: at.isoformat() for d in doors if (at := _since(d.status))}
        return JSONResponse(body, status_code=503 if down else 200)

    async def metrics(request: Request) -> Response:
        return PlainTextResponse(await _figures(desk, doors))

    health = [Route("/healthz", healthz)]
    return [*health, Route("/metrics", metrics)] if figures else health


def _since(status: Status) -> datetime | None:
    """Since when it is as it is; of a mailbox or bot that is down, when it last answered."""
    if isinstance(status, SendStatus):
        return status.since
    return None if status.connected else getattr(status, "last_ok", None)


async def _figures(desk: Desk, doors: Sequence[Watched]) -> str:
    lines = []
    async with desk.db.read() as session:
        for name, (table, column) in COUNTED.items():
            rows = await session.exec(select(column, func.count(table.id)).group_by(column))
            lines += [f'{name}{{state="{state}"}} {count}' for state, count in rows]
        silent, late = await recipients_chased.unanswered(session)
    lines += [f"subjectline_recipients_unanswered {silent}", f"subjectline_recipients_late {late}"]
    lines += [
        f'subjectline_door_up{{door="{door.name}"}} {int(door.status.connected)}' for door in doors
    ]
    lines += [
        f'subjectline_door_kept_total{{door="{door.name}"}} {door.status.kept}'
        for door in doors
        if isinstance(door.status, MailboxStatus)
    ]
    lines += [
        f'subjectline_messages_total{{rule="{rule}",outcome="{outcome}"}} {count}'
        for (rule, outcome), count in sorted(desk.ruled.items())
    ]
    return "\n".join(lines) + "\n"
