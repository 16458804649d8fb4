"""What an agent does about a letter that did not arrive: sees what ways there are, takes one, says so.

Ways are the person's own: contacts that the registry holds for the very member whom the letter is about,
each asked of the gate first, and the chat that they linked. No address is ever typed in here, so a
result cannot go to somebody else. A legal letter stays in the list until it is said how they were told.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, chat_closed, opaque, reachable, resending
from subjectline.handlers.audit import Actor
from subjectline.models.db import wake
from subjectline.models.errors import BadInput, NotPermitted, StaleMove, UnknownMember
from subjectline.models.tables import (
    Agent,
    Notice,
    NoticeRecipient,
    PolicyVersion,
    Request,
    ReturnedLetter,
)

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

TOLD = ("phone", "post", "telegram", "in_person", "resent")
HOW = (*TOLD, "not_needed", "impossible")
MOST_NOTE = 500
GATE_PURPOSE = "notice"


@dataclass(frozen=True)
class ReturnedRow:
    """One letter in the list. Nothing in it is personal data but the member's id, a pseudonym."""

    handle: str
    kind: str
    letter: str
    legal: bool
    cause: str
    status: str
    permanent: bool
    guessed: bool
    at: datetime
    state: str
    member: str | None
    reference: str  # of the request, or the version's name
    resent_by: str
    how: str
    closed_by: str
    closed_at: datetime | None


@dataclass(frozen=True)
class Way:
    """One way to the person. `value` is shown only where the gate permits it; `why_not` is a key of
    the console's words."""

    kind: str  # email, phone, post, telegram
    value: str = ""
    can_send: bool = False
    why_not: str = ""


@dataclass(frozen=True)
class ReturnedView:
    row: ReturnedRow
    report: str  # the handle of the conversation that the report stands in
    dead: bool
    ways: tuple[Way, ...]
    note: str


async def listed(desk: "Desk", state: str = "waits", limit: int = 200) -> tuple[ReturnedRow, ...]:
    """Those that wait (legal ones first, the oldest first), or those closed, the newest first."""
    order = (
        (col(ReturnedLetter.closed_at).desc(), col(ReturnedLetter.id).desc())
        if state == "closed"
        else (col(ReturnedLetter.legal).desc(), col(ReturnedLetter.at), col(ReturnedLetter.id))
    )
    async with desk.db.read() as session:
        rows = await session.exec(
            select(ReturnedLetter, Request.reference, PolicyVersion.name, Agent.name)
            .outerjoin(Request, col(Request.id) == col(ReturnedLetter.request_id))
            .outerjoin(
                NoticeRecipient, col(NoticeRecipient.id) == col(ReturnedLetter.notice_recipient_id)
            )
            .outerjoin(Notice, col(Notice.id) == col(NoticeRecipient.notice_id))
            .outerjoin(PolicyVersion, col(PolicyVersion.id) == col(Notice.policy_version_id))
            .outerjoin(Agent, col(Agent.id) == col(ReturnedLetter.closed_by))
            .where(ReturnedLetter.state == state)
            .order_by(*order)
            .limit(limit)
        )
        return tuple(
            _row(desk, row, about or name or "", who or "") for row, about, name, who in rows
        )


async def view(desk: "Desk", handle: str, agent: Actor) -> ReturnedView:
    """One letter with every way to its person. BadInput where there is none. Writes an audit row."""
    number = _number(desk, handle)
    async with desk.db.read() as session:
        row = await _get(session, number)
        about = await _about(session, row)
        report = await resending.report_handle(session, desk, row.report_id)
        dead = await reachable.is_dead(session, row.contact_index)
        who = await session.get(Agent, row.closed_by) if row.closed_by else None
    ways = await _ways(desk, row) if row.state == "waits" else ()
    async with desk.write() as session:
        subject = (row.registry_id, row.subject_id) if row.registry_id and row.subject_id else None
        thing = f"returned_letter:{number}"
        audit.note(session, desk.clock, agent, "view", subject=subject, thing=thing)
    shown = _row(desk, row, about, who.name if who else "")
    return ReturnedView(shown, report, dead, ways, desk.vault.text(row.note))


async def send_again(desk: "Desk", handle: str, way: str, agent: Actor) -> None:
    """The letter leaves once more, to the person's own other contact, because an agent says so.

    Raises NotPermitted where that way is not theirs, is held or bounces too; StaleMove where it was
    closed or sent again before; BadInput for a letter that cannot be repeated.
    """
    number = _number(desk, handle)
    async with desk.db.read() as session:
        row = await _get(session, number)
    chosen = next((one for one in await _ways(desk, row) if one.kind == way), None)
    if chosen is None or not chosen.can_send:
        raise NotPermitted(
            "the letter cannot be sent again this way",
            field="way",
            remedy="Choose another way, or tell the person and say how.",
        )
    async with desk.write() as session:
        row = await _waits(session, number)
        if row.resent_at is not None:
            raise StaleMove("it was sent again already", field="way", remedy="Look at it again.")
        row.resent_id = await resending.send(session, desk, row, way, chosen.value)
        row.resent_by, row.resent_at = way, desk.clock()
        session.add(row)
        wake(session, "notice")
        _audited(session, desk, row, agent, "sent_again", way)


