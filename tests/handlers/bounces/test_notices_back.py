"""A notice that did not reach its member is told another way, and the list forgets none."""

from datetime import date, timedelta

import pytest
from bounced import FULL, ME, MEMBER, NEW, bounced, dead, handle, moves_to
from desks import DESK, NOW, Office, agent
from returned import arf, dsn, korean

from subjectline.handlers import bounces, notices, retention, returned
from subjectline.handlers.audit import SYSTEM
from subjectline.models.errors import BadInput
from subjectline.models.tables import (
    NoticeRecipient,
    ReturnedLetter,
)


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
    [row] = await office.all(NoticeRecipient, NoticeRecipient.subject_id == MEMBER)
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


async def test_how_they_were_told_ends_with_its_time(office: Office) -> None:
    """The entry's key goes first; what still waits stays, however old."""
    await announced(office)
    await office.arrives(dsn((await mine(office)).rfc_message_id, ME))
    await returned.close(office.desk, await handle(office), "phone", "전화로 알림", agent())
    [closed] = await office.all(ReturnedLetter)
    office.clock.advance(timedelta(days=365 * 2))
    await retention.run(office.desk, SYSTEM)
    assert len(await office.all(ReturnedLetter)) == 1
    async with office.desk.db.write() as session:
        session.add(waiting_since_then())
    office.clock.advance(timedelta(days=365 * 2))
    await retention.run(office.desk, SYSTEM)
    assert [row.state for row in await office.all(ReturnedLetter)] == ["waits"]
    assert office.desk.vault.gone(closed.key_id)


def waiting_since_then() -> ReturnedLetter:
    return ReturnedLetter(
        kind="bounce", rfc_message_id="<waits@moment-pick.test>", letter="notice", legal=True,
        at=NOW, state="waits",
    )  # fmt: skip
