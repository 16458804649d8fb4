"""The three rights by chat in both languages, with the bot speaking to Telegram's HTTP interface."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from desks import ACCESS, ACCESS_EN, CORRECT, CORRECT_EN, NEW_ADDRESS, THIRD_PARTY
from worlds import Journey

from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER, OTHER_MEMBER, Person

CHAT = 4242
THIRD_PARTY_EN = "I withdraw my consent to giving my data to third parties."


class Tongue(NamedTuple):
    who: Person
    language: str
    email: str  # what the bot asks for, in words of the language
    yes: str
    done: str


KO = Tongue(KO_MEMBER, "ko", "이메일 주소를 적어", "네", "처리")
EN = Tongue(EN_MEMBER, "en", "email address", "yes", "done")


@pytest.fixture(autouse=True)
async def nothing_personal(journey: Journey) -> AsyncIterator[None]:
    """After each journey: no call that the bot made had a value of the registry in it, and whatever
    it sent cannot be forwarded."""
    registry = journey.world.desk.registry
    known = [name for name, f in registry.data_map.fields.items() if f.validator.kind != "enum"]
    values = set[str]()
    for who in (KO_MEMBER, EN_MEMBER):
        values |= {value for value in (await registry.read(who.member, known)).values() if value}
        values |= {who.name, who.email, who.phone}
    yield
    sent = [call for call in journey.world.telegram.calls if call.method == "sendMessage"]
    texts = [str(call.parameters) for call in sent]
    assert len(values) > 10 and texts
    assert [v for v in values for text in texts if len(v) > 2 and v in text] == []
    assert all(call.parameters.get("protect_content") for call in sent)


BOTH = pytest.mark.parametrize("tongue", [KO, EN], ids=["ko", "en"])


def said(tongue: Tongue, ko: str, en: str) -> str:
    return ko if tongue.language == "ko" else en


@BOTH
async def test_a_correction(journey: Journey, tongue: Tongue) -> None:
    who, value = tongue.who, said(tongue, NEW_ADDRESS, "5 Harbour Lane, Busan")
    journey.world.telegram.user(CHAT, "Member", tongue.language)
    asked = journey.says(CHAT, said(tongue, CORRECT, CORRECT_EN))
    proof = await journey.linked(CHAT, who, asked, tongue.email)
    read_back = await journey.hears(CHAT, proof, value[-4:])
    assert value not in read_back.text  # in a chat only its last four characters
    held = await journey.ask(who, "shipping_address", "delivery", "post_office")
    assert not held.permit
    if tongue.language == "ko":
        after = journey.says(CHAT, tongue.yes)
    else:
        after = journey.presses(read_back, "yes")
    await journey.approve()
    [request] = await journey.requests()
    done = await journey.hears(CHAT, after, request.reference)
    assert (await journey.request("done")).level == "contact"
    assert await journey.row(who, "shipping_address") == value
    assert (await journey.ask(who, "shipping_address", "delivery", "post_office")).permit
    for bubble in journey.world.telegram.from_bot(CHAT):
        assert value not in bubble.text and who.name not in bubble.text
        assert who.email not in bubble.text and who.phone not in bubble.text
    assert done.text
    standing = {
        each.text for each in journey.world.telegram.messages(CHAT) if each.sender.id == CHAT
    }
    assert who.email not in standing  # the messages with an address and a code were deleted
    assert not any(each.isdigit() and len(each) == 6 for each in standing)


@BOTH
async def test_access(journey: Journey, tongue: Tongue) -> None:
    who = tongue.who
    journey.world.telegram.user(CHAT, "Member", tongue.language)
    asked = journey.says(CHAT, said(tongue, ACCESS, ACCESS_EN))
    after = await journey.linked(CHAT, who, asked, tongue.email)
    await journey.approve()
    done = await journey.hears(CHAT, after, "/m/")
    assert who.phone not in done.text and who.name not in done.text
    page = await journey.open_page(done.text)
    assert who.email in page and who.phone in page and OTHER_MEMBER.email not in page
    assert (await journey.requests())[0].state == "done"


@BOTH
async def test_a_withdrawal_by_buttons(journey: Journey, tongue: Tongue) -> None:
    who = tongue.who
    journey.world.telegram.user(CHAT, "Member", tongue.language)
    choose = said(tongue, "골라 주세요", "Please choose")
    menu = await journey.hears(CHAT, journey.says(CHAT, "/withdraw"), choose)
    assert sum(map(len, menu.buttons)) == 3
    pressed = journey.presses(menu, "right:third_party_withdrawal")
    after = await journey.linked(CHAT, who, pressed, tongue.email)
    await journey.proposal()
    assert not (await journey.ask(who, "nickname", "third_party", "content_buyer")).permit
    await journey.approve()
    [request] = await journey.requests()
    await journey.hears(CHAT, after, request.reference)
    await journey.request("done")
    query = f"SELECT third_party FROM member_consent WHERE member_id = {who.member}"
    assert await journey.sql(query) == [(0,)]


@BOTH
async def test_a_withdrawal_in_words(journey: Journey, tongue: Tongue) -> None:
    who = tongue.who
    journey.world.telegram.user(CHAT, "Member", tongue.language)
    asked = journey.says(CHAT, said(tongue, THIRD_PARTY, THIRD_PARTY_EN))
    await journey.linked(CHAT, who, asked, tongue.email)
    await journey.approve()
    request = await journey.request("done")
    assert (request.kind, request.language) == ("third_party_withdrawal", tongue.language)


async def test_a_linked_chat_needs_no_second_proof(journey: Journey) -> None:
    journey.world.telegram.user(CHAT, "Member", "ko")
    await journey.linked(CHAT, KO_MEMBER, journey.says(CHAT, THIRD_PARTY), KO.email)
    await journey.approve()
    await journey.request("done")
    seen = journey.count(KO_MEMBER)
    journey.says(CHAT, ACCESS)
    await journey.proposal()
    requests = await journey.requests()
    assert [(r.kind, r.level) for r in requests][1] == ("access", "contact")
    assert journey.count(KO_MEMBER) == seen  # no code was mailed


async def test_an_address_that_is_not_registered_hears_the_same(journey: Journey) -> None:
    words = []
    for chat, address in ((1, KO_MEMBER.email), (2, "nobody@elsewhere.test")):
        journey.world.telegram.user(chat, "Somebody", "ko")
        await journey.hears(chat, journey.says(chat, ACCESS), KO.email)
        heard = await journey.hears(chat, journey.says(chat, address), "적어")
        words.append(heard.text)
    assert words[0] == words[1]
    assert journey.world.mail.mailbox("nobody@elsewhere.test") == []


async def test_five_wrong_codes_in_a_chat(journey: Journey) -> None:
    journey.world.telegram.user(CHAT, "Member", "ko")
    await journey.hears(CHAT, journey.says(CHAT, ACCESS), KO.email)
    seen = journey.count(KO_MEMBER)
    journey.says(CHAT, KO_MEMBER.email)
    code = await journey.code_for(KO_MEMBER, seen)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for left in (4, 3, 2, 1):
        await journey.hears(CHAT, journey.says(CHAT, wrong), f"{left}번 더")
    spent = journey.says(CHAT, wrong)
    await journey.hears(CHAT, spent, "그대로 남아 있습니다")
    [request] = await journey.requests()
    assert request.state == "verifying"  # the request is still there
    await journey.linked(CHAT, KO_MEMBER, spent, KO.email)
    assert (await journey.proposal()).needs == 1


async def test_cancel_takes_it_back(journey: Journey) -> None:
    journey.world.telegram.user(CHAT, "Member", "ko")
    await journey.hears(CHAT, journey.says(CHAT, CORRECT), KO.email)
    await journey.hears(CHAT, journey.says(CHAT, "/cancel"), "취소")
    assert (await journey.request("withdrawn")).kind == "correction"


@BOTH
async def test_a_number_shared_by_a_button(journey: Journey, tongue: Tongue) -> None:
    """No code is needed; for a correction of the number itself the button is not there."""
    telegram, who = journey.world.telegram, tongue.who
    telegram.user(CHAT, "Member", tongue.language)
    asked = await journey.hears(
        CHAT, journey.says(CHAT, said(tongue, ACCESS, ACCESS_EN)), tongue.email
    )
    way = await journey.hears(
        CHAT, journey.presses(asked, "who:share_contact"), said(tongue, "단추", "Press")
    )
    assert [key.asks_contact for row in telegram.keyboard(CHAT) for key in row] == [True]
    telegram.share_contact(CHAT, "+82" + who.phone.replace("-", "")[1:])
    request = await journey.request("proposed")
    assert (request.level, request.subject_id) == ("contact", who.member)
    assert who.phone not in way.text
    other = CHAT + 1
    telegram.user(other, "Member", tongue.language)
    correct = said(tongue, "휴대전화번호를 바꿔 주세요", "Please change my phone number")
    asked = await journey.hears(other, journey.says(other, correct), tongue.email)
    assert not [key for row in asked.buttons for key in row if key.data == "who:share_contact"]


@BOTH
async def test_who_blocks_the_bot_hears_by_mail(journey: Journey, tongue: Tongue) -> None:
    """The result goes to the address that proved the chat."""
    journey.world.telegram.user(CHAT, "Member", tongue.language)
    await journey.linked(
        CHAT, tongue.who, journey.says(CHAT, said(tongue, ACCESS, ACCESS_EN)), tongue.email
    )
    await journey.proposal()
    journey.world.telegram.block(CHAT)
    seen = journey.count(tongue.who)
    await journey.approve()
    mail = await journey.next_mail(tongue.who, seen)
    [request] = await journey.requests()
    assert request.state == "done" and request.reference in mail.text
    assert tongue.who.email in await journey.open_page(mail.text)


async def test_the_menu_stands_in_each_language(journey: Journey) -> None:
    """Registered by language code; whoever uses another language reads that of the desk."""
    telegram = journey.world.telegram
    # until its own is registered, a language has everybody's
    await telegram.until(lambda: telegram.commands("en") != telegram.commands("fr") != [], 60)
    menus = {
        language: {each["command"]: each["description"] for each in telegram.commands(language)}
        for language in ("ko", "en", "fr")
    }
    assert "language" in menus["ko"] and list(menus["ko"]) == list(menus["en"])
    assert menus["ko"]["status"] == "진행 상황" and menus["en"]["status"] == "Where things stand"
    assert menus["fr"] == menus["ko"]
    await journey.hears(1, journey.says(1, "/start"))


@pytest.mark.parametrize("word", ["/start", "/privacy", "/help", "/status", "/anything"])
async def test_every_command_is_answered(journey: Journey, word: str) -> None:
    journey.world.telegram.user(CHAT, "Member", "ko")
    heard = await journey.hears(CHAT, journey.says(CHAT, word))
    assert any("가" <= letter <= "힣" for letter in heard.text)
