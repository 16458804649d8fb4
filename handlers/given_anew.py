"""A standing hold ends because its person wants that: a consent given anew, or a suspension taken back.

The consent itself is given in the company's own systems, which write their own columns. Here two agents
say that they have seen it, and on what; only then does the gate let the purpose be used again.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, consents, holds, recipients
from subjectline.handlers.audit import Actor
from subjectline.handlers.registry.withdrawal import CONSENT_OF
from subjectline.models.db import wake
from subjectline.models.errors import BadInput, IllegalMove, NotPermitted
from subjectline.models.tables import ConsentEntry, Hold, Request
from subjectline.models.workflow import FINAL

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

SUSPENSION = "suspension"
LONGEST = 200  # characters of the evidence's name


@dataclass(frozen=True)
class Evidence:
    """How the person said it (one of `consents.DOORS`), the paper, record or reference that shows it,
    and the version of the text that they agreed to (a consent only)."""

    door: str
    paper: str
    text: str = ""


async def release(
    desk: "Desk", member: str, what: str, evidence: Evidence, first: Actor, second: Actor
) -> int:
    """Ends the standing holds of a withdrawn consent (its name in the data map) or of `suspension`;
    recipients that were told of them hear it. Returns the gate's revision from which they are over.

    Raises BadInput for what is unknown or not named, NotPermitted where it is not two agents,
    IllegalMove where nothing stands or a request about it is open, NotCanonical.
    """
    _check(desk, what, evidence)
    if first.agent_id is None or second.agent_id in (None, first.agent_id):
        raise NotPermitted("two different agents must have seen it", field="with")
    member = desk.registry.canonical(member)
    causes = _causes(what)
    async with desk.write() as session:
        placed_by = await _may_end(session, desk, member, causes)
        for agent in (first, second):
            audit.note(
                session, desk.clock, agent, "given_anew", subject=(desk.data_map.registry, member),
                thing=what, reason=f"{evidence.door}: {evidence.paper.strip()}",
            )  # fmt: skip
        if what != SUSPENSION:
            session.add(_line(desk, member, what, evidence))
        registry = desk.data_map.registry
        revision = await holds.end_standing(session, registry, member, causes, desk.clock())
        for request_id in placed_by:
            await recipients.end_lasting(session, desk, request_id)
        wake(session, "gate", "released")
    return revision or 0


def _causes(what: str) -> tuple[str, ...]:
    return tuple(cause for cause, consent in CONSENT_OF.items() if consent == what) or (what,)


def _check(desk: "Desk", what: str, evidence: Evidence) -> None:
    known = [*CONSENT_OF.values(), SUSPENSION]
    if what not in known or (what != SUSPENSION and what not in desk.data_map.consents):
        raise BadInput(f"what was given anew is one of {', '.join(known)}", field="what")
    if evidence.door not in consents.DOORS:
        raise BadInput(f"a door is one of {', '.join(consents.DOORS)}", field="door")
    if not evidence.paper.strip() or len(evidence.paper) > LONGEST:
        raise BadInput("name the paper, record or reference that shows it", field="evidence")
    if what != SUSPENSION and not evidence.text.strip():
        raise BadInput("name the version of the text that they agreed to", field="text")


async def _may_end(
    session: AsyncSession, desk: "Desk", member: str, causes: tuple[str, ...]
) -> list[int]:
    """Something stands; and what the person asks for now counts more than what somebody has seen.

    Returns the ids of the requests under which it stands.
    """
    standing = await session.exec(
        select(Hold.request_id)
        .distinct()
        .where(
            Hold.registry_id == desk.data_map.registry,
            Hold.subject_id == member,
            Hold.kind == "standing",
            col(Hold.cause).in_(causes),
            col(Hold.ended_revision).is_(None),
        )
    )
    placed_by = sorted(standing)
    if not placed_by:
        raise IllegalMove("nothing of that kind stands for this member", field="what")
    rows = await session.exec(
        select(Request.reference).where(
            Request.registry_id == desk.data_map.registry,
            Request.subject_id == member,
            col(Request.kind).in_(causes),
            col(Request.state).not_in(FINAL),
        )
    )
    if (reference := rows.first()) is not None:
        raise IllegalMove(f"{reference} is open and asks for the opposite", field="what")
    return placed_by


def _line(desk: "Desk", member: str, consent: str, evidence: Evidence) -> ConsentEntry:
    now = desk.clock()
    return ConsentEntry(
        registry_id=desk.data_map.registry,
        subject_id=member,
        consent=consent,
        state=consents.GIVEN,
        at=now,
        door=evidence.door,
        text_version=evidence.text.strip(),
        noted_at=now,
    )
