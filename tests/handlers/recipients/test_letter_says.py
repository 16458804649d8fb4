"""The member's result letter names who was truly told by the time it leaves, in both languages."""

from datetime import date

import pytest
from desks import ACCESS, CORRECT, CORRECT_EN, LEAVE, THIRD_PARTY, Office
from signing import proven, signed
from told import Telephone

from subjectline.handlers import letters, recipients_told
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER
from subjectline.models.errors import BadInput, PermanentSendError, TemporarySendError

DAY = date(2026, 3, 5)
SAID = {"ko": "이 정보를 받은 곳에 알린 내역", "en": "Who else was told"}


async def now(phone: Telephone, language: str = "ko") -> str:
    """What a letter that leaves now would say."""
    number = (await phone.office.request()).id or 0
    async with phone.office.desk.db.read() as session:
        return await recipients_told.told(session, phone.office.desk, number, language)


async def result(phone: Telephone, office: Office, who: str) -> str:
    await signed(office)
    parcel = office.last(who)
    assert "⟦" not in parcel.text + parcel.html
    return " ".join(parcel.text.split())


async def test_it_names_who_was_told_and_when(phone: Telephone) -> None:
    await proven(phone.office, KO_MEMBER.email, CORRECT)
    await phone.tell()
    said = await result(phone, phone.office, KO_MEMBER.email)
    held = "우체국 (2026년 11월 23일(월)에 이용을 멈추도록 알렸고, 결과는 알리는 중)"
    assert f"{SAID['ko']}: {held}" in said
    assert "우체국 (2026년" in phone.office.last(KO_MEMBER.email).html
    assert await now(phone) == held
    await phone.tell()
    assert await now(phone) == "우체국 (2026년 11월 23일(월))"


async def test_it_says_so_in_english(phone: Telephone) -> None:
    await proven(phone.office, EN_MEMBER.email, CORRECT_EN)
    await phone.tell()
    said = await result(phone, phone.office, EN_MEMBER.email)
    held = "told on Monday 23 November 2026 to stop using it; being told the result now"
    assert f"Post Office ({held})" in said and SAID["en"] in said
    await phone.tell()
    assert await now(phone, "en") == "Post Office (Monday 23 November 2026)"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ko", "우체국 (아직 알리지 못해 담당자가 다시 연락하는 중)"),
        ("en", "Post Office (could not be reached yet; an agent is seeing to it)"),
    ],
)
async def test_whom_the_result_could_not_reach_is_named_as_that(
    phone: Telephone, language: str, words: str
) -> None:
    """It was told of the hold; the day of that is not the day of the result."""
    await proven(phone.office, KO_MEMBER.email, CORRECT)
    await phone.tell()
    await signed(phone.office)
    phone.posts.wrong = [PermanentSendError("the webhook answered 500")]
    await phone.tell()
    assert await now(phone, language) == words


async def test_whom_nothing_has_reached_is_not_named_as_told(phone: Telephone) -> None:
    await proven(phone.office, KO_MEMBER.email, CORRECT)
    phone.posts.wrong = [TemporarySendError("away")]
    await phone.tell()
    said = await result(phone, phone.office, KO_MEMBER.email)
    assert f"{SAID['ko']}: 우체국 (알리는 중)" in said


async def test_a_third_party_that_is_told_by_hand_is_being_told(phone: Telephone) -> None:
    await proven(phone.office, KO_MEMBER.email, THIRD_PARTY)
    said = await result(phone, phone.office, KO_MEMBER.email)
    assert "콘텐츠 구매 회원 (알리는 중)" in said


async def test_those_of_whom_the_same_is_said_stand_together(phone: Telephone) -> None:
    await proven(phone.office, KO_MEMBER.email, LEAVE)
    phone.posts.wrong = [PermanentSendError("the webhook answered 404")]
    await phone.tell()
    said = await now(phone)
    assert "주식회사 카카오 · 주식회사 누리고 · 우체국 (2026년 11월 23일(월))" in said
    assert "주식회사 다날 (아직 알리지 못해 담당자가 다시 연락하는 중)" in said


async def test_what_nobody_else_has_is_told_of_nobody(phone: Telephone) -> None:
    await proven(phone.office, KO_MEMBER.email, ACCESS)
    assert SAID["ko"] not in await result(phone, phone.office, KO_MEMBER.email)


def test_a_letter_does_not_leave_with_an_open_slot() -> None:
    letter = letters.Letter("s", f"told: {letters.TOLD}", "")
    with pytest.raises(BadInput, match="who was told"):
        letters.fill(letter, "en", DAY)
    assert letters.fill(letter, "en", DAY, told="<b>").text == "told: <b>"
    page = letters.Letter("s", "", f"<p>{letters.TOLD}</p>")
    assert "&lt;b&gt;" in letters.fill(page, "en", DAY, told="<b>").html
