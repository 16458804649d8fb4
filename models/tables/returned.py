"""Letters that did not arrive, and the addresses at which none arrives any more."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from subjectline.models.tables.columns import key, maybe_moment, moment, sealed
from subjectline.models.types import BigId, Sealed


class ReturnedLetter(SQLModel, table=True):
    """A letter of ours that came back, never left, or was complained about; at most once of a kind.

    No foreign keys: what becomes of the letter must not become of the proof of how the person was told
    instead. `state`: noted (nothing to be done), waits (an agent finds another way), closed.
    """

    __tablename__ = "returned_letter"
    __table_args__ = (
        UniqueConstraint("rfc_message_id", "kind"),
        Index("ix_returned_letter_list", "state", "legal", "at"),
        Index("ix_returned_letter_contact", "contact_index", "at"),
    )

    id: int | None = key()
    kind: str  # bounce, unsent, complaint
    rfc_message_id: str
    outbox_id: int | None = Field(default=None, sa_type=BigId, index=True)
    notice_recipient_id: int | None = Field(default=None, sa_type=BigId, index=True)
    request_id: int | None = Field(default=None, sa_type=BigId, index=True)
    conversation_id: int | None = Field(default=None, sa_type=BigId)
    report_id: int | None = Field(default=None, sa_type=BigId)  # the message that told of it
    registry_id: str | None = None
    subject_id: str | None = Field(default=None, index=True)
    letter: str
    legal: bool = False  # the law asks that the person was told
    told_by: str = ""  # message_id, recipient (not believed about the address), desk
    action: str = ""  # failed, delayed, delivered …
    status: str = ""
    cause: str = ""
    permanent: bool = False
    strike: bool = False  # counts against the address
    contact_index: bytes | None = None
    at: datetime = moment()
    state: str = "noted"
    resent_id: int | None = Field(default=None, sa_type=BigId)  # in the outbox
    resent_by: str = ""  # email, telegram, notice
    resent_at: datetime | None = maybe_moment()
    how: str = ""
    key_id: str = ""
    note: Sealed | None = sealed("returned_letter.note")
    closed_at: datetime | None = maybe_moment(index=True)
    closed_by: int | None = Field(default=None, sa_type=BigId)


class DeadAddress(SQLModel, table=True):
    """An address that bounced for good, as its blind index; mailed again only once it is cleared."""

    __tablename__ = "dead_address"
    __table_args__ = (UniqueConstraint("contact_kind", "contact_index"),)

    id: int | None = key()
    contact_kind: str = "email"
    contact_index: bytes
    cause: str
    status: str = ""
    since: datetime = moment()
    cleared_at: datetime | None = maybe_moment(index=True)
    cleared_by: str = ""  # mail (it wrote to us), agent:<id>
