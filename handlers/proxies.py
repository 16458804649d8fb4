"""Those who act for a member: by a power of attorney, as a guardian, or by law (PIPA 38, Decree 45).

An agent records what the paper says, looks at it, and accepts or refuses. Accepting opens the request
as the member's, at the level `document`, and tells the member, who can stop it. The proxy's own
conversation never becomes the member's: every further request is measured against the scope anew.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import age, audit, opaque, papers, proxy_letters, proxy_scope
from subjectline.handlers import facts as wording
from subjectline.handlers.audit import Actor
from subjectline.handlers.requests import Facts, advance, open_request
from subjectline.handlers.wishes import wish_of
from subjectline.models.errors import BadInput, NotPermitted, StaleMove
from subjectline.models.tables import (
    Conversation,
    Mandate,
    MandateUse,
    Message,
    MessageFile,
    Request,
)
from subjectline.models.workflow import BEFORE_PROOF, NOT_DECIDED

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

KINDS = ("attorney", "guardian", "representative")
CONSENT_WAYS = ("sms", "card", "mobile_identity", "written", "email", "phone")  # Decree 17-2
CONTACT_WAYS = ("reply", "call", "papers")
LONGEST = 200
BY_POST = "power of attorney"


@dataclass(frozen=True)
class Scope:
    """What a proxy may ask for: rights, and fields of the data map (`*`: all), until a last day."""

    rights: tuple[str, ...]
    fields: tuple[str, ...] = ("*",)
    expires_on: date | None = None  # a guardian's ends by itself


@dataclass(frozen=True)
class Consent:
    """The guardian's consent (PIPA 22-2): who gave it, on which day, how that was confirmed."""

    by: str = ""
    on: date | None = None
    how: str = ""


NO_CONSENT = Consent()


@dataclass(frozen=True)
class Claim:
    """What an agent records: who says to act for whom, and on which paper.

    `file` is the handle of an uploaded one, `place` where one that came by post is kept.
    """

    kind: str
    proxy: str
    member: str
    scope: Scope
    file: str = ""
    place: str = ""
    contact_checked: str = ""
    consent: Consent = NO_CONSENT


async def record(desk: "Desk", request_id: int, claim: Claim, agent: Actor) -> int:
    """Writes a claim down, to be reviewed; returns the mandate's id.

    Raises BadInput for what a claim must say and does not, NotPermitted where the member's age does
    not allow it (`age`), NotCanonical, UnknownMember, RegistryAway.
    """
    member = desk.registry.canonical(claim.member)
    _complete(desk, claim)
    last = await _last_day(desk, claim, member)
    async with desk.write() as session:
        request = await session.get_one(Request, request_id)
        talk = await session.get_one(Conversation, request.conversation_id)
        mandate = _row(desk, request, talk, claim, member, last, agent)
        mandate.file_id = await _paper(session, desk, talk, claim.file)
        if claim.place:
            papers.came_in(session, desk, request, agent, BY_POST, claim.place.strip()[:LONGEST])
        session.add(mandate)
        await session.flush()
        _note(session, desk, agent, "proxy_recorded", mandate, request)
        return mandate.id or 0


async def accept(desk: "Desk", mandate_id: int, agent: Actor) -> str:
    """The papers are good: the request is opened as the member's, and the member is told.

    Returns the reference of the request that goes on. Raises NotPermitted where the request is
    outside of the scope or the member's age does not allow it any more, StaleMove where somebody
    decided before, RegistryAway.
    """
    async with desk.db.read() as session:
        seen = await session.get_one(Mandate, mandate_id)
    await proxy_scope.still_of_age(desk, seen)
    principal = await proxy_letters.principal(desk, seen.subject_id)
    async with desk.write() as session:
        mandate = await _decide(session, desk, mandate_id, "accepted", agent)
        request = await session.get_one(Request, mandate.request_id)
        going = await _use(session, desk, mandate, request, agent)
        proxy_letters.tell(session, desk, mandate, going, principal)
        _note(session, desk, agent, "proxy_accepted", mandate, going)
        return going.reference


async def refuse(desk: "Desk", mandate_id: int, agent: Actor, reason: str) -> None:
    """The papers are not good. A request that still waits for proof is refused for that; one that is
    open is answered by an agent as any other. Raises BadInput without a reason, StaleMove."""
    if not reason.strip():
        raise BadInput("say why the papers are not good", field="reason")
    async with desk.write() as session:
        mandate = await _decide(session, desk, mandate_id, "refused", agent)
        talk = await session.get_one(Conversation, mandate.conversation_id)
        mandate.reason = desk.vault.seal(talk.key_id, "mandate.reason", reason.strip())
        session.add(mandate)
        request = await session.get_one(Request, mandate.request_id)
        _note(session, desk, agent, "proxy_refused", mandate, request)
        if request.state == "verifying":
            facts = Facts(reason="proxy_papers")
            number, version = request.id or 0, request.version
            await advance(session, desk, number, "reject_identity", agent, version, facts)


