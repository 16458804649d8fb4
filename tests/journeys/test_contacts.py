"""Changing what others would like to change: through the real doors, with text messages and pages."""

import asyncio
import re
from datetime import timedelta

import httpx
import pytest
from worlds import CODE, PATIENCE, Journey, origin, written

from subjectline.intake.sandbox.mail_world import SandboxMail
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER, Person
from subjectline.intake.sandbox.text_gateway import TextMessage

STOP = re.compile(r"https?://\S+/m/stop/[A-Za-z0-9_-]+")
NEW_PHONE, NEW_MAIL = "010-0000-4321", "new.me@mail.test"
BOTH = pytest.mark.parametrize(
    "who",
    [
        pytest.param(KO_MEMBER, id="ko"),
        pytest.param(EN_MEMBER, id="en", marks=pytest.mark.long),  # both: tests/handlers/identity
    ],
)


def say(who: Person, korean: str, english: str) -> str:
    return korean if who.language == "ko" else english


async def text_to(journey: Journey, number: str, *words: str) -> TextMessage:
    """The newest text message to a phone, once it says all of these words."""
    texts = journey.world.texts
    async with asyncio.timeout(PATIENCE):
        while True:
            count = texts.changes.count
            found = [m for m in texts.phone(number) if all(word in m.text for word in words)]
            if found:
                return found[-1]
            await texts.changes.after(count)


def code_in(text: str) -> str:
    found = CODE.search(text)
    assert found is not None
    return found[0]


async def answer_from(journey: Journey, address: str, words: str, letter: SandboxMail) -> None:
    raw, to = written(address, words, "", letter)
    await journey.world.mail.deliver(raw, to, "pass")


@BOTH
async def test_a_new_phone(journey: Journey, who: Person) -> None:
    verify = await journey.mail(
        who,
        say(
            who,
            f"제 휴대전화번호를 {NEW_PHONE}로 바꿔 주세요.",
            f"Please change my phone number to {NEW_PHONE}.",
        ),
    )
    await journey.mail(who, say(who, "네", "Yes"), answers=verify)
    assert STOP.search((await text_to(journey, who.phone, "/m/stop/")).text)
    code = code_in((await text_to(journey, NEW_PHONE)).text)
    asked = await journey.next_mail(who, 2)
    await answer_from(journey, who.email, code, asked)
    await journey.approve()
    await journey.request("done")
    assert await journey.row(who, "phone") == "+821000004321"


@BOTH
async def test_a_new_email_address_has_its_letters_elsewhere(journey: Journey, who: Person) -> None:
    other = await journey.mail(
        who,
        say(
            who,
            f"이메일 주소를 {NEW_MAIL}로 바꿔 주세요.",
            f"Please change my email address to {NEW_MAIL}.",
        ),
    )
    went = await journey.mail(who, who.phone, answers=other)
    code = code_in((await text_to(journey, who.phone)).text)
    warning = await journey.mail(who, code, answers=went)
    assert STOP.search(warning.text)
    letter = await journey.world.mail.wait_for(NEW_MAIL, lambda _: True)
    await answer_from(journey, NEW_MAIL, say(who, "네", "yes"), letter)
    await journey.approve()
    request = await journey.request("done")
    done = await journey.world.mail.wait_for(
        NEW_MAIL, lambda mail: mail.number > letter.number and request.reference in mail.text
    )
    assert done and journey.count(who) == 3
    assert await journey.row(who, "email") == NEW_MAIL


@BOTH
async def test_a_bank_account_waits_and_is_stopped(journey: Journey, who: Person) -> None:
    before = await journey.row(who, "account_number")
    verify = await journey.mail(
        who,
        say(
            who,
            "제 계좌번호를 000-123-456789로 바꿔 주세요.",
            "Please change my bank account number to 000-123-456789.",
        ),
    )
    await journey.mail(who, say(who, "네", "Yes"), answers=verify)
    seen = journey.count(who)
    await journey.approve()
    warned = STOP.search((await journey.next_mail(who, seen)).text)
    texted = STOP.search((await text_to(journey, who.phone, "/m/stop/")).text)
    assert warned and texted
    async with httpx.AsyncClient() as browser:
        looked = await browser.get(warned[0])
        assert looked.status_code == 200 and "<form" in looked.text
        assert (await journey.requests())[-1].state == "applying"
        assert "456789" not in looked.text and who.name not in looked.text
        assert f'lang="{who.language}"' in looked.text
        pressed = await browser.post(warned[0], headers={"Origin": origin(warned[0])})
        assert say(who, "멈추었습니다", "It is stopped") in pressed.text
        again = await browser.get(texted[0])
        assert "<form" not in again.text
    journey.world.clock.advance(timedelta(hours=30))
    request = await journey.request("open")
    assert await journey.row(who, "account_number") == before
    assert [hold.request_id for hold in await journey.holds()] == [request.id]
