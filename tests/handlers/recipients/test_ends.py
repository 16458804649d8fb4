"""The end of a hold as recipients hear it: all of what was held, and no word of freedom too early."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import pytest
from desks import CORRECT, MARKETING, NEW_ADDRESS, MakeDesk, agent
from signing import proven, request_of, signed
from sqlalchemy import update
from told import MAIL, Telephone, telephone, with_recipient

from subjectline.handlers import decisions
from subjectline.handlers.audit import SYSTEM
from subjectline.handlers.decisions import AgentDraft
from subjectline.handlers.requests import Facts, advance
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.datamap import DataMap
from subjectline.models.recipient_settings import Reach, RecipientSettings
from subjectline.models.tables import Hold, Request, Telling

ME = KO_MEMBER.email
POST, NURIGO = "post_office", "nurigo"
BOTH = ("phone", "shipping_address")
SAID: dict[Literal["ko", "en"], tuple[str, str]] = {
    "ko": ("아직 이용할 수 없는 항목", "다시 이용하실 수 있습니다"),
    "en": ("Not to be used yet", "You may use it again"),
}


def last(phone: Telephone, name: str = POST) -> Mapping[str, Any]:
    data: Mapping[str, Any] = phone.posts.to(name)[-1]["data"]
    return data


async def wide(phone: Telephone) -> None:
    """A correction that holds two fields of the post office, one of which gets a new value."""
    await proven(phone.office, ME, CORRECT)
    async with phone.office.desk.write() as session:
        await session.exec(update(Hold).values(fields=list(BOTH)))
        await session.exec(update(Telling).values(fields=list(BOTH)))


async def refused(phone: Telephone, request: Request) -> None:
    desk, number = phone.office.desk, request.id or 0
    request = await request_of(phone.office, number)
    if request.state == "proposed":
        await decisions.send_back(desk, number, request.version, agent(), "again")
    request = await request_of(phone.office, number)
    wish = AgentDraft("refuse", ground="not_incorrect", note="주소를 확인했습니다.")
    await decisions.propose(desk, number, request.version, agent(), wish)
    await signed(phone.office, request)
    await phone.tell()


async def test_an_end_frees_all_that_the_hold_named(
    make_desk: MakeDesk, sample_map: DataMap
) -> None:
    phone = telephone(await make_desk(data_map=with_recipient(sample_map, POST, fields=BOTH)))
    await wide(phone)
    await phone.tell()
    assert set(last(phone)["fields"]) == set(BOTH)
    await signed(phone.office)
    await phone.tell()
    assert phone.posts.kinds(POST) == ["hold", "corrected"]
    end = last(phone)
    assert set(end["fields"]) == set(BOTH) and end["corrected"] == ["shipping_address"]
    assert end["values"] == {"shipping_address": NEW_ADDRESS} and "still_held" not in end


async def test_what_another_request_holds_is_not_called_free(phone: Telephone) -> None:
    """Two requests about one field: the first ends, and the second still holds it."""
    first = await proven(phone.office, ME, CORRECT)
    await phone.tell()
    second = await proven(phone.office, ME, CORRECT.replace("12, 3층", "14"))
    await phone.tell()
    await refused(phone, first)
    assert phone.posts.kinds(POST) == ["hold", "hold", "released"]
    end = last(phone)
    assert end["reference"] == first.reference
    assert end["still_held"] == [
        {"reference": second.reference, "fields": ["shipping_address"], "purposes": ["*"]}
    ]
    await refused(phone, second)
    assert phone.posts.kinds(POST)[-1] == "released" and "still_held" not in last(phone)


async def test_sequence_grows_though_the_gate_stands_still(phone: Telephone) -> None:
    """A consent that is withdrawn is held on: the notice of it has the revision of its hold."""
    await proven(phone.office, ME, MARKETING)
    await phone.tell()
    hold = last(phone, NURIGO)
    await signed(phone.office)
    await phone.tell()
    stop = last(phone, NURIGO)
    assert hold["revision"] == stop["revision"]
    assert (hold["sequence"], stop["sequence"]) == (1, 2)


async def test_who_takes_a_hold_over_names_what_the_recipient_knows(phone: Telephone) -> None:
    """It was told of the first request; the second took over before it was told of anything."""
    office = phone.office
    first = await proven(office, ME, CORRECT)
    await phone.tell()
    second = await proven(office, ME, CORRECT.replace("12, 3층", "14"))
    first = await request_of(office, first.id or 0)
    facts, number = Facts(successor=second.id, letter=None), first.id or 0
    async with office.desk.write() as session:
        await advance(session, office.desk, number, "send_back", SYSTEM, first.version, facts)
        await advance(session, office.desk, number, "supersede", SYSTEM, first.version + 1, facts)
    await refused(phone, second)
    assert phone.posts.kinds(POST) == ["hold", "released"]
    assert last(phone)["references"] == [first.reference, second.reference]
    assert last(phone)["reference"] == second.reference


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_by_mail_it_says_what_must_not_be_used_yet(
    make_desk: MakeDesk, language: Literal["ko", "en"]
) -> None:
    phone, (not_yet, again) = telephone(await make_desk()), SAID[language]
    mail = RecipientSettings(reach={POST: Reach(mail=MAIL, language=language)})
    phone.office.desk = replace(phone.office.desk, recipients=mail)
    first = await proven(phone.office, ME, CORRECT)
    await phone.tell()
    second = await proven(phone.office, ME, CORRECT.replace("12, 3층", "14"))
    await phone.tell()
    await refused(phone, first)
    said = " ".join(phone.letters.to(MAIL)[-1].text.split())
    assert f"({second.reference})" in said and not_yet in said and again not in said
    await refused(phone, second)
    said = " ".join(phone.letters.to(MAIL)[-1].text.split())
    assert not_yet not in said and again in said
