"""Proofs of a person that are no code: mobile identity proof, and those who act for somebody else."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from subjectline.models.tables.columns import key, maybe_moment, moment, names, refers, sealed
from subjectline.models.types import BigId, Sealed


class MobileProof(SQLModel, table=True):
    """One visit to the provider, for one request and one browser. The result itself is never kept.

    Hashes of three secrets that no one party has together: the nonce goes through the provider, the
    browser's stays in its cookie, the carried one comes with the browser that brought the result.
    """

    __tablename__ = "mobile_proof"

    id: int | None = key()
    request_id: int = refers("request.id")
    nonce_hash: bytes = Field(unique=True)
    browser_hash: bytes
    carried_hash: bytes | None = Field(default=None, unique=True)
    state: str = "begun"  # begun, arrived, proven, nobody
    registry_id: str | None = None
    subject_id: str | None = None  # whom the result fits, once it arrived
    made_at: datetime = moment()
    expires_at: datetime = moment()
    arrived_at: datetime | None = maybe_moment()


class Mandate(SQLModel, table=True):
    """Somebody who acts for a member: by a power of attorney, or as a guardian (PIPA 38, Decree 45).

    It belongs to the conversation in which the proxy writes. Names and reasons are sealed under that
    conversation's key; consent is the guardian's (PIPA 22-2): who, when, how it was confirmed.
    """

    __tablename__ = "mandate"

    id: int | None = key()
    conversation_id: int = refers("conversation.id")
    # The request it was recorded at; no foreign key, for it outlives that request.
    request_id: int = Field(sa_type=BigId, index=True)
    kind: str  # attorney, guardian, representative
    proxy: Sealed | None = sealed("mandate.proxy")  # the name
    registry_id: str
    subject_id: str = Field(index=True)  # the member they act for
    rights: list[str] = names()
    fields: list[str] = names()  # names of the data map, or ["*"]
    expires_on: str  # the last day, in the regime's zone
    file_id: int | None = Field(default=None, sa_type=BigId)  # the paper, where it was uploaded
    consent_by: Sealed | None = sealed("mandate.consent_by")
    consent_how: str = ""
    consent_on: str = ""
    contact_checked: str = ""  # how the proxy's own contact was checked: reply, call, papers
    state: str = Field(default="recorded", index=True)  # recorded, accepted, refused, stopped
    recorded_by: int = refers("agent.id", index=False)
    recorded_at: datetime = moment()
    decided_by: int | None = refers("agent.id", nullable=True, index=False)
    decided_at: datetime | None = maybe_moment()
    reason: Sealed | None = sealed("mandate.reason")  # of a refusal or a stop, in the agent's words
    told: str = ""  # by which kind of contact the member was told; nobody: there was none
    stopped_at: datetime | None = maybe_moment()
    stopped_by: str = ""  # an account: member, agent:<id>
    paper_gone_at: datetime | None = maybe_moment()


class MandateUse(SQLModel, table=True):
    """Which requests were opened under which mandate."""

    __tablename__ = "mandate_use"

    mandate_id: int = Field(primary_key=True, foreign_key="mandate.id")
    request_id: int = Field(primary_key=True, foreign_key="request.id", index=True)
    at: datetime = moment()