async def close(desk: "Desk", handle: str, how: str, note: str, agent: Actor) -> None:
    """How the person was told, or why nobody has to be. BadInput, StaleMove.

    A legal letter is closed by a way that reached the person, in words; or as impossible, with why.
    """
    note = note.strip()
    if how not in HOW:
        raise BadInput("say how the person was told", field="how")
    if len(note) > MOST_NOTE:
        raise BadInput(f"at most {MOST_NOTE} letters", field="note")
    number = _number(desk, handle)
    async with desk.write() as session:
        row = await _waits(session, number)
        needed = row.legal and row.kind != "complaint"
        if needed and how == "not_needed":
            raise BadInput("the law asks that the person is told", field="how")
        if not note and (needed or how == "impossible"):
            raise BadInput("say when and how, or why not", field="note")
        row.state, row.how, row.closed_at = "closed", how, desk.clock()
        row.closed_by = agent.agent_id
        if note:
            row.key_id = desk.vault.fresh_key("returned", desk.clock())
            row.note = desk.vault.seal(row.key_id, "returned_letter.note", note)
        session.add(row)
        _audited(session, desk, row, agent, "returned_closed", how)


async def address_lives(desk: "Desk", handle: str, agent: Actor) -> None:
    """An agent says that the address takes mail again. StaleMove where it was not given up."""
    number = _number(desk, handle)
    async with desk.write() as session:
        row = await _get(session, number)
        if row.contact_index is None or not await reachable.clear(
            session, desk, row.contact_index, agent
        ):
            raise StaleMove("this address is not given up", field="address")


def _audited(
    session: AsyncSession, desk: "Desk", row: ReturnedLetter, agent: Actor, what: str, way: str
) -> None:
    whose = (row.registry_id, row.subject_id) if row.registry_id and row.subject_id else None
    thing = f"returned_letter:{row.id}"
    audit.note(session, desk.clock, agent, what, subject=whose, thing=thing, way=way)


def _number(desk: "Desk", handle: str) -> int:
    return opaque.show(desk.vault, "returned_letter", handle)


async def _get(session: AsyncSession, number: int) -> ReturnedLetter:
    row = await session.get(ReturnedLetter, number, populate_existing=True)
    if row is None:
        raise BadInput("there is no such page", field="address", remedy="Look in the list.")
    return row


async def _waits(session: AsyncSession, number: int) -> ReturnedLetter:
    row = await session.get(ReturnedLetter, number, populate_existing=True, with_for_update=True)
    if row is None or row.state != "waits":
        raise StaleMove("somebody closed it already", field="number", remedy="Look at the list.")
    return row


def _row(desk: "Desk", row: ReturnedLetter, about: str, who: str) -> ReturnedRow:
    return ReturnedRow(
        handle=opaque.hide(desk.vault, "returned_letter", row.id or 0),
        kind=row.kind,
        letter=row.letter,
        legal=row.legal,
        cause=row.cause,
        status=row.status,
        permanent=row.permanent,
        guessed=row.told_by == "recipient",
        at=row.at,
        state=row.state,
        member=row.subject_id,
        reference=about,
        resent_by=row.resent_by,
        how=row.how,
        closed_by=who,
        closed_at=row.closed_at,
    )


async def _about(session: AsyncSession, row: ReturnedLetter) -> str:
    if row.request_id is not None:
        request = await session.get(Request, row.request_id)
        return request.reference if request else ""
    names = await session.exec(
        select(PolicyVersion.name)
        .join(Notice, col(Notice.policy_version_id) == col(PolicyVersion.id))
        .join(NoticeRecipient, col(NoticeRecipient.notice_id) == col(Notice.id))
        .where(NoticeRecipient.id == row.notice_recipient_id)
    )
    return names.first() or ""


async def _ways(desk: "Desk", row: ReturnedLetter) -> tuple[Way, ...]:
    """The person's own contacts, each as the gate lets it be used now. Raises RegistryAway."""
    member = row.subject_id
    if member is None:
        return ()
    try:
        held = await desk.registry.contacts(member)
    except UnknownMember:
        return ()
    ways = [await _email(desk, row, member, held.get("email", ""))]
    ways += [await _shown(desk, member, "phone", held.get("phone", ""))]
    ways += [await _post(desk, member)]
    async with desk.db.read() as session:
        chat = await resending.linked_chat(session, row)
        closed = chat is not None and await chat_closed.is_closed(session, chat.contact_index)
    if closed:
        ways.append(Way("telegram", why_not="closed"))
    elif chat is not None:
        ways.append(Way("telegram", can_send=resending.by_chat(row) and row.resent_at is None))
    return tuple(way for way in ways if way.value or way.why_not or way.can_send)


async def _email(desk: "Desk", row: ReturnedLetter, member: str, value: str) -> Way:
    shown = await _shown(desk, member, "email", value)
    if not shown.value:
        return shown
    index = desk.vault.index(reachable.EMAIL, value)
    async with desk.db.read() as session:
        dead = await reachable.is_dead(session, index)
    if dead:
        return Way("email", value, why_not="bounces")
    if not resending.by_mail(row):
        return Way("email", value, why_not="once_only")
    return Way("email", value, can_send=row.resent_at is None)


async def _shown(desk: "Desk", member: str, kind: str, value: str) -> Way:
    """A contact of the registry; a contested one is not shown, for it is not to be used."""
    field = desk.data_map.contact_field(kind)
    if not value or field is None:
        return Way(kind)
    permitted = await desk.gate.decide("desk", member, [field.name], GATE_PURPOSE)
    if not permitted.permit:
        return Way(kind, why_not="held")
    return Way(kind, field.display(value, desk.manner.language) if kind == "phone" else value)


async def _post(desk: "Desk", member: str) -> Way:
    """The first postal address of the map that holds something."""
    fields = [f.name for f in desk.data_map.fields.values() if f.validator.kind == "address"]
    for name in fields:
        value = (await desk.registry.read(member, [name]))[name]
        if value:
            permitted = await desk.gate.decide("desk", member, [name], GATE_PURPOSE)
            return Way("post", value) if permitted.permit else Way("post", why_not="held")
    return Way("post")