async def use(desk: "Desk", mandate_id: int, request_id: int, agent: Actor) -> str:
    """Opens a further request of the same proxy under a mandate that was accepted before.

    Returns the reference of the request that goes on. Raises NotPermitted where the mandate has
    ended or does not cover the request, or the proxy has not confirmed their own address.
    """
    async with desk.db.read() as session:
        seen = await session.get_one(Mandate, mandate_id)
    await proxy_scope.still_of_age(desk, seen)
    async with desk.write() as session:
        mandate = await session.get_one(Mandate, mandate_id, with_for_update=True)
        request = await session.get_one(Request, request_id)
        if request.state in BEFORE_PROOF:
            raise NotPermitted("the proxy has not confirmed their own address", field="request")
        going = await _use(session, desk, mandate, request, agent)
        _note(session, desk, agent, "proxy_used", mandate, going)
        return going.reference


async def stop(desk: "Desk", mandate_id: int, by: Actor, reason: str = "") -> int:
    """Ends a mandate, by the member or an agent; what is open under it is taken back. Returns how many
    requests were. Stopping twice does nothing."""
    async with desk.write() as session:
        mandate = await session.get_one(Mandate, mandate_id, with_for_update=True)
        return await _stop(session, desk, mandate, by, reason)


async def stopped_with(session: AsyncSession, desk: "Desk", request: Request, by: Actor) -> None:
    """A change that a proxy asked for was stopped from a registered contact (`stopping`): then so is
    the proxy. The request itself is left to that step."""
    rows = await session.exec(
        select(Mandate)
        .join(MandateUse, col(MandateUse.mandate_id) == col(Mandate.id))
        .where(MandateUse.request_id == request.id)
        .with_for_update()
    )
    for mandate in rows:
        await _stop(session, desk, mandate, by, "", leave=request.id)


async def _stop(
    session: AsyncSession,
    desk: "Desk",
    mandate: Mandate,
    by: Actor,
    reason: str,
    leave: int | None = None,
) -> int:
    if mandate.state not in ("recorded", "accepted"):
        return 0
    talk = await session.get_one(Conversation, mandate.conversation_id)
    now = desk.clock()
    mandate.state, mandate.stopped_at, mandate.stopped_by = "stopped", now, by.account
    mandate.reason = desk.vault.seal(talk.key_id, "mandate.reason", reason.strip())
    mandate.decided_at = mandate.decided_at or now
    talk.state = "unsorted"  # an agent looks at who acted, and at what was done already
    session.add(mandate)
    session.add(talk)
    open_ones = [one for one in await _open_under(session, mandate) if one.id != leave]
    for request in open_ones:
        await advance(session, desk, request.id or 0, "withdraw", by, request.version)
    _note(session, desk, by, "proxy_stopped", mandate, None, len(open_ones))
    return len(open_ones)


async def _use(
    session: AsyncSession, desk: "Desk", mandate: Mandate, request: Request, agent: Actor
) -> Request:
    """The request as the member's. One that the proxy opened by proving their own address is followed
    by another with the same clock, for a request never changes its person."""
    proxy_scope.covers(desk, mandate, request)
    if request.state == "proposed":  # that nothing is held under the proxy's own address
        number, back = request.id or 0, Facts(reason="proxy")
        request = await advance(session, desk, number, "send_back", agent, request.version, back)
    going = request
    if request.state not in BEFORE_PROOF:
        going = await _successor(session, desk, request)
    facts = Facts(
        level="document", registry=mandate.registry_id, subject=mandate.subject_id, reason="proxy"
    )
    going = await advance(session, desk, going.id or 0, "prove", agent, going.version, facts)
    if going.id != request.id:
        moved = Facts(successor=going.id, letter={"moved_to": going.reference})
        await advance(session, desk, request.id or 0, "supersede", agent, request.version, moved)
    session.add(MandateUse(mandate_id=mandate.id or 0, request_id=going.id or 0, at=desk.clock()))
    return going


async def _successor(session: AsyncSession, desk: "Desk", request: Request) -> Request:
    talk = await session.get_one(Conversation, request.conversation_id)
    return await open_request(
        session,
        desk,
        talk,
        request.kind,
        arrived_at=request.arrived_at,
        group_id=secrets.token_hex(8),
        fields=tuple(request.fields),
        wish=wish_of(desk, request),
        follows_id=request.id,
    )


async def _open_under(session: AsyncSession, mandate: Mandate) -> list[Request]:
    rows = await session.exec(
        select(Request)
        .join(MandateUse, col(MandateUse.request_id) == col(Request.id))
        .where(MandateUse.mandate_id == mandate.id, col(Request.state).in_(NOT_DECIDED))
    )
    return list(rows)


