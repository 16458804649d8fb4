"""What the desk is told about its way out by text message: which gateway, from which number."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

Provider = Literal["solapi"]


class SmsSettings(BaseModel):
    """A gateway for SMS, LMS and KakaoTalk 알림톡. Without `[sms]` nobody is proven by phone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: Provider = "solapi"
    api_key: SecretStr
    api_secret: SecretStr
    sender: str
    base_url: str = "https://api.solapi.com"
    alimtalk_channel: str = ""
    alimtalk_code_template: str = ""
    seconds: float = Field(default=10.0, gt=0)

    @field_validator("sender")
    @classmethod
    def _digits(cls, number: str) -> str:
        """As the Korean registers of sending numbers have it (전기통신사업법 제84조의2)."""
        digits = re.sub(r"[\s.-]", "", number)
        if not re.fullmatch(r"0?\d{7,11}", digits):
            raise ValueError("the sender is the registered number, digits only")
        return digits
