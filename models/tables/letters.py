"""What goes out: the outbox, what was sent, policy versions and their notices."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from subjectline.models.tables.columns import key, maybe_moment, moment, names, refers, sealed
from subjectline.models.types import BigId, Sealed


class Outbox(SQLModel, table=True):
    """A letter that must leave: at least once, with a Message-ID fixed when it is queued."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "outcome", "due_at"),)

    id: int | None = key()
    request_id: int | None = refers("request.id", nullable=True)
    conversation_id: int = refers("conversation.id")
    message_id: int | None = refers("message.id", nullable=True)
    door: str
    letter: str
    recipient: Sealed | None = sealed("outbox.recipient")
    content: Sealed | None = sealed("outbox.content")  # subject, text, html, headers, keyboard
    rfc_message_id: str = Field(index=True)
    made_at: datetime = moment()
    due_at: datetime = moment()
    leased_until: datetime | None = maybe_moment()
    attempts: int = 0
    outcome: str = "due"  # due, sent, failed, bounced (it left and came back), unreachable
    reason: str = ""
    sent_at: datetime | None = maybe_moment()
    contact_index: bytes | None = Field(default=None, index=True)  # of where it goes
    returned: str = ""  # late, temporary, permanent, delivered, complaint
    returned_code: str = ""
    returned_cause: str = ""
    returned_at: datetime | None = maybe_moment()


class SentMessage(SQLModel, table=True):
    """Every Message-ID of ours, where bounces and answers look."""

    __tablename__ = "sent_message"

    rfc_message_id: str = Field(primary_key=True)
    outbox_id: int | None = refers("outbox.id", nullable=True)
    notice_recipient_id: int | None = refers("notice_recipient.id", nullable=True)
    conversation_id: int | None = refers("conversation.id", nullable=True)
    at: datetime = moment()


class GroupCard(SQLModel, table=True):
    """The message about one proposal in the agents' group."""

    __tablename__ = "group_card"
    __table_args__ = (Index("ix_group_card_due", "outcome", "due_at"),)

    id: int | None = key()
    proposal_id: int = Field(sa_type=BigId, sa_column_args=[ForeignKey("proposal.id")], unique=True)
    chat: str
    message: int | None = Field(default=None, sa_type=BigId)  # its number in the chat
    shown: str = ""  # SHA-256 of what stands there
    made_at: datetime = moment()
    due_at: datetime = moment()
    leased_until: datetime | None = maybe_moment()
    outcome: str = "due"  # due (it may still change), settled, failed
    reason: str = ""


class PolicyVersion(SQLModel, table=True):
    """One version of the privacy policy, with both dates and its text in each language."""

    __tablename__ = "policy_version"

    id: int | None = key()
    name: str = Field(unique=True)
    announced_on: str
    effective_on: str
    text_ko: str
    text_en: str
    changes: list[dict[str, Any]] = names()
    made_at: datetime = moment()


class Notice(SQLModel, table=True):
    """The mailing of one policy version to every member."""

    __tablename__ = "notice"

    id: int | None = key()
    policy_version_id: int = refers("policy_version.id")
    made_by: int | None = refers("agent.id", nullable=True)
    made_at: datetime = moment()
    listed_after: str | None = None  # how far the members were listed
    state: str = "listing"  # listing, sending, done


class NoticeRecipient(SQLModel, table=True):
    """The row of proof: one member, one notice, what became of it."""

    __tablename__ = "notice_recipient"
    __table_args__ = (
        UniqueConstraint("notice_id", "registry_id", "subject_id"),
        Index("ix_notice_recipient_due", "outcome", "due_at"),
    )

    id: int | None = key()
    notice_id: int = refers("notice.id")
    registry_id: str
    subject_id: str
    due_at: datetime = moment()
    leased_until: datetime | None = maybe_moment()
    attempts: int = 0
    outcome: str = "due"  # due, held (waits for the release), sent, failed, bounced, unreachable
    reason: str = ""
    rfc_message_id: str = ""
    sent_at: datetime | None = maybe_moment()
    gate_revision: int | None = None
    contact_index: bytes | None = Field(default=None, index=True)  # of where it went
    returned: str = ""  # late, temporary, permanent, delivered, complaint
    returned_code: str = ""
    returned_cause: str = ""
    returned_at: datetime | None = maybe_moment()
