"""The desk: everything a deed needs, built once by `intake.serve` and handed to each."""

import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import post
from subjectline.handlers.gate import Gate
from subjectline.handlers.gate_mirror import Mirrors
from subjectline.handlers.registry import Registry
from subjectline.handlers.understanding import Vocabulary
from subjectline.models.clock import Clock
from subjectline.models.datamap import DataMap
from subjectline.models.db import Database
from subjectline.models.desk_files import Periods
from subjectline.models.files import FileSettings
from subjectline.models.incoming import ID_MARK
from subjectline.models.keys import Vault
from subjectline.models.mail_settings import RETRY_SECONDS
from subjectline.models.mobile_settings import MobileSettings
from subjectline.models.recipient_settings import RecipientSettings
from subjectline.models.regimes import Regime, regime_named


@dataclass(frozen=True)
class Manner:
    """How this desk shows itself: its address, its pages, its regime and language of last resort."""

    address: str = "privacy@desk.test"
    reply_domain: str = ""  # of our reply addresses, where it is not the address's own
    public_url: str = "http://127.0.0.1:8080"
    regime: str = "kr-pipa"
    language: str = "ko"
    extra_holidays: tuple[date, ...] = ()
    plus_addresses: bool = True  # whether the mail server takes privacy+TOKEN@… in
    retry_seconds: tuple[float, ...] = RETRY_SECONDS  # between the tries of a letter
    sms: bool = False  # whether there is a way out by text message
    console_url: str = ""  # how agents reach the console, for links in their group
    agents_group: int = 0  # the chat in which proposals are shown to agents; 0: none
    mails_an_hour: int = 20  # of one sender are handled; the rest waits for an agent
    # So many letters of procedure a sender is sent within each of these; what comes then waits likewise.
    answers: tuple[tuple[timedelta, int], ...] = (
        (timedelta(hours=1), 10),
        (timedelta(days=1), 15),
        (timedelta(days=7), 30),
    )

    def reply_address(self, token: str) -> str:
        """`privacy@desk.test` and a token as `privacy+TOKEN@desk.test` (RFC 5233).

        Where the server knows no such addresses it is the plain one, and subjects carry a reference.
        """
        if not self.plus_addresses:
            return self.address
        local, _, domain = self.address.partition("@")
        return f"{local}+{token}@{self.reply_domain or domain}"

    def new_message_id(self) -> str:
        """A Message-ID of ours: 128 random bits, so that a report that names it is about our letter."""
        return f"<{secrets.token_hex(16)}{ID_MARK}@{self.address.rpartition('@')[2]}>"

    @property
    def law(self) -> Regime:
        """The regime with the operator's own days off."""
        return regime_named(self.regime).with_extra_days(self.extra_holidays)


@dataclass(frozen=True)
class Desk:
    """One desk. `write()` is a step: state, history, holds, audit and letters commit together."""

    db: Database
    vault: Vault
    clock: Clock
    data_map: DataMap
    registry: Registry
    gate: Gate
    vocabulary: Vocabulary
    manner: Manner = field(default_factory=Manner)
    keeps: Periods = field(default_factory=Periods)
    files: FileSettings = field(default_factory=FileSettings)
    mobile: MobileSettings | None = None  # who proves people by their mobile phone
    recipients: RecipientSettings = field(default_factory=RecipientSettings)
    mirrors: Mirrors = field(default_factory=Mirrors)  # of the companies' masking views
    # (rule, outcome) of what came in since the start: a counter for each intake rule
    ruled: Counter[tuple[str, str]] = field(default_factory=Counter)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A transaction that queues the letters its steps called for, then commits."""
        async with self.db.write() as session:
            yield session
            await post.flush(self, session)
        await self.gate.refresh()
