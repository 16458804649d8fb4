"""A new contact is proven before it is written; the old one hears at once and can stop it."""

from datetime import timedelta

import pytest
from desks import MakeDesk, Office, agent, code_in, stop_token

from subjectline.handlers import decisions, drafting, new_contact, stopping
from subjectline.handlers.challenges import Verdict
from subjectline.handlers.wishes import wish_of
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER, OTHER_MEMBER, Person
from subjectline.models.errors import BadInput, SpentProof
from subjectline.models.tables import Audit, Challenge, Conversation, Proposal, Request

ME, PHONE = KO_MEMBER.email, "+821000001001"
NEW_PHONE, NEW_MAIL = "+821000004321", "new.haneul@mail.test"
CHANGE_PHONE = {
    "ko": "제 휴대전화번호를 010-0000-4321로 바꿔 주세요.",
    "en": "Please change my phone number to 010-0000-4321.",
}
CHANGE_MAIL = {
    "ko": f"이메일 주소를 {NEW_MAIL}로 바꿔 주세요.",
    "en": f"Please change my email address to {NEW_MAIL}.",
}
YES = {"ko": "네", "en": "Yes"}
READ_PHONE = "SELECT phone FROM member WHERE member_id = 1001"
READ_MAIL = "SELECT email FROM member WHERE member_id = 1001"


async def phone_proven(office: Office, who: Person = KO_MEMBER) -> None:
    """The phone is to change; the person is proven by mail, and the code is on its way."""
    await office.mail(who.email, CHANGE_PHONE[who.language])
    await office.mail(who.email, YES[who.language], answers=office.last(who.email))


async def approve(office: Office) -> None:
    proposal = (await office.all(Proposal))[-1]
    await decisions.approve(office.desk, proposal.sha256, agent())
    await office.work()


@pytest.mark.parametrize("who", [KO_MEMBER, EN_MEMBER], ids=["ko", "en"])
async def test_the_journey_of_a_phone(texting: Office, who: Person) -> None:
    office, old = texting, f"+82{who.phone.replace('-', '')[1:]}"
    await phone_proven(office, who)
    assert await office.state() == "waiting"
    assert stop_token(office.last(old)) and "4321" not in office.last(old).text
    code = code_in(office.last(NEW_PHONE))
    assert code not in office.last(who.email).text
    await office.mail(who.email, code, answers=office.last(who.email))
    assert await office.state() == "proposed"
    assert await office.sql(READ_PHONE) == [(KO_MEMBER.phone,)]
    await approve(office)
    assert await office.state() == "done"
    row = await office.sql(f"SELECT phone FROM member WHERE member_id = {who.number}")
    assert row[0][0].replace("-", "") == "01000004321"
    assert await office.holds() == []


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_the_journey_of_an_email(texting: Office, language: str) -> None:
    """Written from the address that is to go: proven by the phone, its letters go elsewhere."""
    office, who = texting, KO_MEMBER if language == "ko" else EN_MEMBER
    mobile = f"+82{who.phone.replace('-', '')[1:]}"
    await office.mail(who.email, CHANGE_MAIL[language])
    hint = "등록된 휴대전화 번호를" if language == "ko" else "your registered phone number"
    assert hint in " ".join(office.last(who.email).text.split())
    await office.mail(who.email, who.phone, answers=office.last(who.email))
    before = len(office.tray.to(who.email))
    asked = office.last(who.email)
    await office.mail(who.email, code_in(office.last(mobile)), answers=asked)
    request = await office.request()
    assert (request.state, request.subject_id) == ("waiting", who.member)
    old_hears = [p for p in office.tray.to(who.email)[before:]]
    assert len(old_hears) == 1 and stop_token(old_hears[0])
    assert request.reference in office.tray.to(mobile)[-1].text  # the acknowledgement
    code = office.last(NEW_MAIL)
    await office.mail(NEW_MAIL, YES[language], answers=code)
    assert await office.state() == "proposed"
    await approve(office)
    assert await office.state() == "done"
    assert (await office.sql(f"SELECT email FROM member WHERE member_id = {who.number}")) == [
        (NEW_MAIL,)
    ]
    assert request.reference in office.last(NEW_MAIL).text
    assert len(office.tray.to(who.email)) == before + 1


async def test_nothing_is_proposed_before_the_new_contact_answers(texting: Office) -> None:
    await phone_proven(texting)
    assert await texting.all(Proposal) == []
    request = await texting.request()
    made = await drafting.make(texting.desk, request)
    assert "new_contact:phone" in map(str, made.missing)
    with pytest.raises(BadInput):
        wish = drafting.AgentDraft(new_contact_proof="code")
        await decisions.propose(texting.desk, request.id or 0, request.version, agent(), wish)


async def test_another_value_needs_a_code_of_its_own(texting: Office) -> None:
    """What was proven is that very number."""
    await phone_proven(texting)
    me = texting.last(ME)
    await texting.mail(ME, code_in(texting.last(NEW_PHONE)), answers=me)
    request = await texting.request()
    wish = drafting.AgentDraft(values={"phone": "010-0000-9999"})
    made = await drafting.make(texting.desk, request, wish)
    assert "new_contact:phone" in map(str, made.missing)


async def test_a_wrong_code_proves_nothing_and_five_bring_a_new_one(texting: Office) -> None:
    await phone_proven(texting)
    asked, code = texting.last(ME), code_in(texting.last(NEW_PHONE))
    for _ in range(5):
        await texting.mail(ME, f"{(int(code) + 1) % 10**6:06d}", answers=asked)
        assert await texting.state() == "waiting"
    assert len(texting.tray.to(NEW_PHONE)) == 2
    first, second = await texting.all(Challenge, Challenge.purpose == "new_contact")
    assert (first.state, second.state) == ("spent", "open")
    await texting.mail(ME, code_in(texting.last(NEW_PHONE)), answers=asked)
    assert await texting.state() == "proposed"


