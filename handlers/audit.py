"""The audit row: who saw or changed whose data, when, where and why."""

from dataclasses import dataclass
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.models.clock import Clock
from subjectline.models.tables import Audit, Request


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `account` is `agent:<id>`, `member`, `system` or `caller:<name>`; `place` the door."""

    account: str
    place: str = "desk"

    @property
    def agent_id(self) -> int | None:
        kind, _, number = self.account.partition(":")
        return int(number) if kind == "agent" else None


SYSTEM = Actor("system")
MEMBER = Actor("member")


def agent(agent_id: int, place: str = "console") -> Actor:
    return Actor(f"agent:{agent_id}", place)


def note(
    session: AsyncSession,
    clock: Clock,
    actor: Actor,
    action: str,
    *,
    request: Request | None = None,
    subject: tuple[str, str] | None = None,
    thing: str = "",
    reason: str = "",
    outcome: str = "ok",
    **facts: Any,
) -> None:
    """Adds one row to the session. `facts` are names and numbers, never values of a person."""
    registry, member = subject or _subject(request)
    session.add(
        Audit(
            at=clock(),
            account=actor.account,
            place=actor.place,
            registry_id=registry,
            subject_id=member,
            action=action,
            object=thing or (request.reference if request else ""),
            request_id=request.id if request else None,
            reason=reason,
            outcome=outcome,
            facts=facts,
        )
    )


def _subject(request: Request | None) -> tuple[str | None, str | None]:
    return (request.registry_id, request.subject_id) if request else (None, None)
