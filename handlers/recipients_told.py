"""Who was told, as the member's own letter says it: what truly left by the time the letter leaves."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import facts as wording
from subjectline.handlers.words import day, word
from subjectline.models.tables import Telling

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

UNHEARD = ("overtaken", "unknown")  # nothing was said, or to nobody who knows the member


async def told(session: AsyncSession, desk: "Desk", request_id: int, language: str) -> str:
    """Recipients by what has come of the newest notice to them; one line: `A · B (day), C (failed)`."""
    rows = await session.exec(
        select(Telling).where(Telling.request_id == request_id).order_by(col(Telling.id))
    )
    notices: dict[str, list[Telling]] = {}
    for row in rows:
        if row.recipient in desk.data_map.recipients and row.outcome not in UNHEARD:
            notices.setdefault(row.recipient, []).append(row)
    alike: dict[str, list[str]] = {}
    for name, mine in notices.items():
        label = desk.data_map.recipients[name].labels.text(language)
        alike.setdefault(_came_to(desk, mine, language), []).append(label)
    # Names of companies hold commas: "Danal Co., Ltd."
    said = (f"{' · '.join(names)} ({came})" for came, names in alike.items())
    return ", ".join(said) or word("told", "nobody", language)


def _came_to(desk: "Desk", notices: Sequence[Telling], language: str) -> str:
    """The day of the newest notice; that it could not be told, or is being told now."""
    last = notices[-1]
    if last.outcome == "failed":
        return word("told", "failed", language)
    sent = [row.sent_at for row in notices if row.sent_at is not None and row.outcome != "failed"]
    if not sent:
        return word("told", "waits", language)
    when = day(wording.local_day(desk, sent[-1]), language)
    return when if last.sent_at else word("told", "held", language).format(day=when)
