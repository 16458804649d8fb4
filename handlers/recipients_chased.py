"""Recipients that do not acknowledge are told again, then an agent hears of it.

Nothing waits for them: a hold ends and a member's letter leaves whether they answer or not.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, waiting
from subjectline.handlers.audit import Actor
from subjectline.handlers.recipients import SIGNAL, by_hand, later_than
from subjectline.handlers.views import TellingView
from subjectline.models.datamap import Bilingual
from subjectline.models.db import wake
from subjectline.models.delivery import Report
from subjectline.models.errors import BadInput, StaleMove
from subjectline.models.incoming import ID_MARK
from subjectline.models.tables import Conversation, Request, Telling

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

AT_ONCE = 100
_OURS = re.compile(rf"<([0-9a-f]{{32}})(?:\.\d+)?{re.escape(ID_MARK)}@[^>]*>")
OPEN = ("due", "sent", "hand", "failed")  # may still be acknowledged


def next_at(desk: "Desk", row: Telling) -> datetime:
    """When a notice that was sent is looked at again: a reminder, at last an agent.

    Where that day is over, because it was told late or once more, it has as long as one told by hand.
    """
    days, since = desk.recipients.remind_days, row.sent_at or row.made_at
    wait = days[row.reminded] if row.reminded < len(days) else desk.recipients.task_days
    at = since + timedelta(days=wait)
    return at if at > desk.clock() else desk.clock() + by_hand(desk)


async def sweep(desk: "Desk") -> int:
    """Reminds, or gives to an agent, what nobody acknowledged in time. Returns how many."""
    if not await _silent(desk):
        return 0
    async with desk.db.write() as session:
        rows = await _late(session, desk, taken=True)
        for row in rows:
            if row.outcome == "sent" and row.reminded < len(desk.recipients.remind_days):
                row.outcome, row.attempts, row.reminded = "due", 0, row.reminded + 1
                session.add(row)
            else:
                await give_to_agent(session, desk, row)
    return len(rows)


async def _silent(desk: "Desk") -> bool:
    async with desk.db.read() as session:
        return bool(await _late(session, desk))


async def _late(session: AsyncSession, desk: "Desk", *, taken: bool = False) -> list[Telling]:
    """`taken`: for a change, those that no other process has."""
    wanted = (
        select(Telling)
        .where(col(Telling.outcome).in_(("sent", "hand")), col(Telling.due_at) <= desk.clock())
        .where(col(Telling.task_at).is_(None), ~later_than(Telling))
        .order_by(col(Telling.id))
        .limit(AT_ONCE)
    )
    return list(await session.exec(wanted.with_for_update(skip_locked=True) if taken else wanted))


async def give_to_agent(session: AsyncSession, desk: "Desk", row: Telling) -> None:
    """The request's conversation stands in the agents' list, with the reason."""
    row.task_at = desk.clock()
    session.add(row)
    request = await session.get_one(Request, row.request_id)
    talk = await session.get_one(Conversation, request.conversation_id)
    talk.state = "unsorted"
    session.add(talk)


async def came_back(session: AsyncSession, desk: "Desk", report: Report) -> bool:
    """Whether a report is about a notice by mail; one that says that it never arrived fails it.

    It is believed for the id, 128 random bits, that only the letter's way has seen.
    """
    names = [found[1] for one in report.message_ids if (found := _OURS.fullmatch(one))]
    rows = await session.exec(select(Telling).where(col(Telling.notice_id).in_(names)))
    row = rows.first() if names else None
    if row is None:
        return False
    if report.returned and row.outcome in ("due", "sent"):
        row.outcome, row.leased_until = "failed", None
        row.reason = f"the mail came back ({report.status[:20] or report.verdict.cause})"
        await give_to_agent(session, desk, row)
    return True


async def acknowledged(session: AsyncSession, desk: "Desk", row: Telling, by: str) -> None:
    """It is done at the recipient: nobody is chased, and the corrected values are not needed any more."""
    row.outcome, row.acknowledged_at, row.acknowledged_by = "acknowledged", desk.clock(), by
    row.sent_at = row.sent_at or desk.clock()
    row.content, row.leased_until, row.reason = None, None, ""
    await _off_the_list(session, desk, row)


async def _off_the_list(session: AsyncSession, desk: "Desk", row: Telling) -> None:
    was_task, row.task_at = row.task_at is not None, None
    session.add(row)
    if was_task:
        request = await session.get_one(Request, row.request_id)
        talk = await session.get_one(Conversation, request.conversation_id)
        await waiting.leave_the_list(session, desk, talk)


async def unanswered(session: AsyncSession) -> tuple[int, int]:
    """How many newest notices nobody has acknowledged, and how many of them wait for an agent."""
    rows = await session.exec(
        select(func.count(), func.count(col(Telling.task_at)))
        .select_from(Telling)
        .where(col(Telling.outcome).in_(("sent", "hand", "failed")), ~later_than(Telling))
    )
    return rows.one()


async def views(
    session: AsyncSession, desk: "Desk", request_id: int, names: Mapping[int, str]
) -> tuple[TellingView, ...]:
    """Every notice about a request, in order. `names` are the agents'."""
    rows = await session.exec(
        select(Telling).where(Telling.request_id == request_id).order_by(col(Telling.id))
    )
    found = list(rows)
    last = {row.recipient: row.id for row in found}
    return tuple(
        TellingView(
            notice=row.notice_id,
            recipient=row.recipient,
            label=_label(desk, row.recipient),
            kind=row.kind,
            fields=tuple(row.fields),
            way=row.way,
            outcome=row.outcome,
            reason=row.reason,
            made_at=row.made_at,
            sent_at=row.sent_at,
            reminded=row.reminded,
            acknowledged_at=row.acknowledged_at,
            acknowledged_by=_who(row.acknowledged_by, names),
            late=row.task_at is not None,
            newest=last[row.recipient] == row.id,
            again=row.recipient in desk.recipients.reach,
        )
        for row in found
    )


