"""Columns that many tables have, in one place so that they are the same everywhere."""

from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlmodel import Field

from subjectline.models.types import BigId, SealedColumn, Utc


def key() -> Any:
    """The bigint that never leaves the house."""
    return Field(default=None, primary_key=True, sa_type=BigId)


def refers(target: str, *, nullable: bool = False, index: bool = True) -> Any:
    """A reference to another table's key (`table.id`)."""
    if nullable:
        return Field(default=None, sa_type=BigId, sa_column_args=[ForeignKey(target)], index=index)
    return Field(sa_type=BigId, sa_column_args=[ForeignKey(target)], index=index)


def moment(*, index: bool = False) -> Any:
    """A time that is always there."""
    return Field(sa_type=Utc, index=index)


def maybe_moment(*, index: bool = False) -> Any:
    """A time that may not have come yet."""
    return Field(default=None, sa_type=Utc, index=index)


def sealed(place: str) -> Any:
    """Sealed bytes of one column, or nothing."""
    return Field(default=None, sa_type=SealedColumn(place))


def facts() -> Any:
    """A small JSON object without personal data."""
    return Field(default_factory=dict, sa_type=JSON)


def names() -> Any:
    """A JSON list of names (fields, purposes)."""
    return Field(default_factory=list, sa_type=JSON)
