"""The agents' group in Telegram: a card for each proposal, and what agents press under it.

A card says reference, kind and due date, and who did what; no personal data. Pressing counts for
agents who have linked their account, and approving only for those who have opened this very proposal
in the console: what is signed are bytes, and a card does not show them. Presses come through the inbox
like everything else and are tasks; cards are compared with what stands in the database and changed
where they differ, so that a deed at the console is seen as well.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, decisions, opaque, tasks, telegram_agents, words
from subjectline.handlers.audit import Actor
from subjectline.handlers.work import finish
from subjectline.models.db import wake
from subjectline.models.errors import (
    BadInput,
    NotPermitted,
    Refused,
    SendError,
    StaleMove,
)
from subjectline.models.incoming import Incoming
from subjectline.models.tables import Agent, Audit, Proposal, Request, Task

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

log = logging.getLogger(__name__)

PRESS, LINK = "group_press", "agent_link"
VERBS = ("take", "back", "ok")
MARK = "g:"  # before the data of every button of a card
PLACE = "telegram"
Keyboard = list[list[dict[str, str]]]


class GroupLine(Protocol):
    """The way into a chat. Each raises TemporarySendError or PermanentSendError."""

    async def post(self, chat: int, text: str, keyboard: Keyboard) -> int:
        """Writes a message; returns its number."""

    async def edit(self, chat: int, message: int, text: str, keyboard: Keyboard) -> None:
        """Puts another text and other buttons in its place."""

    async def remove(self, chat: int, message: int) -> None:
        """Takes a message out of a chat."""

    async def answer(self, press: str, text: str, *, alert: bool) -> None:
        """Shows the person who pressed a button what came of it."""


@dataclass(frozen=True)
class Press:
    """One press of a card's button: who, where, and the query that waits for an answer."""

    verb: str
    proposal_id: int
    user: str
    chat: str
    query: str


class Turned(Refused):
    """A press that comes to nothing. `rule` is the key of what its person is told."""


def data(desk: "Desk", verb: str, proposal_id: int) -> str:
    """What a button of a proposal's card sends: at most 64 bytes."""
    return f"{MARK}{verb}:{opaque.hide(desk.vault, 'proposal', proposal_id)}"


async def pressed(session: AsyncSession, desk: "Desk", incoming: Incoming) -> None:
    """Somebody pressed a button in a group: a task, in the step that ends the raw row."""
    told = incoming.evidence
    parts = (incoming.button.removeprefix(MARK), incoming.sender.value, told["chat"], told["press"])
    _task(session, desk, PRESS, "|".join(parts))


async def offered(session: AsyncSession, desk: "Desk", incoming: Incoming) -> None:
    """Somebody sent the bot a code that should link their account; it is kept as a hash only."""
    code = telegram_agents.hashed(desk, incoming.button).hex()
    _task(session, desk, LINK, f"{code}|{incoming.sender.value}|{incoming.chat_message_id}")


def _task(session: AsyncSession, desk: "Desk", kind: str, target: str) -> None:
    session.add(Task(kind=kind, target=target, due_at=desk.clock()))
    wake(session, "task")


async def presses(desk: "Desk", line: GroupLine) -> int:
    """Does what was pressed or offered; returns how many there were."""
    if not await _waiting(desk):  # the usual answer costs no transaction that writes
        return 0
    taken = await tasks.claim(desk, (PRESS, LINK))
    for task in taken:
        try:
            await (_link if task.kind == LINK else _press)(desk, line, task)
        except SendError as wrong:
            # Too late, or answered before: the card says what came of it.
            log.debug("a press was not answered: %s", wrong)
        async with desk.db.write() as session:
            await finish(session, task)
    return len(taken)


async def _waiting(desk: "Desk") -> bool:
    wanted = select(Task.id).where(Task.outcome == "due", col(Task.kind).in_((PRESS, LINK)))
    async with desk.db.read() as session:
        return (await session.exec(wanted.limit(1))).first() is not None


async def _press(desk: "Desk", line: GroupLine, task: Task) -> None:
    language = desk.manner.language
    try:
        press = _read(desk, task.target)
        told, facts = await _done(desk, press)
        alert = False
    except Turned as wrong:
        told, facts, alert = wrong.rule, {"name": wrong.field}, True
    query = task.target.rpartition("|")[2]
    await line.answer(query, words.word("group", told, language).format(**facts), alert=alert)


