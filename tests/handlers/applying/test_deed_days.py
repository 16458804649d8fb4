"""Days and times that an answer names are those of the deed, not of the draft that was signed later."""

from datetime import datetime, timedelta

import pytest
from desks import ACCESS, CORRECT, LEAVE, MARKETING, MakeDesk, Office, agent
from signing import proven, signed

from subjectline.handlers import copies, decisions, drafting, tasks, work
from subjectline.handlers.registry import Applied
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.datamap import DataMap
from subjectline.models.datamap.parts import Bilingual, Manual
from subjectline.models.tables import Attempt, Export, Proposal

ME = KO_MEMBER.email
DAY = timedelta(days=1)
CHANGED_AT = "SELECT marketing_changed_at FROM member_consent WHERE member_id = 1001"
PAPER = Manual(labels=Bilingual(ko="종이 배송 장부", en="Paper delivery book"), place="창고")


def moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


async def test_the_confirmation_names_the_day_of_the_deed(office: Office) -> None:
    await proven(office, ME, MARKETING)
    [proposal] = await office.all(Proposal)
    said = drafting.open_envelope(office.desk, proposal)
    assert "⟦done_on⟧ 처리 완료" in said["text"] and "⟦done_on⟧" in said["html"]
    office.clock.advance(2 * DAY)
    await signed(office)
    left = office.last(ME)
    assert "결과: 2026년 11월 25일(수) 처리 완료" in left.text
    assert "철회하신 날: 2026년 11월 23일(월)" in left.text
    assert "⟦" not in left.text + left.html


async def test_the_companys_column_has_the_time_of_the_signature(office: Office) -> None:
    await proven(office, ME, MARKETING)
    [proposal] = await office.all(Proposal)
    bound = drafting.open_envelope(office.desk, proposal)["changes"]
    [timed] = [change for change in bound if change.get("timed")]
    assert (timed["column"], timed["new"]) == ("marketing_changed_at", "now")
    office.clock.advance(2 * DAY)
    await signed(office)
    [(held,)] = await office.sql(CHANGED_AT)
    assert moment(held) == office.clock()
    [attempt] = await office.all(Attempt)
    assert attempt.proof is not None
    assert office.clock().isoformat() in office.desk.vault.text(attempt.proof)


async def test_killed_and_repeated_it_is_the_same_time(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await proven(office, ME, MARKETING)
    [proposal] = await office.all(Proposal)
    await decisions.approve(office.desk, proposal.sha256, agent())
    signed_at, real = office.clock(), office.desk.registry.apply

    async def dies(changes: object, at: object = None) -> Applied:
        await real(changes, at)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(office.desk.registry, "apply", dies)
        with pytest.raises(KeyboardInterrupt):
            await tasks.once(office.desk)
    office.clock.advance(work.LEASE * 2)
    await office.work()
    assert await office.state() == "done"
    [(held,)] = await office.sql(CHANGED_AT)
    assert moment(held) == signed_at


async def test_a_draft_of_later_is_the_same_draft(office: Office) -> None:
    """The clock alone makes no draft one that a person touched."""
    request = await proven(office, ME, MARKETING)
    first = await drafting.make(office.desk, request)
    office.clock.advance(DAY)
    assert not drafting.touched(first, await drafting.make(office.desk, request))


async def test_a_correction_is_done_with_the_last_copy(
    make_desk: MakeDesk, sample_map: DataMap
) -> None:
    field = sample_map.fields["shipping_address"].model_copy(update={"manual": (PAPER,)})
    fields = {**sample_map.fields, "shipping_address": field}
    office = await make_desk(data_map=sample_map.model_copy(update={"fields": fields}))
    await proven(office, ME, CORRECT)
    request = await signed(office)
    office.clock.advance(4 * DAY)
    await copies.tick(office.desk, request.id or 0, 0, agent())
    await office.work()
    assert "바꾼 날: 2026년 11월 27일(금)" in office.last(ME).text


async def test_a_leaving_copied_by_hand_keeps_its_time(
    make_desk: MakeDesk, sample_map: DataMap
) -> None:
    """The last tick has the change set looked at again, days later: it is already there."""
    field = sample_map.fields["phone"].model_copy(update={"manual": (PAPER,)})
    fields = {**sample_map.fields, "phone": field}
    office = await make_desk(data_map=sample_map.model_copy(update={"fields": fields}))
    await proven(office, ME, LEAVE)
    request, signed_at = await signed(office), office.clock()
    assert request.state == "applying"
    office.clock.advance(DAY)
    await copies.tick(office.desk, request.id or 0, 0, agent())
    await office.work()
    assert await office.state() == "done"
    [(left_at,)] = await office.sql("SELECT left_at FROM member WHERE member_id = 1001")
    assert moment(left_at) == signed_at
    assert "파기한 것 (2026년 11월 24일(화))" in office.last(ME).text


async def test_an_exports_week_begins_when_it_is_ready(office: Office) -> None:
    await proven(office, ME, ACCESS)
    office.clock.advance(2 * DAY)
    await signed(office)
    [export] = await office.all(Export)
    assert export.expires_at == office.clock() + 7 * DAY
    assert "2026년 12월 2일(수)까지" in office.last(ME).text
