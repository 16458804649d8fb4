"""What the mail doors are told: how to reach the mailbox and the mail server. Sizes in bytes."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from subjectline.models.dkim import DOMAIN, SELECTOR
from subjectline.models.errors import SettingsError

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]

# Seconds to the next try after the first, second … failure; after the last the letter has failed.
RETRY_SECONDS = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 4 * 3600.0, 8 * 3600.0, 24 * 3600.0)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a doctor found: `sentence` is for the operator, and says the way out where `ok` is false."""

    ok: bool
    sentence: str


def is_loopback(host: str) -> bool:
    """Whether `host` is this very machine, where a password may travel without TLS."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# What mail programs and servers call the folder of suspected spam (RFC 6154 calls its use \\Junk).
SPAM_FOLDERS = frozenset(
    {
        "junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk", "bulk mail",
        "스팸", "스팸함", "스팸메일", "스팸메일함", "스팸편지함",
        "정크", "정크 메일", "정크메일", "정크 이메일",
    }
)  # fmt: skip
_SEPARATOR = re.compile(r"[/.\\]")


class OAuthSettings(BaseModel):
    """How an access token is had in place of a password (RFC 6749), for XOAUTH2 or OAUTHBEARER.

    With a `refresh_token` it is the account's own grant (section 6), without one the client's
    (section 4.4). `keep` is a file for the refresh token that a server gives in exchange.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_url: str
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = SecretStr("")
    refresh_token: SecretStr = SecretStr("")
    scope: str = ""
    keep: Path | None = None
    seconds: Seconds = 20  # for one answer of the token server
    retry_seconds: Seconds = 60  # after it refused us; doubles
    retry_max_seconds: Seconds = 3600

    @field_validator("token_url")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        parts = urlsplit(value)
        here = parts.scheme == "http" and is_loopback(parts.hostname or "")
        if not parts.hostname or not (parts.scheme == "https" or here):
            raise ValueError("a token server is reached by https://")
        return value

    @model_validator(mode="after")
    def _has_a_grant(self) -> Self:
        if not self.refresh_token.get_secret_value() and not self.client_secret.get_secret_value():
            raise ValueError("there must be a refresh_token or a client_secret")
        return self


class _Server(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(min_length=1)
    user: str = ""
    password: SecretStr = SecretStr("")
    oauth: OAuthSettings | None = None  # in place of the password
    ca_file: Path | None = None
    tls: Literal["tls", "starttls", "none"] = "tls"
    command_seconds: Seconds = 60  # silence on the line before it counts as dead

    @model_validator(mode="after")
    def _no_plain_text_over_a_network(self) -> Self:
        if self.tls == "none" and not is_loopback(self.host):
            raise SettingsError(
                f'tls = "none" would send the password in the clear to {self.host}',
                field="tls",
                remedy='Use tls = "tls"; "none" is for a server on this machine only.',
            )
        return self

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        if self.oauth is not None and self.password.get_secret_value():
            raise ValueError("a password and oauth at once: take one of them out")
        if self.oauth is not None and not self.user:
            raise ValueError("oauth needs the user whose mail it is")
        return self

    @model_validator(mode="after")
    def _ca_file_is_there(self) -> Self:
        if self.ca_file is not None and not self.ca_file.is_file():
            raise SettingsError(
                f"there is no certificate file {self.ca_file}",
                field="ca_file",
                remedy="Name a PEM file, or leave it out to trust the system's authorities.",
            )
        return self


class DnsSettings(BaseModel):
    """Who is asked for DKIM keys and DMARC policies, and how long we wait for it.

    `nameservers` are addresses; empty means those of the system.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    nameservers: tuple[str, ...] = ()
    port: Port = 53
    lookup_seconds: Seconds = 1.5  # one name
    mail_seconds: Seconds = 3  # all names that one mail asks for

    @field_validator("nameservers")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            ip_address(one)
        return value


class DkimSettings(BaseModel):
    """A key that our letters are signed with; its public half stands at selector._domainkey.domain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: str
    selector: str
    key_file: Path

    @field_validator("domain", "selector")
    @classmethod
    def _is_a_name(cls, value: str, info: ValidationInfo) -> str:
        value = value.lower()
        if not (DOMAIN if info.field_name == "domain" else SELECTOR).match(value):
            raise ValueError(f"{value!r} is not a {info.field_name}")
        return value


class MailboxSettings(_Server):
    """The IMAP mailbox that the desk reads; `processed` and `quarantine` are made where they are missing.

    `folders` are read besides `folder`; what lies in one of spam goes to `quarantine`. A mail over
    `max_mail_bytes` is not fetched: its header alone is handed over. `verify_dkim`: where no border
    server of ours says what it found, signatures are verified by the desk itself.
    """

    port: Port = 993
    user: str = Field(min_length=1)
    tls: Literal["tls", "none"] = "tls"
    folder: str = "INBOX"
    folders: tuple[str, ...] = ()
    processed: str = "Processed"
    quarantine: str = "Quarantine"
    poll_seconds: Seconds = 60  # where the server cannot IDLE, and for `folders`
    # An IDLE is renewed after this, so that a dead line is noticed; servers end one after 30 minutes.
    idle_seconds: Annotated[float, Field(gt=0, le=29 * 60)] = 300
    retry_seconds: Seconds = 1  # first wait after a loss; doubles
    retry_max_seconds: Seconds = 120
    max_mail_bytes: int = Field(default=25 * 1024 * 1024, ge=1024)
    verify_dkim: bool = True

    @property
    def name(self) -> str:
        """The mailbox's name in our own table: with UIDVALIDITY and UID it names one mail for good."""
        return self.name_of(self.folder)

    @property
    def read(self) -> tuple[str, ...]:
        """The folders that are read, the one where mail arrives first."""
        return tuple(dict.fromkeys((self.folder, *self.folders)))

    def name_of(self, folder: str) -> str:
        """The name of one of the folders in our own table."""
        return f"{self.user}@{self.host}/{folder}"

    @model_validator(mode="after")
    def _reads_no_folder_that_it_fills(self) -> Self:
        if both := {self.processed, self.quarantine} & set(self.read):
            raise ValueError(f"the folder {min(both)!r} is read and filled at once")
        return self


def is_spam_folder(name: str) -> bool:
    """Whether a folder is by its name one of suspected spam: `Junk`, `[Gmail]/스팸함`, `INBOX.Spam`."""
    return _SEPARATOR.split(name)[-1].strip().casefold() in SPAM_FOLDERS


class SmtpSettings(_Server):
    """The mail server that takes our letters.

    Replies go to `<local part>+<token>@<reply_to_domain>`, or to the domain of `from_address`.
    """

    port: Port = 465
    from_address: str = Field(pattern=r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[^\s<>@,;:\"\\]+$")
    from_name: str = Field(default="", pattern=r"^[^\r\n\x00]*$")
    reply_to_domain: str = Field(default="", pattern=r"^[^\s<>@,;:\"\\]*$")
    keep_seconds: Seconds = 30  # an unused connection is asked with NOOP after this
    connections: int = Field(default=4, ge=1, le=50)  # at once; one domain leaves one of them free
    dkim: tuple[DkimSettings, ...] = ()  # each signs every letter

    @property
    def from_domain(self) -> str:
        """The domain of `from_address`: the name in EHLO and in our Message-IDs."""
        return self.from_address.rpartition("@")[2]

    @property
    def reply_domain(self) -> str:
        """The domain of our reply addresses."""
        return self.reply_to_domain or self.from_domain
