"""A letter comes back: on its row of proof, in an agent's list, and never forgotten where it is legal."""

from datetime import date, timedelta
from typing import Any

import pytest
from desks import CORRECT, DESK, MARKETING, THIRD_PARTY, Office, agent, letter
from returned import arf, dsn, exchange, korean, qmail, raw
from signing import proven, signed

from subjectline.handlers import bounces, notices, reachable, returned
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import BadInput, NotPermitted, PermanentSendError, StaleMove
from subjectline.models.tables import (
    Audit,
    Conversation,
    DeadAddress,
    Message,
    NoticeRecipient,
    Outbox,
    ReturnedLetter,
)

ME, MEMBER = KO_MEMBER.email, str(KO_MEMBER.number)
NEW = "haneul.new@mail.test"
FULL = "552 5.2.2 Mailbox full"


async def result(office: Office) -> str:
    """A result has left by mail; its Message-ID."""
    await proven(office, ME, MARKETING)
    await signed(office)
    assert (await office.letters())[-1] == "done"
    return office.last(ME).message_id


async def bounced(office: Office, status: str = "5.1.1") -> ReturnedLetter:
    await office.arrives(dsn(await result(office), ME, status=status))
    return (await office.all(ReturnedLetter))[-1]


async def outbox_row(office: Office, message_id: str) -> Outbox:
    [row] = await office.all(Outbox, Outbox.rfc_message_id == message_id)  # type: ignore[arg-type]
    return row


async def handle(office: Office, position: int = -1) -> str:
    return (await returned.listed(office.desk))[position].handle


async def moves_to(office: Office, address: str) -> None:
    """The company's database has another address of the member's."""
    await office.sql("UPDATE member SET email = :a WHERE member_id = :m", a=address, m=int(MEMBER))


async def dead(office: Office, address: str = ME) -> bool:
    async with office.desk.db.read() as session:
        return await reachable.is_dead(session, office.desk.vault.index("email", address))


# The journey


async def test_from_the_bounce_to_its_end(office: Office) -> None:
    message_id = await result(office)
    before = len(office.tray.parcels)
    await office.arrives(dsn(message_id, ME))
    row = await outbox_row(office, message_id)
    assert (row.outcome, row.returned, row.returned_code) == ("bounced", "permanent", "5.1.1")
    assert (row.returned_cause, row.returned_at) == ("no_such_address", office.clock())
    assert row.sent_at is not None  # it did leave
    [listed] = await returned.listed(office.desk)
    assert (listed.letter, listed.legal, listed.member) == ("done", True, MEMBER)
    assert listed.reference == (await office.request()).reference
    assert len(office.tray.parcels) == before and await dead(office)

    await moves_to(office, NEW)
    seen = await returned.view(office.desk, listed.handle, agent())
    ways = {way.kind: way for way in seen.ways}
    assert ways["email"].can_send and ways["email"].value == NEW and seen.dead
    assert ways["phone"].value.startswith("010-0000-") and not ways["phone"].can_send
    await returned.send_again(office.desk, listed.handle, "email", agent())
    await office.work()
    [again] = office.tray.to(NEW)
    first = office.last(ME)
    assert (again.subject, again.text) == (first.subject, first.text)
    assert again.message_id != message_id and again.html == first.html
    await its_end(office, listed.handle)
    told = [row.action for row in await office.all(Audit)]
    assert {"view", "sent_again", "returned_closed", "address_dead"} <= set(told)


async def its_end(office: Office, number: str) -> None:
    """A legal letter stays until somebody says how the person was told."""
    [still] = await returned.listed(office.desk)
    assert still.resent_by == "email"
    with pytest.raises(NotPermitted):
        await returned.send_again(office.desk, number, "email", agent())
    await returned.close(office.desk, number, "resent", "새 주소로 다시 보냄", agent())
    assert await returned.listed(office.desk) == ()
    [done] = await returned.listed(office.desk, "closed")
    assert (done.how, done.closed_by) == ("resent", "서민지")


async def test_the_entry_is_sealed(office: Office) -> None:
    await bounced(office)
    await returned.close(office.desk, await handle(office), "phone", "전화로 알림", agent())
    [row] = await office.all(ReturnedLetter)
    assert row.note is not None and office.desk.vault.text(row.note) == "전화로 알림"
    with pytest.raises(StaleMove):
        await returned.close(office.desk, await closed_handle(office), "phone", "또", agent())


