"""What the desk is told about the recipients of data: how each is reached, and when they are chased."""

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from subjectline.models.mail_settings import is_loopback
from subjectline.models.mobile_settings import SHORTEST_SECRET

_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+")

Way = Literal["webhook", "mail", "hand"]


class Reach(BaseModel):
    """How one recipient is told: by `webhook` (https) or by `mail`. `language` is of their letters.

    `secret` signs what is posted; while it is changed, `secret_before` signs as well.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    webhook: str = ""
    secret: SecretStr | None = None
    secret_before: SecretStr | None = None
    mail: str = ""
    language: Literal["ko", "en"] = "ko"

    @property
    def way(self) -> Way:
        return "webhook" if self.webhook else "mail"

    @field_validator("webhook")
    @classmethod
    def _https(cls, url: str) -> str:
        """TLS, but on this very machine: corrected values travel there."""
        parts = urlsplit(url)
        local = parts.scheme == "http" and is_loopback(parts.hostname or "")
        if url and not (parts.hostname and (parts.scheme == "https" or local)):
            raise ValueError("a webhook is an https address")
        if parts.username or parts.password:
            raise ValueError("a webhook's address holds no password; its secret signs")
        return url

    @field_validator("mail")
    @classmethod
    def _address(cls, address: str) -> str:
        if address and not _ADDRESS.fullmatch(address):
            raise ValueError("mail is one plain address")
        return address

    @field_validator("secret", "secret_before")
    @classmethod
    def _long(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"the secret has at least {SHORTEST_SECRET} characters")
        return secret

    @model_validator(mode="after")
    def _one_way(self) -> "Reach":
        if bool(self.webhook) == bool(self.mail):
            raise ValueError("a recipient is told by webhook or by mail: name one of them")
        if self.webhook and self.secret is None:
            raise ValueError("a webhook needs a secret")
        return self


class RecipientSettings(BaseModel):
    """`reach` has an entry for each recipient of the data map that the desk tells by itself.

    Who does not acknowledge is told again `remind_days` after; `task_days` after it was told, an agent
    is. `seconds` is how long a webhook may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reach: dict[str, Reach] = Field(default_factory=dict)
    remind_days: tuple[float, ...] = (3.0, 7.0)
    task_days: float = Field(default=10.0, gt=0)
    seconds: float = Field(default=10.0, gt=0, le=60)

    @field_validator("remind_days")
    @classmethod
    def _in_order(cls, days: tuple[float, ...]) -> tuple[float, ...]:
        if any(day <= 0 for day in days) or list(days) != sorted(set(days)):
            raise ValueError("reminders are days after the first, each later than the one before")
        return days

    @model_validator(mode="after")
    def _task_last(self) -> "RecipientSettings":
        if self.remind_days and self.task_days <= self.remind_days[-1]:
            raise ValueError("task_days comes after the last reminder")
        return self
