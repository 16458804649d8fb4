"""What a message becomes, and what is kept of it."""

import logging
from datetime import timedelta

import pytest
from desks import ACCESS, CORRECT, CORRECT_EN, NEW_ADDRESS, Office, agent, letter

from subjectline.handlers import casefile, letters, post
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER
from subjectline.models.tables import (
    Conversation,
    Message,
    MessageFile,
    RawInbox,
    Request,
    RequestMessage,
)

ME = KO_MEMBER.email
NUMBER = "900101-2345678"  # invented; its checksum does not fit


async def test_a_mail_without_a_right_waits_for_an_agent(office: Office) -> None:
    await office.mail(ME, "정산은 언제 되나요?", "정산 문의")
    assert await office.all(Request) == [] and await office.letters() == []
    assert (await office.conversation()).state == "unsorted"
    [message] = await office.messages()
    assert message.waits


async def test_the_same_mail_twice_is_one_request(office: Office) -> None:
    raw = letter(ME, CORRECT)
    await office.arrives(raw)
    await office.arrives(raw)  # another UID: seen in another folder, or after a new UIDVALIDITY
    assert len(await office.all(Request)) == 1
    assert [m.rule for m in await office.messages() if m.direction == "in"] == [
        "person",
        "duplicate",
    ]
    assert await office.letters() == ["verify"]


async def test_the_same_wish_again_opens_nothing_and_brings_a_new_code(office: Office) -> None:
    await office.mail(ME, CORRECT)
    await office.mail(ME, CORRECT)
    assert len(await office.all(Request)) == 1
    assert await office.letters() == ["verify", "verify"]
    assert len(await office.all(RequestMessage)) == 2


async def test_the_same_wish_five_times_is_one_request_and_three_codes_an_hour(
    office: Office,
) -> None:
    for _ in range(5):
        await office.mail(ME, CORRECT)
    assert len(await office.all(Request)) == 1
    assert await office.letters() == ["verify"] * 3
    assert (await office.conversation()).state == "unsorted"


async def test_another_value_is_another_request(office: Office) -> None:
    await office.mail(ME, CORRECT)
    await office.mail(ME, "제 배송지를 광주시 남구 달빛로 3으로 바꿔 주세요.")
    assert len(await office.all(Request)) == 2


async def test_a_reminder_of_an_open_request_is_shown_to_its_agent(office: Office) -> None:
    await office.mail(ME, CORRECT)
    await office.mail(ME, "네", answers=office.last(ME))
    await office.mail(ME, CORRECT)
    request = await office.request()
    last = (await office.messages())[-1]
    assert (len(await office.all(Request)), last.waits) == (1, True)
    assert last.id in [row.message_id for row in await office.all(RequestMessage)]
    case = await casefile.case(office.desk, request.reference, agent())
    assert case.wants_eyes


async def test_a_reminder_that_nobody_vouches_for_joins_nothing(office: Office) -> None:
    await office.mail(ME, CORRECT)
    await office.mail(ME, "네", answers=office.last(ME))
    before = len(await office.all(RequestMessage))
    await office.mail(ME, CORRECT, auth="")
    assert len(await office.all(RequestMessage)) == before
    assert len(await office.all(Request)) == 1
    last = (await office.messages())[-1]
    assert last.waits and (await office.conversation()).state == "unsorted"


async def test_twenty_an_hour_are_handled_and_the_rest_waits(office: Office) -> None:
    for number in range(22):
        await office.mail(ME, f"안내 {number}번째 문의입니다.", work=False)
    await office.work()
    rules = [message.rule for message in await office.messages()]
    assert rules == ["person"] * 20 + ["flood"] * 2
    assert (await office.messages())[-1].waits


async def test_forged_mails_do_not_use_up_what_is_the_members_own(office: Office) -> None:
    for number in range(21):
        await office.mail(ME, f"안내 {number}번째 문의입니다.", auth="fail", work=False)
    await office.work()
    assert (await office.messages())[-1].rule == "flood"
    await office.mail(ME, CORRECT)
    assert (await office.request()).kind == "correction"


async def test_a_copy_that_waits_does_not_swallow_the_one_that_is_handled(office: Office) -> None:
    """The same mail in Junk, flagged, and then in the inbox."""
    raw = letter(ME, CORRECT)
    await office.arrives(b"X-Spam-Flag: YES\r\n" + raw)
    assert await office.all(Request) == []
    await office.arrives(raw)
    assert (await office.request()).kind == "correction"
    await office.arrives(raw)
    assert (await office.messages())[-1].rule == "duplicate"
    assert len(await office.all(Request)) == 1


async def test_an_hour_later_mails_are_handled_again(office: Office) -> None:
    for number in range(21):
        await office.mail(ME, f"안내 {number}번째 문의입니다.", work=False)
    await office.work()
    office.clock.at += timedelta(hours=1, minutes=1)
    await office.mail(ME, CORRECT)
    assert (await office.messages())[-2].rule == "person"
    assert (await office.request()).kind == "correction"


async def test_what_is_answered_in_whose_language(office: Office) -> None:
    await office.mail(ME, CORRECT)
    await office.mail(EN_MEMBER.email, CORRECT_EN)
    assert "확인번호" in office.last(ME).text
    assert "code" in office.last(EN_MEMBER.email).text
    assert [c.language for c in await office.all(Conversation)] == ["ko", "en"]


