"""The language of a chat: the app's, then that of the words, then what was chosen for good."""

from collections.abc import Callable

import pytest
from desks import ACCESS, ACCESS_EN, NEW_ADDRESS, Office
from plain_chats import PlainChat

from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER

Begin = Callable[[str], PlainChat]


def korean(text: str) -> bool:
    return "니다" in text


async def test_the_apps_language_first_then_the_words(begin: Begin) -> None:
    chat = begin("en")
    assert not korean((await chat.says("/start"))[0])
    assert korean((await chat.says(ACCESS))[0])


async def test_a_korean_address_makes_nobody_korean(desk: Office, begin: Begin) -> None:
    chat = begin("en")
    await chat.says("/correct")
    await chat.presses("field:correction:shipping_address")
    await chat.proves(EN_MEMBER.email)
    assert not korean((await chat.says(NEW_ADDRESS))[0])
    assert (await desk.conversation()).language == "en"


@pytest.mark.parametrize("word", ["/language", "언어 변경", "change language"])
async def test_a_choice_is_kept_whatever_is_written_later(begin: Begin, word: str) -> None:
    chat = begin("ko")
    await chat.says(word)
    assert [data for data in chat.data] == ["language:ko", "language:en"]
    assert not korean((await chat.picks("English"))[0])
    assert not korean((await chat.says("제 정보를 전부 보고 싶습니다"))[0])
    assert korean((await chat.says("한국어로 해 주세요"))[0])
    assert korean((await chat.says(ACCESS_EN))[0])


async def test_what_is_open_goes_on_in_the_chosen_language(begin: Begin) -> None:
    chat = begin("ko")
    await chat.says(ACCESS)
    await chat.presses("language:en")
    for line in await chat.proves(KO_MEMBER.email):
        assert not korean(line)


async def test_commands_and_buttons_are_worded_in_both_languages(begin: Begin) -> None:
    """The same buttons in the same order, each in its language."""
    menus = []
    for app in ("ko", "en"):
        chat = begin(app)
        chat.who = f"chat-{app}"
        await chat.says("/start")
        menus.append(chat.choices)
    ko, en = menus
    assert [data for _, data in ko] == [data for _, data in en]
    same = [one for (one, _), (other, _) in zip(ko, en, strict=True) if one == other]
    assert same == []
