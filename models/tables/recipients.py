"""What recipients of the data are told: processors, buyers of content."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from subjectline.models.tables.columns import key, maybe_moment, moment, names, refers, sealed
from subjectline.models.types import Sealed


class Telling(SQLModel, table=True):
    """One notice to one recipient about what one request holds: at least once, always the same id.

    kind: hold, corrected, released (the hold ended, nothing changed), stop, erase. way: webhook, mail,
    hand. outcome: due, sent, hand (a person tells them), acknowledged, failed, overtaken (never left,
    a later notice says more), unknown (the recipient does not know this member).
    """

    __tablename__ = "telling"
    __table_args__ = (
        Index("ix_telling_due", "outcome", "due_at"),
        Index("ix_telling_of", "request_id", "recipient"),
    )

    id: int | None = key()
    notice_id: str = Field(unique=True)  # by which the recipient knows it again
    request_id: int = refers("request.id", index=False)
    recipient: str  # a name of the data map
    kind: str
    fields: list[str] = names()
    corrected: list[str] = names()  # those of the fields that have a new value
    purposes: list[str] = names()
    known_as: list[str] = (
        names()
    )  # references of the requests whose holds it is about, its own last
    sequence: int = 1  # grows with each notice to this recipient about the request
    revision: int  # the gate's, from which it is true
    way: str
    member: Sealed | None = sealed("telling.member")  # the member's id at the recipient
    content: Sealed | None = sealed("telling.content")  # corrected values, until acknowledged
    token_hash: bytes = Field(unique=True)  # of the acknowledgement link
    made_at: datetime = moment()
    due_at: datetime = moment()
    leased_until: datetime | None = maybe_moment()
    attempts: int = 0
    outcome: str = "due"
    reason: str = ""
    sent_at: datetime | None = maybe_moment()
    reminded: int = 0
    acknowledged_at: datetime | None = maybe_moment()
    acknowledged_by: str = ""  # webhook, link, agent:<id>
    task_at: datetime | None = maybe_moment()  # since when it waits for an agent
