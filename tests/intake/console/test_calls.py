"""The agent on the phone: a code that they never see, tries that count, contacts they cannot choose."""

from dataclasses import replace

import pytest
from browsers import Browser
from desks import ACCESS, MakeDesk, Office, agent, code_in

from subjectline.handlers import opaque, phone_call
from subjectline.handlers.identity_limits import CODES_AN_HOUR, TRIES
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import BadInput, IllegalMove, NotPermitted, TooManyTries
from subjectline.models.tables import Audit, Challenge, Outbox

ASKER = "somebody@elsewhere.test"
CORRECT_EMAIL = "제 이메일 주소를 new.one@mail.test로 바꿔 주세요."


@pytest.fixture
async def office(make_desk: MakeDesk) -> Office:
    made = await make_desk()
    await made.mail(ASKER, ACCESS)
    return made


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def tried(office: Office) -> list[tuple[str, str]]:
    rows = await office.all(Audit, Audit.action == "call_code")
    assert {row.account.partition(":")[0] for row in rows} <= {"agent"}
    return [(row.outcome, row.reason) for row in rows]


async def test_from_the_page_to_the_proof(console: Browser, office: Office) -> None:
    path = f"/requests/{(await office.request()).reference}"
    await console.get(path)
    await console.post(f"{path}/call/send", member="1001", way="email")
    await office.work()
    letter = office.last(KO_MEMBER.email)
    code = code_in(letter)
    assert "상담원에게 읽어 주세요" in letter.text
    seen = [console.page, (await console.get(path)).text, (await console.get("/queue")).text]
    talk = opaque.hide(office.desk.vault, "conversation", 1)
    seen.append((await console.get(f"/conversations/{talk}")).text)
    assert not [page for page in seen if code in page]
    await console.get(path)
    await console.post(f"{path}/call/check", code=wrong(code))
    assert "맞지 않습니다" in console.page and wrong(code) not in console.page
    await console.post(f"{path}/call/check", code=f"{code[:3]} {code[3:]}")
    assert "본인으로 확인했습니다" in console.page
    request = await office.request()
    assert (request.level, request.subject_id) == ("contact", KO_MEMBER.member)
    assert await tried(office) == [("refused", "wrong"), ("ok", "proven")]
    assert (await office.conversation()).subject_id is None  # the call proved the request alone
    assert code not in repr([row.facts for row in await office.all(Audit)])


async def test_five_tries_then_it_is_over(office: Office) -> None:
    await phone_call.send(office.desk, 1, agent(), "1001", "email")
    await office.work()
    code = code_in(office.last(KO_MEMBER.email))
    with pytest.raises(BadInput):
        await phone_call.check(office.desk, 1, agent(), "12 34")
    for _ in range(TRIES):
        await phone_call.check(office.desk, 1, agent(), wrong(code))
    await phone_call.check(office.desk, 1, agent(), code)
    assert [reason for _, reason in await tried(office)] == ["wrong"] * (TRIES - 1) + ["spent"] * 2
    assert await phone_call.waiting(office.desk, 1) is None
    assert (await office.request()).subject_id is None


async def test_only_a_registered_contact_that_is_not_being_changed(office: Office) -> None:
    for way in ("phone", "telegram", ASKER):  # there is no way out by text message here
        with pytest.raises((NotPermitted, BadInput)):
            await phone_call.send(office.desk, 1, agent(), "1001", way)
    await office.mail("another@elsewhere.test", CORRECT_EMAIL)
    number = (await office.request()).id or 0
    with pytest.raises(NotPermitted):
        await phone_call.send(office.desk, number, agent(), "1001", "email")
    assert not [c for c in await office.all(Challenge) if c.purpose == "call"]


@pytest.mark.long
async def test_a_new_code_ends_the_old_and_an_hour_has_three(office: Office) -> None:
    await phone_call.send(office.desk, 1, agent(), "1001", "email")
    await office.work()
    old = code_in(office.last(KO_MEMBER.email))
    for _ in range(CODES_AN_HOUR):
        await phone_call.send(office.desk, 1, agent(), "1001", "email")
    await office.work()
    with pytest.raises(TooManyTries):
        await phone_call.send(office.desk, 1, agent(), "1001", "email")
    if old != code_in(office.last(KO_MEMBER.email)):
        await phone_call.check(office.desk, 1, agent(), old)
    assert (await office.request()).subject_id is None


async def test_the_writer_cannot_type_it_in_the_mail(office: Office) -> None:
    """The code of a call proves on the phone only, and the mail's own code still counts."""
    theirs = office.last(ASKER)
    await phone_call.send(office.desk, 1, agent(), "1001", "email")
    await office.work()
    code = code_in(office.last(KO_MEMBER.email))
    await office.mail(ASKER, code, answers=theirs)
    assert (await office.request()).subject_id is None
    await office.mail(ASKER, "네", answers=theirs)
    assert (await office.request()).state in ("open", "proposed")
    with pytest.raises(IllegalMove):
        await phone_call.check(office.desk, 1, agent(), code)


async def test_by_text_message_where_there_is_a_gateway(office: Office) -> None:
    office.desk = replace(office.desk, manner=replace(office.desk.manner, sms=True))
    await phone_call.send(office.desk, 1, agent(), "1001", "phone")
    row = (await office.all(Outbox))[-1]
    assert (row.letter, row.door) == ("code", "sms")
    assert office.desk.vault.text(row.recipient) == "+821000001001"
