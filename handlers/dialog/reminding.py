"""The buttons under a reminder: those of the question that waits, or the ways to go on with a proof."""

from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import (
    choices,
    last_question,
)
from subjectline.models.tables import Request

if TYPE_CHECKING:
    from subjectline.handlers.choices import Keyboard


async def keys(session: AsyncSession, request: Request) -> "Keyboard | None":
    """What can be pressed to go on where the chat stood; the request can be taken back there too."""
    if request.state == "verifying":
        return [*choices.other_ways(request.language), [choices.taking_back(request)]]
    last = await last_question.last_asked(session, request)
    if last is None:
        return None
    shown = choices.keyboard(str(last.facts.get("question", "")), request.language)
    return choices.bound(shown, request.reference, last.version)