async def _decide(
    session: AsyncSession, desk: "Desk", mandate_id: int, state: str, agent: Actor
) -> Mandate:
    """The guarded UPDATE: of two agents one decides."""
    done = await session.exec(
        update(Mandate)
        .where(col(Mandate.id) == mandate_id, col(Mandate.state) == "recorded")
        .values(state=state, decided_by=agent.agent_id, decided_at=desk.clock())
    )
    if done.rowcount != 1:
        raise StaleMove("this was decided or stopped already", field="state")
    return await session.get_one(Mandate, mandate_id, populate_existing=True)


def _complete(desk: "Desk", claim: Claim) -> None:
    """Raises BadInput naming the box that is empty or wrong."""
    chosen: Mapping[str, bool] = {
        "kind": claim.kind in KINDS,
        "proxy": 0 < len(claim.proxy.strip()) <= LONGEST,
        "rights": bool(claim.scope.rights) and set(claim.scope.rights) <= proxy_scope.RIGHTS,
        "fields": proxy_scope.known_fields(desk, claim.scope.fields),
        "paper": bool(claim.file) != bool(claim.place.strip()),
        "contact_checked": claim.contact_checked in CONTACT_WAYS,
    }
    wrong = next((box for box, good in chosen.items() if not good), "")
    if wrong:
        raise BadInput("this must be filled in", field=wrong)
    if claim.kind == "guardian":
        _consented(desk, claim.consent)


def _consented(desk: "Desk", consent: Consent) -> None:
    today = wording.local_day(desk, desk.clock())
    if not 0 < len(consent.by.strip()) <= LONGEST:
        raise BadInput("say who consented", field="consent_by")
    if consent.how not in CONSENT_WAYS:
        raise BadInput("say how the consent was confirmed", field="consent_how")
    if consent.on is None or consent.on > today:
        raise BadInput("say when the consent was given", field="consent_on")


async def _last_day(desk: "Desk", claim: Claim, member: str) -> date:
    """The last day: the paper's, a guardian's at the latest the day before the child is 14."""
    born = await age.birth_date(desk, member)
    young = await age.is_child(desk, member, born)
    if claim.kind == "guardian" and not young:
        raise NotPermitted(
            "the registry does not say that this member is under 14",
            field="kind",
            remedy="From 14 on a representative's papers are needed.",
        )
    if claim.kind != "guardian" and young:
        raise NotPermitted("for a member under 14 the guardian acts", field="kind")
    today, wanted = wording.local_day(desk, desk.clock()), claim.scope.expires_on
    if claim.kind == "guardian" and born is not None:
        until = age.last_day_of_childhood(born)
        wanted = min(wanted or until, until)
    if wanted is None or wanted < today:
        raise BadInput("say until when it is good, today or later", field="expires_on")
    return wanted


def _row(
    desk: "Desk",
    request: Request,
    talk: Conversation,
    claim: Claim,
    member: str,
    last: date,
    agent: Actor,
) -> Mandate:
    seal, guardian = desk.vault.seal, claim.kind == "guardian"
    consent = claim.consent if guardian else NO_CONSENT
    return Mandate(
        conversation_id=talk.id or 0,
        request_id=request.id or 0,
        kind=claim.kind,
        proxy=seal(talk.key_id, "mandate.proxy", claim.proxy.strip()),
        registry_id=desk.data_map.registry,
        subject_id=member,
        rights=list(claim.scope.rights),
        fields=list(claim.scope.fields),
        expires_on=last.isoformat(),
        consent_by=seal(talk.key_id, "mandate.consent_by", consent.by.strip()),
        consent_how=consent.how,
        consent_on=consent.on.isoformat() if consent.on else "",
        contact_checked=claim.contact_checked,
        recorded_by=agent.agent_id or 0,
        recorded_at=desk.clock(),
    )


async def _paper(
    session: AsyncSession, desk: "Desk", talk: Conversation, handle: str
) -> int | None:
    """The uploaded file, which must have come from the proxy. BadInput where it did not."""
    if not handle:
        return None
    rows = await session.exec(
        select(MessageFile)
        .join(Message, col(MessageFile.message_id) == col(Message.id))
        .where(MessageFile.id == opaque.show(desk.vault, "message_file", handle))
        .where(Message.conversation_id == talk.id)
    )
    found = rows.first()
    if found is None or found.content is None:
        raise BadInput("there is no such file in this conversation", field="paper")
    return found.id


def _note(
    session: AsyncSession,
    desk: "Desk",
    who: Actor,
    action: str,
    mandate: Mandate,
    request: Request | None,
    taken_back: int = 0,
) -> None:
    subject = (mandate.registry_id, mandate.subject_id)
    audit.note(
        session, desk.clock, who, action, request=request, subject=subject,
        thing=f"mandate:{mandate.id}", kind=mandate.kind, taken_back=taken_back,
    )  # fmt: skip
