"""What the server's filter had put aside: read all the same, and handled where it is surely meant for us.

A request must not end in a folder that nobody opens; nor may a forged one cause letters to be sent.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import replies
from subjectline.handlers.identity import Known
from subjectline.models.incoming import Incoming, Outcome, Tier

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

MARK = "spam_folder"  # in a mail's evidence: it lay in a folder of suspected spam


async def judged(session: AsyncSession, desk: "Desk", incoming: Incoming, known: Known) -> Incoming:
    """Held for an agent, unless it answers a letter of ours or comes from a registered address that
    its domain vouches for (DMARC)."""
    if MARK not in incoming.evidence or incoming.outcome is not Outcome.HANDLE:
        return incoming
    sender = incoming.sender
    registered = bool(known.members.get((sender.kind, sender.value)))
    if registered and incoming.tier is Tier.ALIGNED:
        return incoming
    if await replies.find(session, desk, incoming) is not None:
        return incoming
    reason = "it lay in the folder of suspected spam"
    return replace(incoming, rule=MARK, outcome=Outcome.HOLD, reason=reason)
