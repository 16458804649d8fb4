"""Agents, their sessions, and the audit row in its final columns."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from subjectline.models.tables.columns import facts, key, maybe_moment, moment, refers


class Agent(SQLModel, table=True):
    """A customer-service agent, officer or operator of the desk."""

    __tablename__ = "agent"

    id: int | None = key()
    login: str = Field(unique=True)
    name: str
    password_hash: str
    role: str = "agent"  # agent, officer
    language: str = "ko"
    telegram_id: str | None = Field(default=None, unique=True)
    link_hash: bytes | None = None  # of the code that links a Telegram account
    link_until: datetime | None = maybe_moment()
    made_at: datetime = moment()
    disabled_at: datetime | None = maybe_moment()
    failed: int = 0
    locked_until: datetime | None = maybe_moment()


class AgentSession(SQLModel, table=True):
    """A signed-in browser; the cookie's token is kept only as a hash."""

    __tablename__ = "agent_session"

    id: int | None = key()
    token_hash: bytes = Field(unique=True)
    agent_id: int = refers("agent.id")
    csrf: str
    made_at: datetime = moment()
    seen_at: datetime = moment()
    expires_at: datetime = moment()


class Audit(SQLModel, table=True):
    """Who saw or changed whose data, when, where and why; append only.

    Access records by PIPA's safety standard: account, time, place, whose data, what was done.
    `chain` is kept for the sealed record (each row's hash over the one before).
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject", "registry_id", "subject_id"),)

    id: int | None = key()
    at: datetime = moment(index=True)
    account: str  # agent:<id>, system, member, caller:<name>
    place: str  # door and address
    registry_id: str | None = None
    subject_id: str | None = None
    action: str = Field(index=True)
    object: str = ""  # table and key, or page
    request_id: int | None = refers("request.id", nullable=True)
    reason: str = ""
    outcome: str = "ok"
    facts: dict[str, Any] = facts()
    chain: bytes | None = None
