"""The sandbox's page: what it shows, what its forms do, and that it needs nothing from elsewhere."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx
from sqlmodel import select

from subjectline.handlers import holds, inbox
from subjectline.handlers.holds import ALL, BLOCKED, HoldPlan
from subjectline.handlers.outbox import Parcel
from subjectline.handlers.senders.sms import SmsSender
from subjectline.handlers.senders.smtp import SendStatus
from subjectline.handlers.senders.solapi import Solapi
from subjectline.handlers.senders.webhook import Webhooks
from subjectline.intake.sandbox.page import Sandbox
from subjectline.intake.sandbox.partners import PATH, SILENT
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER
from subjectline.intake.web import catalogue
from subjectline.models.incoming import Door
from subjectline.models.tables import Request
from subjectline.models.workflow import EVENTS
from subjectline_client import core

LIVE = {"X-Live": "1"}


async def shown(actors: Any, query: str = "", **headers: str) -> str:
    answer = await actors.http.get(f"/sandbox{query}", headers=headers)
    assert answer.status_code == 200
    return str(answer.text)


async def press(actors: Any, deed: str, **form: str) -> httpx.Response:
    answer: httpx.Response = await actors.http.post(f"/sandbox/{deed}", data=form, headers=LIVE)
    return answer


async def test_korean_first_where_the_browser_says_so(actors: Any) -> None:
    korean = await shown(actors, **{"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.5"})
    assert '<html lang="ko">' in korean and KO_MEMBER.name in korean
    english = await shown(actors, **{"Accept-Language": "en-GB"})
    assert '<html lang="en">' in english and f"{EN_MEMBER.name}&#39;s record" in english
    assert '<html lang="en">' in await shown(actors, "?lang=en")


async def test_nothing_is_inline_and_nothing_comes_from_elsewhere(actors: Any) -> None:
    answer = await actors.http.get("/sandbox")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert " style=" not in answer.text and " onclick=" not in answer.text
    for script in re.findall(r"<script[^>]*>(.*?)</script>", answer.text, re.DOTALL):
        assert not script.strip()
    for address in re.findall(r'(?:src|href)="([^"]+)"', answer.text):
        assert address.startswith(("/", "#", "?"))
        if address.startswith("/static/"):
            assert (await actors.http.get(address)).status_code == 200


async def test_the_live_parts_are_those_of_the_page(actors: Any) -> None:
    page, live = await shown(actors, "?lang=en"), await shown(actors, "/live?lang=en")
    assert parts(live) == parts(page) >= {"screen", "cases", "row", "systems", "reel", "clock"}


def parts(html: str) -> set[str]:
    return set(re.findall(r'data-part="(\w+)"', html))


async def test_a_sample_mail_goes_to_the_desk(actors: Any) -> None:
    world = actors.stage.world
    assert (await press(actors, "mail", who="ko", sample="correction")).status_code == 204
    (mail,) = world.mail.mailbox(world.mail.desk_address)
    assert KO_MEMBER.email in str(mail.message["From"]) and "파도로" in mail.text
    assert "파도로" in await shown(actors, "?who=ko")


async def test_an_answer_goes_where_the_newest_mail_asks(actors: Any) -> None:
    world = actors.stage.world
    letter = (
        b"From: d@x.test\r\nReply-To: privacy+v1@moment-pick.test\r\nSubject: A\r\n\r\nCode: 123456"
    )
    await world.mail.deliver(letter, EN_MEMBER.email, None)
    page = await shown(actors, "?who=en&lang=en")
    assert 'value="Yes"' in page
    await press(actors, "mail", who="en", text="Yes", **{"as": "answer"})
    (mail,) = world.mail.mailbox(world.mail.desk_address)
    assert mail.message["To"] == "privacy+v1@moment-pick.test" and mail.text.strip() == "Yes"


async def test_the_chat_can_be_written_to_and_its_buttons_pressed(actors: Any) -> None:
    stage = actors.stage
    await press(actors, "chat", who="en", text="hello <b>there</b>")
    await press(actors, "chat", who="en", sample="email")
    said = [line.text for line in stage.cast.chat(EN_MEMBER)]
    assert said == ["hello <b>there</b>", EN_MEMBER.email]
    page = await shown(actors, "?who=en&door=chat")
    assert "hello &lt;b&gt;there" in page
    wrong = await press(actors, "chat", who="en", press="1 yes")
    assert wrong.status_code == 409 and "no such button" in wrong.text


async def test_a_text_message_is_shown_beside_mail_and_chat(actors: Any) -> None:
    assert "받은 문자가 없습니다" in await shown(actors, "?lang=ko&who=ko&door=texts")
    world = actors.stage.world
    sender = SmsSender(
        Solapi(world.settings.sms, world.clock, actors.http._transport), SendStatus()
    )
    await sender.send(Parcel(Door.SMS, "+821000001001", "", "확인번호 482913", "", "<1@desk.test>"))
    page = await shown(actors, "?lang=ko&who=ko&door=texts")
    assert "확인번호 482913" in page and "메일 답장으로 482913 보내기" in page
    assert "482913" not in await shown(actors, "?lang=ko&who=en&door=texts")


async def test_the_gate_is_asked_over_http(actors: Any) -> None:
    await press(actors, "try", who="ko", system="nightly-export")
    page = await shown(actors, "?who=ko&lang=en")
    assert "Permitted" in page and KO_MEMBER.phone in page
    answer = actors.stage.systems.last["nightly-export", KO_MEMBER.member]
    assert answer.permit and answer.values["name"] == KO_MEMBER.name


async def test_a_held_field_is_marked_and_denied(actors: Any) -> None:
    await hold(actors)
    await press(actors, "try", who="ko", system="nightly-export")
    page = await shown(actors, "?who=ko&lang=en")
    assert 'class="held"' in page and "Denied" in page
    answer = actors.stage.systems.last["nightly-export", KO_MEMBER.member]
    assert answer.held == ("shipping_address",) and answer.reasons == (core.HELD,)


async def test_it_shows_which_recipients_have_acknowledged(actors: Any) -> None:
    world = actors.stage.world
    webhooks = Webhooks(5.0, world.clock, httpx.ASGITransport(world.partners.app))
    data = {"member": KO_MEMBER.member, "fields": ["phone"]}
    for name in ("post_office", SILENT):
        reach = world.settings.recipients.reach[name]
        reach = reach.model_copy(update={"webhook": reach.webhook.replace(PATH, "")})
        said = {"type": "recipient.hold", "id": name, "data": data}
        assert await webhooks.post(reach, name, said) is (name != SILENT)
    page = await shown(actors, "?who=ko&lang=en")
    assert "Who else has it" in page and "Post Office" in page
    assert "acknowledged" in page and "silent" in page


async def test_holds_that_name_purposes_by_their_consent_or_basis_are_shown(actors: Any) -> None:
    """As a withdrawal, a leaving and a restriction hold; the request is any that there is."""
    await hold(actors)
    desk = actors.stage.desk
    for purposes, told in ((("consent:marketing",), "Events and advertising"), (BLOCKED, "held")):
        async with desk.db.write() as session:
            number = (await session.exec(select(Request.id))).first()
            whose = (desk.data_map.registry, KO_MEMBER.member)
            plan = HoldPlan("marketing_withdrawal", ALL, purposes)
            await holds.place(session, number, *whose, plan, "standing", desk.clock())
        side = (await shown(actors, "?who=ko&lang=en")).partition('data-part="row"')[2]
        assert told in side


async def hold(actors: Any) -> None:
    """A correction of the address that came authenticated: held at once."""
    stage = actors.stage
    await press(actors, "mail", who="ko", sample="correction")
    (mail,) = stage.world.mail.mailbox(stage.world.mail.desk_address)
    raw = inbox.Raw(Door.MAIL, "box:1:1", "box", mail.arrived_at, mail.raw)
    await inbox.keep(stage.desk, [raw])
    await inbox.once(stage.desk, stage.world.parts.parsers)


async def test_one_click_opens_the_console_as_an_agent(actors: Any) -> None:
    answer = await actors.http.post("/sandbox/agents/alex", data={})
    assert answer.status_code == 303 and answer.headers["location"] == "/queue"
    queue = await actors.http.get("/queue?lang=en")
    assert queue.status_code == 200 and "Alex Moreau" in queue.text


async def test_a_form_from_elsewhere_is_refused(actors: Any) -> None:
    headers = LIVE | {"Sec-Fetch-Site": "cross-site"}
    answer = await actors.http.post("/sandbox/mail", data={"sample": "access"}, headers=headers)
    assert answer.status_code == 422
    for path in ("/sandbox/agents/alex", "/sandbox/agents/nobody"):
        assert (await actors.http.post(path, data={}, headers=headers)).status_code == 403
    assert not actors.stage.cast.sent


async def test_without_a_script_a_form_leads_back_to_the_page(actors: Any) -> None:
    answer = await actors.http.post("/sandbox/next", data={"who": "en", "door": "chat"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sandbox?who=en&door=chat"
    assert actors.stage.cast.now["en"] != EN_MEMBER


async def test_ten_days_later_the_tenth_day_is_over(actors: Any) -> None:
    await hold(actors)
    await press(actors, "later", who="ko")
    assert actors.stage.world.clock.ahead > timedelta(days=10)
    (request,) = await actors.stage.requests()
    assert request.state == "lapsed"
    page = await shown(actors, "?who=ko&lang=en")
    assert "+10 days" in page and "Closed an unproven request" in page


async def test_the_line_tells_of_what_is_new_and_ends_with_the_sandbox(actors: Any) -> None:
    stage = actors.stage
    beats = Sandbox(stage)._beats()
    assert await anext(beats) == "data: changed\n\n"
    await press(actors, "chat", who="ko", text="안녕하세요")
    stage.pulse.beat()
    assert await asyncio.wait_for(anext(beats), 30) == "data: changed\n\n"
    stage.pulse.close()
    assert [beat async for beat in beats] == []


def test_every_word_stands_in_both_languages() -> None:
    for key, words in catalogue("sandbox").items():
        assert set(words) == {"ko", "en"} and all(words.values()), key


def test_every_event_and_reason_has_words() -> None:
    known = catalogue("sandbox")
    assert all(f"deed.{event}" in known for event in EVENTS)
    assert {f"reason.{one}" for one in (core.HELD, core.CONSENT_WITHDRAWN, core.STALE)} <= set(
        known
    )