async def closed_handle(office: Office) -> str:
    return (await returned.listed(office.desk, "closed"))[0].handle


@pytest.mark.parametrize(
    ("how", "note", "field"),
    [
        ("", "x", "how"),
        ("not_needed", "x", "how"),
        ("phone", " ", "note"),
        ("post", "x" * 501, "note"),
    ],
)
async def test_a_legal_letter_is_not_closed_without_a_word(
    office: Office, how: str, note: str, field: str
) -> None:
    await bounced(office)
    with pytest.raises(BadInput) as told:
        await returned.close(office.desk, await handle(office), how, note, agent())
    assert told.value.field == field and len(await returned.listed(office.desk)) == 1


async def test_an_acknowledgement_may_be_let_go(office: Office) -> None:
    await proven(office, ME, CORRECT)
    await office.arrives(dsn(office.last(ME).message_id, ME))
    [row] = await returned.listed(office.desk)
    assert not row.legal and row.letter == "ack"
    await returned.close(office.desk, row.handle, "not_needed", "", agent())
    assert await returned.listed(office.desk) == ()


# Which letter


@pytest.mark.parametrize("build", [dsn, qmail, exchange])
async def test_other_forms_find_it_too(office: Office, build: Any) -> None:
    await office.arrives(build(await result(office), ME))
    assert (await office.all(ReturnedLetter))[-1].state == "waits"


async def test_a_report_of_another_letter_changes_nothing(office: Office) -> None:
    message_id = await result(office)
    forged = f"<{'0' * 32}@moment-pick.test>"
    await office.arrives(dsn(forged, ME))
    assert (await outbox_row(office, message_id)).outcome == "sent"
    assert await office.all(ReturnedLetter) == [] and not await dead(office)
    robot = (await office.all(Conversation))[-1]
    assert robot.state == "unsorted"  # kept, and an agent may look


async def test_without_an_id_an_agent_looks_and_nothing_is_held_against_the_address(
    office: Office,
) -> None:
    await result(office)
    letters = [row for row in await office.all(Outbox) if row.sent_at]
    assert len(letters) > 1
    await office.arrives(dsn("", ME, copy=""))
    assert await office.all(ReturnedLetter) == []  # several went there
    async with office.desk.db.write() as session:
        for row in letters[:-1]:
            row.sent_at = office.clock() - timedelta(days=8)
            session.add(row)
    await office.arrives(dsn("", ME, copy="", number="r2"))
    [row] = await returned.listed(office.desk)
    assert row.guessed and row.letter == "done" and not await dead(office)


async def test_of_a_forwarded_letter_one_refusal_proves_nothing(office: Office) -> None:
    message_id = await result(office)
    await office.arrives(dsn(message_id, "old@elsewhere.example", original=ME))
    assert len(await returned.listed(office.desk)) == 1 and not await dead(office)


async def test_the_address_written_to_counts_not_the_one_in_the_report(office: Office) -> None:
    """A reader of our letter could name anybody's address in a report of their own."""
    victim = "dana.whitfield@mail.test"
    await office.arrives(dsn(await result(office), victim))
    assert not await dead(office, victim)


# Nothing answers, nothing loops


async def test_a_bounce_is_never_answered(office: Office) -> None:
    message_id = await result(office)
    before = len(await office.all(Outbox))
    for number in range(3):
        await office.arrives(dsn(message_id, ME, number=f"r{number}"))
        await office.arrives(raw("Undeliverable.\n", subject="Undeliverable", number=f"x{number}"))
    assert len(await office.all(Outbox)) == before
    assert len(await office.all(ReturnedLetter)) == 1  # told thrice, one task


async def test_what_was_closed_is_not_opened_by_the_same_news(office: Office) -> None:
    message_id = await result(office)
    await office.arrives(dsn(message_id, ME))
    await returned.close(office.desk, await handle(office), "phone", "전화", agent())
    await office.arrives(dsn(message_id, ME, number="r2"))
    assert await returned.listed(office.desk) == ()


