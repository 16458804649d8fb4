"""Who is asking, by mail: one challenge a group, codes that die, replies that suffice, limits."""

import re
from datetime import timedelta

import pytest
from desks import ACCESS, CODE, CORRECT, MARKETING, THIRD_PARTY, Office, code_in

from subjectline.intake.sandbox.people import KO_MEMBER, OTHER_MEMBER
from subjectline.models.tables import Audit, Challenge, Request

ME = KO_MEMBER.email
STRANGER = "nobody@elsewhere.test"


async def asked(office: Office, words: str = CORRECT, auth: str = "pass") -> None:
    await office.mail(ME, words, auth=auth)
    assert await office.state() == "verifying"


async def test_one_challenge_proves_a_group(office: Office) -> None:
    await office.mail(ME, f"{ACCESS} 그리고 {CORRECT}")
    assert await office.letters() == ["verify"]
    await office.mail(ME, "네", answers=office.last(ME))
    requests = await office.all(Request)
    assert {r.kind for r in requests} == {"access", "correction"}
    assert {(r.state, r.level, r.subject_id) for r in requests} == {("proposed", "contact", "1001")}
    assert await office.letters() == ["verify", "ack"]
    for request in requests:
        assert request.reference in office.last(ME).text


async def test_a_reply_with_the_code_suffices(office: Office) -> None:
    await asked(office)
    verify = office.last(ME)
    await office.mail(ME, f"코드는 {code_in(verify)}입니다.", answers=verify)
    assert await office.state() == "proposed"


async def test_the_code_suffices_without_the_reply_address(office: Office) -> None:
    await asked(office)
    await office.mail(ME, code_in(office.last(ME)))
    assert await office.state() == "proposed"


async def test_a_yes_that_answers_nothing_proves_nothing(office: Office) -> None:
    """Without our reply address or our Message-ID a yes could be written by anybody."""
    await asked(office)
    await office.mail(ME, "네")
    assert await office.state() == "verifying"


async def test_a_yes_from_another_address_proves_nothing(office: Office) -> None:
    await asked(office)
    await office.mail(OTHER_MEMBER.email, "네", answers=office.last(ME))
    assert (await office.all(Request))[0].state == "verifying"


async def test_a_forged_yes_proves_nothing(office: Office) -> None:
    await asked(office)
    await office.mail(ME, "네", answers=office.last(ME), auth="fail")
    assert await office.state() == "verifying"


async def test_a_wrong_code_in_a_reply_is_no_proof(office: Office) -> None:
    await asked(office)
    verify = office.last(ME)
    await office.mail(ME, other_than(code_in(verify)), answers=verify)
    assert await office.state() == "verifying"
    assert "확인번호가 맞지 않습니다" in office.last(ME).text
    await office.mail(ME, code_in(verify), answers=verify)
    assert await office.state() == "proposed"


async def test_five_tries_and_the_code_is_spent(office: Office) -> None:
    await asked(office)
    first = code_in(office.last(ME))
    for left in (4, 3, 2, 1):
        await office.mail(ME, other_than(first))
        assert f"{left}번 더" in office.last(ME).text
    await office.mail(ME, other_than(first))
    [old, new] = await office.all(Challenge)
    assert (old.state, old.tries, new.state) == ("spent", 5, "open")
    tried = [row for row in await office.all(Audit) if row.action == "wrong_code"]
    assert len(tried) == 5
    await office.mail(ME, first)
    assert await office.state() == "verifying"
    newest = [p for p in office.tray.to(ME) if "확인번호:" in p.text][-1]
    await office.mail(ME, code_in(newest))  # the request is still there
    assert await office.state() == "proposed"


async def test_a_new_code_kills_the_old_one(office: Office) -> None:
    await asked(office)
    first = office.last(ME)
    office.clock.advance(timedelta(minutes=11))
    await office.mail(ME, code_in(first))  # too old: a new one comes
    second = office.last(ME)
    assert code_in(second) != code_in(first) and second.message_id != first.message_id
    assert [c.state for c in await office.all(Challenge)] == ["replaced", "open"]
    await office.mail(ME, code_in(first))
    assert await office.state() == "verifying"
    await office.mail(ME, code_in(second))
    assert await office.state() == "proposed"


@pytest.mark.parametrize("words", ["네", "{code}"])
async def test_the_reply_address_outlives_the_code(office: Office, words: str) -> None:
    """256 random bits need no haste: 72 hours."""
    await asked(office)
    verify = office.last(ME)
    office.clock.advance(timedelta(hours=71))
    await office.mail(ME, words.format(code=code_in(verify)), answers=verify)
    assert await office.state() == "proposed"


async def test_the_reply_address_dies_after_72_hours(office: Office) -> None:
    await asked(office)
    verify = office.last(ME)
    office.clock.advance(timedelta(hours=73))
    await office.mail(ME, "네", answers=verify)
    assert await office.state() == "verifying"


async def test_any_answer_to_an_old_code_brings_a_new_one(office: Office) -> None:
    """The letter says so: "answer this mail and you get a new number"."""
    await asked(office)
    verify = office.last(ME)
    office.clock.advance(timedelta(minutes=30))
    await office.mail(ME, "번호 시간이 지났네요. 새 번호 부탁드립니다.", answers=verify)
    assert code_in(office.last(ME)) and office.last(ME) is not verify
    assert await office.state() == "verifying"


