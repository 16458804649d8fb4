"""Proofs of a person that are no code: what was begun with a provider of mobile identity proof."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from subjectline.models.tables.columns import key, maybe_moment, moment, refers


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
