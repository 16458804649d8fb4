"""What the desk is told about a provider of mobile identity proof (휴대전화 본인확인)."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

SHORTEST_SECRET = 32  # characters: a key for HMAC-SHA-256 has 256 bits (RFC 2104, section 3)


class MobileSettings(BaseModel):
    """A provider as Danal is one. Without `[mobile_identity]` nobody is offered this proof.

    `url` is the provider's page, `client` what it calls us, `secret` signs both ways. A proof that was
    begun must be over within `minutes`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    client: str = Field(min_length=1)
    secret: SecretStr
    minutes: int = Field(default=10, ge=1, le=60)

    @field_validator("url")
    @classmethod
    def _https(cls, url: str) -> str:
        """TLS, but on this very machine: a name and a birth date come back from there."""
        parts = urlsplit(url)
        local = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ValueError("the provider's page is an https address")
        return url

    @field_validator("secret")
    @classmethod
    def _long(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"the secret has at least {SHORTEST_SECRET} characters")
        return secret