async def test_a_yes_where_it_was_asked_is_no_code(texting: Office) -> None:
    await phone_proven(texting)
    await texting.mail(ME, "네", answers=texting.last(ME))
    assert await texting.all(Proposal) == []
    assert "proven_contacts" not in wish_of(texting.desk, await texting.request())


async def email_waits(office: Office) -> None:
    await office.mail(ME, CHANGE_MAIL["ko"])
    await office.mail(ME, KO_MEMBER.phone, answers=office.last(ME))
    await office.mail(ME, code_in(office.last(PHONE)), answers=office.last(ME))
    assert await office.state() == "waiting"


@pytest.mark.parametrize(("sender", "auth"), [(OTHER_MEMBER.email, "pass"), (NEW_MAIL, "fail")])
async def test_a_reply_counts_from_the_new_address_alone(
    texting: Office, sender: str, auth: str
) -> None:
    await email_waits(texting)
    await texting.mail(sender, "네", answers=texting.last(NEW_MAIL), auth=auth)
    assert (await texting.all(Request))[0].state == "waiting"


async def test_a_no_from_the_new_address_ends_the_code(texting: Office) -> None:
    await email_waits(texting)
    letter = texting.last(NEW_MAIL)
    await texting.mail(NEW_MAIL, "아니요", answers=letter)
    assert (await texting.all(Conversation))[0].state == "unsorted"
    await texting.mail(NEW_MAIL, "네", answers=letter)
    assert (await texting.all(Request))[0].state == "waiting"


async def test_the_page_and_the_chat_have_the_same_check(texting: Office) -> None:
    await phone_proven(texting)
    code = code_in(texting.last(NEW_PHONE))
    async with texting.desk.write() as session:
        talk = await session.get_one(Conversation, (await texting.request()).conversation_id)
        wrong = f"{(int(code) + 1) % 10**6:06d}"
        check = await new_contact.check(session, texting.desk, talk, wrong)
        assert (check.verdict, check.tries_left) == (Verdict.WRONG, 4)
        check = await new_contact.check(session, texting.desk, talk, code)
        assert check.verdict is Verdict.PROVEN
        check = await new_contact.check(session, texting.desk, talk, code)
        assert check.verdict is Verdict.NONE


async def test_without_a_way_to_the_new_number_an_agent_calls(make_desk: MakeDesk) -> None:
    office = await make_desk()
    await phone_proven(office)
    assert await office.state() == "open"
    assert [c.purpose for c in await office.all(Challenge)] == ["identity"]


# The stop


async def test_the_old_contact_hears_once(texting: Office) -> None:
    await phone_proven(texting)
    await texting.mail(ME, code_in(texting.last(NEW_PHONE)), answers=texting.last(ME))
    assert len(texting.tray.to(PHONE)) == 1


async def test_looking_stops_nothing_and_a_press_stops_for_good(texting: Office) -> None:
    await phone_proven(texting)
    token = stop_token(texting.last(PHONE))
    assert (await stopping.look(texting.desk, token)).state == "ask"
    assert await texting.state() == "waiting"
    seen = await stopping.stop(texting.desk, token)
    request = await texting.request()
    assert (seen.state, request.state) == ("stopped", "open")
    assert (await texting.conversation()).state == "unsorted"
    assert "stop" in {row.action for row in await texting.all(Audit)}
    await texting.mail(ME, code_in(texting.last(NEW_PHONE)), answers=texting.last(ME))
    assert await texting.all(Proposal) == []
    made = await drafting.make(texting.desk, request)
    assert [str(each) for each in made.missing] == ["stopped"]
    assert (await stopping.stop(texting.desk, token)).state == "stopped"


async def test_an_approved_change_of_a_contact_can_be_stopped_until_it_is_begun(
    texting: Office,
) -> None:
    await phone_proven(texting)
    token = stop_token(texting.last(PHONE))
    await texting.mail(ME, code_in(texting.last(NEW_PHONE)), answers=texting.last(ME))
    [proposal] = await texting.all(Proposal)
    await decisions.approve(texting.desk, proposal.sha256, agent())
    await stopping.stop(texting.desk, token)
    await texting.work()
    assert await texting.state() == "open"
    assert await texting.sql(READ_PHONE) == [(KO_MEMBER.phone,)]


async def test_too_late_is_said_and_shown_to_an_agent(texting: Office) -> None:
    await phone_proven(texting)
    token = stop_token(texting.last(PHONE))
    await texting.mail(ME, code_in(texting.last(NEW_PHONE)), answers=texting.last(ME))
    await approve(texting)
    assert (await stopping.stop(texting.desk, token)).state == "late"
    assert (await texting.conversation()).state == "unsorted"
    pressed = [row for row in await texting.all(Audit) if row.action == "stop_pressed"]
    assert [(row.outcome, row.reason) for row in pressed] == [("refused", "late")]


async def test_a_stop_link_is_bound_and_dies(texting: Office) -> None:
    await phone_proven(texting)
    token = stop_token(texting.last(PHONE))
    with pytest.raises(SpentProof):
        await stopping.look(texting.desk, token[:-1] + ("A" if token[-1] != "A" else "B"))
    texting.clock.advance(timedelta(days=30))
    with pytest.raises(SpentProof):
        await stopping.stop(texting.desk, token)