def _read(desk: "Desk", target: str) -> Press:
    button, user, chat, query = target.split("|")
    verb, _, handle = button.partition(":")
    try:
        number = opaque.show(desk.vault, "proposal", handle)
    except BadInput:
        raise Turned("gone") from None
    if verb not in VERBS:
        raise Turned("gone")
    return Press(verb, number, user, chat, query)


async def _done(desk: "Desk", press: Press) -> tuple[str, dict[str, object]]:
    """The deed, or Turned; a refused one is an audit row."""
    async with desk.db.read() as session:
        agent = await telegram_agents.of_user(session, press.user)
        proposal = await session.get(Proposal, press.proposal_id)
        request = await session.get(Request, proposal.request_id) if proposal else None
    who = audit.agent(agent.id or 0, PLACE) if agent else Actor("nobody", PLACE)
    try:
        if press.chat != str(desk.manner.agents_group) or agent is None:
            raise Turned("not_linked")
        if proposal is None or request is None:
            raise Turned("gone")
        return await DEEDS[press.verb](desk, proposal, request, who)
    except Turned as wrong:
        await _refused(desk, press, who, request, wrong.rule)
        raise
    except StaleMove:
        await _refused(desk, press, who, request, "too_late")
        raise Turned("too_late") from None
    except NotPermitted:
        await _refused(desk, press, who, request, "not_permitted")
        raise Turned("not_permitted") from None


async def _refused(
    desk: "Desk", press: Press, who: Actor, request: Request | None, why: str
) -> None:
    """Who it was stands there as a keyed hash, where it was no agent."""
    stranger = "" if who.agent_id else desk.vault.index("telegram", press.user).hex()[:16]
    async with desk.write() as session:
        audit.note(
            session,
            desk.clock,
            who,
            PRESS,
            request=request,
            reason=why,
            outcome="refused",
            verb=press.verb,
            stranger=stranger,
        )


async def _take(
    desk: "Desk", proposal: Proposal, request: Request, who: Actor
) -> tuple[str, dict[str, object]]:
    """The first has it; the other is told whose it is."""
    if proposal.state != "open":
        raise Turned("too_late")
    async with desk.write() as session:
        done = await session.exec(
            update(Request)
            .where(col(Request.id) == request.id, col(Request.taken_by).is_(None))
            .values(taken_by=who.agent_id)
        )
        if done.rowcount:
            audit.note(session, desk.clock, who, "take", request=request)
            return "you_took", {}
        now = await session.get_one(Request, request.id, populate_existing=True)
        holder = await session.get_one(Agent, now.taken_by)
    if holder.id == who.agent_id:
        return "you_took", {}
    raise Turned("taken_by", field=holder.name)


async def _send_back(
    desk: "Desk", proposal: Proposal, request: Request, who: Actor
) -> tuple[str, dict[str, object]]:
    if proposal.state != "open":
        raise Turned("too_late")
    reason = "sent back in the agents' group"
    await decisions.send_back(desk, request.id or 0, request.version, who, reason)
    return "you_sent_back", {}


async def _approve(
    desk: "Desk", proposal: Proposal, request: Request, who: Actor
) -> tuple[str, dict[str, object]]:
    """Signs the bytes that this agent has had before their eyes, in the console."""
    if proposal.state != "open":
        raise Turned("too_late")
    if not await has_opened(desk, request, proposal.sha256, who):
        raise Turned("unseen")
    signed = await decisions.approve(desk, proposal.sha256, who)
    return ("you_approved" if signed.enough else "you_signed"), {
        "have": signed.have,
        "need": signed.need,
    }


async def has_opened(desk: "Desk", request: Request, sha256: str, agent: Actor) -> bool:
    """Whether this agent has had the proposal with this hash before them in the console."""
    async with desk.db.read() as session:
        rows = await session.exec(
            select(Audit.facts).where(
                Audit.request_id == request.id,
                Audit.action == "view",
                Audit.account == agent.account,
                Audit.place == "console",
            )
        )
        return any(facts.get("sha256") == sha256 for facts in rows)


async def _link(desk: "Desk", line: GroupLine, task: Task) -> None:
    code, user, message = task.target.split("|")
    name = await telegram_agents.link(desk, bytes.fromhex(code), user)
    told = words.word("group", "linked" if name else "no_code", desk.manner.language)
    await line.remove(int(user), int(message))
    await line.post(int(user), told.format(name=name), [])


Deed = Callable[["Desk", Proposal, Request, Actor], Awaitable[tuple[str, dict[str, object]]]]
DEEDS: dict[str, Deed] = {"take": _take, "back": _send_back, "ok": _approve}
