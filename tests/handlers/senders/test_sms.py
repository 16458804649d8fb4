"""Text messages through a signed gateway, against the sandbox's one, which checks every signature."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import ValidationError
from starlette.responses import JSONResponse, PlainTextResponse, Response

from subjectline.handlers.outbox import Parcel
from subjectline.handlers.senders.sms import SmsSender
from subjectline.handlers.senders.smtp import SendStatus
from subjectline.handlers.senders.solapi import Solapi, authorization
from subjectline.intake.sandbox.text_gateway import TextGateway
from subjectline.models.clock import FrozenClock
from subjectline.models.errors import PermanentSendError, SendError, TemporarySendError
from subjectline.models.incoming import Door
from subjectline.models.sms_settings import SmsSettings

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
PHONE = "+821000001001"
HERE = "http://gateway.test"


class Line:
    """A desk's line to a gateway, each with a clock."""

    def __init__(self, **settings: str) -> None:
        self.clock = FrozenClock(NOW)
        self.gateway = TextGateway(FrozenClock(NOW))
        self.told = self.gateway.settings(HERE, **settings)
        transport = httpx.ASGITransport(self.gateway.app)
        self.solapi = Solapi(self.told, self.clock, transport)
        self.sender = SmsSender(self.solapi, SendStatus())

    async def send(self, text: str = "확인번호 123456", to: str = PHONE, code: str = "") -> None:
        await self.sender.send(Parcel(Door.SMS, to, "", text, "", "<1@desk.test>", code=code))


def test_the_signature_is_the_documented_one() -> None:
    """HMAC-SHA256 over date and salt with the secret, in hex; checked with openssl."""
    said = authorization("key", "secret", NOW, "0123456789abcdef0123456789abcdef")
    assert said == (
        "HMAC-SHA256 apiKey=key, date=2026-11-23T01:00:00.000+00:00,"
        " salt=0123456789abcdef0123456789abcdef, signature="
        "63dd3b0ca9acb97bcfe37c698a17b64eeb4bf1c2cfcff7a8d9682bb237e7a849"
    )


async def test_a_message_reaches_the_phone() -> None:
    line = Line()
    await line.send()
    [message] = line.gateway.phone("010-0000-1001")
    assert (message.text, message.kind) == ("확인번호 123456", "SMS")
    assert line.sender.status.connected


async def test_a_long_one_is_an_lms_and_a_longer_one_none() -> None:
    line = Line()
    await line.send("가" * 46)
    assert line.gateway.phone("01000001001")[0].kind == "LMS"
    with pytest.raises(PermanentSendError) as wrong:
        await line.send("가" * 1001)
    assert not wrong.value.of_address


async def test_a_code_goes_by_alimtalk_where_there_is_a_template() -> None:
    line = Line(alimtalk_channel="KA01PF", alimtalk_code_template="KA01TP")
    await line.send(code="123456")
    await line.send("다른 안내")
    assert [m.kind for m in line.gateway.phone("01000001001")] == ["ATA", "SMS"]


async def test_every_request_has_a_salt_of_its_own() -> None:
    line = Line()
    await line.send()
    await line.send()  # the gateway refuses a salt that it has seen
    assert len(line.gateway.phone("01000001001")) == 2


async def test_a_wrong_secret_and_a_wrong_clock_can_be_put_right() -> None:
    line = Line()
    line.gateway.secret = "another"
    with pytest.raises(TemporarySendError, match="403 SignatureDoesNotMatch"):
        await line.send()
    line.gateway.secret = "sandbox-secret"
    line.clock.advance(timedelta(minutes=20))
    with pytest.raises(TemporarySendError, match="403 RequestTimeTooSkewed"):
        await line.send()
    assert not line.sender.status.connected
    line.clock.advance(timedelta(minutes=-20))
    await line.send()
    assert line.sender.status.connected


@pytest.mark.parametrize(
    ("answer", "kind", "after"),
    [
        (PlainTextResponse("", 500), TemporarySendError, None),
        (PlainTextResponse("", 429, {"Retry-After": "7"}), TemporarySendError, 7.0),
        (JSONResponse({"errorCode": "NotEnoughBalance"}, 402), TemporarySendError, None),
        (JSONResponse({"errorCode": "ValidationError"}, 400), PermanentSendError, None),
        (PlainTextResponse("<html>", 200), TemporarySendError, None),
        (JSONResponse({"statusCode": "3008"}, 200), PermanentSendError, None),
    ],
)
async def test_what_pays_to_be_tried_again(
    answer: Response, kind: type[SendError], after: float | None
) -> None:
    line = Line()
    line.gateway.trouble.append(answer)
    with pytest.raises(kind) as wrong:
        await line.send()
    assert getattr(wrong.value, "after", None) == after
    assert not line.gateway.phone("01000001001")


async def test_the_gateways_sentence_is_not_repeated() -> None:
    """It may quote the number; errors reach logs."""
    line = Line()
    told = {"errorCode": "Bad 010", "errorMessage": f"{PHONE} is barred"}
    line.gateway.trouble.append(JSONResponse(told, 400))
    with pytest.raises(PermanentSendError) as wrong:
        await line.send()
    assert "0000" not in str(wrong.value) and "Bad010" in str(wrong.value)


async def test_a_gateway_that_is_not_there() -> None:
    settings = SmsSettings(
        api_key="key", api_secret="secret", sender="0200000000", base_url="http://127.0.0.1:9"
    )
    solapi = Solapi(settings, FrozenClock(NOW))
    with pytest.raises(TemporarySendError, match="cannot be reached"):
        await solapi.send("01000001001", "words")
    await solapi.close()


async def test_the_doctor_signs_in_and_looks_at_the_balance() -> None:
    line = Line()
    assert (await line.solapi.doctor()).ok
    line.gateway.balance = 0.0
    assert "no balance" in (await line.solapi.doctor()).sentence
    line.gateway.key = "another"
    assert "InvalidAPIKey" in (await line.solapi.doctor()).sentence


def test_a_sender_is_a_number() -> None:
    with pytest.raises(ValidationError):
        SmsSettings(api_key="key", api_secret="secret", sender="Moment Pick")
