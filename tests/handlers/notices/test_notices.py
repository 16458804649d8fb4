"""The notice of a policy change: every member, through the gate, with a row of proof for each."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from desks import CORRECT, DESK, PEOPLE, Office, agent

from subjectline.handlers import decisions, notices
from subjectline.intake.sandbox.people import EN_MEMBER, KO_MEMBER
from subjectline.models.errors import (
    BadInput,
    NoticeTooSoon,
    PermanentSendError,
    RegistryAway,
    TemporarySendError,
)
from subjectline.models.tables import NoticeRecipient, PolicyVersion, Proposal

CHANGE = {
    key: {"ko": f"{key} 내용", "en": f"the {key}"}
    for key in ("clause", "before", "after", "reason")
}
TODAY = date(2026, 11, 23)
NEW_EMAIL = "haneul.new@mail.test"


async def version(office: Office, days: int = 10, **more: Any) -> int:
    known: dict[str, Any] = {
        "name": "2026-12",
        "announced_on": TODAY,
        "effective_on": TODAY + timedelta(days=days),
        "text_ko": "방침",
        "text_en": "Policy",
        "changes": [CHANGE],
        "agent": agent(),
    }
    return await notices.create_version(office.desk, **{**known, **more})


async def send(office: Office) -> None:
    while await notices.once(office.desk, office.tray):
        pass


async def announced(office: Office) -> int:
    return await notices.announce(office.desk, await version(office), agent())


@pytest.mark.parametrize(("days", "good"), [(-1, False), (6, False), (7, True)])
async def test_less_than_seven_days_are_refused(office: Office, days: int, good: bool) -> None:
    if good:
        await version(office, days)
    else:
        with pytest.raises(NoticeTooSoon) as told:
            await version(office, days)
        assert "2026-11-30" in told.value.remedy
    assert len(await office.all(PolicyVersion)) == good


@pytest.mark.parametrize("field", ["name", "text_ko", "text_en"])
async def test_nothing_may_be_empty(office: Office, field: str) -> None:
    with pytest.raises(BadInput) as told:
        await version(office, **dict[str, Any]({field: " "}))
    assert told.value.field == field


async def test_every_member_is_written_to_once(office: Office) -> None:
    number = await announced(office)
    await send(office)
    rows = await office.all(NoticeRecipient)
    assert len(rows) == PEOPLE and {row.outcome for row in rows} == {"sent"}
    assert len({parcel.recipient for parcel in office.tray.parcels}) == PEOPLE
    assert {p.message_id for p in office.tray.parcels} == {row.rfc_message_id for row in rows}
    assert all(row.sent_at == office.clock() for row in rows)
    assert (await notices.progress(office.desk, number)).state == "done"
    await notices.announce(office.desk, 1, agent())
    await send(office)
    assert len(office.tray.parcels) == PEOPLE


async def test_in_their_own_language(office: Office) -> None:
    await announced(office)
    await send(office)
    korean, english = office.last(KO_MEMBER.email), office.last(EN_MEMBER.email)
    assert "2026년 12월 3일" in korean.text and "before 내용" in korean.text
    assert "3 December 2026" in english.text and "the before" in english.text
    assert not english.answers and english.reply_to == DESK


async def test_who_is_held_waits_and_is_written_to_at_the_new_address(office: Office) -> None:
    await office.mail(KO_MEMBER.email, f"이메일 주소를 {NEW_EMAIL}로 바꿔 주세요.")
    request = await office.request()
    await decisions.vouch(office.desk, request.id or 0, request.version, agent(), "1001", "call")
    await office.work()
    office.tray.parcels.clear()
    await announced(office)
    await send(office)
    [held] = [row for row in await office.all(NoticeRecipient) if row.outcome != "sent"]
    assert (held.subject_id, held.outcome) == ("1001", "held")
    assert office.tray.to(KO_MEMBER.email) == []

    request = await office.request()
    if request.state == "open":
        wish = decisions.AgentDraft(new_contact_proof="call")
        await decisions.propose(office.desk, request.id or 0, request.version, agent(), wish)
    proposal = (await office.all(Proposal))[-1]
    for number in range(1, proposal.needs + 1):
        await decisions.approve(office.desk, proposal.sha256, agent(number))
    await office.work()
    assert await office.state() == "done"
    office.clock.advance(timedelta(minutes=2))
    await send(office)
    notice = [p for p in office.tray.parcels if not p.answers and p.recipient == NEW_EMAIL]
    assert len(notice) == 1
    assert [p for p in office.tray.to(KO_MEMBER.email) if not p.answers] == []
    assert {row.outcome for row in await office.all(NoticeRecipient)} == {"sent"}


async def test_another_field_that_is_held_is_not_in_the_way(office: Office) -> None:
    await office.mail(KO_MEMBER.email, CORRECT)
    await office.mail(KO_MEMBER.email, "네", answers=office.last(KO_MEMBER.email))
    await announced(office)
    await send(office)
    assert {row.outcome for row in await office.all(NoticeRecipient)} == {"sent"}


async def test_soft_and_hard_failures(office: Office) -> None:
    await announced(office)
    office.tray.wrong = [TemporarySendError("later"), PermanentSendError("never")]
    await send(office)
    rows = await office.all(NoticeRecipient)
    assert sorted(row.outcome for row in rows if row.outcome != "sent") == ["due", "failed"]
    office.clock.advance(timedelta(minutes=1))
    await send(office)
    assert [row.outcome for row in await office.all(NoticeRecipient)].count("sent") == PEOPLE - 1


async def test_the_pauses_are_those_of_the_settings(office: Office) -> None:
    manner = replace(office.desk.manner, retry_seconds=(7.0, 70.0))
    office = replace(office, desk=replace(office.desk, manner=manner))
    await announced(office)
    waits = []
    for _ in range(3):
        office.tray.wrong = [TemporarySendError("later")] * PEOPLE
        await send(office)
        waits.append({r.due_at - office.clock() for r in await office.all(NoticeRecipient)})
        office.clock.advance(max(waits[-1]))
    assert waits[:2] == [{timedelta(seconds=7)}, {timedelta(seconds=70)}]
    assert {row.outcome for row in await office.all(NoticeRecipient)} == {"failed"}


async def test_what_was_not_tried_costs_no_try_and_waits_as_it_was_asked_to(office: Office) -> None:
    await announced(office)
    office.tray.wrong = [TemporarySendError("greylisted", after=300, tried=False)] * PEOPLE
    await send(office)
    rows = await office.all(NoticeRecipient)
    assert {(row.outcome, row.attempts) for row in rows} == {("due", 0)}
    assert {row.due_at - office.clock() for row in rows} == {timedelta(seconds=300)}


async def test_one_failure_of_ours_keeps_nobody_elses(office: Office) -> None:
    await announced(office)
    office.tray.wrong = [RuntimeError("something new")]
    for _ in range(4):
        try:
            await send(office)
        except RuntimeError:
            pass
        office.clock.advance(timedelta(minutes=2))
    assert [row.outcome for row in await office.all(NoticeRecipient)].count("sent") == PEOPLE


async def test_the_listing_goes_on_where_it_stopped(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "PAGE", 7)
    await announced(office)
    real, calls = office.desk.registry.members, []

    async def sometimes(after: str | None, limit: int) -> list[str]:
        calls.append(after)
        if len(calls) == 3:
            raise RegistryAway("for a moment")
        return await real(after, limit)

    monkeypatch.setattr(office.desk.registry, "members", sometimes)
    with pytest.raises(RegistryAway):
        await send(office)
    await send(office)
    members = [row.subject_id for row in await office.all(NoticeRecipient)]
    assert len(members) == len(set(members)) == PEOPLE
