"""What came in: the sealed raw form, the masked message, the conversation."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from subjectline.models.tables.columns import (
    facts,
    key,
    maybe_moment,
    moment,
    names,
    refers,
    sealed,
)
from subjectline.models.types import BigId, Sealed


class RawInbox(SQLModel, table=True):
    """The first thing committed of anything that arrives, sealed under the day's intake key.

    `source_key` is mailbox + UIDVALIDITY + UID, or bot + update_id. `state` is `new`, `done` (the
    masked message is kept and `body` emptied) or `dead` (agents see it and can retry).
    """

    __tablename__ = "raw_inbox"
    __table_args__ = (Index("ix_raw_inbox_due", "state", "id"),)

    id: int | None = key()
    door: str
    source_key: str = Field(unique=True)
    lane: str = Field(index=True)  # what must stay in order: the mailbox, or the chat
    arrived_at: datetime = moment()
    kept_at: datetime = moment()
    body: Sealed | None = sealed("raw_inbox.body")
    size: int = 0
    oversized: bool = False
    state: str = "new"
    attempts: int = 0
    reason: str = ""
    message_id: int | None = refers("message.id", nullable=True)


class Conversation(SQLModel, table=True):
    """One correspondent on one door. Whose it is stays NULL until it is proven."""

    __tablename__ = "conversation"
    __table_args__ = (Index("ux_conversation_who", "door", "contact_index", unique=True),)

    id: int | None = key()
    door: str
    contact_kind: str
    contact_index: bytes
    contact: Sealed | None = sealed("conversation.contact")
    key_id: str
    language: str = "ko"
    language_chosen: bool = False  # by the person: what they write later does not change it
    registry_id: str | None = None
    subject_id: str | None = Field(default=None, index=True)
    proven_at: datetime | None = maybe_moment()
    proven_by: str = ""  # the kind of contact that proved it: email, phone
    state: str = "quiet"  # quiet, unsorted (an agent must look), closed
    dialog: Sealed | None = sealed("conversation.dialog")
    told_resident_number: bool = False
    told_files: bool = False  # that a file was over a limit
    made_at: datetime = moment()
    last_at: datetime = moment(index=True)


class Message(SQLModel, table=True):
    """One message in or out, masked and sealed under its conversation's key."""

    __tablename__ = "message"

    id: int | None = key()
    conversation_id: int = refers("conversation.id")
    direction: str  # in, out
    door: str
    at: datetime = moment(index=True)
    rfc_message_id: str | None = Field(default=None, index=True)
    subject: Sealed | None = sealed("message.subject")
    text: Sealed | None = sealed("message.text")
    rest: Sealed | None = sealed("message.rest")
    tier: str = ""
    rule: str = ""
    outcome: str = ""
    reason: str = ""
    letter: str = ""
    language: str = "ko"
    body_hash: str = Field(default="", index=True)
    evidence: dict[str, Any] = facts()
    waits: bool = False  # an agent must look at it
    chat_message_id: int | None = None
    # The conversation whose letter it answers, where that is somebody else's. No foreign key: what
    # becomes of that conversation must not become of this message.
    beside_id: int | None = Field(default=None, sa_type=BigId, index=True)


class MessageFile(SQLModel, table=True):
    """An attachment, encrypted at rest under its conversation's key.

    `content` is empty where it was over a limit or destroyed.
    """

    __tablename__ = "message_file"
    __table_args__ = (Index("ix_message_file_scan", "scan", "id"),)

    id: int | None = key()
    message_id: int = refers("message.id")
    name: Sealed | None = sealed("message_file.name")
    content_type: str = "application/octet-stream"
    size: int = 0
    content: Sealed | None = sealed("message_file.content")
    apart: list[str] = names()  # values of models.files.Apart; empty: it is simply opened
    scan: str = ""  # unscanned, clean, infected, failed; empty where there was no scanner
    finding: str = ""  # the scanner's word for it, or why it failed
    scan_tries: int = 0
