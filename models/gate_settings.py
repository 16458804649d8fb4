"""The gate over HTTP: where it listens alone, what it calls itself, how much one may ask."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class GateSettings(BaseModel):
    """`[gate_http]`. Host, port, processes, certificate and key are those of `subjectline gate serve`;
    the rest counts for the desk's own gate as well."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = ""  # empty: what the caller asked
    host: str = "127.0.0.1"
    port: int = Field(default=8082, ge=0, le=65535)
    processes: int = Field(default=2, ge=1, le=64)
    certificate: Path | None = None
    private_key: Path | None = None
    questions_a_second: int = Field(
        default=20_000, ge=0
    )  # of a caller, in each process; 0: no limit
    wrong_keys_a_minute: int = Field(default=30, ge=1)  # of an address

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key go together")
        return self
