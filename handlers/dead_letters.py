"""A dead letter, opened for an agent who must judge whether a retry makes sense."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from subjectline.handlers import audit, opaque, queries
from subjectline.handlers.audit import Actor
from subjectline.handlers.queries import DeadRow
from subjectline.models.errors import BadInput, SealError
from subjectline.models.tables import RawInbox

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk


@dataclass(frozen=True)
class DeadLetter:
    """`body` is as it arrived: it goes through the mask before anybody sees it. None: its key is gone."""

    row: DeadRow
    body: bytes | None


async def opened(desk: "Desk", handle: str, agent: Actor) -> DeadLetter:
    """The dead letter with this handle. BadInput where there is none. Writes an audit row."""
    number = opaque.show(desk.vault, "raw_inbox", handle)
    async with desk.write() as session:
        row = await session.get(RawInbox, number)
        if row is None or row.state != "dead":
            raise BadInput("there is no such dead letter", field="address", remedy="See the list.")
        audit.note(session, desk.clock, agent, "view_dead", thing=f"raw_inbox:{number}")
        shown, sealed = queries.dead_row(desk, row), row.body
    try:
        return DeadLetter(shown, desk.vault.open(sealed) if sealed is not None else None)
    except SealError:
        return DeadLetter(shown, None)
