"""What else it means that a request was applied, in the same step: ledger, restriction, lasting hold."""

from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import consents, holds, restrictions
from subjectline.handlers.holds import NOT_BY_LAW, HoldPlan
from subjectline.handlers.registry.withdrawal import CONSENT_OF
from subjectline.models.tables import Request
from subjectline.models.workflow import DECISIONS

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


async def before(desk: "Desk", request: Request) -> None:
    """Reads the company's consents into the ledger while they can still be read.

    Raises RegistryAway, RegistryError.
    """
    told = request.kind in ("access", "portability", *CONSENT_OF)
    if request.subject_id and (told or consents.ends_membership(request)):
        await consents.read_in(desk, request.subject_id)


async def of(session: AsyncSession, desk: "Desk", request: Request) -> None:
    """Everything that belongs to the step that ends an applied request."""
    await consents.withdraw(session, desk, request)
    if request.kind in DECISIONS:
        await restrictions.settle(session, desk, request)
    if request.kind == "erasure" and request.fields and request.subject_id:
        await _only_what_was_named(session, desk, request)


async def _only_what_was_named(session: AsyncSession, desk: "Desk", request: Request) -> None:
    """While an erasure is worked on, everything is held; afterwards only what was erased stays so."""
    plan = HoldPlan(request.kind, tuple(request.fields), NOT_BY_LAW)
    whose = (request.registry_id or "", request.subject_id or "")
    await holds.place(session, request.id or 0, *whose, plan, "standing", desk.clock())
