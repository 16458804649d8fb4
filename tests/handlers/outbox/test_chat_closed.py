"""A chat that its person has closed: they hear by the address that proved them, or an agent sees it."""

import json
from typing import Any

import pytest
from desks import ACCESS, CORRECT, MakeDesk, Office, agent, code_in

from subjectline.handlers import chat_closed, inbox, returned
from subjectline.handlers.inbox import Raw
from subjectline.models.errors import ChatClosed
from subjectline.models.incoming import Door
from subjectline.models.tables import Audit, DeadAddress, Outbox, ReturnedLetter

HANA = 4711
SHUT = ChatClosed("the chat is closed to the bot: Forbidden: bot was blocked by the user")


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    return await make_desk()


async def member(office: Office) -> str:
    ((email,),) = await office.sql("SELECT email FROM member ORDER BY member_id LIMIT 1")
    return str(email)


async def proven(office: Office, words: str = ACCESS) -> str:
    """A member asks by chat and proves it from their mailbox; the address that did."""
    address = await member(office)
    await office.chat(HANA, words)
    await office.chat(HANA, address)
    return address


async def happens(office: Office, status: str, number: int) -> None:
    """The person blocks the bot (`kicked`) or takes it back (`member`)."""
    person = {"id": HANA, "is_bot": False, "first_name": "P", "language_code": "ko"}
    change: dict[str, Any] = {
        "chat": {"id": HANA, "type": "private", "first_name": "P"},
        "from": person,
        "date": int(office.clock().timestamp()),
        "new_chat_member": {"status": status, "user": {"id": 1}},
    }
    body = json.dumps({"update_id": number, "my_chat_member": change}).encode()
    raw = Raw(Door.TELEGRAM, f"telegram:1:m{number}", f"telegram:{HANA}", office.clock(), body)
    await inbox.keep(office.desk, [raw])
    await office.work()


async def test_what_the_chat_did_not_take_goes_to_the_address_that_proved_it(
    office: Office,
) -> None:
    address = await proven(office)
    code = code_in(office.last(address))
    office.tray.wrong = [SHUT] * 9
    await office.chat(HANA, code)
    office.tray.wrong.clear()
    await office.work()
    letter = office.last(address)
    assert "채팅으로 연락드릴 수 없어" in letter.text and letter.subject.startswith(
        "[모먼트픽] 요청 SL-"
    )
    rows = {row.letter: row for row in await office.all(Outbox)}
    assert (rows["ack"].outcome, rows["ack"].reason) == ("unreachable", "chat_closed")
    assert rows["chat_closed"].outcome == "sent" and rows["ack"].content is None
    assert (await office.conversation()).state != "unsorted"
    assert await office.all(ReturnedLetter) == []
    (mark,) = await office.all(DeadAddress)
    assert (mark.contact_kind, mark.cause, mark.cleared_at) == ("telegram", "blocked", None)


async def test_the_link_of_a_result_comes_by_mail(office: Office) -> None:
    address = await proven(office)
    await office.chat(HANA, code_in(office.last(address)))
    ((row,),) = [[r for r in await office.all(Outbox) if r.letter == "ack"]]
    async with office.desk.write() as session:
        again = await session.get_one(Outbox, row.id)
        content = {"text": "알린 곳: ⟦told⟧ 보안 페이지: ⟦secure_link⟧", "language": "ko"}
        content["slots"] = {"secure_link": {"request_id": row.request_id}}  # type: ignore[assignment]
        talk = await office.conversation()
        again.content = office.desk.vault.seal(
            talk.key_id, "outbox.content", json.dumps({**content, "subject": "", "html": ""})
        )
        again.outcome = "due"
        session.add(again)
    office.tray.wrong = [SHUT]
    await office.work()
    letter = office.last(address)
    assert "https://privacy.moment-pick.example/m/" in letter.text
    assert "⟦" not in letter.text and "secure_link" not in letter.text
    assert "알린 곳: 아직 없습니다" in letter.text


@pytest.mark.parametrize("why", ["contested", "dead"])
async def test_where_that_address_cannot_be_used_an_agent_finds_a_way(
    office: Office, why: str
) -> None:
    address = await proven(office)
    code = code_in(office.last(address))
    index = office.desk.vault.index("email", address)
    if why == "dead":
        async with office.desk.write() as session:
            now = office.clock()
            session.add(DeadAddress(contact_index=index, cause="unknown_user", since=now))
    else:
        await office.sql("UPDATE member SET email = 'else@member.test' WHERE email = :a", a=address)
    office.tray.wrong = [SHUT] * 9
    await office.chat(HANA, code)
    rows = {row.letter: row for row in await office.all(Outbox)}
    assert rows["ack"].outcome == "failed" and "chat_closed" not in rows
    waiting = [row for row in await office.all(ReturnedLetter) if row.state == "waits"]
    assert [row.letter for row in waiting] == ["ack"]
    (listed,) = await returned.listed(office.desk)
    ways = (await returned.view(office.desk, listed.handle, agent())).ways
    assert returned.Way("telegram", why_not="closed") in ways
    await happens(office, "member", 1)
    ways = (await returned.view(office.desk, listed.handle, agent())).ways
    assert returned.Way("telegram", can_send=True) in ways


async def test_lines_of_the_conversation_itself_are_nobodys_work(office: Office) -> None:
    office.tray.wrong = [SHUT] * 9
    await office.chat(HANA, "/start")
    (row,) = await office.all(Outbox)
    assert (row.outcome, row.reason) == ("unreachable", "chat_closed")
    assert await office.all(ReturnedLetter) == []


async def test_a_block_and_its_end_are_noticed(office: Office) -> None:
    await office.chat(HANA, "/start")
    index = (await office.conversation()).contact_index
    seen = []
    for number, status in enumerate(("kicked", "kicked", "member", "member", "kicked")):
        await happens(office, status, number)
        async with office.desk.db.read() as session:
            seen.append(await chat_closed.is_closed(session, index))
    assert seen == [True, True, False, False, True]
    told = [row.action for row in await office.all(Audit) if row.action.startswith("chat_")]
    assert told == ["chat_closed", "chat_open", "chat_closed"]
    said = [m for m in await office.messages() if m.direction == "in"]
    assert len(said) == 1  # a block is nothing that was said


async def test_a_stranger_who_blocks_is_noted_by_index_alone(office: Office) -> None:
    await happens(office, "kicked", 1)
    (mark,) = await office.all(DeadAddress)
    assert mark.contact_index == office.desk.vault.index("telegram", str(HANA))
    assert await office.messages() == []


async def test_a_contested_address_is_not_written_to(office: Office) -> None:
    """The member corrects their postal address: mail is theirs still, and is used."""
    address = await proven(office, CORRECT)
    office.tray.wrong.clear()
    code = code_in(office.last(address))
    office.tray.wrong = [SHUT] * 9
    await office.chat(HANA, code)
    office.tray.wrong.clear()
    await office.work()
    assert office.last(address).text.count("SL-")
