"""What is kept and for how long: consents, restrictions, legal holds, certificates, papers."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from subjectline.models.tables.columns import key, maybe_moment, moment, names, refers, sealed
from subjectline.models.types import Sealed


class ConsentEntry(SQLModel, table=True):
    """One line of the consent ledger: who, what, when, by which door, which text. Never changed.

    `consent` is a name of the data map, `membership` (collection and use), or `retention:<rule>`
    (longer than the law asks, then with the day `until`). Where the company's columns do not say
    when (`at_known` is false), `at` is when they were read.
    """

    __tablename__ = "consent_entry"
    __table_args__ = (
        UniqueConstraint("registry_id", "subject_id", "consent", "state", "at"),
        Index("ix_consent_entry_subject", "registry_id", "subject_id"),
    )

    id: int | None = key()
    registry_id: str
    subject_id: str
    consent: str
    state: str  # given, withdrawn
    at: datetime = moment()
    at_known: bool = True
    door: str  # mail, telegram, console, registry (read from the company's columns), cli
    text_version: str = ""
    columns: list[str] = names()  # which of the consent's columns were given
    until: str | None = None
    request_id: int | None = refers("request.id", nullable=True)
    noted_at: datetime = moment()


class Restriction(SQLModel, table=True):
    """A member suspected of false information (policy Article 3.6): the decision and its remedy."""

    __tablename__ = "restriction"
    __table_args__ = (Index("ix_restriction_subject", "registry_id", "subject_id"),)

    id: int | None = key()
    registry_id: str
    subject_id: str
    request_id: int = refers("request.id")  # the decision to restrict
    reason: Sealed | None = sealed("restriction.reason")
    state: str = "proposed"  # proposed, in_force, lifted, dropped
    decided_by: int | None = refers("agent.id", nullable=True)
    decided_at: datetime = moment()
    in_force_at: datetime | None = maybe_moment()
    lifting_id: int | None = refers("request.id", nullable=True)  # the decision to lift it
    remedy: Sealed | None = sealed("restriction.remedy")
    lifted_by: int | None = refers("agent.id", nullable=True)
    lifted_at: datetime | None = maybe_moment()


class LegalHold(SQLModel, table=True):
    """An officer's order that nothing of a member, of a request, or at all, is destroyed until a day."""

    __tablename__ = "legal_hold"

    id: int | None = key()
    registry_id: str | None = None
    subject_id: str | None = Field(default=None, index=True)
    request_id: int | None = refers("request.id", nullable=True)
    reason: str
    set_by: int = refers("agent.id", index=False)
    set_at: datetime = moment()
    ends_on: str
    lifted_at: datetime | None = maybe_moment()
    lifted_by: int | None = refers("agent.id", nullable=True, index=False)


class RetentionRun(SQLModel, table=True):
    """One look at everything that is due. `day` is a day of the regime's zone."""

    __tablename__ = "retention_run"

    id: int | None = key()
    day: str = Field(index=True)
    by: str
    started_at: datetime = moment()
    finished_at: datetime | None = maybe_moment()


class Certificate(SQLModel, table=True):
    """What was destroyed: kind, number, law, when, by whom, how. No personal data.

    `planned` is written before the first row goes, so that a run that was killed leaves a
    certificate that says so (`interrupted`) with the number that it was about to destroy.
    """

    __tablename__ = "certificate"

    id: int | None = key()
    run_id: int | None = refers("retention_run.id", nullable=True)
    kind: str  # archive, live, cases, conversations, audit, consents, paper
    what: str  # table or records
    rule: str
    law: str
    planned: int
    destroyed: int = 0
    spared: int = 0  # by a legal hold
    method: str
    state: str = "planned"  # planned, done, failed, interrupted
    told: str = ""
    by: str
    at: datetime = moment(index=True)


class Paper(SQLModel, table=True):
    """A paper that came in with a request, from its arrival to the shredder."""

    __tablename__ = "paper"

    id: int | None = key()
    request_id: int = refers("request.id")
    what: str
    place: str = ""  # where it is kept, in words
    received_at: datetime = moment()
    received_by: int | None = refers("agent.id", nullable=True, index=False)
    shredded_at: datetime | None = maybe_moment()
    shredded_by: int | None = refers("agent.id", nullable=True, index=False)
    witness: str = ""
