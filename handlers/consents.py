"""The consent ledger: who agreed to what or took it back, when, by which door, to which text.

Lines are only ever added. A withdrawal's line is written in the step that ends its request; what the
company's own columns say is read into the ledger before that, and whenever somebody asks for access.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit
from subjectline.handlers import facts as wording
from subjectline.handlers.audit import Actor
from subjectline.handlers.registry import ConsentSeen
from subjectline.handlers.registry.withdrawal import CONSENT_OF
from subjectline.models.errors import BadInput, UnknownMember
from subjectline.models.tables import ConsentEntry, Conversation, PolicyVersion, Request

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

MEMBERSHIP = "membership"  # the collection and use of everything
LONGER = "retention:"
GIVEN, WITHDRAWN = "given", "withdrawn"
DOORS = (
    "mail",
    "telegram",
    "console",
    "phone",
    "paper",
    "cli",
)  # how a longer keeping was agreed to


async def ledger(desk: "Desk", member: str) -> list[ConsentEntry]:
    """Every line of a member, oldest first."""
    async with desk.db.read() as session:
        return await _lines(session, desk, member)


async def read_in(desk: "Desk", member: str) -> int:
    """Adds what the company's columns say and the ledger does not. Returns how many lines.

    A line whose time they do not say has the moment of reading, and says that its own is not known.

    Raises RegistryAway, RegistryError; somebody who is no member (any more) has no columns.
    """
    try:
        seen = await desk.registry.consents(member)
    except UnknownMember:
        return 0
    async with desk.db.write() as session:
        lines = await _lines(session, desk, member)
        new = [line for one in seen if (line := _line(desk, member, one, lines))]
        session.add_all(new)
    return len(new)


async def withdraw(session: AsyncSession, desk: "Desk", request: Request) -> None:
    """The lines of an applied withdrawal, in its own step."""
    member = request.subject_id
    if member is None:
        return
    lines = await _lines(session, desk, member)
    conversation = await session.get_one(Conversation, request.conversation_id)
    current = await _text_in_force(session, desk)
    for consent in _ended(desk, request, lines):
        last = _last(lines, consent)
        line = _new(desk, member, consent, WITHDRAWN, desk.clock())
        line.door, line.request_id = conversation.door, request.id
        line.text_version = (last.text_version if last else "") or current
        session.add(line)


async def agree_longer(
    desk: "Desk", member: str, rule: str, until: date, actor: Actor, *, door: str, text: str
) -> None:
    """A member agreed that records under a retention rule are kept longer than the law asks.

    `door`: how they said so, one of DOORS; `text`: the version of what they read. Raises BadInput for
    an unknown rule or door, no text, or a day that has passed; UnknownMember, NotCanonical.
    """
    if door not in DOORS:
        raise BadInput(f"a door is one of {', '.join(DOORS)}", field="door")
    if not text.strip():
        raise BadInput("name the version of the text that they agreed to", field="text")
    known = desk.data_map.retention.get(rule)
    if known is None or known.period is None:
        raise BadInput(
            f"the data map has no retention {rule!r} with a period",
            field="rule",
            remedy="Choose one of those that `subjectline retention rules` lists.",
        )
    if until <= wording.local_day(desk, desk.clock()):
        raise BadInput("the day must lie ahead", field="until")
    member = desk.registry.canonical(member)
    await desk.registry.language(member)  # raises UnknownMember: such a line would keep nothing
    line = _new(desk, member, LONGER + rule, GIVEN, desk.clock())
    line.door, line.text_version, line.until = door, text.strip(), until.isoformat()
    await _note(desk, line, actor, "consent_given")


async def end_longer(desk: "Desk", member: str, rule: str, actor: Actor, *, door: str) -> None:
    """A member took such a consent back: from now on the law's own period counts again.

    Raises BadInput for an unknown door or where no such consent stands, NotCanonical.
    """
    if door not in DOORS:
        raise BadInput(f"a door is one of {', '.join(DOORS)}", field="door")
    member = desk.registry.canonical(member)
    lines = await ledger(desk, member)
    last = _last(lines, LONGER + rule)
    if last is None or last.state != GIVEN:
        raise BadInput("the member has no such consent", field="rule")
    line = _new(desk, member, LONGER + rule, WITHDRAWN, desk.clock())
    line.door, line.text_version = door, last.text_version
    await _note(desk, line, actor, "consent_withdrawn")


async def _note(desk: "Desk", line: ConsentEntry, actor: Actor, action: str) -> None:
    async with desk.write() as session:
        session.add(line)
        subject = (line.registry_id, line.subject_id)
        audit.note(session, desk.clock, actor, action, subject=subject, thing=line.consent)


async def longer(desk: "Desk", member: str) -> dict[str, date]:
    """Retention rule -> the day until which the member agreed to keep, where that still stands."""
    lines = await ledger(desk, member)
    return longer_of(lines)


def longer_of(lines: Sequence[ConsentEntry]) -> dict[str, date]:
    """The same from lines that were read already, oldest first."""
    last = {line.consent: line for line in lines if line.consent.startswith(LONGER)}
    return {
        name.removeprefix(LONGER): date.fromisoformat(line.until)
        for name, line in last.items()
        if line.state == GIVEN and line.until
    }


def _ended(desk: "Desk", request: Request, lines: Sequence[ConsentEntry]) -> list[str]:
    """Which consents a request takes back: one, or with the membership all that were given."""
    if (one := CONSENT_OF.get(request.kind)) is not None:
        return [one]
    if not ends_membership(request):
        return []
    given = [n for n in desk.data_map.consents if (e := _last(lines, n)) and e.state == GIVEN]
    return [*given, MEMBERSHIP]


def ends_membership(request: Request) -> bool:
    """A membership withdrawal, or an erasure of everything."""
    whole = request.kind == "erasure" and not request.fields
    return request.kind == "membership_withdrawal" or whole


def _line(
    desk: "Desk", member: str, seen: ConsentSeen, lines: Sequence[ConsentEntry]
) -> ConsentEntry | None:
    """A new line where the company's columns say something else than the ledger's last one."""
    last = _last(lines, seen.consent)
    state = GIVEN if seen.given else WITHDRAWN
    if (last and last.state == state) or (last is None and not seen.given and not seen.at):
        return None
    taken = {(line.consent, line.state, line.at) for line in lines}
    at = seen.at or desk.clock()
    line = _new(desk, member, seen.consent, state, at)
    line.at_known = seen.at is not None
    if (
        seen.consent,
        state,
        line.at,
    ) in taken:  # changed since, and the column still has the old time
        line.at, line.at_known = desk.clock(), False
    line.door, line.text_version, line.columns = "registry", seen.version, list(seen.columns)
    return line


def _new(desk: "Desk", member: str, consent: str, state: str, at: datetime) -> ConsentEntry:
    return ConsentEntry(
        registry_id=desk.data_map.registry,
        subject_id=member,
        consent=consent,
        state=state,
        at=at,
        door="desk",
        noted_at=desk.clock(),
    )


def _last(lines: Sequence[ConsentEntry], consent: str) -> ConsentEntry | None:
    return next((line for line in reversed(lines) if line.consent == consent), None)


async def _lines(session: AsyncSession, desk: "Desk", member: str) -> list[ConsentEntry]:
    rows = await session.exec(
        select(ConsentEntry)
        .where(
            ConsentEntry.registry_id == desk.data_map.registry, ConsentEntry.subject_id == member
        )
        .order_by(col(ConsentEntry.at), col(ConsentEntry.id))
    )
    return list(rows)


async def _text_in_force(session: AsyncSession, desk: "Desk") -> str:
    """The name of the policy version in effect today; empty where there is none."""
    today = wording.local_day(desk, desk.clock()).isoformat()
    rows = await session.exec(
        select(PolicyVersion.name)
        .where(PolicyVersion.effective_on <= today)
        .order_by(col(PolicyVersion.effective_on).desc(), col(PolicyVersion.id).desc())
        .limit(1)
    )
    return rows.first() or ""