def _label(desk: "Desk", name: str) -> Bilingual:
    """One that the map has no more, by the name it had."""
    known = desk.data_map.recipients.get(name)
    return known.labels if known else Bilingual(ko=name, en=name)


def _who(account: str, names: Mapping[int, str]) -> str:
    number = Actor(account).agent_id
    return account if number is None else names.get(number, account)


async def confirmed(desk: "Desk", request_id: int, notice: str, agent: Actor) -> None:
    """An agent told the recipient, or heard from it, and says that it is done.

    Raises BadInput where there is no such notice, StaleMove where it was acknowledged already.
    """
    async with desk.write() as session:
        row = await _of(session, request_id, notice)
        if row.outcome not in OPEN:
            raise StaleMove("this notice needs no more", field="notice", remedy="Load it again.")
        await acknowledged(session, desk, row, agent.account)
        await _note(session, desk, row, agent, "recipient_confirmed")


async def tell_again(desk: "Desk", request_id: int, notice: str, agent: Actor) -> None:
    """The same notice leaves once more, with the same id; by the way that the settings now name.

    Raises BadInput, StaleMove.
    """
    async with desk.write() as session:
        row = await _of(session, request_id, notice)
        reach = desk.recipients.reach.get(row.recipient)
        if row.outcome not in ("sent", "failed", "hand") or reach is None:
            raise StaleMove(
                "this notice cannot be sent again", field="notice", remedy="Load it again."
            )
        row.outcome, row.way, row.attempts, row.due_at = "due", reach.way, 0, desk.clock()
        row.reminded += row.sent_at is not None
        await _off_the_list(session, desk, row)
        await _note(session, desk, row, agent, "recipient_told_again")
        wake(session, SIGNAL)


async def _of(session: AsyncSession, request_id: int, notice: str) -> Telling:
    rows = await session.exec(
        select(Telling)
        .where(Telling.request_id == request_id, Telling.notice_id == notice)
        .where(~later_than(Telling))
        .with_for_update()
    )
    if (row := rows.first()) is None:
        raise BadInput("there is no such notice", field="notice", remedy="Load the page again.")
    return row


async def _note(
    session: AsyncSession, desk: "Desk", row: Telling, agent: Actor, action: str
) -> None:
    request = await session.get_one(Request, row.request_id)
    audit.note(
        session,
        desk.clock,
        agent,
        action,
        request=request,
        thing=f"telling:{row.id}",
        reason=row.recipient,
    )
