"""The cards of the agents' group: one message for each proposal, kept as the database has it."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import agents, agents_group, words
from subjectline.handlers.agents_group import GroupLine, Keyboard
from subjectline.handlers.audit import Actor
from subjectline.models.errors import PermanentSendError, SendError, TemporarySendError
from subjectline.models.tables import Approval, GroupCard, History, Proposal, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

log = logging.getLogger(__name__)

SWEEP = 5.0
LEASE = timedelta(seconds=60)
AGAIN = 30.0  # seconds until a card that could not be shown is tried again, at least
AT_ONCE = 100
GONE = ("not found", "can't be edited")  # Telegram's words for a message that is no more


@dataclass(frozen=True)
class Face:
    """A card as it should stand in the group. A final one has no buttons and is not looked at again."""

    text: str
    keyboard: Keyboard
    final: bool

    @property
    def digest(self) -> str:
        shown = json.dumps([self.text, self.keyboard], ensure_ascii=False)
        return hashlib.sha256(shown.encode()).hexdigest()


async def run(desk: "Desk", line: GroupLine) -> None:
    """Does what is pressed and keeps the cards right, until cancelled."""
    while True:
        if not await once(desk, line):
            await desk.db.signals.wait("task", SWEEP, "group")


async def once(desk: "Desk", line: GroupLine) -> int:
    """Presses first, then cards; returns how many presses and changed cards there were."""
    done = await agents_group.presses(desk, line)
    return done + await _show(desk, line) if desk.manner.agents_group else done


async def _show(desk: "Desk", line: GroupLine) -> int:
    await _new_cards(desk)
    changed = 0
    for card, face in await _faces(desk):
        if card.shown != face.digest and await _leased(desk, card):
            await _shown(desk, line, card, face)
            changed += 1
    return changed


async def _new_cards(desk: "Desk") -> None:
    """One for each open proposal that has none yet."""
    known = select(GroupCard.proposal_id)
    wanted = (
        select(Proposal)
        .where(Proposal.state == "open", col(Proposal.id).not_in(known))
        .order_by(col(Proposal.id))
        .limit(AT_ONCE)
    )
    async with desk.db.read() as session:
        if (await session.exec(wanted)).first() is None:
            return
    async with desk.db.write() as session:
        for proposal in await session.exec(wanted):
            session.add(
                GroupCard(
                    proposal_id=proposal.id or 0,
                    chat=str(desk.manner.agents_group),
                    made_at=desk.clock(),
                    due_at=desk.clock(),
                )
            )


async def _faces(desk: "Desk") -> list[tuple[GroupCard, Face]]:
    """The cards that are not final yet, each with how it should look now."""
    async with desk.db.read() as session:
        rows = await session.exec(
            select(GroupCard, Proposal, Request)
            .join(Proposal, col(GroupCard.proposal_id) == col(Proposal.id))
            .join(Request, col(Proposal.request_id) == col(Request.id))
            .where(GroupCard.outcome == "due", col(GroupCard.due_at) <= desk.clock())
            .order_by(col(GroupCard.id))
            .limit(AT_ONCE)
        )
        found = list(rows)
        names = await agents.names(session) if found else {}
        signed = await _signers(session, [proposal for _, proposal, _ in found], names)
        back = await _sent_back(session, [p for _, p, _ in found if p.state == "void"], names)
    return [
        (card, _face(desk, proposal, request, names, signed, back))
        for card, proposal, request in found
    ]


async def _signers(
    session: AsyncSession, proposals: Sequence[Proposal], names: Mapping[int, str]
) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {proposal.id or 0: [] for proposal in proposals}
    if not found:
        return found
    rows = await session.exec(
        select(Approval).where(col(Approval.proposal_id).in_(found)).order_by(col(Approval.id))
    )
    for row in rows:
        found[row.proposal_id].append(names.get(row.agent_id, ""))
    return found


async def _sent_back(
    session: AsyncSession, proposals: Sequence[Proposal], names: Mapping[int, str]
) -> dict[int, str]:
    """Who sent these back; a proposal may also have been overtaken by the person's own answer."""
    found: dict[int, str] = {}
    for proposal in proposals:
        rows = await session.exec(
            select(History)
            .where(History.request_id == proposal.request_id, History.at >= proposal.made_at)
            .where(History.before == "proposed")
            .order_by(col(History.version))
            .limit(1)
        )
        step = rows.first()
        if step is not None and step.event == "send_back":
            found[proposal.id or 0] = names.get(Actor(step.actor).agent_id or 0, "")
    return found