async def test_the_clock_starts_at_the_servers_time_not_the_mails(office: Office) -> None:
    await office.arrives(letter(ME, CORRECT).replace(b"23 Nov 2026", b"01 Jan 2020"))
    request = await office.request()
    assert request.arrived_at == office.clock() and request.due_on == "2026-12-03"


async def test_the_hold_is_there_when_the_acknowledgement_leaves(office: Office) -> None:
    await office.mail(ME, CORRECT)
    seen = []
    send = office.tray.send

    async def watched(parcel: object) -> None:
        seen.append([hold.kind for hold in await office.holds()])
        await send(parcel)  # type: ignore[arg-type]

    office.tray.send = watched  # type: ignore[method-assign]
    await office.mail(ME, "네", answers=office.last(ME))
    assert seen == [["firm"]]


async def test_no_hold_and_no_proof_without_the_acknowledgement(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction: if the letter cannot be queued, nothing has happened."""
    await office.mail(ME, ACCESS)
    await office.mail(ME, CORRECT)
    real = letters.render

    def broken(letter: str, *rest: object) -> object:
        if letter == "ack":
            raise RuntimeError("the template is broken")
        return real(letter, *rest)  # type: ignore[arg-type]

    verify = office.last(ME)
    monkeypatch.setattr(post, "render", broken)
    await office.mail(ME, "네", answers=verify)
    assert await office.state() == "verifying"
    assert [hold.kind for hold in await office.holds()] == ["provisional"]
    monkeypatch.setattr(post, "render", real)
    await office.work()
    assert await office.state() == "proposed"
    assert [hold.kind for hold in await office.holds()] == ["firm"]


async def test_a_resident_number_is_masked_before_anything_is_kept(office: Office) -> None:
    await office.mail(ME, f"주민등록번호는 {NUMBER}입니다. {CORRECT}", f"신원 {NUMBER}")
    await office.mail(ME, f"다시 보냅니다. {NUMBER}")
    assert (await office.letters()).count("resident_number") == 1
    assert await office.state() == "verifying"
    for message in await office.messages():
        for sealed in (message.subject, message.text, message.rest):
            assert "2345678" not in office.desk.vault.text(sealed)
    assert {row.body for row in await office.all(RawInbox)} == {None}
    await office.desk.db.dispose()
    assert_nowhere(office, NUMBER, "2345678")


async def test_nor_in_a_files_name(office: Office) -> None:
    raw = letter(ME, CORRECT).decode()
    body = raw.partition("\n\n")[2]
    head = raw.partition("\n\n")[0].replace("MIME-Version: 1.0\n", "")
    head = "\n".join(
        line for line in head.split("\n") if not line.startswith(("Content-T", "MIME-"))
    )
    kind = 'Content-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: base64\n\n'
    file = (
        f'Content-Type: image/png\nContent-Disposition: attachment; filename="{NUMBER}.png"\n\nx\n'
    )
    parts = f"--b\n{kind}{body}\n--b\n{file}\n--b--\n"
    await office.arrives(
        f'{head}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n{parts}'.encode()
    )
    [kept] = await office.all(MessageFile)
    assert "2345678" not in office.desk.vault.text(kept.name)


async def test_nothing_personal_stands_plain_in_the_files(office: Office) -> None:
    await office.mail(ME, CORRECT, "하늘의 배송지")
    await office.mail(ME, "네", answers=office.last(ME))
    await office.desk.db.dispose()
    assert_nowhere(office, ME, NEW_ADDRESS, "파도로", "하늘", "haneul")


async def test_no_log_names_anybody(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "subjectline"):
        await office.mail(ME, CORRECT, "하늘의 배송지")
        await office.mail(ME, "네", answers=office.last(ME))
        await office.mail(ME, f"번호 {NUMBER}")
    for word in (ME, "haneul", "하늘", "파도로", "2345678", "shipping to"):
        assert word not in caplog.text


async def test_one_conversation_an_address(office: Office) -> None:
    await office.mail(ME, CORRECT)
    await office.mail(ME.upper(), ACCESS)
    assert len(await office.all(Conversation)) == 1


async def test_every_letter_says_its_reference_and_due_date(office: Office) -> None:
    await office.mail(ME, CORRECT)
    await office.mail(ME, "네", answers=office.last(ME))
    request = await office.request()
    for parcel in office.tray.parcels:
        assert request.reference in parcel.text and request.reference in parcel.html
        assert "2026년 12월 3일" in parcel.text and "2026년 12월 3일" in parcel.html
        assert ME not in parcel.subject and "파도로" not in parcel.subject


async def test_letters_thread_under_the_members_mail(office: Office) -> None:
    await office.mail(ME, CORRECT)
    theirs = (await office.all(Message))[0].rfc_message_id
    verify = office.last(ME)
    assert verify.in_reply_to == theirs and theirs in verify.references


def assert_nowhere(office: Office, *words: str) -> None:
    """Neither in the desk's files nor in the key store, in UTF-8 or as SQLite keeps it."""
    for file in office.folder.iterdir():
        if file.name.startswith("company"):
            continue
        content = file.read_bytes()
        for word in words:
            assert word.encode() not in content, f"{file.name} says a word that it must not"
            assert word.encode("utf-16-le") not in content


async def test_a_resident_number_in_a_chat_is_masked_too(office: Office) -> None:
    await office.chat(77, f"제 주민번호는 {NUMBER}이고 {CORRECT}")
    assert "resident_number" in await office.letters()
    assert (await office.request()).kind == "correction"
    await office.desk.db.dispose()
    assert_nowhere(office, NUMBER, "2345678")
