"""An answer to a refusal that does not agree with it is an objection, though it names no right.

Our letter says "answer this mail and tell us why"; what people write then is "that is not true".
"""

import re

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers.replies import Thread
from subjectline.handlers.understanding import Understanding, Wish
from subjectline.models.tables import Conversation, Proposal, Request

_DISAGREES = re.compile(
    r"\b(?:disagree|object|unfair|unjust|not (?:right|true|correct|acceptable|fair)|wrong|mistaken)\b"
    r"|\b(?:do not|don't|can't|cannot|won't|will not) (?:agree|accept|understand why)\b"
    r"|\b(?:reconsider|look (?:at (?:it|this) )?again|review (?:it|this) again|think again)\b"
    r"|동의(?:하지|할 ?수 ?없|못|가 ?안)|인정(?:하지|할 ?수 ?없|못)|받아들(?:이지|일 ?수 ?없)"
    r"|납득|이해(?:가 ?(?:안|되지)|할 ?수 ?없)|이의|부당|억울|다시 ?(?:한 ?번 ?)?(?:검토|확인|봐|살펴)"
    r"|재검토|사실(?:과|이|은) ?(?:다르|다릅|아니|아닙)|잘못(?:됐|되었|된|입니다|이에요)",
    re.IGNORECASE,
)
LONGEST = 20_000


def refused() -> ColumnElement[bool]:
    """What may be objected to: a refusal, whole or in part, or the restriction of a member."""
    partly = select(Proposal.request_id).where(
        col(Proposal.outcome) == "partial", col(Proposal.state) == "spent"
    )
    return or_(
        col(Request.state) == "refused",
        and_(col(Request.state) == "done", col(Request.id).in_(partly)),
        and_(col(Request.kind) == "false_information", col(Request.state) == "done"),
    )


async def objection_in(
    session: AsyncSession, conversation: Conversation, thread: Thread | None, text: str
) -> Understanding | None:
    """An objection, where the mail answers the letter of a decision against its writer."""
    if thread is None or thread.conversation_id != conversation.id or thread.request_id is None:
        return None
    if _DISAGREES.search(text[:LONGEST]) is None:
        return None
    rows = await session.exec(
        select(Request.id).where(col(Request.id) == thread.request_id, refused())
    )
    if rows.first() is None:
        return None
    wish = Wish("objection")
    return Understanding(conversation.language, "apply", (wish,), reasons=("answers a refusal",))
