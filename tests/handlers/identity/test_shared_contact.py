"""A number shared by its owner in the chat: whom it proves, and whom it never does."""

import json
from itertools import count
from typing import Any

import pytest
from desks import ACCESS, CORRECT, MakeDesk, Office, code_in

from subjectline.handlers import inbox
from subjectline.handlers.inbox import Raw
from subjectline.intake.sandbox.people import KO_MEMBER, OTHER_MEMBER
from subjectline.models.incoming import Door
from subjectline.models.tables import Audit, Challenge, Request

HANA = 77
PHONE = "+82 10-0000-1001"
CORRECT_PHONE = "제 휴대전화번호를 010-0000-4321로 바꿔 주세요."
_numbers = count(5000)


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    """No statement here differs on PostgreSQL."""
    return await make_desk()


async def share(office: Office, number: str = PHONE, user: int = HANA, **said: Any) -> None:
    """The member presses Telegram's contact button; `said` bends the message."""
    person = {"id": user, "is_bot": False, "first_name": "P", "language_code": "ko"}
    contact = {"phone_number": number, "first_name": "P", "user_id": user}
    message = {
        "message_id": next(_numbers),
        "date": int(office.clock().timestamp()),
        "chat": {"id": user, "type": "private", "first_name": "P"},
        "from": person,
        "contact": contact | said.pop("contact", {}),
    } | said
    body = json.dumps({"update_id": next(_numbers), "message": message}).encode()
    key = f"telegram:1:{next(_numbers)}"
    raw = Raw(Door.TELEGRAM, key, f"telegram:{user}", office.clock(), body)
    await inbox.keep(office.desk, [raw])
    await office.work()


def last(office: Office, user: int = HANA) -> str:
    return office.last(str(user)).text


async def looks(office: Office) -> list[tuple[str, str]]:
    rows = await office.all(Audit, Audit.action == "shared_contact")
    return [(row.outcome, row.reason) for row in rows]


async def test_it_opens_what_waits_and_links_the_chat(office: Office) -> None:
    await office.chat(HANA, ACCESS)
    assert await office.state() == "received"
    await share(office)
    request = await office.request()
    assert (request.level, request.subject_id) == ("contact", KO_MEMBER.member)
    assert request.state in ("open", "proposed")
    conversation = await office.conversation()
    assert (conversation.subject_id, conversation.proven_by) == (KO_MEMBER.member, "phone")
    assert await looks(office) == [("ok", "")]
    await office.chat(HANA, CORRECT)
    second = await office.request()
    assert second.id != request.id and second.subject_id == KO_MEMBER.member


@pytest.mark.long
async def test_alone_it_links_the_chat_and_says_so(office: Office) -> None:
    await share(office)
    assert (await office.conversation()).subject_id == KO_MEMBER.member
    assert "연결했습니다" in last(office)
    await office.chat(HANA, ACCESS)
    assert (await office.request()).level == "contact"


async def test_the_number_is_kept_nowhere_and_leaves_the_chat(office: Office) -> None:
    await office.chat(HANA, ACCESS)
    await share(office)
    assert any(parcel.forget for parcel in office.tray.to(str(HANA)))
    texts = [office.desk.vault.text(m.text) for m in await office.messages()]
    assert not [text for text in texts if "1001" in text]
    for row in await office.all(Audit):
        assert "0000-1001" not in repr(row.facts) and "00001001" not in repr(row.facts)


NOT_THEIRS: tuple[dict[str, Any], ...] = (
    {"contact": {"user_id": None}},
    {"contact": {"user_id": HANA + 1}},
    {"forward_origin": {"type": "user"}},
    {"forward_date": 1},
    {"via_bot": {"id": 5, "is_bot": True}},
    {"chat": {"id": -5, "type": "group", "title": "g"}},
)


async def test_somebody_elses_forwarded_or_in_a_group_is_no_proof(office: Office) -> None:
    await office.chat(HANA, ACCESS)
    for said in NOT_THEIRS:
        await share(office, **said)
    assert (await office.request()).state == "received"
    assert (await office.conversation()).subject_id is None
    assert await looks(office) == []


async def test_a_number_of_nobody_or_of_two_proves_nobody(office: Office) -> None:
    await office.chat(HANA, ACCESS)
    await share(office, "+82 10-0000-9999")
    unknown = last(office)
    await office.sql(
        "UPDATE member SET phone = (SELECT phone FROM member WHERE member_id = 1001)"
        " WHERE member_id = 1003"
    )
    await share(office)
    assert last(office) == unknown
    assert (await office.request()).state == "received"
    assert await looks(office) == [("refused", "unknown"), ("refused", "several")]


async def test_it_never_proves_who_is_correcting_the_phone(office: Office) -> None:
    """The number is said to be wrong: whoever holds it now may be somebody else."""
    await office.chat(HANA, CORRECT_PHONE)
    await office.chat(HANA, ACCESS)
    await share(office)
    requests = await office.all(Request)
    assert {request.state for request in requests} == {"received"}
    assert {request.subject_id for request in requests} == {None}
    assert (await office.conversation()).subject_id is None
    assert await looks(office) == [("refused", "changing")]


async def test_nor_one_whose_phone_is_being_corrected_by_mail(office: Office) -> None:
    """The old number was given to somebody else, who shares it from their own chat."""
    await office.mail(KO_MEMBER.email, CORRECT_PHONE)
    await office.mail(KO_MEMBER.email, "네", answers=office.last(KO_MEMBER.email))
    assert (await office.request()).subject_id == KO_MEMBER.member
    await office.chat(HANA, ACCESS)
    await share(office)
    assert (await office.request()).subject_id is None
    assert await looks(office) == [("refused", "changing")]


async def test_a_stranger_who_only_asks_takes_the_way_from_nobody(office: Office) -> None:
    await office.chat(HANA + 1, CORRECT_PHONE)
    await office.chat(HANA + 1, KO_MEMBER.email)
    await office.chat(HANA, ACCESS)
    await share(office)
    assert (await office.request()).subject_id == KO_MEMBER.member


@pytest.mark.long
async def test_a_code_that_was_sent_before_ends(office: Office) -> None:
    await office.chat(HANA, ACCESS)
    await office.chat(HANA, OTHER_MEMBER.email)
    code = code_in(office.last(OTHER_MEMBER.email))
    await share(office)
    assert [c.state for c in await office.all(Challenge)] == ["replaced"]
    await office.chat(HANA, code)
    assert {r.subject_id for r in await office.all(Request)} == {KO_MEMBER.member}


@pytest.mark.long
async def test_a_linked_chat_corrects_the_phone_only_with_another_proof(office: Office) -> None:
    await share(office)
    await office.chat(HANA, CORRECT_PHONE)
    request = await office.request()
    assert (request.kind, request.state, request.subject_id) == ("correction", "received", None)
