"""What the sandbox's page shows: the member's mailbox and chat, the agents' work, the company's row.

Only facts, no layout. It looks at the world from outside: mailboxes, chats, the company's database; of
the desk's own tables it reads what the agents have on their screens.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import drafting
from subjectline.handlers.gate_evidence import FieldUse, uses
from subjectline.handlers.gate_policy import purpose_names
from subjectline.handlers.queries import today
from subjectline.handlers.words import columns
from subjectline.intake.sandbox.mail_world import SandboxMail
from subjectline.intake.sandbox.partners import Heard
from subjectline.intake.sandbox.people import KNOWN, Person
from subjectline.intake.sandbox.systems import Answer, System
from subjectline.intake.sandbox.telegram_emulator import Message
from subjectline.intake.sandbox.text_gateway import TextMessage
from subjectline.intake.sandbox.warehouse import Phase, Seen
from subjectline.models.errors import RegistryError
from subjectline.models.tables import (
    Agent,
    Approval,
    Audit,
    Conversation,
    GateUse,
    History,
    Hold,
    Proposal,
    Request,
)
from subjectline.models.workflow import FINAL

if TYPE_CHECKING:
    from subjectline.intake.sandbox.stage import Stage

MAILS_SHOWN, LINES_SHOWN, CASES_SHOWN, DEEDS_SHOWN = 12, 40, 8, 9
FULL_LINE = 54  # columns: a shorter line ends where its writer ended it
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,)]")
_CODE = re.compile(r"(?<![\dA-Za-z_-])\d{6}(?![\dA-Za-z_-])")


@dataclass(frozen=True)
class Letter:
    """One mail of the member's mailbox, in or out. `number` counts up; 0 is one of their own."""

    at: datetime
    subject: str
    text: str
    number: int = 0
    forged: bool = False
    asks: bool = False  # a yes, or the code, answers it
    code: str = ""
    newest: bool = False

    @property
    def mine(self) -> bool:
        return self.number == 0

    @property
    def head(self) -> str:
        return next((line for line in self.text.splitlines() if line.strip()), "")


def letters(stage: "Stage", person: Person) -> list[Letter]:
    """The member's mails and answers, oldest first."""
    came = [_letter(mail) for mail in stage.cast.mails(person)]
    sent = [Letter(s.at, s.subject, s.text, 0, s.forged) for s in stage.cast.sent_by(person)]
    both = sorted([*came, *sent], key=lambda letter: letter.at)[-MAILS_SHOWN:]
    newest = max((letter.number for letter in came), default=0)
    return [replace(letter, newest=letter.number == newest > 0) for letter in both]


def _letter(mail: SandboxMail) -> Letter:
    code = _CODE.search(mail.text)
    asks = "+v" in str(mail.message["Reply-To"]) and code is not None
    return Letter(
        mail.arrived_at,
        mail.subject,
        reflowed(mail.text),
        mail.number,
        asks=asks,
        code=code.group() if code else "",
    )