async def test_a_no_takes_everything_back(office: Office) -> None:
    await office.mail(ME, f"{ACCESS} 그리고 {CORRECT}")
    await office.mail(ME, "아니요", answers=office.last(ME))
    assert {r.state for r in await office.all(Request)} == {"withdrawn"}
    assert await office.holds() == []


async def test_codes_are_limited_for_the_asker(office: Office) -> None:
    for _ in range(5):
        await office.mail(ME, CORRECT)
    assert (await office.letters()).count("verify") == 3
    requests = await office.all(Request)
    assert len(requests) == 1 and (await office.conversation()).state == "unsorted"


async def test_a_marketing_withdrawal_needs_the_channel_only(office: Office) -> None:
    await office.mail(ME, MARKETING)
    request = await office.request()
    assert (request.state, request.level) == ("proposed", "channel")
    assert await office.letters() == ["ack"]


@pytest.mark.parametrize("auth", ["fail", "", "none"])
async def test_but_not_without_a_believed_address(office: Office, auth: str) -> None:
    await office.mail(ME, MARKETING, auth=auth)
    assert await office.state() == "verifying"


# The provisional hold


async def provisional(office: Office) -> list[str]:
    return [hold.subject_id for hold in await office.holds() if hold.kind == "provisional"]


async def test_a_believed_registered_address_holds_at_once(office: Office) -> None:
    await asked(office)
    assert await provisional(office) == ["1001"]
    assert "72시간" in office.last(ME).text


@pytest.mark.parametrize("auth", ["fail", "", "none"])
async def test_a_forged_mail_holds_nothing(office: Office, auth: str) -> None:
    await asked(office, auth=auth)
    assert await office.holds() == []
    assert "72시간" not in office.last(ME).text


async def test_an_unknown_address_holds_nothing(office: Office) -> None:
    await office.mail(STRANGER, CORRECT)
    assert await office.holds() == []


async def test_once_in_thirty_days(office: Office) -> None:
    await asked(office)
    await office.mail(ME, "아니요", answers=office.last(ME))
    office.clock.advance(timedelta(days=29))
    await office.mail(ME, CORRECT)
    assert await provisional(office) == []
    office.clock.advance(timedelta(days=2))
    await office.mail(ME, THIRD_PARTY)
    assert await provisional(office) == ["1001"]


async def test_the_firm_hold_takes_the_provisional_ones_place(office: Office) -> None:
    await asked(office)
    await office.mail(ME, "네", answers=office.last(ME))
    [hold] = await office.holds()
    assert (hold.kind, hold.fields, hold.purposes) == ("firm", ["shipping_address"], ["*"])


# Who is not known


async def test_an_unknown_address_reads_the_same_letter(office: Office) -> None:
    await office.mail(ME, CORRECT)
    await office.mail(STRANGER, CORRECT)
    known, unknown = office.last(ME), office.last(STRANGER)
    assert same(known.text) == same(unknown.text)
    assert same(known.html) == same(unknown.html)
    assert same(known.subject) == same(unknown.subject)


async def test_an_unknown_person_gets_the_lawful_answer_in_time(office: Office) -> None:
    await office.mail(STRANGER, ACCESS)
    await office.mail(STRANGER, "네", answers=office.last(STRANGER))
    request = await office.request()
    assert (request.state, request.subject_id) == ("proposed", None)
    assert await office.holds() == []


async def test_an_address_of_two_members_proves_neither(office: Office) -> None:
    await office.sql("UPDATE member SET email = :e WHERE member_id = 1003", e=ME.upper())
    await office.mail(ME, CORRECT)
    assert await office.holds() == []
    await office.mail(ME, "네", answers=office.last(ME))
    assert (await office.request()).subject_id is None


async def test_the_contact_that_is_to_change_proves_nothing(office: Office) -> None:
    await office.mail(ME, "이메일 주소를 new.haneul@mail.test로 바꿔 주세요.")
    assert await office.state() == "received"
    assert await office.letters() == ["question"] and await office.holds() == []
    assert (await office.conversation()).state == "unsorted"


async def test_codes_stand_nowhere_in_the_files(office: Office) -> None:
    await asked(office)
    code = code_in(office.last(ME)).encode()
    await office.desk.db.dispose()
    for file in office.folder.iterdir():
        assert code not in file.read_bytes().replace(b"\0", b""), file.name


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def same(text: str) -> str:
    """Without the code, the reference and the link, which differ between any two letters."""
    text = re.sub(r"/m/[\w-]+", "/m/", text)
    return re.sub(r"SL-[0-9A-Z*~$=]+", "SL", re.sub(r"(?<!\d)\d{6}(?!\d)", "code", text))


async def test_a_contact_never_proves_its_own_change(office: Office) -> None:
    """The address that a mail asks to replace proves the rest of the mail, and not that."""
    await office.mail(
        ME, "제 개인정보를 모두 보여 주세요. 그리고 이메일 주소를 new.me@mail.test로 바꿔 주세요."
    )
    verify = next(letter for letter in office.tray.parcels if CODE.search(letter.text))
    await office.mail(ME, code_in(verify), answers=verify)
    states = {request.kind: request.state for request in await office.all(Request)}
    assert states["correction"] == "received" and states["access"] in ("open", "proposed")
