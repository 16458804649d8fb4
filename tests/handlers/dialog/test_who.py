"""Who is asking: each way on, the same words for known and unknown, and going on after days."""

from collections.abc import Callable

import pytest
from desks import ACCESS, ACCESS_EN, MARKETING, Office, code_in
from plain_chats import PlainChat

from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER, Person
from subjectline.models.tables import Link, Request

Begin = Callable[[str], PlainChat]
ASK = {"ko": ACCESS, "en": ACCESS_EN}
BOTH = pytest.mark.parametrize(
    ("app", "who"), [("ko", KO_MEMBER), ("en", EN_MEMBER)], ids=["ko", "en"]
)


@BOTH
async def test_a_new_chat_hears_first_where_chats_are_kept(
    begin: Begin, app: str, who: Person
) -> None:
    chat = begin(app)
    first, ask = await chat.says(ASK[app])
    assert {"ko": "보안 페이지", "en": "secure page"}[app] in first
    assert {"ko": "이메일 주소를 적어", "en": "Please write the email address"}[app] in ask
    [once] = await chat.says("?!")
    assert {"ko": "보안 페이지", "en": "secure page"}[app] not in once


@BOTH
async def test_who_lost_every_contact_is_offered_papers_or_a_call(
    desk: Office, begin: Begin, app: str, who: Person
) -> None:
    chat = begin(app)
    await chat.says(ASK[app])
    [offered] = await chat.says({"ko": "그 메일은 이제 못 써요", "en": "I lost that email"}[app])
    assert "070-0000-0723" in offered
    [page] = await chat.picks({"ko": "서류 올리기", "en": "Upload a document"}[app])
    assert "/m/" in page
    assert (await desk.conversation()).state == "unsorted"  # an agent sees it
    assert [link.purpose for link in await desk.all(Link)] == ["upload"]


@BOTH
async def test_no_mail_came_sounds_the_same_for_a_member_and_a_stranger(
    desk: Office, begin: Begin, app: str, who: Person
) -> None:
    """And tells how to have it in writing that nothing is held: by a mail from that address."""
    heard = []
    for number, address in enumerate((who.email, "nobody@elsewhere.test")):
        chat = PlainChat(desk, app, who=f"80{number}")
        await chat.says(ASK[app])
        heard.append(
            [*await chat.says(address), *await chat.picks({"ko": "메일이", "en": "No"}[app])]
        )
    assert heard[0] == heard[1] and "privacy@moment-pick.test" in heard[0][-1]
    assert desk.tray.to("nobody@elsewhere.test") == []


async def test_neither_address_nor_code_is_told_what_is_awaited(begin: Begin) -> None:
    chat = begin("ko")
    await chat.says(ACCESS)
    assert "이메일 주소를 적어" in (await chat.says("저는 하늘이라고 해요"))[0]
    await chat.says(KO_MEMBER.email)
    assert "확인번호를 기다리고" in (await chat.says("아직 못 봤는데요"))[0]


async def test_days_later_anything_goes_on(desk: Office, begin: Begin) -> None:
    """The code is long dead; a reminder came; one word brings the question back."""
    chat = begin("ko")
    await chat.says(ACCESS)
    await chat.says(KO_MEMBER.email)
    old = chat.code(KO_MEMBER.email)
    [reminder] = await chat.later(days=1, minutes=1)
    assert "아직 확인하지 못했습니다" in reminder and "2026년 12월 3일" in reminder
    assert [data.split(":")[0] for data in chat.data] == ["who", "who", "cancel"]
    assert "더 이상 쓸 수 없습니다" in (await chat.says(old))[0]
    assert "이메일 주소를 적어" in (await chat.says("저 왔어요"))[0]
    await chat.proves(KO_MEMBER.email)
    assert (await desk.request()).level == "contact"


@pytest.mark.long
async def test_reminded_after_a_day_and_before_the_due_date_and_no_more(
    desk: Office, begin: Begin
) -> None:
    chat = begin("ko")
    await chat.says(ACCESS)
    await chat.says(KO_MEMBER.email)
    heard = [len(await chat.later(hours=12)) for _ in range(20)]
    assert sum(heard) == 2 and heard.index(1) == 2
    assert heard[-1] == heard[-2] == 0
    await chat.later(days=1)
    assert (await desk.request()).state == "lapsed"


async def test_a_reminder_brings_the_questions_buttons_back(desk: Office, begin: Begin) -> None:
    chat = begin("ko")
    await chat.says("탈퇴하겠습니다")
    await chat.proves(KO_MEMBER.email)
    asked = chat.data
    await chat.later(days=1, minutes=1)
    assert chat.data == asked  # good for the question, though the request has moved on
    await chat.picks("네")
    assert (await desk.request()).state == "proposed"


@BOTH
async def test_a_word_at_half_time(desk: Office, begin: Begin, app: str, who: Person) -> None:
    chat = begin(app)
    await chat.says(ASK[app])
    await chat.proves(who.email)
    assert await chat.later(days=4) == []
    version = (await desk.request()).version
    [word] = await chat.later(days=1, hours=12)
    assert {"ko": "기한의 절반", "en": "Half of the time"}[app] in word
    assert (await desk.request()).reference in word
    assert await chat.later(days=1) == []
    assert (await desk.request()).version == version  # nobody's page has become stale


async def test_a_linked_chat_needs_a_new_code_after_a_day_but_not_for_advertising(
    desk: Office, begin: Begin
) -> None:
    chat = begin("ko")
    await chat.says(ACCESS)
    await chat.proves(KO_MEMBER.email)
    codes = len(desk.tray.to(KO_MEMBER.email))
    await chat.says("제 배송지를 부산시 수영구 파도로 12, 3층으로 바꿔 주세요.")
    assert len(desk.tray.to(KO_MEMBER.email)) == codes  # within a day: `contact`
    await chat.later(days=2)
    await chat.says(MARKETING)
    request = await desk.request()
    assert (request.kind, request.level) == ("marketing_withdrawal", "channel")
    await chat.says("제3자 제공 동의를 철회합니다.")
    assert (await desk.request()).state == "received"
    assert (await desk.request()).kind == "third_party_withdrawal"
    await chat.later(days=29)
    await chat.says("제 데이터를 내려받아 옮기고 싶습니다. 전송해 주세요.")
    assert [r.level for r in await desk.all(Request)][-1] == "claimed"


@pytest.mark.parametrize(
    ("app", "said", "asks", "told"),
    [
        ("ko", "이메일을 new.one@mail.test로 바꿔 주세요", "휴대전화번호를 적어", "문자에 적힌"),
        (
            "en",
            "please change my email to new.one@mail.test",
            "write the phone number",
            "text message",
        ),
    ],
)
async def test_who_changes_the_address_is_asked_for_the_phone(
    texting: Office, app: str, said: str, asks: str, told: str
) -> None:
    chat = PlainChat(texting, app)
    assert asks in (await chat.says(said))[-1]
    named = await chat.says(KO_MEMBER.email)
    assert {"ko": "번호를 여기에 적어", "en": "phone number here"}[app] in named[-1]
    assert told in (await chat.says(KO_MEMBER.phone))[-1]
    await chat.says(code_in(texting.last("+821000001001")))
    assert (await texting.request()).level == "contact"


async def test_who_does_not_know_the_address_is_offered_another_way(begin: Begin) -> None:
    chat = begin("ko")
    await chat.says(ACCESS)
    assert "070-0000-0723" in (await chat.says("주소를 몰라요"))[0]
