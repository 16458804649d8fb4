"""The request: one right, one clock, one state; its history, proofs, proposals and work."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
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


class Request(SQLModel, table=True):
    """One right asked for. Only `handlers.requests.advance` changes `state` and `version`."""

    __tablename__ = "request"
    __table_args__ = (Index("ix_request_queue", "state", "due_at"),)

    id: int | None = key()
    reference: str = Field(unique=True)
    group_id: str = Field(index=True)  # requests of one message share one challenge
    conversation_id: int = refers("conversation.id")
    kind: str
    regime: str = "kr-pipa"
    state: str = "received"
    version: int = 0
    language: str = "ko"
    registry_id: str | None = None
    subject_id: str | None = Field(default=None, index=True)
    level: str = "claimed"  # claimed, channel, contact, document
    fields: list[str] = names()
    wish: Sealed | None = sealed("request.wish")  # values, old and new, as JSON
    key_id: str
    arrived_at: datetime = moment()
    due_at: datetime = moment()
    due_on: str  # the date people see, in the regime's zone
    derivation: list[str] = names()
    ground: str = ""  # of a refusal, from the regime's list
    taken_by: int | None = refers("agent.id", nullable=True)
    follows_id: int | None = refers("request.id", nullable=True)
    clarified: int = 0
    reminded_at: datetime | None = maybe_moment()
    halfway_at: datetime | None = maybe_moment()  # when the chat heard that it is still open
    closed_at: datetime | None = maybe_moment()


class RequestMessage(SQLModel, table=True):
    """Which messages belong to which requests (many to many)."""

    __tablename__ = "request_message"

    request_id: int = Field(primary_key=True, foreign_key="request.id")
    message_id: int = Field(primary_key=True, foreign_key="message.id", index=True)
    source: bool = False  # this one started the clock


class History(SQLModel, table=True):
    """Every step of a request, never changed. `facts` holds names and times, no values."""

    __tablename__ = "history"
    __table_args__ = (UniqueConstraint("request_id", "version"),)

    id: int | None = key()
    request_id: int = refers("request.id")
    version: int
    at: datetime = moment()
    event: str
    before: str
    after: str
    actor: str  # system, member, agent:<id>
    facts: dict[str, Any] = facts()


class Challenge(SQLModel, table=True):
    """A one-time code (or the signed reply address) that proves a contact for a group of requests.

    `purpose` is `identity`, or `new_contact`: then it proves for one request (`request_id`, `field`)
    that a contact which is to be registered can be reached. `asked` says who caused it: `aligned` (the
    address itself, authenticated), `unknown` (a mail that only says so), `linked` (a chat of that
    member), `other`.
    """

    __tablename__ = "challenge"
    __table_args__ = (
        Index("ix_challenge_subject", "registry_id", "subject_id"),
        Index("ix_challenge_contact", "contact_index"),
    )

    id: int | None = key()
    group_id: str = Field(index=True)
    conversation_id: int = refers("conversation.id")
    code_hash: bytes
    token_hash: bytes = Field(index=True)  # of the reply address
    contact_kind: str
    contact_index: bytes  # where it was sent
    registry_id: str | None = None
    subject_id: str | None = None  # who is proven by it; NULL: the address alone
    made_at: datetime = moment()
    expires_at: datetime = moment()
    tries: int = 0
    state: str = "open"  # open, proven, spent, replaced
    purpose: str = "identity"
    asked: str = ""
    # Neither a foreign key: what becomes of the request must not keep a spent code.
    request_id: int | None = Field(default=None, sa_type=BigId)
    field: str = ""
    contact: Sealed | None = sealed("challenge.contact")  # where it was sent


class Link(SQLModel, table=True):
    """A one-time link to a secure page; the token itself is never kept."""

    __tablename__ = "link"

    id: int | None = key()
    token_hash: bytes = Field(unique=True)
    request_id: int = refers("request.id")
    purpose: str  # result, status, code, confirm, upload
    made_at: datetime = moment()
    expires_at: datetime = moment()
    opened_at: datetime | None = maybe_moment()
    session_hash: bytes | None = None  # of the cookie that the opening gave
    passwords: int = 0  # how often a password for the archive was shown


class Export(SQLModel, table=True):
    """What a person's request for access gathered, sealed under the request's key until it expires.

    `content` is the head: PIPA's five items and the tables, without their rows, which stand in
    `export_part`. Emptied when it expires.
    """

    __tablename__ = "export"

    id: int | None = key()
    request_id: int = refers("request.id")
    made_at: datetime = moment()
    expires_at: datetime = moment(index=True)
    state: str = "ready"  # gathering, ready
    content: Sealed | None = sealed("export.content")
    counts: dict[str, Any] = facts()  # per table: rows, and what was withheld by reason
    opened_at: datetime | None = maybe_moment()  # the first time, by the person
    receipts: dict[str, Any] = facts()  # page, pdf, archive, json: the first time of each


class ExportPart(SQLModel, table=True):
    """Some hundred rows of one table of an export: a large one is never whole in memory."""

    __tablename__ = "export_part"
    __table_args__ = (UniqueConstraint("export_id", "table", "first"),)

    id: int | None = key()
    export_id: int = refers("export.id", index=False)
    table: int  # its place among the tables of the head
    first: int  # the number of its first row in the table, from 0
    rows: int
    content: Sealed | None = sealed("export_part.content")  # JSON lines, an object a row


class Proposal(SQLModel, table=True):
    """An answer as it would leave, byte for byte: canonical JSON (RFC 8785), sealed, with its SHA-256."""

    __tablename__ = "proposal"

    id: int | None = key()
    request_id: int = refers("request.id")
    envelope: Sealed | None = sealed("proposal.envelope")
    sha256: str = Field(index=True)
    outcome: str  # fulfil, partial, refuse
    drafted_by: str  # system, agent:<id>
    touched: bool = False  # a person changed text or changes
    needs: int = 1  # signatures
    made_at: datetime = moment()
    state: str = "open"  # open, approved, void, spent


class Approval(SQLModel, table=True):
    """One agent's signature under one proposal's bytes."""

    __tablename__ = "approval"
    __table_args__ = (UniqueConstraint("proposal_id", "agent_id"),)

    id: int | None = key()
    proposal_id: int = refers("proposal.id")
    agent_id: int = refers("agent.id")
    sha256: str
    at: datetime = moment()


class Attempt(SQLModel, table=True):
    """One try to write a change set into the registry; committed before the registry is touched."""

    __tablename__ = "attempt"

    id: int | None = key()
    request_id: int = refers("request.id")
    apply_id: str = Field(index=True)
    at: datetime = moment()
    outcome: str = "running"  # running, applied, conflict, away, partly
    detail: dict[str, Any] = facts()  # per connection, without values
    proof: Sealed | None = sealed("attempt.proof")  # before and after


class ManualCopy(SQLModel, table=True):
    """A copy that only a person can correct: a paper archive, a partner's system.

    Made when the registry has been written; the request stays `applying` until each has its tick.
    """

    __tablename__ = "manual_copy"
    __table_args__ = (UniqueConstraint("proposal_id", "number"),)

    id: int | None = key()
    request_id: int = refers("request.id")
    proposal_id: int = refers("proposal.id", index=False)
    number: int  # its place in the envelope
    field: str
    place: str = ""  # table.column, or what the data map says
    labels: dict[str, Any] = facts()  # ko, en
    made_at: datetime = moment()
    done_at: datetime | None = maybe_moment()
    done_by: int | None = refers("agent.id", nullable=True, index=False)


class Statement(SQLModel, table=True):
    """What a member says against a refused correction; it stands beside the fields in their exports."""

    __tablename__ = "statement"

    id: int | None = key()
    request_id: int = refers("request.id")
    text: Sealed | None = sealed("statement.text")
    fields: list[str] = names()
    door: str  # mail, telegram; console: an agent entered it
    account: str
    at: datetime = moment()


class Task(SQLModel, table=True):
    """Work that must happen after a commit: apply, export, mirror, webhook."""

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("kind", "target"),
        Index("ix_task_due", "outcome", "due_at"),
    )

    id: int | None = key()
    kind: str
    target: str
    due_at: datetime = moment()
    leased_until: datetime | None = maybe_moment()
    attempts: int = 0
    outcome: str = "due"  # due, done, failed
    reason: str = ""
