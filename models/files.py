"""What may be attached, and why a file is kept apart. Sizes in bytes."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

MEGA = 1024 * 1024
Bytes = Annotated[int, Field(ge=1024)]


class Apart(StrEnum):
    """Why a file is not simply opened. The words for agents stand in the console's words."""

    RESIDENT_NUMBER = "resident_number"  # one was read in it
    MAY_SHOW = "may_show"  # by its name or by the letter a paper that shows one
    TURNED_NAME = "turned_name"  # marks in its name that turn letters round
    DOUBLE_ENDING = "double_ending"  # photo.jpg.exe
    PROGRAM = "program"
    SCRIPT = "script"
    SHORTCUT = "shortcut"
    MARKUP = "markup"  # HTML, SVG
    MACROS = "macros"
    EMBEDDED = "embedded"  # a document that carries or starts something else
    DISK_IMAGE = "disk_image"
    ARCHIVE_ENCRYPTED = "archive_encrypted"
    ARCHIVE_CLOSED = "archive_closed"  # of a kind that cannot be looked into
    ARCHIVE_TOO_MUCH = "archive_too_much"  # too large, too many or too deep inside
    INSIDE = "inside"  # an archive or a mail with something of the above in it
    INFECTED = "infected"
    OVER_FILE = "over_file"  # larger than one file may be: not kept
    OVER_ALL = "over_all"  # the mail's files together: not kept
    OVER_COUNT = "over_count"  # one too many: not kept
    DESTROYED = "destroyed"  # by an agent


NUMBERS = frozenset({Apart.RESIDENT_NUMBER})
NOT_KEPT = frozenset({Apart.OVER_FILE, Apart.OVER_ALL, Apart.OVER_COUNT, Apart.DESTROYED})

Scan = Literal["", "unscanned", "clean", "infected", "failed"]  # empty: there was no scanner


class FileSettings(BaseModel):
    """Limits of what is attached to one mail, and the virus scanner.

    What is over a limit is named to agents and not kept. A power of attorney is destroyed `mandate_days`
    after it was accepted or refused. `clamd`: `unix:/run/clamav/clamd.ctl` or
    `tcp:127.0.0.1:3310`; empty means that nothing is scanned. `clamd_max_bytes` is clamd's own
    StreamMaxLength; a larger file is not sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_file_bytes: Bytes = 10 * MEGA
    max_files: int = Field(default=20, ge=1)
    max_all_bytes: Bytes = 25 * MEGA
    mandate_days: int = Field(default=7, ge=0, le=90)
    clamd: str = ""
    clamd_seconds: Annotated[float, Field(gt=0)] = 60
    clamd_max_bytes: Bytes = 25 * MEGA

    @field_validator("clamd")
    @classmethod
    def _names_a_socket(cls, value: str) -> str:
        kind, _, rest = value.partition(":")
        host, _, port = rest.rpartition(":")
        tcp = kind == "tcp" and bool(host) and port.isdecimal() and 0 < int(port) < 65536
        if value and not tcp and not (kind == "unix" and rest.startswith("/")):
            raise ValueError("write unix:/path/of/clamd.ctl or tcp:host:port")
        return value