async def test_absence_notes_and_challenges_are_no_bounces(office: Office) -> None:
    message_id = await result(office)
    for subject in ("자동 응답: 휴가 중입니다", "Please confirm your message"):
        note = letter(ME, "돌아와서 보겠습니다.", subject, now=office.clock()).replace(
            b"MIME-Version",
            f"Auto-Submitted: auto-replied\nIn-Reply-To: {message_id}\nMIME-Version".encode(),
        )
        await office.arrives(note)
    assert await office.all(ReturnedLetter) == []
    assert (await outbox_row(office, message_id)).returned == ""


async def test_late_and_arrived_are_noted_only(office: Office) -> None:
    message_id = await result(office)
    await office.arrives(dsn(message_id, ME, status="4.4.1", action="delayed", words=""))
    row = await outbox_row(office, message_id)
    assert (row.outcome, row.returned) == ("sent", "late") and not await office.all(ReturnedLetter)
    await office.arrives(
        dsn(message_id, ME, status="2.0.0", action="delivered", words="", number="r2")
    )
    assert (await outbox_row(office, message_id)).returned == "delivered"
    reports = [m for m in await office.all(Message) if m.rule == "bounce"]
    assert len(reports) == 2 and not any(m.waits for m in reports)


async def test_a_strangers_forged_address_is_nobodys_work(office: Office) -> None:
    await office.mail("nobody@gone.example", CORRECT)
    await office.arrives(dsn(office.last("nobody@gone.example").message_id, "nobody@gone.example"))
    [row] = await office.all(ReturnedLetter)
    assert row.state == "noted" and await returned.listed(office.desk) == ()
    assert await dead(office, "nobody@gone.example")


# Addresses given up


async def test_a_dead_address_is_not_mailed_again(office: Office) -> None:
    await bounced(office)
    office.tray.parcels.clear()
    await office.chat(77, "/start")  # any work at all
    async with office.desk.write() as session:
        from subjectline.handlers import post

        conversation = next(c for c in await office.all(Conversation) if c.door == "mail")
        post.note(
            session, post.Noted("ack", conversation.id or 0, [(await office.request()).id or 0])
        )
    await office.work()
    assert office.tray.to(ME) == []
    row = (await office.all(Outbox))[-1]
    assert (row.outcome, row.returned_cause) == ("unreachable", "known_dead")
    assert [r.kind for r in await office.all(ReturnedLetter)] == ["bounce", "unsent"]


async def test_who_writes_to_us_lives(office: Office) -> None:
    await bounced(office)
    assert await dead(office)
    await office.mail(ME, CORRECT, auth="fail")
    assert await dead(office)  # anybody can write that address
    await office.mail(ME, CORRECT)
    assert not await dead(office) and office.tray.to(ME)
    [row] = await office.all(DeadAddress)
    assert row.cleared_by == "mail"


async def test_an_agent_clears_it(office: Office) -> None:
    await bounced(office)
    await returned.address_lives(office.desk, await handle(office), agent())
    assert not await dead(office)
    with pytest.raises(StaleMove):
        await returned.address_lives(office.desk, await handle(office), agent())
    await returned.send_again(office.desk, await handle(office), "email", agent())
    await office.work()
    assert office.last(ME).subject == office.tray.parcels[-1].subject


async def test_three_within_a_week_count_as_for_good(office: Office) -> None:
    for number, words in enumerate((MARKETING, THIRD_PARTY, CORRECT)):
        await office.mail(ME, words)
        assert not await dead(office)
        await office.arrives(
            dsn(office.last(ME).message_id, ME, status="4.2.2", words=FULL, number=f"r{number}")
        )
    assert await dead(office)


async def test_three_in_three_weeks_do_not(office: Office) -> None:
    for number, words in enumerate((MARKETING, THIRD_PARTY, CORRECT)):
        await office.mail(ME, words)
        await office.arrives(
            dsn(office.last(ME).message_id, ME, status="4.2.2", words=FULL, number=f"r{number}")
        )
        office.clock.advance(timedelta(days=8))
    assert not await dead(office)


@pytest.mark.parametrize(
    ("status", "words"), [("5.7.1", "550 5.7.1 rejected as spam"), ("5.3.4", "552 5.3.4 too large")]
)
async def test_not_welcome_is_not_dead(office: Office, status: str, words: str) -> None:
    message_id = await result(office)
    await office.arrives(dsn(message_id, ME, status=status, words=words))
    [row] = await office.all(ReturnedLetter)
    assert row.state == "waits" and row.permanent and not await dead(office)


