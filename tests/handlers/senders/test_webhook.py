"""Webhooks to recipients: signed so that neither id, time nor body can be exchanged; over TLS only."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from desks import NOW
from pydantic import ValidationError
from told import SECRET

from subjectline.handlers.senders.webhook import LONGEST_WAIT, Webhooks, key_of, sign
from subjectline.models.clock import FrozenClock
from subjectline.models.errors import PermanentSendError, TemporarySendError
from subjectline.models.recipient_settings import Reach, RecipientSettings

URL = "https://post.example/told"
OLD = "the-secret-before-0123456789-0123456789"
Answer = Callable[[httpx.Request], httpx.Response]


def reach(**more: Any) -> Reach:
    return Reach.model_validate({"webhook": URL, "secret": SECRET} | more)


def line(answer: Answer) -> Webhooks:
    return Webhooks(5.0, FrozenClock(NOW), httpx.MockTransport(answer))


async def posted(answer: Answer, to: Reach | None = None) -> bool:
    webhooks = line(answer)
    try:
        return await webhooks.post(to or reach(), "n1", {"id": "n1", "data": {"member": "1001"}})
    finally:
        await webhooks.close()


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the specification's own libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )
    assert key_of("whsec_not base64") == b"whsec_not base64"


@pytest.mark.parametrize("change", ["id", "at", "body", "secret"])
def test_whatever_is_exchanged_the_signature_is_another(change: str) -> None:
    kept: dict[str, Any] = {"secret": SECRET, "id": "n1", "at": 1, "body": b"{}"}
    other = kept | {"secret": OLD, "id": "n2", "at": 2, "body": b"[]"}
    plain = sign(kept["secret"], kept["id"], kept["at"], kept["body"])
    kept[change] = other[change]
    assert sign(kept["secret"], kept["id"], kept["at"], kept["body"]) != plain


async def test_what_is_posted_is_what_is_signed() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    assert await posted(answer) is False
    [request] = seen
    assert json.loads(request.content)["data"] == {"member": "1001"}
    at = int(NOW.timestamp())
    assert request.headers["webhook-timestamp"] == str(at)
    assert request.headers["webhook-signature"] == sign(SECRET, "n1", at, request.content)
    assert str(request.url) == URL  # nobody's data in the address


async def test_while_a_secret_is_changed_both_sign() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        new, old = request.headers["webhook-signature"].split(" ")
        at = int(request.headers["webhook-timestamp"])
        assert new == sign(SECRET, "n1", at, request.content)
        assert old == sign(OLD, "n1", at, request.content)
        return httpx.Response(200)

    await posted(answer, reach(secret_before=OLD))


@pytest.mark.parametrize(
    ("body", "yes"),
    [
        ('{"acknowledged": "n1"}', True),
        ('{"acknowledged": "n2"}', False),
        ('{"acknowledged": true}', False),
        ('["n1"]', False),
        ("ok", False),
        ('{"acknowledged": "n1"}' + " " * 5000, False),
    ],
)
async def test_only_its_own_id_acknowledges(body: str, yes: bool) -> None:
    assert await posted(lambda request: httpx.Response(200, text=body)) is yes


@pytest.mark.parametrize("code", [301, 307, 400, 401, 403, 404, 410, 422])
async def test_what_will_not_change_by_itself_is_final(code: int) -> None:
    moved = {"Location": "https://elsewhere.example/"}
    with pytest.raises(PermanentSendError, match=str(code)):
        await posted(lambda request: httpx.Response(code, headers=moved, text="1001 is who?"))


@pytest.mark.parametrize("code", [408, 425, 429, 500, 503])
async def test_what_may_pass_is_tried_again_not_sooner_than_asked(code: int) -> None:
    with pytest.raises(TemporarySendError) as wrong:
        await posted(lambda request: httpx.Response(code, headers={"Retry-After": "90"}))
    assert wrong.value.after == 90


@pytest.mark.parametrize("asked", ["99999999999", "9" * 400])
async def test_nobody_puts_us_off_for_years(asked: str) -> None:
    with pytest.raises(TemporarySendError) as wrong:
        await posted(lambda request: httpx.Response(503, headers={"Retry-After": asked}))
    assert wrong.value.after == LONGEST_WAIT


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.ProxyError])
async def test_a_line_that_breaks_is_tried_again(error: type[httpx.RequestError]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error("member 1001", request=request)

    with pytest.raises(TemporarySendError) as wrong:
        await posted(answer)
    assert "1001" not in str(wrong.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook": "http://post.example/told"},
        {"webhook": "https://user:word@post.example/told"},
        {"webhook": "post.example/told"},
        {"secret": None},
        {"secret": "short"},
        {"mail": "privacy@post.example"},
        {"webhook": "", "mail": ""},
        {"webhook": "", "mail": "a@b.example, c@d.example"},
    ],
)
def test_settings_that_would_tell_others_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        reach(**wrong)


def test_on_this_very_machine_it_may_be_plain() -> None:
    assert reach(webhook="http://127.0.0.1:8080/told").way == "webhook"


@pytest.mark.parametrize(
    "wrong", [{"remind_days": (7, 3)}, {"remind_days": (0,)}, {"task_days": 5}]
)
def test_reminders_come_in_order_and_the_task_last(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RecipientSettings.model_validate(wrong)


async def test_the_doctor_posts_a_ping_of_nobody() -> None:
    bodies: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(200 if len(bodies) == 1 else 401)

    webhooks = line(answer)
    good, bad = [await webhooks.doctor("post_office", reach()) for _ in range(2)]
    await webhooks.close()
    assert (good.ok, bad.ok) == (True, False) and "401" in bad.sentence
    assert bodies[0] == {"type": "ping", "id": "ping", "data": {}}
