"""What a partner or a changed map can do to the others' notices: nothing."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from desks import LEAVE, MakeDesk
from signing import proven
from sqlmodel import col
from told import Telephone, telephone

from subjectline.handlers import recipients_outbox
from subjectline.handlers.recipients_outbox import LEASE
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.errors import TemporarySendError
from subjectline.models.tables import Telling

POST = "post_office"


async def test_a_partner_that_hangs_keeps_only_itself_waiting(
    make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one place under way, the others' turn would never come while it hangs."""
    monkeypatch.setattr(recipients_outbox, "AT_ONCE", 1)
    phone = telephone(await make_desk())
    await proven(phone.office, KO_MEMBER.email, LEAVE)
    first = (await phone.office.all(Telling, col(Telling.way) == "webhook"))[0].recipient
    phone.posts.hangs = {first}
    loop = asyncio.create_task(recipients_outbox.run(phone.office.desk, phone.ways))
    try:
        async with asyncio.timeout(10):
            while {POST, "danal", "nurigo"} - {first} - phone.posts.names:
                await phone.posts.came.wait()
                phone.posts.came.clear()
    finally:
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop
    assert first not in phone.posts.names


async def test_what_nobody_foresaw_is_tried_again_and_becomes_a_task(told: Telephone) -> None:
    manner = replace(told.office.desk.manner, retry_seconds=(1.0,))
    told.office.desk = replace(told.office.desk, manner=manner)
    told.posts.wrong = [ValueError("a line that broke oddly"), KeyError("purpose")]
    await told.tell()
    row = await told.row(POST)
    assert (row.outcome, row.reason, row.leased_until) == ("due", "ValueError", None)
    told.office.clock.advance(timedelta(seconds=1))
    await told.tell()
    assert (await told.row(POST)).outcome == "failed"


async def test_what_cannot_even_be_noted_keeps_nobody_else(
    told: Telephone, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*given: object) -> None:
        raise OverflowError("date value out of range")

    told.posts.wrong = [TemporarySendError("away")]
    with monkeypatch.context() as patch:
        patch.setattr(recipients_outbox, "_later", broken)
        await told.tell()
    told.office.clock.advance(LEASE + timedelta(seconds=1))
    await told.tell()
    assert (await told.row(POST)).outcome == "sent"