async def test_refused_at_the_door_is_the_same_task(office: Office) -> None:
    await office.mail(ME, CORRECT, work=False)
    office.tray.wrong = [PermanentSendError("the mail server answered 550 5.1.1")]
    await office.work()
    [row] = await office.all(ReturnedLetter)
    assert (row.kind, row.cause, row.told_by) == ("unsent", "no_such_address", "desk")
    assert await dead(office)


async def test_a_relay_that_says_nothing_of_the_address(office: Office) -> None:
    await office.mail(ME, CORRECT, work=False)
    office.tray.wrong = [PermanentSendError("the mail server answered 554")]
    await office.work()
    [row] = await office.all(ReturnedLetter)
    assert row.cause == "not_taken" and not await dead(office)


# Ways to the person


async def test_a_contested_contact_is_not_used(office: Office) -> None:
    """The new address is under correction: it is neither shown nor sent to."""
    await bounced(office)
    await moves_to(office, NEW)
    await proven(office, NEW, "이메일 주소를 haneul.other@mail.test로 바꿔 주세요.")
    request = await office.request()
    from subjectline.handlers import decisions

    await decisions.vouch(office.desk, request.id or 0, request.version, agent(), MEMBER, "call")
    await office.work()
    number = next(r.handle for r in await returned.listed(office.desk) if r.letter == "done")
    seen = await returned.view(office.desk, number, agent())
    email = next(way for way in seen.ways if way.kind == "email")
    assert (email.value, email.can_send, email.why_not) == ("", False, "held")
    with pytest.raises(NotPermitted):
        await returned.send_again(office.desk, number, "email", agent())


async def test_the_same_dead_address_is_no_way(office: Office) -> None:
    await bounced(office)
    seen = await returned.view(office.desk, await handle(office), agent())
    email = next(way for way in seen.ways if way.kind == "email")
    assert (email.can_send, email.why_not) == (False, "bounces")


async def test_a_code_is_never_sent_twice(office: Office) -> None:
    await office.mail(ME, CORRECT)
    await office.arrives(dsn(office.last(ME).message_id, ME))
    await moves_to(office, NEW)
    [row] = await office.all(ReturnedLetter)
    assert (row.letter, row.state, row.subject_id) == ("verify", "noted", None)
    async with office.desk.db.write() as session:  # proven by papers since
        kept = await session.get_one(ReturnedLetter, row.id)
        kept.state, kept.subject_id, kept.registry_id = (
            "waits",
            MEMBER,
            office.desk.data_map.registry,
        )
        session.add(kept)
    seen = await returned.view(office.desk, await handle(office), agent())
    assert [w.why_not for w in seen.ways if w.kind == "email"] == ["once_only"]
    with pytest.raises(NotPermitted):
        await returned.send_again(office.desk, await handle(office), "email", agent())


async def test_the_linked_chat_is_told_by_a_link(office: Office) -> None:
    row = await bounced(office)
    async with office.desk.db.write() as session:
        session.add(chat_of(office, row.registry_id))
    seen = await returned.view(office.desk, await handle(office), agent())
    assert [way.kind for way in seen.ways if way.can_send] == ["telegram"]
    await returned.send_again(office.desk, await handle(office), "telegram", agent())
    await office.work()
    told = office.last("4242")
    assert "/m/" in told.text and (await office.request()).reference in told.text
    assert (await office.all(ReturnedLetter))[-1].resent_by == "telegram"


def chat_of(office: Office, registry: str | None) -> Conversation:
    vault, now = office.desk.vault, office.clock()
    key = vault.fresh_key("conversation", now)
    return Conversation(
        door="telegram", contact_kind="telegram", contact_index=vault.index("telegram", "4242"),
        contact=vault.seal(key, "conversation.contact", "4242"), key_id=key, registry_id=registry,
        subject_id=MEMBER, proven_at=now, proven_by="email", made_at=now, last_at=now,
    )  # fmt: skip


# Notices