def _face(
    desk: "Desk",
    proposal: Proposal,
    request: Request,
    names: Mapping[int, str],
    signed: Mapping[int, list[str]],
    back: Mapping[int, str],
) -> Face:
    language, number = desk.manner.language, proposal.id or 0
    due = words.day(date.fromisoformat(request.due_on), language)
    by = words.listed(signed[number], language) if signed[number] else ""
    lines = [
        _said(language, "waiting" if proposal.state == "open" else "over"),
        f"{request.reference} · {words.kind_label(request.kind, language)}",
        _said(language, "due", day=due),
    ]
    if request.taken_by:
        lines.append(_said(language, "taken", name=names.get(request.taken_by, "")))
    if number in back:
        lines.append(_said(language, "sent_back", name=back[number]))
    elif proposal.state in ("approved", "spent"):
        lines.append(_said(language, "approved", names=by))
    elif by:
        lines.append(
            _said(language, "signed", names=by, have=len(signed[number]), need=proposal.needs)
        )
    final = proposal.state != "open"
    return Face("\n".join(lines), [] if final else _keys(desk, proposal, request), final)


def _keys(desk: "Desk", proposal: Proposal, request: Request) -> Keyboard:
    language, number = desk.manner.language, proposal.id or 0

    def key(word: str, verb: str) -> dict[str, str]:
        return {
            "text": words.word("group", word, language),
            "data": agents_group.data(desk, verb, number),
        }

    top = [] if request.taken_by else [key("take", "take")]
    if desk.manner.console_url:
        page = f"{desk.manner.console_url}/requests/{request.reference}"
        top.append({"text": words.word("group", "open", language), "url": page})
    below = [key("send_back_key", "back"), key("approve", "ok")]
    return [row for row in (top, below) if row]


def _said(language: str, word: str, **facts: object) -> str:
    return words.word("group", word, language).format(**facts)


async def _leased(desk: "Desk", card: GroupCard) -> bool:
    """Whether this process may show the card now: of several, one does."""
    now = desk.clock()
    async with desk.db.write() as session:
        done = await session.exec(
            update(GroupCard)
            .where(col(GroupCard.id) == card.id, col(GroupCard.shown) == card.shown)
            .where(or_(col(GroupCard.leased_until).is_(None), col(GroupCard.leased_until) < now))
            .values(leased_until=now + LEASE)
        )
        return bool(done.rowcount)


async def _shown(desk: "Desk", line: GroupLine, card: GroupCard, face: Face) -> None:
    chat = int(card.chat)
    try:
        if card.message is None:
            card.message = await line.post(chat, face.text, face.keyboard)
        else:
            await line.edit(chat, card.message, face.text, face.keyboard)
    except SendError as wrong:
        _put_off(desk, card, wrong)
    else:
        card.shown, card.reason = face.digest, ""
        card.outcome = "settled" if face.final else "due"
    card.leased_until = None
    async with desk.db.write() as session:
        await session.merge(card)


def _put_off(desk: "Desk", card: GroupCard, wrong: SendError) -> None:
    """A message that somebody deleted is let go; anything else is tried again."""
    gone = isinstance(wrong, PermanentSendError) and any(word in wrong.rule for word in GONE)
    if card.message is not None and gone:
        card.outcome, card.reason = "failed", "deleted"
        return
    asked = wrong.after if isinstance(wrong, TemporarySendError) else None
    card.reason = wrong.rule
    card.due_at = desk.clock() + timedelta(seconds=max(asked or 0, 1 if asked else AGAIN))
    log.warning("a card of the agents' group waits: %s", wrong.rule)
