"""A letter comes back: on its row of proof, in an agent's list, and never forgotten where it is legal."""

from datetime import timedelta
from typing import Any

import pytest
from bounced import ME, MEMBER, NEW, bounced, dead, handle, moves_to, outbox_row, result
from desks import CORRECT, Office, agent, letter
from returned import dsn, exchange, qmail, raw
from signing import proven

from subjectline.handlers import returned
from subjectline.models.errors import BadInput, NotPermitted, StaleMove
from subjectline.models.tables import (
    Audit,
    Conversation,
    Message,
    Outbox,
    ReturnedLetter,
)

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
    [told] = await returned.listed(office.desk)
    assert told.guessed and told.letter == "done" and not await dead(office)


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