async def announced(office: Office) -> None:
    today = date(2026, 11, 23)
    change = {key: {"ko": "내용", "en": "text"} for key in ("clause", "before", "after", "reason")}
    number = await notices.create_version(
        office.desk,
        "2026-12",
        today,
        today + timedelta(days=10),
        "방침",
        "Policy",
        [change],
        agent(),
    )
    await notices.announce(office.desk, number, agent())
    await mailed(office)


async def mailed(office: Office) -> None:
    while await notices.once(office.desk, office.tray):
        pass


async def mine(office: Office) -> NoticeRecipient:
    [row] = await office.all(NoticeRecipient, NoticeRecipient.subject_id == MEMBER)  # type: ignore[arg-type]
    return row


async def test_a_notice_that_came_back_is_never_forgotten(office: Office) -> None:
    await announced(office)
    await office.arrives(
        korean((await mine(office)).rfc_message_id, ME, "존재하지 않는 계정입니다.")
    )
    row = await mine(office)
    assert (row.outcome, row.returned, row.sent_at) == ("bounced", "permanent", office.clock())
    [listed] = await returned.listed(office.desk)
    assert (listed.letter, listed.legal, listed.reference) == ("notice", True, "2026-12")
    with pytest.raises(BadInput):
        await returned.close(office.desk, listed.handle, "not_needed", "x", agent())
    await moves_to(office, NEW)
    await returned.send_again(office.desk, listed.handle, "email", agent())
    await mailed(office)
    assert len(office.tray.to(NEW)) == 1 and (await mine(office)).outcome == "sent"
    assert len(await returned.listed(office.desk)) == 1
    await returned.close(office.desk, listed.handle, "resent", "새 주소로 보냄", agent())
    assert await returned.listed(office.desk) == ()


async def test_a_notice_that_failed_for_now_leaves_again_tomorrow(office: Office) -> None:
    await announced(office)
    seen = set()
    for number in range(bounces.AGAIN):
        row = await mine(office)
        seen.add(row.rfc_message_id)
        await office.arrives(
            dsn(row.rfc_message_id, ME, status="4.2.2", words=FULL, number=f"r{number}")
        )
        assert (await mine(office)).outcome == "due" and not await returned.listed(office.desk)
        await mailed(office)
        assert (await mine(office)).outcome == "due"  # not before tomorrow
        office.clock.advance(timedelta(days=1))
        await mailed(office)
        assert (await mine(office)).outcome == "sent"
    last = (await mine(office)).rfc_message_id
    await office.arrives(dsn(last, ME, status="4.2.2", words=FULL, number="last"))
    assert last not in seen and (await mine(office)).outcome == "bounced"
    assert len(await returned.listed(office.desk)) == 1 and await dead(office)


async def test_old_news_of_a_notice_mailed_again_is_no_news(office: Office) -> None:
    await announced(office)
    first = (await mine(office)).rfc_message_id
    await office.arrives(dsn(first, ME, status="4.2.2", words=FULL))
    office.clock.advance(timedelta(days=1))
    await mailed(office)
    await office.arrives(dsn(first, ME, number="r2"))
    assert (await mine(office)).outcome == "sent"


async def test_a_notice_to_a_dead_address_is_a_task_at_once(office: Office) -> None:
    await bounced(office)
    office.tray.parcels.clear()
    await announced(office)
    row = await mine(office)
    assert (row.outcome, row.reason) == ("unreachable", "known_dead")
    assert office.tray.to(ME) == []
    assert {r.letter for r in await returned.listed(office.desk)} == {"done", "notice"}


async def test_a_complaint_waits_for_an_agent_and_withdraws_nothing(office: Office) -> None:
    await announced(office)
    await office.arrives(arf((await mine(office)).rfc_message_id, ME))
    [row] = await returned.listed(office.desk)
    assert (row.kind, row.cause, row.letter) == ("complaint", "complaint", "notice")
    assert (await mine(office)).outcome == "sent" and not await dead(office)
    [[agreed]] = await office.sql("SELECT count(*) FROM member WHERE member_id = :m", m=int(MEMBER))
    assert agreed == 1 and DESK not in {p.recipient for p in office.tray.parcels}
    await returned.close(office.desk, row.handle, "not_needed", "", agent())
    assert await returned.listed(office.desk) == ()
