"""Letters out by text message. Another gateway is one class with `send`, `doctor` and `close`."""

from dataclasses import dataclass
from typing import Protocol

from subjectline.handlers.outbox import Parcel
from subjectline.handlers.senders.smtp import SendStatus
from subjectline.handlers.senders.solapi import Solapi
from subjectline.models.clock import Clock
from subjectline.models.errors import PermanentSendError, TemporarySendError
from subjectline.models.mail_settings import Finding
from subjectline.models.sms_settings import SmsSettings
from subjectline.models.validators import national

LONGEST = 2000  # bytes of an LMS, in the networks' own encoding (CP949)


class Gateway(Protocol):
    """One company that carries text messages."""

    async def send(self, to: str, text: str, code: str = "") -> None:
        """Hands over one message to a number in digits. `code` is the one-time code in it, for
        gateways that carry those in a form of its own (알림톡).

        Raises TemporarySendError, PermanentSendError.
        """

    async def doctor(self) -> Finding:
        """Whether it knows us; sends nothing."""

    async def close(self) -> None:
        """Hangs up."""


def gateway_of(settings: SmsSettings, clock: Clock) -> Gateway:
    """The gateway that the settings name."""
    return {"solapi": Solapi}[settings.provider](settings, clock)


@dataclass
class SmsSender:
    """The way out by text message: a parcel's text, to a Korean number as it is dialled here."""

    gateway: Gateway
    status: SendStatus

    async def send(self, parcel: Parcel) -> None:
        """Raises TemporarySendError or PermanentSendError. An empty parcel is nothing to send."""
        text = parcel.text.strip()
        if not text:
            return
        if len(text.encode("cp949", "replace")) > LONGEST:
            raise PermanentSendError("the letter is too long for a text message", of_address=False)
        try:
            await self.gateway.send(_dialled(parcel.recipient), text, parcel.code)
        except TemporarySendError as wrong:
            self.status.connected, self.status.last_error = False, str(wrong)
            raise
        self.status.connected, self.status.last_error = True, ""


def _dialled(canonical: str) -> str:
    """+82 10 … as 010…; other countries' numbers go with their code."""
    digits = "".join(letter for letter in national(canonical) if letter.isdigit())
    if not digits:
        raise PermanentSendError("this is no telephone number", field="recipient")
    return digits
