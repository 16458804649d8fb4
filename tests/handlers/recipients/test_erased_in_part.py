"""Some fields are erased: whoever holds other ones is free again, as the gate has it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import pytest
from desks import CORRECT, MakeDesk
from signing import proven, signed
from told import MAIL, Telephone, telephone, with_recipient

from subjectline.handlers.recipients import concerned
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.datamap import DataMap
from subjectline.models.recipient_settings import Reach, RecipientSettings

ME = KO_MEMBER.email
ERASE = "카카오톡 아이디를 삭제해 주세요."
OTHER, BOTH = "danal", "nurigo"  # the second holds what is erased, and a field that is not
FREE: dict[Literal["ko", "en"], str] = {
    "ko": "다시 이용할 수 있는 항목: 휴대전화번호",
    "en": "Free to use again:",
}


@pytest.fixture
async def phone(make_desk: MakeDesk, sample_map: DataMap) -> Telephone:
    changed = {"fields": ("kakao_id", "phone"), "purposes": ("delivery", "marketing")}
    return telephone(await make_desk(data_map=with_recipient(sample_map, BOTH, **changed)))


async def erased(phone: Telephone) -> None:
    await proven(phone.office, ME, ERASE)
    await phone.tell()
    assert (await signed(phone.office)).state == "done"
    await phone.tell()


def end(phone: Telephone, name: str) -> Mapping[str, Any]:
    data: Mapping[str, Any] = phone.posts.to(name)[-1]["data"]
    return data


async def test_who_holds_other_fields_is_free_as_the_gate_is(phone: Telephone) -> None:
    await erased(phone)
    assert phone.posts.kinds(OTHER) == ["hold", "released"]
    told = end(phone, OTHER)
    assert "kakao_id" not in told["fields"] and "still_held" not in told
    [hold] = await phone.office.holds()
    held = concerned(phone.office.desk.data_map, hold.fields, hold.purposes)
    assert BOTH in held and OTHER not in held


async def test_who_holds_one_of_both_destroys_it_and_hears_that_the_other_is_free(
    phone: Telephone,
) -> None:
    await erased(phone)
    assert phone.posts.kinds(BOTH) == ["hold", "erase"]
    told = end(phone, BOTH)
    assert (told["fields"], told["freed"]) == (["kakao_id"], ["phone"])
    [hold] = await phone.office.holds()
    assert hold.fields == ["kakao_id"]


async def test_what_another_request_holds_of_the_rest_is_not_free(phone: Telephone) -> None:
    other = await proven(phone.office, ME, "제 휴대전화번호를 010-0000-4321로 바꿔 주세요.")
    await phone.tell()
    await erased(phone)
    for name in (OTHER, BOTH):
        [held] = end(phone, name)["still_held"]
        assert (held["reference"], held["fields"]) == (other.reference, ["phone"])


async def test_who_was_not_told_of_the_hold_hears_of_the_erased_field_only(
    phone: Telephone,
) -> None:
    await proven(phone.office, ME, ERASE)
    await signed(phone.office)
    await phone.tell()
    assert phone.posts.kinds(OTHER) == [] and phone.posts.kinds(BOTH) == ["erase"]
    assert "freed" not in end(phone, BOTH)


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_the_mail_says_it_too(phone: Telephone, language: Literal["ko", "en"]) -> None:
    mail = RecipientSettings(reach={BOTH: Reach(mail=MAIL, language=language)})
    phone.office.desk = replace(phone.office.desk, recipients=mail)
    await erased(phone)
    letter = phone.letters.to(MAIL)[-1]
    assert FREE[language] in " ".join(letter.text.split())
    assert FREE[language].split(":")[0] in letter.html


async def test_a_correction_frees_nothing_beside_itself(phone: Telephone) -> None:
    await proven(phone.office, ME, CORRECT)
    await phone.tell()
    await signed(phone.office)
    await phone.tell()
    assert "freed" not in end(phone, "post_office")