def from_unix(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def lines(stage: "Stage", person: Person) -> list[Message]:
    return stage.cast.chat(person)[-LINES_SHOWN:]


def texts(stage: "Stage", person: Person) -> list[TextMessage]:
    """The text messages on the member's phone, and on numbers that are nobody's yet (a new one)."""
    others = {bare(each.phone) for each in KNOWN} - {bare(person.phone)}
    return [one for one in stage.world.texts.all() if one.to not in others][-LINES_SHOWN:]


def code_of(text: str) -> str:
    """The one-time code in a message, or nothing."""
    found = _CODE.search(text)
    return found.group() if found else ""


def bare(number: str) -> str:
    return "".join(letter for letter in number if letter.isdigit())


def reflowed(text: str) -> str:
    """A mail that was wrapped for 72 columns, with its paragraphs in one line again."""
    out: list[str] = []
    last = ""
    for line in text.strip().splitlines():
        joins = out and last.strip() and line.strip() and columns(last) >= FULL_LINE
        if joins and not line.startswith(("- ", "--")) and "://" not in last + line:
            out[-1] += " " + line.strip()
        else:
            out.append(line.rstrip())
        last = line
    return "\n".join(out)


def linked(text: str) -> Markup:
    """Plain text as HTML, with its web addresses as links."""
    parts, end = [], 0
    for found in _LINK.finditer(text):
        parts += [escape(text[end : found.start()]), _anchor(found.group())]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def _anchor(url: str) -> Markup:
    short = url.partition("://")[2]
    shown = short if len(short) < 44 else f"{short[:38]}…"
    return Markup('<a href="{}" target="_blank" rel="noopener">{}</a>').format(url, shown)


@dataclass(frozen=True)
class CaseCard:
    """One request on the agents' desk. `answer` is the letter that would leave, once there is one."""

    reference: str
    kind: str
    state: str
    member: str
    door: str
    days_left: int
    due_on: date
    fields: tuple[str, ...]
    final: bool
    answer: Mapping[str, Any]
    signed: tuple[str, ...]
    needs: int


@dataclass(frozen=True)
class Deed:
    """Something that the desk did, for the list of what happened."""

    key: str
    event: str
    at: datetime
    reference: str
    kind: str
    who: str


async def cases(stage: "Stage") -> list[CaseCard]:
    """What the agents have before them: what waits for a signature first, what is closed last."""
    async with stage.desk.db.read() as session:
        rows = await session.exec(
            select(Request, Conversation.door)
            .join(Conversation, col(Request.conversation_id) == col(Conversation.id))
            .order_by(col(Request.id).desc())
            .limit(CASES_SHOWN)
        )
        cards = [await _card(session, stage, request, door) for request, door in rows.all()]
    return sorted(cards, key=lambda card: (card.final, card.state != "proposed"))


async def _card(session: AsyncSession, stage: "Stage", row: Request, door: str) -> CaseCard:
    proposal = await _open_proposal(session, row) if row.state == "proposed" else None
    due = date.fromisoformat(row.due_on)
    return CaseCard(
        row.reference,
        row.kind,
        row.state,
        row.subject_id or "",
        door,
        (due - today(stage.desk, row.regime)).days,
        due,
        tuple(row.fields),
        row.state in FINAL,
        drafting.open_envelope(stage.desk, proposal) if proposal else {},
        await _signed(session, proposal) if proposal else (),
        proposal.needs if proposal else 0,
    )


async def _open_proposal(session: AsyncSession, row: Request) -> Proposal | None:
    found = await session.exec(
        select(Proposal)
        .where(Proposal.request_id == row.id, Proposal.state == "open")
        .order_by(col(Proposal.id).desc())
    )
    return found.first()


async def _signed(session: AsyncSession, proposal: Proposal) -> tuple[str, ...]:
    """The sign-in names of those who have signed."""
    rows = await session.exec(
        select(Agent.login)
        .join(Approval, col(Approval.agent_id) == col(Agent.id))
        .where(Approval.proposal_id == proposal.id)
        .order_by(col(Approval.at))
    )
    return tuple(rows)


async def deeds(stage: "Stage") -> list[Deed]:
    """The newest steps of requests and the refused tries, newest first."""
    async with stage.desk.db.read() as session:
        steps = await session.exec(
            select(History, Request)
            .join(Request, col(History.request_id) == col(Request.id))
            .order_by(col(History.id).desc())
            .limit(DEEDS_SHOWN)
        )
        found = [_step(step, request) for step, request in steps]
        tries = await session.exec(
            select(Audit)
            .where(Audit.action == "wrong_code")
            .order_by(col(Audit.id).desc())
            .limit(DEEDS_SHOWN)
        )
        found += [Deed(f"a{t.id}", "wrong_code", t.at, "", "", "member") for t in tries]
    return sorted(found, key=lambda deed: deed.at, reverse=True)[:DEEDS_SHOWN]


def _step(step: History, request: Request) -> Deed:
    return Deed(f"h{step.id}", step.event, step.at, request.reference, request.kind, step.actor)


async def looks(stage: "Stage") -> tuple[Any, ...]:
    """What has to differ before it is worth looking again; cheap to ask for."""
    asked = col(GateUse.permits) + col(GateUse.denials) + col(GateUse.overrides)
    newest = [
        select(func.max(table.id)).scalar_subquery()
        for table in (History, Audit, Hold, Proposal, Approval)
    ]
    newest.append(select(func.sum(asked)).scalar_subquery())
    async with stage.desk.db.read() as session:
        found = (await session.exec(select(*newest))).one()
    answers = tuple(answer.at for answer in stage.systems.last.values())
    world = stage.world
    return (
        *found,
        world.mail.changes.count,
        world.telegram.version,
        world.texts.changes.count,
        world.partners.count,
        stage.warehouse.count,
        world.clock.ahead,
        answers,
    )


@dataclass(frozen=True)
class Item:
    """One field of the member's row. `held` names the purposes for which it may not be used."""

    field: str
    value: str
    held: tuple[str, ...] = ()


@dataclass(frozen=True)
class CompanySide:
    """The member's row with what is held, and each system with what it was told last.

    `revision` is the gate's now: an answer of an earlier one may be out of date.
    """

    items: tuple[Item, ...]
    consents: Mapping[str, bool]
    revision: int
    systems: tuple[tuple[System, Answer | None], ...]
    partners: tuple[Heard, ...]
    uses: tuple[FieldUse, ...]
    sql: "SqlSide"


@dataclass(frozen=True)
class SqlSide:
    """Marketing's own database: how it is (`why`: what went wrong), and what its role sees."""

    phase: Phase
    why: str
    seen: Seen | None


SHOWN = ("phone", "email", "nickname", "shipping_address", "instagram_id", "account_number")


async def company(stage: "Stage", person: Person) -> CompanySide:
    row = stage.systems.row(person.member)
    holds = await _holds(stage, person)
    values = row.values if row else {}
    items = tuple(
        Item(name, values.get(name) or "", _purposes(stage, holds, name)) for name in SHOWN
    )
    consents = {"marketing": row.marketing, "third_party": row.third_party} if row else {}
    last = stage.systems.last
    return CompanySide(
        items,
        consents,
        stage.desk.gate.state.revision,
        tuple((each, last.get((name, person.member))) for name, each in stage.systems.all.items()),
        tuple(stage.world.partners.of(person.member)),
        await _uses(stage, person),
        await _sql(stage, person),
    )


async def _uses(stage: "Stage", person: Person) -> tuple[FieldUse, ...]:
    """How often the fields of the newest request that holds or held anything were asked for."""
    async with stage.desk.db.read() as session:
        rows = await session.exec(
            select(Request)
            .join(Hold, col(Hold.request_id) == col(Request.id))
            .where(Request.subject_id == person.member)
            .order_by(col(Request.id).desc())
        )
        newest = rows.first()
        return await uses(session, stage.desk, newest) if newest else ()


async def _sql(stage: "Stage", person: Person) -> SqlSide:
    warehouse = stage.warehouse
    try:
        return SqlSide(warehouse.phase, warehouse.why, await warehouse.look(person.member))
    except RegistryError as wrong:
        return SqlSide("failed", wrong.rule, None)


async def _holds(stage: "Stage", person: Person) -> list[Hold]:
    async with stage.desk.db.read() as session:
        rows = await session.exec(
            select(Hold).where(Hold.subject_id == person.member, col(Hold.ended_revision).is_(None))
        )
        return list(rows)


def _purposes(stage: "Stage", holds: list[Hold], field: str) -> tuple[str, ...]:
    """The purposes that are held for a field; `*` where every use is that no law demands."""
    found: list[str] = []
    for hold in holds:
        if field in hold.fields or "*" in hold.fields:
            wide = any(name == "*" or name.startswith("basis:") for name in hold.purposes)
            found += ("*",) if wide else purpose_names(hold.purposes, stage.desk.data_map)
    return tuple(dict.fromkeys(found))
