"""No letter leaves for a contact that the member says is wrong, whichever request it is about."""

from typing import Any

import pytest
from desks import ACCESS, Office, agent, code_in, stop_token
from signing import proven, signed
from sqlalchemy import update

from subjectline.handlers import outbox, returned
from subjectline.handlers.audit import SYSTEM
from subjectline.handlers.registry import Registry
from subjectline.handlers.requests import Facts, advance
from subjectline.handlers.waiting import reasons
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import RegistryAway
from subjectline.models.incoming import Door
from subjectline.models.tables import Conversation, Hold, Outbox, Request, ReturnedLetter

ME, MEMBER, PHONE = KO_MEMBER.email, KO_MEMBER.member, "+821000001001"
NEW_MAIL = "new.haneul@mail.test"
CHANGE_MAIL = f"이메일 주소를 {NEW_MAIL}로 바꿔 주세요."
CHANGE_PHONE = "제 휴대전화번호를 010-0000-4321로 바꿔 주세요."


async def by_phone(office: Office, words: str) -> Request:
    """Asked from the registered address, proven by a code to the registered phone."""
    await office.mail(ME, words)
    await office.mail(ME, KO_MEMBER.phone, answers=office.last(ME))
    await office.mail(ME, code_in(office.last(PHONE)), answers=office.last(ME))
    request = await office.request()
    assert request.subject_id == MEMBER
    return request


async def result(office: Office, request: Request) -> Outbox:
    """The member's result, signed and due."""
    await signed(office, request)
    [row] = await office.all(Outbox, Outbox.request_id == request.id, Outbox.letter == "done")
    return row


async def why(office: Office, request: Request) -> tuple[str, ...]:
    [talk] = await office.all(Conversation, Conversation.id == request.conversation_id)
    async with office.desk.db.read() as session:
        return (await reasons(session, office.desk, [talk]))[talk.id or 0]


@pytest.fixture
async def moving(texting: Office) -> tuple[Office, Request]:
    """An access proven by mail, and then a correction of that very address."""
    access = await proven(texting, ME, ACCESS)
    correction = await by_phone(texting, CHANGE_MAIL)
    assert (correction.kind, correction.state) == ("correction", "waiting")
    return texting, access


async def test_another_requests_letter_waits_for_an_agent(moving: tuple[Office, Request]) -> None:
    office, access = moving
    before = len(office.tray.to(ME))
    row = await result(office, access)
    assert (row.outcome, row.reason) == ("unreachable", "contested")
    assert len(office.tray.to(ME)) == before
    assert office.desk.vault.text(row.recipient) == ME  # not turned to somewhere else by itself
    assert "contested" in await why(office, access)
    [seen] = await returned.listed(office.desk)
    assert (seen.letter, seen.cause, seen.legal) == ("done", "contested", True)
    ways = (await returned.view(office.desk, seen.handle, agent())).ways
    assert {way.kind: way.why_not for way in ways if way.kind in ("email", "phone")} == {
        "email": "held", "phone": "",
    }  # fmt: skip


async def test_once_the_new_address_is_written_an_agent_sends_it_there(
    moving: tuple[Office, Request],
) -> None:
    office, access = moving
    await result(office, access)
    await office.mail(NEW_MAIL, "네", answers=office.last(NEW_MAIL))
    assert (await signed(office)).state == "done"
    [seen] = await returned.listed(office.desk)
    await returned.send_again(office.desk, seen.handle, "email", agent())
    await office.work()
    assert access.reference in office.last(NEW_MAIL).text
    await returned.close(office.desk, seen.handle, "resent", "새 주소로 다시 보냈습니다.", agent())
    assert "contested" not in await why(office, access)


async def test_the_warning_with_the_stop_link_still_reaches_the_old_address(
    moving: tuple[Office, Request],
) -> None:
    assert any(stop_token(one) for one in moving[0].tray.to(ME) if "/m/stop/" in one.text)


async def test_who_wrote_from_another_contact_is_answered_there(texting: Office) -> None:
    """The phone is under correction: letters by mail are not concerned."""
    access = await proven(texting, ME, ACCESS)
    await proven(texting, ME, CHANGE_PHONE)
    assert (await result(texting, access)).outcome == "sent"


async def test_a_refused_correction_contests_nothing_any_more(
    moving: tuple[Office, Request],
) -> None:
    office, access = moving
    correction = await office.request()
    async with office.desk.write() as session:
        number, version = correction.id or 0, correction.version
        await advance(session, office.desk, number, "withdraw", SYSTEM, version, Facts(letter=None))
    assert (await result(office, access)).outcome == "sent"


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [({"kind": "provisional"}, "unreachable"), ({"fields": ["*"]}, "sent")],
    ids=["provisional", "no field named"],
)
async def test_what_the_hold_says_decides(
    moving: tuple[Office, Request], changed: dict[str, Any], outcome: str
) -> None:
    """A provisional one counts too; one of all fields says of no contact that it is wrong."""
    office, access = moving
    async with office.desk.db.write() as session:
        await session.exec(update(Hold).values(**changed))
    assert (await result(office, access)).outcome == outcome


async def test_it_waits_while_the_registry_cannot_say(
    moving: tuple[Office, Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, access = moving

    async def away(self: Registry, member: str, fields: object) -> Any:
        raise RegistryAway("away")

    row = await result(office, access)
    async with office.desk.db.write() as session:
        kept = await session.get_one(Outbox, row.id)
        kept.outcome, kept.reason, kept.attempts = "due", "", 0
        session.add(kept)
    monkeypatch.setattr(Registry, "read", away)
    assert await outbox.once(office.desk, {Door.MAIL: office.tray}) == 1
    [row] = await office.all(Outbox, Outbox.id == row.id)
    assert (row.outcome, row.attempts, row.leased_until) == ("due", 0, None)
    assert row.due_at > office.clock()


async def test_what_was_proven_beside_it_is_told_where_it_was_proven(texting: Office) -> None:
    """One mail, two rights, one code to the phone: both acknowledgements go there, none to an agent."""
    await by_phone(texting, f"{CHANGE_MAIL} 그리고 {ACCESS}")
    requests = {one.kind: one for one in await texting.all(Request)}
    assert set(requests) == {"correction", "access"}
    said = " ".join(one.text for one in texting.tray.to(PHONE))
    assert all(one.reference in said for one in requests.values())
    assert await texting.all(ReturnedLetter) == []
    assert (await result(texting, requests["access"])).door == Door.SMS
