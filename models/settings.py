"""Settings: `subjectline.toml`, overridden by SUBJECTLINE_<SECTION>__<KEY>; unknown keys are refused.

Any secret may be given as itself, as `<name>_file` (a file whose text it is) or as `<name>_command`
(a command that prints it).
"""

import shlex
import subprocess
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from subjectline.models.desk_files import Periods
from subjectline.models.errors import SettingsError
from subjectline.models.files import FileSettings
from subjectline.models.gate_settings import GateSettings
from subjectline.models.mail_settings import (
    RETRY_SECONDS,
    DnsSettings,
    MailboxSettings,
    SmtpSettings,
)
from subjectline.models.mobile_settings import MobileSettings
from subjectline.models.recipient_settings import RecipientSettings
from subjectline.models.sms_settings import SmsSettings

TELEGRAM_HOOK = "/hooks/telegram"  # of the public application
FILES = ("ca_file", "key_file")  # settings of their own: the file itself is meant, not its text


class Section(BaseModel):
    """One section of the file. Secrets listed in `secrets` may come from a file or a command."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DeskSection(Section):
    """The desk as people see it."""

    regime: str = ""  # empty: the data map's company.regime
    language: str = "ko"
    public_url: str = "http://127.0.0.1:8080"
    console_url: str = ""  # empty: no links to the console
    data_dir: Path = Path("var")
    address: str = "privacy@desk.test"
    authserv_ids: tuple[str, ...] = ()
    extra_holidays: tuple[date, ...] = ()
    retry_seconds: tuple[float, ...] = Field(default=RETRY_SECONDS, min_length=1)


class DatabaseSection(Section):
    url: str = ""  # empty: SQLite in data_dir


class KeysSection(Section):
    ring: Path | None = None  # empty: data_dir/keyring.json
    store: Path | None = None  # empty: data_dir/keys.db


class RegistrySection(Section):
    """The company's data: the map, and a URL for each connection that the map names.

    `write_urls` are of roles that may write; with one, the role of `urls` is only ever read with.
    `mirror_urls` are of the role that keeps the gate's masking views current, where there are any.
    """

    map: Path
    urls: dict[str, SecretStr] = Field(default_factory=dict)
    write_urls: dict[str, SecretStr] = Field(default_factory=dict)
    mirror_urls: dict[str, SecretStr] = Field(default_factory=dict)


class TelegramSection(Section):
    """The bot. `updates` says whether the desk asks Telegram for them or is called at `webhook_url`."""

    token: SecretStr | None = None
    base_url: str = "https://api.telegram.org/bot"
    base_file_url: str = "https://api.telegram.org/file/bot"
    updates: Literal["polling", "webhook"] = "polling"
    webhook_url: str = ""  # empty: TELEGRAM_HOOK below desk.public_url
    webhook_connections: int = Field(default=1, ge=1, le=100)
    agents_group: int = Field(default=0, le=0)  # a group's number is below zero


class ListenSection(Section):
    """Where the two applications listen. One port for both where they are equal."""

    host: str = "127.0.0.1"
    public_port: int = 8080
    internal_port: int = 8081


class Settings(BaseSettings):
    """Everything the operator decides."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="SUBJECTLINE_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    desk: DeskSection = DeskSection()
    database: DatabaseSection = DatabaseSection()
    keys: KeysSection = KeysSection()
    registry: RegistrySection
    retention: Periods = Periods()
    attachments: FileSettings = FileSettings()
    mailboxes: tuple[MailboxSettings, ...] = ()
    smtp: SmtpSettings | None = None
    dns: DnsSettings = DnsSettings()
    sms: SmsSettings | None = None
    telegram: TelegramSection = TelegramSection()
    gate_http: GateSettings = GateSettings()
    mobile_identity: MobileSettings | None = None
    recipients: RecipientSettings = RecipientSettings()
    listen: ListenSection = ListenSection()

    @model_validator(mode="after")
    def a_door_needs_a_way_out(self) -> "Settings":
        if self.mailboxes and self.smtp is None:
            raise ValueError("mailboxes are read but there is no [smtp] to answer with")
        return self

    @property
    def hook(self) -> str:
        """Where Telegram posts the bot's updates; empty where the desk asks for them."""
        if self.telegram.updates != "webhook":
            return ""
        return self.telegram.webhook_url or self.desk.public_url.rstrip("/") + TELEGRAM_HOOK

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def load_settings(path: Path) -> Settings:
    """The settings in a TOML file, overridden by the environment.

    Raises SettingsError, one sentence that names the field, the rule and the way out.
    """
    try:
        raw = tomllib.loads(path.read_text())
    except FileNotFoundError as gone:
        raise SettingsError(
            f"there is no {path}", remedy="Write one with: subjectline settings --example > FILE"
        ) from gone
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise SettingsError(f"{path} is not TOML: {wrong}") from wrong
    try:
        return Settings(**resolve_secrets(raw))
    except ValidationError as wrong:
        raise SettingsError(*_first_fault(wrong)) from wrong


def resolve_secrets(value: Any, where: str = "") -> Any:
    """Replaces `<name>_file` and `<name>_command` by `<name>` with what they hold."""
    if isinstance(value, list):
        return [resolve_secrets(item, where) for item in value]
    if not isinstance(value, dict):
        return value
    return dict(_resolved(name, item, f"{where}.{name}".strip(".")) for name, item in value.items())


def _resolved(name: str, item: Any, where: str) -> tuple[str, Any]:
    if name.endswith("_command") and isinstance(item, str):
        return name.removesuffix("_command"), _printed(item, where)
    if name.endswith("_file") and name not in FILES and isinstance(item, str):
        return name.removesuffix("_file"), _read(Path(item), where)
    return name, resolve_secrets(item, where)


def _read(path: Path, where: str) -> str:
    try:
        return path.read_text().strip()
    except OSError as wrong:
        raise SettingsError(f"the file cannot be read: {wrong.strerror}", field=where) from wrong


def _printed(command: str, where: str) -> str:
    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as wrong:
        raise SettingsError("the command did not print a secret", field=where) from wrong
    return done.stdout.strip()


def _first_fault(wrong: ValidationError) -> tuple[str]:
    fault = wrong.errors()[0]
    field = ".".join(str(part) for part in fault["loc"])
    more = f" (and {wrong.error_count() - 1} more)" if wrong.error_count() > 1 else ""
    return (f"{field or 'settings'}: {fault['msg']}{more}",)
