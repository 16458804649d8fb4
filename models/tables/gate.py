"""The gate: holds with gap-free revisions, its callers and the ledger of uses."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from subjectline.models.tables.columns import key, maybe_moment, moment, names, refers


class GateHead(SQLModel, table=True):
    """One row. Locked to the commit by every hold and release, so that revisions have no gap."""

    __tablename__ = "gate_head"

    id: int = Field(default=1, primary_key=True)
    revision: int = 0


class Hold(SQLModel, table=True):
    """Fields of one member that may not be used. `["*"]` means all of them."""

    __tablename__ = "hold"
    __table_args__ = (
        Index("ix_hold_subject", "registry_id", "subject_id", "ended_at"),
        Index("ix_hold_revision", "revision"),
        Index("ix_hold_ended_revision", "ended_revision"),
    )

    id: int | None = key()
    request_id: int = refers("request.id")
    registry_id: str
    subject_id: str
    fields: list[str] = names()
    purposes: list[str] = names()
    recipients: list[str] = names()
    kind: str  # provisional, firm, standing
    cause: str  # the request's kind
    revision: int
    ended_revision: int | None = None
    started_at: datetime = moment()
    ended_at: datetime | None = maybe_moment()
    end_cause: str = ""


class GateCaller(SQLModel, table=True):
    """A system that asks the gate."""

    __tablename__ = "gate_caller"

    id: int | None = key()
    name: str = Field(unique=True)
    purposes: list[str] = names()
    recipients: list[str] = names()
    made_at: datetime = moment()
    disabled_at: datetime | None = maybe_moment()


class GateKey(SQLModel, table=True):
    """A caller's key, of which only the hash is kept. It ends with its row, or at `until`."""

    __tablename__ = "gate_key"

    id: int | None = key()
    caller_id: int = refers("gate_caller.id")
    key_hash: bytes = Field(unique=True)
    made_at: datetime = moment()
    until: datetime | None = maybe_moment()
    last_used_at: datetime | None = maybe_moment()


class GateUse(SQLModel, table=True):
    """How often a caller asked for a member's held field on a day and what it got; never a value."""

    __tablename__ = "gate_use"
    __table_args__ = (
        UniqueConstraint("caller", "registry_id", "subject_id", "field", "purpose", "day"),
    )

    id: int | None = key()
    caller: str
    registry_id: str
    subject_id: str = Field(index=True)
    field: str
    purpose: str
    day: str
    permits: int = 0
    denials: int = 0
    overrides: int = 0
    # Of the permits: what a client that only observes let through. Older code does not write it.
    unenforced: int = Field(0, sa_column_kwargs={"server_default": "0"})


class GateReach(SQLModel, table=True):
    """Since when all revisions up to this one are in force in every form of the gate."""

    __tablename__ = "gate_reach"

    revision: int = Field(primary_key=True)
    at: datetime = moment()
