"""The systems that ask the gate over HTTP, each known by a key that is kept only as a hash."""

import secrets
from collections.abc import Sequence
from hashlib import sha256

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers.gate_policy import DESK, RIGHTS_HANDLING
from subjectline.models.clock import Clock, system_clock
from subjectline.models.errors import NotPermitted
from subjectline.models.tables import GateCaller

PREFIX = "slg_"


async def add_caller(
    session: AsyncSession,
    name: str,
    purposes: Sequence[str],
    recipients: Sequence[str] = (),
    clock: Clock = system_clock,
) -> str:
    """A new caller, or a new key and scope for one of that name. Returns the key, told only now.

    `("*",)` means all purposes or recipients; without recipients it asks for the company's own use.
    Raises NotPermitted for what is the desk's alone.
    """
    if name == DESK or RIGHTS_HANDLING in purposes:
        raise NotPermitted(
            f"{DESK!r} and {RIGHTS_HANDLING!r} are the desk's own",
            field="caller",
            remedy="Name another caller, with the purposes that it has.",
        )
    key = PREFIX + secrets.token_urlsafe(32)
    row = (await session.exec(select(GateCaller).where(GateCaller.name == name))).one_or_none()
    if row is None:
        row = GateCaller(name=name, key_hash=b"", made_at=clock())
    row.key_hash, row.disabled_at = _hash(key), None
    row.purposes, row.recipients = list(purposes), list(recipients)
    session.add(row)
    await session.flush()
    return key


async def authenticate(session: AsyncSession, key: str) -> GateCaller | None:
    """Whose key this is; None if nobody's, or of a caller that was disabled.

    A key has 256 random bits, so its plain SHA-256 can be looked up: there is nothing to guess.
    """
    found = await session.exec(
        select(GateCaller).where(
            GateCaller.key_hash == _hash(key), col(GateCaller.disabled_at).is_(None)
        )
    )
    return found.first()


def _hash(key: str) -> bytes:
    return sha256(key.encode("utf-8", "surrogateescape")).digest()
